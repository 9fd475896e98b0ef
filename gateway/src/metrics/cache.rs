//! Metrics of the cache beyond its lookups.

use super::{Maker, zero};
use crate::labels::{Label as _, Miss, RedisAccess, RedisMode, Tier};
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts};
use std::time::Duration;

/// Metrics of all that the cache does besides looking up.
pub(crate) struct CacheMetrics {
    coalesced: IntCounter,
    redis_mode: IntGaugeVec,
    redis_changes: IntCounterVec,
    redis_failures: IntCounterVec,
    entry_age: HistogramVec,
}

/// Seconds: from just gathered to past the longest time that anything old is shown by default.
const AGES: [f64; 11] = [0.1, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];

impl CacheMetrics {
    pub(super) fn register(make: &Maker<'_>) -> prometheus::Result<Self> {
        let cache = Self {
            coalesced: make.add(IntCounter::new(
                "cache_coalesced_total",
                "Requests that shared the aggregation of another one",
            )?)?,
            redis_mode: make.add(IntGaugeVec::new(
                Opts::new("redis_mode", "1 for how Redis is judged just now, by reads and writes"),
                &["side", "mode"],
            )?)?,
            redis_changes: make.counters(
                "redis_mode_changes_total",
                "Changes of how Redis is judged, by the new mode",
                &["side", "mode"],
            )?,
            redis_failures: make.counters(
                "redis_failures_total",
                "Failed reads, writes, connects and checks of Redis",
                &["reason"],
            )?,
            entry_age: make.add(HistogramVec::new(
                HistogramOpts::new("cache_entry_age_seconds", "Age of cached profiles as they are shown")
                    .buckets(AGES.to_vec()),
                &["tier"],
            )?)?,
        };
        zero(Tier::ALL, |word| drop(cache.entry_age.with_label_values(&[word])));
        for side in RedisAccess::ALL {
            for mode in RedisMode::ALL {
                let _ = cache.redis_changes.with_label_values(&[side.label(), mode.label()]);
            }
            cache.show_mode(*side, RedisMode::Open);
        }
        for reason in Miss::ALL.iter().filter(|reason| reason.is_failure()) {
            let _ = cache.redis_failures.with_label_values(&[reason.label()]);
        }
        Ok(cache)
    }

    /// Redis is judged otherwise than before.
    pub(crate) fn redis_mode(&self, side: RedisAccess, now: RedisMode) {
        self.redis_changes.with_label_values(&[side.label(), now.label()]).inc();
        self.show_mode(side, now);
    }

    fn show_mode(&self, side: RedisAccess, now: RedisMode) {
        for mode in RedisMode::ALL {
            self.redis_mode.with_label_values(&[side.label(), mode.label()]).set(i64::from(*mode == now));
        }
    }

    /// Something went wrong with Redis.
    pub(crate) fn redis_failure(&self, reason: Miss) {
        self.redis_failures.with_label_values(&[reason.label()]).inc();
    }

    /// A profile from `tier` is shown, gathered so long ago.
    pub(crate) fn shown(&self, tier: Tier, age: Duration) {
        self.entry_age.with_label_values(&[tier.label()]).observe(age.as_secs_f64());
    }

    /// A request joined an aggregation that was under way.
    pub(crate) fn coalesced(&self) {
        self.coalesced.inc();
    }
}
