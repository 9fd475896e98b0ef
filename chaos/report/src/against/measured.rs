//! The figures of a run that are compared.

use super::{
    ARun, Key,
    margins::{self, Place},
};
use crate::series::Series;
use chaos_model::{
    Event, Margin, Phase, PhaseKind, Record, Share, Slice, Verdict, event::Begin, ledger::Recovery, phase::RUN,
    slice::Counts,
};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

/// The figures of one run.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) begin: Begin,
    /// The recording that it is in.
    pub(super) recording: String,
    /// Phases in the order of the run.
    pub(super) phases: Vec<(Phase, Sum)>,
    /// Verdicts by name and time of the expectation.
    pub(super) verdicts: BTreeMap<String, Verdict>,
    /// Margins of comparisons, in the order of the scenario.
    pub(super) margins: Vec<(Place, Margin)>,
    /// Times to recover by fault; none where it did not. Faults that nobody noticed are not there: they took no time.
    pub(super) recoveries: BTreeMap<String, Option<Duration>>,
    /// The course of it, for charts.
    pub(super) series: Series,
    ended: bool,
}

/// Counts of what clients saw in a part of the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) counts: Counts,
    /// The same by windows of equal length.
    pub(super) windows: Windows,
    /// The length that it had, where it is one in which a system recovers.
    pub(super) recovering: Option<Duration>,
}

impl Measured {
    pub(super) fn new(begin: &Begin, recording: &str) -> Self {
        Self {
            begin: begin.clone(),
            recording: recording.to_owned(),
            phases: begin.phases.iter().map(|phase| (phase.clone(), Sum::default())).collect(),
            verdicts: BTreeMap::new(),
            margins: Vec::new(),
            recoveries: BTreeMap::new(),
            series: Series::default(),
            ended: false,
        }
    }

    /// The scenario and the world: runs of the same are compared.
    pub(super) fn key(&self) -> Key {
        (self.begin.file.trim_start_matches("./").to_owned(), self.begin.world.clone())
    }

    /// The run by its name.
    pub(super) fn named(&self) -> ARun {
        ARun {
            file: self.begin.file.clone(),
            world: self.begin.world.clone(),
            unix_ms: self.begin.unix_ms,
            recording: self.recording.clone(),
        }
    }

    /// True where the texts that the scenario was read from, or its settings, are not what they were. Of recordings that have no
    /// texts, nobody knows.
    pub(super) fn has_changed_since(&self, earlier: &Self) -> bool {
        let texts = |run: &Self| run.begin.plan.sources.0.iter().map(|source| source.text.clone()).collect::<Vec<_>>();
        let (now, then) = (texts(self), texts(earlier));
        (!now.is_empty() && !then.is_empty() && now != then) || self.begin.sets != earlier.begin.sets
    }

    /// True where the run came to a verdict: what was cut off has too few of everything.
    pub(super) fn is_whole(&self) -> bool {
        self.ended
    }

