//! Values that go in and come out: arrivals, responses, outcomes, the summary. No behaviour.

use crate::Error;
use chaos_model::{RequestId, Values, event::LatencyFigures};
use std::{sync::Arc, time::Duration};

/// Looks at each response while it is in memory. It runs between requests, on the task that made the request: it is no
/// place to wait, and what it takes is missing from the generator's speed, not from the latency that is reported.
pub trait CheckResponse: Send + Sync {
    /// The marks to keep of this response.
    fn check(&self, arrival: &Arrival, response: &Response<'_>) -> Marks;
}

/// An arrival, as it was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The number of its journey, from 0.
    pub n: u64,
    /// The step of its journey, from 0.
    pub step: u32,
    /// The request that it makes, as its place in the load.
    pub request: usize,
    /// The moment at which it is due, from the beginning of the warm-up.
    pub intended: Duration,
    /// The values of the load's variables, and what steps before it have captured.
    pub vars: Values,
}

/// A complete response.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The header fields.
    pub headers: &'a http::HeaderMap,
    /// The time from when the request was due to its last byte.
    pub latency: Duration,
    /// The body, in full and as it came, coded or not; none where it was larger than [`BODY_LIMIT`](crate::BODY_LIMIT).
    pub body: Option<&'a [u8]>,
}

/// Marks of a response: what [`CheckResponse`] noted of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Bits, whose meaning is its own.
    pub bits: u64,
    /// Bits of which it can't be said whether the response has them.
    pub unknown: u64,
    /// The age that the response told.
    pub age: Option<Duration>,
    /// The instance that the response says it came of.
    pub instance: Option<Arc<str>>,
    /// The beginning of the body, where it is worth to be shown.
    pub excerpt: Option<Arc<str>>,
    /// True where the response is a failure, which ends its journey.
    pub failed: bool,
    /// The values that later steps of its journey take from it.
    pub captured: Values,
    /// The value that its journey could not capture from it, and why, in words.
    pub uncaptured: Option<Arc<str>>,
    /// Values that were worth a note, in words, each with a bit that says what for.
    pub notes: Vec<(u32, String)>,
}

/// The rest of a journey, as the outcome of one of its steps leaves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// There is none: it was the last step, or the next one would be due after the load's end.
    #[default]
    Nothing,
    /// The next step is due at this moment.
    Due(Duration),
    /// It failed, so that so many steps are not reached.
    NotReached(u32),
}

/// The outcome of an arrival. All times are from the beginning of the warm-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The number of its journey.
    pub n: u64,
    /// The step of its journey, from 0.
    pub step: u32,
    /// The request that it made, as its place in the load.
    pub request: usize,
    /// The moment at which it was due.
    pub intended: Duration,
    /// The moment at which it was begun; none where it was not made.
    pub started: Option<Duration>,
    /// The moment at which the last byte of the response came, or at which it became clear that none will.
    pub ended: Duration,
    /// True where it was made twice: its first connection, a reused one that had idled, closed as the request went out.
    pub retried: bool,
    /// The status, or the reason why there is none.
    pub result: Result<u16, Error>,
    /// Marks of the response; none without a response.
    pub marks: Marks,
    /// The rest of its journey.
    pub rest: Rest,
}

impl Outcome {
    /// The request that it was.
    #[must_use]
    pub fn id(&self) -> RequestId {
        RequestId { n: self.n, step: self.step }
    }

    /// From when it was due until it ended.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.ended.saturating_sub(self.intended)
    }
}

/// The generator's own figures: due, made, late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Arrivals that were due, each step of a journey being one. There is an outcome for each.
    pub due: u64,
    /// Arrivals that were made.
    pub made: u64,
    /// Arrivals that were not made.
    pub not_made: u64,
    /// The lateness of those that were made; none if none was.
    pub late: Option<LatencyFigures>,
}
