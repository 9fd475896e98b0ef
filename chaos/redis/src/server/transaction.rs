//! Transactions: what a connection keeps between `MULTI` and `EXEC`, and the keys that it watches.

use super::Store;
use crate::commands::Command;
use bytes::Bytes;

/// A request that waits for `EXEC`.
pub(crate) struct Queued {
    pub(crate) command: &'static Command,
    pub(crate) arguments: Vec<Bytes>,
}

#[derive(Default)]
pub(crate) struct Transaction {
    open: Option<Open>,
    watched: Vec<Watch>,
}

/// A transaction that is open, with the commands that it has gathered so far.
#[derive(Default)]
pub(crate) struct Open {
    pub(crate) requests: Vec<Queued>,
    /// Bytes of all words that wait.
    pub(crate) bytes: usize,
    /// Something that was to be queued was refused: `EXEC` will be too.
    pub(crate) failed: bool,
}

struct Watch {
    database: u8,
    key: Bytes,
    /// Version that the store had of it then.
    since: u64,
}

impl Transaction {
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Requests that wait, in a transaction.
    pub(crate) fn queued(&self) -> Option<usize> {
        self.open.as_ref().map(|open| open.requests.len())
    }

    pub(crate) fn requests(&self) -> &[Queued] {
        self.open.as_ref().map_or(&[], |open| &open.requests)
    }

    /// Bytes of the words that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.bytes)
    }

    pub(crate) fn begin(&mut self) {
        self.open = Some(Open::default());
    }

    pub(crate) fn queue(&mut self, command: &'static Command, arguments: &[Bytes]) {
        if let Some(open) = &mut self.open {
            open.bytes += arguments.iter().map(Bytes::len).sum::<usize>();
            // A copy: what came in one buffer with it must not be kept alive until `EXEC`.
            let arguments = arguments.iter().map(|word| Bytes::copy_from_slice(word)).collect();
            open.requests.push(Queued { command, arguments });
        }
    }

    /// Something that was to be queued was refused.
    pub(crate) fn fail(&mut self) {
        if let Some(open) = &mut self.open {
            open.failed = true;
        }
    }

    /// Ends the transaction and gives what it gathered.
    pub(crate) fn end(&mut self) -> Option<Open> {
        self.open.take()
    }

    pub(crate) fn watch(&mut self, store: &mut Store, database: u8, key: &[u8], now_ms: i64) {
        if self.watched.iter().any(|watch| watch.database == database && watch.key == key) {
            return;
        }
        let key = Bytes::copy_from_slice(key);
        let since = store.watch(database, &key, now_ms);
        self.watched.push(Watch { database, key, since });
    }

    pub(crate) fn unwatch(&mut self, store: &mut Store) {
        for watch in self.watched.drain(..) {
            store.unwatch(watch.database, &watch.key);
        }
    }

    /// Tells whether any watched key has changed since it was.
    pub(crate) fn is_overtaken(&self, store: &mut Store, now_ms: i64) -> bool {
        self.watched.iter().any(|watch| store.is_changed(watch.database, &watch.key, watch.since, now_ms))
    }
}
