//! Runs against earlier ones of the same scenarios: what is better, what is worse, and what is the same beyond chance.
//!
//! A run is compared with the latest earlier one of the same file in the same world. Equal systems never have equal figures: which
//! requests arrive, and which of them a fault meets, is drawn, and machines are noisy. So a figure differs where chance does not
//! explain it *and* where the difference is one that somebody would act on. Chance is what explains more than one of 10,000
//! comparisons, of all that is compared in one of them together (Holm's procedure):
//!
//! 1. shares of a phase's requests (available, partial, stale): by Fisher's exact test, which is right for small counts too, and by
//!    half a point;
//! 2. latencies: the same test, of how many requests were slower than the other run's p50 and p99 by a quarter and 10 ms. A
//!    machine that stops for a moment makes many requests slow at once: what comes at once counts once, by how much counts vary
//!    from second to second. Failed requests all count: no machine makes them fail by stopping for a moment;
//! 3. times to recover: by half and most of a second, which is what a circuit or a pool may need more or less by chance, since
//!    one run has one such time and no test tells two numbers apart; never recovered is worse than any. In phases of
//!    recovery, figures may differ by as much as such a time explains;
//! 4. verdicts of expectations. Of one that can't be judged it can't be said that it became better or worse.

mod chance;
mod margins;
mod measured;
mod words;

pub use margins::{MarginHistory, Place};
pub use words::write;
pub(crate) use words::{earlier_run, history, no_longer, passed_over, sentence, unpaired};

use crate::series::Series;
use chaos_model::{
    Event, Histogram, Phase, Record, Share, Verdict, event::Begin, phase::RUN, quantity::show_duration,
    responses::Marker,
};
use margins::Past;
use measured::{Measured, Sum, Windows};
use std::{borrow::Borrow, collections::BTreeMap, path::Path, time::Duration};

/// All but the times in which a system recovers: what is rare is seen there first.
const SETTLED: &str = "all but recoveries";
/// Shares that are less apart are the same to whoever reads them.
const POINTS: f64 = 0.005;
/// Latencies are slower by so much, and a quarter.
const SLOWER: Duration = Duration::from_millis(10);
/// Times to recover are longer by so much, and by half. A circuit that waits 250 ms between tries, three times as long after some
/// that failed, and each give or take a fifth, as the bundled gateway's does, leaves as much to chance: 900 ms, and of one wait
/// alone 1.2 over 0.8 of it.
const LONGER: Duration = Duration::from_millis(900);

/// The scenario's file, and the world.
type Key = (String, String);

/// A fold over recordings of earlier runs: of each scenario in each world, the latest is kept, and of all the margins.
#[derive(Debug, Default)]
pub struct Earlier {
    /// The recording that is read.
    recording: String,
    latest: BTreeMap<Key, Measured>,
    past: BTreeMap<Key, Past>,
    under_way: Option<Measured>,
    passed_over: Vec<ARun>,
}

/// Runs against earlier ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Against {
    /// The runs, in their order.
    pub runs: Vec<Compared>,
    /// Earlier runs of scenarios that were not run now, the latest of each.
    pub gone: Vec<ARun>,
    /// Earlier runs that came to no verdict, so that nothing is compared with them.
    pub passed_over: Vec<ARun>,
}

/// A run of an earlier recording.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ARun {
    /// The scenario's file.
    pub file: String,
    /// The world.
    pub world: String,
    /// The time of its beginning, in milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// The recording that it is in, as it was named.
    pub recording: String,
}

/// The direction of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Worse than it was.
    Worse,
    /// Otherwise, and neither better nor worse: something could not be judged.
    Changed,
    /// Better than it was.
    Better,
}

/// Something that differs beyond chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The direction.
    pub direction: Direction,
    /// The thing that differs: `outage: available`, `clients never notice (outage)`.
    pub what: String,
    /// The value in the earlier run, and now.
    pub seen: [String; 2],
}

/// A run compared with the latest earlier one.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The scenario's file.
    pub file: String,
    /// The world.
    pub world: String,
    /// The run's id.
    pub run: String,
    /// The run that it is compared with, or why it is compared with none.
    pub partner: Result<Partner, Unpaired>,
    /// Differences, what is worse first.
    pub changes: Vec<Change>,
    /// The number of figures and verdicts that are the same.
    pub same: usize,
    /// Margins of comparisons, with those of earlier runs.
    pub margins: Vec<MarginHistory>,
}

