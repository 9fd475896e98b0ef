//! The table of commands.

use super::{
    Call, Refusal, Reply, acl, auth, client, command, config, dbsize, del, echo, exists, expire, expiry_time, flush,
    get, getdel, getex, getset, hello, info, keys, kind, mget, mset, ping, quit, randomkey, reset, scan, select, set,
    setex, setnx, slowlog, time, touch, transaction, ttl, watch,
};
use bytes::Bytes;

pub(crate) struct Command {
    /// In lower case; a subcommand's name is behind a bar (`client|id`).
    pub(super) name: &'static str,
    /// Arity, as `COMMAND` gives it: words, the command's own included; negative where there may be more.
    pub(super) arity: i32,
    pub(super) access: Access,
    pub(super) keys: Keys,
    /// Treatment of the command within a transaction.
    pub(super) in_transaction: InTransaction,
    pub(super) run: fn(&mut Call<'_>) -> Reply,
    /// Subcommands. Where there are any, the word behind the command must be one of them.
    pub(super) subcommands: &'static [Command],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Also for clients that have not authenticated, and whatever a user may run.
    Anyone,
    Authenticated,
    /// Authenticated, and refused while its words wouldn't fit into memory.
    Grows,
}

/// Places of keys among a command's words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    None,
    First,
    All,
    EverySecond,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum InTransaction {
    Waits,
    /// Runs at once.
    Runs,
    /// Runs at once, and needs no room.
    Ends,
    /// Runs all that wait.
    Executes,
}

impl Command {
    pub(super) const fn new(name: &'static str, arity: i32, run: fn(&mut Call<'_>) -> Reply) -> Self {
        let (access, keys, in_transaction) = (Access::Authenticated, Keys::None, InTransaction::Waits);
        Self { name, arity, access, keys, in_transaction, run, subcommands: &[] }
    }

    /// A command that reads its first word's key, or changes what takes no memory.
    pub(super) const fn of_key(name: &'static str, arity: i32, run: fn(&mut Call<'_>) -> Reply) -> Self {
        Self { keys: Keys::First, ..Self::new(name, arity, run) }
    }

    /// One that stores something at its first word's key.
    pub(super) const fn stores(name: &'static str, arity: i32, run: fn(&mut Call<'_>) -> Reply) -> Self {
        Self { access: Access::Grows, ..Self::of_key(name, arity, run) }
    }

    /// The name of a subcommand without its command's.
    pub(super) fn own_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, name)| name)
    }

    pub(super) fn takes(&self, words: usize) -> bool {
        let bound = usize::try_from(self.arity.unsigned_abs()).unwrap_or(usize::MAX);
        if self.arity < 0 { words >= bound } else { words == bound }
    }

    /// The keys among the words of a call.
    pub(super) fn keys<'a>(&self, arguments: &'a [Bytes]) -> impl Iterator<Item = &'a Bytes> {
        let (most, step) = match self.keys {
            Keys::None => (0, 1),
            Keys::First => (1, 1),
            Keys::All => (usize::MAX, 1),
            Keys::EverySecond => (usize::MAX, 2),
        };
        arguments.iter().skip(1).step_by(step).take(most)
    }
}

/// The most used come first: they are looked for one by one.
pub(super) const TABLE: &[&Command] = &[
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
    &transaction::MULTI,
    &transaction::EXEC,
    &transaction::DISCARD,
    &watch::WATCH,
    &watch::UNWATCH,
    &del::UNLINK,
    &setnx::SETNX,
    &getset::GETSET,
    &getex::GETEX,
    &getdel::GETDEL,
    &mset::MSET,
    &expire::EXPIREAT,
    &expire::PEXPIREAT,
    &expire::PERSIST,
    &expiry_time::EXPIRETIME,
    &expiry_time::PEXPIRETIME,
    &kind::TYPE,
    &touch::TOUCH,
    &scan::SCAN,
    &keys::KEYS,
    &randomkey::RANDOMKEY,
    &echo::ECHO,
    &select::SELECT,
    &client::CLIENT,
    &hello::HELLO,
    &auth::AUTH,
    &acl::ACL,
    &reset::RESET,
    &info::INFO,
    &dbsize::DBSIZE,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &config::CONFIG,
    &command::COMMAND,
    &time::TIME,
    &slowlog::SLOWLOG,
    &slowlog::LATENCY,
    &quit::QUIT,
];

/// Tells whether a command has this name, or a subcommand has it behind a bar.
pub(crate) fn is_command(name: &str) -> bool {
    let is_it = |command: &Command| command.name.eq_ignore_ascii_case(name);
    TABLE.iter().any(|command| is_it(command) || command.subcommands.iter().any(is_it))
}

pub(super) fn find(arguments: &[Bytes]) -> Result<&'static Command, Refusal> {
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
