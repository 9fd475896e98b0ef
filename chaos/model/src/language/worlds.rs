//! `worlds`: where an expectation is judged, if not everywhere.

use super::{
    document::Entry,
    findings::Findings,
    nearest::{advise, list},
    reader::texts_of,
};
use crate::Diagnostic;

/// Reads names of worlds, of which `known` are all that there are, where that is known. None: all of them.
pub(crate) fn read(entry: Option<&Entry>, known: Option<&[&str]>, findings: &Findings) -> Option<Vec<String>> {
    // Named in the scenario rather than skipped by a world: a metric that is misspelled must not pass for one that a
    // simulation lacks.
    let entry = entry?;
    let before = findings.len();
    let mut worlds = Vec::new();
    for (text, span) in texts_of(entry, findings) {
        let Some(known) = known.filter(|known| !known.contains(&&*text)) else {
            worlds.push(text.into_owned());
            continue;
        };
        let diagnostic = Diagnostic::new(span, format!("there is no world `{text}`"));
        findings.add(diagnostic.advice(advise(&text, known.iter().copied(), "there are")));
    }
    if worlds.is_empty() && findings.len() == before {
        let wrong = Diagnostic::new(entry.value.span.clone(), "an expectation is judged in at least one world");
        findings.add(match known {
            Some(known) => wrong.advice(format!("there are {}", list(known.iter().copied()))),
            None => wrong,
        });
    }
    Some(worlds)
}