/// The run that another is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Partner {
    /// The run.
    pub run: ARun,
    /// The number of earlier runs of the scenario in this world, this one included.
    pub of: usize,
    /// True where the scenario's text or its settings are not what they were.
    pub has_changed: bool,
    /// The course of it.
    pub(crate) series: Series,
}

/// Reasons for which a run is compared with none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpaired {
    /// There is no earlier run of the scenario in its world; there are some in these.
    NoneEarlier(Vec<String>),
    /// It came to no verdict.
    NotWhole,
}

impl Compared {
    /// True where something is worse than it was.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.changes.iter().any(|change| change.direction == Direction::Worse)
    }

    /// True where it is about the run that began so.
    #[must_use]
    pub fn is_of(&self, begin: &Begin) -> bool {
        (&self.file, &self.world, &self.run) == (&begin.file, &begin.world, &begin.run)
    }
}

impl Against {
    /// True where something is worse than it was.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.runs.iter().any(Compared::is_worse)
    }

    /// The comparison of the run that began so.
    #[must_use]
    pub fn of(&self, begin: &Begin) -> Option<&Compared> {
        self.runs.iter().find(|one| one.is_of(begin))
    }
}

/// Guards break on purpose, and controls have no faults: neither is what is compared.
fn is_compared(begin: &Begin) -> bool {
    begin.without.is_none() && !begin.control
}

impl Earlier {
    /// Takes note that events of this recording follow.
    pub fn recording(&mut self, name: &str) {
        self.close();
        name.clone_into(&mut self.recording);
    }

    /// Takes an event of an earlier run in.
    pub fn on(&mut self, record: &Record) {
        if let Event::Begin(begin) = &record.event {
            self.close();
            self.under_way = is_compared(begin).then(|| Measured::new(begin, &self.recording));
        }
        if let Some(run) = &mut self.under_way {
            run.on(record);
        }
    }

    /// Takes note that no further event of the run follows.
    fn close(&mut self) {
        let Some(run) = self.under_way.take() else { return };
        if !run.is_whole() {
            self.passed_over.push(run.named());
            return;
        }
        let key = run.key();
        self.past.entry(key.clone()).or_default().add(run.begin.unix_ms, &run.margins);
        let is_later = self.latest.get(&key).is_none_or(|other| other.begin.unix_ms <= run.begin.unix_ms);
        if is_later {
            self.latest.insert(key, run);
        }
    }

    /// Compares these runs with the latest earlier ones of the same scenario in the same world.
    pub fn compare(&mut self, runs: impl IntoIterator<Item: Borrow<Record>>) -> Against {
        self.close();
        let mut now = Vec::new();
        let mut under_way: Option<Measured> = None;
        for record in runs {
            let record = record.borrow();
            if let Event::Begin(begin) = &record.event {
                now.extend(under_way.take());
                under_way = is_compared(begin).then(|| Measured::new(begin, ""));
            }
            if let Some(run) = &mut under_way {
                run.on(record);
            }
        }
        now.extend(under_way);
        let partners: Vec<Option<Key>> = now.iter().map(|run| self.partner(run)).collect();
        let is_gone = |key: &Key| partners.iter().flatten().all(|partner| partner != key);
        Against {
            gone: self.latest.iter().filter(|(key, _)| is_gone(key)).map(|(_, run)| run.named()).collect(),
            runs: now.iter().zip(&partners).map(|(run, partner)| self.compared(run, partner.as_ref())).collect(),
            passed_over: self.passed_over.clone(),
        }
    }

    /// The earlier runs of the same scenario in the same world: of the same file, or, where there is none, of the only one that
    /// has its name and title, wherever it lies.
    fn partner(&self, run: &Measured) -> Option<Key> {
        let key = run.key();
        if self.latest.contains_key(&key) {
            return Some(key);
        }
        let name = |run: &Measured| Path::new(&run.begin.file).file_name().map(std::ffi::OsStr::to_owned);
        let is_same = |other: &&Measured| {
            (name(other), &other.begin.title, &other.begin.world) == (name(run), &run.begin.title, &run.begin.world)
        };
        let mut same = self.latest.values().filter(is_same);
        same.next().filter(|_| same.next().is_none()).map(Measured::key)
    }

