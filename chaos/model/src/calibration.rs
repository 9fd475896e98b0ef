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
    /// Throughput under a delay, which is no rate; none where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferAccuracy>,
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

/// Transfer of many bytes under a delay, there and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferAccuracy {
    /// Bytes that went there, and came back.
    pub bytes: u64,
    /// The delay that was asked for.
    #[serde(rename = "asked_us", with = "crate::micros")]
    pub asked: Duration,
    /// The time that they take through an idle proxy.
    #[serde(rename = "idle_us", with = "crate::micros")]
    pub idle: Duration,
    /// The time that they took under the delay.
    #[serde(rename = "took_us", with = "crate::micros")]
    pub took: Duration,
}

impl TransferAccuracy {
    /// Bytes a second through the idle proxy.
    #[must_use]
    pub fn idle_rate(&self) -> u64 {
        rate(self.bytes, self.idle)
    }

    /// Bytes a second under the delay, once that was over.
    #[must_use]
    pub fn rate(&self) -> u64 {
        rate(self.bytes, self.took.saturating_sub(self.asked))
    }
}

/// Bytes a second, where so many take so long.
#[must_use]
pub fn rate(bytes: u64, took: Duration) -> u64 {
    u64::try_from(u128::from(bytes) * 1_000_000_000 / took.as_nanos().max(1)).unwrap_or(u64::MAX)
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
