//! Guards: whether each expectation holds with the protection that it depends on, and notices that it is gone.

use crate::{
    Outcome, RunResult, Style,
    style::Ink,
    terminal::headline,
    text::{hanging, left, paragraph, width},
};
use chaos_model::{Event, Guard, Record, Verdict, event::Cause, plan::PlannedGuard, quantity::show_duration};
use std::{
    io::{self, Write},
    time::Duration,
};

/// Result of the run in which a protection was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardResult {
    /// The scenario's file.
    pub file: String,
    /// The protection that was taken away.
    pub without: String,
    /// The run with the protection. What does not hold there shows nothing of the protection.
    pub unharmed: RunResult,
    /// The expectations that must break.
    pub expected: Vec<String>,
    /// The expectations that may break too.
    pub may_break: Vec<String>,
    /// Expectations that broke.
    pub broke: Vec<String>,
    /// Expectations of which it can't be said.
    pub unsure: Vec<String>,
    /// Reasons for which the run as a whole is inconclusive.
    pub inconclusive: Vec<(Cause, String)>,
    /// Outcome of the run without the protection, or of the one with it where no other was made.
    pub run: Outcome,
    /// Time that it took.
    pub took: Duration,
}

impl GuardResult {
    /// The result of a guard whose scenario does not pass with the protection: nothing can be proven by it.
    #[must_use]
    pub fn not_tried(guard: &Guard, unharmed: &RunResult) -> Self {
        Self::begun(&guard.without, &guard.breaks, &guard.may_break, unharmed)
    }

    /// The result of a guard by these two runs: with the protection, and the events of that without.
    #[must_use]
    pub fn of(guard: &Guard, unharmed: &RunResult, records: &[Record]) -> Self {
        Self::not_tried(guard, unharmed).made(records)
    }

    /// The same of a guard as a recording has it.
    pub(crate) fn recorded(guard: &PlannedGuard, unharmed: &RunResult, records: &[Record]) -> Self {
        Self::begun(&guard.without, &guard.breaks, &guard.may_break, unharmed).made(records)
    }

    fn begun(without: &str, breaks: &[String], may_break: &[String], unharmed: &RunResult) -> Self {
        Self {
            file: unharmed.file.clone(),
            without: without.to_owned(),
            unharmed: unharmed.clone(),
            expected: breaks.to_vec(),
            may_break: may_break.to_vec(),
            broke: Vec::new(),
            unsure: Vec::new(),
            inconclusive: Vec::new(),
            run: unharmed.outcome,
            took: unharmed.took,
        }
    }

    /// The same, with the events of the run without the protection.
    fn made(self, records: &[Record]) -> Self {
        let result = RunResult::of(records);
        let unsure = records.iter().filter_map(|record| match &record.event {
            Event::Judged(judged) if judged.verdict == Verdict::Inconclusive => Some(judged.that.clone()),
            _ => None,
        });
        let reasons = records.iter().filter_map(|record| match &record.event {
            Event::Inconclusive { why, cause } => Some((*cause, why.clone())),
            _ => None,
        });
        Self {
            broke: result.failed,
            unsure: unsure.collect(),
            inconclusive: reasons.collect(),
            run: result.outcome,
            took: result.took,
            ..self
        }
    }

    /// True where the scenario passes with the protection, so that something can be proven.
    fn holds_unharmed(&self) -> bool {
        self.unharmed.outcome == Outcome::Verdict(Verdict::Pass)
    }

    /// True where the run came to an end at all.
    fn judged(&self) -> bool {
        matches!(self.run, Outcome::Verdict(_))
    }

    /// Expectations that should have broken and did not.
    fn held(&self) -> Vec<&String> {
        self.expected.iter().filter(|that| !self.broke.contains(that) && !self.unsure.contains(that)).collect()
    }

    /// Expectations that broke and should not have.
    fn extra(&self) -> Vec<&String> {
        self.broke.iter().filter(|that| !self.expected.contains(that) && !self.may_break.contains(that)).collect()
    }

    /// Expectations of which it can't be said, and has to be.
    fn open(&self) -> Vec<&String> {
        self.unsure.iter().filter(|that| !self.may_break.contains(that)).collect()
    }

    /// Reasons for which the run is in doubt, and the proof with it.
    fn doubts(&self) -> impl Iterator<Item = &String> {
        // What broke has broken, whomever a fault met then: without the protection, nothing may have got as far as to it.
        let all_broke = self.expected.iter().all(|that| self.broke.contains(that));
        let counts = move |cause: Cause| !(all_broke && cause == Cause::NeverFired);
        self.inconclusive.iter().filter(move |(cause, _)| counts(*cause)).map(|(_, why)| why)
    }

