mod bodies;
mod captures;

use super::*;
use chaos_model::{language::load, slice::OTHER_INSTANCES};
use http::{HeaderMap, HeaderValue};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    time::Duration,
};

/// A checker for these lines of `[responses]`, and for one check.
fn checker(responses: &str, check: &str) -> ResponseChecker {
    let text = format!(
        "title = \"it\"\nentry = \"web\"\nservice.web.program = \"gateway\"\n[responses]\n{responses}\n[load]\nrequest = \
         \"GET /\"\nrate = \"50/s\"\nduration = \"8s\"\n[[expect]]\nthat = \"it\"\nduring = \"run\"\n{check}\n"
    );
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.clone()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let scenario =
        load(Path::new("it.toml"), &[], &read).unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 120)));
    ResponseChecker::new(&scenario)
}

fn marks(checker: &ResponseChecker, status: u16, headers: &[(&'static str, &str)], body: &str) -> Marks {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let arrival = Arrival { n: 0, step: 0, request: 0, intended: Duration::ZERO, vars: BTreeMap::new() };
    checker.check(&arrival, &Response { status, headers: &map, latency: Duration::ZERO, body: Some(body.as_bytes()) })
}

const STATUS: &str = "status.200 = \">= 99%\"";

/// Bits of the markers.
fn bits(responses: &str, status: u16, headers: &[(&'static str, &str)], body: &str) -> u64 {
    marks(&checker(responses, STATUS), status, headers, body).bits
}

#[test]
fn good_is_below_500_unless_it_is_said() {
    assert_eq!((bits("", 499, &[], ""), bits("", 500, &[], "")), (0, FAILED));
    let redirects = "good.status = \"200..299\"";
    assert_eq!((bits(redirects, 204, &[], ""), bits(redirects, 302, &[], "")), (0, FAILED));
    // Any of several lines: a GraphQL server says 200 whatever happens, and a health page means its 503.
    let any = "good.body.\"$.errors\" = \"missing\"\ngood.header.x-expected = \"== yes\"";
    assert_eq!(bits(any, 200, &[], r#"{"errors": [1]}"#), FAILED);
    assert_eq!(bits(any, 200, &[], r#"{"data": 1}"#), 0);
    assert_eq!(bits(any, 503, &[("x-expected", "yes")], r#"{"errors": [1]}"#), 0);
    let one = "good.status = \"== 418\"";
    assert_eq!((bits(one, 418, &[], ""), bits(one, 200, &[], "")), (0, FAILED));
    let other = "good.status = \"!= 429\"";
    assert_eq!((bits(other, 500, &[], ""), bits(other, 429, &[], "")), (0, FAILED));
}

#[test]
fn nothing_is_partial_or_stale_or_old_unless_the_system_says_by_what() {
    let body = r#"{"partial": true, "meta": {"parts": {"user": {"state": "stale", "age_ms": 7}}}}"#;
    let seen = marks(&checker("", STATUS), 206, &[("age", "7"), ("x-cache", "STALE")], body);
    assert_eq!((seen.bits, seen.age), (0, None));
}

#[test]
fn markers_are_those_of_the_system() {
    let partial = "partial.status = \"== 206\"\npartial.header.x-partial = \"== true\"\npartial.body.\"$.degraded[0]\" = \
                   \"exists\"";
    for (status, headers, body, is) in [
        (206, &[][..], "", PARTIAL),
        (200, &[("x-partial", "true")], "no JSON", PARTIAL),
        (200, &[], r#"{"degraded": ["prices"]}"#, PARTIAL),
        (200, &[("x-partial", "false")], r#"{"degraded": []}"#, 0),
    ] {
        assert_eq!(bits(partial, status, headers, body), is, "{status} {headers:?} {body}");
    }
    let stale =
        "stale.header.cache-status = \"== edge; fwd=stale\"\nstale.body.\"$.items[?@.old == true]\" = \"exists\"";
    assert_eq!(bits(stale, 200, &[("cache-status", "edge; fwd=stale")], ""), STALE);
    assert_eq!(bits(stale, 200, &[], r#"{"items": [{"old": false}, {"old": true}]}"#), STALE);
    assert_eq!(bits(stale, 200, &[("cache-status", "edge; hit")], r#"{"items": [{"old": false}]}"#), 0);
}

#[test]
fn the_oldest_part_counts_in_its_unit() {
    let age = |responses: &str, headers: &[(&'static str, &str)], body: &str| {
        marks(&checker(responses, STATUS), 200, headers, body).age
    };
    let ms = |ms| Some(Duration::from_millis(ms));
    let both = "age.header = \"age\"\nage.body = \"$.parts.*.age\"\nage.unit = \"ms\"";
    assert_eq!(age(both, &[("age", "2")], r#"{"parts": [{"age": 1999}, {"age": "2500"}]}"#), ms(2500));
    assert_eq!(age(both, &[("age", "3")], r#"{"parts": {"a": {"age": 2500.5}}}"#), ms(3000));
    assert_eq!(age(both, &[("age", "soon")], r#"{"parts": {"a": {"age": -3}, "b": {"age": null}}}"#), None);
    assert_eq!(
        age("age.header = \"x-age-us\"\nage.unit = \"us\"", &[("x-age-us", "1500")], ""),
        Some(Duration::from_micros(1500))
    );
    assert_eq!(age("age.body = \"$.seconds\"", &[], r#"{"seconds": 1e1}"#), ms(10_000));
}

#[test]
fn a_field_that_comes_several_times_is_looked_at_whole() {
    let checker = checker("", "header.x-cache = \"== fresh\"");
    let passes = |headers: &[(&'static str, &str)]| marks(&checker, 200, headers, "").bits & (1 << CHECKS) != 0;
    assert!(passes(&[("x-cache", "fresh"), ("x-cache", "fresh")]));
    assert!(!passes(&[("x-cache", "fresh"), ("x-cache", "stale")]));
    assert!(!passes(&[]));
    assert!(passes(&[("x-cache", "  fresh")]), "as a folded line leaves it");
    // Of a marker one line is enough to say it, whichever comes first, and all have to for a response to be good.
    let stale = "stale.header.x-cache = \"== stale\"\ngood.header.x-ok = \"== yes\"";
    let lines = |values: [&'static str; 2], ok: [&'static str; 2]| {
        bits(stale, 200, &[("x-cache", values[0]), ("x-cache", values[1]), ("x-ok", ok[0]), ("x-ok", ok[1])], "")
    };
    assert_eq!(lines(["fresh", "stale"], ["yes", "yes"]), STALE);
    assert_eq!(lines(["stale", "fresh"], ["yes", "no"]), STALE | FAILED);
    assert_eq!(lines(["fresh", "hit"], ["yes", "yes"]), 0);
}

#[test]
fn an_instance_is_named_by_its_header() {
    let checker = checker("instance.header = \"X-Served-By\"", STATUS);
    let instance = |value: &str| marks(&checker, 200, &[("x-served-by", value)], "").instance;
    assert_eq!(instance("web-1").as_deref(), Some("web-1"));
    assert_eq!(instance("token=abc,web-2").as_deref(), Some("token=***,web-2"));
    assert_eq!(marks(&checker, 200, &[], "").instance, None);
    assert_eq!(instance(&"x".repeat(101)).as_deref(), Some(OTHER_INSTANCES));
    // A number for each request is no instance, and takes no memory for ever.
    let named = (0..1000).filter_map(|n| instance(&format!("request-{n}"))).collect::<BTreeSet<_>>();
    assert_eq!((named.len(), instance("web-1").as_deref()), (62, Some("web-1")));
    assert_eq!(instance("request-1000").as_deref(), Some(OTHER_INSTANCES));
}
