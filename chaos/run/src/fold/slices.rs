//! Slices of a run that can still change, made of outcomes as they come in.
//!
//! A slice is over when every arrival that was due in it has ended, and all slices before it are over. So few are
//! open at any moment: those of the last seconds, as many as the slowest request takes.

use super::{
    cuts::Cuts,
    selections::{ALL, Selections},
    strain::{self, BadArrival, Usual},
    tally::{Counted, Part, count},
};
use chaos_load::{Outcome, Rest, Schedule};
use chaos_model::{Fault, Scenario, Slice, check::Arrival, secret::masked_text, slice::PartCounts};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    iter::Peekable,
    time::Duration,
};

/// A request that is sent so late may find another phase than the one in which it was due. Simulations count in whole
/// milliseconds, so less is nothing.
const SLIP: Duration = Duration::from_millis(1);
/// The least time that recordings tell apart.
const TICK: Duration = Duration::from_micros(1);

/// The slices of a run that can still change.
pub(crate) struct Slices {
    warmup: Duration,
    /// The beginning and end of each fault, on the timeline.
    faults: Vec<(Duration, Duration)>,
    /// Names of the load's requests; empty where there is but one.
    names: Vec<String>,
    selections: Selections,
    /// Journeys that begin after all slices that have been over.
    schedule: Peekable<Schedule>,
    /// The moments at which further steps of journeys are due, as far as that is known, and their slices not over. A step is due
    /// when the one before has ended, and so never before that was due: once all that is due in a slice has ended, it is known
    /// what else is due in it.
    following: BinaryHeap<Reverse<Duration>>,
    cuts: Cuts,
    restarting: Vec<Restarting>,
    /// In the order of time, without gaps.
    open: VecDeque<Open>,
}

/// A time in which a service starts again that a fault has ended, on the timeline.
struct Restarting {
    fault: String,
    from: Duration,
    /// Not known as long as it is not ready.
    to: Option<Duration>,
}

impl Restarting {
    fn has(&self, moment: Duration) -> bool {
        self.from <= moment && self.to.is_none_or(|to| moment < to)
    }
}

/// A slice that can change. Its times count from the beginning of the warm-up.
struct Open {
    from: Duration,
    to: Duration,
    /// The arrivals that are due in it, once it is known that it will not be cut.
    due: Option<u64>,
    ended: u64,
    closed: Closed,
}

/// A slice that can't change any more, and what checks need of it beyond the counts that are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closed {
    pub(crate) slice: Slice,
    /// Its arrivals, by selection of requests.
    pub(crate) parts: Vec<Part>,
    /// Those that came out badly, until it is known what they may be excused by.
    pub(super) bad: Vec<BadArrival>,
}

impl Slices {
    /// The slices of a scenario, before the first outcome. `edges` are the moments of the timeline that are going
    /// to be passed, in order.
    pub(crate) fn new(
        scenario: &Scenario,
        seed: u64,
        selections: Selections,
        edges: impl IntoIterator<Item = Duration>,
    ) -> Self {
        let load = &scenario.load;
        // One that lasts to the end is taken back when all requests have ended.
        let is_there = |ends: Duration| if ends < scenario.timeline.duration { ends } else { Duration::MAX };
        let of_fault = |fault: &Fault| (fault.at, is_there(fault.ends()));
        let mut names: Vec<String> = load.requests.iter().map(|request| masked_text(&request.name)).collect();
        if names.windows(2).all(|pair| pair[0] == pair[1]) {
            names.clear();
        }
        Self {
            warmup: load.warmup,
            faults: scenario.faults.iter().map(of_fault).collect(),
            names,
            selections,
            schedule: Schedule::new(load, seed).peekable(),
            following: BinaryHeap::new(),
            cuts: Cuts::new(scenario, edges),
            restarting: Vec::new(),
            open: VecDeque::new(),
        }
    }

    /// Takes note that a fault's service is starting again, from an edge on that was not passed yet.
    pub(crate) fn restarts(&mut self, fault: &str, edge: Duration) {
        // Between pulses of a fault it makes no phase: that begins behind the last. Where slices aren't cut at pulses, they are
        // not cut for this either.
        if !self.cuts.is_fixed(edge) {
            return;
        }
        self.cut(edge);
        self.restarting.push(Restarting { fault: fault.to_owned(), from: edge, to: None });
    }

