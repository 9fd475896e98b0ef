//! Keys, values and deadlines. It is told the time, and knows no connections.

mod entries;
mod eviction;
mod frequency;
mod walk;
mod watched;

pub(crate) use entries::Entry;
pub use eviction::{NoSuchPolicy, Policy};

use bytes::Bytes;
use entries::Entries;
use host::Random;
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Notify;
use watched::Watched;

/// Databases that Redis has by default.
pub(crate) const DATABASES: u8 = 16;

/// Cost of a key beside the bytes of key and value: its slot, its places in the indices and its allocations, rounded
/// up.
const OVERHEAD_BYTES: usize = 128;

/// All databases. Deadlines are in milliseconds since the Unix epoch; a key is gone once its deadline has passed, as in
/// Redis one millisecond after it was reached.
pub(crate) struct Store {
    entries: Entries,
    databases: [Size; DATABASES as usize],
    /// Every deadline with its slot, soonest first.
    deadlines: BTreeSet<(i64, u32)>,
    watched: Watched,
    used_bytes: u64,
    peak_bytes: u64,
    max_bytes: u64,
    policy: Policy,
    random: Random,
    expiring: Arc<Notify>,
    /// Whoever waits for `expiring` wakes by itself at this time.
    wakes_ms: i64,
    pub(crate) expired: u64,
    pub(crate) evicted: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

/// Size of one database.
#[derive(Clone, Copy, Default)]
struct Size {
    keys: usize,
    expiring: usize,
}

/// Purpose of looking at a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// To read it: counted as a hit or a miss, and as a use.
    Read,
    /// To know of it: counted as a hit or a miss.
    Peek,
    /// To change it: counted as a use.
    Change,
}

impl Store {
    /// An empty store of at most `max_bytes` (0 is no limit), and what tells that a deadline has come into it which is
    /// sooner than was said by [`Store::wakes_at`].
    pub(super) fn new(max_bytes: u64, policy: Policy, random: Random) -> (Self, Arc<Notify>) {
        let expiring = Arc::new(Notify::new());
        let store = Self {
            entries: Entries::default(),
            databases: [Size::default(); DATABASES as usize],
            deadlines: BTreeSet::new(),
            watched: Watched::default(),
            used_bytes: 0,
            peak_bytes: 0,
            max_bytes,
            policy,
            random,
            expiring: Arc::clone(&expiring),
            wakes_ms: i64::MAX,
            expired: 0,
            evicted: 0,
            hits: 0,
            misses: 0,
        };
        (store, expiring)
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes
    }

    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// The used bytes that are not keys and values themselves.
    pub(crate) fn overhead_bytes(&self) -> u64 {
        (self.databases.iter().map(|size| size.keys).sum::<usize>() * OVERHEAD_BYTES) as u64
    }

    pub(crate) fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    pub(crate) fn reset_statistics(&mut self) {
        (self.hits, self.misses, self.expired, self.evicted) = (0, 0, 0, 0);
    }

    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Tells whether a key and value of `bytes` together could be stored as it is.
    fn has_room(&self, bytes: usize) -> bool {
        self.max_bytes == 0 || self.used_bytes.saturating_add(cost(bytes)) <= self.max_bytes
    }

