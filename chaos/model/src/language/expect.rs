//! `[[expect]]`: what must hold, and when.

use super::{
    document::{Entry, Kind, Table},
    fault::FaultRead,
    findings::Findings,
    load::LoadRead,
    nearest::{advise, list, nearest},
    reader::Reader,
    recovery, samples, subject, when, worlds,
};
use crate::{Check, Diagnostic, Expectation, Phase, Span, Subject, System, Timeline};

/// The parts of a scenario that expectations are checked against.
#[derive(Debug)]
pub(crate) struct Against<'a> {
    pub(crate) system: &'a System,
    pub(crate) load: &'a LoadRead,
    pub(crate) faults: &'a [FaultRead],
    /// None where the load or a fault is wrong: then nothing is said about times.
    pub(crate) timeline: Option<&'a Timeline>,
}

/// The keys under which comparisons stand.
pub(crate) const CHECKS: [&str; 13] = [
    "status",
    "errors",
    "latency",
    "partial",
    "stale",
    "body",
    "header",
    "metric",
    "age",
    "detect",
    "recovery",
    "amplification",
    "herd",
];
/// Keys of checks that say within which time they must hold, or have no need to.
const FROM_THE_END_ON: [&str; 4] = ["age", "recovery", "amplification", "herd"];

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
    let expectations: Vec<_> = tables.iter().filter_map(|table| read(table, against, windows, findings)).collect();
    too_many_looks(&expectations, findings);
    expectations
}

/// Each response carries a bit for each of these checks.
const LOOKS: usize = 60;

fn too_many_looks(expectations: &[Expectation], findings: &Findings) {
    let looks = |check: &&Check| matches!(check.subject, Subject::Body { .. } | Subject::Header { .. });
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
    let before = findings.len();
    let mut reader = Reader::new(table, "this expectation", findings);
    let that = reader.needed_text("that", "that = \"clients never notice\"");
    if let Some(word) = that.filter(|word| word.text.trim().is_empty()) {
        let message = "an expectation says what it means";
        findings.add(Diagnostic::new(word.span.clone(), message).advice("as in `that = \"clients never notice\"`"));
    }
    let held = CHECKS.into_iter().filter(|key| table.get(key).is_some());
    let at_once = held.clone().count() > 0 && held.clone().all(|key| FROM_THE_END_ON.contains(&key));
    let scope = when::read(&mut reader, at_once, against, windows, findings);
    let worlds = worlds::read(reader.entry("worlds"), findings);
    let service = metrics_service(&mut reader, table, against, findings);
    let entries: Vec<&Entry> = CHECKS.into_iter().filter_map(|key| reader.entry(key)).collect();
    let mut checks: Vec<Check> =
        entries.iter().flat_map(|entry| subject::read(entry, against, &service, findings)).collect();
    checks.sort_by_key(|check| check.span.range.start);
    let complete = findings.len() == before;
    reader.finish();
    if entries.is_empty() && findings.len() == before {
        let message = "this expectation compares nothing";
        let keys = list(CHECKS);
        let advice = format!("add a comparison, as `status.200 = \">= 99%\"`; there are {keys}");
        findings.add(Diagnostic::new(table.span.clone(), message).advice(advice));
    }
    let scope = scope?;
    if complete {
        samples::check(&checks, &scope, against, findings);
        recovery::check_scope(&checks, &scope, against, findings);
    }
    Some(Expectation { that: that?.text.to_owned(), worlds, scope, checks, span: table.span.clone() })
}

/// The service whose metrics are meant: the entry unless `service` says otherwise.
fn metrics_service(reader: &mut Reader<'_>, table: &Table, against: &Against<'_>, findings: &Findings) -> String {
    let word = reader.text("service");
    let name = word.map_or(against.system.entry.as_str(), |word| word.text).to_owned();
    let Some(metric) = asks_for_metrics(table) else {
        if let Some(entry) = table.get("service") {
            let message = "`service` says whose metrics are meant, and no metric is compared here";
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take it away"));
        }
        return name;
    };
    let services = against.system.services.keys().map(String::as_str);
    let place = word.map_or(&metric.key_span, |word| word.span).clone();
    match against.system.services.get(&name) {
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
fn asks_for_metrics(table: &Table) -> Option<&Entry> {
    let by_metric = |entry: &&Entry| match entry.key.as_str() {
        "metric" | "amplification" | "herd" => true,
        "detect" => entry.value.table().is_some_and(|inner| inner.entries.iter().any(|entry| entry.key != "time")),
        _ => false,
    };
    table.entries.iter().find(by_metric)
}

/// The leaves under a key such as `latency`, with their names: TOML makes two tables of `p99.9`.
pub(crate) fn leaves<'a>(entry: &'a Entry, findings: &Findings) -> Vec<(String, &'a Entry)> {
    let Kind::Table(table) = &entry.value.kind else {
        let example = match entry.key.as_str() {
            "status" => "status.200 = \">= 99%\"",
            "latency" => "latency.p99 = \"< 50ms\"",
            "body" => "body.\"$.user.id\" = \"100% exists\"",
            "header" => "header.etag = \"100% exists\"",
            "age" => "age.max = \"< 330s\"",
            "detect" => "detect.time = \"< 1s\"",
            "recovery" => "recovery.time = \"< 2s\"",
            "amplification" => "amplification.'calls_total / first_attempts_total' = \"<= 1.2\"",
            "herd" => "herd.http_requests_total = \"<= 1.25\"",
            _ => "metric.cache_hits_total = \"> 0\"",
        };
        let message = format!("`{}` needs to say which", entry.key);
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(format!("as in `{example}`")));
        return Vec::new();
    };
    let leaf = |inner: &'a Entry| match &inner.value.kind {
        Kind::Table(_) => leaves(inner, findings)
            .into_iter()
            .map(|(rest, leaf)| (format!("{}.{rest}", inner.key), leaf))
            .collect::<Vec<_>>(),
        _ => vec![(inner.key.clone(), inner)],
    };
    table.entries.iter().flat_map(leaf).collect()
}

/// The nearest of some names, as advice.
pub(crate) fn did_you_mean(word: &str, names: &[&str], else_say: &str) -> String {
    nearest(word, names.iter().copied()).map_or_else(|| else_say.to_owned(), |near| format!("did you mean `{near}`?"))
}
