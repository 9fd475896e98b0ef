//! The session: what commands do to the connection that they come on, as far as it says which replies there will be and
//! what a server refuses.

use super::{
    awaits::Awaits,
    planned::Planned,
    spec,
    transaction::{Queued, Transaction},
};
use crate::protocol::Injected;
use chaos_redis::{
    codec::RequestScanner,
    table::{Flag, Spec},
};

/// The state of a connection, by the commands that went to the server.
#[derive(Debug, Default)]
pub(super) struct Session {
    transaction: Option<Transaction>,
    /// Transactions so far.
    transactions: u64,
    muted: Muted,
    /// It was asked to show commands of others.
    monitors: bool,
    /// Database that `SELECT` named last.
    database: Vec<u8>,
    /// Injections into queued commands whose results never come.
    spared: Vec<Injected>,
}

/// Replies that the client doesn't want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Muted {
    #[default]
    None,
    /// The reply to the next command.
    Next,
    All,
}

impl Session {
    /// Tells whether the client has turned off the replies to commands.
    pub(super) fn is_muted(&self) -> bool {
        self.muted != Muted::None
    }

    /// The injections into queued commands whose results never came, since the last time.
    pub(super) fn spared(&mut self) -> Vec<Injected> {
        std::mem::take(&mut self.spared)
    }

    /// Tells whether a transaction is open.
    pub(super) fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Properties of the commands that are queued.
    pub(super) fn queued(&self) -> Option<Queued> {
        Some(self.transaction.as_ref()?.queued)
    }

    /// Tells whether the server would queue this command, and not run it.
    pub(super) fn queues(&self, spec: Option<&Spec>) -> bool {
        self.in_transaction() && spec.is_none_or(Transaction::queues)
    }

    /// Tells whether a command of the transaction was refused, so that `EXEC` is to be.
    pub(super) fn is_aborted(&self) -> bool {
        self.transaction.as_ref().is_some_and(|open| open.is_aborted)
    }

    /// Tells whether the commands of the transaction must be looked at until `EXEC`.
    pub(super) fn holds(&self) -> bool {
        self.transaction.as_ref().is_some_and(Transaction::holds)
    }

    /// The database that values belong to: of a command that is queued, by what is queued before it.
    pub(super) fn database(&self) -> &[u8] {
        self.transaction.as_ref().and_then(|open| open.database.as_deref()).unwrap_or(&self.database)
    }

    /// A command was refused, and the server does not know of it.
    pub(super) fn refused(&mut self) {
        if let Some(open) = &mut self.transaction {
            open.is_aborted = true;
        }
    }

    /// The server is made to forget the transaction in place of carrying it out; the plan for the reply, with what was
    /// planned for queued commands.
    pub(super) fn discarded(&mut self, planned: Box<Planned>) -> Box<Planned> {
        match self.transaction.take() {
            Some(open) => Box::new(open.planned.and(*planned)),
            None => planned,
        }
    }

    /// A command goes to the server. Gives what it awaits, and what is planned for the reply: for a queued command that is
    /// kept until `EXEC`.
    pub(super) fn sent(
        &mut self,
        command: &RequestScanner,
        planned: Option<Box<Planned>>,
    ) -> (Awaits, Option<Box<Planned>>) {
        let muted = self.muted;
        if muted == Muted::Next {
            self.muted = Muted::None;
        }
        let spec = spec::runnable(command);
        let is_muted = muted != Muted::None;
        if self.queues(spec) {
            let awaits = if is_muted { Awaits::Nothing } else { Awaits::Reply };
            return (awaits, self.queue(spec, command, planned));
        }
        // The server refuses it, and nothing changes.
        let Some(spec) = spec else { return (if is_muted { Awaits::Nothing } else { Awaits::Reply }, planned) };
        if spec.name == "client|reply" {
            return (self.reply(muted, command.argument(2).unwrap_or_default()), planned);
        }
        let (awaits, planned) = self.ran(spec, command, planned);
        let awaits = match awaits {
            awaits if !is_muted => awaits,
            // It ends that too.
            Awaits::Reset if muted == Muted::All => awaits,
            Awaits::Reply | Awaits::Multi(_) => Awaits::Nothing,
            // What it changed can't be seen, or what it shows comes all the same.
            _ => Awaits::Anything,
        };
        (awaits, planned)
    }

    /// The server refused to open this transaction.
    pub(super) fn not_begun(&mut self, transaction: u64) {
        if self.transaction.as_ref().is_some_and(|open| open.number == transaction) {
            self.give_up();
        }
    }

