//! The commands, one a file, and the table that finds them. A command is a synchronous function from a [`Call`] to a
//! reply; what is common to all (arity, authentication, room in memory) is checked here, in the order of Redis.

mod auth;
mod client;
mod command;
mod config;
mod dbsize;
mod del;
mod echo;
mod exists;
mod expire;
mod flush;
mod get;
mod hello;
mod info;
mod mget;
mod ping;
mod quit;
mod refusal;
mod select;
mod set;
mod setex;
mod ttl;

use crate::{
    codec::Frame,
    server::{Client, State},
};
use bytes::Bytes;
use refusal::Refusal;

/// One request on its way through a command.
pub(crate) struct Call<'a> {
    /// The command's name and its arguments; never empty.
    pub(crate) arguments: &'a [Bytes],
    pub(crate) client: &'a mut Client,
    pub(crate) state: &'a mut State,
    /// Milliseconds since the Unix epoch; the same for all requests of a batch.
    pub(crate) now_ms: i64,
}

impl<'a> Call<'a> {
    /// What follows the first `skip` words. The arity makes sure of those.
    fn after(&self, skip: usize) -> &'a [Bytes] {
        self.arguments.get(skip..).unwrap_or_default()
    }

    /// The word at `place`, 0 being the command.
    fn word(&self, place: usize) -> &'a [u8] {
        self.arguments.get(place).map(AsRef::as_ref).unwrap_or_default()
    }
}

type Reply = Result<Frame, Refusal>;

struct Command {
    /// In lower case; a subcommand's name is behind a bar (`client|id`).
    name: &'static str,
    /// As `COMMAND` gives it: words, the command's own included; negative where there may be more.
    arity: i32,
    access: Access,
    run: fn(&mut Call<'_>) -> Reply,
    /// Where there are any, the word behind the command must be one of them.
    subcommands: &'static [Command],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Also for clients that have not authenticated.
    Anyone,
    Authenticated,
    /// Authenticated, and refused while its words wouldn't fit into memory.
    Grows,
}

impl Command {
    const fn new(name: &'static str, arity: i32, run: fn(&mut Call<'_>) -> Reply) -> Self {
        Self { name, arity, access: Access::Authenticated, run, subcommands: &[] }
    }

    /// The name of a subcommand without its command's.
    fn own_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, name)| name)
    }

    fn takes(&self, words: usize) -> bool {
        let bound = usize::try_from(self.arity.unsigned_abs()).unwrap_or(usize::MAX);
        if self.arity < 0 { words >= bound } else { words == bound }
    }
}

/// The most used come first: they are looked for one by one.
const TABLE: &[&Command] = &[
    &get::GET,
    &set::SET,
    &mget::MGET,
    &setex::SETEX,
    &setex::PSETEX,
    &del::DEL,
    &exists::EXISTS,
    &expire::PEXPIRE,
    &expire::EXPIRE,
    &ttl::PTTL,
    &ttl::TTL,
    &ping::PING,
    &echo::ECHO,
    &select::SELECT,
    &client::CLIENT,
    &hello::HELLO,
    &auth::AUTH,
    &info::INFO,
    &dbsize::DBSIZE,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &config::CONFIG,
    &command::COMMAND,
    &quit::QUIT,
];

/// Runs a command. What it refuses is its reply too.
pub(crate) fn execute(mut call: Call<'_>) -> Frame {
    let reply = find(call.arguments).and_then(|command| {
        check(command, &mut call)?;
        call.state.stats.commands += 1;
        call.client.last_command = command.name;
        (command.run)(&mut call)
    });
    reply.unwrap_or_else(|refusal| {
        call.state.stats.error_replies += 1;
        refusal.into_frame()
    })
}

fn find(arguments: &[Bytes]) -> Result<&'static Command, Refusal> {
    let [name, rest @ ..] = arguments else { return Err(Refusal::unknown_command(b"", &[])) };
    let command = TABLE.iter().find(|command| name.eq_ignore_ascii_case(command.name.as_bytes()));
    let Some(command) = command else { return Err(Refusal::unknown_command(name, rest)) };
    match rest.first() {
        Some(sub) if !command.subcommands.is_empty() => {
            let found = command.subcommands.iter().find(|own| sub.eq_ignore_ascii_case(own.own_name().as_bytes()));
            found.ok_or_else(|| Refusal::unknown_subcommand(command.name, sub))
        }
        _ => Ok(command),
    }
}

fn check(command: &Command, call: &mut Call<'_>) -> Result<(), Refusal> {
    if !command.takes(call.arguments.len()) {
        return Err(Refusal::wrong_arity(command.name));
    }
    if command.access != Access::Anyone && !call.client.authenticated {
        return Err(Refusal::NOT_AUTHENTICATED);
    }
    if command.access == Access::Grows {
        let bytes = call.after(1).iter().map(Bytes::len).sum();
        if !call.state.store.has_room(bytes) {
            return Err(Refusal::OUT_OF_MEMORY);
        }
    }
    Ok(())
}
