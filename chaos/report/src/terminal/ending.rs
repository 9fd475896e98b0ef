//! The end of a report: what went wrong on the way, what was left behind, and the last line with the outcome and what
//! to do next.

use super::run_state::RunState;
use crate::{
    Outcome, Style,
    style::Ink,
    text::{clean, hanging, left, paragraph, width, wrap},
    words::count,
};
use chaos_model::{Verdict, event::Begin, quantity::show_duration};
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

/// Something that makes the whole run inconclusive.
pub(super) fn inconclusive(style: Style, stamp: &str, why: &str) -> String {
    let first = format!("{stamp}  {}", style.paint(Ink::Unsure, "???? "));
    hanging(&first, stamp.len() + 7, why, style.columns())
}

/// The system was taken down; or left alone, where it ran before.
pub(super) fn torn_down(style: Style, world: &str, took: Duration, left: &[String]) -> String {
    let took = show_duration(took);
    let (done, and) = if world == "attach" { ("healed", "; the system runs on") } else { ("taken down", "") };
    if left.is_empty() {
        let lines = wrap(&format!("{done} in {took}, nothing left behind{and}"), style.columns());
        return lines.iter().map(|line| format!("{}\n", style.paint(Ink::Faint, line))).collect();
    }
    let head = format!("{done} in {took}; LEFT BEHIND:");
    let items = left.iter().map(|item| paragraph("  ", item, style.columns())).collect::<String>();
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
    let took = show_duration(Duration::from_micros(at_us));
    let sentence = match outcome {
        Outcome::Verdict(Verdict::Pass) => format!("in {took}: {}", held(run)),
        Outcome::Verdict(Verdict::Fail) => format!("in {took}: {}", failed(run)),
        Outcome::Verdict(Verdict::Inconclusive) => format!("in {took}: {}", unsure(run)),
        Outcome::Invalid | Outcome::WorldFailed | Outcome::Interrupted => {
            let why = run.stopped_by.as_deref().unwrap_or("it ended without a verdict");
            let link = if outcome == Outcome::Interrupted { " by " } else { ": " };
            format!("after {took}{link}{why}")
        }
    };
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

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@%:=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn of(run: &RunState, verdict: Verdict) -> usize {
    run.judged.iter().filter(|judged| judged.verdict == verdict).count()
}

fn held(run: &RunState) -> String {
    match run.judged.len() {
        0 => "there was nothing to expect".to_owned(),
        1 => "what was expected held".to_owned(),
        2 => "both expectations held".to_owned(),
        n => format!("all {n} expectations held"),
    }
}

fn failed(run: &RunState) -> String {
    let unsure = match of(run, Verdict::Inconclusive) {
        0 => String::new(),
        n => format!(", {n} can't be judged"),
    };
    let expectations = count(u64::try_from(run.judged.len()).unwrap_or(u64::MAX), "expectation");
    format!("{} of {expectations} did not hold{unsure}", of(run, Verdict::Fail))
}

/// The reasons why there is no verdict, the first one in full.
fn unsure(run: &RunState) -> String {
    let never = run.faults.iter().filter(|(_, course)| course.ended > 0 && !course.fired.any());
    let never = never.map(|(name, _)| format!("the fault `{name}` never fired"));
    let checks = run.judged.iter().flat_map(|judged| &judged.checks);
    let checks = checks.filter(|check| check.verdict == Verdict::Inconclusive);
    let checks =
        checks.map(|check| check.note.clone().unwrap_or_else(|| format!("{} can't be judged", check.expected)));
    let mut reasons = run.inconclusive.clone();
    if reasons.is_empty() {
        reasons.extend(never);
    }
    if reasons.is_empty() {
        reasons.extend(checks);
        reasons.dedup();
    }
    match reasons.as_slice() {
        [] => "it can't be said whether what was expected held".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => {
            let more = count(u64::try_from(rest.len()).unwrap_or(u64::MAX), "more reason");
            format!("{first} (and {more} above)")
        }
    }
}

/// The logs of a run that did not pass. Paths stand whole, so that they can be copied.
fn logs(style: Style, run: &RunState, outcome: Outcome) -> String {
    if run.logs.is_empty() || (outcome == Outcome::Verdict(Verdict::Pass) && !style.verbose) {
        return String::new();
    }
    let names = run.logs.keys().map(|name| width(name)).max().unwrap_or(0);
    let line = |(service, path): (&String, &String)| format!("  {}  {}\n", left(service, names), clean(path));
    format!("logs:\n{}", run.logs.iter().map(line).collect::<String>())
}

/// The command that makes the run once more. A guard's run or a control can't be had by this command alone, so they
/// name none.
fn next(style: Style, run: &RunState, outcome: Outcome) -> String {
    let Some(begin) = run.begin.as_ref().filter(|_| !run.is_meant_to_break()) else {
        return String::new();
    };
    match outcome {
        Outcome::Verdict(Verdict::Fail | Verdict::Inconclusive) => {
            format!("again, with the same draws: {}\n", style.paint(Ink::Strong, command(begin)))
        }
        _ => String::new(),
    }
}

/// The command that makes the same run: what it was made with is in its first event. It stands whole, to be copied.
fn command(begin: &Begin) -> String {
    let mut command = format!("chaos run {} --seed {}", quoted(&clean(&begin.file)), begin.seed);
    if begin.world != "local" {
        command += &format!(" --world {}", begin.world);
    }
    let options = begin.sets.iter().map(|set| ("--set", set)).chain(begin.only.iter().map(|that| ("-e", that)));
    for (option, value) in options {
        command += &format!(" {option} {}", quoted(&clean(value)));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("scenarios/redis_down.toml"), "scenarios/redis_down.toml");
        assert_eq!(quoted("my runs/it's.toml"), r"'my runs/it'\''s.toml'");
    }
}