    /// Takes note that the services of these faults are ready again, at this moment of the timeline, up to which all slices
    /// are told at most.
    pub(crate) fn is_back(&mut self, faults: &[&str], at: Duration) {
        let is_of_these = |one: &Restarting| one.to.is_none() && faults.contains(&one.fault.as_str());
        if !self.restarting.iter().any(is_of_these) {
            return;
        }
        // What was due at this very moment may have come in, and stays where it is.
        let at = at + TICK;
        self.cut(at);
        self.restarting.iter_mut().filter(|one| is_of_these(one)).for_each(|one| one.to = Some(at));
    }

    /// Cuts the slices that can change at one more moment, by which nothing has come in that was due later.
    fn cut(&mut self, at: Duration) {
        let begins = |open: &Open| open.from == self.warmup + at;
        if self.open.back().is_some_and(begins) {
            return;
        }
        if let (Some(old), Some(last)) = (self.cuts.cut(at), self.open.back_mut()) {
            debug_assert_eq!(last.to, old, "the slices that are open end where the next begins");
            last.to = self.warmup + at;
            last.closed.slice.to = at;
        }
    }

    /// Takes note that everything due at an edge was done: the next one in order. `acknowledged` says when, where
    /// anything was to be changed there.
    pub(crate) fn pass(&mut self, edge: Duration, acknowledged: Option<Duration>) {
        self.cuts.pass(edge, acknowledged);
    }

    /// True if all edges up to a moment have been passed. Outcomes that ended later have to wait: how late an edge's
    /// changes are acknowledged decides what they belong to.
    pub(crate) fn can_take(&self, ended: Duration) -> bool {
        self.cuts.are_known_until(ended)
    }

    /// Counts an outcome. Every arrival that was due has to come here once.
    pub(crate) fn add(&mut self, outcome: &Outcome, arrival: Arrival, counted: &[Counted]) {
        self.open_until(outcome.ended.max(outcome.intended));
        if let Rest::Due(due) = outcome.rest {
            self.following.push(Reverse(due));
        }
        let first = self.open.partition_point(|open| open.to <= outcome.intended);
        let straddles = self.straddles(outcome);
        if outcome.started.is_some() {
            let under_way = self.open.iter_mut().skip(first).take_while(|open| open.to <= outcome.ended);
            under_way.for_each(|open| open.closed.slice.in_flight += 1);
        }
        let Some(open) = self.open.get_mut(first) else { return };
        open.ended += 1;
        if outcome.intended < self.warmup {
            return;
        }
        let Closed { slice, parts, bad } = &mut open.closed;
        let late = outcome.started.map_or(Duration::ZERO, |at| at.saturating_sub(outcome.intended));
        slice.latest = slice.latest.max(late);
        bad.extend(BadArrival::of(outcome, arrival, straddles, counted));
        for selection in self.selections.having(outcome.request) {
            let Part { plain, straddled, arrivals } = &mut parts[selection];
            let tally = if straddles { straddled } else { plain };
            tally.add(outcome, arrival, counted);
            if !straddles && !self.faults.is_empty() {
                arrivals.push((arrival.at, arrival.request(), arrival.is_bad()));
            }
        }
        // What was not reached is counted where it would have been.
        if let Rest::NotReached(steps) = outcome.rest {
            let places = (outcome.request + 1..).take(usize::try_from(steps).unwrap_or_default());
            for name in places.filter_map(|place| self.names.get(place)) {
                counts_of(&mut slice.requests, name).into_iter().for_each(|part| part.counts.not_reached += 1);
            }
        }
        let request = self.names.get(outcome.request).and_then(|name| counts_of(&mut slice.requests, name));
        let instance = outcome.marks.instance.as_deref().and_then(|name| counts_of(&mut slice.instances, name));
        for part in request.into_iter().chain(instance) {
            count(if straddles { &mut part.straddled } else { &mut part.counts }, outcome, &arrival);
        }
    }

    /// Takes note of an arrival that was given up: it has ended, and is counted nowhere.
    pub(crate) fn give_up(&mut self, outcome: &Outcome) {
        self.open_until(outcome.intended);
        if let Some(open) = self.open.iter_mut().find(|open| outcome.intended < open.to) {
            open.ended += 1;
        }
    }

    /// Takes note that the runner itself was so late at a moment of the timeline.
    pub(crate) fn note_late(&mut self, at: Duration, late: Duration) {
        let at = self.warmup + at;
        let here = self.open.iter_mut().find(|open| open.from <= at && at < open.to);
        if let Some(Open { closed: Closed { slice, .. }, .. }) = here {
            slice.latest = slice.latest.max(late);
        }
    }

