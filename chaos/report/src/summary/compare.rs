//! One scenario in two worlds: whether both come to the same, and where not, by how much.
//!
//! Worlds differ for good reasons: a simulation counts in whole milliseconds and takes no time to compute, a machine
//! cuts streams into other chunks. So what differs is told by its weight, and what is within its margin only counted:
//!
//! 1. verdicts, of the run and of each expectation: only these say that the worlds do not agree;
//! 2. shares of a phase's requests (available, each status, each reason for no response, partial, stale, not made),
//!    where they are further apart than three standard errors of the difference of two samples of their sizes. Both
//!    worlds draw the same requests, so that chance explains even less than that;
//! 3. counts (requests of a phase, what each fault did), where they are further apart than three standard deviations of
//!    the difference of two Poisson counts; of what depends on how the machine cuts streams or keeps connections, by a
//!    factor of two besides;
//! 4. latencies and ages that differ by a factor of two and by 10 ms (ages: a second, in which they are told) besides.

mod figures;
mod table;

pub use table::comparisons;

use crate::Outcome;
use chaos_model::{
    Event, Record, Verdict,
    event::{Begin, Judged},
    quantity::show_duration,
};
use std::time::Duration;

/// Result of one scenario in two worlds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparisonResult {
    /// The scenario's file.
    pub file: String,
    /// The worlds' names.
    pub worlds: [String; 2],
    /// Outcomes of the two runs.
    pub runs: [Outcome; 2],
    /// Differences beyond their margins, by weight, the greatest first.
    pub differences: Vec<Difference>,
    /// Expectations that came to the same, and those that only one of the worlds judges.
    pub expectations: Expectations,
    /// Figures that are the same within their margins.
    pub within: usize,
    /// Time that both took.
    pub took: Duration,
}

/// Expectations that can be compared, and those that can't.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// The number of expectations that were judged in both.
    pub both: usize,
    /// The expectations that were judged in the first alone, or in the second alone: by the scenario's word (`worlds`).
    pub alone: [Vec<String>; 2],
}

/// Something that differs beyond its margin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The kind of difference.
    pub weight: Weight,
    /// The thing that differs: `clients never notice`, `outage: partial`.
    pub what: String,
    /// The value in each world: `pass`, `12.5% (100 of 800)`.
    pub seen: [String; 2],
    /// By how much, in words.
    pub by: String,
}

/// Kinds of differences, the greatest weight first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A verdict differs.
    Verdict,
    /// A share of requests differs.
    Share,
    /// A count differs.
    Count,
    /// A latency or an age differs.
    Time,
}

impl ComparisonResult {
    /// Compares the two runs with these events.
    #[must_use]
    pub fn of(runs: [&[Record]; 2]) -> Self {
        let begins = runs.map(begin);
        let outcomes = runs.map(Outcome::of);
        let results = runs.map(super::RunResult::of);
        let mut differences = Vec::new();
        let (mut expectations, mut within) = (Expectations::default(), 0);
        if outcomes.iter().all(|outcome| matches!(outcome, Outcome::Verdict(_))) {
            expectations = verdicts(runs, outcomes, &mut differences);
            within = figures::compare(runs, &mut differences);
            differences.sort_by_key(|difference| difference.weight);
        }
        let [first, second] = &results;
        Self {
            file: first.file.clone(),
            worlds: begins.map(|begin| begin.map_or_else(String::new, |begin| begin.world.clone())),
            runs: outcomes,
            differences,
            expectations,
            within,
            took: first.took + second.took,
        }
    }

    /// The result where there was nothing to run.
    #[must_use]
    pub fn invalid(file: &str, worlds: [&str; 2]) -> Self {
        Self {
            file: file.to_owned(),
            worlds: worlds.map(str::to_owned),
            runs: [Outcome::Invalid; 2],
            differences: Vec::new(),
            expectations: Expectations::default(),
            within: 0,
            took: Duration::ZERO,
        }
    }

    /// True where verdicts differ.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        // Worlds agree where their verdicts do. Other figures are shown and change no exit code: a simulation counts in
        // whole milliseconds and computes in no time, and a machine cuts streams as it likes.
        self.differences.iter().any(|difference| difference.weight == Weight::Verdict)
    }

    /// The worst of both runs, and fail where their verdicts differ.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let differs = self.disagrees().then_some(Outcome::Verdict(Verdict::Fail));
        Outcome::worst(self.runs.into_iter().chain(differs))
    }
}

fn begin(records: &[Record]) -> Option<&Begin> {
    records.iter().find_map(|record| match &record.event {
        Event::Begin(begin) => Some(begin),
        _ => None,
    })
}

fn judged(records: &[Record]) -> Vec<&Judged> {
    let judged = records.iter().filter_map(|record| match &record.event {
        Event::Judged(judged) => Some(judged),
        _ => None,
    });
    judged.collect()
}

/// Compares what came of expectations, and of the runs as a whole where these explain nothing.
fn verdicts(runs: [&[Record]; 2], outcomes: [Outcome; 2], differences: &mut Vec<Difference>) -> Expectations {
    let [first, second] = runs.map(judged);
    let mut expectations = Expectations::default();
    for one in &first {
        // Names may come twice; `elsewhere` moves indices.
        let Some(other) = second.iter().find(|other| (&other.that, &other.when) == (&one.that, &one.when)) else {
            expectations.alone[0].push(one.that.clone());
            continue;
        };
        expectations.both += 1;
        if one.verdict != other.verdict {
            differences.push(Difference {
                weight: Weight::Verdict,
                what: format!("{} ({})", one.that, one.when),
                seen: [one.verdict, other.verdict].map(|verdict| verdict.to_string()),
                by: checks(one, other),
            });
        }
    }
    let is_known = |other: &&&Judged| first.iter().any(|one| (&other.that, &other.when) == (&one.that, &one.when));
    expectations.alone[1] = second.iter().filter(|other| !is_known(other)).map(|other| other.that.clone()).collect();
    let [Outcome::Verdict(one), Outcome::Verdict(other)] = outcomes else { return expectations };
    if one != other && differences.is_empty() && expectations.alone.iter().all(Vec::is_empty) {
        let [mine, others] = runs.map(doubts);
        differences.push(Difference {
            weight: Weight::Verdict,
            what: "the run as a whole".to_owned(),
            seen: [one, other].map(|verdict| verdict.to_string()),
            by: mine.into_iter().chain(others).collect::<Vec<_>>().join("; "),
        });
    }
    expectations
}

/// The comparisons that came out otherwise, with what was seen.
fn checks(one: &Judged, other: &Judged) -> String {
    let differing = one.checks.iter().zip(&other.checks).filter(|(one, other)| one.verdict != other.verdict);
    let words: Vec<_> =
        differing.map(|(one, other)| format!("{}: {} and {}", one.expected, one.seen, other.seen)).collect();
    words.join("; ")
}

fn doubts(records: &[Record]) -> Vec<String> {
    let doubts = records.iter().filter_map(|record| match &record.event {
        Event::Inconclusive { why, .. } => Some(why.clone()),
        _ => None,
    });
    doubts.collect()
}

/// By which factor: `3.2 times`.
fn times([one, other]: [Duration; 2]) -> String {
    let (less, more) = (one.min(other), one.max(other));
    if less.is_zero() {
        return format!("{} more", show_duration(more));
    }
    let factor = more.as_secs_f64() / less.as_secs_f64();
    if factor >= 10.0 { format!("{factor:.0} times") } else { format!("{factor:.1} times") }
}
