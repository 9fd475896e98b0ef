//! Phases: named windows of a run.

use crate::{
    Fault, Slice,
    event::{InstanceFigures, PhaseFigures, PhaseTime},
    responses::Marker,
    slice::{Counts, OTHER_INSTANCES},
};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

/// The whole timeline, as a phase.
pub const RUN: &str = "run";
/// From the start to the first fault.
pub const BASELINE: &str = "baseline";
/// From the end of the last fault to the end.
pub const RECOVERY: &str = "recovery";
/// Behind the name of a fault: from its end until the service that it ended is ready again.
pub const RESTARTING: &str = " restarting";

/// The most instances of which a phase has figures each: a recording has them for each phase, and nobody reads more.
const MOST_INSTANCES: usize = 12;

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

    /// Adds what a slice counts by instance, of arrivals that are judged in the phase.
    pub fn add_instances(&self, sums: &mut BTreeMap<String, Counts>, slice: &Slice) {
        // Those that a recording put together with what was before the phase can't be told apart.
        if !self.judges(slice) || slice.parts_from.is_some_and(|from| from < self.from) {
            return;
        }
        for (instance, of) in &slice.instances {
            let straddled = Some(&of.straddled).filter(|_| self.kind.judges_straddled());
            for counts in [Some(&of.counts), straddled].into_iter().flatten().filter(|counts| !counts.is_empty()) {
                match sums.get_mut(instance) {
                    Some(sum) => sum.add(counts),
                    None => drop(sums.insert(instance.clone(), counts.clone())),
                }
            }
        }
    }

    /// The figures of the phase, whose judged arrivals these are, also by instance, and which had this time; so many are counted
    /// apart. Of marks, those that responses have.
    #[must_use]
    pub fn figures(
        &self,
        (counts, instances): (&Counts, &BTreeMap<String, Counts>),
        time: Option<PhaseTime>,
        apart: u64,
        markers: &[Marker],
    ) -> PhaseFigures {
        let is_as_planned = |time: &PhaseTime| (time.from, time.to) == (self.from, self.to);
        // Of any other, a time that is shorter is that of a recording that was cut off.
        let is_open = matches!(self.kind, PhaseKind::Restarting | PhaseKind::Recovery);
        let time = time.filter(|time| is_open && !is_as_planned(time));
        PhaseFigures { time, instances: by_instance(instances), ..counts.figures(&self.name, apart, markers) }
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

/// The figures of instances: of those with the most responses each, of the others together.
fn by_instance(sums: &BTreeMap<String, Counts>) -> BTreeMap<String, InstanceFigures> {
    let mut all: Vec<_> = sums.iter().collect();
    all.sort_by_key(|(name, counts)| (*name == OTHER_INSTANCES, Reverse(counts.answered())));
    let (most, rest) = all.split_at(all.len().min(MOST_INSTANCES));
    let mut figures: BTreeMap<_, _> =
        most.iter().map(|(name, counts)| ((*name).clone(), counts.of_instance())).collect();
    if !rest.is_empty() {
        let mut others = Counts::default();
        rest.iter().for_each(|(_, counts)| others.add(counts));
        figures.insert(OTHER_INSTANCES.to_owned(), others.of_instance());
    }
    figures
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
    instances: BTreeMap<String, Counts>,
    time: Option<PhaseTime>,
    apart: u64,
}

impl PhaseSum {
    /// The sum before the first slice.
    #[must_use]
    pub fn new(phase: &Phase) -> Self {
        Self { phase: phase.clone(), counts: Counts::default(), instances: BTreeMap::new(), time: None, apart: 0 }
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
        self.phase.add_instances(&mut self.instances, slice);
    }

    /// True if people are told of it.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.phase.is_told(self.counts.due)
    }

    /// The figures of the phase by now, with those markers that responses have.
    #[must_use]
    pub fn figures(&self, markers: &[Marker]) -> PhaseFigures {
        self.phase.figures((&self.counts, &self.instances), self.time, self.apart, markers)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::PartCounts;

    const SECOND: Duration = Duration::from_secs(1);

    fn responses(count: u64) -> Counts {
        Counts { due: count, sent: count, good: count, statuses: BTreeMap::from([(200, count)]), ..Counts::default() }
    }

    /// The responses of each instance in a phase from the first second on, of one slice.
    fn of_instances(kind: PhaseKind, slice: &Slice) -> Vec<(String, u64)> {
        let mut sum = PhaseSum::new(&Phase { name: "it".to_owned(), kind, from: SECOND, to: 3 * SECOND });
        sum.add(slice);
        sum.figures(&[]).instances.into_iter().map(|(name, of)| (name, of.responses)).collect()
    }

    #[test]
    fn instances_have_the_arrivals_that_are_judged_in_the_phase() {
        let of = PartCounts { counts: responses(5), straddled: responses(2) };
        let instances = BTreeMap::from([("web-1".to_owned(), of)]);
        let slice = Slice { from: SECOND, to: 2 * SECOND, instances, ..Slice::default() };
        let web = |count| vec![("web-1".to_owned(), count)];
        assert_eq!(of_instances(PhaseKind::Fault, &slice), web(5));
        assert_eq!(of_instances(PhaseKind::Run, &slice), web(7), "those that straddled too");
        let together = |from| Slice { parts_from: Some(from), ..slice.clone() };
        assert_eq!(of_instances(PhaseKind::Fault, &together(SECOND)), web(5));
        assert_eq!(of_instances(PhaseKind::Fault, &together(Duration::ZERO)), [], "with what was before");
        assert_eq!(of_instances(PhaseKind::Fault, &Slice { pending: vec![SECOND], ..slice }), [], "it had not begun");
    }

    #[test]
    fn of_many_instances_those_with_few_responses_are_one() {
        let of = |count| PartCounts { counts: responses(count), ..PartCounts::default() };
        let mut instances: BTreeMap<_, _> = (1..=14).map(|n| (format!("web-{n:02}"), of(n))).collect();
        instances.insert(OTHER_INSTANCES.to_owned(), of(100));
        let slice = Slice { from: SECOND, to: 2 * SECOND, instances, ..Slice::default() };
        let mut expected = vec![(OTHER_INSTANCES.to_owned(), 100 + 1 + 2)];
        expected.extend((3..=14).map(|n| (format!("web-{n:02}"), n)));
        assert_eq!(of_instances(PhaseKind::Fault, &slice), expected);
    }
}
