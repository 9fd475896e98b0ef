//! Controls: whether a scenario shows anything, by what comes of its expectations with its faults and without.
//!
//! The ledger knows what a fault did to a request. Refused attempts to connect and what is done to services
//! leave no line there. Of these, the control tells whether the load would have gone there at that time.

mod untold;

use crate::{
    Outcome, Style,
    style::Ink,
    terminal::headline,
    text::{hanging, left, paragraph, width},
};
use chaos_model::{Event, Impact, Record, Verdict, quantity::show_duration};
use std::{
    io::{self, Write},
    time::Duration,
};

pub use untold::{Untold, Went};

/// Result of a scenario with its faults, and of the same load without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlResult {
    /// The scenario's file.
    pub file: String,
    /// Outcome of the run with its faults.
    pub run: Outcome,
    /// Outcome of the run without them; none where there was no use in it.
    pub control: Option<Outcome>,
    /// The expectations, in the order of the scenario.
    pub expectations: Vec<Compared>,
    /// Injections that joined requests of the load: what the faults did is shown by them, whatever came of it.
    pub met: u64,
    /// Faults of which the ledger can't say whether they met requests of the load.
    pub untold: Vec<Untold>,
    /// Time that both took.
    pub took: Duration,
}

/// Verdicts of an expectation with the faults, and without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The expectation's name.
    pub that: String,
    /// With the faults.
    pub with: Verdict,
    /// Without them.
    pub without: Verdict,
    /// The comparison that did not hold without them, with the value that was seen.
    pub seen: String,
}

impl ControlResult {
    /// The result of the two runs with these events.
    #[must_use]
    pub fn of(run: &[Record], control: Option<&[Record]>) -> Self {
        // A control is a whole second run, and no look at the baseline: caches are as warm, and the load is as long, as
        // in the run that it is compared with.
        let result = super::RunResult::of(run);
        let without = control.map(super::RunResult::of);
        let judged = |records: &'_ [Record]| {
            let judged = records.iter().filter_map(|record| match &record.event {
                Event::Judged(judged) => Some(judged.clone()),
                _ => None,
            });
            judged.collect::<Vec<_>>()
        };
        let pairs = judged(run).into_iter().zip(control.map(judged).unwrap_or_default());
        let expectations = pairs.map(|(with, without)| {
            let broke = without.checks.iter().find(|check| check.verdict == without.verdict);
            let seen = broke.map_or_else(String::new, |check| format!("{}: {}", check.expected, check.seen));
            Compared { that: with.that, with: with.verdict, without: without.verdict, seen }
        });
        Self {
            file: result.file,
            run: result.outcome,
            control: without.as_ref().map(|without| without.outcome),
            expectations: expectations.collect(),
            met: run.iter().map(|record| met(&record.event)).sum(),
            untold: control.map(|control| untold::of(run, control)).unwrap_or_default(),
            took: result.took + without.map_or(Duration::ZERO, |without| without.took),
        }
    }

    /// The expectations that differ.
    fn differing(&self) -> impl Iterator<Item = &Compared> {
        self.expectations.iter().filter(|one| one.with != one.without)
    }

    /// Pass where the run passed and at least one expectation differs without the faults, or a fault met a request of the
    /// load, by the ledger or since it stood in the way of what goes there without it; fail where none of that is so, and
    /// inconclusive where it can't be said. What keeps a run from passing counts as it does without a control: what it
    /// shows is not what the scenario says.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let verdict = |outcome| matches!(outcome, Outcome::Verdict(_));
        match (self.run, self.control) {
            (run, _) if run != Outcome::Verdict(Verdict::Pass) => run,
            (run, None) => run,
            (_, Some(control)) if !verdict(control) => control,
            // An expectation that holds all the same is what resilience looks like, where the faults are known to have met
            // somebody who could have noticed.
            _ if self.met > 0 || self.differing().next().is_some() => Outcome::Verdict(Verdict::Pass),
            _ if self.untold.iter().any(Untold::stood_in_the_way) => Outcome::Verdict(Verdict::Pass),
            _ if self.untold.iter().any(Untold::is_open) => Outcome::Verdict(Verdict::Inconclusive),
            _ => Outcome::Verdict(Verdict::Fail),
        }
    }
}

