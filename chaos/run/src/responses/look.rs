//! Looks at a response: what stands at a place of it, and whether that passes a test.

use super::paths::{self, Paths};
use chaos_load::Response;
use chaos_model::{Text, ValueTest};
use serde_json::Value;
use serde_json_path::JsonPath;
use std::collections::BTreeMap;

/// A place in a response, ready to be looked at.
#[derive(Debug)]
pub(super) enum Place {
    Status,
    Header(String),
    /// Values that one pass over the body finds.
    OnePass(usize),
    /// Members with this text, of which one pass finds the values that are compared.
    WithText(usize, String),
    /// Nodes of the body, for which it has to be read as a whole.
    Whole(JsonPath),
}

/// The places of all tests, looked at together.
#[derive(Debug, Default)]
pub(super) struct Places {
    paths: Paths,
    reads_the_whole: bool,
}

impl Places {
    /// The place in bodies that a path leads to, for a test. The language lets through no path that can't be read.
    pub(super) fn body(&mut self, path: &str, test: &ValueTest) -> Option<Place> {
        let filtered = || paths::filtered(path).filter(|_| *test == ValueTest::Exists);
        let one_pass = paths::steps(path).and_then(|steps| self.paths.add(&steps)).map(Place::OnePass);
        let place = one_pass.or_else(|| {
            let (steps, text) = filtered()?;
            Some(Place::WithText(self.paths.add(&steps)?, text))
        });
        place.or_else(|| {
            self.reads_the_whole = true;
            JsonPath::parse(path).ok().map(Place::Whole)
        })
    }

    /// All that these places have in a response.
    pub(super) fn look<'r>(&self, response: &Response<'r>) -> Seen<'r> {
        let whole = if self.reads_the_whole { serde_json::from_slice(response.body).ok() } else { None };
        Seen { response: *response, found: self.paths.look(response.body), whole }
    }
}

/// A response that has been looked at.
pub(super) struct Seen<'r> {
    response: Response<'r>,
    found: Vec<Vec<Value>>,
    whole: Option<Value>,
}

impl Seen<'_> {
    /// Values at a place; those of a header field, which has none of its own, go into `own`.
    pub(super) fn at<'v>(&'v self, place: &Place, own: &'v mut Vec<Value>) -> Vec<&'v Value> {
        match place {
            Place::Status => own.push(Value::from(self.response.status)),
            Place::Header(name) => {
                let fields = self.response.headers.get_all(name).into_iter();
                // A folded line may begin with blanks, and what is no UTF-8 is a value too (RFC 9110, 5.5).
                own.extend(fields.map(|field| Value::from(String::from_utf8_lossy(field.as_bytes()).trim())));
            }
            Place::OnePass(at) => return self.found[*at].iter().collect(),
            Place::WithText(at, text) => {
                return self.found[*at].iter().filter(|value| *value == text.as_str()).collect();
            }
            Place::Whole(path) => return self.whole.as_ref().map(|json| path.query(json).all()).unwrap_or_default(),
        }
        own.iter().collect()
    }
}

/// True if a test holds for what a path found: for every value, and at least for one, but for `missing`.
pub(super) fn holds(test: &ValueTest, seen: &[&Value], vars: &BTreeMap<String, u64>) -> bool {
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
        other => serde_json::from_str::<Value>(&text).is_ok_and(|wanted| same(&wanted, other)),
    }
}

/// The same value: numbers however they are written, as `1`, `1.0` and `1e0`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // Whole ones exactly: beyond 2^53 a float no longer tells neighbours apart.
        (Value::Number(a), Value::Number(b)) => match (a.as_i128(), b.as_i128()) {
            (Some(a), Some(b)) => a == b,
            _ => a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a.total_cmp(&b).is_eq() || a == b),
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

/// The number that a value is, or says as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}
