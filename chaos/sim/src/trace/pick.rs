//! Picks out what belongs to one request.
//!
//! - Of the load: by its number.
//! - Of messages on links: by the number that they carry (`baggage`). Commands carry none: what is asked between the
//!   request's start and its end by a key that names what the request asks for is taken for its own, and marked as a guess.
//! - Of nodes: spans beneath the one with the request's trace id, and log lines with it.
//! - Of faults: the injections that the run's ledger joins with it; a guess where the ledger went by names.

use super::{Fields, REQUESTS, Seen, What};
use chaos_inject::WIRE;
use chaos_model::{Event, Record};
use chaos_report::{Trace, TraceStep, trace};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// Fields that say who it is, or what is seen on the links.
const IDENTITY: [&str; 7] =
    ["trace_id", "request_id", "chaos.request", "user_id", "method", "route", "http.response.status_code"];

pub(super) fn pick(n: u64, seen: &[Seen], records: &[Record]) -> Option<Trace> {
    let begun = seen.iter().find(|one| is_of_load(one, n, "begun"))?;
    let What::Told { fields, .. } = &begun.what else { return None };
    let number = |name| of(fields, name).and_then(|text| text.parse::<u64>().ok());
    let (intended, started) = (number("intended_us")?, number("started_us")?);
    let ended = seen.iter().find(|one| is_of_load(one, n, "answered") || is_of_load(one, n, "failed"));
    let late = Duration::from_micros(started.saturating_sub(intended));
    let mut picking = Picking {
        n,
        due: begun.at.checked_sub(late)?,
        began: begun.at,
        ended: ended.map(|one| one.at),
        trace_id: of(fields, "trace_id")?,
        names: BTreeSet::new(),
        spans: BTreeMap::new(),
        under_way: BTreeMap::new(),
        steps: Vec::new(),
    };
    picking.step(begun, false, "client", "begins");
    seen.iter().for_each(|one| picking.look(one));
    picking.note_what_goes_no_further();
    let warmup = warmup(records);
    let due = Duration::from_micros(intended);
    picking.add_injections(records, due.saturating_sub(warmup), warmup.saturating_sub(due));
    let window = (due, ended.map_or(due, |one| due + (one.at - picking.due)));
    let steps = picking.steps;
    let faults = trace::faults(records, window, warmup);
    Some(Trace { n, due: due.checked_sub(warmup), faults, steps })
}

fn is_of_load(one: &Seen, n: u64, message: &str) -> bool {
    let What::Told { target: REQUESTS, fields } = &one.what else { return false };
    of(fields, "message") == Some(message) && of(fields, "n").is_some_and(|text| text.parse() == Ok(n))
}

/// Whether this tells that a request begins.
pub(super) fn is_begun(one: &Seen) -> bool {
    matches!(&one.what, What::Told { target: REQUESTS, fields } if of(fields, "message") == Some("begun"))
}

fn of<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
}

fn warmup(records: &[Record]) -> Duration {
    let warmups = records.iter().find_map(|record| match &record.event {
        Event::Begin(begin) => Some(begin.warmup),
        _ => None,
    });
    warmups.unwrap_or_default()
}

/// A message is known by its link, its connection, its way and its subject; the same may be under way several times.
type Message<'s> = (&'s str, &'s str, bool, &'s str);

struct Span<'s> {
    opened: Instant,
    title: &'s str,
    results: Vec<&'s str>,
}

struct Picking<'s> {
    n: u64,
    due: Instant,
    began: Instant,
    ended: Option<Instant>,
    trace_id: &'s str,
    /// What the request asks for, by the parts of its path that name one of many.
    names: BTreeSet<&'s str>,
    /// Those that belong to the request and have not closed.
    spans: BTreeMap<u64, Span<'s>>,
    /// Messages that were seen on one side of a proxy and not on the other: the steps that tell of them.
    under_way: BTreeMap<Message<'s>, Vec<usize>>,
    steps: Vec<TraceStep>,
}

impl<'s> Picking<'s> {
    fn step(&mut self, one: &Seen, is_guess: bool, place: &str, what: impl Into<String>) {
        let at = one.at.saturating_duration_since(self.due);
        self.steps.push(TraceStep { at, is_guess, place: place.to_owned(), what: what.into() });
    }

    fn look(&mut self, one: &'s Seen) {
        let node = one.node.as_deref().unwrap_or("client");
        match &one.what {
            What::Opened { span, parent, name, fields } => {
                if parent.is_some_and(|parent| self.spans.contains_key(&parent)) {
                    self.open(*span, one.at, name, fields);
                }
            }
            What::Recorded { span, fields } => self.record(*span, one, fields),
            What::Closed { span } => self.close(*span, one, node),
            What::Told { target: REQUESTS, fields } => {
                if is_of_load(one, self.n, "answered") || is_of_load(one, self.n, "failed") {
                    let answered = of(fields, "status").map(|status| format!("is answered {status}"));
                    let failed = of(fields, "why").map(|why| format!("has no answer: {why}"));
                    self.step(one, false, node, answered.or(failed).unwrap_or_default());
                }
            }
            What::Told { target: WIRE, fields } => self.on_wire(one, fields),
            What::Told { fields, .. } if of(fields, "trace_id") == Some(self.trace_id) => {
                let told = fields.iter().filter(|(name, value)| !is_noise(name) && !value.is_empty());
                let told: Vec<_> = told.map(|(name, value)| format!("{name} {value}")).collect();
                let message = of(fields, "message").unwrap_or("a line");
                self.step(one, false, node, format!("logs `{message}`: {}", told.join(", ")));
            }
            What::Told { .. } => {}
        }
    }

