//! Phases: named windows of a run.

use crate::Fault;
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
