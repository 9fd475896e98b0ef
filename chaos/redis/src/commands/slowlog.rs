use super::{Call, Command, Refusal, Reply};
use crate::codec::{Frame, parse_integer};

/// `SLOWLOG LEN | GET [count] | RESET`: exporters ask for it. No command here is ever slow enough to be in it.
pub(super) const SLOWLOG: Command = Command {
    subcommands: &[
        Command::new("slowlog|len", |_| Ok(Frame::Integer(0))),
        Command::new("slowlog|get", get),
        Command::new("slowlog|reset", |_| Ok(Frame::OK)),
    ],
    // Never run: the word behind it is one of the above, or refused.
    ..Command::new("slowlog", |_| Err(Refusal::SYNTAX))
};

/// `LATENCY LATEST | RESET`: the same of events that took long.
pub(super) const LATENCY: Command = Command {
    subcommands: &[
        Command::new("latency|latest", |_| Ok(Frame::Array(vec![]))),
        Command::new("latency|reset", |_| Ok(Frame::Integer(0))),
    ],
    ..Command::new("latency", |_| Err(Refusal::SYNTAX))
};

fn get(call: &mut Call<'_>) -> Reply {
    match call.after(2) {
        [] => {}
        [count] if parse_integer(count).is_some_and(|count| (-1..=i64::from(i32::MAX)).contains(&count)) => {}
        [_] => return Err(Refusal::says("ERR count should be greater than or equal to -1")),
        _ => {
            let before = "ERR unknown subcommand or wrong number of arguments for '";
            return Err(Refusal::repeating(before, call.word(1), "'. Try SLOWLOG HELP."));
        }
    }
    Ok(Frame::Array(vec![]))
}
