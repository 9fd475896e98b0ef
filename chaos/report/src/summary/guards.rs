//! Guards: whether each expectation notices that the protection it depends on is gone.

use crate::{
    Outcome, Style,
    style::Ink,
    terminal::headline,
    text::{hanging, left, paragraph, width},
};
use chaos_model::{Event, Record, Verdict, quantity::show_duration};
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
    /// The expectations that must break.
    pub expected: Vec<String>,
    /// Expectations that broke.
    pub broke: Vec<String>,
    /// Expectations of which it can't be said.
    pub unsure: Vec<String>,
    /// Reasons for which the run as a whole is inconclusive.
    pub inconclusive: Vec<String>,
    /// Outcome of the run itself.
    pub run: Outcome,
    /// Time that it took.
    pub took: Duration,
}

impl GuardResult {
    /// The result of the guarded run with these events, which had to break these expectations.
    #[must_use]
    pub fn of(records: &[Record], expected: &[String]) -> Self {
        let result = super::RunResult::of(records);
        let without = records.iter().find_map(|record| match &record.event {
            Event::Begin(begin) => begin.without.clone(),
            _ => None,
        });
        let unsure = records.iter().filter_map(|record| match &record.event {
            Event::Judged(judged) if judged.verdict == Verdict::Inconclusive => Some(judged.that.clone()),
            _ => None,
        });
        let reasons = records.iter().filter_map(|record| match &record.event {
            Event::Inconclusive { why } => Some(why.clone()),
            _ => None,
        });
        Self {
            file: result.file,
            without: without.unwrap_or_default(),
            expected: expected.to_vec(),
            broke: result.failed,
            unsure: unsure.collect(),
            inconclusive: reasons.collect(),
            run: result.outcome,
            took: result.took,
        }
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
        self.broke.iter().filter(|that| !self.expected.contains(that)).collect()
    }

    /// Outcome of the proof: pass where exactly the named expectations broke, fail for one more or one fewer. Where
    /// that can't be said of one, it is inconclusive.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        // Where the run as a whole is in doubt, what held may have held because nothing happened.
        let doubtful = !self.inconclusive.is_empty() || self.run == Outcome::Verdict(Verdict::Inconclusive);
        match self.run {
            Outcome::Invalid | Outcome::WorldFailed | Outcome::Interrupted => self.run,
            Outcome::Verdict(_) if !self.extra().is_empty() => Outcome::Verdict(Verdict::Fail),
            Outcome::Verdict(_) if doubtful => Outcome::Verdict(Verdict::Inconclusive),
            Outcome::Verdict(_) if !self.held().is_empty() => Outcome::Verdict(Verdict::Fail),
            Outcome::Verdict(_) if !self.unsure.is_empty() => Outcome::Verdict(Verdict::Inconclusive),
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
    if !result.judged() {
        return Ok(());
    }
    let held = result.held();
    let extra = result.extra();
    let rightly = result.broke.iter().filter(|that| result.expected.contains(that));
    let lines = rightly
        .map(|that| ("broke, as it must: ", that))
        .chain(held.into_iter().map(|that| ("HELD, and must break: ", that)))
        .chain(extra.into_iter().map(|that| ("BROKE, and must hold: ", that)))
        .chain(result.unsure.iter().map(|that| ("can't be said: ", that)))
        .chain(result.inconclusive.iter().map(|why| ("in doubt: ", why)));
    for (what, that) in lines {
        write!(out, "{}", paragraph(&format!("{}{what}", " ".repeat(indent)), that, columns))?;
    }
    Ok(())
}
