//! Runs that end before their time.

use serde::{Deserialize, Serialize};

/// The end of a run before its time: what an expectation decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedEarly {
    /// The decision.
    pub by: EarlyEnd,
    /// The name of the expectation; none where the run itself looks after a system that is others'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub that: Option<String>,
    /// The comparison that did not hold, and what was seen: `availability >= 99%: 91.2% (31 of 34)`.
    pub seen: String,
}

/// A decision by which a run ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyEnd {
    /// The system was not well in the baseline, or it could not be told whether it was: no fault has begun.
    Gate,
    /// An expectation was broken for as long as it may be: the faults were taken back.
    Abort,
}

impl EndedEarly {
    /// The decision in words: `no fault begins, since "clients never notice" did not hold in the baseline (…)`.
    #[must_use]
    pub fn words(&self) -> String {
        let seen = &self.seen;
        let of = self.that.as_deref().map_or_else(String::new, |that| format!(" (\"{that}\")"));
        match self.by {
            EarlyEnd::Gate => format!("the system was not well before the first fault, so none began: {seen}{of}"),
            EarlyEnd::Abort => format!("broken for too long, so all faults were taken back: {seen}{of}"),
        }
    }
}
