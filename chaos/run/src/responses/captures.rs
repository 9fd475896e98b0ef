//! Captures: values that later steps of a journey take from a response.

use super::{
    NOTHING_THERE,
    coding::Body,
    found::Found,
    look::{Place, Places, Seen},
};
use chaos_load::Response;
use chaos_model::{
    Load, Value, Values,
    load::{Capture, CaptureFrom},
};
use http::header::SET_COOKIE;
use regex::Regex;

/// The captures of a load.
pub(super) struct Captures {
    /// By request.
    of: Vec<Vec<Wanted>>,
}

/// A value to be captured.
struct Wanted {
    name: String,
    from: Source,
    pattern: Option<Regex>,
    /// The place as written.
    written: String,
}

enum Source {
    Place(Place),
    Cookie(String),
    Body,
}

/// The reason why a value could not be captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uncaptured {
    /// In words.
    pub(super) why: String,
    /// True where the response may well have it, and could not be read.
    pub(super) is_unknown: bool,
}

impl Captures {
    /// Those of a load. The language lets through no path and no pattern that can't be read.
    pub(super) fn new(load: &Load, places: &mut Places) -> Self {
        let mut wanted = |capture: &Capture| {
            let from = match &capture.from {
                CaptureFrom::Json(path) => Source::Place(places.value(path)?),
                CaptureFrom::Header(name) => Source::Place(Place::Header(name.clone())),
                CaptureFrom::Cookie(name) => Source::Cookie(name.clone()),
                CaptureFrom::Body => Source::Body,
            };
            let pattern = capture.pattern.as_deref().and_then(|pattern| Regex::new(pattern).ok());
            Some(Wanted { name: capture.name.clone(), from, pattern, written: capture.to_string() })
        };
        let of = load.requests.iter().map(|request| request.step.captures.iter().filter_map(&mut wanted).collect());
        Self { of: of.collect() }
    }

    /// True if the text of the response to a request is looked into.
    pub(super) fn read_text(&self, request: usize) -> bool {
        self.of(request).iter().any(|wanted| matches!(wanted.from, Source::Body))
    }

    /// All values that are captured from the response to a request.
    pub(super) fn take(
        &self,
        request: usize,
        response: &Response<'_>,
        (seen, body): (&Seen<'_>, &Body<'_>),
    ) -> Result<Values, Uncaptured> {
        let one = |wanted: &Wanted| match wanted.find(response, (seen, body)) {
            Ok(value) => Ok((wanted.name.clone(), value)),
            Err((is_unknown, why)) => {
                let Wanted { name, written, .. } = wanted;
                Err(Uncaptured { why: format!("`{name}` could not be captured by `{written}`: {why}"), is_unknown })
            }
        };
        self.of(request).iter().map(one).collect()
    }

    fn of(&self, request: usize) -> &[Wanted] {
        self.of.get(request).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Wanted {
    /// The value, or whether that is not known, and why there is none.
    fn find(&self, response: &Response<'_>, (seen, body): (&Seen<'_>, &Body<'_>)) -> Result<Value, (bool, String)> {
        let value = match &self.from {
            Source::Place(place) => {
                if let Some(why) = seen.unknown(place) {
                    return Err((true, why.to_owned()));
                }
                let found = seen.at(place);
                let none = || (false, seen.wrong(place).unwrap_or(NOTHING_THERE).to_owned());
                value(found.first().ok_or_else(none)?).ok_or((false, "null".to_owned()))?
            }
            Source::Cookie(name) => {
                cookie(response.headers, name).ok_or((false, "no such cookie is set".to_owned()))?
            }
            Source::Body => match body {
                Body::Read(text) => Value::Text(String::from_utf8_lossy(text).into()),
                Body::Wrong(why) => return Err((false, why.clone())),
                Body::Unknown(why) => return Err((true, why.clone())),
            },
        };
        let Some(pattern) = &self.pattern else { return Ok(value) };
        let text = value.to_string();
        let found = pattern.captures(&text).ok_or((false, "nothing is like that".to_owned()))?;
        let part = found.get(1).or_else(|| found.get(0)).map_or("", |part| part.as_str());
        Ok(Value::Text(part.into()))
    }
}

/// The value that was found, of its type; none of null.
fn value(found: &Found<'_>) -> Option<Value> {
    if let Some(text) = found.text() {
        return Some(Value::Text(text.into()));
    }
    let Found::Json(raw) = found else { return None };
    match raw.get() {
        "null" => None,
        json => Some(json.parse().map_or_else(|_| Value::Json(json.into()), Value::Number)),
    }
}

/// The value of a cookie that a response sets (RFC 6265, 5.2); the last where it is set twice.
fn cookie(headers: &http::HeaderMap, name: &str) -> Option<Value> {
    let fields = headers.get_all(SET_COOKIE).into_iter().filter_map(|field| field.to_str().ok());
    let mut values = fields.filter_map(|field| {
        let (this, value) = field.split(';').next()?.split_once('=')?;
        (this.trim() == name).then(|| value.trim())
    });
    values.next_back().map(|value| Value::Text(value.into()))
}
