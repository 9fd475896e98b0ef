//! Windows: slices that a phase or a scope means, added up.

use super::{
    selections::ALL,
    slices::Closed,
    tally::{Part, Tally},
};
use chaos_model::{
    Phase, PhaseKind,
    event::{PhaseFigures, PhaseTime},
    responses::Marker,
    slice::Counts,
};
use std::{collections::BTreeMap, time::Duration};

/// A window of the timeline, and the arrivals that belong to it so far: what a [`PhaseSum`](chaos_model::PhaseSum) has, and
/// what checks need beyond that.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) phase: Phase,
    /// The selection of requests whose arrivals they are.
    selection: usize,
    pub(crate) tally: Tally,
    /// Arrivals that are counted apart.
    time: Option<PhaseTime>,
    apart: u64,
    instances: BTreeMap<String, Counts>,
    /// Arrivals that were made, those included that are counted apart.
    made: u64,
}

impl Window {
    /// The window of a phase, before its first slice.
    pub(crate) fn new(phase: &Phase) -> Self {
        Self::of(phase, ALL)
    }

    /// The same for the arrivals of a selection of requests.
    pub(crate) fn of(phase: &Phase, selection: usize) -> Self {
        Self {
            phase: phase.clone(),
            selection,
            tally: Tally::default(),
            time: None,
            apart: 0,
            made: 0,
            instances: BTreeMap::new(),
        }
    }

    /// Adds a slice that can't change any more, if it lies in it.
    pub(crate) fn add(&mut self, closed: &Closed) {
        if !self.phase.holds(&closed.slice) {
            return;
        }
        self.time = Some(closed.slice.time_with(self.time));
        let judges = self.phase.judges(&closed.slice);
        let Some(Part { plain, straddled, .. }) = closed.parts.get(self.selection) else { return };
        self.made += plain.counts.sent + straddled.counts.sent;
        for (tally, belongs) in [(plain, true), (straddled, self.phase.kind.judges_straddled())] {
            if judges && belongs { self.tally.merge(tally) } else { self.apart += tally.counts.due }
        }
        if self.selection == ALL {
            self.phase.add_instances(&mut self.instances, &closed.slice);
        }
    }

    /// The beginning and the end, as far as it has come where only the run shows them; none of a phase that never was.
    pub(crate) fn span(&self) -> Option<(Duration, Duration)> {
        let seen = self.time.map(|time| (time.from, time.to));
        match self.phase.kind {
            PhaseKind::Restarting => seen,
            // It begins when all is back.
            PhaseKind::Recovery => seen.or(Some((self.phase.from, self.phase.to))),
            PhaseKind::Run | PhaseKind::Baseline | PhaseKind::Fault | PhaseKind::Window | PhaseKind::After => {
                Some((self.phase.from, self.phase.to))
            }
        }
    }

    /// The arrivals that were made in it, those included that are counted apart.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// The figures of the phase, with those markers that responses have.
    pub(crate) fn figures(&self, markers: &[Marker]) -> PhaseFigures {
        self.phase.figures((&self.tally.counts, &self.instances), self.time, self.apart, markers)
    }
}