    /// Each expectation and each doubt that the proof depends on, with what it came to.
    pub(crate) fn lines(&self) -> Vec<(&'static str, &String)> {
        let allowed = self.broke.iter().filter(|that| self.may_break.contains(that));
        let rightly = self.broke.iter().filter(|that| self.expected.contains(that));
        let lines = rightly
            .map(|that| ("broke, as it must: ", that))
            .chain(self.held().into_iter().map(|that| ("HELD, and must break: ", that)))
            .chain(self.extra().into_iter().map(|that| ("BROKE, and must hold: ", that)))
            .chain(allowed.map(|that| ("broke, as it may: ", that)))
            .chain(self.open().into_iter().map(|that| ("can't be said: ", that)))
            .chain(self.doubts().map(|why| ("in doubt: ", why)));
        lines.collect()
    }

    /// Outcome of the proof: pass where all holds with the protection, and without it the named expectations broke and
    /// no others but those that may; fail for one more or one fewer. Where that can't be said of one, it is inconclusive.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if !self.holds_unharmed() {
            return self.unharmed.outcome;
        }
        // Where the run as a whole is in doubt, what held may have held because nothing happened.
        let doubtful = self.doubts().next().is_some();
        match self.run {
            Outcome::Invalid | Outcome::WorldFailed | Outcome::Interrupted => self.run,
            Outcome::Verdict(_) if !self.extra().is_empty() => Outcome::Verdict(Verdict::Fail),
            Outcome::Verdict(_) if doubtful => Outcome::Verdict(Verdict::Inconclusive),
            Outcome::Verdict(_) if !self.held().is_empty() => Outcome::Verdict(Verdict::Fail),
            Outcome::Verdict(_) if !self.open().is_empty() => Outcome::Verdict(Verdict::Inconclusive),
            Outcome::Verdict(_) => Outcome::Verdict(Verdict::Pass),
        }
    }
}

/// Writes what came of these guards, and how many are proven.
///
/// # Errors
/// Those of the writer.
pub fn guards(out: &mut impl Write, style: Style, results: &[GuardResult]) -> io::Result<()> {
    writeln!(out, "{}", style.paint(Ink::Strong, "all guards"))?;
    let words = results.iter().map(|result| word(result).1.len()).max().unwrap_or(0);
    for result in results {
        entry(out, style, result, words)?;
    }
    let proven = results.iter().filter(|result| result.outcome() == Outcome::Verdict(Verdict::Pass)).count();
    let (ink, word) = headline(Outcome::worst(results.iter().map(GuardResult::outcome)));
    let took = show_duration(results.iter().map(|result| result.took).sum());
    let sentence = match results.len() {
        0 => "there are no guards".to_owned(),
        all => format!("{proven} of {all} guards broke exactly what they name, in {took}"),
    };
    write!(out, "{}", hanging(&format!("{}: ", style.paint(ink, word)), width(word) + 2, &sentence, style.columns()))
}

fn word(result: &GuardResult) -> (Ink, &'static str) {
    match result.outcome() {
        Outcome::Verdict(_) if !result.holds_unharmed() => (Ink::Bad, "PROVES NOTHING"),
        Outcome::Verdict(Verdict::Pass) => (Ink::Good, "PROVEN"),
        Outcome::Verdict(Verdict::Fail) => (Ink::Bad, "NOT PROVEN"),
        other => headline(other),
    }
}

fn entry(out: &mut impl Write, style: Style, result: &GuardResult, words: usize) -> io::Result<()> {
    let columns = style.columns();
    let (ink, word) = word(result);
    let indent = words + 4;
    let first = format!("  {}  ", style.paint(ink, left(word, words)));
    let head = format!("without {} ({}, {})", result.without, result.file, show_duration(result.took));
    write!(out, "{}", hanging(&first, indent, &head, columns))?;
    let indent = " ".repeat(indent);
    if !result.holds_unharmed() {
        let (_, word) = headline(result.unharmed.outcome);
        let line = format!("{indent}with the protection too: ");
        write!(out, "{}", paragraph(&line, word, columns))?;
        for that in &result.unharmed.failed {
            write!(out, "{}", paragraph(&format!("{indent}fails, and must hold: "), that, columns))?;
        }
        return Ok(());
    }
    if !result.judged() {
        return Ok(());
    }
    for (what, that) in result.lines() {
        write!(out, "{}", paragraph(&format!("{indent}{what}"), that, columns))?;
    }
    Ok(())
}
