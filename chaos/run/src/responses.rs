//! Checks of each response while it is in memory: partial, stale, and the body and header checks. The result is
//! a bit for each, so that bodies need not be kept.

mod markers;

use chaos_load::{Arrival, CheckResponse, Marks, Response};
use chaos_model::{Comparison, Expectation, Share, Subject, Text, ValueTest};
use markers::Markers;
use serde_json::Value;
use serde_json_path::JsonPath;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

pub(crate) const PARTIAL: u64 = 1;
pub(crate) const STALE: u64 = 2;
pub(crate) const SHARED: u64 = 4;
/// The first bit of the checks.
const CHECKS: u32 = 3;

/// True if a response was marked partial.
pub(crate) fn is_partial(marks: Marks) -> bool {
    marks.0 & PARTIAL != 0
}

/// True if a response had a stale part.
pub(crate) fn is_stale(marks: Marks) -> bool {
    marks.0 & STALE != 0
}

/// True if a response says that another request's call gave it: `collapsed` in `Cache-Status` (RFC 9211, 2.6).
pub(crate) fn is_shared(marks: Marks) -> bool {
    marks.0 & SHARED != 0
}

/// Looks at responses.
pub(crate) struct ResponseChecker {
    /// By bit.
    tests: Vec<Test>,
    /// The age of responses, by arrival; only of those that say so.
    ages: Mutex<BTreeMap<u64, Duration>>,
    /// Values that speak against a test, by test and arrival, in words; at most [`EXAMPLES`] a test.
    examples: Mutex<BTreeMap<usize, BTreeMap<u64, String>>>,
}

struct Test {
    look: Look,
    test: ValueTest,
    /// True if responses without it speak against the check, false if those with it do.
    wanted: bool,
}

/// Enough for the first one of any phase, but for the longest runs.
const EXAMPLES: usize = 10_000;

enum Look {
    Body(JsonPath),
    Header(String),
}

impl ResponseChecker {
    /// A checker for the body and header checks of `expectations`, in order. The language lets no more of them through
    /// than there are bits.
    pub(crate) fn new(expectations: &[Expectation]) -> Self {
        let checks = expectations.iter().flat_map(|expectation| &expectation.checks);
        let tests = checks.filter_map(|check| match &check.subject {
            Subject::Body { path, test, share } => {
                let look = Look::Body(JsonPath::parse(path).ok()?);
                Some(Test { look, test: test.clone(), wanted: wants(share) })
            }
            Subject::Header { name, test, share } => {
                Some(Test { look: Look::Header(name.clone()), test: test.clone(), wanted: wants(share) })
            }
            _ => None,
        });
        Self { tests: tests.collect(), ages: Mutex::default(), examples: Mutex::default() }
    }

    /// True if the `nth` body or header check held for a response.
    pub(crate) fn passed(marks: Marks, nth: usize) -> bool {
        u32::try_from(nth).is_ok_and(|nth| marks.0.checked_shr(CHECKS + nth).is_some_and(|bits| bits & 1 == 1))
    }

    /// The value that an arrival saw which speaks against the `nth` check, in words.
    pub(crate) fn saw(&self, nth: usize, arrival: u64) -> Option<String> {
        self.examples.lock().unwrap_or_else(PoisonError::into_inner).get(&nth)?.get(&arrival).cloned()
    }

    /// The age of the response to an arrival, if it told one.
    pub(crate) fn age(&self, arrival: u64) -> Option<Duration> {
        self.ages.lock().unwrap_or_else(PoisonError::into_inner).get(&arrival).copied()
    }

    fn note(&self, nth: usize, arrival: &Arrival, seen: &[&Value]) {
        let mut examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        let examples = examples.entry(nth).or_default();
        if examples.len() >= EXAMPLES {
            return;
        }
        let seen = match seen {
            [] => "nothing there".to_owned(),
            [value] => shorten(&value.to_string()),
            [value, rest @ ..] => format!("{} and {} more", shorten(&value.to_string()), rest.len()),
        };
        examples.insert(arrival.n, seen);
    }
}

fn wants(share: &Comparison<Share>) -> bool {
    share.wants_more() || share.holds(&Share::ALL)
}

fn shorten(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain("…".chars()).collect() }
}

impl CheckResponse for ResponseChecker {
    fn check(&self, arrival: &Arrival, response: &Response<'_>) -> Marks {
        let mut marks = if shared(response.headers) { SHARED } else { 0 };
        let markers = Markers::read(response.body);
        marks |= if markers.partial { PARTIAL } else { 0 };
        marks |= if markers.stale { STALE } else { 0 };
        if let Some(age) = age(response.headers, markers.age) {
            self.ages.lock().unwrap_or_else(PoisonError::into_inner).insert(arrival.n, age);
        }
        // Parsed in full only where a check looks inside: most bodies are told apart by the pass for markers alone.
        let looks_inside = self.tests.iter().any(|test| matches!(test.look, Look::Body(_)));
        let json = if looks_inside { serde_json::from_slice::<Value>(response.body).ok() } else { None };
        for (nth, Test { look, test, wanted }) in self.tests.iter().enumerate() {
            let header;
            let seen: Vec<&Value> = match look {
                Look::Body(path) => json.as_ref().map(|json| path.query(json).all()).unwrap_or_default(),
                Look::Header(name) => {
                    let value = response.headers.get(name).and_then(|value| value.to_str().ok());
                    header = value.map(|value| Value::String(value.to_owned()));
                    header.iter().collect()
                }
            };
            let passed = holds(test, &seen, &arrival.vars);
            if passed {
                marks |= 1_u64.checked_shl(CHECKS + u32::try_from(nth).unwrap_or(u32::MAX - CHECKS)).unwrap_or(0);
            }
            if passed != *wanted {
                self.note(nth, arrival, &seen);
            }
        }
        Marks(marks)
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
