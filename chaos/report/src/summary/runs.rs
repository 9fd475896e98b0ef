//! A folder of scenarios: what came of each.

use crate::{
    Outcome, Style,
    style::Ink,
    terminal::headline,
    text::{clean, fit, left, paragraph, right, width},
};
use chaos_model::{Event, Record, Verdict, quantity::show_duration};
use std::{
    io::{self, Write},
    time::Duration,
};

/// Result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunResult {
    /// The scenario's file.
    pub file: String,
    /// The scenario's title; empty where it could not be read.
    pub title: String,
    /// The run's outcome.
    pub outcome: Outcome,
    /// Time that it took.
    pub took: Duration,
    /// The expectations that failed, by their `that`.
    pub failed: Vec<String>,
}

impl RunResult {
    /// The result of the run with these events.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let begin = records.iter().find_map(|record| match &record.event {
            Event::Begin(begin) => Some((begin.file.clone(), begin.title.clone())),
            _ => None,
        });
        let (file, title) = begin.unwrap_or_default();
        let failed = records.iter().filter_map(|record| match &record.event {
            Event::Judged(judged) if judged.verdict == Verdict::Fail => Some(judged.that.clone()),
            _ => None,
        });
        let took = Duration::from_micros(records.last().map_or(0, |record| record.at_us));
        Self { file, title, outcome: Outcome::of(records), took, failed: failed.collect() }
    }
}

/// Writes a table of these runs, and how many of them came to what.
///
/// # Errors
/// Those of the writer.
pub fn runs(out: &mut impl Write, style: Style, results: &[RunResult]) -> io::Result<()> {
    let columns = style.columns();
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let words = longest(&mut results.iter().map(|result| headline(result.outcome).1.len()));
    let times: Vec<_> = results.iter().map(|result| show_duration(result.took)).collect();
    let took_columns = longest(&mut times.iter().map(|took| width(took)));
    let room = columns.saturating_sub(words + took_columns + 6);
    let files = longest(&mut results.iter().map(|result| width(&clean(&result.file)))).min(room);
    writeln!(out, "{}", style.paint(Ink::Strong, "all runs"))?;
    for (result, took) in results.iter().zip(&times) {
        let (ink, word) = headline(result.outcome);
        let word = style.paint(ink, left(word, words));
        let file = left(&short(&result.file, files), files);
        let title =
            if room - files >= 12 { format!("  {}", fit(&result.title, room - files - 2)) } else { String::new() };
        let row = format!("{file}  {}{}", right(took, took_columns), style.paint(Ink::Faint, title.trim_end()));
        writeln!(out, "  {word}  {row}")?;
        for failed in &result.failed {
            write!(out, "{}", paragraph(&format!("{}failed: ", " ".repeat(words + 4)), failed, columns))?;
        }
    }
    let total = show_duration(results.iter().map(|result| result.took).sum());
    let outcomes: Vec<_> = results.iter().map(|result| result.outcome).collect();
    total_line(out, style, &outcomes, &format!("in {total}"))
}

/// The end of a path, which tells more than its start.
pub(super) fn short(file: &str, columns: usize) -> String {
    let file = clean(file);
    if width(&file) <= columns {
        return file;
    }
    let mut tail = file.as_str();
    while width(tail) >= columns.max(1) {
        let mut chars = tail.chars();
        chars.next();
        tail = chars.as_str();
    }
    format!("…{tail}")
}

/// `FAIL: 5 of 6 passed, 1 failed, in 78s`
fn total_line(out: &mut impl Write, style: Style, outcomes: &[Outcome], rest: &str) -> io::Result<()> {
    let (ink, word) = headline(Outcome::worst(outcomes.iter().copied()));
    let others = [
        (Outcome::Verdict(Verdict::Fail), "failed"),
        (Outcome::Verdict(Verdict::Inconclusive), "inconclusive"),
        (Outcome::Invalid, "invalid"),
        (Outcome::WorldFailed, "world failed"),
        (Outcome::Interrupted, "interrupted"),
    ];
    let count = |kind: Outcome| outcomes.iter().filter(|outcome| **outcome == kind).count();
    let mut sentence = format!("{} of {} passed, ", count(Outcome::Verdict(Verdict::Pass)), outcomes.len());
    for (kind, word) in others {
        sentence += &match count(kind) {
            0 => String::new(),
            count => format!("{count} {word}, "),
        };
    }
    sentence += rest;
    let first = format!("{}: ", style.paint(ink, word));
    write!(out, "{}", crate::text::hanging(&first, width(word) + 2, &sentence, style.columns()))
}
