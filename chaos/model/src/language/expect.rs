//! `[[expect]]`: what must hold, and when.

use super::{
    document::{Entry, Table},
    fault::FaultRead,
    findings::{Findings, Wrong},
    load::LoadRead,
    nearest::{advise, list},
    of,
    reader::Reader,
    stops, subject, when, worlds,
};
use crate::{
    Check, Diagnostic, Expectation, Phase, Scope, Span, System, Timeline,
    check::{
        CheckId, Misplaced, Need, Place, Row, instead_of,
        reading::{Asked, SeriesKind},
    },
    phase::RUN,
};

/// The parts of a scenario that expectations are checked against.
#[derive(Debug)]
pub(crate) struct Against<'a> {
    pub(crate) system: &'a System,
    pub(crate) load: &'a LoadRead,
    pub(crate) faults: &'a [FaultRead],
    /// None where the load or a fault is wrong: then nothing is said about times.
    pub(crate) timeline: Option<&'a Timeline>,
    /// The kinds of checks that there are.
    pub(crate) checks: &'a [&'static Row],
    /// Names of the worlds that there are, where that is known.
    pub(crate) worlds: Option<&'a [&'a str]>,
}

/// Reads all expectations; the windows that they name are added to `windows`.
pub(crate) fn read_all(
    scenario: &mut Reader<'_>,
    against: &Against<'_>,
    windows: &mut Vec<Phase>,
    findings: &Findings,
) -> Vec<Expectation> {
    let tables = scenario.tables("expect");
    if tables.is_empty() && scenario.entry("expect").is_none() {
        let message = "nothing is expected, so nothing can fail";
        let advice = "add `[[expect]]` with `that = \"clients never notice\"` and `status.200 = \">= 99%\"`";
        findings.add(Diagnostic::new(scenario.span().clone(), message).advice(advice));
    }
    repeated(&tables, findings);
    let mut expectations: Vec<_> = tables.iter().filter_map(|table| read(table, against, windows, findings)).collect();
    let checks = expectations.iter_mut().flat_map(|expectation| &mut expectation.checks);
    checks.enumerate().for_each(|(number, check)| check.id = CheckId(number));
    too_many_looks(&expectations, findings);
    expectations
}

/// Reads the invariants of `[explore]`: expectations of the whole time of any run, with their keys but for those that say when.
/// Runs judge none of them.
pub(crate) fn read_invariants(scenario: &mut Reader<'_>, against: &Against<'_>, findings: &Findings) {
    let Some(table) = scenario.table("explore") else { return };
    let mut reader = Reader::new(table, "`[explore]`", findings);
    let tables = reader.tables("invariant");
    reader.finish();
    repeated(&tables, findings);
    for table in tables {
        read_in(table, Some(Scope::During(RUN.to_owned())), against, &mut Vec::new(), findings);
    }
}

/// Each response carries a bit for each of these checks.
const LOOKS: usize = 60;

fn too_many_looks(expectations: &[Expectation], findings: &Findings) {
    let looks = |check: &&Check| check.subject.test().is_some();
    if let Some(check) = expectations.iter().flat_map(|e| &e.checks).filter(looks).nth(LOOKS) {
        let message = format!("a scenario can have {LOOKS} checks of bodies and headers, and this is one more");
        findings.add(Diagnostic::new(check.span.clone(), message).advice("split the scenario in two"));
    }
}

fn repeated(tables: &[&Table], findings: &Findings) {
    let mut seen: Vec<(&str, &Span)> = Vec::new();
    for value in tables.iter().filter_map(|table| table.get("that")).map(|entry| &entry.value) {
        let Some(that) = value.text() else { continue };
        match seen.iter().find(|(earlier, _)| *earlier == that) {
            Some((_, first)) => {
                let message = "there are two expectations of this name";
                let diagnostic = Diagnostic::new(value.span.clone(), message).also((*first).clone(), "the first");
                findings.add(diagnostic.advice("say in `that` what tells them apart"));
            }
            None => seen.push((that, &value.span)),
        }
    }
}

