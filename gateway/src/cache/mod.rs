//! The cache: complete profiles in two tiers, Redis and memory, both with the same absolute times.
//!
//! Redis is asked first, memory where Redis gave nothing. There is no error to propagate: what goes wrong is a miss
//! with a reason. Every entry is written to both tiers, so that memory is warm when Redis dies; writes to Redis wait in
//! a bounded queue that no request waits for.
//!
//! Freshness comes from an entry's own times ([`Entry`]), never from when a tier got it. What is no longer fresh is kept
//! for the case that the services give nothing better.

mod envelope;
mod flights;
mod lookup;
mod memory;
mod negative;
mod profile;
mod redis;

pub(crate) use envelope::Entry;
pub(crate) use flights::Flights;
pub(crate) use lookup::{Found, LookedUp, Misses};
pub(crate) use profile::Profile;

use crate::{
    health::Board,
    labels::{Component, Freshness, Miss, Mode, Tier},
    metrics::Metrics,
    planted::{Mistake, Planted},
    settings::Settings,
    user_id::UserId,
};
use host::{Host, Random};
use memory::MemoryTier;
use negative::Negative;
use rand::RngExt as _;
use redis::RedisTier;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Both tiers; either may be off.
pub(crate) struct Cache {
    host: Host,
    memory: Option<MemoryTier>,
    redis: Option<RedisTier>,
    negative: Negative,
    ttl: Duration,
    /// The share of the TTL by which it is varied, 0 to 1.
    ttl_jitter: f64,
    jitter: Mutex<Random>,
    stale: Duration,
    metrics: Arc<Metrics>,
    planted: Planted,
}

impl Cache {
    /// The cache that the settings ask for, with so many bytes in memory; what belongs to Redis starts to run.
    pub(crate) fn start(
        host: &Host,
        settings: &Settings,
        (memory_bytes, planted): (usize, &Planted),
        metrics: &Arc<Metrics>,
        board: &Arc<Board>,
    ) -> Self {
        let on = settings.cache;
        let memory = (on && settings.cache_memory).then(|| MemoryTier::new(memory_bytes));
        let without_redis = if memory.is_some() { Mode::Memory } else { Mode::None };
        metrics.mode(without_redis);
        if memory.is_some() {
            board.up(Component::Memory, Duration::ZERO, host.unix_now());
        } else {
            board.off(Component::Memory);
        }
        if !(on && settings.cache_redis) {
            board.off(Component::Redis);
        }
        let redis = (on && settings.cache_redis)
            .then(|| RedisTier::start(host, (settings, planted), metrics, board, without_redis));
        Self {
            host: host.clone(),
            memory,
            redis,
            negative: Negative::new(settings.caching.negative),
            ttl: settings.cache_ttl,
            ttl_jitter: settings.caching.ttl_jitter,
            jitter: Mutex::new(host.rng("cache ttl")),
            stale: settings.caching.stale,
            metrics: Arc::clone(metrics),
            planted: planted.clone(),
        }
    }

    /// Asks the tiers for the profile of `user`, and waits for Redis until `deadline` at most.
    pub(crate) async fn look_up(&self, user: UserId, deadline: Instant) -> LookedUp {
        let mut looked = LookedUp::default();
        if let Some(redis) = &self.redis {
            let lookup = self.metrics.lookup(Tier::Redis);
            // The checksum tells an entry that memory has already: parsing it again was a fifth of the work for a
            // cached response.
            let known = || self.memory.as_ref().and_then(|memory| memory.peek(user));
            let entry = redis.get(user, deadline, known).await;
            let entry = entry.and_then(|entry| self.fresh(entry, Tier::Redis, &mut looked));
            match entry.and_then(|entry| self.newest(entry)) {
                Ok(entry) => {
                    lookup.hit(Freshness::Fresh);
                    self.shown(Tier::Redis, &entry);
                    looked.found = Some(Found { entry, tier: Tier::Redis });
                    return looked;
                }
                Err(miss) => {
                    lookup.miss(miss);
                    looked.misses.add(Tier::Redis, miss);
                }
            }
        }
        if let Some(memory) = &self.memory {
            let lookup = self.metrics.lookup(Tier::Memory);
            looked.no_such_user = self.negative.left(user, self.host.unix_now());
            if looked.no_such_user.is_some() {
                lookup.hit(Freshness::Fresh);
                return looked;
            }
            let entry = memory.get(user).ok_or(Miss::Absent);
            match entry.and_then(|entry| self.fresh(entry, Tier::Memory, &mut looked)) {
                Ok(entry) => {
                    lookup.hit(Freshness::Fresh);
                    self.shown(Tier::Memory, &entry);
                    let entry = self.restarted(entry, &looked.misses);
                    self.give_back(&entry, &looked.misses);
                    looked.found = Some(Found { entry, tier: Tier::Memory });
                }
                Err(miss) => {
                    lookup.miss(miss);
                    looked.misses.add(Tier::Memory, miss);
                }
            }
        }
        looked
    }

