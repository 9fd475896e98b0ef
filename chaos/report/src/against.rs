//! A run against an earlier one of the same scenario: what is better, what is worse, and what is the same beyond chance.
//!
//! Equal systems never have equal figures: which requests arrive, and which of them a fault meets, is drawn, and machines are
//! noisy. So a figure differs where chance explains it in less than one of 100,000 comparisons *and* where the difference is one
//! that somebody would act on:
//!
//! 1. shares of a phase's requests (available, partial, stale): by the log-likelihood ratio of two binomial samples (the G test; R.
//!    Sokal and F. Rohlf, Biometry, 17.1), which stands small counts, and by half a point;
//! 2. latencies: the same test, of how many requests were slower than the other run's p50 and p99 by a quarter and 10 ms;
//! 3. times to recover: by three quarters and most of a second, which is what a circuit or a pool may need more or less by
//!    chance; never recovered is worse than any. In phases of recovery, figures may differ by as much as such a time explains;
//! 4. verdicts of expectations. Of one that can't be judged it can't be said that it became better or worse.

mod measured;
mod words;

pub(crate) use words::sentence;
pub use words::write;

use chaos_model::{Event, Histogram, Record, Share, Verdict, phase::RUN, quantity::show_duration, responses::Marker};
use measured::Measured;
use std::{collections::BTreeMap, time::Duration};

/// The likelihood ratio beyond which chance is no explanation: chi-squared with one degree of freedom, p = 8e-6.
const CHANCE: f64 = 20.0;
/// All phases in which nothing recovers, together: what is rare is seen there first.
const SETTLED: &str = "all but recoveries";
/// Shares that are less apart are the same to whoever reads them.
const POINTS: f64 = 0.005;
/// Latencies are slower by so much, and a quarter.
const SLOWER: Duration = Duration::from_millis(10);
/// Times to recover are longer by so much, and three quarters.
const LONGER: Duration = Duration::from_millis(900);

/// A fold over recordings of earlier runs: of each scenario in each world, the latest is kept.
#[derive(Debug, Default)]
pub struct Earlier {
    latest: BTreeMap<(String, String), Measured>,
    under_way: Option<Measured>,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The scenario's file.
    pub file: String,
    /// The time of the earlier run's beginning, in milliseconds since the Unix epoch; none where there was no earlier run.
    pub earlier_unix_ms: Option<u64>,
    /// Differences, what is worse first.
    pub changes: Vec<Change>,
    /// The number of figures and verdicts that are the same.
    pub same: usize,
}

impl Compared {
    /// True where something is worse than it was.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.changes.iter().any(|change| change.direction == Direction::Worse)
    }
}

impl Earlier {
    /// Takes an event of an earlier run in.
    pub fn on(&mut self, record: &Record) {
        if let Event::Begin(begin) = &record.event {
            self.close();
            // Guards break on purpose, and controls have no faults: neither is what is compared.
            self.under_way = (begin.without.is_none() && !begin.control).then(|| Measured::new(begin));
        }
        if let Some(run) = &mut self.under_way {
            run.on(record);
        }
    }

    /// Takes note that no further event follows.
    fn close(&mut self) {
        let Some(run) = self.under_way.take().filter(Measured::is_whole) else { return };
        let key = run.key();
        let is_later = self.latest.get(&key).is_none_or(|other| other.unix_ms <= run.unix_ms);
        if is_later {
            self.latest.insert(key, run);
        }
    }

    /// Compares these runs with the latest earlier ones of the same scenario in the same world.
    pub fn compare<'a>(&mut self, runs: impl IntoIterator<Item = &'a Record>) -> Vec<Compared> {
        self.close();
        let mut now = Vec::new();
        let mut under_way: Option<Measured> = None;
        for record in runs {
            if let Event::Begin(begin) = &record.event {
                now.extend(under_way.take());
                under_way = (begin.without.is_none() && !begin.control).then(|| Measured::new(begin));
            }
            if let Some(run) = &mut under_way {
                run.on(record);
            }
        }
        now.extend(under_way);
        now.iter().filter(|run| run.is_whole()).map(|run| compare(self.latest.get(&run.key()), run)).collect()
    }
}