    pub(super) fn on(&mut self, record: &Record) {
        match &record.event {
            Event::Slice(slice) => {
                self.series.slice(slice);
                self.slice(slice);
            }
            Event::Scraped(scraped) => self.series.scraped(scraped),
            Event::Judged(judged) => {
                self.verdicts.insert(format!("{} ({})", judged.that, judged.when), judged.verdict);
                self.margins.extend(margins::of(judged));
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
        for (phase, sum) in self.phases.iter_mut().filter(|(phase, _)| phase.holds(slice)) {
            let mut counts = Cow::Borrowed(&slice.counts);
            if phase.kind == PhaseKind::Run && !slice.straddled.is_empty() {
                counts.to_mut().add(&slice.straddled);
            }
            sum.counts.add(&counts);
            sum.windows.add(Window {
                from: slice.from,
                to: slice.to,
                is_restarting: !slice.restarting.is_empty(),
                counts: counts.into_owned(),
            });
            if matches!(phase.kind, PhaseKind::Recovery | PhaseKind::Restarting | PhaseKind::After) {
                *sum.recovering.get_or_insert_default() += slice.to.saturating_sub(slice.from);
            }
        }
    }

    /// The whole run but for what lies within one of these windows of time, and but for what services that start again
    /// make of it.
    pub(super) fn without(&self, recoveries: &[(Duration, Duration)]) -> Sum {
        let mut sum = Sum::default();
        let run = self.phases.iter().find(|(phase, _)| phase.name == RUN);
        for window in run.iter().flat_map(|(_, run)| run.windows.all.values()) {
            if !window.is_restarting && !recoveries.iter().any(|(from, to)| window.from < *to && *from < window.to) {
                sum.counts.add(&window.counts);
                sum.windows.add(window.clone());
            }
        }
        sum
    }
}

/// The most windows that are kept of a phase; of long phases each is longer.
const MOST: usize = 120;

/// Counts by windows of the timeline that are equally long: a second, or so many doublings of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Windows {
    length: Duration,
    /// By their numbers.
    all: BTreeMap<u128, Window>,
}

/// Counts of a window, and the time that they are of.
#[derive(Clone, Debug, PartialEq)]
struct Window {
    from: Duration,
    to: Duration,
    is_restarting: bool,
    counts: Counts,
}

impl Default for Windows {
    fn default() -> Self {
        Self { length: Duration::from_secs(1), all: BTreeMap::new() }
    }
}

impl Windows {
    fn add(&mut self, window: Window) {
        let nth = window.from.as_micros() / self.length.as_micros();
        match self.all.get_mut(&nth) {
            Some(there) => there.add(&window),
            None => drop(self.all.insert(nth, window)),
        }
        if self.all.len() > MOST {
            *self = self.of(self.length * 2);
        }
    }

    /// The same by longer windows.
    fn of(&self, length: Duration) -> Self {
        let mut longer = Self { length, all: BTreeMap::new() };
        self.all.values().for_each(|window| longer.add(window.clone()));
        longer
    }

    /// Two shares of each window of time that two runs have.
    pub(super) fn shares([one, other]: [&Self; 2], share: impl Fn(&Counts) -> Share) -> Vec<[Share; 2]> {
        let length = one.length.max(other.length);
        let [one, other] = [one, other].map(|all| if all.length < length { all.of(length) } else { all.clone() });
        let pair = |(nth, window): (&u128, &Window)| Some([&window.counts, &other.all.get(nth)?.counts].map(&share));
        one.all.iter().filter_map(pair).collect()
    }
}

impl Window {
    fn add(&mut self, other: &Self) {
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        self.is_restarting |= other.is_restarting;
        self.counts.add(&other.counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(seconds: u64) -> Windows {
        let mut all = Windows::default();
        for second in 0..seconds {
            let [from, to] = [second, second + 1].map(Duration::from_secs);
            let counts = Counts { due: 10, good: 10 - second % 2, ..Counts::default() };
            all.add(Window { from, to, is_restarting: false, counts });
        }
        all
    }

    #[test]
    fn a_day_has_as_many_windows_as_an_hour_and_loses_no_request() {
        let day = windows(86_400);
        assert!(day.all.len() <= MOST && day.all.len() > MOST / 2, "{}", day.all.len());
        assert_eq!(day.all.values().map(|window| window.counts.due).sum::<u64>(), 864_000);
    }

    #[test]
    fn runs_of_other_lengths_are_paired_by_time() {
        let (one, other) = (windows(4), windows(200));
        let share = |counts: &Counts| Share { parts: counts.good, whole: counts.due };
        let pairs = Windows::shares([&one, &other], share);
        let whole: Vec<_> = pairs.iter().map(|pair| pair.map(|share| share.whole)).collect();
        assert_eq!(whole, [[20, 20], [20, 20]]);
    }
}