    fn open(&mut self, span: u64, opened: Instant, name: &'s str, fields: &'s Fields) {
        let title = of(fields, "otel.name").unwrap_or(name);
        self.spans.insert(span, Span { opened, title, results: Vec::new() });
    }

    fn record(&mut self, span: u64, one: &'s Seen, fields: &'s Fields) {
        if of(fields, "trace_id") == Some(self.trace_id) {
            self.open(span, one.at, "request", fields);
        }
        if let Some(span) = self.spans.get_mut(&span) {
            let told = fields.iter().filter(|(name, _)| !is_noise(name) && !name.starts_with("otel."));
            span.results.extend(told.map(|(_, value)| value.as_str()));
        }
    }

    fn close(&mut self, span: u64, one: &Seen, node: &str) {
        let Some(Span { opened, title, results }) = self.spans.remove(&span) else { return };
        if results.is_empty() {
            return;
        }
        let took = match one.at - opened {
            Duration::ZERO => String::new(),
            took => format!(" after {}", chaos_model::quantity::show_duration(took)),
        };
        self.step(one, false, node, format!("{title}: {}{took}", results.join(", ")));
    }

    fn on_wire(&mut self, one: &'s Seen, fields: &'s Fields) {
        let (Some(link), Some(connection), Some(subject)) =
            (of(fields, "link"), of(fields, "connection"), of(fields, "subject"))
        else {
            return;
        };
        let (up, at_client) = (of(fields, "up") == Some("true"), of(fields, "side") == Some("client"));
        let message = (link, connection, up, subject);
        let arrow = if up { link.to_owned() } else { link.replace("->", "<-") };
        let said = of(fields, "answer").map_or_else(|| subject.to_owned(), |answer| format!("{answer} to {subject}"));
        if up != at_client
            && let Some(first) = self.under_way.get_mut(&message).filter(|first| !first.is_empty())
        {
            let step = &self.steps[first.remove(0)];
            let at = one.at.saturating_duration_since(self.due);
            if step.at != at {
                let is_guess = step.is_guess;
                self.step(one, is_guess, &arrow, format!("goes on: {said}"));
            }
            return;
        }
        let arrival = of(fields, "arrival");
        let is_ours = arrival.is_some_and(|number| number.parse() == Ok(self.n));
        let is_guess = arrival.is_none() && self.is_asked_meanwhile(one.at, subject);
        if !is_ours && !is_guess {
            return;
        }
        if link.starts_with(chaos_model::system::CLIENT) {
            let parts = subject.split(|c: char| !c.is_ascii_alphanumeric());
            self.names.extend(parts.filter(|part| part.bytes().any(|byte| byte.is_ascii_digit())));
        }
        if up == at_client {
            self.under_way.entry(message).or_default().push(self.steps.len());
            self.step(one, is_guess, &arrow, said);
        } else {
            // The far side had nothing to pass on: it is the proxy's own.
            self.step(one, is_guess, &arrow, format!("{said}, made by the proxy"));
        }
    }

    /// Whether it names what the request asks for, while that is under way.
    fn is_asked_meanwhile(&self, at: Instant, subject: &str) -> bool {
        let meanwhile = at >= self.began && self.ended.is_none_or(|ended| at <= ended);
        let mut parts = subject.split(|c: char| !c.is_ascii_alphanumeric());
        meanwhile && parts.any(|part| self.names.contains(part))
    }

    fn note_what_goes_no_further(&mut self) {
        for first in self.under_way.values().flatten() {
            self.steps[*first].what += " (goes no further)";
        }
    }

    /// The request was due `due` after the timeline began, or `before` before it.
    fn add_injections(&mut self, records: &[Record], due: Duration, before: Duration) {
        let injections = records.iter().filter_map(|record| match &record.event {
            Event::Injected { injections } => Some(injections),
            _ => None,
        });
        for joined in injections.flatten() {
            let injection = &joined.injection;
            if joined.met != Some(self.n) && injection.arrival != Some(self.n) {
                continue;
            }
            let at = (injection.at + before).saturating_sub(due);
            let what = trace::injection(joined);
            let is_guess = injection.arrival != Some(self.n);
            let step = TraceStep { at, is_guess, place: injection.link.clone(), what };
            // Behind what it acted on.
            let place = self.steps.iter().rposition(|step| step.at <= at && same_link(&step.place, &injection.link));
            let place = place.or_else(|| self.steps.iter().rposition(|step| step.at <= at));
            self.steps.insert(place.map_or(0, |place| place + 1), step);
        }
        self.steps.sort_by_key(|step| step.at);
    }
}

fn same_link(place: &str, link: &str) -> bool {
    place.replace("<-", "->") == link
}

fn is_noise(name: &str) -> bool {
    name == "message" || IDENTITY.contains(&name) || name.ends_with("_ms")
}
