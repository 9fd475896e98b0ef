//! What a machine can do: how exactly the faults that take time come out on it.

use crate::Share;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What was measured, on an otherwise idle link over loopback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// When, in milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// What a proxy without faults adds to a request and its answer.
    pub idle: Quantiles,
    /// Delays.
    pub latency: Vec<LatencyAccuracy>,
    /// Rates.
    pub bandwidth: RateAccuracy,
    /// Shares of requests on one connection.
    pub share: ShareAccuracy,
}

/// A median and a 99th percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    #[serde(rename = "p50_us", with = "crate::micros")]
    pub p50: Duration,
    /// 99 of a hundred were faster.
    #[serde(rename = "p99_us", with = "crate::micros")]
    pub p99: Duration,
}

impl Quantiles {
    /// How much more this is than that, quantile by quantile.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self { p50: self.p50.saturating_sub(other.p50), p99: self.p99.saturating_sub(other.p99) }
    }
}

/// How exact a delay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyAccuracy {
    /// What was asked for.
    #[serde(rename = "asked_us", with = "crate::micros")]
    pub asked: Duration,
    /// What came, beyond what the idle proxy takes.
    pub achieved: Quantiles,
}

/// How exact a rate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateAccuracy {
    /// Bytes a second that were asked for.
    pub asked: u64,
    /// Bytes a second that came, over the whole transfer.
    pub achieved: u64,
}

/// How exact a share is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareAccuracy {
    /// What was asked for.
    pub asked: Share,
    /// What was met.
    pub met: Share,
}
