//! Each expectation: whether it held, when it had to, what was asked, what was seen. Marks are words, so that they need no
//! colour.

use super::story::Story;
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

/// `ok`, `FAIL` or `????`, and its colour.
pub(super) fn mark(verdict: Verdict) -> (Ink, &'static str) {
    match verdict {
        Verdict::Pass => (Ink::Good, "ok"),
        Verdict::Inconclusive => (Ink::Unsure, "????"),
        Verdict::Fail => (Ink::Bad, "FAIL"),
    }
}

/// An expectation; under a heading if it is the first. `shown` says that failures are shown at their place later on.
pub(super) fn judged(style: Style, story: &Story, judged: &Judged, shown: bool) -> String {
    let mut text = String::new();
    if story.judged.len() == 1 {
        text += &format!("\n  {}\n", style.paint(Ink::Strong, "expectation"));
    }
    let (ink, word) = mark(judged.verdict);
    let first = format!("  {}", style.paint(ink, left(word, INDENT - 2)));
    text += &hanging(&first, INDENT, &format!("{} ({})", judged.that, judged.when), style.columns());
    let asked = judged.checks.iter().map(|check| width(&clean(&check.asked))).max().unwrap_or(0);
    for check in &judged.checks {
        let quiet = judged.verdict == Verdict::Pass;
        text += &compared(style, check, asked, quiet);
        if check.verdict != Verdict::Pass && !(shown && check.verdict == Verdict::Fail) {
            text += &explained(style, check);
        }
    }
    text
}

/// One comparison: asked, and seen beside it, or below where there is no room.
fn compared(style: Style, check: &JudgedCheck, asked_columns: usize, quiet: bool) -> String {
    let columns = style.columns();
    let (ink, word) = mark(check.verdict);
    let (asked, seen) = (clean(&check.asked), clean(&check.seen));
    let word = if quiet { "" } else { word };
    let painted = style.paint(ink, left(word, CHECK_INDENT - INDENT));
    let first = format!("{}{}", " ".repeat(INDENT), if quiet { left("", CHECK_INDENT - INDENT) } else { painted });
    if CHECK_INDENT + asked_columns + 2 + width(&seen) <= columns {
        return format!("{first}{}  {seen}\n", left(&asked, asked_columns));
    }
    let seen = paragraph(&format!("{}seen: ", " ".repeat(CHECK_INDENT)), &seen, columns);
    format!("{}{seen}", hanging(&first, CHECK_INDENT, &asked, columns))
}

/// Where it stands, and what explains it.
fn explained(style: Style, check: &JudgedCheck) -> String {
    let place = format!("{}:{}", check.file, check.line);
    let lines = wrap(&place, style.columns() - CHECK_INDENT).into_iter();
    let note = check.note.iter().flat_map(|note| wrap(note, style.columns() - CHECK_INDENT));
    lines.chain(note).map(|line| format!("{}{}\n", " ".repeat(CHECK_INDENT), style.paint(Ink::Faint, line))).collect()
}
