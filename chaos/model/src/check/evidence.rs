//! Evidence: what a check is judged by, and what comes of it. Its size depends on no number of requests.

use super::{Against, Unknowns, reading::Readings, share};
use crate::{
    CallReading, Comparison, Fault, Margin, RequestId, Share, Verdict,
    event::Probed,
    ledger::{Recovery, Uncharged},
    margin::Bounded,
    responses::Marker,
    slice::Counts,
};
use std::{sync::Arc, time::Duration};

/// An arrival that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The number of its journey.
    pub n: u64,
    /// The step of its journey, from 0.
    pub step: u32,
    /// The moment at which it was due, on the timeline.
    pub at: Duration,
    /// The status, or the reason why there is none.
    pub result: Result<u16, &'static str>,
    /// The time from when it was due; of those without a response at least the client's timeout.
    pub latency: Duration,
    /// The response was good, by the system's `[responses]`.
    pub good: bool,
    /// The response was marked partial.
    pub partial: bool,
    /// The response was marked stale.
    pub stale: bool,
    /// The age that the response told.
    pub age: Option<Duration>,
    /// The response passed the test of the check that is asking.
    pub passed: bool,
}

impl Arrival {
    /// The request that it is.
    #[must_use]
    pub fn request(&self) -> RequestId {
        RequestId { n: self.n, step: self.step }
    }

    /// Its place among all arrivals: by when it was due.
    #[must_use]
    pub fn order(&self) -> (Duration, RequestId) {
        (self.at, self.request())
    }

    /// True if it failed (no response, or none that is good), was partial or stale.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        !self.good || self.partial || self.stale
    }

    /// The end of it in words: `had response 500`, `had no response: timeout`.
    #[must_use]
    pub fn came(&self) -> String {
        match self.result {
            Ok(status) => format!("had response {status}"),
            Err(why) => format!("had no response: {why}"),
        }
    }
}

/// An arrival that shows something, and what was seen of its response, if a test looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The arrival.
    pub arrival: Arrival,
    /// The value that the test saw, in words.
    pub saw: Option<String>,
    /// The instance that its response says it came of.
    pub instance: Option<Arc<str>>,
    /// The beginning of the response's body, decoded and without secrets.
    pub excerpt: Option<Arc<str>>,
    /// The value that its journey could not capture from it, and why, in words.
    pub uncaptured: Option<Arc<str>>,
}

/// Arrivals that have what a check counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// The number of those that have it.
    pub with: u64,
    /// The number of those of them that might not have it, were it not for the harness,
    pub excused_with: u64,
    /// and of those without it that might.
    pub excused_without: u64,
    /// The same, were it not for the machine.
    pub pressed_with: u64,
    /// The same of those without it.
    pub pressed_without: u64,
    /// The first that has it,
    pub first_with: Option<Example>,
    /// and the first that doesn't.
    pub first_without: Option<Example>,
    /// The number of those of which it can't be said, since their bodies could not be looked into,
    pub unknown: u64,
    /// and the first of them.
    pub first_unknown: Option<Example>,
    /// Those that speak against the comparison.
    pub against: Against,
}

/// A fault, and what became of the system by it.
#[derive(Clone, Debug)]
pub struct FaultSeen<'a> {
    /// The fault.
    pub fault: &'a Fault,
    /// The time from when it took effect to the first bad response that it is charged with.
    pub detected: Option<Duration>,
    /// Bad responses while it was there, where it is charged with none.
    pub uncharged: Option<Uncharged>,
    /// The time from when it was taken back until responses were as good as in the baseline.
    pub recovery: Recovery,
    /// The time that this took at the least: what was bad later may have been so by chance. None where it did not happen.
    pub at_least: Option<Duration>,
    /// The last bad arrival after it.
    pub last_bad: Option<Arrival>,
}

