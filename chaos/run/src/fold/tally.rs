//! Tallies: what is kept of a set of arrivals, in bounded memory.

use crate::responses::{AGE, FAILED, NOTHING_THERE, PARTIAL, STALE, is_good, is_partial, is_stale};
use chaos_load::{Marks, Outcome, Rest};
use chaos_model::{
    RequestId, Scenario,
    check::{Arrival, CheckId, Example, Marked, Subject, Unknown, Unknowns},
    slice::Counts,
};
use std::{sync::Arc, time::Duration};

/// Checks that arrivals are counted for.
pub(crate) struct Counted {
    pub(crate) id: CheckId,
    subject: Arc<dyn Subject>,
    /// The bit of its test of responses among their marks.
    bit: Option<u32>,
}

impl Counted {
    /// True if a value was seen in the response that speaks against the check; that there was none may have many reasons.
    pub(crate) fn saw_against(&self, outcome: &Outcome) -> bool {
        outcome.marks.notes.iter().any(|(bit, saw)| Some(*bit) == self.bit && saw != NOTHING_THERE)
    }

    /// True if the check counts both arrivals or neither, whatever their bodies and headers were.
    pub(crate) fn is_same_for(&self, one: &Arrival, other: &Arrival) -> bool {
        self.bit.is_none() && self.subject.has(one) == self.subject.has(other)
    }

    /// The arrival as the check sees it.
    fn seen(&self, outcome: &Outcome, arrival: Arrival) -> Arrival {
        let passed = self.bit.is_some_and(|bit| outcome.marks.bits.checked_shr(bit).is_some_and(|bits| bits & 1 == 1));
        Arrival { passed, ..arrival }
    }

    /// True if an arrival is one of those that the check counts; none where that can't be said.
    pub(crate) fn has(&self, outcome: &Outcome, arrival: Arrival) -> Option<bool> {
        let arrival = self.seen(outcome, arrival);
        let has = self.subject.has(&arrival);
        let other = otherwise(&outcome.marks, self.bit, arrival);
        other.is_none_or(|other| self.subject.has(&other) == has).then_some(has)
    }

    /// All checks of a scenario, by their number. `bit` gives that of a check's test.
    pub(crate) fn all(scenario: &Scenario, bit: impl Fn(CheckId) -> Option<u32>) -> Vec<Self> {
        let checks = scenario.expectations.iter().flat_map(|expectation| &expectation.checks);
        let counted =
            checks.map(|check| Self { id: check.id, subject: Arc::clone(&check.subject), bit: bit(check.id) });
        let mut all: Vec<Self> = counted.collect();
        all.sort_by_key(|counted| counted.id);
        all
    }
}

/// The place of a check in a tally.
pub(crate) fn place(counted: &[Counted], id: CheckId) -> Option<usize> {
    counted.binary_search_by_key(&id, |counted| counted.id).ok()
}

/// The tally of a set of arrivals. It does not grow with their number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    /// Arrivals that failed, or whose responses were partial or stale.
    pub(crate) bad: u64,
    pub(crate) slowest: Option<Arrival>,
    pub(crate) oldest: Option<Arrival>,
    pub(crate) last_bad: Option<Arrival>,
    /// By check, in the order of [`Counted::all`].
    pub(crate) marked: Vec<Marked>,
    /// Those of which it can't be known how they would have come out.
    pub(crate) unknown: Unknowns,
}

/// Arrivals of a slice: those of some selection of requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// Arrivals that did not straddle the beginning of a fault,
    pub(crate) plain: Tally,
    /// and those that did.
    pub(crate) straddled: Tally,
    /// The plain ones, in their order: when it was due, which it was, and whether it was bad.
    pub(crate) arrivals: Vec<(Duration, RequestId, bool)>,
}

impl Tally {
    /// Adds an outcome, of which `arrival` is what is to be judged.
    pub(crate) fn add(&mut self, outcome: &Outcome, arrival: Arrival, counted: &[Counted]) {
        count(&mut self.counts, outcome, &arrival);
        if let Rest::NotReached(steps) = outcome.rest {
            self.counts.not_reached += u64::from(steps);
        }
        self.marked.resize(counted.len(), Marked::default());
        for (check, marked) in counted.iter().zip(&mut self.marked) {
            let has = check.has(outcome, arrival);
            let example = || {
                let mut notes = outcome.marks.notes.iter();
                let saw = check.bit.and_then(|bit| notes.find(|(of, _)| *of == bit).map(|(_, saw)| saw.clone()));
                let Marks { instance, excerpt, uncaptured, .. } = &outcome.marks;
                let (instance, excerpt, uncaptured) = (instance.clone(), excerpt.clone(), uncaptured.clone());
                Example { arrival, saw, instance, excerpt, uncaptured }
            };
            if let Some(weight) = has.and_then(|_| check.subject.against(&check.seen(outcome, arrival))) {
                marked.against.add(weight, arrival.request(), example, outcome.marks.instance.clone());
            }
            let first = match has {
                None => {
                    marked.unknown += 1;
                    &mut marked.first_unknown
                }
                Some(true) => {
                    marked.with += 1;
                    &mut marked.first_with
                }
                Some(false) => &mut marked.first_without,
            };
            if first.as_ref().is_none_or(|first| arrival.order() < first.arrival.order()) {
                *first = Some(example());
            }
        }
        let one = Self {
            bad: u64::from(arrival.is_bad()),
            slowest: Some(arrival),
            oldest: Some(arrival).filter(|arrival| arrival.age.is_some()),
            last_bad: Some(arrival).filter(Arrival::is_bad),
            ..Self::default()
        };
        self.keep(&one);
    }

