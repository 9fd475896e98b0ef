//! An exploration as one page for a browser, which needs nothing else: no script, no request to anywhere.

use crate::{
    exploration::{Attempt, Exploration},
    finding::Finding,
    matrix::State,
    point::NotTried,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

const STYLE: &str = include_str!("page.css");

/// The page of an exploration of what has this name.
#[must_use]
pub fn html(exploration: &Exploration, name: &str) -> String {
    let Exploration { seed, points, cases, requests_per_case, .. } = exploration;
    let name = text(name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Exploration of {name}</title>\n<style>\n{STYLE}</style>\n\
         <h1>Exploration of {name}</h1>\n\
         <p>Seed {seed}: {points} fault points, {cases} cases of {requests_per_case} requests each.</p>\n"
    );
    matrix(&mut page, exploration);
    findings(&mut page, &exploration.findings);
    list(&mut page, "Services that ended by themselves", exploration.died.iter().map(|words| text(words)));
    list(
        &mut page,
        "Seen once, and not again when it was checked",
        exploration.unconfirmed.iter().map(|one| text(one)),
    );
    places(&mut page, &exploration.alone);
    list(&mut page, "Held to", exploration.invariants.iter().map(|that| text(that)));
    let dropped = exploration.dropped.iter();
    let dropped =
        dropped.map(|one| format!("{}, <code>{}</code>: {}", text(&one.that), text(&one.check), text(&one.why)));
    list(&mut page, "Not held to, since healthy runs do not show it", dropped);
    let not_tried = exploration.not_tried.iter().map(|NotTried { what, why }| format!("{}: {}", text(what), text(why)));
    list(&mut page, "Not tried", not_tried);
    page
}

/// The matrix of effects, links and services, by the worst of all that was tried.
fn matrix(page: &mut String, exploration: &Exploration) {
    let heads = exploration.matrix.on.iter().map(|on| format!("<th>{}</th>", text(on)));
    let mut rows = String::new();
    for row in &exploration.matrix.effects {
        if row.cells.is_empty() {
            continue;
        }
        let cells = exploration.matrix.on.iter().map(|on| {
            let tried = exploration.alone.iter().filter(|one| one.on == *on && one.effect == row.effect).count();
            row.cells.get(on).map_or_else(|| "<td></td>".to_owned(), |state| cell(*state, &format!("{tried} tried")))
        });
        let _ = writeln!(rows, "<tr><th>{}</th>{}</tr>", text(&row.effect), cells.collect::<String>());
    }
    table(page, "What each effect came to", &format!("<th></th>{}", heads.collect::<String>()), &rows);
    let words = State::ALL.iter().map(|state| format!("{} ({})", state.word(), state.meaning()));
    let _ = writeln!(page, "<p>The worst of all strengths and moments: {}.</p>", words.collect::<Vec<_>>().join(", "));
}

/// A table for each link and service: each fault that was tried there, on each kind of messages.
fn places(page: &mut String, alone: &[Attempt]) {
    page.push_str("<h2>Each fault</h2>\n");
    let mut by_place: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
    alone.iter().for_each(|one| by_place.entry(&one.on).or_default().push(one));
    for (on, all) in by_place {
        let kinds: BTreeSet<&str> = all.iter().map(|one| one.kind.as_deref().unwrap_or_default()).collect();
        let mut rows: BTreeMap<(String, &str), BTreeMap<&str, State>> = BTreeMap::new();
        for one in all {
            let row = rows.entry((one.fault.clone(), one.moment.word())).or_default();
            row.insert(one.kind.as_deref().unwrap_or_default(), one.state);
        }
        let heads: String = kinds.iter().map(|kind| format!("<th>{}</th>", text(kind))).collect();
        let mut body = String::new();
        for ((fault, moment), cells) in rows {
            let shown = |kind: &&str| cells.get(*kind).map_or_else(|| "<td></td>".to_owned(), |state| cell(*state, ""));
            let cells: String = kinds.iter().map(shown).collect();
            let _ = writeln!(body, "<tr><th>{}</th><td>{moment}</td>{cells}</tr>", text(&fault));
        }
        let _ = write!(
            page,
            "<details><summary>{}</summary>\n<div class=\"wide\"><table>\n\
             <thead><tr><th></th><th></th>{heads}</tr></thead>\n{body}</table></div></details>\n",
            text(on)
        );
    }
}

fn findings(page: &mut String, findings: &[Finding]) {
    let _ = writeln!(
        page,
        "<h2>{}</h2>",
        match findings.len() {
            0 => "Nothing found".to_owned(),
            1 => "1 finding".to_owned(),
            many => format!("{many} findings"),
        }
    );
    for finding in findings {
        let (class, known) = if finding.known { (" class=\"known\"", " (known)") } else { ("", "") };
        let seen: String = finding.seen.iter().map(|seen| format!("<li>{}</li>", text(seen))).collect();
        let also = match finding.also.as_slice() {
            [] => String::new(),
            also => format!("<p>Also by {}.</p>", text(&also.join("; "))),
        };
        let _ = write!(
            page,
            "<section{class}>\n<h3>{}{known}</h3>\n<p>Broken by {}.</p>\n<ul>{seen}</ul>\n{also}\n\
             <details><summary>{}.toml</summary><pre>{}</pre></details>\n</section>\n",
            text(&finding.that),
            text(&finding.faults.join(" and ")),
            text(&finding.name),
            text(&finding.scenario)
        );
    }
}

fn table(page: &mut String, title: &str, heads: &str, rows: &str) {
    let _ = write!(
        page,
        "<h2>{title}</h2>\n<div class=\"wide\"><table>\n<thead><tr>{heads}</tr></thead>\n{rows}</table></div>\n"
    );
}

fn cell(state: State, title: &str) -> String {
    let title = if title.is_empty() { String::new() } else { format!(" title=\"{title}\"") };
    format!("<td class=\"{0}\"{title}>{0}</td>", state.word())
}

/// A list under its heading; nothing where it is empty.
fn list(page: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let items: String = items.map(|item| format!("<li>{item}</li>\n")).collect();
    if !items.is_empty() {
        let _ = write!(page, "<h2>{title}</h2>\n<ul>\n{items}</ul>\n");
    }
}

/// A text in which nothing is markup.
fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
