//! Probes: whether a service was ready, second by second, where an expectation asks.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A probe of a service, past any proxy, that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// The service's name.
    pub service: String,
    /// The moment of the timeline at which it began.
    #[serde(rename = "began_us", with = "crate::micros")]
    pub at: Duration,
    /// The time until it was answered, or given up.
    #[serde(rename = "took_us", with = "crate::micros")]
    pub took: Duration,
    /// The reason why the service was not ready; none where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