/// Evidence for one check: all that is known of its scope.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The beginning of the window that the scope means, on the timeline,
    pub from: Duration,
    /// and its end.
    pub to: Duration,
    /// For `after`: how soon something must be reached, counted from the fault's end, which is `from` less this.
    pub within: Option<Duration>,
    /// The baseline's beginning and end; both 0 where there is none.
    pub baseline: (Duration, Duration),
    /// The requests that were due in the window and made, those included that are counted apart.
    pub made: u64,
    /// Counts of the arrivals that belong to it.
    pub counts: &'a Counts,
    /// Those of them of which it can't be known how they would have come out.
    pub unknown: &'a Unknowns,
    /// True where the load, or the machine that it ran on, was not what it should have been: what does not hold may be their doing.
    pub strained: Option<&'a str>,
    /// The slowest of them,
    pub slowest: Option<Arrival>,
    /// and that with the oldest response.
    pub oldest: Option<Arrival>,
    /// Those of them that have what this check counts.
    pub marked: &'a Marked,
    /// Probes of the service that this check asks about, in the order in which they began.
    pub probes: &'a [Probed],
    /// Readings of the series that this check asks for, in its order.
    pub readings: Readings<'a>,
    /// Readings of the calls that this check asks for, in the order of time.
    pub calls: &'a [CallReading],
    /// The fault that the scope is about.
    pub fault: Option<FaultSeen<'a>>,
    /// The markers that the system declares.
    pub markers: &'a [Marker],
}

impl Evidence<'_> {
    /// Judges the share of arrivals that have what the check counts, of all that were due.
    #[must_use]
    pub fn share(&self, bound: &Comparison<Share>) -> Finding {
        share::judge(self, bound)
    }
}

/// The result of one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The value that was seen, in words.
    pub seen: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The part of the room that the bound leaves, where it leaves some and that is known.
    pub margin: Option<Margin>,
    /// An explanation, if there is any.
    pub note: Option<String>,
    /// True where what is not known of arrivals was weighed: the verdict holds whatever they would have come to.
    pub weighed: bool,
}

impl Finding {
    /// A finding that can't be judged, and why.
    pub fn inconclusive(seen: impl Into<String>, why: impl Into<String>) -> Self {
        Self { seen: seen.into(), verdict: Verdict::Inconclusive, margin: None, note: Some(why.into()), weighed: false }
    }

    /// A finding where the scope has nothing to judge; the language lets no such check through.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::inconclusive("unknown", "this can't be judged")
    }

    /// A finding that holds or doesn't.
    #[must_use]
    pub fn of(holds: bool, seen: String) -> Self {
        let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
        Self { seen, verdict, margin: None, note: None, weighed: false }
    }

    /// A finding by a bound of what was seen.
    #[must_use]
    pub fn by<T: Bounded>(bound: &Comparison<T>, value: &T, seen: String) -> Self {
        Self::of(bound.holds(value), seen).standing(bound.margin(value, value))
    }

    /// The same where so much of the bound's room was used.
    #[must_use]
    pub fn standing(self, margin: Option<Margin>) -> Self {
        let margin = margin.filter(|_| self.verdict != Verdict::Inconclusive);
        Self { margin: margin.map(|margin| margin.of(self.verdict == Verdict::Pass)), ..self }
    }

    /// A finding over all values that what is not known could have had, from `least` to `most`; `why` it is not known.
    #[must_use]
    pub fn between<T: Bounded>(
        bound: &Comparison<T>,
        (least, most): (&T, &T),
        seen: String,
        why: impl FnOnce() -> String,
    ) -> Self {
        let finding = if bound.holds_throughout(least, most) {
            Self::of(true, seen)
        } else if bound.holds_between(least, most) {
            Self::inconclusive(seen, why())
        } else {
            Self::of(false, seen)
        };
        Self { weighed: true, ..finding }.standing(bound.margin(least, most))
    }

    /// The same where neither load nor machine can be the reason for it.
    #[must_use]
    pub fn whatever_the_load(self) -> Self {
        Self { weighed: true, ..self }
    }

    /// The finding as far as load and machine allow it, where they were not what they should have been and that was not weighed:
    /// what does not hold may be their doing.
    #[must_use]
    pub fn unless_strained(self, evidence: &Evidence<'_>) -> Self {
        match evidence.strained {
            Some(why) if self.verdict == Verdict::Fail && !self.weighed => Self::inconclusive(self.seen, why),
            _ => self,
        }
    }

    /// The same with an explanation where it did not hold.
    #[must_use]
    pub fn explained(mut self, why: impl FnOnce() -> Option<String>) -> Self {
        if self.verdict == Verdict::Fail {
            self.note = why();
        }
        self
    }
}

/// A moment of the timeline in words: `at 4.31s`.
pub(super) fn at(moment: Duration) -> String {
    format!("at {:.2}s", moment.as_secs_f64())
}
