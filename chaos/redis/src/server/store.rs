//! Keys, values and deadlines. It is told the time, and knows no connections.

use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::Notify;

/// As many as Redis has by default.
pub(crate) const DATABASES: u8 = 16;

/// What a key costs beside the bytes of key and value: its places in the ordered maps and their allocations, rounded up.
const OVERHEAD_BYTES: usize = 128;

/// All databases. Deadlines are in milliseconds since the Unix epoch; a key is gone once its deadline has passed, as in
/// Redis one millisecond after it was reached.
pub(crate) struct Store {
    databases: BTreeMap<u8, Database>,
    /// Every deadline, soonest first.
    deadlines: BTreeSet<(i64, u8, Bytes)>,
    used_bytes: u64,
    max_bytes: u64,
    /// Told when the first deadline comes in.
    expiring: Arc<Notify>,
    pub(crate) expired: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

#[derive(Default)]
struct Database {
    entries: BTreeMap<Bytes, Entry>,
    expiring: usize,
}

struct Entry {
    value: Bytes,
    deadline_ms: Option<i64>,
}

impl Store {
    /// An empty store of at most `max_bytes` (0 is no limit), and what tells that a deadline has come into it.
    pub(super) fn new(max_bytes: u64) -> (Self, Arc<Notify>) {
        let expiring = Arc::new(Notify::new());
        let store = Self {
            databases: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            used_bytes: 0,
            max_bytes,
            expiring: Arc::clone(&expiring),
            expired: 0,
            hits: 0,
            misses: 0,
        };
        (store, expiring)
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes
    }

    pub(crate) fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Keys that are beyond a new limit stay; only writes are refused.
    pub(crate) fn set_max_bytes(&mut self, max_bytes: u64) {
        self.max_bytes = max_bytes;
    }

    /// Whether a key and value of `bytes` together could still be stored, beside what is there.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.max_bytes == 0 || self.used_bytes.saturating_add(cost(bytes)) <= self.max_bytes
    }

    /// The value of a key, counted as a hit or a miss.
    pub(crate) fn get(&mut self, database: u8, key: &[u8], now_ms: i64) -> Option<Bytes> {
        let value = self.live(database, key, now_ms).map(|entry| entry.value.clone());
        match value {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        value
    }

    /// The deadline of a key: `None` where there is no such key, `Some(None)` where it has none.
    pub(crate) fn deadline_ms(&mut self, database: u8, key: &[u8], now_ms: i64) -> Option<Option<i64>> {
        self.live(database, key, now_ms).map(|entry| entry.deadline_ms)
    }

    /// Stores a copy: what a request shares with others in its buffer must not be kept alive by one small value.
    pub(crate) fn set(&mut self, database: u8, key: &[u8], value: &[u8], deadline_ms: Option<i64>) {
        self.take(database, key);
        let value = Bytes::copy_from_slice(value);
        self.put(database, Bytes::copy_from_slice(key), Entry { value, deadline_ms });
    }

    /// Sets the deadline of a key that is there.
    pub(crate) fn set_deadline(&mut self, database: u8, key: &[u8], deadline_ms: i64) {
        if let Some((key, entry)) = self.take(database, key) {
            self.put(database, key, Entry { deadline_ms: Some(deadline_ms), ..entry });
        }
    }

    /// Removes a key; whether it was there.
    pub(crate) fn remove(&mut self, database: u8, key: &[u8], now_ms: i64) -> bool {
        self.live(database, key, now_ms).is_some() && self.take(database, key).is_some()
    }

    /// Removes everything from one database.
    pub(crate) fn flush(&mut self, database: u8) {
        let Some(flushed) = self.databases.remove(&database) else { return };
        for (key, entry) in flushed.entries {
            self.used_bytes -= cost(key.len() + entry.value.len());
            if let Some(deadline_ms) = entry.deadline_ms {
                self.deadlines.remove(&(deadline_ms, database, key));
            }
        }
    }

    /// Removes everything.
    pub(crate) fn flush_all(&mut self) {
        self.databases.clear();
        self.deadlines.clear();
        self.used_bytes = 0;
    }

    /// Keys in a database, those whose deadline has passed included until they are removed, as in Redis.
    pub(crate) fn len(&self, database: u8) -> usize {
        self.databases.get(&database).map_or(0, |database| database.entries.len())
    }

    /// Databases that have keys: number, keys, and keys with a deadline.
    pub(crate) fn keyspace(&self) -> impl Iterator<Item = (u8, usize, usize)> {
        let filled = self.databases.iter().filter(|(_, database)| !database.entries.is_empty());
        filled.map(|(number, database)| (*number, database.entries.len(), database.expiring))
    }

    pub(super) fn next_deadline_ms(&self) -> Option<i64> {
        self.deadlines.first().map(|(deadline_ms, ..)| *deadline_ms)
    }

    /// Removes at most `most` keys whose deadline has passed; how many there were.
    pub(super) fn sweep(&mut self, now_ms: i64, most: usize) -> usize {
        let due = |store: &Self| store.deadlines.first().filter(|(at, ..)| *at < now_ms).cloned();
        let mut swept = 0;
        while swept < most
            && let Some((_, database, key)) = due(self)
        {
            self.take(database, &key);
            self.expired += 1;
            swept += 1;
        }
        swept
    }

    /// The entry of a key, unless its deadline has passed: then it is removed.
    fn live(&mut self, database: u8, key: &[u8], now_ms: i64) -> Option<&Entry> {
        let deadline_ms = self.databases.get(&database)?.entries.get(key)?.deadline_ms;
        if deadline_ms.is_some_and(|deadline_ms| deadline_ms < now_ms) {
            self.take(database, key);
            self.expired += 1;
            return None;
        }
        self.databases.get(&database)?.entries.get(key)
    }

    /// With [`Store::take`], the only place that changes entries one by one, and with them what is counted.
    fn put(&mut self, number: u8, key: Bytes, entry: Entry) {
        let database = self.databases.entry(number).or_default();
        self.used_bytes += cost(key.len() + entry.value.len());
        if let Some(deadline_ms) = entry.deadline_ms {
            database.expiring += 1;
            if self.deadlines.is_empty() {
                self.expiring.notify_one();
            }
            self.deadlines.insert((deadline_ms, number, key.clone()));
        }
        database.entries.insert(key, entry);
    }

    fn take(&mut self, number: u8, key: &[u8]) -> Option<(Bytes, Entry)> {
        let database = self.databases.get_mut(&number)?;
        let (key, entry) = database.entries.remove_entry(key)?;
        self.used_bytes -= cost(key.len() + entry.value.len());
        if let Some(deadline_ms) = entry.deadline_ms {
            database.expiring -= 1;
            self.deadlines.remove(&(deadline_ms, number, key.clone()));
        }
        Some((key, entry))
    }
}

fn cost(bytes: usize) -> u64 {
    bytes.saturating_add(OVERHEAD_BYTES) as u64
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
