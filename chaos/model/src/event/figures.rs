//! Figures of phases: what clients saw.

use crate::Share;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{collections::BTreeMap, time::Duration};

/// Figures of a phase: what clients saw of the arrivals that it is judged by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PhaseFigures {
    /// The phase's name.
    pub phase: String,
    /// The time that it had, where that was not known beforehand: a service took its time to start again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<PhaseTime>,
    /// Arrivals that were due, and are judged.
    pub arrivals: u64,
    /// Arrivals that were due and straddled the beginning of a fault: begun before it, ended after. Counted apart.
    pub straddled: u64,
    /// Arrivals that the generator did not make.
    pub missed: u64,
    /// Arrivals that were made twice, since their first connection, a reused one that had idled, closed as they went out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retried: u64,
    /// Steps of journeys that were not reached, since a step before them had failed. Counted apart: they are no requests.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_reached: u64,
    /// Responses by status.
    #[serde(deserialize_with = "status_keys")]
    pub statuses: BTreeMap<u16, u64>,
    /// Arrivals without a response, by reason.
    pub unanswered: BTreeMap<String, u64>,
    /// Good responses, by the system's `[responses]`.
    pub good: u64,
    /// Responses marked partial; none where the system declares no such marker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<u64>,
    /// Responses marked stale; none where the system declares no such marker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<u64>,
    /// The age of the oldest response, where responses say their age.
    #[serde(rename = "oldest_us", with = "crate::micros::option", default)]
    pub oldest: Option<Duration>,
    /// Latencies from the intended start; unanswered arrivals count as the client's timeout.
    pub latency: Option<LatencyFigures>,
    /// Figures by the instance that responses name. Of many there are those with the most responses; the others are one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instances: BTreeMap<String, InstanceFigures>,
}

/// Figures of an instance in a phase: what clients saw of the responses that name it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceFigures {
    /// Responses.
    pub responses: u64,
    /// Good ones among them.
    pub good: u64,
    /// Latencies of their arrivals.
    pub latency: Option<LatencyFigures>,
}

impl InstanceFigures {
    /// The share of good ones among its responses.
    #[must_use]
    pub fn share(&self) -> Share {
        Share { parts: self.good, whole: self.responses }
    }
}

/// A stretch of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseTime {
    /// The beginning, counted from the start of the timeline.
    #[serde(rename = "from_us", with = "crate::micros")]
    pub from: Duration,
    /// The end.
    #[serde(rename = "to_us", with = "crate::micros")]
    pub to: Duration,
}

impl PhaseFigures {
    /// The share of arrivals that got a good response.
    #[must_use]
    pub fn availability(&self) -> Share {
        Share { parts: self.good, whole: self.arrivals }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Reads keys that JSON spells as strings. serde buffers a flattened or tagged value, and then no longer takes `"200"`
/// for a number by itself.
pub(crate) fn status_keys<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u16, u64>, D::Error> {
    let texts = BTreeMap::<String, u64>::deserialize(from)?;
    let number =
        |(status, count): (String, u64)| status.parse().map(|status| (status, count)).map_err(D::Error::custom);
    texts.into_iter().map(number).collect()
}

/// Latencies of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyFigures {
    /// The median.
    #[serde(rename = "p50_us", with = "crate::micros")]
    pub p50: Duration,
    /// Nine of ten were faster.
    #[serde(rename = "p90_us", with = "crate::micros")]
    pub p90: Duration,
    /// 99 of a hundred were faster.
    #[serde(rename = "p99_us", with = "crate::micros")]
    pub p99: Duration,
    /// 999 of a thousand were faster.
    #[serde(rename = "p999_us", with = "crate::micros")]
    pub p999: Duration,
    /// The slowest.
    #[serde(rename = "max_us", with = "crate::micros")]
    pub max: Duration,
}
