//! Keys whose changes transactions want to know of (`WATCH`). Keys that nobody watches cost nothing.

use super::Store;
use bytes::Bytes;
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Watched {
    /// By database and key.
    keys: BTreeMap<u8, BTreeMap<Bytes, Key>>,
    changes: u64,
}

struct Key {
    watchers: usize,
    /// The number of the change that was its last.
    changed: u64,
}

impl Watched {
    /// Begins to watch a key; the number of its last change so far.
    pub(super) fn watch(&mut self, database: u8, key: &Bytes) -> u64 {
        let now = self.changes;
        let keys = self.keys.entry(database).or_default();
        let key = keys.entry(key.clone()).or_insert(Key { watchers: 0, changed: now });
        key.watchers += 1;
        key.changed
    }

    pub(super) fn unwatch(&mut self, database: u8, key: &[u8]) {
        let Some(keys) = self.keys.get_mut(&database) else { return };
        let Some(found) = keys.get_mut(key) else { return };
        found.watchers -= 1;
        if found.watchers == 0 {
            keys.remove(key);
        }
        if keys.is_empty() {
            self.keys.remove(&database);
        }
    }

    /// The number of a key's last change.
    pub(super) fn changed(&self, database: u8, key: &[u8]) -> Option<u64> {
        Some(self.keys.get(&database)?.get(key)?.changed)
    }

    /// Tells of a change.
    pub(super) fn touch(&mut self, database: u8, key: &[u8]) {
        if !self.keys.is_empty()
            && let Some(found) = self.keys.get_mut(&database).and_then(|keys| keys.get_mut(key))
        {
            self.changes += 1;
            found.changed = self.changes;
        }
    }
}

impl Store {
    /// Begins to watch a key; what [`Store::is_changed`] wants to be told.
    pub(crate) fn watch(&mut self, database: u8, key: &Bytes, now_ms: i64) -> u64 {
        // One whose deadline has passed is gone already: that it is removed is no change.
        self.live(database, key, now_ms);
        self.watched.watch(database, key)
    }

    pub(crate) fn unwatch(&mut self, database: u8, key: &[u8]) {
        self.watched.unwatch(database, key);
    }

    /// Tells whether a watched key has changed since, its deadline's passing included.
    pub(crate) fn is_changed(&mut self, database: u8, key: &[u8], since: u64, now_ms: i64) -> bool {
        self.live(database, key, now_ms);
        self.watched.changed(database, key) != Some(since)
    }
}
