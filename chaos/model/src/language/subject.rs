//! The comparisons of an expectation: `status.200`, `latency.p99`, `body."$.x"` and so on, each read by its kind.

use super::{
    document::{Entry, Kind},
    expect::Against,
    findings::Findings,
    reader::comparison_of,
};
use crate::{
    Check, Diagnostic,
    check::{CheckId, Leaf, Row, Shape, reading::Asked},
};
use std::cell::Cell;

/// Reads everything under one key of an expectation. Metrics are read as `asked`.
pub(crate) fn read(row: &Row, entry: &Entry, against: &Against<'_>, asked: &Asked, findings: &Findings) -> Vec<Check> {
    let leaves = match (row.shape, &entry.value.kind) {
        (Shape::Whole(_), _) => vec![(String::new(), entry)],
        (Shape::Named(_), Kind::Table(_)) => leaves(entry),
        (Shape::Named(_), _) => {
            let message = format!("`{}` needs to say which", entry.key);
            let advice = format!("as in `{}`", row.comparison());
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
            Vec::new()
        }
    };
    let mut checks = Vec::new();
    for (name, entry) in leaves {
        let Some(word) = comparison_of(entry, findings) else { continue };
        let leaf = Leaf { kind: row.key, name, entry, word, asked, against, findings, idle: Cell::new(false) };
        let subject = (row.read)(&leaf);
        // Numbers are given once all expectations are read.
        let id = CheckId::default();
        let idle = leaf.idle.get();
        checks.extend(subject.map(|subject| Check { id, subject, idle, span: entry.value.span.clone() }));
    }
    checks
}

/// The leaves under a key such as `latency`, with their names: TOML makes two tables of `p99.9`.
pub(crate) fn leaves(entry: &Entry) -> Vec<(String, &Entry)> {
    let Kind::Table(table) = &entry.value.kind else { return Vec::new() };
    table.entries.iter().flat_map(named).collect()
}

fn named(entry: &Entry) -> Vec<(String, &Entry)> {
    match &entry.value.kind {
        Kind::Table(_) => {
            let inner = leaves(entry).into_iter();
            inner.map(|(rest, leaf)| (format!("{}.{rest}", entry.key), leaf)).collect()
        }
        _ => vec![(entry.key.clone(), entry)],
    }
}
