//! Whatever is written, it is taken or refused with a readable text, and never ends in a panic.

use chaos_model::{Set, Span, language::load};
use proptest::prelude::*;
use std::{io, path::Path};

const REDIS_DOWN: &str = include_str!("../../../scenarios/redis_down.toml");
const SYSTEM: &str = include_str!("../../../scenarios/system.toml");
const ALL: &str = include_str!("valid/everything.toml");

/// Pieces that mean something here, so that random texts get past the first check.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "{{",
    "}}",
    "#",
    "=",
    "\n",
    ".",
    "..",
    "<",
    ">=",
    "!=",
    "==",
    "%",
    "->",
    "$",
    "$.a",
    "-",
    "/",
    "GET /",
    "\\",
    "\\u00e9",
    "\u{e9}",
    "\u{1f600}",
    "\0",
    "\t",
    "0",
    "1",
    "99999999999999999999",
    "1e999",
    "nan",
    "s",
    "ms",
    "h",
    "/s",
    "exists",
    "missing",
    "zipf",
    "run",
    "outage",
    "client",
    "redis",
    "gateway",
    "service",
    "load",
    "fault",
    "expect",
    "guard",
    "set",
    "status",
    "latency",
    "p99",
    "p99.9",
    "metric",
    "true",
    "1979-05-27",
    "self.port",
    "{self.port}",
    "{redis#a}",
    "100%",
    "4s..8s",
];

fn check(scenario: &str, system: &str, sets: &[Set]) {
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(scenario.to_owned()),
        Some("system.toml") => Ok(system.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    if let Err(wrong) = load(Path::new("it.toml"), sets, &read) {
        assert!(!wrong.list.is_empty());
        for diagnostic in &wrong.list {
            assert!(diagnostic.advice.is_some(), "no advice: {diagnostic:?}");
            let text = &wrong.sources.0[diagnostic.span.source].text;
            assert!(text.get(diagnostic.span.range.clone()).is_some(), "a place that is not there: {diagnostic:?}");
        }
        assert!(wrong.render(false, 80).contains("error: "));
        assert!(wrong.render(true, 0).contains('\u{1b}'));
    }
}

#[test]
fn depth_is_survived_and_takes_no_time() {
    for depth in [10, 30, 100, 1_000, 100_000] {
        let dots = "a.".repeat(depth);
        check(&format!("{dots}a = 1"), SYSTEM, &[]);
        check(&format!("[[expect]]\nstatus.{dots}a = \"== 1\""), SYSTEM, &[]);
        check(&format!("[{dots}a]"), SYSTEM, &[]);
        check(&format!("a = {}1{}", "[".repeat(depth), "]".repeat(depth)), SYSTEM, &[]);
        check(&format!("a = {}1{}", "{a=".repeat(depth), "}".repeat(depth)), SYSTEM, &[]);
        for path in ["(", "!", "(@.a&&", "$[?", "[?@", "length("] {
            let path = format!("$[?{}", path.repeat(depth));
            check(&REDIS_DOWN.replace("partial ", &format!("body.'{path}'")), SYSTEM, &[]);
        }
        let path = format!("load.{dots}a");
        check(REDIS_DOWN, SYSTEM, &[Set { path, value: "[".repeat(depth), span: None }]);
        let value = "[".repeat(depth);
        check(REDIS_DOWN, SYSTEM, &[Set { path: "service.redis.command".to_owned(), value, span: None }]);
    }
}

/// Replaces some of a text, at the nearest borders of characters, by a piece.
fn mutate(text: &str, changes: &[(usize, usize, usize)]) -> String {
    let mut text = text.to_owned();
    for (at, length, piece) in changes {
        let border = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let from = border(at % (text.len() + 1));
        let to = border(from + length).max(from);
        text.replace_range(from..to, PIECES[piece % PIECES.len()]);
    }
    text
}

fn changes() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    prop::collection::vec((0..4000_usize, 0..12_usize, 0..PIECES.len()), 0..6)
}

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(0..PIECES.len(), 0..30).prop_map(|pieces| pieces.into_iter().map(|at| PIECES[at]).collect())
}

/// A value of one of the examples becomes another: what is around it stays right, so that deep checks are reached.
fn revalue(text: &str, which: usize, value: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let valued: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains(" = ")).collect();
    let chosen = valued[which % valued.len()];
    let change = |(at, line): (usize, &&str)| match line.split_once(" = ") {
        Some((key, _)) if at == chosen => format!("{key} = {value:?}\n"),
        _ => format!("{line}\n"),
    };
    lines.iter().enumerate().map(change).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(scenario in ".{0,300}", system in ".{0,300}") {
        check(&scenario, &system, &[]);
    }

    #[test]
    fn any_pieces(scenario in pieces(), system in pieces()) {
        check(&scenario, SYSTEM, &[]);
        check(REDIS_DOWN, &system, &[]);
    }

    #[test]
    fn changed_examples(down in changes(), all in changes(), system in changes()) {
        check(&mutate(REDIS_DOWN, &down), &mutate(SYSTEM, &system), &[]);
        check(&mutate(ALL, &all), SYSTEM, &[]);
    }

    #[test]
    fn changed_values(which in 0..200_usize, value in prop_oneof![pieces(), ".{0,20}"]) {
        check(&revalue(ALL, which, &value), SYSTEM, &[]);
        check(&revalue(REDIS_DOWN, which, &value), &revalue(SYSTEM, which, &value), &[]);
    }

    #[test]
    fn any_settings(
        path in prop_oneof![
            pieces(), ".{0,20}", Just("load.rate".to_owned()), Just("fault.outage.at".to_owned()),
            Just("service.redis.command".to_owned()), Just("system".to_owned()), Just("service.gateway.env.REDIS_URL".to_owned()),
        ],
        value in prop_oneof![pieces(), ".{0,20}"],
        span in prop::option::of((0..3_usize, 0..600_usize, 0..600_usize)),
    ) {
        let span = span.map(|(source, start, end)| Span { source, range: start..end });
        check(REDIS_DOWN, SYSTEM, &[Set { path: path.clone(), value: value.clone(), span: span.clone() }]);
        check(ALL, SYSTEM, &[Set { path, value, span }]);
    }
}