    /// Takes note that one of its arrivals is unknown, which has what these checks count or doesn't, as far as that is unknown.
    pub(crate) fn doubt(&mut self, why: Unknown, has: &[Option<bool>]) {
        self.unknown.count(why);
        for (marked, has) in self.marked.iter_mut().zip(has) {
            let (with, without) = match why {
                Unknown::NotMade | Unknown::Starved => (&mut marked.excused_with, &mut marked.excused_without),
                Unknown::Pressed => (&mut marked.pressed_with, &mut marked.pressed_without),
            };
            *with += u64::from(*has == Some(true));
            *without += u64::from(*has == Some(false));
        }
    }

    /// Adds the arrivals of another tally.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.unknown.add(&other.unknown);
        self.keep(other);
        self.marked.resize(self.marked.len().max(other.marked.len()), Marked::default());
        for (marked, other) in self.marked.iter_mut().zip(&other.marked) {
            marked.with += other.with;
            marked.unknown += other.unknown;
            marked.excused_with += other.excused_with;
            marked.excused_without += other.excused_without;
            marked.pressed_with += other.pressed_with;
            marked.pressed_without += other.pressed_without;
            first(&mut marked.first_unknown, other.first_unknown.as_ref());
            first(&mut marked.first_with, other.first_with.as_ref());
            first(&mut marked.first_without, other.first_without.as_ref());
            marked.against.merge(&other.against);
        }
    }

    /// Keeps the arrivals that stand out. Of those that are alike, the last does.
    fn keep(&mut self, other: &Self) {
        self.bad += other.bad;
        self.slowest = self.slowest.into_iter().chain(other.slowest).max_by_key(|one| (one.latency, one.order()));
        self.oldest = self.oldest.into_iter().chain(other.oldest).max_by_key(|one| (one.age, one.order()));
        self.last_bad = self.last_bad.into_iter().chain(other.last_bad).max_by_key(Arrival::order);
    }
}

/// The arrival with all that can't be said of it turned round; none where everything can.
fn otherwise(marks: &Marks, bit: Option<u32>, arrival: Arrival) -> Option<Arrival> {
    let unknown = |bit: u64| marks.unknown & bit != 0;
    let test = bit.and_then(|bit| 1_u64.checked_shl(bit));
    let age = if arrival.age.is_some() { None } else { Some(Duration::MAX) };
    (marks.unknown != 0).then(|| Arrival {
        good: arrival.good != unknown(FAILED),
        partial: arrival.partial != unknown(PARTIAL),
        stale: arrival.stale != unknown(STALE),
        age: if unknown(AGE) { age } else { arrival.age },
        passed: arrival.passed != test.is_some_and(unknown),
        ..arrival
    })
}

fn first(one: &mut Option<Example>, other: Option<&Example>) {
    if let Some(other) = other
        && one.as_ref().is_none_or(|one| other.arrival.order() < one.arrival.order())
    {
        *one = Some(other.clone());
    }
}

/// An outcome as checks see it. Its time counts from the beginning of the timeline, `warmup` later than the
/// outcome's own.
pub(crate) fn arrival(outcome: &Outcome, warmup: Duration, timeout: Duration) -> Arrival {
    let latency = outcome.latency();
    Arrival {
        n: outcome.n,
        step: outcome.step,
        at: outcome.intended.saturating_sub(warmup),
        result: outcome.result.map_err(chaos_load::Error::as_str),
        // As long as a client would have waited: to leave it out would flatter the slowest.
        latency: if outcome.result.is_ok() { latency } else { latency.max(timeout) },
        good: is_good(outcome),
        partial: is_partial(&outcome.marks),
        stale: is_stale(&outcome.marks),
        age: outcome.marks.age,
        passed: false,
    }
}

/// Counts an arrival among others.
pub(crate) fn count(counts: &mut Counts, outcome: &Outcome, arrival: &Arrival) {
    counts.due += 1;
    match outcome.started {
        Some(_) => counts.sent += 1,
        None => counts.missed += 1,
    }
    counts.retried += u64::from(outcome.retried);
    match arrival.result {
        Ok(status) => *counts.statuses.entry(status).or_default() += 1,
        Err(why) => match counts.unanswered.get_mut(why) {
            Some(count) => *count += 1,
            None => drop(counts.unanswered.insert(why.to_owned(), 1)),
        },
    }
    counts.latency.record(arrival.latency);
    counts.good += u64::from(arrival.good);
    counts.partial += u64::from(arrival.partial);
    counts.stale += u64::from(arrival.stale);
    counts.oldest = counts.oldest.max(arrival.age);
}
