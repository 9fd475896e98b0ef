//! The end of a report: what went wrong on the way, what was left behind, and the last line with the outcome and what
//! to do next.

use super::run_state::RunState;
use crate::{
    Outcome, Style, again,
    sentence::Ended,
    style::Ink,
    text::{clean, hanging, left, paragraph, width, wrap},
};
use chaos_model::{
    Verdict,
    event::{EarlyEnd, EndedEarly},
    quantity::show_duration,
};
use std::time::Duration;

/// A service ended although nobody asked it to.
pub(super) fn died(style: Style, stamp: &str, service: &str, how: &str, last_lines: &[String]) -> String {
    let columns = style.columns();
    let mut text = String::new();
    for (n, line) in wrap(&format!("{service} DIED: {how}"), columns - 9).iter().enumerate() {
        text += &format!("{}  {}\n", if n == 0 { stamp } else { "       " }, style.paint(Ink::Bad, line));
    }
    if last_lines.is_empty() {
        return text + &format!("{}it wrote nothing\n", " ".repeat(9));
    }
    text += &format!("{}its last lines:\n", " ".repeat(9));
    for line in last_lines.iter().flat_map(|line| wrap(line, columns - 11)) {
        text += format!("{}{} {line}", " ".repeat(9), style.paint(Ink::Faint, "|")).trim_end();
        text.push('\n');
    }
    text
}

/// A service was asked to end, and had to be killed.
pub(super) fn killed(style: Style, stamp: &str, service: &str, after: Duration) -> String {
    let first = format!("{stamp}  ");
    let why = format!(
        "{service} did not end within {}: SIGKILL (its `stop-grace` says how long it may take)",
        show_duration(after)
    );
    hanging(&first, stamp.len() + 2, &why, style.columns())
}

/// The run ends before its time.
pub(super) fn early(style: Style, stamp: &str, early: &EndedEarly) -> String {
    let (ink, word) = match early.by {
        EarlyEnd::Gate => (Ink::Unsure, "GATE "),
        EarlyEnd::Abort => (Ink::Bad, "ABORT "),
    };
    let first = format!("{stamp}  {}", style.paint(ink, word));
    hanging(&first, stamp.len() + 2 + width(word), &early.words(), style.columns())
}

/// Something that makes the whole run inconclusive.
pub(super) fn inconclusive(style: Style, stamp: &str, why: &str) -> String {
    let first = format!("{stamp}  {}", style.paint(Ink::Unsure, "???? "));
    hanging(&first, stamp.len() + 7, why, style.columns())
}

/// The system was taken down; or left alone, where it ran before.
pub(super) fn torn_down(
    style: Style,
    world: &str,
    took: Duration,
    (left, unseen): (&[String], Option<&str>),
) -> String {
    let took = show_duration(took);
    let (done, and) = if world == "attach" { ("healed", "; the system runs on") } else { ("taken down", "") };
    if left.is_empty() {
        let seen = unseen.map_or_else(String::new, |why| format!(" that can be seen ({why})"));
        let lines = wrap(&format!("{done} in {took}, nothing left behind{seen}{and}"), style.columns());
        return lines.iter().map(|line| format!("{}\n", style.paint(Ink::Faint, line))).collect();
    }
    let head = format!("{done} in {took}; LEFT BEHIND:");
    let unseen = unseen.map(|why| format!("what can't be seen: {why}"));
    let items = left.iter().chain(&unseen).map(|item| paragraph("  ", item, style.columns())).collect::<String>();
    format!("{}\n{items}", style.paint(Ink::Bad, head))
}

/// Logs, what to do next, and what came of it.
pub(super) fn end(style: Style, run: &RunState, at_us: u64) -> String {
    let outcome = run.outcome.outcome();
    let (ink, word) = match outcome {
        // It is no defect that something breaks without the faults; what it means is told beside the run with them.
        Outcome::Verdict(_) if run.is_control() => (Ink::Strong, "CONTROL"),
        // What it proves is told when all guards are through: whether it was what the guard names that broke.
        Outcome::Verdict(_) if run.is_guard() => (Ink::Strong, "GUARD"),
        outcome => headline(outcome),
    };
    let never = run.faults.iter().filter(|(_, course)| course.ended > 0 && !course.fired.any());
    let ended = Ended {
        outcome,
        took: Duration::from_micros(at_us),
        judged: &run.judged,
        inconclusive: &run.inconclusive,
        never_fired: never.map(|(name, _)| name.as_str()).collect(),
        stopped_by: run.stopped_by.as_deref(),
    };
    let sentence = ended.sentence();
    let first = format!("{} ", style.paint(ink, word));
    let last = hanging(&first, width(word) + 1, &sentence, style.columns());
    format!("{}{}{last}", logs(style, run, outcome), next(style, run, outcome))
}

/// The word for an outcome, and its colour.
pub(crate) fn headline(outcome: Outcome) -> (Ink, &'static str) {
    match outcome {
        Outcome::Verdict(Verdict::Pass) => (Ink::Good, "PASS"),
        Outcome::Verdict(Verdict::Fail) => (Ink::Bad, "FAIL"),
        Outcome::Verdict(Verdict::Inconclusive) => (Ink::Unsure, "INCONCLUSIVE"),
        Outcome::Invalid => (Ink::Bad, "INVALID"),
        Outcome::WorldFailed => (Ink::Bad, "WORLD FAILED"),
        Outcome::Interrupted => (Ink::Unsure, "INTERRUPTED"),
    }
}

/// The logs of a run that did not pass. Paths stand whole, so that they can be copied.
fn logs(style: Style, run: &RunState, outcome: Outcome) -> String {
    if run.logs.is_empty() || (outcome == Outcome::Verdict(Verdict::Pass) && !style.verbose) {
        return String::new();
    }
    let names = run.logs.keys().map(|name| width(&clean(name))).max().unwrap_or(0);
    let line = |(service, path): (&String, &String)| format!("  {}  {}\n", left(&clean(service), names), clean(path));
    format!("logs:\n{}", run.logs.iter().map(line).collect::<String>())
}

/// The command that makes the run once more, where there is something to look into.
fn next(style: Style, run: &RunState, outcome: Outcome) -> String {
    let command = match outcome {
        Outcome::Verdict(Verdict::Fail | Verdict::Inconclusive) => run.begin.as_ref().and_then(again::command),
        _ => None,
    };
    command.map_or_else(String::new, |command| {
        format!("again, with the same draws: {}\n", style.paint(Ink::Strong, command))
    })
}
