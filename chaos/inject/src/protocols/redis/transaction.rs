//! A transaction: what the commands between `MULTI` and `EXEC` mean for the latter.

use super::{planned::Planned, spec};
use chaos_redis::{
    codec::RequestScanner,
    table::{Flag, Spec},
};

/// Commands that are not queued, but run at once.
const AT_ONCE: [&str; 6] = ["discard", "exec", "multi", "quit", "reset", "watch"];

/// A transaction that is open.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// Its number on its connection.
    pub(super) number: u64,
    /// Something that was to be queued was refused by a fault: `EXEC` will be too. The server knows nothing of it.
    pub(super) is_aborted: bool,
    /// Properties of what is queued.
    pub(super) queued: Queued,
    /// The plans for what is queued: the results come with the reply to `EXEC`.
    pub(super) planned: Planned,
    /// The database that a queued `SELECT` names.
    pub(super) database: Option<Vec<u8>>,
    /// The replies that come, and their protocol, depend on what is queued.
    pub(super) is_unclear: bool,
}

/// Properties of queued commands, by which a server refuses `EXEC`: what any of them is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) writes: bool,
    pub(super) needs_memory: bool,
    pub(super) needs_data: bool,
    pub(super) needs_master: bool,
    pub(super) has_keys: bool,
}

impl Transaction {
    pub(super) fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Tells whether a command is queued within a transaction.
    pub(super) fn queues(spec: &Spec) -> bool {
        !AT_ONCE.contains(&spec.name)
    }

    /// Tells whether `EXEC` is not to pass as it is.
    pub(super) fn holds(&self) -> bool {
        self.is_aborted || !self.planned.is_clear()
    }

    /// A command is queued by the server.
    pub(super) fn queue(&mut self, spec: &'static Spec, command: &RequestScanner) {
        let queued = &mut self.queued;
        queued.writes |= spec.has(Flag::Write);
        queued.needs_memory |= spec.has(Flag::DenyOom);
        queued.needs_data |= !spec.has(Flag::Loading);
        queued.needs_master |= !spec.has(Flag::Stale);
        queued.has_keys |= has_keys(spec, command);
        match spec.name {
            "select" => self.database = command.argument(1).map(<[u8]>::to_vec),
            // They change the protocol or the replies when their turn comes, or have several.
            "client|reply" | "hello" => self.is_unclear = true,
            _ => self.is_unclear |= spec.has(Flag::PubSub) && spec.name.ends_with("subscribe"),
        }
    }
}

/// Tells whether a command has keys, or channels that are a part of the key space.
pub(super) fn has_keys(spec: &Spec, command: &RequestScanner) -> bool {
    const OF_SHARDS: [&str; 3] = ["spublish", "ssubscribe", "sunsubscribe"];
    !spec::keys(command).is_empty() || (OF_SHARDS.contains(&spec.name) && command.announced() > 1)
}
