//! The commands that are built in, and the way to find one. Arity, flags and keys of each are in [`crate::table`].

use super::{
    Call, Refusal, Reply, acl, auth, client, command, config, dbsize, del, echo, exists, expire, expiry_time, flush,
    get, getdel, getex, getset, hello, info, keys, kind, mget, mset, ping, quit, randomkey, reset, scan, select, set,
    setex, setnx, slowlog, time, touch, transaction, ttl, watch,
};
use crate::table::Spec;
use bytes::Bytes;

pub(crate) struct Command {
    /// Arity, flags and keys.
    pub(super) spec: &'static Spec,
    /// Treatment of the command within a transaction.
    pub(super) in_transaction: InTransaction,
    pub(super) run: fn(&mut Call<'_>) -> Reply,
    /// Subcommands. Where there are any, the word behind the command must be one of them.
    pub(super) subcommands: &'static [Command],
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
    /// The command with this name, a subcommand's behind a bar (`client|id`).
    pub(super) const fn new(name: &'static str, run: fn(&mut Call<'_>) -> Reply) -> Self {
        Self { spec: Spec::of(name), in_transaction: InTransaction::Waits, run, subcommands: &[] }
    }

    pub(super) fn name(&self) -> &'static str {
        self.spec.name
    }

    /// The name of a subcommand without its command's.
    pub(super) fn own_name(&self) -> &'static str {
        self.name().split_once('|').map_or(self.name(), |(_, name)| name)
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
    let is_it = |command: &Command| command.name().eq_ignore_ascii_case(name);
    TABLE.iter().any(|command| is_it(command) || command.subcommands.iter().any(is_it))
}

pub(super) fn find(arguments: &[Bytes]) -> Result<&'static Command, Refusal> {
    let [name, rest @ ..] = arguments else { return Err(Refusal::unknown_command(b"", &[])) };
    let command = TABLE.iter().find(|command| name.eq_ignore_ascii_case(command.name().as_bytes()));
    let Some(command) = command else { return Err(Refusal::unknown_command(name, rest)) };
    match rest.first() {
        Some(sub) if !command.subcommands.is_empty() => {
            let found = command.subcommands.iter().find(|own| sub.eq_ignore_ascii_case(own.own_name().as_bytes()));
            found.ok_or_else(|| Refusal::unknown_subcommand(command.name(), sub))
        }
        _ => Ok(command),
    }
}
