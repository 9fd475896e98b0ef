//! The session: what commands do to the connection that they come on, as far as it says which replies there will be.

use chaos_redis::codec::RequestScanner;

/// The state of a connection, by the commands that went to the server.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The number of the transaction that is open.
    transaction: Option<u64>,
    transactions: u64,
    muted: Muted,
    /// Database that `SELECT` named last.
    database: Vec<u8>,
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

/// The replies that a command awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaits {
    /// One reply.
    Reply,
    /// One reply, which says what version of the protocol it is in.
    Hello,
    /// One reply, which ends what was agreed on.
    Reset,
    /// One reply, which says whether this transaction is open.
    Multi(u64),
    /// So many pushes with this name, or an error.
    Confirmations(&'static str, u64),
    /// Nothing.
    Nothing,
    /// Whatever it likes: replies can't be told apart any more.
    Anything,
}

const SUBSCRIPTIONS: [&str; 6] =
    ["subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"];

const STREAMS: [&str; 3] = ["MONITOR", "SYNC", "PSYNC"];

/// Commands that make or end a transaction, or are a part of it.
const TRANSACTIONS: [&str; 5] = ["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"];

impl Session {
    /// Tells whether faults may act on this command.
    pub(super) fn may_act(&self, name: &[u8]) -> bool {
        self.transaction.is_none() && self.muted == Muted::None && !one_of(&TRANSACTIONS, name)
    }

    /// The database that values belong to.
    pub(super) fn database(&self) -> &[u8] {
        &self.database
    }

    /// A command goes to the server. `confirms` where subscriptions are confirmed by pushes (RESP3).
    pub(super) fn sent(&mut self, command: &RequestScanner, confirms: bool) -> Awaits {
        let name = command.argument(0).unwrap_or_default();
        let is = |expected: &str| name.eq_ignore_ascii_case(expected.as_bytes());
        let muted = self.muted;
        if muted == Muted::Next {
            self.muted = Muted::None;
        }
        if is("CLIENT") && command.argument(1).is_some_and(|word| word.eq_ignore_ascii_case(b"reply")) {
            return self.reply(muted, command.argument(2).unwrap_or_default());
        }
        if one_of(&STREAMS, name) {
            return Awaits::Anything;
        }
        if let Some(word) = SUBSCRIPTIONS.iter().find(|word| is(word)) {
            let alone = self.transaction.is_none() && muted == Muted::None;
            let count = command.announced().saturating_sub(1).max(1);
            return if confirms && alone { Awaits::Confirmations(word, count) } else { Awaits::Anything };
        }
        let awaits = if is("MULTI") {
            self.multi()
        } else if is("EXEC") || is("DISCARD") {
            self.transaction = None;
            Awaits::Reply
        } else if is("HELLO") {
            Awaits::Hello
        } else if is("RESET") {
            *self = Self { transactions: self.transactions, ..Self::default() };
            Awaits::Reset
        } else {
            if is("SELECT") {
                self.database = command.argument(1).unwrap_or_default().to_vec();
            }
            Awaits::Reply
        };
        match awaits {
            awaits if muted == Muted::None => awaits,
            // Whether it changed the protocol can't be seen.
            Awaits::Hello | Awaits::Reset => Awaits::Anything,
            _ => Awaits::Nothing,
        }
    }

    /// The server refused to open this transaction.
    pub(super) fn refused(&mut self, transaction: u64) {
        if self.transaction == Some(transaction) {
            self.transaction = None;
        }
    }

    fn multi(&mut self) -> Awaits {
        // One within another is refused, and the other stays.
        if self.transaction.is_some() {
            return Awaits::Reply;
        }
        self.transactions += 1;
        self.transaction = Some(self.transactions);
        Awaits::Multi(self.transactions)
    }

    /// `CLIENT REPLY ON|OFF|SKIP`
    fn reply(&mut self, muted: Muted, word: &[u8]) -> Awaits {
        if self.transaction.is_some() {
            return Awaits::Anything;
        }
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

fn one_of(names: &[&str], name: &[u8]) -> bool {
    names.iter().any(|one| name.eq_ignore_ascii_case(one.as_bytes()))
}
