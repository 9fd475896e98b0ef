//! Checks of each response while it is in memory: partial, stale, and the body and header checks. The result is
//! a bit for each, so that bodies need not be kept.

mod markers;

use chaos_load::{Arrival, CheckResponse, Marks, Response};
use chaos_model::{
    Expectation, Text, ValueTest,
    check::{CheckId, Part, ResponseTest},
};
use markers::Markers;
use serde_json::Value;
use serde_json_path::JsonPath;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

pub(crate) const PARTIAL: u64 = 1;
pub(crate) const STALE: u64 = 2;
pub(crate) const SHARED: u64 = 4;
/// The first bit of the checks.
const CHECKS: u32 = 3;

/// True if a response was marked partial.
pub(crate) fn is_partial(marks: &Marks) -> bool {
    marks.bits & PARTIAL != 0
}

/// True if a response had a stale part.
pub(crate) fn is_stale(marks: &Marks) -> bool {
    marks.bits & STALE != 0
}

/// True if a response says that another request's call gave it: `collapsed` in `Cache-Status` (RFC 9211, 2.6).
pub(crate) fn is_shared(marks: &Marks) -> bool {
    marks.bits & SHARED != 0
}

/// Looks at responses.
pub(crate) struct ResponseChecker {
    /// By bit.
    tests: Vec<Test>,
}

struct Test {
    id: CheckId,
    look: Look,
    test: ValueTest,
    /// True if responses without it speak against the check, false if those with it do.
    wanted: bool,
    /// Values that speak against it and were noted, in number.
    noted: AtomicUsize,
}

/// Values that are noted of each test: enough for the first one of any phase, but for the longest runs.
const NOTES: usize = 10_000;

enum Look {
    Body(JsonPath),
    Header(String),
}

impl ResponseChecker {
    /// A checker for the body and header checks of `expectations`. The language lets no more of them through than there
    /// are bits.
    pub(crate) fn new(expectations: &[Expectation]) -> Self {
        let checks = expectations.iter().flat_map(|expectation| &expectation.checks);
        let tests = checks.filter_map(|check| {
            let ResponseTest { part, test, wanted } = check.subject.test()?;
            let look = match part {
                Part::Body(path) => Look::Body(JsonPath::parse(path).ok()?),
                Part::Header(name) => Look::Header(name.to_owned()),
            };
            Some(Test { id: check.id, look, test: test.clone(), wanted, noted: AtomicUsize::new(0) })
        });
        Self { tests: tests.collect() }
    }

    /// The bit of a check's test among the marks of a response.
    pub(crate) fn bit(&self, id: CheckId) -> Option<u32> {
        let nth = self.tests.iter().position(|test| test.id == id)?;
        Some(CHECKS + u32::try_from(nth).ok()?)
    }
}

impl Test {
    /// Values in words, unless so many were noted that more say nothing new.
    fn note(&self, seen: &[&Value]) -> Option<String> {
        (self.noted.fetch_add(1, Ordering::Relaxed) < NOTES).then(|| match seen {
            [] => "nothing there".to_owned(),
            [value] => shorten(&value.to_string()),
            [value, rest @ ..] => format!("{} and {} more", shorten(&value.to_string()), rest.len()),
        })
    }
}

fn shorten(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain("…".chars()).collect() }
}

impl CheckResponse for ResponseChecker {
    fn check(&self, arrival: &Arrival, response: &Response<'_>) -> Marks {
        let mut marks = Marks { bits: if shared(response.headers) { SHARED } else { 0 }, ..Marks::default() };
        let markers = Markers::read(response.body);
        marks.bits |= if markers.partial { PARTIAL } else { 0 };
        marks.bits |= if markers.stale { STALE } else { 0 };
        marks.age = age(response.headers, markers.age);
        // Parsed in full only where a check looks inside: most bodies are told apart by the pass for markers alone.
        let looks_inside = self.tests.iter().any(|test| matches!(test.look, Look::Body(_)));
        let json = if looks_inside { serde_json::from_slice::<Value>(response.body).ok() } else { None };
        for (bit, test) in (CHECKS..).zip(&self.tests) {
            let header;
            let seen: Vec<&Value> = match &test.look {
                Look::Body(path) => json.as_ref().map(|json| path.query(json).all()).unwrap_or_default(),
                Look::Header(name) => {
                    let value = response.headers.get(name).and_then(|value| value.to_str().ok());
                    header = value.map(|value| Value::String(value.to_owned()));
                    header.iter().collect()
                }
            };
            let passed = holds(&test.test, &seen, &arrival.vars);
            if passed {
                marks.bits |= 1_u64.checked_shl(bit).unwrap_or(0);
            }
            if passed != test.wanted {
                marks.notes.extend(test.note(&seen).map(|saw| (bit, saw)));
            }
        }
        marks
    }
}

/// True if a cache on the way says that it made no request of its own for this response.
fn shared(headers: &http::HeaderMap) -> bool {
    let fields = headers.get_all("cache-status").into_iter().filter_map(|field| field.to_str().ok());
    // A list of caches, each with its parameters. Quoted strings may hold separators, and no parameter's name.
    let parameters = fields.flat_map(|field| field.split([',', ';'])).map(str::trim);
    parameters.into_iter().any(|parameter| parameter == "collapsed" || parameter == "collapsed=?1")
}

/// The age of a response: by its `Age` (RFC 9111), or by its oldest part where that is older.
fn age(headers: &http::HeaderMap, of_parts: Option<Duration>) -> Option<Duration> {
    let header = headers.get(http::header::AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok());
    of_parts.max(header.map(Duration::from_secs))
}

/// True if a test holds for what a path found: for every value, and at least for one, but for `missing`.
fn holds(test: &ValueTest, seen: &[&Value], vars: &BTreeMap<String, u64>) -> bool {
    let there = seen.iter().any(|value| !value.is_null());
    let all = |test: &dyn Fn(&Value) -> bool| !seen.is_empty() && seen.iter().all(|value| test(value));
    match test {
        ValueTest::Exists => there,
        ValueTest::Missing => !there,
        ValueTest::Equal(text) => all(&|value| equal(value, text, vars)),
        ValueTest::Different(text) => all(&|value| !equal(value, text, vars)),
        ValueTest::Number(bound) => all(&|value| number(value).is_some_and(|number| bound.holds(&number))),
    }
}

/// Equal as JSON, or as text: a header knows only strings, and ids are strings here and numbers there.
fn equal(value: &Value, text: &Text, vars: &BTreeMap<String, u64>) -> bool {
    let text = text.render(vars);
    match value {
        Value::String(string) => *string == text || serde_json::from_str::<String>(&text).is_ok_and(|t| t == *string),
        other => serde_json::from_str::<Value>(&text).is_ok_and(|wanted| wanted == *other),
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}
