//! Slices of a run, made of outcomes as they come in. Pure: it is told what ended and what was acknowledged, and
//! says which slices can't change any more.
//!
//! A slice is over when every arrival that was due in it has ended, and all slices before it are over. So few are
//! open at any moment: those of the last seconds, as many as the slowest request takes.

mod cuts;

use chaos_load::{Outcome, Schedule};
use chaos_model::{Scenario, Slice, slice::Counts};
use cuts::Cuts;
use std::{collections::VecDeque, iter::Peekable, time::Duration};

/// The slices of a run that can still change.
pub(crate) struct Slices {
    warmup: Duration,
    timeout: Duration,
    faults: Vec<(Duration, Duration)>,
    /// Names of the load's requests; empty where there is but one.
    names: Vec<String>,
    /// Arrivals that are due after all open slices.
    schedule: Peekable<Schedule>,
    cuts: Cuts,
    /// In the order of time, without gaps.
    open: VecDeque<Open>,
    /// Outcomes that ended after an edge which has not been passed yet: how late its changes are acknowledged decides
    /// what they belong to.
    waiting: Vec<(Outcome, Option<Duration>)>,
}

/// A slice that can change. Its times count from the beginning of the warm-up.
struct Open {
    from: Duration,
    to: Duration,
    /// The arrivals that are due in it, once it is known that it will not be cut.
    due: Option<u64>,
    ended: u64,
    slice: Slice,
}

impl Slices {
    /// The slices of a scenario, before the first outcome. `edges` are the moments of the timeline that are going
    /// to be passed, in order.
    pub(crate) fn new(scenario: &Scenario, seed: u64, edges: impl IntoIterator<Item = Duration>) -> Self {
        let load = &scenario.load;
        let mut names: Vec<String> = load.requests.iter().map(|request| request.name.clone()).collect();
        if names.iter().all(|name| *name == names[0]) {
            names.clear();
        }
        Self {
            warmup: load.warmup,
            timeout: load.timeout,
            faults: scenario.faults.iter().map(|fault| (fault.at, fault.ends())).collect(),
            names,
            schedule: Schedule::new(load, seed).peekable(),
            cuts: Cuts::new(scenario, edges),
            open: VecDeque::new(),
            waiting: Vec::new(),
        }
    }

    /// Takes note that everything due at an edge was done: the next one in order. `acknowledged` says when, where
    /// anything was to be changed there.
    pub(crate) fn pass(&mut self, edge: Duration, acknowledged: Option<Duration>) {
        self.cuts.pass(edge, acknowledged);
        for (outcome, age) in std::mem::take(&mut self.waiting) {
            self.add(outcome, age);
        }
    }

    /// Counts an outcome. Every arrival that was due has to come here once.
    pub(crate) fn add(&mut self, outcome: Outcome, age: Option<Duration>) {
        if !self.cuts.are_known_until(outcome.ended) {
            self.waiting.push((outcome, age));
            return;
        }
        self.open_until(outcome.ended.max(outcome.intended));
        let first = self.open.partition_point(|open| open.to <= outcome.intended);
        let straddles = self.straddles(&outcome);
        let under_way = self.open.iter_mut().skip(first).take_while(|open| open.to <= outcome.ended);
        for open in under_way.filter(|_| outcome.started.is_some()) {
            open.slice.in_flight += 1;
        }
        // An arrival that is due when the load has ended is none, so it has a slice.
        let Some(open) = self.open.get_mut(first) else { return };
        open.ended += 1;
        let timeout = self.timeout;
        let count = |counts: &mut Counts| count(counts, &outcome, age, timeout);
        count(if straddles { &mut open.slice.straddled } else { &mut open.slice.counts });
        if let Some(name) = self.names.get(outcome.request) {
            let named = match open.slice.requests.get_mut(name) {
                Some(named) => named,
                None => open.slice.requests.entry(name.clone()).or_default(),
            };
            count(if straddles { &mut named.straddled } else { &mut named.counts });
        }
    }

    /// The next slice that can't change any more, at this moment of the timeline.
    pub(crate) fn next(&mut self, now: Duration) -> Option<Slice> {
        let now = self.warmup + now;
        loop {
            self.open_until(now);
            let open = self.open.front_mut()?;
            if open.to > now || !self.cuts.are_known_until(open.to.saturating_sub(Duration::from_nanos(1))) {
                return None;
            }
            let due = *open.due.get_or_insert_with(|| {
                let mut due = 0;
                while self.schedule.next_if(|(_, intended)| *intended < open.to).is_some() {
                    due += 1;
                }
                due
            });
            if open.ended < due {
                return None;
            }
            let over = self.open.pop_front()?;
            // The warm-up is a slice as well, but nobody is told of it.
            if over.from >= self.warmup {
                return Some(over.slice);
            }
        }
    }

    /// Opens all slices that begin by a moment, as far as it is known how they are cut.
    fn open_until(&mut self, moment: Duration) {
        loop {
            let from = self.open.back().map_or(self.cuts.reached(), |open| open.to);
            if from > moment || !self.cuts.are_known_until(from) {
                return;
            }
            let Some((to, pending)) = self.cuts.next() else { return };
            let slice = Slice {
                from: from.saturating_sub(self.warmup),
                to: to.saturating_sub(self.warmup),
                pending,
                ..Slice::default()
            };
            self.open.push_back(Open { from, to, due: None, ended: 0, slice });
        }
    }

    /// True if a request began before a fault and ended within or after it, and not within another fault: what it met
    /// belongs to neither phase.
    fn straddles(&self, outcome: &Outcome) -> bool {
        let (began, ended) = (outcome.intended.checked_sub(self.warmup), outcome.ended.saturating_sub(self.warmup));
        let Some(began) = began else { return false };
        let inside = self.faults.iter().any(|(at, ends)| *at <= began && began < *ends);
        !inside && self.faults.iter().any(|(at, _)| began < *at && ended >= *at)
    }
}

/// Counts an outcome among others.
fn count(counts: &mut Counts, outcome: &Outcome, age: Option<Duration>, timeout: Duration) {
    counts.due += 1;
    match outcome.started {
        Some(_) => counts.sent += 1,
        None => counts.missed += 1,
    }
    let latency = match &outcome.result {
        Ok(status) => {
            *counts.statuses.entry(*status).or_default() += 1;
            outcome.latency()
        }
        Err(error) => {
            *counts.unanswered.entry(error.to_string()).or_default() += 1;
            // As long as a client would have waited: to leave it out would flatter the slowest.
            outcome.latency().max(timeout)
        }
    };
    counts.latency.record(latency);
    counts.partial += u64::from(crate::responses::is_partial(outcome.marks));
    counts.stale += u64::from(crate::responses::is_stale(outcome.marks));
    counts.oldest = counts.oldest.max(age);
}
