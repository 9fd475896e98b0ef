//! Expectations: what must hold, when, and how it is compared.

use crate::{Comparison, NodeName, Selector, Share, Span, Text};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// What it means, in words; its name.
    pub that: String,
    /// The worlds in which it is judged; none: in all.
    pub worlds: Option<Vec<String>>,
    /// When it must hold.
    pub scope: Scope,
    /// What is compared; all of them must hold.
    pub checks: Vec<Check>,
    /// Where it stands.
    pub span: Span,
}

/// When an expectation must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// In a phase, by its name (`run` is the whole timeline).
    During(String),
    /// Of the requests that were under way when a fault began, by its name: due before it, and not answered yet.
    Across(String),
    /// Soon after a fault was taken back. A comparison that asks for more (`>`, `>=`) of a metric must be reached within
    /// that time; everything else must hold from then on, until the next fault or the end.
    After {
        /// The fault's name.
        fault: String,
        /// How soon.
        #[serde(rename = "within_us", with = "crate::micros")]
        within: Duration,
    },
}

/// One comparison of an expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What is compared, and with what.
    pub subject: Subject,
    /// Where its value stands.
    pub span: Span,
}

/// What is compared, and with what. Shares are of all intended arrivals of the scope, those included that could not
/// connect or were not made.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// `status.200 = ">= 99%"`: the share of answers with such a status.
    Status(StatusPattern, Comparison<Share>),
    /// `errors = "== 0%"`: the share of arrivals without any answer (refused, reset, timed out, …).
    Errors(Comparison<Share>),
    /// `latency.p99 = "< 50ms"`: from the intended start to the last byte, of those that were answered; those that were
    /// not answered count as the client's timeout.
    Latency(Quantile, Comparison<Duration>),
    /// `partial = "== 0%"`: the share of answers whose body says `"partial": true`.
    Partial(Comparison<Share>),
    /// `stale = "== 0%"`: the share of answers with a part whose state is `stale`.
    Stale(Comparison<Share>),
    /// `body."$.user.id" = "100% == {user}"`: the share of answers whose body passes the test at that JSONPath (RFC 9535).
    Body {
        /// The path as written, a valid RFC 9535 query.
        path: String,
        /// What must hold there.
        test: ValueTest,
        /// For how many.
        share: Comparison<Share>,
    },
    /// `header.x-gateway-complete = "100% == true"`: the share of answers whose header field passes the test.
    Header {
        /// The field's name in lower case.
        name: String,
        /// What must hold.
        test: ValueTest,
        /// For how many.
        share: Comparison<Share>,
    },
    /// `metric.'cache_hits_total{tier="memory"}' = "> 0"`: a counter's increase within the scope; a gauge in every scrape.
    Metric {
        /// Whose metric.
        node: NodeName,
        /// Which series.
        selector: Selector,
        /// What must hold.
        bound: Comparison<f64>,
    },
    /// `age.max = "< 330s"`: how old the oldest answer was, by what answers say (`Age`, or the `age_ms` of their parts).
    Age(Comparison<Duration>),
    /// `detect.time = "< 1s"`: from when the fault took effect to the first answer that failed, was partial or stale.
    Detection(Comparison<Duration>),
    /// `detect.'breaker_state{state="open"}' = "< 1s"`: from when the fault took effect to the first scrape in which the
    /// series has another value than before.
    DetectionBy {
        /// Whose metric.
        node: NodeName,
        /// Which series.
        selector: Selector,
        /// What must hold.
        bound: Comparison<Duration>,
    },
    /// `recovery.time = "< 2s"`: from when the fault was taken back until answers were, and stayed, as good as in the
    /// baseline.
    Recovery(Comparison<Duration>),
    /// `amplification.'calls_total / first_attempts_total' = "<= 1.2"`: a counter's increase over another's.
    Amplification {
        /// Whose metrics.
        node: NodeName,
        /// Counts all calls.
        calls: Selector,
        /// Counts those that were no retries.
        first: Selector,
        /// What must hold.
        bound: Comparison<f64>,
    },
    /// `herd.'http_requests_total' = "<= 1.25"`: a counter's peak in windows of a second, over its peak in the baseline.
    Herd {
        /// Whose metric.
        node: NodeName,
        /// Which series.
        selector: Selector,
        /// What must hold.
        bound: Comparison<f64>,
    },
}