fn compare(earlier: Option<&Measured>, now: &Measured) -> Compared {
    let mut fold = Fold::default();
    if let Some(earlier) = earlier {
        fold.verdicts(earlier, now);
        fold.phase(SETTLED, [&earlier.settled, &now.settled]);
        // The whole run is the sum of its phases, and which of them differs says more.
        let parts = now.phases.iter().filter(|(phase, _)| phase != RUN || now.phases.len() == 1);
        for (phase, sum) in parts {
            if let Some((_, before)) = earlier.phases.iter().find(|(name, _)| name == phase) {
                fold.phase(phase, [before, sum]);
            }
        }
        for (fault, recovery) in &now.recoveries {
            if let Some(before) = earlier.recoveries.get(fault) {
                fold.recovery(fault, [*before, *recovery]);
            }
        }
    }
    fold.changes.sort_by_key(|change| change.direction);
    Compared {
        file: now.file.clone(),
        earlier_unix_ms: earlier.map(|earlier| earlier.unix_ms),
        changes: fold.changes,
        same: fold.same,
    }
}

#[derive(Default)]
struct Fold {
    changes: Vec<Change>,
    same: usize,
}

/// Counts of what clients saw in a phase, as far as it is compared.
#[derive(Clone, Debug, Default)]
struct PhaseCounts {
    due: u64,
    good: u64,
    marked: BTreeMap<Marker, u64>,
    latency: Histogram,
    /// The length that it had, where it is one in which a system recovers.
    recovering: Option<Duration>,
}

impl PhaseCounts {
    /// The share of its requests that a recovery may take longer by chance.
    fn allowance(&self) -> f64 {
        self.recovering.map_or(0.0, |length| LONGER.as_secs_f64() / length.as_secs_f64().max(f64::MIN_POSITIVE))
    }
}

impl Fold {
    fn change(&mut self, is_worse: bool, what: String, seen: [String; 2]) {
        let direction = if is_worse { Direction::Worse } else { Direction::Better };
        self.changes.push(Change { direction, what, seen });
    }

    fn verdicts(&mut self, earlier: &Measured, now: &Measured) {
        for (name, verdict) in &now.verdicts {
            let Some(before) = earlier.verdicts.get(name) else { continue };
            let seen = || [before, verdict].map(ToString::to_string);
            match (before, verdict) {
                (before, verdict) if before == verdict => self.same += 1,
                (Verdict::Pass, Verdict::Fail) => self.change(true, name.clone(), seen()),
                (Verdict::Fail, Verdict::Pass) => self.change(false, name.clone(), seen()),
                _ => self.changes.push(Change { direction: Direction::Changed, what: name.clone(), seen: seen() }),
            }
        }
    }

    fn phase(&mut self, phase: &str, both: [&PhaseCounts; 2]) {
        let whole = both.map(|counts| counts.due);
        let allowance = both[0].allowance().max(both[1].allowance());
        let shares = |parts: [u64; 2]| [0, 1].map(|n| Share { parts: parts[n], whole: whole[n] });
        self.share(format!("{phase}: available"), shares(both.map(|counts| counts.good)), true, allowance);
        for (marker, name) in [(Marker::Partial, "partial"), (Marker::Stale, "stale")] {
            let counts = both.map(|counts| counts.marked.get(&marker).copied());
            if let [Some(before), Some(now)] = counts {
                self.share(format!("{phase}: {name}"), shares([before, now]), false, allowance);
            }
        }
        let latencies = both.map(|counts| &counts.latency);
        self.latency(format!("{phase}: p50"), latencies, 50_000, allowance);
        self.latency(format!("{phase}: p99"), latencies, 99_000, allowance);
    }

    fn share(&mut self, what: String, [before, now]: [Share; 2], more_is_better: bool, allowance: f64) {
        let apart = (before.as_f64() - now.as_f64()).abs();
        if apart < POINTS + allowance || likelihood_ratio([before, now]) < CHANCE {
            self.same += 1;
            return;
        }
        let seen = [before, now].map(|share| format!("{share} ({} of {})", share.parts, share.whole));
        self.change((now.as_f64() < before.as_f64()) == more_is_better, what, seen);
    }

    /// Whether more requests of one run were slower than a percentile of the other than its own.
    fn latency(&mut self, what: String, both: [&Histogram; 2], thousandths: u32, allowance: f64) {
        let [Some(before), Some(now)] = both.map(|latency| latency.percentile(thousandths)) else { return };
        let (less, more) = (before.min(now), before.max(now));
        let edge = less + SLOWER + less / 4;
        let slower = both.map(|latency| Share { parts: slower_than(latency, edge), whole: latency.count() });
        let apart = (slower[0].as_f64() - slower[1].as_f64()).abs();
        if more <= edge || apart <= allowance || likelihood_ratio(slower) < CHANCE {
            self.same += 1;
            return;
        }
        self.change(now > before, what, [before, now].map(show_duration));
    }