fn read(table: &Table, against: &Against<'_>, windows: &mut Vec<Phase>, findings: &Findings) -> Option<Expectation> {
    read_in(table, None, against, windows, findings)
}

/// The same in this scope; where it is none, the expectation says its own.
fn read_in(
    table: &Table,
    scope: Option<Scope>,
    against: &Against<'_>,
    windows: &mut Vec<Phase>,
    findings: &Findings,
) -> Option<Expectation> {
    let before = findings.len();
    let mut reader = Reader::new(table, "this expectation", findings);
    let that = reader.needed_text("that", "that = \"clients never notice\"");
    if let Some(word) = that.filter(|word| word.text.trim().is_empty()) {
        let message = "an expectation says what it means";
        findings.add(Diagnostic::new(word.span.clone(), message).advice("as in `that = \"clients never notice\"`"));
    }
    if let (Some(after), Some(_), None) = (table.get("after"), table.get("detect"), table.get("within")) {
        let message = "the time to detect counts from the beginning of a fault, and `after` means its end";
        let fault = after.value.text().unwrap_or("outage");
        let advice = format!("say `during = \"{fault}\"` instead of it");
        findings.add(Diagnostic::new(after.key_span.clone(), message).advice(advice));
        return None;
    }
    let held = || against.checks.iter().filter(|row| table.get(row.key).is_some());
    let at_once = held().next().is_some() && held().all(|row| row.from_the_end_on);
    let scopes_itself = scope.is_none();
    let scope = scope.or_else(|| when::read(&mut reader, at_once, against, windows, findings));
    let worlds = worlds::read(reader.entry("worlds").filter(|_| scopes_itself), against.worlds, findings);
    let of = of::read(&mut reader, against.load, findings);
    of_all(table, against.checks, findings);
    let asked = asked(&mut reader, table, against, findings);
    let rows = against.checks.iter().copied();
    let entries: Vec<(&Row, &Entry)> = rows.filter_map(|row| Some((row, reader.entry(row.key)?))).collect();
    entries.iter().for_each(|(row, entry)| undeclared(row, entry, against, findings));
    let read = entries.iter().flat_map(|(row, entry)| subject::read(row, entry, against, &asked, findings));
    let mut checks: Vec<Check> = read.collect();
    checks.sort_by_key(|check| check.span.range.start);
    let stops = scopes_itself.then(|| stops::read(&mut reader, scope.as_ref(), &entries, findings)).flatten();
    let complete = findings.len() == before;
    reader.finish_or(|word| instead_of(word, against.checks));
    if entries.is_empty() && findings.len() == before {
        let message = "this expectation compares nothing";
        let keys = list(against.checks.iter().map(|row| row.key));
        let advice = format!("add a comparison, as `status.200 = \">= 99%\"`; there are {keys}");
        findings.add(Diagnostic::new(table.span.clone(), message).advice(advice));
    }
    let scope = scope?;
    if complete {
        let place = Place { scope: &scope, of: of.as_ref(), against };
        for check in &checks {
            if let Some(Misplaced { message, advice }) = check.subject.misplaced(&place) {
                findings.add(Diagnostic::new(check.span.clone(), message).advice(advice));
            }
        }
    }
    Some(Expectation { that: that?.text.to_owned(), worlds, scope, of, checks, stops, span: table.span.clone() })
}

/// Refuses a check of a marker that the system does not declare: it could only ever see none.
fn undeclared(row: &Row, entry: &Entry, against: &Against<'_>, findings: &Findings) {
    for need in row.needs {
        let Need::Marker(marker) = need else { continue };
        if !against.system.responses.declares(*marker) {
            let message =
                format!("`{}` needs a marker, and the system's `[responses]` declares no `{marker}`", row.key);
            let advice = format!(
                "add to the system's file what shows it: `[responses]` with, as it may be, `{}`",
                marker.example()
            );
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        }
    }
}