    fn compared(&self, now: &Measured, partner: Option<&Key>) -> Compared {
        let earlier = partner.and_then(|key| self.latest.get(key)).filter(|_| now.is_whole());
        let past = partner.and_then(|key| self.past.get(key));
        let mut fold = Fold::default();
        let mut margins = Vec::new();
        if let Some(earlier) = earlier {
            fold.compare([earlier, now]);
            margins = past.map_or_else(Vec::new, |past| past.before(&now.margins));
        }
        let file = now.key().0;
        let elsewhere = || self.latest.keys().filter(|key| key.0 == file).map(|key| key.1.clone()).collect();
        let unpaired = if now.is_whole() { Unpaired::NoneEarlier(elsewhere()) } else { Unpaired::NotWhole };
        let partner = earlier.map(|earlier| Partner {
            run: earlier.named(),
            of: past.map_or(1, |past| past.runs),
            has_changed: now.has_changed_since(earlier),
            series: earlier.series.clone(),
        });
        let (changes, same) = fold.finish();
        Compared {
            file: now.begin.file.clone(),
            world: now.begin.world.clone(),
            run: now.begin.run.clone(),
            partner: partner.ok_or(unpaired),
            changes,
            same,
            margins,
        }
    }
}

/// The differences of two runs. What chance may explain is decided when all of it is there.
#[derive(Default)]
struct Fold {
    changes: Vec<Change>,
    same: usize,
    tests: Vec<Test>,
}

/// Figures that were tested.
struct Test {
    /// The chance that equal systems are as far apart.
    chance: f64,
    /// The difference, where it is one that matters.
    change: Option<Change>,
}

impl Fold {
    fn compare(&mut self, both: [&Measured; 2]) {
        let [earlier, now] = both;
        self.verdicts(earlier, now);
        let markers: Vec<Marker> = now.begin.plan.system.markers.clone();
        let recoveries = recoveries(both);
        if !recoveries.is_empty() {
            let settled = both.map(|run| run.without(&recoveries));
            self.phase(SETTLED, [&settled[0], &settled[1]], &markers);
        }
        // The whole run is the sum of its phases, and which of them differs says more.
        let is_part = |(phase, _): &&(Phase, Sum)| phase.name != RUN || now.phases.len() == 1;
        for (phase, sum) in now.phases.iter().filter(is_part) {
            if let Some((_, before)) = earlier.phases.iter().find(|(other, _)| other.name == phase.name) {
                self.phase(&phase.name, [before, sum], &markers);
            }
        }
        for (fault, recovery) in &now.recoveries {
            if let Some(before) = earlier.recoveries.get(fault) {
                self.recovery(fault, [*before, *recovery]);
            }
        }
    }

    /// The differences, what is worse first, and how many figures and verdicts are the same.
    fn finish(self) -> (Vec<Change>, usize) {
        let Self { mut changes, mut same, tests } = self;
        let chances: Vec<f64> = tests.iter().map(|test| test.chance).collect();
        for (test, is_beyond) in tests.into_iter().zip(chance::beyond(&chances)) {
            match test.change.filter(|_| is_beyond) {
                Some(change) => changes.push(change),
                None => same += 1,
            }
        }
        changes.sort_by_key(|change| change.direction);
        (changes, same)
    }

    fn verdicts(&mut self, earlier: &Measured, now: &Measured) {
        for (name, verdict) in &now.verdicts {
            let Some(before) = earlier.verdicts.get(name) else { continue };
            let seen = [before, verdict].map(ToString::to_string);
            match (before, verdict) {
                (before, verdict) if before == verdict => self.same += 1,
                (Verdict::Pass, Verdict::Fail) => self.changes.push(change(true, name.clone(), seen)),
                (Verdict::Fail, Verdict::Pass) => self.changes.push(change(false, name.clone(), seen)),
                _ => self.changes.push(Change { direction: Direction::Changed, what: name.clone(), seen }),
            }
        }
    }

    fn phase(&mut self, phase: &str, both: [&Sum; 2], markers: &[Marker]) {
        let whole = both.map(|sum| sum.counts.due);
        let allowance = both.map(allowance).into_iter().fold(0.0, f64::max);
        let shares = |parts: [u64; 2]| [0, 1].map(|n| Share { parts: parts[n], whole: whole[n] });
        self.share(format!("{phase}: available"), shares(both.map(|sum| sum.counts.good)), true, allowance);
        if markers.contains(&Marker::Partial) {
            self.share(format!("{phase}: partial"), shares(both.map(|sum| sum.counts.partial)), false, allowance);
        }
        if markers.contains(&Marker::Stale) {
            self.share(format!("{phase}: stale"), shares(both.map(|sum| sum.counts.stale)), false, allowance);
        }
        self.latency(format!("{phase}: p50"), both, 50_000, allowance);
        self.latency(format!("{phase}: p99"), both, 99_000, allowance);
    }

