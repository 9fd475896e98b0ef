//! The tier in memory: bounded by weight, S3-FIFO by quick_cache. It knows no clock: entries carry their times.

use super::Entry;
use crate::user_id::UserId;
use quick_cache::{Options, OptionsBuilder, Weighter, sync::DefaultLifecycle};
use std::{
    hash::{BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

/// An entry's usual weight in bytes, to size the tables.
const USUAL_WEIGHT: usize = 4096;

/// Fixed, so that what is evicted doesn't depend on the machine's cores.
const SHARDS: usize = 4;

/// The hasher has no random keys: two runs evict alike.
pub(super) type Hasher = BuildHasherDefault<DefaultHasher>;

pub(super) struct MemoryTier {
    entries: quick_cache::sync::Cache<UserId, Arc<Entry>, ByBytes, Hasher>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<UserId, Arc<Entry>> for ByBytes {
    fn weight(&self, _: &UserId, entry: &Arc<Entry>) -> u64 {
        entry.weight() as u64
    }
}

/// For about so many items that weigh so much together.
pub(super) fn options(items: usize, weight: u64) -> Options {
    OptionsBuilder::new()
        .shards(SHARDS)
        .estimated_items_capacity(items)
        .weight_capacity(weight)
        .build()
        .expect("both capacities are given")
}

impl MemoryTier {
    pub(super) fn new(bytes: usize) -> Self {
        let options = options((bytes / USUAL_WEIGHT).max(1), bytes as u64);
        let entries =
            quick_cache::sync::Cache::with_options(options, ByBytes, Hasher::default(), DefaultLifecycle::default());
        Self { entries }
    }

    pub(super) fn get(&self, user: UserId) -> Option<Arc<Entry>> {
        self.entries.get(&user)
    }

    /// Looks up like [`MemoryTier::get`], but doesn't count as use.
    pub(super) fn peek(&self, user: UserId) -> Option<Arc<Entry>> {
        self.entries.peek(&user)
    }

    pub(super) fn remove(&self, user: UserId) {
        self.entries.remove(&user);
    }

    /// Keeps the entry unless one that is as new is there.
    pub(super) fn put_if_newer(&self, entry: &Arc<Entry>) {
        let there = self.entries.peek(&entry.user);
        if there.is_none_or(|there| there.stored_at() < entry.stored_at()) {
            self.entries.insert(entry.user, Arc::clone(entry));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Profile;
    use serde_json::value::to_raw_value;
    use std::time::Duration;

    fn entry(user: u64, now: u64) -> Arc<Entry> {
        let json = |text: &str| to_raw_value(text).unwrap().into();
        let profile = Profile { user: json(&"x".repeat(1000)), orders: json(""), products: json(""), gone: Vec::new() };
        let user = user.to_string().parse().unwrap();
        Arc::new(Entry::new(user, Duration::from_secs(now), Duration::from_secs(30), Duration::ZERO, profile))
    }

    #[test]
    fn it_is_bounded_by_weight() {
        let tier = MemoryTier::new(100_000);
        (1..=1000).for_each(|user| tier.put_if_newer(&entry(user, 0)));
        assert!(tier.entries.weight() <= 100_000, "{}", tier.entries.weight());
        assert!(tier.entries.len() > 10, "{}", tier.entries.len());
    }

    #[test]
    fn an_older_entry_does_not_replace_a_newer_one() {
        let tier = MemoryTier::new(100_000);
        tier.put_if_newer(&entry(1, 10));
        tier.put_if_newer(&entry(1, 5));
        assert_eq!(tier.get("1".parse().unwrap()).unwrap().stored_at(), Duration::from_secs(10));
        tier.put_if_newer(&entry(1, 11));
        assert_eq!(tier.get("1".parse().unwrap()).unwrap().stored_at(), Duration::from_secs(11));
    }
}
