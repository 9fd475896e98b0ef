//! Judgements of expectations.

use super::Shown;
use crate::{Margin, Span, Verdict};
use serde::{Deserialize, Serialize};

/// Judgement of an expectation, with that of each of its comparisons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Number of the expectation in the scenario, from 0.
    pub index: usize,
    /// The expectation's name.
    pub that: String,
    /// The time in which it had to hold, and of which requests, in words: `outage`, `within 2s after outage, of checkout`.
    pub when: String,
    /// The worst of its comparisons' verdicts.
    pub verdict: Verdict,
    /// Judgements of its comparisons, in the order of the file.
    pub checks: Vec<JudgedCheck>,
}

/// Judgement of one comparison of an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedCheck {
    /// The comparison as written: `latency.p99 < 50ms`.
    pub expected: String,
    /// The value that was seen: `12.4ms`, `99.2% (794 of 800)`.
    pub seen: String,
    /// The comparison's verdict.
    pub verdict: Verdict,
    /// The part of the room that the bound leaves; none where it leaves none, where it can't be said, and in older recordings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Margin>,
    /// An explanation, if there is any: why it can't be said, or an example of what broke it.
    pub note: Option<String>,
    /// The place of the comparison: the file,
    pub file: String,
    /// the line, from 1,
    pub line: usize,
    /// and the place in the scenario's sources, so that a report that has them can show it.
    pub span: Span,
    /// Responses that speak against it, where it failed.
    #[serde(default, skip_serializing_if = "Shown::is_empty")]
    pub against: Shown,
}