    fn share(&mut self, what: String, both: [Share; 2], more_is_better: bool, allowance: f64) {
        let [before, now] = both;
        let apart = (before.as_f64() - now.as_f64()).abs();
        let matters = apart >= POINTS + allowance;
        let seen = || both.map(|share| format!("{share} ({} of {})", share.parts, share.whole));
        let is_worse = (now.as_f64() < before.as_f64()) == more_is_better;
        let change = matters.then(|| change(is_worse, what, seen()));
        self.tests.push(Test { chance: chance::of_shares(both), change });
    }

    /// Whether more requests of one run were slower than a percentile of the other than its own.
    fn latency(&mut self, what: String, both: [&Sum; 2], thousandths: u32, allowance: f64) {
        let percentiles = both.map(|sum| sum.counts.latency.percentile(thousandths));
        let [Some(before), Some(now)] = percentiles else { return };
        let (less, more) = (before.min(now), before.max(now));
        let edge = less + SLOWER + less / 4;
        let slower = |latency: &Histogram| Share { parts: slower_than(latency, edge), whole: latency.count() };
        let windows = Windows::shares(both.map(|sum| &sum.windows), |counts| slower(&counts.latency));
        let slower = both.map(|sum| slower(&sum.counts.latency));
        let at_once = chance::at_once(&windows);
        let apart = (slower[0].as_f64() - slower[1].as_f64()).abs();
        let matters = more > edge && apart > allowance;
        let change = matters.then(|| change(now > before, what, [before, now].map(show_duration)));
        let chance = chance::of_shares(slower.map(|share| chance::thinned(share, at_once)));
        self.tests.push(Test { chance, change });
    }

    /// Times to recover; none where it did not in the time that was left.
    fn recovery(&mut self, fault: &str, [before, now]: [Option<Duration>; 2]) {
        let is_longer = |less: Duration, more: Duration| more > less + LONGER && more * 2 > less * 3;
        let words =
            |time: Option<Duration>| time.map_or_else(|| "not in the time that was left".to_owned(), show_duration);
        let worse = match (before, now) {
            (Some(before), Some(now)) if is_longer(before, now) => true,
            (Some(before), Some(now)) if is_longer(now, before) => false,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            _ => {
                self.same += 1;
                return;
            }
        };
        self.changes.push(change(worse, format!("{fault}: time to recover"), [before, now].map(words)));
    }
}

fn change(is_worse: bool, what: String, seen: [String; 2]) -> Change {
    let direction = if is_worse { Direction::Worse } else { Direction::Better };
    Change { direction, what, seen }
}

/// The share of a phase's requests that a recovery may take longer by chance.
fn allowance(sum: &Sum) -> f64 {
    sum.recovering.map_or(0.0, |length| LONGER.as_secs_f64() / length.as_secs_f64().max(f64::MIN_POSITIVE))
}

/// The times in which one of two runs recovers from its faults, with what it may need longer by chance.
fn recoveries(both: [&Measured; 2]) -> Vec<(Duration, Duration)> {
    let of = |run: &Measured| {
        let end = run.begin.phases.iter().map(|phase| phase.to).max().unwrap_or_default();
        let one = |fault: &chaos_model::Fault| {
            // Nobody noticed those that are not there.
            let took = run.recoveries.get(&fault.name).map_or(Duration::ZERO, |took| took.unwrap_or(end));
            (fault.ends(), fault.ends() + took + LONGER)
        };
        run.begin.faults.iter().map(one).collect::<Vec<_>>()
    };
    both.map(of).concat()
}

