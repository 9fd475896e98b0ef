//! Accuracy of a machine: how exactly the faults that take time come out on it.

use crate::Share;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Measurements of a machine's accuracy, on an otherwise idle link over loopback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The time of the measurement, in milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// Time that a proxy without faults adds to a request and its response.
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
    /// The difference to `other`, quantile by quantile; 0 where that is more.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self { p50: self.p50.saturating_sub(other.p50), p99: self.p99.saturating_sub(other.p99) }
    }
}

/// Accuracy of a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyAccuracy {
    /// The delay that was asked for.
    #[serde(rename = "asked_us", with = "crate::micros")]
    pub asked: Duration,
    /// The delay that came, beyond what the idle proxy takes.
    pub achieved: Quantiles,
}

/// Accuracy of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateAccuracy {
    /// Bytes a second that were asked for.
    pub asked: u64,
    /// Bytes a second that came, over the whole transfer.
    pub achieved: u64,
}

/// Accuracy of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareAccuracy {
    /// The share that was asked for.
    pub asked: Share,
    /// The share of requests that met the fault.
    pub met: Share,
}
