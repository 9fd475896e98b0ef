//! Metrics of the cache beyond its lookups.

use super::Maker;
use prometheus::IntCounter;

/// What the cache does besides looking up.
pub(crate) struct CacheMetrics {
    coalesced: IntCounter,
}

impl CacheMetrics {
    pub(super) fn register(make: &Maker<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            coalesced: make.add(IntCounter::new(
                "cache_coalesced_total",
                "Requests that shared the aggregation of another one",
            )?)?,
        })
    }

    /// A request joined an aggregation that was under way.
    pub(crate) fn coalesced(&self) {
        self.coalesced.inc();
    }
}
