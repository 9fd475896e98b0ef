//! `[[fault]]`: what is broken, where and when.

use super::{
    document::Table,
    effect,
    findings::{Findings, Wrong},
    load::not_zero,
    names, quantity,
    reader::{Reader, parse_word},
    target,
};
use crate::{Diagnostic, Effect, Fault, Share, Span, System, quantity::show_duration};
use std::time::Duration;

/// What is known of a fault, even where it is wrong.
#[derive(Debug)]
pub(crate) struct FaultRead {
    pub(crate) name: Option<String>,
    pub(crate) fault: Option<Fault>,
}

/// Reads all faults.
pub(crate) fn read_all(
    scenario: &mut Reader<'_>,
    system: &System,
    duration: Option<Duration>,
    findings: &Findings,
) -> Vec<FaultRead> {
    let tables = scenario.tables("fault");
    let faults = tables.iter().map(|table| read(table, system, duration, findings)).collect();
    repeated(&tables, findings);
    faults
}

fn repeated(tables: &[&Table], findings: &Findings) {
    let mut seen: Vec<(&str, &Span)> = Vec::new();
    for value in tables.iter().filter_map(|table| table.get("name")).map(|entry| &entry.value) {
        let Some(name) = value.text() else { continue };
        match seen.iter().find(|(earlier, _)| *earlier == name) {
            Some((_, first)) => {
                let message = format!("there are two faults called `{name}`");
                let diagnostic = Diagnostic::new(value.span.clone(), message).also((*first).clone(), "the first");
                findings.add(diagnostic.advice("give each its own name: it makes a phase"));
            }
            None => seen.push((name, &value.span)),
        }
    }
}

fn read(table: &Table, system: &System, duration: Option<Duration>, findings: &Findings) -> FaultRead {
    let mut reader = Reader::new(table, "this fault", findings);
    let name = reader.needed("name", "name = \"outage\"", names::fault);
    // A system without nodes has been refused as such.
    let on = reader.needed_text("on", "on = \"gateway -> redis\"").filter(|_| !system.nodes.is_empty());
    let on = on.and_then(|word| parse_word(word, |text| target::read(text, system), findings));
    let at = reader.needed("at", "at = \"4s\"", quantity::duration);
    let lasts = reader.needed("for", "for = \"4s\"", not_zero);
    let share = if reader.entry("share").is_some() { reader.parse("share", share) } else { Some(Share::ALL) };
    let effect = effect::read(&mut reader, lasts, findings);
    if let (Some(on), Some(effect)) = (&on, &effect) {
        reader.parse("on", |_| target::fits(on, effect, system));
        if effect.is_of_nodes() {
            reader.parse("share", |_| Err::<(), _>(no_share(effect)));
        }
    }
    reader.finish();
    let span_of = |key| table.get(key).map_or_else(|| table.span.clone(), |entry| entry.value.span.clone());
    if let (Some(at), Some(lasts), Some(duration)) = (at, lasts, duration) {
        let end = show_duration(duration);
        if at >= duration {
            let message = format!("this fault begins at {}, and the run ends at {end}", show_duration(at));
            let advice = "begin it earlier, or raise `duration` in [load]";
            findings.add(Diagnostic::new(span_of("at"), message).advice(advice));
        } else if at + lasts > duration {
            let message = format!("this fault ends at {}, and the run at {end}", show_duration(at + lasts));
            let advice = format!("write `for = \"{}\"` at most, or raise `duration`", show_duration(duration - at));
            findings.add(Diagnostic::new(span_of("for"), message).advice(advice));
        }
    }
    // Where the times are wrong there is no timeline to judge others by.
    let fits = duration.is_none_or(|duration| at.zip(lasts).is_some_and(|(at, lasts)| at + lasts <= duration));
    let fault = || {
        let (name, on, effect, share, at, lasts) = (name.clone()?, on?, effect?, share?, at?, lasts?);
        Some(Fault { name, on, effect, share, at, lasts, span: table.span.clone() })
    };
    let fault = fault().filter(|_| fits);
    let name = name.or_else(|| Some(table.get("name")?.value.text()?.to_owned()));
    FaultRead { name, fault }
}

fn no_share(effect: &Effect) -> Wrong {
    let wrong = Wrong::new(format!("`{}` acts on the whole node", effect.name()));
    wrong.advice("take `share` away: it is the share of connections that a fault on a link acts on")
}

fn share(text: &str) -> Result<Share, Wrong> {
    let share = quantity::share_of_all(text)?;
    if share.parts == 0 {
        return Err(Wrong::new("a fault for 0% does nothing").advice("take the fault away, or write `5%`"));
    }
    Ok(share)
}
