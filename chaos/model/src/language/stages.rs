//! `rate` and `duration` of the load, or `stages` in their place.

use super::{
    document::{Entry, Kind, Table},
    findings::{Findings, Wrong},
    load::not_zero,
    quantity,
    reader::{Reader, wrong_type},
};
use crate::{Diagnostic, Rate, Stage, Stages, quantity::show_duration};
use std::time::Duration;

const EXAMPLE: &str = "stages = [{ for = \"20s\", rate = \"50/s\" }, { for = \"10s\", rate = \"50/s..400/s\" }]";

/// Reads the rate of arrivals over the timeline.
pub(crate) fn read(reader: &mut Reader<'_>, table: &Table, findings: &Findings) -> Option<Stages> {
    let Some(entry) = reader.entry("stages") else {
        let rate = reader.needed("rate", "rate = \"200/s\"", quantity::rate);
        let duration = reader.needed("duration", "duration = \"12s\"", not_zero);
        return checked(Stages::constant(rate?, duration?), table, findings);
    };
    let twice: Vec<&Entry> = ["rate", "duration"].into_iter().filter_map(|key| reader.entry(key)).collect();
    for other in &twice {
        let message = format!("`stages` say the rate and how long it lasts, and `{}` says so too", other.key);
        let diagnostic = Diagnostic::new(other.key_span.clone(), message).also(entry.key_span.clone(), "the stages");
        findings.add(diagnostic.advice("take one of them away"));
    }
    let Kind::List(items) = &entry.value.kind else {
        findings.add(wrong_type(entry, "a list of tables", format!("write it as `{EXAMPLE}`")));
        return None;
    };
    let read: Vec<Option<Stage>> = items
        .iter()
        .map(|item| match item.table() {
            Some(table) => stage(table, findings),
            None => {
                let message = format!("a stage is a table, and this is {}", item.what());
                findings.add(Diagnostic::new(item.span.clone(), message).advice(format!("write it as `{EXAMPLE}`")));
                None
            }
        })
        .collect();
    let stages = read.into_iter().collect::<Option<Vec<_>>>()?;
    let Some(stages) = Stages::new(stages) else {
        let message = "without a stage there is no load";
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(format!("write it as `{EXAMPLE}`")));
        return None;
    };
    checked(stages, table, findings).filter(|_| twice.is_empty())
}

fn checked(stages: Stages, table: &Table, findings: &Findings) -> Option<Stages> {
    if stages.in_window(Duration::ZERO, stages.lasts()) == 0 {
        let message = format!("at {stages} no request is due within {}", show_duration(stages.lasts()));
        findings.add(Diagnostic::new(table.span.clone(), message).advice("raise `rate` or `duration`"));
    }
    Some(stages)
}

fn stage(table: &Table, findings: &Findings) -> Option<Stage> {
    let mut reader = Reader::new(table, "a stage", findings);
    let lasts = reader.needed("for", "for = \"20s\"", not_zero);
    let rates = reader.needed("rate", "rate = \"50/s\"", rates);
    reader.finish();
    let (lasts, (from, to)) = (lasts?, rates?);
    Some(Stage { lasts, from, to })
}

/// `50/s`, or `50/s..400/s`. A stage may be a pause, or begin or end with none: `0/s`.
fn rates(text: &str) -> Result<(Rate, Rate), Wrong> {
    let rate = |text: &str| match text.trim() {
        "0/s" | "0/m" | "0/min" | "0/h" => Ok(Rate { times: 0, per: Duration::from_secs(1) }),
        text => quantity::rate(text),
    };
    match text.split_once("..") {
        None => rate(text).map(|rate| (rate, rate)),
        Some((from, to)) => Ok((rate(from)?, rate(to)?)),
    }
}