/// Refuses `of` where something else than requests is judged: what a service counts for all of them, or whether it is ready.
fn of_all(table: &Table, checks: &[&Row], findings: &Findings) {
    let probed = || checks.iter().filter(|row| row.needs.contains(&Need::Probes)).find_map(|row| table.get(row.key));
    let (Some(of), Some(other)) = (table.get("of"), asks_for_metrics(table, checks).or_else(probed)) else { return };
    let message = format!("`of` means some of the requests, and `{}` is not about requests", other.key);
    let diagnostic = Diagnostic::new(of.key_span.clone(), message).also(other.key_span.clone(), "this");
    findings.add(diagnostic.advice("make two expectations of it, one without `of`"));
}

/// The way in which metrics are read: whose, of which kind, and what one is that was never seen.
fn asked(reader: &mut Reader<'_>, table: &Table, against: &Against<'_>, findings: &Findings) -> Asked {
    let service = metrics_service(reader, table, against, findings);
    let kinds = [("counter", SeriesKind::Counter), ("gauge", SeriesKind::Gauge)];
    let kind = reader.parse("type", |text| one_of(text, &kinds, "type of a metric"));
    let absent = reader.parse("absent", |text| one_of(text, &[("zero", true)], "value of what is absent"));
    if asks_for_metrics(table, against.checks).is_none() {
        for entry in ["type", "absent"].into_iter().filter_map(|key| table.get(key)) {
            let message = format!("`{}` says how a metric is read, and no metric is compared here", entry.key);
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take it away"));
        }
    }
    Asked { service, kind, absent_is_zero: absent.unwrap_or_default() }
}

fn one_of<T: Copy>(text: &str, all: &[(&'static str, T)], what: &str) -> Result<T, Wrong> {
    let found = all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        Wrong::new(format!("`{text}` is no {what}")).advice(advise(text, names, "it is one of"))
    })
}

/// The service whose metrics are meant: the entry unless `service` says otherwise.
fn metrics_service(reader: &mut Reader<'_>, table: &Table, against: &Against<'_>, findings: &Findings) -> String {
    let word = reader.text("service");
    let name = word.map_or(against.system.entry.as_str(), |word| word.text).to_owned();
    let Some(metric) = asks_for_metrics(table, against.checks) else {
        if let Some(entry) = table.get("service") {
            let message = "`service` says whose metrics are meant, and no metric is compared here";
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take it away"));
        }
        return name;
    };
    let services = against.system.services.keys().map(String::as_str);
    let replicas: Vec<&str> = against.system.replicas(&name).map(|service| service.name.as_str()).collect();
    let place = word.map_or(&metric.key_span, |word| word.span).clone();
    match against.system.services.get(&name) {
        None if !replicas.is_empty() => {
            let message = format!("`{name}` has {} replicas, each with metrics of its own", replicas.len());
            let advice = format!("name one: {}", list(replicas));
            findings.add(Diagnostic::new(place, message).advice(advice));
        }
        None => {
            // A wrong entry has been refused where it stands.
            if word.is_some() && !against.system.services.is_empty() {
                let mut diagnostic = Diagnostic::new(place, format!("there is no service called `{name}`"));
                diagnostic.advice = Some(advise(&name, services, "the services are"));
                findings.add(diagnostic);
            }
        }
        Some(service) if service.metrics.is_none() => {
            let with = against.system.services.values().filter(|service| service.metrics.is_some());
            let with = list(with.map(|service| service.name.as_str()));
            let message = format!("service `{name}` has no metrics");
            let advice = if with.is_empty() {
                "say where they are: `metrics = \"GET /metrics\"`".to_owned()
            } else {
                format!("say where they are, `metrics = \"GET /metrics\"`, or ask one that has: {with}")
            };
            findings.add(Diagnostic::new(place, message).also(service.span.clone(), "this service").advice(advice));
        }
        Some(_) => {}
    }
    name
}

/// The first comparison that takes scrapes.
fn asks_for_metrics<'t>(table: &'t Table, rows: &[&Row]) -> Option<&'t Entry> {
    let by_metric = |entry: &&Entry| {
        let mut kinds = rows.iter().filter(|row| row.key == entry.key);
        kinds.any(|row| match entry.value.table() {
            Some(inner) => inner.entries.iter().any(|leaf| row.scrapes(&leaf.key)),
            None => row.needs.contains(&Need::Scrapes),
        })
    };
    table.entries.iter().find(by_metric)
}
