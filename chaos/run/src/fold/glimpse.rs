//! Glimpses: arrivals of a stretch of the timeline by what is known of them now, while some are still under way. For what is
//! decided in mid-run; verdicts wait until all is known.

use super::{
    selections::Selections,
    slices::Closed,
    tally::{Counted, Tally, arrival},
};
use chaos_load::{Error, Marks, Outcome, Rest, Schedule};
use chaos_model::{Load, Phase, RequestId, check::Unknown};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    iter::Peekable,
    time::Duration,
};

/// Arrivals of a stretch of the timeline by what is known of them at some moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glimpse {
    pub(crate) tally: Tally,
    /// True if the harness or the machine was not what it should be.
    pub(crate) strained: bool,
}

/// All that glimpses need beyond the fold: what is under way, and slices that are over.
pub(super) struct Glimpses {
    warmup: Duration,
    timeout: Duration,
    /// Journeys that had not begun when it was looked last.
    schedule: Peekable<Schedule>,
    /// Further steps of journeys that were not due then, in their order.
    following: BTreeSet<(Duration, RequestId)>,
    /// Requests that have not ended, with when they were due. From the beginning of the warm-up.
    under_way: BTreeMap<RequestId, Duration>,
    /// The last slices that are over, with whether they were strained.
    over: VecDeque<(Closed, bool)>,
    /// The time for which these are kept.
    keep: Duration,
}

impl Glimpses {
    pub(super) fn new(load: &Load, seed: u64, keep: Duration) -> Self {
        Self {
            warmup: load.warmup,
            timeout: load.timeout,
            schedule: Schedule::new(load, seed).peekable(),
            following: BTreeSet::new(),
            under_way: BTreeMap::new(),
            over: VecDeque::new(),
            keep,
        }
    }

    /// Takes note that an arrival has ended.
    pub(super) fn ended(&mut self, outcome: &Outcome) {
        self.due_by(outcome.intended);
        self.under_way.remove(&outcome.id());
        if let Rest::Due(due) = outcome.rest {
            self.following.insert((due, RequestId { n: outcome.n, step: outcome.step + 1 }));
        }
    }

    /// Keeps a slice that is over.
    pub(super) fn keep(&mut self, closed: &Closed, strained: bool) {
        let oldest = closed.slice.to.saturating_sub(self.keep);
        while self.over.front().is_some_and(|(other, _)| other.slice.to < oldest) {
            self.over.pop_front();
        }
        // Each arrival is a part of what its slice was made of, and is needed there no longer.
        let mut closed = closed.clone();
        closed.parts.iter_mut().for_each(|part| part.arrivals.clear());
        self.over.push_back((closed, strained));
    }

    /// The slices that are kept.
    pub(super) fn over(&self) -> impl Iterator<Item = &(Closed, bool)> {
        self.over.iter()
    }

    /// The number of arrivals that were due by a moment of the timeline, and that have waited for longer than `usual` now.
    pub(super) fn hang(&mut self, (by, now): (Duration, Duration), usual: Duration) -> u64 {
        self.waiting((Duration::ZERO, by), now, usual).count() as u64
    }

    /// Adds the arrivals of a stretch that have waited for longer than `usual` now: they may come to anything. Which requests
    /// they make is not looked into, so that those of all selections count.
    pub(super) fn add_under_way(
        &mut self,
        tally: &mut Tally,
        (stretch, now): ((Duration, Duration), Duration),
        usual: Duration,
        counted: &[Counted],
    ) {
        let (warmup, timeout) = (self.warmup, self.timeout);
        for (RequestId { n, step }, intended) in self.waiting(stretch, now, usual) {
            let (result, marks) = (Err(Error::NotMade), Marks::default());
            let ended = warmup + now;
            let (started, retried, rest) = (None, false, Rest::Nothing);
            let outcome = Outcome { n, step, request: 0, intended, started, ended, retried, result, marks, rest };
            let seen = arrival(&outcome, warmup, timeout);
            tally.add(&outcome, seen, counted);
            let has: Vec<Option<bool>> = counted.iter().map(|check| check.has(&outcome, seen)).collect();
            tally.doubt(Unknown::NotMade, &has);
            tally.unknown.seen.record(seen.latency);
            // It has taken so long already.
            tally.unknown.least.record(outcome.latency());
            tally.unknown.likely.record(outcome.latency());
        }
    }

    /// The arrivals of a stretch that have waited for longer than `usual` now, by number, with when they were due.
    fn waiting(
        &mut self,
        (from, to): (Duration, Duration),
        now: Duration,
        usual: Duration,
    ) -> impl Iterator<Item = (RequestId, Duration)> + '_ {
        let (from, to, now) = (self.warmup + from, self.warmup + to, self.warmup + now);
        self.due_by(now);
        let waits = move |at: Duration| from <= at && at < to && now.saturating_sub(at) > usual;
        self.under_way.iter().map(|(id, at)| (*id, *at)).filter(move |(_, at)| waits(*at))
    }

    fn due_by(&mut self, moment: Duration) {
        while let Some((n, at)) = self.schedule.next_if(|(_, at)| *at <= moment) {
            self.under_way.insert(n.into(), at);
        }
        while let Some((at, id)) = self.following.first().copied().filter(|(at, _)| *at <= moment) {
            self.following.pop_first();
            self.under_way.insert(id, at);
        }
    }
}

impl Glimpse {
    /// Adds what a slice has of a phase, if it lies in the stretch, for the requests of a selection.
    pub(super) fn add(
        &mut self,
        (phase, (from, to)): (&Phase, (Duration, Duration)),
        selection: usize,
        closed: &Closed,
        strained: bool,
    ) {
        let is_within = from <= closed.slice.from && closed.slice.to <= to && phase.judges(&closed.slice);
        let Some(part) = closed.parts.get(selection).filter(|_| is_within) else { return };
        self.strained |= strained;
        self.tally.merge(&part.plain);
        if phase.kind.judges_straddled() {
            self.tally.merge(&part.straddled);
        }
    }

    /// Adds an outcome that no slice has taken yet.
    pub(super) fn add_outcome(
        &mut self,
        outcome: &Outcome,
        (selections, selection): (&Selections, usize),
        (warmup, timeout): (Duration, Duration),
        counted: &[Counted],
    ) {
        if selections.has(selection, outcome.request) {
            self.tally.add(outcome, arrival(outcome, warmup, timeout), counted);
        }
    }
}
