//! `[[guard]]`: a protection that is taken away, and what must break then.

use super::{
    document::{Entry, Table},
    findings::Findings,
    nearest::nearest,
    overlay::{self, Override},
    reader::{Reader, texts_of},
};
use crate::{Diagnostic, Expectation, Guard, Set, Span};
use std::collections::BTreeSet;

/// A guard, and its settings with the places of their paths.
#[derive(Debug)]
pub(crate) struct GuardRead {
    pub(crate) guard: Guard,
    pub(crate) overrides: Vec<Override>,
}

/// Reads all guards.
pub(crate) fn read_all(scenario: &mut Reader<'_>, expectations: &[Expectation], findings: &Findings) -> Vec<GuardRead> {
    let tables = scenario.tables("guard");
    // Also of those that could not be read: a mistake in one is told there, and not once more here.
    let written = scenario.peek("expect").filter_map(|table| table.get("that")?.value.text());
    let names: BTreeSet<&str> =
        expectations.iter().map(|expectation| expectation.that.as_str()).chain(written).collect();
    let mut guards: Vec<GuardRead> = Vec::new();
    for guard in tables.iter().filter_map(|table| read(table, &names, findings)) {
        if let Some(first) = guards.iter().find(|other| other.guard.without == guard.guard.without) {
            let message = "there are two guards of this name";
            let diagnostic = Diagnostic::new(guard.guard.span.clone(), message);
            findings.add(diagnostic.also(first.guard.span.clone(), "the first").advice("say what tells them apart"));
        }
        guards.push(guard);
    }
    guards
}

fn read(table: &Table, expectations: &BTreeSet<&str>, findings: &Findings) -> Option<GuardRead> {
    let mut reader = Reader::new(table, "this guard", findings);
    let without = reader.needed_text("without", "without = \"the memory tier\"");
    let mut overrides = Vec::new();
    match reader.entry("set") {
        None => reader.lacks("set", "set.\"service.gateway.env.NAME\" = \"off\""),
        Some(entry) => overlay::read(entry, "", &mut overrides, findings),
    }
    let breaks = match reader.entry("breaks") {
        None => {
            reader.lacks("breaks", "breaks = [\"what an expectation says in `that`\"]");
            Vec::new()
        }
        Some(entry) => named(entry, "must break", expectations, findings),
    };
    let may_break = match reader.entry("may-break") {
        None => Vec::new(),
        Some(entry) => named(entry, "may break", expectations, findings),
    };
    for (text, span) in may_break.iter().filter(|(text, _)| breaks.iter().any(|(must, _)| must == text)) {
        let message = format!("`{text}` must break, by `breaks`");
        findings.add(Diagnostic::new(span.clone(), message).advice("name it in one of the two"));
    }
    reader.finish();
    let set = overrides.iter().map(|set| Set {
        path: set.path.clone(),
        value: set.value.clone(),
        span: Some(set.value_span.clone()),
    });
    let that = |named: Vec<(String, Span)>| named.into_iter().map(|(that, _)| that).collect();
    let guard = Guard {
        without: without?.text.to_owned(),
        set: set.collect(),
        breaks: that(breaks),
        may_break: that(may_break),
        span: table.span.clone(),
    };
    Some(GuardRead { guard, overrides })
}

/// The expectations that a list names, each with its place.
fn named(entry: &Entry, what: &str, expectations: &BTreeSet<&str>, findings: &Findings) -> Vec<(String, Span)> {
    let before = findings.len();
    let texts = texts_of(entry, findings);
    if texts.is_empty() && findings.len() == before {
        let message = format!("a guard names at least one expectation that {what}");
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice("put in what its `that` says"));
    }
    let mut named: Vec<(String, Span)> = Vec::new();
    for (text, span) in texts {
        if !expectations.contains(&*text) {
            let near = nearest(&text, expectations.iter().copied());
            let advice = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "it is named by what its `that` says, word by word".to_owned(),
            };
            findings.add(Diagnostic::new(span, format!("no expectation says `{text}`")).advice(advice));
        } else if named.iter().any(|(other, _)| *other == text) {
            findings.add(Diagnostic::new(span, "this expectation is named twice").advice("take one away"));
        } else {
            named.push((text.into_owned(), span));
        }
    }
    named
}
