//! Invariants: what holds whatever breaks. Each is an expectation of the language, so that a scenario which is written of a
//! finding fails by itself.

use crate::{learn::Learnt, shape::RECOVERS_WITHIN, subject::Subject, toml_text};
use chaos_model::quantity::show_duration;
use serde::Serialize;
use std::time::Duration;
use toml::Value;

/// Calls on a link over those that healthy requests make, at the most.
const AMPLIFICATION: f64 = 1.5;
/// A response is in time within this,
const IN_TIME: Duration = Duration::from_secs(1);
/// or within so many times the slowest healthy one, if that is longer.
const TIMES_HEALTHY: u32 = 10;

/// The kind of an invariant, from what matters least to what matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Calls on a link are not multiplied.
    Amplification,
    /// Responses come in time.
    InTime,
    /// Requests get good responses.
    Available,
    /// An expectation of the scenario's own.
    Own,
    /// Responses are as before a while after the end of the fault.
    Recovers,
    /// Nobody is told that a request is at fault which is not.
    Denied,
    /// A response lacks nothing that healthy ones have, or says so.
    Complete,
    /// A response is about what was asked for.
    Right,
}

/// The time in which an invariant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// While the fault is there.
    During,
    /// From a while after its end on.
    After,
    /// All the time.
    Always,
}

/// Something that holds whatever breaks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Invariant {
    /// The kind.
    pub kind: Kind,
    /// The name, that people read.
    pub that: String,
    pub(crate) when: When,
    /// Keys beside its checks: `of`, `service`.
    beside: Vec<(String, Value)>,
    /// Checks, by their keys as they are written: `status.200`.
    pub(crate) checks: Vec<(String, Value)>,
}

impl Invariant {
    fn new(kind: Kind, that: &str, when: When, checks: &[(&str, &str)]) -> Self {
        let checks = checks.iter().map(|(key, value)| ((*key).to_owned(), Value::String((*value).to_owned())));
        Self { kind, that: that.to_owned(), when, beside: Vec::new(), checks: checks.collect() }
    }

    /// The same of one of several requests.
    fn of(mut self, request: Option<&str>) -> Self {
        if let Some(request) = request {
            self.beside.push(("of".to_owned(), Value::String(request.to_owned())));
        }
        self
    }

    /// The expectation's table, about this fault.
    pub(crate) fn text(&self, fault: &str) -> String {
        let mut text = format!("\n[[expect]]\n{}", toml_text::line("that", &self.that));
        match self.when {
            When::During => text += &toml_text::line("during", fault),
            When::Always => text += &toml_text::line("during", "run"),
            When::After => {
                text += &toml_text::line("after", fault);
                text += &toml_text::line("within", &show_duration(RECOVERS_WITHIN));
            }
        }
        for (key, value) in self.beside.iter().chain(&self.checks) {
            text += &format!("{key} = {value}\n");
        }
        text
    }

    /// The same with some of its checks, by their places; none where none is left.
    pub(crate) fn with(&self, keep: impl Fn(usize) -> bool) -> Option<Self> {
        let kept = self.checks.iter().enumerate().filter(|(nth, _)| keep(*nth)).map(|(_, check)| check.clone());
        let checks: Vec<_> = kept.collect();
        (!checks.is_empty()).then(|| Self { checks, ..self.clone() })
    }

    /// True where a case is held to it: what clients meet at the system's own door is not its doing, but what comes after is.
    pub(crate) fn holds_at_the_door(&self) -> bool {
        matches!(self.kind, Kind::Recovers)
    }
}

