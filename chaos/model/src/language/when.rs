//! `during`, `across`, or `after` with `within`: when an expectation must hold.

use super::{
    document::Entry,
    expect::Against,
    findings::{Findings, Wrong},
    names,
    nearest::advise,
    quantity,
    reader::{Reader, Word},
};
use crate::{
    Diagnostic, Fault, Phase, PhaseKind, Scope, Timeline,
    phase::{BASELINE, RECOVERY, RUN},
    quantity::show_duration,
};
use std::{collections::BTreeSet, time::Duration};

/// Reads when an expectation must hold; a window that it names is added to `windows`. `at_once` says that what it
/// compares needs no `within`: it then holds from the fault's end on.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    at_once: bool,
    against: &Against<'_>,
    windows: &mut Vec<Phase>,
    findings: &Findings,
) -> Option<Scope> {
    let (during_entry, across_entry, after_entry, within_entry) =
        (reader.entry("during"), reader.entry("across"), reader.entry("after"), reader.entry("within"));
    let said: Vec<&Entry> = [during_entry, across_entry, after_entry].into_iter().flatten().collect();
    if let [first, second, ..] = said[..] {
        let message = "an expectation holds `during` a phase, `across` a fault's beginning, or `after` a fault";
        let diagnostic = Diagnostic::new(second.key_span.clone(), message).also(first.key_span.clone(), "the other");
        findings.add(diagnostic.advice("take one away"));
        return None;
    }
    if let (None, Some(within)) = (after_entry, within_entry) {
        let message = "`within` needs to know after which fault";
        findings.add(Diagnostic::new(within.key_span.clone(), message).advice("add `after = \"outage\"`"));
        return None;
    }
    if after_entry.is_some() {
        let after = reader.text("after");
        let within = match within_entry {
            None if at_once => Some(Duration::ZERO),
            _ => reader.needed("within", "within = \"2s\"", quantity::duration),
        };
        return after_fault(after?, within?, reader, against, findings);
    }
    if across_entry.is_some() {
        let word = reader.text("across")?;
        return across(word, against).map_err(|wrong| findings.add(word.refuse(wrong))).ok();
    }
    match during_entry {
        None => Some(Scope::During(RUN.to_owned())),
        Some(_) => during(reader.text("during")?, against, windows)
            .map_err(|(word, wrong)| findings.add(word.refuse(wrong)))
            .ok(),
    }
}

fn during<'a>(word: Word<'a>, against: &Against<'_>, windows: &mut Vec<Phase>) -> Result<Scope, (Word<'a>, Wrong)> {
    let name = word.text.trim();
    if let Some((from, to)) = name.split_once("..") {
        let window = window(name, from, to, against.timeline).map_err(|wrong| (word, wrong))?;
        if windows.iter().all(|known| known.name != window.name) {
            windows.push(window);
        }
        return Ok(Scope::During(name.to_owned()));
    }
    let faults = || against.faults.iter().filter_map(|fault| fault.name.as_deref());
    if [RUN, BASELINE, RECOVERY].contains(&name) || faults().any(|fault| fault == name) {
        let empty = against.timeline.is_some_and(|timeline| timeline.phase(name).is_none());
        if !empty {
            return Ok(Scope::During(name.to_owned()));
        }
        let wrong = Wrong::new(format!("there is no `{name}` in this run"));
        let advice = match name {
            _ if against.faults.is_empty() => "without a fault, there is only `run`, or a window as `4s..8s`",
            BASELINE => "the first fault begins at once: begin it later",
            _ => "the last fault lasts until the end: end it earlier, or raise `duration`",
        };
        return Err((word, wrong.advice(advice)));
    }
    if against.timeline.is_some_and(|timeline| timeline.phase(name).is_some()) {
        return Ok(Scope::During(name.to_owned()));
    }
    if let Some(fault) = name.strip_suffix(crate::phase::RESTARTING).filter(|name| faults().any(|fault| fault == *name))
    {
        let wrong = Wrong::new(format!("there is no `{name}` in this run"));
        return Err((word, wrong.advice(format!("`{fault}` ends no service, or lasts until the end"))));
    }
    let wrong = Wrong::new(format!("there is no phase called `{name}`"));
    let names = faults().filter(|name| names::is_name(name)).chain([RUN, BASELINE, RECOVERY]);
    let names: BTreeSet<&str> = names.collect();
    let known = advise(name, names.iter().copied(), "there are windows, as `4s..8s`, and the phases");
    Err((word, wrong.advice(known)))
}

