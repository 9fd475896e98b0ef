//! Journeys: requests that one client makes one after the other.
//!
//! A step is due when the one before has ended and its think time is over. One that fails ends its journey: those after it are
//! not reached, which makes them no requests.

use std::{fmt, time::Duration};

use crate::quantity::show_duration;

/// The place of a request in its journey.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The number of the step, from 0.
    pub nth: u32,
    /// The name of the journey, where it has one.
    pub journey: Option<String>,
    /// The time from the end of the step before until it is due.
    pub think: Think,
    /// Values that are taken from its response, for the steps after it.
    pub captures: Vec<Capture>,
}

/// A think time: each client draws its own, uniformly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Think {
    /// The shortest.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

/// As written: `500ms`, `1s..3s`.
impl fmt::Display for Think {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show_duration(self.least))?;
        if self.least < self.most { write!(f, "..{}", show_duration(self.most)) } else { Ok(()) }
    }
}

/// A value that is taken from a response into a variable. A response without it has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The name of the variable.
    pub name: String,
    /// The place of the value.
    pub from: CaptureFrom,
    /// A regular expression that is looked for there: its first group, or all of it where it has none.
    pub pattern: Option<String>,
}

/// A place that values are captured from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureFrom {
    /// A JSONPath (RFC 9535), of which the first value counts. It keeps its type.
    Json(String),
    /// A header field, by its name in lower case.
    Header(String),
    /// A cookie that the response sets (RFC 6265), by its name.
    Cookie(String),
    /// The body, as text.
    Body,
}

/// As written: `$.token`, `header location`, `cookie session`, `regex id=(\d+)`.
impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            CaptureFrom::Json(path) => f.write_str(path)?,
            CaptureFrom::Header(name) => write!(f, "header {name}")?,
            CaptureFrom::Cookie(name) => write!(f, "cookie {name}")?,
            CaptureFrom::Body => {}
        }
        let Some(pattern) = &self.pattern else { return Ok(()) };
        let space = if self.from == CaptureFrom::Body { "" } else { " " };
        write!(f, "{space}regex {pattern}")
    }
}
