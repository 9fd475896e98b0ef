//! Strain: which arrivals of a slice the harness or the machine may have spoilt.

use super::{
    selections::Selections,
    tally::{Counted, Part, Tally},
};
use chaos_load::Outcome;
use chaos_model::{
    Histogram, Slice,
    check::{Arrival, Bad, Strain, Unknown},
};
use std::time::Duration;

/// An arrival of a slice that came out badly.
#[derive(Clone, Debug)]
pub(super) struct BadArrival {
    bad: Bad,
    /// The place of its request among the load's.
    request: usize,
    straddles: bool,
    /// By check, whether it has what that counts; none where that is so whatever the load was.
    has: Vec<Option<bool>>,
}

impl BadArrival {
    /// The arrival, if it came out badly.
    pub(super) fn of(outcome: &Outcome, arrival: Arrival, straddles: bool, counted: &[Counted]) -> Option<Self> {
        let bad = Bad { latency: outcome.latency(), made: outcome.started.is_some() };
        // A response that is good and shows what it must not, another user's data say, does so on any machine; and one that
        // would have been complete and fresh with more time would have had the same status.
        let same = |check: &Counted| check.is_same_for(&arrival, &Arrival { partial: false, stale: false, ..arrival });
        let known = |check: &Counted| arrival.good && (check.saw_against(outcome) || same(check));
        let has = |check| (!known(check)).then(|| check.has(outcome, arrival)).flatten();
        let has = || counted.iter().map(has).collect();
        arrival.is_bad().then(|| Self { bad, request: outcome.request, straddles, has: has() })
    }
}

/// Takes note of the arrivals of a slice that the harness or the machine may have spoilt, among those of each selection of
/// requests; gives the strain that they were under.
pub(super) fn weigh(
    slice: &Slice,
    arrivals: &[BadArrival],
    (selections, parts): (&Selections, &mut [Part]),
    (timeout, usual): (Duration, Usual),
) -> Option<Strain> {
    let strain = Strain::of(slice)?;
    let bad: Vec<Bad> = arrivals.iter().map(|one| one.bad).collect();
    let unknown = strain.excuses(&bad).into_iter().zip(arrivals).filter_map(|(why, one)| Some((why?, one)));
    for (why, one) in unknown {
        for selection in selections.having(one.request) {
            let part = &mut parts[selection];
            let tally = if one.straddles { &mut part.straddled } else { &mut part.plain };
            tally.unknown.usual |= usual.is_bad;
            tally.doubt(why, &one.has);
            // It would have taken some time, and that isn't known; it counts as the client's timeout.
            if why == Unknown::NotMade {
                tally.unknown.seen.record(timeout.max(one.bad.latency));
                tally.unknown.least.record(Duration::ZERO);
                tally.unknown.likely.record(Duration::ZERO);
            }
        }
    }
    if let Some(waits) = strain.waits {
        for tally in parts.iter_mut().flat_map(|part| [&mut part.plain, &mut part.straddled]) {
            slow(tally, (waits, waits.min(usual.slowest)), slice.latest);
        }
    }
    Some(strain)
}

/// The baseline as far as it is known: what requests meet where no fault acts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usual {
    /// True where any came out badly.
    pub(super) is_bad: bool,
    /// The longest that one took.
    pub(super) slowest: Duration,
}

/// Takes note that all arrivals of a tally may have waited so long, at the most and by what was usual, and the runner was so late.
fn slow(tally: &mut Tally, (waits, usual): (Duration, Duration), latest: Duration) {
    let known = tally.counts.latency.with(&Histogram::default(), &tally.unknown.seen);
    tally.unknown.least.merge(&known.shorter_by(waits));
    tally.unknown.likely.merge(&known.shorter_by(usual));
    tally.unknown.seen.merge(&known);
    tally.unknown.latest = latest;
}
