//! Each expectation: whether it held, when it had to, what was expected, what was seen. Marks are words, so that they need
//! no colour.

use super::run_state::RunState;
use crate::{
    Style,
    style::Ink,
    text::{clean, hanging, left, paragraph, width, wrap},
};
use chaos_model::{
    Verdict,
    event::{Judged, JudgedCheck},
};

/// Columns before what an expectation says.
const INDENT: usize = 8;
/// Columns before what one of its comparisons says.
const CHECK_INDENT: usize = 14;

/// `ok`, `FAIL` or `????`, and its colour. Where it is meant to break: `held` and `broke`.
fn mark(verdict: Verdict, meant: bool) -> (Ink, &'static str) {
    match verdict {
        Verdict::Inconclusive => (Ink::Unsure, "????"),
        Verdict::Pass if meant => (Ink::Strong, "held"),
        Verdict::Fail if meant => (Ink::Strong, "broke"),
        Verdict::Pass => (Ink::Good, "ok"),
        Verdict::Fail => (Ink::Bad, "FAIL"),
    }
}

/// An expectation; under a heading if it is the first. `shown` says that failures are shown at their place later on.
pub(super) fn judged(style: Style, run: &RunState, judged: &Judged, shown: bool) -> String {
    let mut text = String::new();
    if run.judged.len() == 1 {
        text += &format!("\n  {}\n", style.paint(Ink::Strong, "expectations"));
    }
    let meant = run.is_meant_to_break();
    let (ink, word) = mark(judged.verdict, meant);
    let first = format!("  {}", style.paint(ink, left(word, INDENT - 2)));
    text += &hanging(&first, INDENT, &format!("{} ({})", judged.that, judged.when), style.columns());
    // One that is very long has a line of its own, and does not push away what was seen of the others.
    let expected = judged.checks.iter().map(|check| width(&clean(&check.expected)));
    let expected = expected.filter(|columns| *columns <= style.columns() * 6 / 10).max().unwrap_or(0);
    for check in &judged.checks {
        let marked = judged.verdict != Verdict::Pass;
        text += &compared(style, check, expected, marked.then_some(meant));
        if check.verdict != Verdict::Pass && !(shown && check.verdict == Verdict::Fail) {
            text += &explained(style, check);
        }
    }
    text
}

/// One comparison: what is expected, and what was seen beside it, or below where there is no room. It has a mark of its own where not all
/// held; `marked` says so, and whether it is meant to break.
fn compared(style: Style, check: &JudgedCheck, expected_columns: usize, marked: Option<bool>) -> String {
    let columns = style.columns();
    let (expected, seen) = (clean(&check.expected), clean(&check.seen));
    let indent = if marked.is_some() { CHECK_INDENT } else { INDENT };
    let mut first = " ".repeat(INDENT);
    if let Some(meant) = marked {
        let (ink, word) = mark(check.verdict, meant);
        first += &style.paint(ink, left(word, CHECK_INDENT - INDENT));
    }
    if indent + expected_columns.max(width(&expected)) + 2 + width(&seen) <= columns {
        return format!("{first}{}  {seen}\n", left(&expected, expected_columns));
    }
    let seen = paragraph(&format!("{}seen: ", " ".repeat(indent)), &seen, columns);
    format!("{}{seen}", hanging(&first, indent, &expected, columns))
}

/// The comparison's place, and what explains its verdict.
fn explained(style: Style, check: &JudgedCheck) -> String {
    let place = format!("{}:{}", check.file, check.line);
    let set = |text: &str| wrap(text, style.columns() - CHECK_INDENT).into_iter();
    let place = set(&place).map(|line| style.paint(Ink::Faint, line));
    let note = check.note.iter().flat_map(|note| set(note));
    place.chain(note).map(|line| format!("{}{line}\n", " ".repeat(CHECK_INDENT))).collect()
}
