//! Each expectation: whether it held, when it had to, what was expected, what was seen. Marks are words, so that they need
//! no colour.

use super::run_state::RunState;
use crate::{
    Style,
    style::Ink,
    text::{clean, hanging, left, paragraph, width, wrap},
    words,
};
use chaos_model::{
    Verdict,
    event::{Judged, JudgedCheck, Shown, ShownResponse},
    quantity::show_duration,
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
        if !meant {
            text += &responses(style, &check.against);
        }
    }
    text
}

/// One comparison: what is expected, and what was seen beside it, or below where there is no room. It has a mark of its own where not all
/// held; `marked` says so, and whether it is meant to break.
fn compared(style: Style, check: &JudgedCheck, expected_columns: usize, marked: Option<bool>) -> String {
    let columns = style.columns();
    let (expected, seen) = (clean(&check.expected), clean(&words::seen(check)));
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

/// Responses that show why a comparison failed, those of one instance below its name.
fn responses(style: Style, shown: &Shown) -> String {
    let mut text = String::new();
    let mut last = None;
    let indent = if shown.instances.is_empty() { CHECK_INDENT } else { CHECK_INDENT + 2 };
    for response in &shown.responses {
        if !shown.instances.is_empty() && last != Some(&response.instance) {
            let head = match &response.instance {
                Some(instance) => {
                    let count = shown.instances.get(instance).copied().unwrap_or_default();
                    format!("from {instance}, {}:", words::count(count, "response"))
                }
                None => "from no instance that has a name:".to_owned(),
            };
            text += &lines(style, CHECK_INDENT, Ink::Strong, &head);
            last = Some(&response.instance);
        }
        text += &one(style, indent, response);
    }
    text
}

/// `request 812 at 4.06s: GET /api/profile/7 (user = 7)`, `502 after 25ms, it met outage`, and the body.
fn one(style: Style, indent: usize, response: &ShownResponse) -> String {
    let [request, came] = response_words(response);
    let mut text = lines(style, indent, Ink::Faint, &request);
    text += &lines(style, indent + 2, Ink::Unsure, &came);
    let body = response.body.iter();
    text + &body.map(|body| lines(style, indent + 2, Ink::Faint, body)).collect::<String>()
}

/// The request that was made, and what came of it, in words.
pub(crate) fn response_words(response: &ShownResponse) -> [String; 2] {
    let vars: Vec<String> = response.vars.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let vars = if vars.is_empty() { String::new() } else { format!(" ({})", vars.join(", ")) };
    let (id, at) = (response.id(), response.at.as_secs_f64());
    let came = match (response.status, &response.unanswered) {
        (Some(status), _) => status.to_string(),
        (None, Some(why)) => format!("no response: {why}"),
        (None, None) => "no response".to_owned(),
    };
    let met = if response.met.is_empty() { String::new() } else { format!(", it met {}", response.met.join(" and ")) };
    let uncaptured = response.uncaptured.iter().map(|why| format!("; {why}")).collect::<String>();
    let took = show_duration(response.latency);
    [format!("request {id} at {at:.2}s: {}{vars}", response.request), format!("{came} after {took}{met}{uncaptured}")]
}

/// A text at a depth, as wide as may be.
fn lines(style: Style, indent: usize, ink: Ink, text: &str) -> String {
    let indent = style.indent(indent);
    let lines = wrap(text, style.columns().saturating_sub(indent));
    lines.iter().map(|line| format!("{}{}\n", " ".repeat(indent), style.paint(ink, line))).collect()
}

/// The comparison's place, and what explains its verdict.
fn explained(style: Style, check: &JudgedCheck) -> String {
    let place = format!("{}:{}", check.file, check.line);
    let indent = style.indent(CHECK_INDENT);
    let set = |text: &str| wrap(text, style.columns() - indent).into_iter();
    let place = set(&place).map(|line| style.paint(Ink::Faint, line));
    let note = check.note.iter().flat_map(|note| set(note));
    place.chain(note).map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}