    fn fresh(&self, entry: Arc<Entry>, tier: Tier, looked: &mut LookedUp) -> Result<Arc<Entry>, Miss> {
        let now = self.host.unix_now();
        if now < entry.fresh_until() {
            return Ok(entry);
        }
        if self.may_be_shown(&entry) {
            looked.keep_for_need(entry, tier);
        }
        Err(Miss::Expired)
    }

    /// Keeps in memory too what another gateway wrote to Redis. Redis is not believed where memory knows better: it may
    /// have come back with data that it had saved long before.
    fn newest(&self, entry: Arc<Entry>) -> Result<Arc<Entry>, Miss> {
        if let Some(memory) = &self.memory {
            let there = memory.peek(entry.user);
            if there.is_some_and(|there| there.stored_at() > entry.stored_at()) {
                return Err(Miss::Older);
            }
            memory.put_if_newer(&entry);
        }
        self.negative.remove(entry.user);
        Ok(entry)
    }

    /// Redis came back without what memory has, or with something worse: it gets it again, with the times that it had.
    /// Where there was nothing, not if somebody was faster.
    fn give_back(&self, entry: &Arc<Entry>, misses: &Misses) {
        let Some(redis) = &self.redis else { return };
        match misses.of(Tier::Redis) {
            Some(Miss::Absent) => redis.put_if_absent(entry),
            // What can't be read by anybody is worth less than what memory has. An entry of another version or key is
            // left: gateways of two versions would take each other's away, and the reply may have been the wrong one
            // rather than the value.
            Some(Miss::Expired | Miss::Older | Miss::Corrupt | Miss::WrongType) => redis.put(entry),
            _ => {}
        }
    }

    /// The entry as it is given back; with a new life, where that is the mistake that was planted.
    fn restarted(&self, entry: Arc<Entry>, misses: &Misses) -> Arc<Entry> {
        let Some(memory) = &self.memory else { return entry };
        if !self.planted.has(Mistake::TtlRestarts) || misses.of(Tier::Redis) != Some(Miss::Absent) {
            return entry;
        }
        let entry = Arc::new(entry.with_a_new_life(self.host.unix_now(), self.ttl, self.stale));
        memory.remove(entry.user);
        memory.put_if_newer(&entry);
        entry
    }

    /// Tells if the entry is young enough to be shown where nothing better can be had. Today's settings count as well:
    /// they may be stricter than those that it was stored with.
    pub(crate) fn may_be_shown(&self, entry: &Entry) -> bool {
        let until = entry.stale_until().min(entry.fresh_until().saturating_add(self.stale));
        self.host.unix_now() < until || self.planted.has(Mistake::EndlessStale)
    }

    /// Something of `found` is shown, though it is old.
    pub(crate) fn used_in_need(&self, found: &Found) {
        self.metrics.lookup(found.tier).hit(Freshness::Stale);
        self.shown(found.tier, &found.entry);
    }

    fn shown(&self, tier: Tier, entry: &Entry) {
        self.metrics.cache.shown(tier, self.host.unix_now().saturating_sub(entry.stored_at()));
    }

    /// Writes a complete profile to both tiers; `None` where there is no tier.
    pub(crate) fn store(&self, user: UserId, profile: &Profile) -> Option<Arc<Entry>> {
        if self.memory.is_none() && self.redis.is_none() {
            return None;
        }
        let fresh = self.ttl.mul_f64(1.0 - self.draw_jitter());
        let entry = Arc::new(Entry::new(user, self.host.unix_now(), fresh, self.stale, profile.clone()));
        self.negative.remove(user);
        if let Some(memory) = &self.memory {
            memory.put_if_newer(&entry);
        }
        if let Some(redis) = &self.redis {
            redis.put(&entry);
        }
        Some(entry)
    }

    /// There is no such user: what was known of them is forgotten.
    pub(crate) fn store_no_such_user(&self, user: UserId) {
        if let Some(memory) = &self.memory {
            memory.remove(user);
            self.negative.put(user, self.host.unix_now());
        }
        if let Some(redis) = &self.redis {
            redis.forget(user);
        }
    }

    /// Tells if there is no Redis at the moment.
    pub(crate) fn is_without_redis(&self) -> bool {
        self.redis.as_ref().is_none_or(RedisTier::is_away)
    }

    fn draw_jitter(&self) -> f64 {
        self.jitter.lock().unwrap_or_else(PoisonError::into_inner).random_range(0.0..=self.ttl_jitter)
    }

    /// Waits until the writes in the queue are done, at most for `limit`, and stops what runs.
    pub(crate) async fn close(&self, limit: Duration) {
        if let Some(redis) = &self.redis {
            redis.close(limit).await;
        }
    }
}
