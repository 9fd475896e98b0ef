//! What goes in and comes out: arrivals, answers, outcomes, the summary. No behaviour.

use crate::Error;
use chaos_model::event::LatencyFigures;
use std::{collections::BTreeMap, time::Duration};

/// Looks at each answer while it is in memory. It runs between requests, on the task that made the request: it is no place
/// to wait, and what it takes is missing from the generator's speed, not from the latency that is reported.
pub trait Examine: Send + Sync {
    /// What there is to note about the answer.
    fn examine(&self, arrival: &Arrival, answer: &Answer<'_>) -> Marks;
}

/// An arrival, as it was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number, from 0.
    pub n: u64,
    /// Which of the load's requests it makes.
    pub request: usize,
    /// When it is due, from the beginning of the warm-up.
    pub intended: Duration,
    /// The values of the load's variables.
    pub vars: BTreeMap<String, u64>,
}

/// A complete answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// Its header.
    pub headers: &'a http::HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

/// What [`Examine`] noted; the bits are its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(pub u64);

/// What came of an arrival. All times are from the beginning of the warm-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The arrival's number.
    pub n: u64,
    /// Which of the load's requests it made.
    pub request: usize,
    /// When it was due.
    pub intended: Duration,
    /// When it was begun; none where it was not made.
    pub started: Option<Duration>,
    /// When the last byte of the answer came, or when it became clear that none will.
    pub ended: Duration,
    /// The status, or why there is none.
    pub result: Result<u16, Error>,
    /// What was noted about the answer; none without an answer.
    pub marks: Marks,
}

impl Outcome {
    /// From when it was due until it ended.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.ended.saturating_sub(self.intended)
    }
}

/// How the generator itself did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Arrivals that were due. There is an outcome for each.
    pub due: u64,
    /// Arrivals that were made.
    pub made: u64,
    /// Arrivals that were not made.
    pub not_made: u64,
    /// How late those that were made were begun; none if none was.
    pub late: Option<LatencyFigures>,
}
