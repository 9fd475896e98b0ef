//! `gate = true` and `abort = "5s"`: what an expectation decides in mid-run.

use super::{document::Entry, findings::Findings, nearest::list, quantity, reader::Reader};
use crate::{
    Diagnostic, Scope, Stops,
    check::{Need, Row},
    phase::BASELINE,
    quantity::show_duration,
};
use std::time::Duration;

/// A phase is looked at second by second.
const LEAST: Duration = Duration::from_secs(1);

/// Reads what an expectation decides on; `rows` are the kinds of its checks.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    scope: Option<&Scope>,
    rows: &[(&Row, &Entry)],
    findings: &Findings,
) -> Option<Stops> {
    let (gate, abort) = (reader.entry("gate"), reader.entry("abort"));
    let is_gate = reader.flag("gate").unwrap_or_default();
    let after = reader.parse("abort", quantity::duration);
    let refuse = |entry: &Entry, message: String, advice: String| {
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        None
    };
    if let (Some(gate), Some(abort)) = (gate, abort) {
        let message = "a gate is looked at before the first fault, and an abort while there are some";
        let diagnostic = Diagnostic::new(abort.key_span.clone(), message).also(gate.key_span.clone(), "the gate");
        findings.add(diagnostic.advice("make two expectations of it: the gate `during = \"baseline\"`"));
        return None;
    }
    let scope = scope?;
    let in_baseline = *scope == Scope::During(BASELINE.to_owned());
    match (gate.filter(|_| is_gate), abort.zip(after)) {
        (Some(gate), _) if !in_baseline => {
            let message = "a gate is looked at once, before the first fault begins".to_owned();
            refuse(gate, message, "say `during = \"baseline\"` beside it, or `abort = \"5s\"` in its stead".to_owned())
        }
        (Some(_), _) => Some(Stops::Gate),
        (None, Some((abort, _))) if in_baseline => {
            let message = "there is no fault in the baseline that could be taken back".to_owned();
            refuse(abort, message, "say `gate = true` in its stead: where it does not hold, no fault begins".to_owned())
        }
        (None, Some((abort, _))) if !matches!(scope, Scope::During(_)) => {
            let message = "`abort` looks at each second of a phase".to_owned();
            refuse(abort, message, "say `during = \"outage\"`, a fault's name, or `during = \"run\"`".to_owned())
        }
        (None, Some((abort, after))) if after < LEAST => {
            let message = format!("`abort` looks once a second, and {} is less", show_duration(after));
            refuse(abort, message, "write `abort = \"1s\"` or more".to_owned())
        }
        (None, Some((abort, after))) => {
            // What they ask is known when all is over.
            let late: Vec<&str> =
                rows.iter().filter(|(row, _)| row.needs.contains(&Need::Faults)).map(|(row, _)| row.key).collect();
            if !late.is_empty() {
                let message = format!("{} can't be asked of a single second", list(late.iter().copied()));
                return refuse(abort, message, "make two expectations of it, one without `abort`".to_owned());
            }
            Some(Stops::Abort(after))
        }
        (None, None) => None,
    }
}
