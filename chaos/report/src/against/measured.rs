//! The figures of a run that are compared.

use super::PhaseCounts;
use chaos_model::{
    Event, Phase, PhaseKind, Record, Slice, Verdict, event::Begin, ledger::Recovery, responses::Marker, slice::Counts,
};
use std::{collections::BTreeMap, time::Duration};

/// The figures of one run.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) file: String,
    world: String,
    pub(super) unix_ms: u64,
    markers: Vec<Marker>,
    plan: Vec<Phase>,
    /// Phases in the order of the run.
    pub(super) phases: Vec<(String, PhaseCounts)>,
    /// The slices in which nothing recovers, together.
    pub(super) settled: PhaseCounts,
    /// Verdicts by name and time of the expectation.
    pub(super) verdicts: BTreeMap<String, Verdict>,
    /// Times to recover by fault; none where it did not. Faults that nobody noticed are not there: they took no time.
    pub(super) recoveries: BTreeMap<String, Option<Duration>>,
    ended: bool,
}

impl Measured {
    pub(super) fn new(begin: &Begin) -> Self {
        Self {
            file: begin.file.clone(),
            world: begin.world.clone(),
            unix_ms: begin.unix_ms,
            markers: begin.plan.system.markers.clone(),
            plan: begin.phases.clone(),
            phases: begin.phases.iter().map(|phase| (phase.name.clone(), PhaseCounts::default())).collect(),
            settled: PhaseCounts::default(),
            verdicts: BTreeMap::new(),
            recoveries: BTreeMap::new(),
            ended: false,
        }
    }

    /// The scenario and the world: runs of the same are compared.
    pub(super) fn key(&self) -> (String, String) {
        (self.file.clone(), self.world.clone())
    }

    /// True where the run came to a verdict: what was cut off has too few of everything.
    pub(super) fn is_whole(&self) -> bool {
        self.ended
    }

    pub(super) fn on(&mut self, record: &Record) {
        match &record.event {
            Event::Slice(slice) => self.slice(slice),
            Event::Judged(judged) => {
                self.verdicts.insert(format!("{} ({})", judged.that, judged.when), judged.verdict);
            }
            Event::FaultFigures(figures) => {
                let took = match figures.recovery {
                    Recovery::After { took } => Some(took),
                    Recovery::NotWithin { .. } => None,
                    Recovery::Unnoticed | Recovery::NoRequests => return,
                };
                self.recoveries.insert(figures.fault.clone(), took);
            }
            Event::End { verdict } => self.ended = verdict.is_some(),
            _ => {}
        }
    }

    fn slice(&mut self, slice: &Slice) {
        let mut recovers = false;
        for (phase, (_, sum)) in self.plan.iter().zip(&mut self.phases) {
            if !phase.holds(slice) {
                continue;
            }
            if matches!(phase.kind, PhaseKind::Recovery | PhaseKind::Restarting | PhaseKind::After) {
                recovers = true;
                *sum.recovering.get_or_insert_default() += slice.to.saturating_sub(slice.from);
            }
            sum.add(&slice.counts, &self.markers);
            if phase.kind == PhaseKind::Run {
                sum.add(&slice.straddled, &self.markers);
            }
        }
        if !recovers {
            self.settled.add(&slice.counts, &self.markers);
        }
    }
}

impl PhaseCounts {
    fn add(&mut self, counts: &Counts, markers: &[Marker]) {
        self.due += counts.due;
        self.good += counts.good;
        for marker in markers {
            let marked = match marker {
                Marker::Partial => counts.partial,
                Marker::Stale => counts.stale,
                Marker::Age => continue,
            };
            *self.marked.entry(*marker).or_default() += marked;
        }
        self.latency.merge(&counts.latency);
    }
}