    /// Times to recover; none where it did not in the time that was left.
    fn recovery(&mut self, fault: &str, [before, now]: [Option<Duration>; 2]) {
        let is_longer = |less: Duration, more: Duration| more > less + LONGER && more * 4 > less * 7;
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
        self.change(worse, format!("{fault}: time to recover"), [before, now].map(words));
    }
}

fn slower_than(latency: &Histogram, edge: Duration) -> u64 {
    latency.buckets().filter(|(upper, _)| *upper > edge).map(|(_, count)| count).sum()
}

/// Twice the logarithm by how much likelier two samples are with a share each than with one share of both.
fn likelihood_ratio(both: [Share; 2]) -> f64 {
    let [one, other] = both;
    let whole = one.whole + other.whole;
    if one.whole == 0 || other.whole == 0 {
        return 0.0;
    }
    let pooled = Share { parts: one.parts + other.parts, whole }.as_f64();
    let term = |observed: u64, expected: f64| {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let observed = observed as f64;
        if observed == 0.0 { 0.0 } else { observed * (observed / expected).ln() }
    };
    let of = |share: Share| {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let whole = share.whole as f64;
        term(share.parts, whole * pooled) + term(share.whole.saturating_sub(share.parts), whole * (1.0 - pooled))
    };
    2.0 * (of(one) + of(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(before: (u64, u64), now: (u64, u64)) -> Option<Direction> {
        let mut fold = Fold::default();
        fold.share("x".to_owned(), [before, now].map(|(parts, whole)| Share { parts, whole }), true, 0.0);
        fold.changes.pop().map(|change| change.direction)
    }

    #[test]
    fn shares_differ_beyond_chance_and_by_half_a_point() {
        assert_eq!(share((2000, 2000), (1980, 2000)), Some(Direction::Worse), "one in a hundred");
        assert_eq!(share((1980, 2000), (2000, 2000)), Some(Direction::Better));
        assert_eq!(share((2000, 2000), (1988, 2000)), None, "twelve may be chance");
        assert_eq!(share((1_000_000, 1_000_000), (998_000, 1_000_000)), None, "nobody would act on it");
        assert_eq!(share((400, 800), (330, 800)), None, "around a half, chance explains 7 points");
        assert_eq!(share((0, 0), (10, 10)), None, "of nothing there is no share");
    }

    fn latency(before: &[(u64, u64)], now: &[(u64, u64)], thousandths: u32) -> Option<Direction> {
        let histogram = |all: &[(u64, u64)]| {
            let mut histogram = Histogram::default();
            for (ms, count) in all {
                (0..*count).for_each(|_| histogram.record(Duration::from_millis(*ms)));
            }
            histogram
        };
        let (before, now) = (histogram(before), histogram(now));
        let mut fold = Fold::default();
        fold.latency("x".to_owned(), [&before, &now], thousandths, 0.0);
        fold.changes.pop().map(|change| change.direction)
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
        let counts = |good, recovering| PhaseCounts { due: 200, good, recovering, ..PhaseCounts::default() };
        let changes = |recovering: Option<u64>| {
            let recovering = recovering.map(Duration::from_secs);
            let mut fold = Fold::default();
            fold.phase("recovery", [&counts(195, recovering), &counts(80, recovering)]);
            fold.changes.len()
        };
        assert_eq!(changes(None), 1);
        assert_eq!(changes(Some(1)), 0, "most of a second of a second");
        assert_eq!(changes(Some(4)), 1);
    }

    #[test]
    fn a_recovery_is_longer_by_three_quarters() {
        let of = |before, now| {
            let mut fold = Fold::default();
            fold.recovery("x", [before, now].map(|ms: Option<u64>| ms.map(Duration::from_millis)));
            fold.changes.pop().map(|change| change.direction)
        };
        assert_eq!(of(Some(1000), Some(2000)), Some(Direction::Worse));
        assert_eq!(of(Some(2000), Some(1000)), Some(Direction::Better));
        assert_eq!(of(Some(1000), Some(1500)), None);
        assert_eq!(of(Some(100), Some(900)), None, "a circuit that is tried a moment later");
        assert_eq!(of(Some(100), None), Some(Direction::Worse));
        assert_eq!(of(None, Some(100)), Some(Direction::Better));
        assert_eq!(of(None, None), None);
    }
}
