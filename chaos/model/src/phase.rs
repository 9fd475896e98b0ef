//! Phases: named windows of a run.

use crate::{
    Fault, Slice,
    event::{PhaseFigures, PhaseTime},
    responses::Marker,
    slice::Counts,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The whole timeline, as a phase.
pub const RUN: &str = "run";
/// From the start to the first fault.
pub const BASELINE: &str = "baseline";
/// From the end of the last fault to the end.
pub const RECOVERY: &str = "recovery";
/// Behind the name of a fault: from its end until the service that it ended is ready again.
pub const RESTARTING: &str = " restarting";

/// The name of the phase in which a service starts again that a fault has ended.
#[must_use]
pub fn restarting(fault: &str) -> String {
    format!("{fault}{RESTARTING}")
}

/// True if this is the name of the phase in which a service starts again that this fault has ended.
fn is_restart_of(phase: &str, fault: &str) -> bool {
    phase.strip_suffix(RESTARTING) == Some(fault)
}

/// A named window of the timeline, from `from` up to but not including `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The name: `run`, `baseline`, `recovery`, a fault's, `<fault> restarting`, or a window's text (`4s..8s`).
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
        let is_within = self.from <= slice.from && slice.to <= self.to;
        is_within
            && match self.kind {
                PhaseKind::Restarting => slice.restarting.iter().any(|fault| is_restart_of(&self.name, fault)),
                // It begins when all is back.
                PhaseKind::Recovery => slice.restarting.is_empty(),
                PhaseKind::Run | PhaseKind::Baseline | PhaseKind::Fault | PhaseKind::Window | PhaseKind::After => true,
            }
    }

    /// True if people are told of it, where so many arrivals were judged in it: a service that was back at once has made no
    /// phase.
    #[must_use]
    pub fn is_told(&self, arrivals: u64) -> bool {
        self.kind != PhaseKind::Restarting || arrivals > 0
    }

    /// The figures of the phase, whose judged arrivals these are, and which had this time; so many are counted apart. Of marks,
    /// those that responses have.
    #[must_use]
    pub fn figures(&self, counts: &Counts, time: Option<PhaseTime>, apart: u64, markers: &[Marker]) -> PhaseFigures {
        let is_as_planned = |time: &PhaseTime| (time.from, time.to) == (self.from, self.to);
        // Of any other, a time that is shorter is that of a recording that was cut off.
        let is_open = matches!(self.kind, PhaseKind::Restarting | PhaseKind::Recovery);
        let time = time.filter(|time| is_open && !is_as_planned(time));
        PhaseFigures { time, ..counts.figures(&self.name, apart, markers) }
    }

    /// True if the arrivals of a slice are judged in it, but for those that straddled the beginning of a fault.
    #[must_use]
    pub fn judges(&self, slice: &Slice) -> bool {
        // A phase begins when what makes it was acknowledged; what arrived in between met neither. A service that is
        // away is away all the time.
        let begins_at_once = matches!(self.kind, PhaseKind::Run | PhaseKind::Restarting);
        self.holds(slice) && (begins_at_once || !slice.pending.contains(&self.from))
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
    /// From the end of a fault that ended a service until that is ready again.
    Restarting,
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
            Self::Run | Self::Restarting => true,
            // What began before a fault and ended within it met neither in full, so it is counted apart. What began within a
            // fault belongs to it however long it lasts, else a hang would leave nothing to judge: it straddles its end only if
            // it was sent behind that.
            Self::Fault | Self::Baseline | Self::Recovery | Self::Window | Self::After => false,
        }
    }
}

/// A phase and the sum of its slices so far: its figures can be asked for at any moment.
#[derive(Clone, Debug)]
pub struct PhaseSum {
    phase: Phase,
    counts: Counts,
    time: Option<PhaseTime>,
    apart: u64,
}

impl PhaseSum {
    /// The sum before the first slice.
    #[must_use]
    pub fn new(phase: &Phase) -> Self {
        Self { phase: phase.clone(), counts: Counts::default(), time: None, apart: 0 }
    }

    /// Adds a slice, if it lies in the phase.
    pub fn add(&mut self, slice: &Slice) {
        if !self.phase.holds(slice) {
            return;
        }
        self.time = Some(slice.time_with(self.time));
        let judges = self.phase.judges(slice);
        for (counts, belongs) in [(&slice.counts, true), (&slice.straddled, self.phase.kind.judges_straddled())] {
            if judges && belongs { self.counts.add(counts) } else { self.apart += counts.due }
        }
    }

    /// True if people are told of it.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.phase.is_told(self.counts.due)
    }

    /// The figures of the phase by now, with those markers that responses have.
    #[must_use]
    pub fn figures(&self, markers: &[Marker]) -> PhaseFigures {
        self.phase.figures(&self.counts, self.time, self.apart, markers)
    }
}

/// The timeline of a run: its length and its phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The length, without the warm-up.
    pub duration: Duration,
    /// `run`, `baseline`, each fault in the order of the file, with `<fault> restarting` behind those that end a service,
    /// `recovery`. Those that would be empty are left out.
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
        for fault in faults {
            phases.push(phase(&fault.name, PhaseKind::Fault, fault.at, fault.ends().min(duration)));
            if fault.ends_service() {
                // It ends when the service is ready again, which is not known before.
                phases.push(phase(
                    &restarting(&fault.name),
                    PhaseKind::Restarting,
                    fault.ends().min(duration),
                    duration,
                ));
            }
        }
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
