//! Eviction: the keys that go when the memory is full.

use super::Store;
use rand::RngExt as _;
use std::{fmt, str::FromStr};

/// Keys that are compared to find the one that is used least (Redis keeps the best 16 of its samples).
const SAMPLES: u32 = 16;

/// Policy of eviction: the keys that make room for others (`maxmemory-policy`). Redis finds by samples what has not
/// been used for longest; here it is found exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Evicts, of the keys with a deadline, that which has not been used for longest.
    VolatileLru,
    /// Evicts, of the keys with a deadline, one that is used little.
    VolatileLfu,
    /// Any key with a deadline.
    VolatileRandom,
    /// The key whose deadline is soonest.
    VolatileTtl,
    /// The key that has not been used for longest.
    AllkeysLru,
    /// A key that is used little.
    AllkeysLfu,
    /// Any key.
    AllkeysRandom,
    /// None: what takes more memory is refused with `OOM`.
    #[default]
    Noeviction,
}

impl Policy {
    /// All, in the order in which Redis names them.
    pub(crate) const ALL: [(&'static str, Self); 8] = [
        ("volatile-lru", Self::VolatileLru),
        ("volatile-lfu", Self::VolatileLfu),
        ("volatile-random", Self::VolatileRandom),
        ("volatile-ttl", Self::VolatileTtl),
        ("allkeys-lru", Self::AllkeysLru),
        ("allkeys-lfu", Self::AllkeysLfu),
        ("allkeys-random", Self::AllkeysRandom),
        ("noeviction", Self::Noeviction),
    ];

    fn counts_uses(self) -> bool {
        matches!(self, Self::VolatileLfu | Self::AllkeysLfu)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, _) = Self::ALL.iter().find(|(_, policy)| policy == self).unwrap_or(&Self::ALL[7]);
        f.write_str(name)
    }
}

/// The text is no policy of Redis.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such policy")]
pub struct NoSuchPolicy;

impl FromStr for Policy {
    type Err = NoSuchPolicy;

    fn from_str(name: &str) -> Result<Self, NoSuchPolicy> {
        let found = Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, policy)| *policy).ok_or(NoSuchPolicy)
    }
}

impl Store {
    /// Makes room for a key and value of `bytes` together, by the policy. Tells whether they can be stored. What
    /// could never fit evicts nothing.
    pub(crate) fn make_room(&mut self, bytes: usize, now_ms: i64) -> bool {
        if self.has_room(bytes) {
            return true;
        }
        if super::cost(bytes) > self.max_bytes {
            return false;
        }
        self.sweep(now_ms, usize::MAX);
        while !self.has_room(bytes) {
            let Some(slot) = self.victim(now_ms) else { return false };
            self.take(slot);
            self.evicted += 1;
        }
        true
    }

    /// Sets a new limit, and evicts what is beyond it, as far as the policy lets it.
    pub(crate) fn set_max_bytes(&mut self, max_bytes: u64, now_ms: i64) {
        self.max_bytes = max_bytes;
        while max_bytes > 0
            && self.used_bytes > max_bytes
            && let Some(slot) = self.victim(now_ms)
        {
            self.take(slot);
            self.evicted += 1;
        }
    }

    /// Counts a use, where the policy wants to know.
    pub(super) fn count_use(&mut self, slot: u32, now_ms: i64) {
        if self.policy.counts_uses()
            && let Some(entry) = self.entries.get_mut(slot)
        {
            entry.frequency.count_use(now_ms, &mut self.random);
        }
    }

    fn victim(&mut self, now_ms: i64) -> Option<u32> {
        match self.policy {
            Policy::Noeviction => None,
            Policy::AllkeysLru => self.entries.oldest(false),
            Policy::VolatileLru => self.entries.oldest(true),
            Policy::VolatileTtl => self.deadlines.first().map(|(_, slot)| *slot),
            Policy::AllkeysRandom => self.any(false),
            Policy::VolatileRandom => self.any(true),
            Policy::AllkeysLfu => self.used_little(false, now_ms),
            Policy::VolatileLfu => self.used_little(true, now_ms),
        }
    }

    /// An entry by chance; those behind free slots come up more often, as in Redis those in long chains come up less.
    fn any(&mut self, only_with_deadline: bool) -> Option<u32> {
        let start = self.random.random_range(0..self.entries.slots().max(1));
        self.entries.next_from(start, |entry| !only_with_deadline || entry.deadline_ms.is_some())
    }

    fn used_little(&mut self, only_with_deadline: bool, now_ms: i64) -> Option<u32> {
        let samples = (0..SAMPLES).filter_map(|_| self.any(only_with_deadline)).collect::<Vec<_>>();
        let count = |slot: u32| self.entries.get(slot).map_or(0, |entry| entry.frequency.count(now_ms));
        samples.into_iter().min_by_key(|slot| (count(*slot), self.entries.used(*slot)))
    }
}

#[cfg(test)]
#[path = "eviction_tests.rs"]
mod tests;