    /// The slices of the timeline that can change, as they are now, up to a moment.
    pub(crate) fn open(&self, now: Duration) -> impl Iterator<Item = Closed> + '_ {
        let is_told = move |open: &&Open| open.from >= self.warmup && open.to <= self.warmup + now;
        self.open.iter().filter(is_told).map(|open| open.closed.clone().finish())
    }

    /// The next slice that can't change any more, at this moment of the timeline.
    pub(crate) fn next(&mut self, now: Duration) -> Option<Closed> {
        let now = self.warmup + now;
        loop {
            self.open_until(now);
            let open = self.open.front_mut()?;
            // An edge at its end may be open: what ended after that waits, and is missed here.
            if open.to > now || !self.cuts.are_known_until(open.from) {
                return None;
            }
            let due = open.due.get_or_insert_with(|| {
                let mut due = 0;
                while self.schedule.next_if(|(_, intended)| *intended < open.to).is_some() {
                    due += 1;
                }
                due
            });
            while self.following.peek().is_some_and(|Reverse(intended)| *intended < open.to) {
                self.following.pop();
                *due += 1;
            }
            if open.ended < *due {
                return None;
            }
            let over = self.open.pop_front()?;
            // The warm-up is a slice as well, but nobody is told of it.
            if over.from >= self.warmup {
                return Some(over.closed.finish());
            }
        }
    }

    /// Opens all slices that begin by a moment, as far as it is known how they are cut.
    fn open_until(&mut self, moment: Duration) {
        loop {
            let from = self.cuts.reached();
            if from > moment || !self.cuts.are_known_until(from) {
                return;
            }
            let Some((to, pending)) = self.cuts.next() else { return };
            let (begins, ends) = (from.saturating_sub(self.warmup), to.saturating_sub(self.warmup));
            let restarting = self.restarting.iter().filter(|one| from >= self.warmup && one.has(begins));
            let restarting = restarting.map(|one| one.fault.clone()).collect();
            let slice = Slice { from: begins, to: ends, pending, restarting, ..Slice::default() };
            let parts = vec![Part::default(); self.selections.count()];
            let closed = Closed { slice, parts, ..Closed::default() };
            self.open.push_back(Open { from, to, due: None, ended: 0, closed });
        }
    }

    /// True if a request began before a fault and ended within or after it, and not within another fault; or if it was sent so
    /// late that the fault was over in which it was due.
    fn straddles(&self, outcome: &Outcome) -> bool {
        let Some(began) = outcome.intended.checked_sub(self.warmup) else { return false };
        let ended = outcome.ended.saturating_sub(self.warmup);
        let inside = self.faults.iter().any(|(at, ends)| *at <= began && began < *ends);
        let met = !inside && self.faults.iter().any(|(at, _)| began < *at && ended >= *at);
        met || self.slipped(outcome, began)
    }

    /// True if a request was due within a fault and sent so late that it found none: that is the generator's doing.
    fn slipped(&self, outcome: &Outcome, began: Duration) -> bool {
        let Some(sent) = outcome.started.map(|at| at.saturating_sub(self.warmup)) else { return false };
        let is_late = sent >= began + SLIP;
        is_late && self.faults.iter().any(|(at, ends)| *at <= began && began < *ends && *ends <= sent)
    }
}

/// Counts of the part of the arrivals that has this name.
fn counts_of<'p>(parts: &'p mut BTreeMap<String, PartCounts>, name: &str) -> Option<&'p mut PartCounts> {
    // A name is known after its first time, and need not be copied again.
    if !parts.contains_key(name) {
        parts.insert(name.to_owned(), PartCounts::default());
    }
    parts.get_mut(name)
}

impl Closed {
    /// Takes note of the arrivals that the harness or the machine may have spoilt; true if either was under strain.
    pub(super) fn weigh(&mut self, selections: &Selections, timeout: Duration, usual: Usual) -> bool {
        strain::weigh(&self.slice, &self.bad, (selections, &mut self.parts), (timeout, usual)).is_some()
    }

    fn finish(mut self) -> Self {
        if let Some(all) = self.parts.get(ALL) {
            self.slice.counts = all.plain.counts.clone();
            self.slice.straddled = all.straddled.counts.clone();
        }
        self.parts.iter_mut().for_each(|part| part.arrivals.sort_unstable());
        self
    }
}
