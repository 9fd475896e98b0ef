use super::{Call, Command, Reply, TABLE};
use crate::codec::Frame;

/// `COMMAND [COUNT | LIST | INFO [name …] | DOCS [name …]]`: names and a count, but no descriptions. Clients that ask for
/// those (`redis-cli` does at its start) take none for a reply.
pub(super) const COMMAND: Command = Command {
    subcommands: &[
        Command::new("command|count", |_| Ok(Frame::count(TABLE.len()))),
        Command::new("command|list", |_| {
            Ok(Frame::Array(TABLE.iter().map(|command| Frame::bulk(command.name())).collect()))
        }),
        Command::new("command|info", info),
        Command::new("command|docs", |_| Ok(Frame::Map(vec![]))),
    ],
    ..Command::new("command", |_| Ok(Frame::Array(vec![])))
};

fn info(call: &mut Call<'_>) -> Reply {
    Ok(Frame::Array(call.after(2).iter().map(|_| Frame::Null).collect()))
}
