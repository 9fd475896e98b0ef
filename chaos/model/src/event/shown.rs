//! Responses that show why a comparison failed.

use crate::RequestId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Responses that speak against a comparison which failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The number of all of them by instance, where responses name theirs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instances: BTreeMap<String, u64>,
    /// A few of them, those of one instance together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responses: Vec<ShownResponse>,
}

impl Shown {
    /// True where there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.responses.is_empty()
    }
}

/// A request, and what came of it. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownResponse {
    /// The number of its journey.
    pub n: u64,
    /// The step of its journey, from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub step: u32,
    /// The moment at which it was due, on the timeline.
    #[serde(rename = "due_us", with = "crate::micros")]
    pub at: Duration,
    /// The request line without the version: `GET /api/profile/7`.
    pub request: String,
    /// The values of the variables that it uses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, String>,
    /// The instance that the response names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The status; none without a response,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// and then why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<String>,
    /// The time from when it was due until it ended; without a response at least the client's timeout.
    #[serde(rename = "latency_us", with = "crate::micros")]
    pub latency: Duration,
    /// The beginning of the body, decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The value that its journey could not capture from it, and why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncaptured: Option<String>,
    /// The faults whose injections it met, as far as that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub met: Vec<String>,
}

impl ShownResponse {
    /// The request that it is the response to.
    #[must_use]
    pub fn id(&self) -> RequestId {
        RequestId { n: self.n, step: self.step }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_first(step: &u32) -> bool {
    *step == 0
}
