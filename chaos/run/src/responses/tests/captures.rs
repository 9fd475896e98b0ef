//! Tests of what is captured from responses.

use super::*;
use chaos_model::{Value, Values};

/// A checker for a journey that captures these from its first step.
fn capturing(captures: &str) -> ResponseChecker {
    let names = captures.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key.replace("capture.", ""));
    let path: String = names.map(|name| format!("/{{{name}}}")).collect();
    let text = format!(
        "title = \"it\"\nentry = \"web\"\nservice.web.program = \"gateway\"\n[load]\nrate = \"50/s\"\nduration = \
         \"8s\"\n[[load.journey]]\n[[load.journey.step]]\nrequest = \"POST /login\"\n{captures}\n[[load.journey.step]]\n\
         request = \"GET {path}\"\n[[expect]]\nthat = \"it\"\nduring = \"run\"\n{STATUS}\n"
    );
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.clone()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let scenario =
        load(Path::new("it.toml"), &[], &read).unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 120)));
    ResponseChecker::new(&scenario)
}

fn captured(captures: &str, headers: &[(&'static str, &str)], body: &str) -> Values {
    let marks = marks(&capturing(captures), 200, headers, body);
    assert_eq!((marks.failed, marks.uncaptured.as_deref(), marks.bits & FAILED), (false, None, 0), "{captures}");
    marks.captured
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn json_keeps_its_type() {
    let of = |path: &str, body: &str| captured(&format!("capture.it = \"{path}\""), &[], body)["it"].clone();
    assert_eq!(of("$.id", r#"{"id": 17}"#), Value::Number(17));
    assert_eq!(of("$.id", r#"{"id": "17"}"#), text("17"));
    assert_eq!(of("$.id", r#"{"id": "a\"b"}"#), text("a\"b"));
    assert_eq!(of("$.id", r#"{"id": -1.50}"#), Value::Json("-1.50".into()));
    assert_eq!(of("$.it", r#"{"it": {"a": [1]}}"#), Value::Json(r#"{"a": [1]}"#.into()));
    assert_eq!(of("$.all[-1:].id", r#"{"all": [{"id": 1}, {"id": 2}]}"#), Value::Number(2), "a path of the whole body");
    assert_eq!(of("$.all.*.id", r#"{"all": [{"id": 1}, {"id": 2}]}"#), Value::Number(1), "the first of several");
}

#[test]
fn headers_cookies_and_texts_are_captured() {
    let headers =
        [("location", "/orders/17?x=1"), ("set-cookie", "a=1; Path=/"), ("set-cookie", "session=s%3D1; HttpOnly")];
    let of = |from: &str| captured(&format!("capture.it = '{from}'"), &headers, "the id=42, and id=43")["it"].clone();
    assert_eq!(of("header Location"), text("/orders/17?x=1"));
    assert_eq!(of("header location regex /orders/([0-9]+)"), text("17"));
    assert_eq!(of("cookie session"), text("s%3D1"));
    assert_eq!(of("cookie a"), text("1"));
    assert_eq!(of("regex id=([0-9]+)"), text("42"));
    assert_eq!(of("regex id=[0-9]+"), text("id=42"), "without a group, all of it");
    let both = captured("capture.id = '$.id'\ncapture.etag = 'header etag'", &[("etag", "x")], r#"{"id": 1}"#);
    assert_eq!(both, Values::from([("id".to_owned(), Value::Number(1)), ("etag".to_owned(), text("x"))]));
}

#[test]
fn a_response_without_it_has_failed_and_says_why() {
    let of = |from: &str, body: &str| {
        let marks = marks(&capturing(&format!("capture.it = '{from}'")), 200, &[], body);
        assert!(marks.failed && marks.captured.is_empty() && marks.bits & FAILED != 0, "{from}");
        marks.uncaptured.unwrap().to_string()
    };
    assert_eq!(of("$.token", r#"{"user": 7}"#), "`it` could not be captured by `$.token`: nothing there");
    assert_eq!(of("$.token", r#"{"token": null}"#), "`it` could not be captured by `$.token`: null");
    assert_eq!(of("$.token", "oops"), "`it` could not be captured by `$.token`: no JSON: \"oops\"");
    assert_eq!(of("header location", ""), "`it` could not be captured by `header location`: nothing there");
    assert_eq!(of("cookie sid", ""), "`it` could not be captured by `cookie sid`: no such cookie is set");
    assert_eq!(of("regex id=(.)", "idle"), "`it` could not be captured by `regex id=(.)`: nothing is like that");
}

#[test]
fn a_response_that_failed_anyway_is_not_looked_into() {
    let marks = marks(&capturing("capture.it = '$.token'"), 503, &[], "");
    assert_eq!((marks.failed, marks.uncaptured), (true, None));
}

#[test]
fn what_could_not_be_read_ends_the_journey_and_is_no_failure_for_sure() {
    let checker = capturing("capture.it = '$.token'");
    let mut headers = HeaderMap::new();
    headers.insert("content-encoding", HeaderValue::from_static("compress"));
    let arrival = Arrival { n: 0, step: 0, request: 0, intended: Duration::ZERO, vars: BTreeMap::new() };
    let response = Response { status: 200, headers: &headers, latency: Duration::ZERO, body: Some(b"x") };
    let marks = checker.check(&arrival, &response);
    assert!(marks.failed && marks.bits & FAILED == 0 && marks.unknown & FAILED != 0, "{marks:?}");
}
