//! Markers: what good, partial and stale responses are, how old one is and which instance it came of, by what the
//! system's `[responses]` says. Only `good` has a meaning of its own: each system has its own words for the others, and
//! one that has none is not asked for them.

use crate::{Comparison, ValueTest};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The first status that is not good, where nothing else is said.
const FIRST_BAD: f64 = 500.0;

/// The markers of a system's responses.
#[derive(Clone, Debug, PartialEq)]
pub struct Responses {
    /// Conditions of good responses: any of them.
    pub good: Vec<Condition>,
    /// Conditions of partial responses: any of them; empty where the system has no such.
    pub partial: Vec<Condition>,
    /// Conditions of stale responses: any of them; empty where the system has no such.
    pub stale: Vec<Condition>,
    /// Places where a response says how old it is: the oldest counts.
    pub age: Vec<Age>,
    /// The header field that names the instance.
    pub instance: Option<String>,
}

impl Default for Responses {
    /// Good is what is below 500; nothing else is known.
    fn default() -> Self {
        let good = Condition { field: Field::Status, test: ValueTest::Number(Comparison::Less(FIRST_BAD)) };
        Self { good: vec![good], partial: Vec::new(), stale: Vec::new(), age: Vec::new(), instance: None }
    }
}

impl Responses {
    /// The markers that are declared.
    #[must_use]
    pub fn markers(&self) -> Vec<Marker> {
        Marker::ALL.into_iter().filter(|marker| self.declares(*marker)).collect()
    }

    /// True where this marker is declared.
    #[must_use]
    pub fn declares(&self, marker: Marker) -> bool {
        match marker {
            Marker::Partial => !self.partial.is_empty(),
            Marker::Stale => !self.stale.is_empty(),
            Marker::Age => !self.age.is_empty(),
        }
    }
}

/// A condition that one response meets or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The part of the response that is looked at.
    pub field: Field,
    /// The test of what is found there.
    pub test: ValueTest,
}

/// A part of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The status.
    Status,
    /// The nodes of the body that a JSONPath (RFC 9535) finds.
    Body(String),
    /// The header field of this name, in lower case.
    Header(String),
}

/// A place where a response says how old it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    /// The place.
    pub field: Field,
    /// The time that a 1 there stands for.
    pub unit: Duration,
}

/// A marker that has no meaning unless the system gives it one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    /// The response says that it lacks a part.
    Partial,
    /// The response says that it is old, or a part of it.
    Stale,
    /// The response says how old it is.
    Age,
}

impl Marker {
    /// All markers.
    pub const ALL: [Self; 3] = [Self::Partial, Self::Stale, Self::Age];

    /// The lines of `[responses]` that declare it, as an example.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::Partial => "partial.body.\"$.partial\" = \"== true\"",
            Self::Stale => "stale.header.x-cache = \"== STALE\"",
            Self::Age => "age.header = \"age\"",
        }
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Partial => "partial",
            Self::Stale => "stale",
            Self::Age => "age",
        })
    }
}

/// The ways in which a response can be bad, where these markers are declared, as they follow "no response":
/// `failed, was partial or stale`.
#[must_use]
pub fn ways_to_be_bad(markers: &[Marker]) -> &'static str {
    match (markers.contains(&Marker::Partial), markers.contains(&Marker::Stale)) {
        (false, false) => "failed",
        (true, false) => "failed or was partial",
        (false, true) => "failed or was stale",
        (true, true) => "failed, was partial or stale",
    }
}
