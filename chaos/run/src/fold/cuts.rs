//! Cuts of the timeline into slices: at each second, at each edge, and where the changes of an edge were acknowledged.

use chaos_model::{Fault, Scenario, Scope};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// The longest slice.
const LONGEST: Duration = Duration::from_secs(1);

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
        let Some(acknowledged) = acknowledged.filter(|at| *at > edge && self.fixed.contains(&edge)) else { return };
        self.late.push((edge, acknowledged));
        if self.warmup + acknowledged < self.end {
            self.to_come.insert(self.warmup + acknowledged);
        }
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

/// Moments of the timeline at which something that is judged begins or ends.
pub(crate) fn phase_edges(scenario: &Scenario) -> impl Iterator<Item = Duration> {
    let phases = scenario.timeline.phases.iter().flat_map(|phase| [phase.from, phase.to]);
    // What comes and goes faster than slices do would make more of them than there are seconds.
    let slow = |fault: &&Fault| fault.pulse.is_none_or(|pulse| pulse.every >= LONGEST);
    let faults = scenario.faults.iter().filter(slow).flat_map(Fault::windows).flat_map(|(from, to)| [from, to]);
    let after = scenario.expectations.iter().filter_map(|expectation| match &expectation.scope {
        Scope::After { fault, within } => {
            let fault = scenario.faults.iter().find(|other| other.name == *fault)?;
            Some(fault.ends() + *within)
        }
        Scope::During(_) | Scope::Across(_) => None,
    });
    phases.chain(faults).chain(after)
}
