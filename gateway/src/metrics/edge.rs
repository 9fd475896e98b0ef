//! Metrics of the requests that clients were refused.

use super::Maker;
use crate::labels::{Label as _, Shed, TokenFault};
use prometheus::{IntCounter, IntCounterVec};

/// The edge's metrics.
pub(crate) struct EdgeMetrics {
    /// Connections beyond the limit.
    pub(crate) connections_turned_away: IntCounter,
    /// Connections whose client took nothing of its response.
    pub(crate) write_timeouts: IntCounter,
    shed: IntCounterVec,
    tokens_refused: IntCounterVec,
}

impl EdgeMetrics {
    pub(super) fn register(make: &Maker<'_>) -> prometheus::Result<Self> {
        let shed = make.counters("gateway_shed_total", "Requests that were turned away unread", &["reason"])?;
        for reason in Shed::ALL {
            let _ = shed.with_label_values(&[reason.label()]);
        }
        let tokens_refused = make.counters(
            "gateway_tokens_refused_total",
            "Requests for a profile without a token that opens it",
            &["reason"],
        )?;
        for fault in TokenFault::ALL {
            let _ = tokens_refused.with_label_values(&[fault.label()]);
        }
        Ok(Self {
            shed,
            tokens_refused,
            write_timeouts: make.add(IntCounter::new(
                "http_write_timeouts_total",
                "Connections that were reset since their clients took nothing of a response",
            )?)?,
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

    /// A request for a profile had no token that opens it.
    pub(crate) fn token_refused(&self, fault: TokenFault) {
        self.tokens_refused.with_label_values(&[fault.label()]).inc();
    }
}
