//! What clients were refused.

use super::Maker;
use prometheus::IntCounter;

/// The edge's metrics.
pub(crate) struct EdgeMetrics {
    /// Connections beyond the limit.
    pub(crate) connections_turned_away: IntCounter,
}

impl EdgeMetrics {
    pub(super) fn register(make: &Maker<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            connections_turned_away: make.add(IntCounter::new(
                "http_connections_turned_away_total",
                "Connections that were reset since too many were open",
            )?)?,
        })
    }
}
