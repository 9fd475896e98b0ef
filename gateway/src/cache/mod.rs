//! The cache: complete profiles in two tiers, Redis and memory, both with the same absolute times.
//!
//! Redis is asked first, memory where Redis gave nothing. There is no error to propagate: what goes wrong is a miss with a
//! reason. Every entry is written to both tiers, so that memory is warm when Redis dies; writes to Redis wait in a bounded
//! queue that no request waits for.
//!
//! Freshness comes from an entry's own times ([`Entry`]), never from when a tier got it.

mod envelope;
mod memory;
mod redis;

pub(crate) use envelope::Entry;

use crate::{
    health::Board,
    labels::{Component, Freshness, Label as _, Miss, Mode, Tier},
    metrics::Metrics,
    profile::Profile,
    settings::Settings,
    user_id::UserId,
};
use host::Host;
use memory::MemoryTier;
use redis::RedisTier;
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Both tiers; either may be off.
pub(crate) struct Cache {
    host: Host,
    memory: Option<MemoryTier>,
    redis: Option<RedisTier>,
    ttl: Duration,
    metrics: Arc<Metrics>,
}

/// An entry and where it was.
pub(crate) struct Found {
    pub(crate) entry: Arc<Entry>,
    pub(crate) tier: Tier,
}

/// What came of asking the tiers in turn.
#[derive(Default)]
pub(crate) struct LookedUp {
    pub(crate) found: Option<Found>,
    pub(crate) misses: Misses,
}

/// Tiers that were asked and gave nothing, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Misses(Vec<(Tier, Miss)>);

impl Misses {
    /// Why the services have to be asked, as a `fwd` of RFC 9211.
    pub(crate) fn forwarded_because(&self) -> &'static str {
        let any = |wanted: Miss| self.0.iter().any(|(_, miss)| *miss == wanted);
        match self.0.as_slice() {
            [] => "bypass",
            _ if any(Miss::Expired) => "stale",
            misses if misses.iter().all(|(_, miss)| *miss == Miss::Absent) => "uri-miss",
            _ => "miss",
        }
    }
}

/// `redis:timeout memory:absent`.
impl fmt::Display for Misses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (tier, miss)) in self.0.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{}:{}", tier.label(), miss.label())?;
        }
        Ok(())
    }
}

impl Cache {
    /// The cache that the settings ask for; what belongs to Redis starts to run.
    pub(crate) fn start(host: &Host, settings: &Settings, metrics: &Arc<Metrics>, board: &Arc<Board>) -> Self {
        let on = settings.cache;
        let memory = (on && settings.cache_memory).then(|| MemoryTier::new(settings.cache_memory_bytes));
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
        let redis =
            (on && settings.cache_redis).then(|| RedisTier::start(host, settings, metrics, board, without_redis));
        Self { host: host.clone(), memory, redis, ttl: settings.cache_ttl, metrics: Arc::clone(metrics) }
    }

    /// Asks the tiers for the profile of `user`, and waits for Redis until `deadline` at most.
    pub(crate) async fn look_up(&self, user: UserId, deadline: Instant) -> LookedUp {
        let mut misses = Misses::default();
        let mut found = None;
        if let Some(redis) = &self.redis {
            let lookup = self.metrics.lookup(Tier::Redis);
            match redis.get(user, deadline).await.and_then(|entry| self.fresh(entry)) {
                Ok(entry) => {
                    lookup.hit(Freshness::Fresh);
                    self.keep_warm(&entry);
                    found = Some(Found { entry, tier: Tier::Redis });
                }
                Err(miss) => {
                    lookup.miss(miss);
                    misses.0.push((Tier::Redis, miss));
                }
            }
        }
        if let (None, Some(memory)) = (&found, &self.memory) {
            let lookup = self.metrics.lookup(Tier::Memory);
            match memory.get(user).ok_or(Miss::Absent).and_then(|entry| self.fresh(entry)) {
                Ok(entry) => {
                    lookup.hit(Freshness::Fresh);
                    self.give_back(&entry, &misses);
                    found = Some(Found { entry, tier: Tier::Memory });
                }
                Err(miss) => {
                    lookup.miss(miss);
                    misses.0.push((Tier::Memory, miss));
                }
            }
        }
        LookedUp { found, misses }
    }

    fn fresh(&self, entry: Arc<Entry>) -> Result<Arc<Entry>, Miss> {
        if self.host.unix_now() < entry.fresh_until() { Ok(entry) } else { Err(Miss::Expired) }
    }

    /// What another gateway wrote to Redis is kept in memory too.
    fn keep_warm(&self, entry: &Arc<Entry>) {
        if let Some(memory) = &self.memory {
            memory.put_if_newer(entry);
        }
    }

    /// Redis came back without what memory has: it gets it again, with the times that it had, unless somebody was faster.
    fn give_back(&self, entry: &Arc<Entry>, misses: &Misses) {
        if let Some(redis) = &self.redis
            && misses.0.contains(&(Tier::Redis, Miss::Absent))
        {
            redis.put_if_absent(entry);
        }
    }

    /// Writes a complete profile to both tiers; `None` where there is no tier.
    pub(crate) fn store(&self, user: UserId, profile: &Profile) -> Option<Arc<Entry>> {
        if self.memory.is_none() && self.redis.is_none() {
            return None;
        }
        let entry = Arc::new(Entry::new(user, self.host.unix_now(), self.ttl, profile.clone()));
        if let Some(memory) = &self.memory {
            memory.put_if_newer(&entry);
        }
        if let Some(redis) = &self.redis {
            redis.put(&entry);
        }
        Some(entry)
    }

    /// Waits until the writes in the queue are done, at most for `limit`, and stops what runs.
    pub(crate) async fn close(&self, limit: Duration) {
        if let Some(redis) = &self.redis {
            redis.close(limit).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarding_says_why() {
        let because = |misses: &[(Tier, Miss)]| Misses(misses.to_vec()).forwarded_because();
        assert_eq!(because(&[]), "bypass");
        assert_eq!(because(&[(Tier::Redis, Miss::Absent), (Tier::Memory, Miss::Absent)]), "uri-miss");
        assert_eq!(because(&[(Tier::Redis, Miss::Down), (Tier::Memory, Miss::Expired)]), "stale");
        assert_eq!(because(&[(Tier::Redis, Miss::Timeout), (Tier::Memory, Miss::Absent)]), "miss");
        let misses = Misses(vec![(Tier::Redis, Miss::Down), (Tier::Memory, Miss::Absent)]);
        assert_eq!(misses.to_string(), "redis:down memory:absent");
    }
}