/// All invariants of a system, before they are calibrated.
pub(crate) fn all(subject: &Subject, learnt: &Learnt) -> Vec<Invariant> {
    let in_time = in_time(learnt);
    let slow = format!("<= {}", show_duration(in_time));
    let mut all = vec![
        Invariant::new(Kind::Available, "requests get good responses", When::During, &[("availability", ">= 99%")]),
        Invariant::new(Kind::InTime, "responses come in time", When::During, &[("latency.max", slow.as_str())]),
    ];
    for request in &learnt.requests {
        let name = Some(request.name.as_str()).filter(|_| learnt.requests.len() > 1);
        let of = name.map(|name| format!(" of {name}")).unwrap_or_default();
        let complete: Vec<(String, &str)> =
            request.paths.iter().map(|path| (format!("unmarked.{}", toml_text::key(path)), "== 0%")).collect();
        let right = request
            .same
            .iter()
            .map(|(path, var)| (format!("body.{}", toml_text::key(path)), format!("== 0% != {{{var}}}")));
        let right: Vec<(String, String)> = right.collect();
        if !complete.is_empty() {
            let checks: Vec<_> = complete.iter().map(|(key, value)| (key.as_str(), *value)).collect();
            let that = format!("responses{of} lack nothing, or say so");
            all.push(Invariant::new(Kind::Complete, &that, When::Always, &checks).of(name));
        }
        if !right.is_empty() {
            let checks: Vec<_> = right.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let that = format!("responses{of} are about what was asked for");
            all.push(Invariant::new(Kind::Right, &that, When::Always, &checks).of(name));
        }
    }
    all.extend(not_denied(learnt));
    let mut recovers = vec![("availability", ">= 99%"), ("latency.max", slow.as_str())];
    recovers.extend(learnt.has_partial.then_some(("partial", "== 0%")));
    recovers.extend(learnt.has_stale.then_some(("stale", "== 0%")));
    all.push(Invariant::new(Kind::Recovers, "responses are as before soon after the end", When::After, &recovers));
    for (link, calls) in &learnt.calls {
        let bound = format!("<= {:.1} per request", calls.max(1.0) * AMPLIFICATION);
        let that = format!("calls on {link} are not multiplied");
        let key = format!("calls.{}", toml_text::key(&link.to_string()));
        all.push(Invariant::new(Kind::Amplification, &that, When::During, &[(key.as_str(), bound.as_str())]));
    }
    all.extend(subject.expectations().iter().filter_map(own));
    all
}

/// Statuses that tell a client that its request is at fault: where healthy runs have none of them, a fault behind the entry is no
/// reason for one. That there are too many requests (429) may be true.
const DENIALS: [u16; 8] = [400, 401, 403, 404, 405, 409, 410, 422];

fn not_denied(learnt: &Learnt) -> Option<Invariant> {
    let foreign = DENIALS.iter().filter(|status| !learnt.healthy.statuses.contains(status));
    let checks: Vec<String> = foreign.map(|status| format!("status.{status}")).collect();
    let checks: Vec<(&str, &str)> = checks.iter().map(|key| (key.as_str(), "== 0%")).collect();
    let that = "nobody is told that it is their request";
    (!checks.is_empty()).then(|| Invariant::new(Kind::Denied, that, When::Always, &checks))
}

/// The time within which responses have to come: less than a client waits.
fn in_time(learnt: &Learnt) -> Duration {
    let bound = IN_TIME.max(learnt.healthy.slowest * TIMES_HEALTHY).min(learnt.timeout * 4 / 5);
    Duration::from_millis(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX))
}

/// An expectation of the scenario's own.
fn own(expectation: &toml::Table) -> Option<Invariant> {
    let that = expectation.get("that")?.as_str()?.to_owned();
    let (mut beside, mut checks) = (Vec::new(), Vec::new());
    for (key, value) in expectation.iter().filter(|(key, _)| *key != "that") {
        let to = if ["of", "service", "type", "absent"].contains(&key.as_str()) { &mut beside } else { &mut checks };
        flat(toml_text::key(key), value, to);
    }
    (!checks.is_empty()).then_some(Invariant { kind: Kind::Own, that, when: When::Always, beside, checks })
}

fn flat(path: String, value: &Value, to: &mut Vec<(String, Value)>) {
    match value {
        Value::Table(below) => {
            below.iter().for_each(|(key, value)| flat(format!("{path}.{}", toml_text::key(key)), value, to));
        }
        value => to.push((path, value.clone())),
    }
}
