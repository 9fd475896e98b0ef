//! Windows: slices that a phase or a scope means, added up.

use super::{slices::Closed, tally::Tally};
use chaos_model::{Phase, PhaseKind, event::PhaseFigures};
use std::time::Duration;

/// A window of the timeline, and the arrivals that belong to it so far.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    kind: PhaseKind,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    pub(crate) tally: Tally,
    /// Arrivals that are counted apart.
    pub(crate) apart: u64,
}

impl Window {
    /// The window of a phase, before its first slice.
    pub(crate) fn new(phase: &Phase) -> Self {
        Self { kind: phase.kind, from: phase.from, to: phase.to, tally: Tally::default(), apart: 0 }
    }

    /// True for slices that lie in it.
    pub(crate) fn has(&self, closed: &Closed) -> bool {
        self.from <= closed.slice.from && closed.slice.to <= self.to
    }

    /// True where arrivals of a slice are judged in it, but for those that straddled the beginning of a fault.
    pub(crate) fn judges(&self, closed: &Closed) -> bool {
        // A phase begins when what makes it was acknowledged; what arrived in between met neither.
        self.has(closed) && (self.kind == PhaseKind::Run || !closed.slice.pending.contains(&self.from))
    }

    /// Adds a slice that can't change any more, if it lies in it.
    pub(crate) fn add(&mut self, closed: &Closed) {
        if !self.has(closed) {
            return;
        }
        let straddled = match self.kind {
            // What began within a fault belongs to it however long it lasts, else a hang would leave nothing to judge.
            PhaseKind::Run | PhaseKind::Fault => true,
            // What began before a fault and ended within it met neither in full, so it is counted apart.
            PhaseKind::Baseline | PhaseKind::Recovery | PhaseKind::Window | PhaseKind::After => false,
        };
        let (judges, all) = (self.judges(closed), [(&closed.plain, true), (&closed.straddled, straddled)]);
        for (tally, belongs) in all {
            if judges && belongs { self.tally.merge(tally) } else { self.apart += tally.counts.due }
        }
    }

    /// The figures of a phase of this name.
    pub(crate) fn figures(&self, phase: &str) -> PhaseFigures {
        let counts = &self.tally.counts;
        PhaseFigures {
            phase: phase.to_owned(),
            arrivals: counts.due,
            straddled: self.apart,
            missed: counts.missed,
            statuses: counts.statuses.clone(),
            errors: counts.unanswered.clone(),
            partial: counts.partial,
            stale: counts.stale,
            oldest: counts.oldest,
            latency: counts.latency.figures(),
        }
    }
}
