//! Looks at a response: what stands at a place of it.

use super::{
    coding::Body,
    found::Found,
    paths::{self, Paths},
};
use chaos_load::Response;
use chaos_model::ValueTest;
use http::HeaderValue;
use serde_json::{Value, value::RawValue};
use serde_json_path::{JsonPath, NormalizedPath, PathElement};
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
        let place = self.in_one_pass(path).or_else(|| {
            let (steps, text) = filtered()?;
            Some(Place::WithText(self.paths.add(&steps)?, text))
        });
        place.or_else(|| self.in_the_whole(path))
    }

    /// The place in bodies that a path leads to, for its values.
    pub(super) fn value(&mut self, path: &str) -> Option<Place> {
        self.in_one_pass(path).or_else(|| self.in_the_whole(path))
    }

    fn in_one_pass(&mut self, path: &str) -> Option<Place> {
        paths::steps(path).and_then(|steps| self.paths.add(&steps)).map(Place::OnePass)
    }

    fn in_the_whole(&mut self, path: &str) -> Option<Place> {
        self.reads_the_whole = true;
        JsonPath::parse(path).ok().map(Place::Whole)
    }

    /// True if a place is in a body.
    pub(super) fn look_into_bodies(&self) -> bool {
        self.reads_the_whole || !self.paths.is_empty()
    }

    /// All that these places have in a response, whose body is this as far as it could be read.
    pub(super) fn look<'r>(&self, response: &Response<'r>, body: &'r Body<'_>) -> Seen<'r> {
        let Response { status, headers, .. } = *response;
        let nothing = |why| Seen { status, headers, found: None, whole: None, why };
        let json = match body {
            Body::Read(body) => body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body),
            Body::Wrong(why) => return nothing(Why::Wrong(why.clone())),
            Body::Unknown(why) => return nothing(Why::Unknown(why.clone())),
        };
        let whole = if self.reads_the_whole { whole(json) } else { None };
        let found = self.paths.look(json);
        let is_json = found.is_some() && (whole.is_some() || !self.reads_the_whole);
        let why = if is_json { Why::None } else { Why::Wrong(no_json(json)) };
        Seen { status, headers, found, whole, why }
    }
}

/// U+FEFF in UTF-8, which may stand before JSON and says nothing (RFC 8259, 8.1).
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

fn whole(json: &[u8]) -> Option<(Value, &RawValue)> {
    Some((serde_json::from_slice(json).ok()?, serde_json::from_slice(json).ok()?))
}

/// The beginning of a body that is no JSON, in words.
fn no_json(body: &[u8]) -> String {
    const BEGINNING: usize = 24;
    if body.is_empty() {
        return "an empty body".to_owned();
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * BEGINNING)]);
    let beginning: String = text.chars().take(BEGINNING).collect();
    let more = if text.chars().count() > BEGINNING { "…" } else { "" };
    format!("no JSON: {beginning:?}{more}")
}

/// The reason why a body has nothing at any place.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// It is JSON, which may have nothing there.
    None,
    /// It is none, in words.
    Wrong(String),
    /// It was not read, so that it can't be said what it has.
    Unknown(String),
}

/// A response that has been looked at.
pub(super) struct Seen<'r> {
    status: u16,
    headers: &'r http::HeaderMap,
    /// By path; none where the body could not be read.
    found: Option<Vec<Vec<&'r RawValue>>>,
    whole: Option<(Value, &'r RawValue)>,
    why: Why,
}

impl Seen<'_> {
    /// Values at a place.
    pub(super) fn at(&self, place: &Place) -> Vec<Found<'_>> {
        let found = |at: usize| self.found.iter().flat_map(move |found| &found[at]).map(|raw| Found::Json(raw));
        match place {
            Place::Status => vec![Found::Text(self.status.to_string().into())],
            Place::Header(name) => {
                let fields = self.headers.get_all(name).into_iter();
                // A folded line may begin with blanks, and what is no UTF-8 is a value too (RFC 9110, 5.5).
                let text = |field: &HeaderValue| String::from_utf8_lossy(field.as_bytes()).trim().to_owned();
                fields.map(|field| Found::Text(text(field).into())).collect()
            }
            Place::OnePass(at) => found(*at).collect(),
            Place::WithText(at, text) => {
                found(*at).filter(|value| value.text().is_some_and(|seen| seen == text.as_str())).collect()
            }
            Place::Whole(path) => {
                let Some((json, raw)) = &self.whole else { return Vec::new() };
                let located = path.query_located(json);
                located.into_iter().filter_map(|node| as_written(raw, node.location())).map(Found::Json).collect()
            }
        }
    }

    /// The reason why it can't be said what stands at a place.
    pub(super) fn unknown(&self, place: &Place) -> Option<&str> {
        match (&self.why, place) {
            (_, Place::Status | Place::Header(_)) => None,
            (Why::Unknown(why), _) => Some(why),
            _ => None,
        }
    }

    /// The body in words, where it is no JSON and so has nothing at a place.
    pub(super) fn wrong(&self, place: &Place) -> Option<&str> {
        match (&self.why, place) {
            (_, Place::Status | Place::Header(_)) => None,
            (Why::Wrong(why), _) => Some(why),
            _ => None,
        }
    }
}

/// The JSON at a location, as it came: a parsed number has lost digits.
fn as_written<'r>(root: &'r RawValue, location: &NormalizedPath<'_>) -> Option<&'r RawValue> {
    location.iter().try_fold(root, |at, step| match step {
        PathElement::Name(name) => {
            serde_json::from_str::<BTreeMap<String, &RawValue>>(at.get()).ok()?.get(*name).copied()
        }
        PathElement::Index(index) => serde_json::from_str::<Vec<&RawValue>>(at.get()).ok()?.get(*index).copied(),
    })
}