    /// The faults have changed: what those that `is_there` says no more of were to do to queued commands is left out.
    pub(super) fn forget(&mut self, is_there: &dyn Fn(&Injected) -> bool) {
        self.transaction.iter_mut().for_each(|open| open.planned.forget(is_there));
    }

    /// The transaction is no more, and was not carried out, as far as can be seen.
    pub(super) fn give_up(&mut self) {
        if let Some(open) = self.transaction.take() {
            self.spared.extend(open.planned.injections());
        }
    }

    fn queue(
        &mut self,
        spec: Option<&'static Spec>,
        command: &RequestScanner,
        planned: Option<Box<Planned>>,
    ) -> Option<Box<Planned>> {
        let open = self.transaction.as_mut()?;
        if let Some(spec) = spec.filter(|spec| !spec.has(Flag::NoMulti)) {
            open.queue(spec, command);
        }
        let Planned { attribution, delay, delayed, edit, edited, .. } =
            planned.map(|planned| *planned).unwrap_or_default();
        let is_told = attribution.subject.is_some();
        let (mut later, results) = (Planned { delay, delayed, ..Planned::default() }, &mut open.planned.results);
        match edit {
            Some(edit) if edit.is_of_value() => results.edit_next(edit, edited),
            edit => (later.edit, later.edited) = (edit, edited),
        }
        results.queued += 1;
        open.planned = std::mem::take(&mut open.planned).and(later);
        is_told.then(|| Box::new(Planned { attribution, ..Planned::default() }))
    }

    /// The server runs a command at once.
    fn ran(
        &mut self,
        spec: &'static Spec,
        command: &RequestScanner,
        planned: Option<Box<Planned>>,
    ) -> (Awaits, Option<Box<Planned>>) {
        let awaits = match spec.name {
            "multi" => self.multi(),
            "exec" => return self.execute(planned),
            "discard" => {
                self.give_up();
                Awaits::Reply
            }
            "reset" => {
                self.give_up();
                let spared = std::mem::take(&mut self.spared);
                *self = Self { transactions: self.transactions, spared, ..Self::default() };
                Awaits::Reset
            }
            "select" => {
                self.database = command.argument(1).unwrap_or_default().to_vec();
                Awaits::Reply
            }
            "hello" => Awaits::Hello,
            // The server says nothing to a second one.
            "monitor" if std::mem::replace(&mut self.monitors, true) => Awaits::Anything,
            "monitor" => Awaits::Monitor,
            "psync" | "sync" => Awaits::Anything,
            "psubscribe" | "punsubscribe" | "ssubscribe" | "subscribe" | "sunsubscribe" | "unsubscribe" => {
                let channels = command.announced().saturating_sub(1);
                Awaits::Confirmations(spec.name, Some(channels).filter(|channels| *channels > 0))
            }
            _ => Awaits::Reply,
        };
        (awaits, planned)
    }

    fn execute(&mut self, planned: Option<Box<Planned>>) -> (Awaits, Option<Box<Planned>>) {
        let Some(open) = self.transaction.take() else { return (Awaits::Reply, planned) };
        if let Some(database) = open.database {
            self.database = database;
        }
        let awaits = if open.is_unclear { Awaits::Anything } else { Awaits::Reply };
        let all = open.planned.and(planned.map(|planned| *planned).unwrap_or_default());
        (awaits, Some(all).filter(|all| !all.is_clear()).map(Box::new))
    }

    fn multi(&mut self) -> Awaits {
        // One within another is refused, and the other stays.
        if self.transaction.is_some() {
            return Awaits::Reply;
        }
        self.transactions += 1;
        self.transaction = Some(Transaction::new(self.transactions));
        Awaits::Multi(self.transactions)
    }

    /// `CLIENT REPLY ON|OFF|SKIP`
    fn reply(&mut self, muted: Muted, word: &[u8]) -> Awaits {
        if word.eq_ignore_ascii_case(b"on") {
            self.muted = Muted::None;
            return Awaits::Reply;
        }
        if word.eq_ignore_ascii_case(b"off") {
            self.muted = Muted::All;
        } else if word.eq_ignore_ascii_case(b"skip") {
            self.muted = if muted == Muted::All { Muted::All } else { Muted::Next };
        } else if muted == Muted::None {
            return Awaits::Reply;
        }
        Awaits::Nothing
    }
}
