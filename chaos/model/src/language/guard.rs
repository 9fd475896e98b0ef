//! `[[guard]]`: a protection that is taken away, and what must break then.

use super::{
    document::{Entry, Table},
    findings::Findings,
    nearest::nearest,
    overlay::{self, Override},
    reader::{Reader, texts_of},
};
use crate::{Diagnostic, Expectation, Guard, Set};

/// A guard, and its settings with the places of their paths.
#[derive(Debug)]
pub(crate) struct GuardRead {
    pub(crate) guard: Guard,
    pub(crate) overrides: Vec<Override>,
}

/// Reads all guards.
pub(crate) fn read_all(scenario: &mut Reader<'_>, expectations: &[Expectation], findings: &Findings) -> Vec<GuardRead> {
    let tables = scenario.tables("guard");
    let mut guards: Vec<GuardRead> = Vec::new();
    for guard in tables.iter().filter_map(|table| read(table, expectations, findings)) {
        if let Some(first) = guards.iter().find(|other| other.guard.without == guard.guard.without) {
            let message = "there are two guards of this name";
            let diagnostic = Diagnostic::new(guard.guard.span.clone(), message);
            findings.add(diagnostic.also(first.guard.span.clone(), "the first").advice("say what tells them apart"));
        }
        guards.push(guard);
    }
    guards
}

fn read(table: &Table, expectations: &[Expectation], findings: &Findings) -> Option<GuardRead> {
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
        Some(entry) => breaks(entry, expectations, findings),
    };
    reader.finish();
    let set = overrides.iter().map(|set| Set {
        path: set.path.clone(),
        value: set.value.clone(),
        span: Some(set.value_span.clone()),
    });
    let guard = Guard { without: without?.text.to_owned(), set: set.collect(), breaks, span: table.span.clone() };
    Some(GuardRead { guard, overrides })
}

fn breaks(entry: &Entry, expectations: &[Expectation], findings: &Findings) -> Vec<String> {
    let before = findings.len();
    let texts = texts_of(entry, findings);
    if texts.is_empty() && findings.len() == before {
        let message = "a guard names at least one expectation that must break";
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice("put in what its `that` says"));
    }
    let mut breaks: Vec<String> = Vec::new();
    for (text, span) in texts {
        if expectations.iter().all(|expectation| expectation.that != text) {
            let near = nearest(&text, expectations.iter().map(|expectation| expectation.that.as_str()));
            let advice = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "it is named by what its `that` says, word by word".to_owned(),
            };
            findings.add(Diagnostic::new(span, format!("no expectation says `{text}`")).advice(advice));
        } else if breaks.contains(&text.clone().into_owned()) {
            findings.add(Diagnostic::new(span, "this expectation is named twice").advice("take one away"));
        } else {
            breaks.push(text.into_owned());
        }
    }
    breaks
}