    /// The entry of a key, unless its deadline has passed: then it is removed.
    pub(crate) fn look(&mut self, database: u8, key: &[u8], now_ms: i64, look: Look) -> Option<&Entry> {
        let slot = self.live(database, key, now_ms);
        match slot {
            _ if look == Look::Change => {}
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        let slot = slot?;
        if look != Look::Peek {
            self.entries.touch(slot);
            self.count_use(slot, now_ms);
        }
        self.entries.get(slot)
    }

    /// The value of a key that is read.
    pub(crate) fn get(&mut self, database: u8, key: &[u8], now_ms: i64) -> Option<Bytes> {
        self.look(database, key, now_ms, Look::Read).map(|entry| entry.value.clone())
    }

    /// Stores a copy: what a request shares with others in its buffer must not be kept alive by one small value.
    pub(crate) fn set(&mut self, database: u8, key: &[u8], value: &[u8], deadline_ms: Option<i64>) {
        let value = Bytes::copy_from_slice(value);
        let slot = match self.entries.find(database, key) {
            Some(slot) => {
                self.uncount(slot);
                if let Some(entry) = self.entries.get_mut(slot) {
                    entry.value = value;
                }
                self.entries.set_deadline(slot, deadline_ms);
                slot
            }
            None => self.entries.insert(database, key, value, deadline_ms),
        };
        self.count(slot);
        self.watched.touch(database, key);
    }

    /// The deadline of a key that is there, as it is.
    pub(crate) fn deadline_of(&self, database: u8, key: &[u8]) -> Option<i64> {
        self.entries.get(self.entries.find(database, key)?)?.deadline_ms
    }

    /// Sets or takes away the deadline of a key that is there.
    pub(crate) fn set_deadline(&mut self, database: u8, key: &[u8], deadline_ms: Option<i64>) {
        if let Some(slot) = self.entries.find(database, key) {
            self.uncount(slot);
            self.entries.set_deadline(slot, deadline_ms);
            self.count(slot);
            self.watched.touch(database, key);
        }
    }

    /// Removes a key; whether it was there.
    pub(crate) fn remove(&mut self, database: u8, key: &[u8], now_ms: i64) -> bool {
        self.live(database, key, now_ms).is_some_and(|slot| self.take(slot))
    }

    /// Removes everything from one database.
    pub(crate) fn flush(&mut self, database: u8) {
        for slot in 0..self.entries.slots() {
            if self.entries.get(slot).is_some_and(|entry| entry.database == database) {
                self.take(slot);
            }
        }
    }

    /// Removes everything.
    pub(crate) fn flush_all(&mut self) {
        for slot in 0..self.entries.slots() {
            self.take(slot);
        }
    }

    /// Keys in a database, those whose deadline has passed included until they are removed, as in Redis.
    pub(crate) fn len(&self, database: u8) -> usize {
        self.databases.get(usize::from(database)).map_or(0, |size| size.keys)
    }

    /// Databases that have keys: number, keys, and keys with a deadline.
    pub(crate) fn keyspace(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let filled = self.databases.iter().enumerate().filter(|(_, size)| size.keys > 0);
        filled.map(|(number, size)| (number, size.keys, size.expiring))
    }

    pub(super) fn next_deadline_ms(&self) -> Option<i64> {
        self.deadlines.first().map(|(deadline_ms, _)| *deadline_ms)
    }

    /// Says when the sweep looks again by itself: sooner deadlines wake it.
    pub(super) fn wakes_at(&mut self, ms: i64) {
        self.wakes_ms = ms;
    }

    /// Removes at most `most` keys whose deadline has passed; how many there were.
    pub(super) fn sweep(&mut self, now_ms: i64, most: usize) -> usize {
        let mut swept = 0;
        while swept < most
            && let Some((_, slot)) = self.deadlines.first().copied().filter(|(at, _)| *at < now_ms)
        {
            self.take(slot);
            self.expired += 1;
            swept += 1;
        }
        swept
    }

    fn live(&mut self, database: u8, key: &[u8], now_ms: i64) -> Option<u32> {
        let slot = self.entries.find(database, key)?;
        if self.entries.get(slot)?.deadline_ms.is_some_and(|deadline_ms| deadline_ms < now_ms) {
            self.take(slot);
            self.expired += 1;
            return None;
        }
        Some(slot)
    }

    fn take(&mut self, slot: u32) -> bool {
        self.uncount(slot);
        let Some(entry) = self.entries.remove(slot) else { return false };
        self.watched.touch(entry.database, &entry.key);
        true
    }

    /// With [`Store::uncount`], the only place that changes what is counted.
    fn count(&mut self, slot: u32) {
        let Some(entry) = self.entries.get(slot) else { return };
        self.used_bytes += cost(entry.bytes());
        self.peak_bytes = self.peak_bytes.max(self.used_bytes);
        let size = &mut self.databases[usize::from(entry.database)];
        size.keys += 1;
        if let Some(deadline_ms) = entry.deadline_ms {
            size.expiring += 1;
            self.deadlines.insert((deadline_ms, slot));
            if deadline_ms < self.wakes_ms {
                self.wakes_ms = deadline_ms;
                self.expiring.notify_one();
            }
        }
    }

    fn uncount(&mut self, slot: u32) {
        let Some(entry) = self.entries.get(slot) else { return };
        self.used_bytes -= cost(entry.bytes());
        let size = &mut self.databases[usize::from(entry.database)];
        size.keys -= 1;
        if let Some(deadline_ms) = entry.deadline_ms {
            size.expiring -= 1;
            self.deadlines.remove(&(deadline_ms, slot));
        }
    }
}

fn cost(bytes: usize) -> u64 {
    bytes.saturating_add(OVERHEAD_BYTES) as u64
}

#[cfg(test)]
mod tests;