/// The requests that a fault finds under way.
fn across(word: Word<'_>, against: &Against<'_>) -> Result<Scope, Wrong> {
    let name = word.text.trim();
    let names = against.faults.iter().filter_map(|fault| fault.name.as_deref());
    if names.clone().all(|known| known != name) {
        let advice = advise(name, names, "the faults are");
        return Err(Wrong::new(format!("there is no fault called `{name}`")).advice(advice));
    }
    let mut faults = against.faults.iter().filter_map(|read| read.fault.as_ref());
    if faults.any(|fault| fault.name == name && fault.at.is_zero()) {
        let wrong = Wrong::new(format!("nothing is under way when `{name}` begins: it begins with the run"));
        return Err(wrong.advice("begin it later"));
    }
    Ok(Scope::Across(name.to_owned()))
}

fn window(name: &str, from: &str, to: &str, timeline: Option<&Timeline>) -> Result<Phase, Wrong> {
    let (from, to) = (quantity::duration(from)?, quantity::duration(to)?);
    if from >= to {
        let wrong = Wrong::new(format!("the window `{name}` ends before it begins"));
        let advice = format!("did you mean `{}..{}`?", show_duration(to), show_duration(from));
        return Err(if from == to {
            Wrong::new(format!("the window `{name}` is empty")).advice("write it as `4s..8s`")
        } else {
            wrong.advice(advice)
        });
    }
    if let Some(timeline) = timeline.filter(|timeline| to > timeline.duration) {
        let end = show_duration(timeline.duration);
        let wrong = Wrong::new(format!("the window `{name}` goes beyond the run, which ends at {end}"));
        return Err(wrong.advice("end it earlier, or raise `duration` in [load]"));
    }
    Ok(Phase { name: name.to_owned(), kind: PhaseKind::Window, from, to })
}

fn after_fault(
    word: Word<'_>,
    within: Duration,
    reader: &mut Reader<'_>,
    against: &Against<'_>,
    findings: &Findings,
) -> Option<Scope> {
    let names = against.faults.iter().filter_map(|fault| fault.name.as_deref());
    if names.clone().all(|name| name != word.text) {
        let mut wrong = Wrong::new(format!("there is no fault called `{}`", word.text));
        wrong.advice = Some(advise(word.text, names, "the faults are"));
        findings.add(word.refuse(wrong));
        return None;
    }
    if let Some(timeline) = against.timeline {
        let faults: Vec<Fault> = against.faults.iter().filter_map(|read| read.fault.clone()).collect();
        let fault = faults.iter().find(|fault| fault.name == word.text)?;
        let judged = timeline.after(fault, within, &faults);
        if judged.from >= judged.to {
            let place = reader.text("within").unwrap_or(word);
            let room = show_duration(judged.to.saturating_sub(fault.ends()));
            let next = faults.iter().find(|other| other.at == judged.to && other.name != fault.name);
            let until = next.map_or_else(|| "the run ends".to_owned(), |next| format!("`{}` begins", next.name));
            let is_all = judged.from == judged.to && !within.is_zero();
            let message = if is_all {
                format!(
                    "after `{}`, {room} remain before {until}, and all of it is `within`: nothing is judged",
                    fault.name
                )
            } else {
                format!("after `{}`, only {room} remain before {until}", fault.name)
            };
            let advice = if within.is_zero() {
                "end it earlier, or the run later"
            } else if is_all {
                "from its end on is judged: make `within` shorter, or the run longer"
            } else {
                "make `within` shorter, or the run longer"
            };
            findings.add(place.refuse(Wrong::new(message).advice(advice)));
            return None;
        }
    }
    Some(Scope::After { fault: word.text.to_owned(), within })
}
