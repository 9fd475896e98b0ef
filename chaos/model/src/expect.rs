//! Expectations: what must hold, when, and how it is compared.

use crate::{Comparison, Selector, ServiceName, Share, Span, Text};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A claim about a scope of the timeline that must hold, with the checks that it consists of.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The claim in words; its name.
    pub that: String,
    /// The worlds in which it is judged; none: in all.
    pub worlds: Option<Vec<String>>,
    /// The scope in which it must hold.
    pub scope: Scope,
    /// The comparisons; all of them must hold.
    pub checks: Vec<Check>,
    /// The place in the file.
    pub span: Span,
}

/// The scope of an expectation: a phase, a moment, or the time after a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// In a phase, by its name (`run` is the whole timeline).
    During(String),
    /// Requests that were under way when a fault began, by its name: due before it, and not answered yet.
    Across(String),
    /// Soon after a fault was taken back. A comparison that asks for more (`>`, `>=`) of a metric must be reached
    /// within that time; everything else must hold from then on, until the next fault or the end.
    After {
        /// The fault's name.
        fault: String,
        /// The time after the fault's end.
        #[serde(rename = "within_us", with = "crate::micros")]
        within: Duration,
    },
}

/// One comparison of an expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The figure and its bound.
    pub subject: Subject,
    /// The place of its value in the file.
    pub span: Span,
}

/// The figure that is compared, and its bound. Shares are of all intended arrivals of the scope, those included that
/// could not connect or were not made.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// `status.200 = ">= 99%"`: the share of responses with such a status.
    Status(StatusPattern, Comparison<Share>),
    /// `errors = "== 0%"`: the share of arrivals without any response (refused, reset, timed out, …).
    Errors(Comparison<Share>),
    /// `latency.p99 = "< 50ms"`: from the intended start to the last byte, of those that were answered; those that were
    /// not answered count as the client's timeout.
    Latency(Quantile, Comparison<Duration>),
    /// `partial = "== 0%"`: the share of responses whose body says `"partial": true`.
    Partial(Comparison<Share>),
    /// `stale = "== 0%"`: the share of responses with a part whose state is `stale`.
    Stale(Comparison<Share>),
    /// `body."$.user.id" = "100% == {user}"`: the share of responses whose body passes the test at that JSONPath
    /// (RFC 9535).
    Body {
        /// The path as written, a valid RFC 9535 query.
        path: String,
        /// The test of the values there.
        test: ValueTest,
        /// The share of responses that must pass.
        share: Comparison<Share>,
    },
    /// `header.x-gateway-complete = "100% == true"`: the share of responses whose header field passes the test.
    Header {
        /// The field's name in lower case.
        name: String,
        /// The test of the field's value.
        test: ValueTest,
        /// The share of responses that must pass.
        share: Comparison<Share>,
    },
    /// `metric.'cache_hits_total{tier="memory"}' = "> 0"`: a counter's increase within the scope; a gauge in every
    /// scrape.
    Metric {
        /// The service whose metric it is.
        service: ServiceName,
        /// The series, summed.
        selector: Selector,
        /// The bound of the increase, or of the gauge.
        bound: Comparison<f64>,
    },
    /// `age.max = "< 330s"`: the age of the oldest response, by what responses say (`Age`, or their parts' `age_ms`).
    Age(Comparison<Duration>),
    /// `detect.time = "< 1s"`: from when the fault took effect to the first response that failed, was partial or stale.
    Detection(Comparison<Duration>),
    /// `detect.'breaker_state{state="open"}' = "< 1s"`: from when the fault took effect to the first scrape in which
    /// the series has another value than before.
    DetectionBy {
        /// The service whose metric it is.
        service: ServiceName,
        /// The series that shows the fault.
        selector: Selector,
        /// The bound of the time.
        bound: Comparison<Duration>,
    },
    /// `recovery.time = "< 2s"`: from when the fault was taken back until responses were, and stayed, as good as in the
    /// baseline.
    Recovery(Comparison<Duration>),
    /// `amplification.'calls_total / first_attempts_total' = "<= 1.2"`: a counter's increase over another's.
    Amplification {
        /// The service whose metrics they are.
        service: ServiceName,
        /// Counts all calls.
        calls: Selector,
        /// Counts those that were no retries.
        first: Selector,
        /// The bound of the ratio.
        bound: Comparison<f64>,
    },
    /// `herd.'http_requests_total' = "<= 1.25"`: a counter's peak in windows of a second, over its peak in the
    /// baseline.
    Herd {
        /// The service whose metric it is.
        service: ServiceName,
        /// The counter whose peak is meant.
        selector: Selector,
        /// The bound of the ratio of the peaks.
        bound: Comparison<f64>,
    },
}

impl Subject {
    /// The series that it reads from scrapes, with the service whose they are.
    #[must_use]
    pub fn scraped(&self) -> Option<(&str, Vec<&Selector>)> {
        match self {
            Self::Metric { service, selector, .. }
            | Self::DetectionBy { service, selector, .. }
            | Self::Herd { service, selector, .. } => Some((service, vec![selector])),
            Self::Amplification { service, calls, first, .. } => Some((service, vec![calls, first])),
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

/// A pattern of HTTP statuses: one code, or a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusPattern {
    /// Exactly this one.
    Code(u16),
    /// `2xx`: all of this hundred; holds the first digit.
    Class(u16),
}

impl StatusPattern {
    /// True if it means this status.
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

/// The figure of the latencies that is compared.
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
    /// The number of samples that it takes to mean anything: one in the part above it. A `p99` of 20 requests is their
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

/// A test of a value in a body or a header.
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
