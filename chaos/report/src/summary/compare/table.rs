//! The comparisons of several scenarios, with what differs.

use super::{ComparisonResult, Difference, Weight};
use crate::{
    Outcome, Style,
    style::Ink,
    terminal::headline,
    text::{hanging, left, paragraph, width},
    words::count,
};
use chaos_model::quantity::show_duration;
use std::io::{self, Write};

/// Writes what came of these scenarios in two worlds each, what differs, and how many agree.
///
/// # Errors
/// Those of the writer.
pub fn comparisons(out: &mut impl Write, style: Style, results: &[ComparisonResult]) -> io::Result<()> {
    writeln!(out, "{}", style.paint(Ink::Strong, "worlds compared"))?;
    let words = results.iter().map(|result| word(result).1.len()).max().unwrap_or(0);
    for result in results {
        entry(out, style, result, words)?;
    }
    let (ink, word) = headline(Outcome::worst(results.iter().map(ComparisonResult::outcome)));
    let took = show_duration(results.iter().map(|result| result.took).sum());
    let is_judged = |result: &&ComparisonResult| result.runs.iter().all(|run| matches!(run, Outcome::Verdict(_)));
    let agree = results.iter().filter(is_judged).filter(|result| !result.disagrees()).count();
    let sentence = match results.len() {
        1 if agree == 1 => format!("the worlds agree, in {took}"),
        1 => format!("the worlds do not agree, in {took}"),
        all => format!("the worlds agree on {agree} of {all}, in {took}"),
    };
    write!(out, "{}", hanging(&format!("{}: ", style.paint(ink, word)), width(word) + 2, &sentence, style.columns()))
}

fn word(result: &ComparisonResult) -> (Ink, &'static str) {
    let unjudged = result.runs.into_iter().find(|run| !matches!(run, Outcome::Verdict(_)));
    match unjudged {
        Some(outcome) => headline(outcome),
        None if result.disagrees() => (Ink::Bad, "DIFFERS"),
        None => (Ink::Good, "AGREES"),
    }
}

fn entry(out: &mut impl Write, style: Style, result: &ComparisonResult, words: usize) -> io::Result<()> {
    let columns = style.columns();
    let (ink, word) = word(result);
    let first = format!("  {}  ", style.paint(ink, left(word, words)));
    let [one, other] = &result.worlds;
    let head = format!("{} ({one} and {other}, {})", result.file, show_duration(result.took));
    write!(out, "{}", hanging(&first, words + 4, &head, columns))?;
    let indent = " ".repeat(words + 4);
    for difference in &result.differences {
        let label = format!("{indent}{}: ", label(difference.weight));
        write!(out, "{}", paragraph(&label, &sentence(difference, &result.worlds), columns))?;
    }
    for (n, world) in result.worlds.iter().enumerate() {
        for that in &result.expectations.alone[n] {
            write!(out, "{}", paragraph(&format!("{indent}judged in {world} alone: "), that, columns))?;
        }
    }
    if !matches!(result.runs, [Outcome::Verdict(_), Outcome::Verdict(_)]) {
        return Ok(());
    }
    let differing = result.differences.iter().filter(|difference| difference.weight == Weight::Verdict).count();
    let same = result.expectations.both.saturating_sub(differing);
    let text = format!("the same: {}, {} within their margins", count(same as u64, "verdict"), figures(result.within));
    write!(out, "{}", hanging(&indent, indent.len(), &text, columns))
}

fn figures(number: usize) -> String {
    count(number as u64, "figure")
}

fn label(weight: Weight) -> &'static str {
    match weight {
        Weight::Verdict => "verdict",
        Weight::Share => "share",
        Weight::Count => "count",
        Weight::Time => "time",
    }
}

/// `outage: partial: 12.5% (100 of 800) in sim, 0% (0 of 802) in local (12.5 points)`
fn sentence(difference: &Difference, worlds: &[String; 2]) -> String {
    let Difference { what, seen, by, .. } = difference;
    let seen = format!("{} in {}, {} in {}", seen[0], worlds[0], seen[1], worlds[1]);
    if by.is_empty() { format!("{what}: {seen}") } else { format!("{what}: {seen} ({by})") }
}
