//! Expectations: what must hold, when, and how it is compared.

use crate::{Check, Comparison, Span, Text};
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
    /// The requests that it judges; none: all.
    pub of: Option<SomeRequests>,
    /// The comparisons; all of them must hold.
    pub checks: Vec<Check>,
    /// The decision that it takes while the run goes on; none: it is judged at the end alone.
    pub stops: Option<Stops>,
    /// The place in the file.
    pub span: Span,
}

/// The decision that an expectation takes in mid-run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// A gate: where it does not hold in the baseline, no fault begins.
    Gate,
    /// An abort: where it is broken for so long, all faults are taken back, and the run ends.
    Abort(Duration),
}

/// Requests of the load that are judged without the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SomeRequests {
    /// The name or the line, as the scenario says it.
    pub said: String,
    /// The places of those that it means among the load's requests, in order.
    pub places: Vec<usize>,
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
        match self {
            Self::Equal(text) => write!(f, "== {text}"),
            Self::Different(text) => write!(f, "!= {text}"),
            Self::Number(bound) => bound.fmt(f),
            Self::Exists => f.write_str("exists"),
            Self::Missing => f.write_str("missing"),
        }
    }
}
