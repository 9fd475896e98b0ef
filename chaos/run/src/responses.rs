//! Checks of each response while it is in memory: the markers that the system declares, and the body and header checks. The result is
//! a bit for each, so that bodies need not be kept.

mod captures;
mod coding;
mod decimal;
mod excerpt;
mod found;
mod instances;
mod look;
mod markers;
mod paths;
#[cfg(test)]
mod tests;

use captures::{Captures, Uncaptured};
use chaos_load::{Arrival, CheckResponse, Marks, Outcome, Response};
use chaos_model::{
    RequestId, Scenario, ValueTest, Values,
    check::{CheckId, Part, ResponseTest},
};
use coding::Body;
use excerpt::Excerpts;
use found::{Found, holds};
use instances::Instances;
use look::{Place, Places, Seen};
use markers::Markers;
pub(crate) use markers::Unseen;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::UnboundedSender;

pub(crate) const PARTIAL: u64 = 1;
pub(crate) const STALE: u64 = 2;
pub(crate) const SHARED: u64 = 4;
pub(crate) const FAILED: u64 = 8;
/// Among what is unknown of a response: its age. No body says what [`SHARED`] does, so its bit is free there.
pub(crate) const AGE: u64 = SHARED;
/// The first bit of the checks.
const CHECKS: u32 = 4;

/// The note of a response that has no value where one is tested.
pub(crate) const NOTHING_THERE: &str = "nothing there";

/// True for an outcome with a good response.
pub(crate) fn is_good(outcome: &Outcome) -> bool {
    outcome.result.is_ok() && outcome.marks.bits & FAILED == 0
}

/// True for an outcome with a bad response: it failed, was partial or stale.
pub(crate) fn is_bad(outcome: &Outcome) -> bool {
    !is_good(outcome) || is_partial(&outcome.marks) || is_stale(&outcome.marks)
}

/// True if a response was marked partial.
pub(crate) fn is_partial(marks: &Marks) -> bool {
    marks.bits & PARTIAL != 0
}

/// True if a response was marked stale.
pub(crate) fn is_stale(marks: &Marks) -> bool {
    marks.bits & STALE != 0
}

/// True if a response says that another request's call gave it: `collapsed` in `Cache-Status` (RFC 9211, 2.6).
pub(crate) fn is_shared(marks: &Marks) -> bool {
    marks.bits & SHARED != 0
}

/// A response of the load, as a client had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The place of its request among those of the load.
    pub request: usize,
    /// The values of the load's variables.
    pub vars: Values,
    /// The response's status.
    pub status: u16,
    /// The body, decoded; empty where it could not be read.
    pub body: Vec<u8>,
}

/// Looks at responses.
pub(crate) struct ResponseChecker {
    places: Places,
    markers: Markers,
    instances: Instances,
    excerpts: Excerpts,
    captures: Captures,
    /// By bit.
    tests: Vec<Test>,
    /// Hears each response.
    listener: Option<UnboundedSender<Heard>>,
}

struct Test {
    id: CheckId,
    place: Place,
    test: ValueTest,
    /// True if responses without it speak against the check, false if those with it do.
    wanted: bool,
    /// Values that speak against it and were noted, in number.
    noted: AtomicUsize,
}

/// Values that are noted of each test: enough for the first one of any phase, but for the longest runs.
const NOTES: usize = 10_000;

impl ResponseChecker {
    /// A checker for the markers of a scenario's system, and for its body and header checks. The language lets no more
    /// of them through than there are bits.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut places = Places::default();
        let markers = Markers::new(&scenario.system.responses, &mut places);
        let checks = scenario.expectations.iter().flat_map(|expectation| &expectation.checks);
        let tests = checks.filter_map(|check| {
            let ResponseTest { part, test, wanted } = check.subject.test()?;
            let place = match part {
                Part::Body(path) => places.body(path, test)?,
                Part::Header(name) => Place::Header(name.to_owned()),
            };
            Some(Test { id: check.id, place, test: test.clone(), wanted, noted: AtomicUsize::new(0) })
        });
        let tests: Vec<Test> = tests.collect();
        let captures = Captures::new(&scenario.load, &mut places);
        let instances = Instances::new(scenario.system.responses.instance.clone());
        let excerpts = Excerpts::new(scenario, |id| bit(&tests, id));
        Self { places, markers, instances, excerpts, captures, tests, listener: None }
    }

    /// The same, which tells each response to this listener.
    pub(crate) fn told_to(self, listener: Option<UnboundedSender<Heard>>) -> Self {
        Self { listener, ..self }
    }

    /// Markers that no response had anything of so far.
    pub(crate) fn unseen(&self) -> Unseen {
        self.markers.unseen()
    }

    /// The bit of a check's test among the marks of a response.
    pub(crate) fn bit(&self, id: CheckId) -> Option<u32> {
        bit(&self.tests, id)
    }
}

