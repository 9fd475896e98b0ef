//! `[responses]` of a system: what responses say of themselves.

use super::{
    Known,
    document::{Entry, Kind, Table},
    findings::{Findings, Wrong},
    nearest::{advise, list},
    reader::{Reader, comparison_of, parse_word},
    request::field_name,
    subject::leaves,
};
use crate::{
    Diagnostic,
    check::{ConditionLeaf, Row, Shape, json_path},
    responses::{Age, Condition, Field, Responses},
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The units of an age, by the names that they go by.
const UNITS: [(&str, Duration); 3] =
    [("s", SECOND), ("ms", Duration::from_millis(1)), ("us", Duration::from_micros(1))];

/// Reads the table where there is one; else good is what is below 500, and nothing more is known.
pub(crate) fn read(system: &mut Reader<'_>, known: &Known<'_>, findings: &Findings) -> Responses {
    let Some(table) = system.table("responses") else { return Responses::default() };
    let mut reader = Reader::new(table, "`[responses]`", findings);
    let mut conditions = |key| reader.entry(key).map(|entry| conditions(entry, known.checks, findings));
    let good = conditions("good").filter(|good| !good.is_empty()).unwrap_or_else(|| Responses::default().good);
    let (partial, stale) = (conditions("partial").unwrap_or_default(), conditions("stale").unwrap_or_default());
    let age = reader.table("age").map(|table| ages(table, findings)).unwrap_or_default();
    let instance = reader.table("instance").and_then(|table| instance(table, findings));
    reader.finish();
    Responses { good, partial, stale, age, instance }
}

/// The conditions under one marker, by the keys of checks that say something of one response.
fn conditions(marker: &Entry, rows: &[&Row], findings: &Findings) -> Vec<Condition> {
    let rows = || rows.iter().filter_map(|row| Some((row, row.condition?)));
    let keys = list(rows().map(|(row, _)| row.key));
    let Kind::Table(table) = &marker.value.kind else {
        let message = format!("`{}` needs to say by what", marker.key);
        let advice = format!("as in `{}.header.x-{} = \"== true\"`; its keys are {keys}", marker.key, marker.key);
        findings.add(Diagnostic::new(marker.value.span.clone(), message).advice(advice));
        return Vec::new();
    };
    let mut all = Vec::new();
    for entry in &table.entries {
        let Some((row, read)) = rows().find(|(row, _)| row.key == entry.key) else {
            let message = format!("`{}` says nothing of one response", entry.key);
            let names = rows().map(|(row, _)| row.key).collect::<Vec<_>>();
            let advice = advise(&entry.key, names, "conditions are");
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
            continue;
        };
        for (name, leaf) in named(row, entry, findings) {
            let Some(word) = comparison_of(leaf, findings) else { continue };
            all.extend(read(&ConditionLeaf { name, entry: leaf, word, findings }));
        }
    }
    all
}

/// The tests under one key, with their names; a status has none, as it is the response's only one.
fn named<'a>(row: &Row, entry: &'a Entry, findings: &Findings) -> Vec<(String, &'a Entry)> {
    let by_name = row.key != "status" && matches!(row.shape, Shape::Named(_));
    match (&entry.value.kind, by_name) {
        (Kind::Table(_), true) => leaves(entry),
        (Kind::Table(table), false) => {
            let message = format!("one response has one {0}, and `{0}` takes a test of it", row.key);
            findings.add(Diagnostic::new(table.span.clone(), message).advice("as in `status = \"== 206\"`"));
            Vec::new()
        }
        (_, false) => vec![(String::new(), entry)],
        (_, true) => {
            let message = format!("`{}` needs to say which", entry.key);
            let advice = if row.key == "body" { "body.\"$.partial\"" } else { "header.x-partial" };
            let advice = format!("as in `{advice} = \"== true\"`");
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
            Vec::new()
        }
    }
}

fn ages(table: &Table, findings: &Findings) -> Vec<Age> {
    let mut reader = Reader::new(table, "`age`", findings);
    let header = reader.parse("header", field_name);
    let body = reader.parse("body", json_path);
    let unit = reader.parse("unit", |text| {
        let found = UNITS.iter().find(|(name, _)| *name == text).map(|(_, unit)| *unit);
        found.ok_or_else(|| {
            let names = UNITS.iter().map(|(name, _)| *name);
            Wrong::new(format!("`{text}` is no unit of an age")).advice(advise(text, names, "the units are"))
        })
    });
    reader.finish();
    if header.is_none() && body.is_none() && table.get("header").is_none() && table.get("body").is_none() {
        let advice = "add `age.header = \"age\"`, or `age.body = \"$.meta.age_ms\"` with `age.unit = \"ms\"`";
        findings.add(Diagnostic::new(table.span.clone(), "`age` needs to say where it stands").advice(advice));
    }
    // The unit is the body's. A header's is the second, as that of HTTP's own (RFC 9111, 5.1), unless it is all there is.
    let unit = unit.unwrap_or(SECOND);
    let of_header = if body.is_some() { SECOND } else { unit };
    let header = header.map(|name| Age { field: Field::Header(name), unit: of_header });
    header.into_iter().chain(body.map(|path| Age { field: Field::Body(path), unit })).collect()
}

fn instance(table: &Table, findings: &Findings) -> Option<String> {
    let mut reader = Reader::new(table, "`instance`", findings);
    let word = reader.needed_text("header", "instance.header = \"x-served-by\"");
    reader.finish();
    parse_word(word?, field_name, findings)
}
