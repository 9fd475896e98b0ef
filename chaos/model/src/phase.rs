//! Phases: named windows of a run.

use crate::{Fault, Slice, event::PhaseFigures, responses::Marker, slice::Counts};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The whole timeline, as a phase.
pub const RUN: &str = "run";
/// From the start to the first fault.
pub const BASELINE: &str = "baseline";
/// From the end of the last fault to the end.
pub const RECOVERY: &str = "recovery";

/// A named window of the timeline, from `from` up to but not including `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The name: `run`, `baseline`, `recovery`, a fault's, or a window's text (`4s..8s`).
    pub name: String,
    /// The kind, which says what is counted apart.
    pub kind: PhaseKind,
    /// The beginning, counted from the start of the timeline.
    #[serde(rename = "from_us", with = "crate::micros")]
    pub from: Duration,
    /// The end, which no longer belongs to it.
    #[serde(rename = "to_us", with = "crate::micros")]
    pub to: Duration,
}

impl Phase {
    /// True if a request whose intended start is `at` belongs to it.
    #[must_use]
    pub fn contains(&self, at: Duration) -> bool {
        self.from <= at && at < self.to
    }

    /// True if a slice lies in it.
    #[must_use]
    pub fn holds(&self, slice: &Slice) -> bool {
        self.from <= slice.from && slice.to <= self.to
    }

    /// True if the arrivals of a slice are judged in it, but for those that straddled the beginning of a fault.
    #[must_use]
    pub fn judges(&self, slice: &Slice) -> bool {
        // A phase begins when what makes it was acknowledged; what arrived in between met neither.
        self.holds(slice) && (self.kind == PhaseKind::Run || !slice.pending.contains(&self.from))
    }
}

/// The kind of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// All of it.
    Run,
    /// Before the first fault.
    Baseline,
    /// While a fault is active.
    Fault,
    /// After the last fault.
    Recovery,
    /// A window that an expectation names.
    Window,
    /// From some time after a fault to the next fault or the end, which an expectation with `after` judges.
    After,
}

impl PhaseKind {
    /// True if arrivals that straddled the beginning of a fault are judged in it too, and not counted apart.
    #[must_use]
    pub fn judges_straddled(self) -> bool {
        match self {
            // What began within a fault belongs to it however long it lasts, else a hang would leave nothing to judge.
            Self::Run | Self::Fault => true,
            // What began before a fault and ended within it met neither in full, so it is counted apart.
            Self::Baseline | Self::Recovery | Self::Window | Self::After => false,
        }
    }
}

/// A phase and the sum of its slices so far: its figures can be asked for at any moment.
#[derive(Clone, Debug)]
pub struct PhaseSum {
    phase: Phase,
    counts: Counts,
    apart: u64,
}

impl PhaseSum {
    /// The sum before the first slice.
    #[must_use]
    pub fn new(phase: &Phase) -> Self {
        Self { phase: phase.clone(), counts: Counts::default(), apart: 0 }
    }

    /// Adds a slice, if it lies in the phase.
    pub fn add(&mut self, slice: &Slice) {
        if !self.phase.holds(slice) {
            return;
        }
        let judges = self.phase.judges(slice);
        for (counts, belongs) in [(&slice.counts, true), (&slice.straddled, self.phase.kind.judges_straddled())] {
            if judges && belongs { self.counts.add(counts) } else { self.apart += counts.due }
        }
    }

    /// The figures of the phase by now, with those markers that responses have.
    #[must_use]
    pub fn figures(&self, markers: &[Marker]) -> PhaseFigures {
        self.counts.figures(&self.phase.name, self.apart, markers)
    }
}

/// The timeline of a run: its length and its phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The length, without the warm-up.
    pub duration: Duration,
    /// `run`, `baseline`, each fault in the order of the file, `recovery`. Those that would be empty are left out.
    pub phases: Vec<Phase>,
}

impl Timeline {
    /// The timeline of these faults.
    #[must_use]
    pub fn new(duration: Duration, faults: &[Fault]) -> Self {
        let phase = |name: &str, kind, from, to| Phase { name: name.to_owned(), kind, from, to };
        let first = faults.iter().map(|fault| fault.at).min().unwrap_or(duration);
        let last = faults.iter().map(Fault::ends).max().unwrap_or(duration);
        let mut phases = vec![phase(RUN, PhaseKind::Run, Duration::ZERO, duration)];
        phases.push(phase(BASELINE, PhaseKind::Baseline, Duration::ZERO, first));
        phases.extend(faults.iter().map(|f| phase(&f.name, PhaseKind::Fault, f.at, f.ends().min(duration))));
        phases.push(phase(RECOVERY, PhaseKind::Recovery, last.min(duration), duration));
        phases.retain(|phase| phase.from < phase.to);
        Self { duration, phases }
    }

    /// The window of an expectation that must hold within some time after a fault: from then until the next fault or
    /// the end. Not one of [`Self::phases`].
    #[must_use]
    pub fn after(&self, fault: &Fault, within: Duration, faults: &[Fault]) -> Phase {
        let next = faults.iter().map(|other| other.at).filter(|at| *at >= fault.ends()).min();
        let to = next.unwrap_or(self.duration).min(self.duration);
        let name = format!("{} after {}", crate::quantity::show_duration(within), fault.name);
        Phase { name, kind: PhaseKind::After, from: fault.ends() + within, to }
    }

    /// The phase of this name.
    #[must_use]
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }
}