fn slower_than(latency: &Histogram, edge: Duration) -> u64 {
    latency.buckets().filter(|(upper, _)| *upper > edge).map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::slice::Counts;

    fn direction(fold: Fold) -> Option<Direction> {
        fold.finish().0.pop().map(|change| change.direction)
    }

    fn share(before: (u64, u64), now: (u64, u64)) -> Option<Direction> {
        let mut fold = Fold::default();
        fold.share("x".to_owned(), [before, now].map(|(parts, whole)| Share { parts, whole }), true, 0.0);
        direction(fold)
    }

    #[test]
    fn shares_differ_beyond_chance_and_by_half_a_point() {
        assert_eq!(share((2000, 2000), (1980, 2000)), Some(Direction::Worse), "one in a hundred");
        assert_eq!(share((1980, 2000), (2000, 2000)), Some(Direction::Better));
        assert_eq!(share((2000, 2000), (1986, 2000)), None, "fourteen may be chance");
        assert_eq!(share((1_000_000, 1_000_000), (998_000, 1_000_000)), None, "nobody would act on it");
        assert_eq!(share((400, 800), (330, 800)), None, "around a half, chance explains 7 points");
        assert_eq!(share((0, 0), (10, 10)), None, "of nothing there is no share");
    }

    /// Latencies in milliseconds and how many had them, all in one second.
    fn sum(all: &[(u64, u64)]) -> Sum {
        let mut sum = Sum::default();
        for (ms, count) in all {
            (0..*count).for_each(|_| sum.counts.latency.record(Duration::from_millis(*ms)));
        }
        sum
    }

    fn latency(before: &[(u64, u64)], now: &[(u64, u64)], thousandths: u32) -> Option<Direction> {
        let mut fold = Fold::default();
        fold.latency("x".to_owned(), [&sum(before), &sum(now)], thousandths, 0.0);
        direction(fold)
    }

    #[test]
    fn latencies_differ_where_more_requests_are_slower() {
        let usual = [(4, 960), (12, 40)];
        let slow = [(4, 960), (42, 40)];
        assert_eq!(latency(&usual, &slow, 99_000), Some(Direction::Worse));
        assert_eq!(latency(&slow, &usual, 99_000), Some(Direction::Better));
        assert_eq!(latency(&usual, &slow, 50_000), None);
        assert_eq!(latency(&usual, &usual, 99_000), None);
        // The slowest of a few is chance.
        assert_eq!(latency(&[(4, 996), (12, 4)], &[(4, 989), (400, 11)], 99_000), None);
        assert_eq!(latency(&[(4, 1000)], &[(14, 1000)], 50_000), None, "10 ms are within what machines do");
    }

    #[test]
    fn what_a_recovery_explains_is_no_difference() {
        let sum = |good, recovering| Sum {
            counts: Counts { due: 200, good, ..Counts::default() },
            recovering,
            ..Sum::default()
        };
        let changes = |recovering: Option<u64>| {
            let recovering = recovering.map(Duration::from_secs);
            let mut fold = Fold::default();
            fold.phase("recovery", [&sum(195, recovering), &sum(80, recovering)], &[]);
            fold.finish().0.len()
        };
        assert_eq!(changes(None), 1);
        assert_eq!(changes(Some(1)), 0, "most of a second of a second");
        assert_eq!(changes(Some(4)), 1);
    }

    #[test]
    fn the_more_phases_a_run_has_the_more_it_takes() {
        let sum = |good| Sum { counts: Counts { due: 2000, good, ..Counts::default() }, ..Sum::default() };
        let changes = |phases: usize| {
            let mut fold = Fold::default();
            fold.phase("outage", [&sum(2000), &sum(1982)], &[]);
            (1..phases).for_each(|_| fold.phase("other", [&sum(2000), &sum(2000)], &[]));
            fold.finish().0.len()
        };
        assert_eq!((changes(1), changes(500)), (1, 0));
    }

    #[test]
    fn a_recovery_is_longer_by_half() {
        let of = |before, now| {
            let mut fold = Fold::default();
            fold.recovery("x", [before, now].map(|ms: Option<u64>| ms.map(Duration::from_millis)));
            direction(fold)
        };
        assert_eq!(of(Some(1000), Some(2000)), Some(Direction::Worse));
        assert_eq!(of(Some(2000), Some(1000)), Some(Direction::Better));
        assert_eq!(of(Some(3000), Some(4500)), None, "1.2 over 0.8 of a wait");
        assert_eq!(of(Some(3900), Some(6000)), Some(Direction::Worse));
        assert_eq!(of(Some(100), Some(900)), None, "a circuit that is tried a moment later");
        assert_eq!(of(Some(100), None), Some(Direction::Worse));
        assert_eq!(of(None, Some(100)), Some(Direction::Better));
        assert_eq!(of(None, None), None);
    }
}