impl ControlResult {
    /// True where both runs were judged, and it is not known whether the faults met anybody.
    fn is_unsure(&self) -> bool {
        let passed = self.run == Outcome::Verdict(Verdict::Pass);
        passed && self.outcome() == Outcome::Verdict(Verdict::Inconclusive) && self.untold.iter().any(Untold::is_open)
    }
}

/// The injections of a fault that are known to have met a request of the load.
fn met(event: &Event) -> u64 {
    let Event::FaultFigures(figures) = event else { return 0 };
    let met = |impact: Impact| !matches!(impact, Impact::Background | Impact::Unknown);
    figures.impacts.iter().filter(|(impact, _)| met(**impact)).map(|(_, count)| count).sum()
}

/// Writes what came of these scenarios with and without their faults, and how many show something.
///
/// # Errors
/// Those of the writer.
pub fn controls(out: &mut impl Write, style: Style, results: &[ControlResult]) -> io::Result<()> {
    writeln!(out, "{}", style.paint(Ink::Strong, "with and without faults"))?;
    let words = results.iter().map(|result| word(result).1.len()).max().unwrap_or(0);
    for result in results {
        entry(out, style, result, words)?;
    }
    let shows = results.iter().filter(|result| result.outcome() == Outcome::Verdict(Verdict::Pass)).count();
    let (ink, word) = headline(Outcome::worst(results.iter().map(ControlResult::outcome)));
    let took = show_duration(results.iter().map(|result| result.took).sum());
    let sentence = match results.len() {
        1 if shows == 1 => format!("the scenario shows something, in {took}"),
        1 if results[0].is_unsure() => format!("it can't be said whether the scenario shows anything, in {took}"),
        1 => format!("the scenario does not show what it says, in {took}"),
        all => format!("{shows} of {all} scenarios show something, in {took}"),
    };
    write!(out, "{}", hanging(&format!("{}: ", style.paint(ink, word)), width(word) + 2, &sentence, style.columns()))
}

fn word(result: &ControlResult) -> (Ink, &'static str) {
    let passed = result.run == Outcome::Verdict(Verdict::Pass);
    match result.outcome() {
        Outcome::Verdict(Verdict::Pass) => (Ink::Good, "SHOWS"),
        Outcome::Verdict(Verdict::Fail) if passed => (Ink::Bad, "SHOWS NOTHING"),
        other => headline(other),
    }
}

fn entry(out: &mut impl Write, style: Style, result: &ControlResult, words: usize) -> io::Result<()> {
    let columns = style.columns();
    let (ink, word) = word(result);
    let indent = words + 4;
    let first = format!("  {}  ", style.paint(ink, left(word, words)));
    let head = format!("{} ({})", result.file, show_duration(result.took));
    write!(out, "{}", hanging(&first, indent, &head, columns))?;
    let indent = " ".repeat(indent);
    for one in result.differing() {
        let words = format!("{} ({} without faults: {})", one.that, one.without, one.seen);
        write!(out, "{}", paragraph(&format!("{indent}differs: "), &words, columns))?;
    }
    if matches!(result.control, Some(Outcome::Verdict(_))) && result.differing().next().is_none() {
        for one in &result.expectations {
            let words = format!("{} ({})", one.that, one.with);
            write!(out, "{}", paragraph(&format!("{indent}the same without faults: "), &words, columns))?;
        }
        let (and, words) = match result.met {
            0 => ("and ", untold::words(&result.untold)),
            1 => ("but ", "1 injection met a request of the load".to_owned()),
            met => ("but ", format!("{met} injections met requests of the load")),
        };
        let and = if result.met == 0 && result.untold.iter().any(Untold::stood_in_the_way) { "but " } else { and };
        write!(out, "{}", paragraph(&format!("{indent}{and}"), &words, columns))?;
    }
    Ok(())
}
