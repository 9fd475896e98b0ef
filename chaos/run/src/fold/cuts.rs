//! Cuts of the timeline into slices: at each second, at each edge, and where the changes of an edge were acknowledged.

use chaos_model::{Fault, Scenario, Scope};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// The longest slice.
const LONGEST: Duration = Duration::from_secs(1);
/// The most cuts a second, over the timeline, for pulses of faults.
const PULSE_CUTS: u64 = 2;

/// Cuts that are to come. Times count from the beginning of the warm-up, but for those of edges.
pub(super) struct Cuts {
    warmup: Duration,
    /// The beginning of the next slice.
    from: Duration,
    to_come: BTreeSet<Duration>,
    /// Moments of the timeline at which slices are cut whatever happens.
    fixed: BTreeSet<Duration>,
    end: Duration,
    /// Edges that were not passed yet, on the timeline.
    edges: VecDeque<Duration>,
    /// Edges whose changes were acknowledged later than due, with when, on the timeline.
    late: Vec<(Duration, Duration)>,
}

impl Cuts {
    pub(super) fn new(scenario: &Scenario, edges: impl IntoIterator<Item = Duration>) -> Self {
        let (warmup, duration) = (scenario.load.warmup, scenario.timeline.duration);
        let fixed: BTreeSet<Duration> = moments(scenario).filter(|at| *at < duration).collect();
        let mut to_come: BTreeSet<Duration> = fixed.iter().map(|at| warmup + *at).collect();
        to_come.insert(warmup + duration);
        to_come.remove(&Duration::ZERO);
        let edges = edges.into_iter().collect();
        Self { warmup, from: Duration::ZERO, to_come, fixed, end: warmup + duration, edges, late: Vec::new() }
    }

    /// The beginning of the next slice.
    pub(super) fn reached(&self) -> Duration {
        self.from
    }

    /// True if all edges up to a moment have been passed, so that no more cuts will come before it.
    pub(super) fn are_known_until(&self, moment: Duration) -> bool {
        self.edges.front().is_none_or(|edge| moment < self.warmup + *edge)
    }

    /// Passes the next edge.
    pub(super) fn pass(&mut self, edge: Duration, acknowledged: Option<Duration>) {
        debug_assert_eq!(self.edges.front(), Some(&edge), "edges are passed in order");
        self.edges.pop_front();
        // At any other edge no phase begins, so it does not matter how late its changes were.
        let Some(acknowledged) = acknowledged.filter(|at| *at > edge && self.is_fixed(edge)) else { return };
        self.late.push((edge, acknowledged));
        if self.warmup + acknowledged < self.end {
            self.to_come.insert(self.warmup + acknowledged);
        }
    }

    /// True for a moment of the timeline at which slices are cut whatever happens.
    pub(super) fn is_fixed(&self, at: Duration) -> bool {
        self.fixed.contains(&at)
    }

    /// Cuts at one more moment of the timeline, before which all slices are known. The slice that it lies in begins there anew
    /// where it has begun already: gives its old end, on the clock of the warm-up.
    pub(super) fn cut(&mut self, at: Duration) -> Option<Duration> {
        let at = self.warmup + at;
        if at >= self.end || at == self.from {
            return None;
        }
        if at > self.from {
            self.to_come.insert(at);
            return None;
        }
        let old = std::mem::replace(&mut self.from, at);
        self.to_come.insert(old);
        Some(old)
    }

    /// The end of the next slice, and the edges whose changes were not acknowledged when it began.
    pub(super) fn next(&mut self) -> Option<(Duration, Vec<Duration>)> {
        let to = self.to_come.pop_first()?;
        let from = self.from.checked_sub(self.warmup);
        self.from = to;
        let Some(from) = from else { return Some((to, Vec::new())) };
        self.late.retain(|(_, acknowledged)| *acknowledged > from);
        let pending = self.late.iter().map(|(edge, _)| *edge).filter(|edge| *edge <= from);
        Some((to, pending.collect()))
    }
}

/// Moments of the timeline at which slices are cut whatever happens.
fn moments(scenario: &Scenario) -> impl Iterator<Item = Duration> {
    let seconds = (0..).map(|n| LONGEST * n).take_while(|at| *at < scenario.timeline.duration);
    seconds.chain(phase_edges(scenario))
}

/// Moments of the timeline at which something that is judged begins or ends, and at which faults come and go.
pub(crate) fn phase_edges(scenario: &Scenario) -> impl Iterator<Item = Duration> {
    let phases = scenario.timeline.phases.iter().flat_map(|phase| [phase.from, phase.to]);
    // A service that the last pulse ended is starting again from then on, which may be a phase.
    let last = scenario.faults.iter().filter_map(|fault| fault.windows().last()).map(|(_, to)| to);
    let after = scenario.expectations.iter().filter_map(|expectation| match &expectation.scope {
        Scope::After { fault, within } => {
            let fault = scenario.faults.iter().find(|other| other.name == *fault)?;
            Some(fault.ends() + *within)
        }
        Scope::During(_) | Scope::Across(_) => None,
    });
    phases.chain(last).chain(pulses(scenario)).chain(after)
}

/// Beginnings and ends of pulses at which slices are cut. No phase begins or ends there, so it is for people to see, and bounded:
/// those of the slowest faults come first, and what comes and goes faster than slices do has none.
fn pulses(scenario: &Scenario) -> impl Iterator<Item = Duration> {
    let most = scenario.timeline.duration.as_secs() * PULSE_CUTS;
    let slow = |fault: &&Fault| fault.pulse.is_some_and(|pulse| pulse.every >= LONGEST);
    let mut slow: Vec<&Fault> = scenario.faults.iter().filter(slow).collect();
    slow.sort_by_key(|fault| fault.windows().count());
    let edges = move |fault: &&Fault| 2 * fault.windows().count() as u64;
    let mut all = 0;
    let fit = slow.into_iter().take_while(move |fault| {
        all += edges(fault);
        all <= most
    });
    fit.flat_map(Fault::windows).flat_map(|(from, to)| [from, to])
}
