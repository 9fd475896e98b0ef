//! What clients were refused.

use super::Maker;
use crate::labels::{Label as _, Shed};
use prometheus::{IntCounter, IntCounterVec};

/// The edge's metrics.
pub(crate) struct EdgeMetrics {
    /// Connections beyond the limit.
    pub(crate) connections_turned_away: IntCounter,
    shed: IntCounterVec,
}

impl EdgeMetrics {
    pub(super) fn register(make: &Maker<'_>) -> prometheus::Result<Self> {
        let shed = make.counters("gateway_shed_total", "Requests that were turned away unread", &["reason"])?;
        for reason in Shed::ALL {
            let _ = shed.with_label_values(&[reason.label()]);
        }
        Ok(Self {
            shed,
            connections_turned_away: make.add(IntCounter::new(
                "http_connections_turned_away_total",
                "Connections that were reset since too many were open",
            )?)?,
        })
    }

    /// A request was turned away.
    pub(crate) fn shed(&self, reason: Shed) {
        self.shed.with_label_values(&[reason.label()]).inc();
    }
}