impl Subject {
    /// What it wants to see of scrapes: of which node, and which series; one for each that it reads.
    #[must_use]
    pub fn scraped(&self) -> Option<(&str, Vec<&Selector>)> {
        match self {
            Self::Metric { node, selector, .. }
            | Self::DetectionBy { node, selector, .. }
            | Self::Herd { node, selector, .. } => Some((node, vec![selector])),
            Self::Amplification { node, calls, first, .. } => Some((node, vec![calls, first])),
            _ => None,
        }
    }
}

/// The key as in the file and the comparison: `latency.p99 < 50ms`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(pattern, share) => write!(f, "status.{pattern} {share}"),
            Self::Errors(share) => write!(f, "errors {share}"),
            Self::Latency(quantile, bound) => {
                write!(f, "latency.{quantile} {}", bound.map(crate::quantity::show_duration))
            }
            Self::Partial(share) => write!(f, "partial {share}"),
            Self::Stale(share) => write!(f, "stale {share}"),
            Self::Body { path, test, share } => write!(f, "body.\"{path}\" {test} for {share}"),
            Self::Header { name, test, share } => write!(f, "header.{name} {test} for {share}"),
            Self::Metric { selector, bound, .. } => write!(f, "metric.{selector} {bound}"),
            Self::Age(bound) => write!(f, "age.max {}", bound.map(crate::quantity::show_duration)),
            Self::Detection(bound) => write!(f, "detect.time {}", bound.map(crate::quantity::show_duration)),
            Self::DetectionBy { selector, bound, .. } => {
                write!(f, "detect.{selector} {}", bound.map(crate::quantity::show_duration))
            }
            Self::Recovery(bound) => write!(f, "recovery.time {}", bound.map(crate::quantity::show_duration)),
            Self::Amplification { calls, first, bound, .. } => write!(f, "amplification.{calls} / {first} {bound}"),
            Self::Herd { selector, bound, .. } => write!(f, "herd.{selector} {bound}"),
        }
    }
}

/// Which statuses are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusPattern {
    /// Exactly this one.
    Code(u16),
    /// `2xx`: all of this hundred; holds the first digit.
    Class(u16),
}

impl StatusPattern {
    /// Whether it means this status.
    #[must_use]
    pub fn matches(self, status: u16) -> bool {
        match self {
            Self::Code(code) => status == code,
            Self::Class(digit) => status / 100 == digit,
        }
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Class(digit) => write!(f, "{digit}xx"),
        }
    }
}

/// Which figure of the latencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantile {
    /// `p50`, `p99`, `p99.9`: in thousandths of a percent (50 is 50,000).
    Percentile(u32),
    /// The arithmetic mean.
    Mean,
    /// The largest.
    Max,
}

impl Quantile {
    /// How many samples it takes before it means anything: one in the part above it. A `p99` of 20 requests is their
    /// maximum under another name.
    #[must_use]
    pub fn least_samples(self) -> u64 {
        match self {
            Self::Percentile(thousandths) => 100_000_u64.div_ceil(100_000 - u64::from(thousandths.min(99_999))),
            Self::Mean | Self::Max => 1,
        }
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(thousandths) => write!(f, "p{}", f64::from(*thousandths) / 1000.0),
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
        }
    }
}

/// What must hold for a value in a body or a header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueTest {
    /// `== x`: equal; a number and a string with the same digits are equal, since headers know only strings.
    Equal(Text),
    /// `!= x`: there, and another.
    Different(Text),
    /// A number that compares so.
    Number(Comparison<f64>),
    /// `exists`: there, and not null.
    Exists,
    /// `missing`: not there, or null.
    Missing,
}

impl fmt::Display for ValueTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |text: &Text| {
            let piece = |piece: &crate::load::TextPiece| match piece {
                crate::load::TextPiece::Plain(text) => text.clone(),
                crate::load::TextPiece::Variable(name) => format!("{{{name}}}"),
            };
            text.pieces.iter().map(piece).collect::<String>()
        };
        match self {
            Self::Equal(text) => write!(f, "== {}", show(text)),
            Self::Different(text) => write!(f, "!= {}", show(text)),
            Self::Number(bound) => bound.fmt(f),
            Self::Exists => f.write_str("exists"),
            Self::Missing => f.write_str("missing"),
        }
    }
}
