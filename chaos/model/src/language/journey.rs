//! `[[load.journey]]`: requests that one client makes one after the other.

use super::{
    document::{Entry, Table},
    findings::{Findings, Wrong},
    names, quantity,
    reader::{Reader, parse_word, text_of},
    request::{self, Defaults, Said},
};
use crate::{
    Diagnostic, Request,
    check::json_path,
    load::{Capture, CaptureFrom, Step, Think},
};

const STEP: &str = "[[load.journey.step]]";

/// A capture with the place of its name.
struct Captured<'a> {
    entry: &'a Entry,
    /// The place of its step among those of the journey.
    step: usize,
}

/// Reads one journey into the requests that are its steps, in their order.
pub(crate) fn read(table: &Table, defaults: &Defaults<'_>, vars: &[&str], findings: &Findings) -> Vec<Request> {
    let mut reader = Reader::new(table, "this journey", findings);
    let name = reader.parse("name", |text| names::check(text, "a journey's name").map(|()| text.to_owned()));
    let weight = request::weight(&mut reader, findings);
    let has_steps = reader.entry("step").is_some();
    if !has_steps {
        reader.lacks("step", STEP);
    }
    let tables = if has_steps { reader.tables("step") } else { Vec::new() };
    let mut captured: Vec<Captured<'_>> = Vec::new();
    let mut steps = Vec::new();
    for (nth, table) in tables.iter().enumerate() {
        let known: Vec<&str> = vars.iter().copied().chain(captured.iter().map(|one| one.entry.key.as_str())).collect();
        let read = step(table, nth, (defaults, vars, &known), findings);
        captured.extend(read.captured.into_iter().map(|entry| Captured { entry, step: nth }));
        steps.push((read.said, read.step));
    }
    reader.finish();
    let complete = steps.iter().all(|(said, step)| said.is_some() && step.is_some());
    let requests: Vec<Request> = steps
        .into_iter()
        .filter_map(|(said, step)| {
            let step = Step { journey: name.clone(), ..step? };
            Some(defaults.request(said?, weight?, step))
        })
        .collect();
    if complete {
        captured.iter().for_each(|one| unused(one, &requests, findings));
    }
    requests
}

/// A step as far as it could be read.
struct Read<'a> {
    said: Option<Said>,
    step: Option<Step>,
    captured: Vec<&'a Entry>,
}

fn step<'a>(
    table: &'a Table,
    nth: usize,
    (defaults, vars, known): (&Defaults<'_>, &[&str], &[&str]),
    findings: &'a Findings,
) -> Read<'a> {
    let mut reader = Reader::new(table, "this step", findings);
    let said = request::said(&mut reader, defaults, known, findings);
    let think = match reader.entry("think") {
        Some(entry) if nth == 0 => {
            let message = "the first step has no think time: it is due when its journey begins";
            let advice = "say it at the step that comes after it";
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
            None
        }
        Some(_) => reader.parse("think", think),
        None => Some(Think::default()),
    };
    let mut captured = Vec::new();
    let mut captures = Vec::new();
    for entry in reader.table("capture").iter().flat_map(|table| &table.entries) {
        if let Some(capture) = capture(entry, vars, known, findings) {
            captures.push(capture);
            captured.push(entry);
        }
    }
    reader.finish();
    let step = |think| Step { nth: u32::try_from(nth).unwrap_or(u32::MAX), journey: None, think, captures };
    Read { said, step: think.map(step), captured }
}

fn capture(entry: &Entry, vars: &[&str], known: &[&str], findings: &Findings) -> Option<Capture> {
    if let Err(wrong) = names::check(&entry.key, "a variable's name") {
        findings.add(wrong.diagnostic(entry.key_span.clone()));
    }
    if known.contains(&entry.key.as_str()) {
        let by = if vars.contains(&entry.key.as_str()) { "drawn" } else { "captured by an earlier step" };
        let message = format!("the variable `{}` is {by} already", entry.key);
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("call this one otherwise"));
        return None;
    }
    let (from, pattern) = parse_word(text_of(entry, findings)?, place, findings)?;
    Some(Capture { name: entry.key.clone(), from, pattern })
}

/// Reads `$.token`, `header location`, `cookie session`, `regex id=(\d+)`, `header location regex /orders/(\d+)`.
fn place(text: &str) -> Result<(CaptureFrom, Option<String>), Wrong> {
    let form = "write it as `$.token`, `header location`, `cookie session` or `regex id=([0-9]+)`";
    let text = text.trim();
    if text.starts_with('$') {
        return Ok((CaptureFrom::Json(json_path(text)?), None));
    }
    let (kind, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let (name, wanted) = match rest.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim().strip_prefix("regex ").map(str::trim).ok_or(())),
        None => (rest, Ok("")),
    };
    let then = |from: CaptureFrom| match wanted {
        Ok("") => Ok((from, None)),
        Ok(wanted) => Ok((from, Some(pattern(wanted)?))),
        Err(()) => Err(Wrong::new(format!("there is too much in `{text}`")).advice(form)),
    };
    match kind {
        "regex" if !rest.is_empty() => Ok((CaptureFrom::Body, Some(pattern(rest)?))),
        "header" if !name.is_empty() => then(CaptureFrom::Header(request::field_name(name)?)),
        "cookie" if !name.is_empty() => then(CaptureFrom::Cookie(name.to_owned())),
        "regex" | "header" | "cookie" => Err(Wrong::new(format!("`{kind}` of what?")).advice(form)),
        _ => Err(Wrong::new(format!("`{text}` is no place in a response")).advice(form)),
    }
}

fn pattern(text: &str) -> Result<String, Wrong> {
    let advice = "its syntax is that of the regex crate, as in `id=([0-9]+)`";
    let wrong = |_| Wrong::new(format!("`{text}` is no regular expression")).advice(advice);
    regex::Regex::new(text).map(|_| text.to_owned()).map_err(wrong)
}

/// `500ms`, or `1s..3s`.
fn think(text: &str) -> Result<Think, Wrong> {
    let Some((least, most)) = text.split_once("..") else {
        return quantity::duration(text).map(|time| Think { least: time, most: time });
    };
    let (least, most) = (quantity::duration(least.trim())?, quantity::duration(most.trim())?);
    if least > most {
        return Err(Wrong::new(format!("no time lies in `{text}`")).advice("the shorter one stands first"));
    }
    Ok(Think { least, most })
}

fn unused(captured: &Captured<'_>, requests: &[Request], findings: &Findings) {
    let name = captured.entry.key.as_str();
    let mut later = requests.iter().skip(captured.step + 1).flat_map(Request::texts);
    if later.any(|text| text.variables().any(|used| used == name)) {
        return;
    }
    let message = format!("no later step of the journey uses `{name}`");
    let advice = format!("use it as `{{{name}}}` in one, or take it away");
    findings.add(Diagnostic::new(captured.entry.key_span.clone(), message).advice(advice));
}