impl ResponseChecker {
    /// Takes what later steps of its journey need from a response. One that lacks it has failed, as far as it could be read.
    fn capture(&self, request: usize, response: &Response<'_>, read: (&Seen<'_>, &Body<'_>), marks: &mut Marks) {
        match self.captures.take(request, response, read) {
            Ok(captured) => marks.captured = captured,
            Err(Uncaptured { why, is_unknown }) => {
                marks.failed = true;
                marks.uncaptured = Some(why.into());
                *(if is_unknown { &mut marks.unknown } else { &mut marks.bits }) |= FAILED;
            }
        }
    }
}

fn bit(tests: &[Test], id: CheckId) -> Option<u32> {
    let nth = tests.iter().position(|test| test.id == id)?;
    Some(CHECKS + u32::try_from(nth).ok()?)
}

impl Test {
    /// A note of what was seen, in words, unless so many were noted that more say nothing new.
    fn note(&self, seen: impl FnOnce() -> String) -> Option<String> {
        (self.noted.fetch_add(1, Ordering::Relaxed) < NOTES).then(seen)
    }
}

fn in_words(seen: &[Found<'_>], wrong: Option<&str>) -> String {
    match seen {
        [] => wrong.unwrap_or(NOTHING_THERE).to_owned(),
        [value] => shorten(&value.words()),
        [value, rest @ ..] => format!("{} and {} more", shorten(&value.words()), rest.len()),
    }
}

fn shorten(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain("…".chars()).collect() }
}

impl CheckResponse for ResponseChecker {
    fn check(&self, arrival: &Arrival, response: &Response<'_>) -> Marks {
        let is_looked_into = self.places.look_into_bodies();
        if let Some(listener) = &self.listener {
            // Nobody listens any more: nothing is lost.
            let _ = listener.send(heard(arrival, response));
        }
        let is_read = is_looked_into || self.captures.read_text(arrival.request);
        let body = if is_read { Body::of(response) } else { Body::default() };
        let seen = self.places.look(response, &body);
        let mut marks =
            Marks { age: self.markers.age(&seen), instance: self.instances.of(response.headers), ..Marks::default() };
        let mut mark = |bit, is: Option<bool>| match is {
            Some(true) => marks.bits |= bit,
            Some(false) => {}
            None => marks.unknown |= bit,
        };
        self.markers.note(&seen);
        mark(SHARED, Some(shared(response.headers)));
        mark(FAILED, self.markers.is_good(&seen).map(|good| !good));
        mark(PARTIAL, self.markers.is_partial(&seen));
        mark(STALE, self.markers.is_stale(&seen));
        if self.markers.is_age_unknown(&seen) {
            marks.unknown |= AGE;
        }
        for (nth, test) in (CHECKS..).zip(&self.tests) {
            let bit = 1_u64.checked_shl(nth).unwrap_or(0);
            if let Some(why) = seen.unknown(&test.place) {
                marks.unknown |= bit;
                marks.notes.extend(test.note(|| why.to_owned()).map(|saw| (nth, saw)));
                continue;
            }
            let values = seen.at(&test.place);
            let passed = holds(&test.test, &values, &arrival.vars);
            if passed {
                marks.bits |= bit;
            }
            if passed != test.wanted {
                let saw = test.note(|| in_words(&values, seen.wrong(&test.place)));
                marks.notes.extend(saw.map(|saw| (nth, saw)));
            }
        }
        marks.failed = marks.bits & FAILED != 0;
        if !marks.failed {
            self.capture(arrival.request, response, (&seen, &body), &mut marks);
        }
        let id = RequestId { n: arrival.n, step: arrival.step };
        marks.excerpt = self.excerpts.of(id, response, &marks, is_read.then_some(&body));
        marks
    }
}

/// The response for a listener.
fn heard(arrival: &Arrival, response: &Response<'_>) -> Heard {
    let body = match Body::of(response) {
        Body::Read(bytes) => bytes.into_owned(),
        Body::Wrong(_) | Body::Unknown(_) => Vec::new(),
    };
    Heard { request: arrival.request, vars: arrival.vars.clone(), status: response.status, body }
}

/// True if a cache on the way says that it made no request of its own for this response.
fn shared(headers: &http::HeaderMap) -> bool {
    let fields = headers.get_all("cache-status").into_iter().filter_map(|field| field.to_str().ok());
    // A list of caches, each with its parameters. Quoted strings may hold separators, and no parameter's name.
    let parameters = fields.flat_map(|field| field.split([',', ';'])).map(str::trim);
    parameters.into_iter().any(|parameter| parameter == "collapsed" || parameter == "collapsed=?1")
}
