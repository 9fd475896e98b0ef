//! Picks out what belongs to one request.
//!
//! - Of the load: by its number. Of a journey, the first step is followed.
//! - Of messages on links: by the number that they carry (`baggage`). Commands carry none: they are those of the
//!   request whose program says by its spans that it asks ([`Asks`]). Where a program says nothing of it, what is asked
//!   between the request's start and its end by a key that names what the request asks for is taken for its own, and
//!   marked as a guess.
//! - Of services: spans beneath the one with the request's trace id, what is told within them, and log lines with that
//!   id.
//! - Of faults: what acts on its messages, and the injections that the run's ledger joins with it; a guess where the
//!   ledger went by names.

use super::{
    Fields, Observation, REQUESTS, TRACE_ID, What,
    asks::{Asks, By},
    injections::{InjectionStart, Injections},
    is_first_step,
    messages::{Attribution, Messages, Shown, Sight},
    number, of,
};
use chaos_inject::WIRE;
use chaos_model::{Event, Record, ledger::Joined, system::CLIENT};
use chaos_report::{Trace, TraceStep, trace};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Fields that say who it is, or what is seen on the links.
const IDENTITY: [&str; 7] =
    ["trace_id", "request_id", "chaos.request", "user_id", "method", "route", "http.response.status_code"];

/// The request `n`, of what was seen; programs tell by events with these targets.
pub(super) fn pick(n: u64, seen: &[Observation], targets: &[String], records: &[Record]) -> Option<Trace> {
    let begun = seen.iter().find(|one| is_of_load(one, n, "begun"))?;
    let What::Event { fields, .. } = &begun.what else { return None };
    let (intended, started) = (number(fields, "intended_us")?, number(fields, "started_us")?);
    let ended = seen.iter().find(|one| is_of_load(one, n, "answered") || is_of_load(one, n, "failed"));
    let late = Duration::from_micros(started.saturating_sub(intended));
    let (due, intended, warmup) = (begun.at.checked_sub(late)?, Duration::from_micros(intended), warmup(records));
    let injections = Injections::of(seen, records, due.checked_sub(intended)? + warmup);
    let links = seen.iter().filter_map(|one| match &one.what {
        What::Event { target: WIRE, fields, .. } => of(fields, "link"),
        _ => None,
    });
    let mut picking = Picking {
        n,
        due,
        began: begun.at,
        ended: ended.map(|one| one.at),
        trace_id: of(fields, TRACE_ID)?,
        targets,
        asks: Asks::new(links),
        spans: BTreeMap::new(),
        messages: Messages::default(),
        injections: injections.placed,
        steps: Vec::new(),
    };
    for (place, one) in seen.iter().enumerate() {
        picking.look(place, one);
    }
    picking.note_what_goes_no_further();
    for joined in injections.untold.into_iter().filter(|joined| is_of(n, joined)) {
        picking.add_untold(joined, (joined.injection.at + warmup).saturating_sub(intended));
    }
    let window = (intended, ended.map_or(intended, |one| intended + (one.at - due)));
    let faults = trace::faults(records, window, warmup);
    Some(Trace { n, due: intended.checked_sub(warmup), faults, steps: picking.steps })
}

fn is_of_load(one: &Observation, n: u64, message: &str) -> bool {
    let What::Event { target: REQUESTS, fields, .. } = &one.what else { return false };
    of(fields, "message") == Some(message) && number(fields, "n") == Some(n) && is_first_step(fields)
}

/// The number of the request, if this tells that one begins.
pub(super) fn begun(one: &Observation) -> Option<u64> {
    let What::Event { target: REQUESTS, fields, .. } = &one.what else { return None };
    if of(fields, "message") == Some("begun") && is_first_step(fields) { number(fields, "n") } else { None }
}

/// True where the ledger says that request `n` met it.
fn is_of(n: u64, joined: &Joined) -> bool {
    joined.met == Some(n.into()) || number_of(joined) == Some(n)
}

/// The number of the request that an injection says it was for.
fn number_of(joined: &Joined) -> Option<u64> {
    joined.injection.arrival.filter(|arrival| arrival.step == 0).map(|arrival| arrival.n)
}

fn warmup(records: &[Record]) -> Duration {
    let warmups = records.iter().find_map(|record| match &record.event {
        Event::Begin(begin) => Some(begin.plan.load.warmup),
        _ => None,
    });
    warmups.unwrap_or_default()
}

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
    targets: &'s [String],
    asks: Asks<'s>,
    /// Spans that belong to the request and have not closed.
    spans: BTreeMap<u64, Span<'s>>,
    messages: Messages<'s>,
    injections: BTreeMap<usize, &'s Joined>,
    steps: Vec<TraceStep>,
}

impl<'s> Picking<'s> {
    fn step(&mut self, one: &Observation, is_guess: bool, place: &str, what: impl Into<String>) {
        let at = one.at.saturating_duration_since(self.due);
        self.steps.push(TraceStep { at, is_guess, place: place.to_owned(), what: what.into() });
    }

    fn look(&mut self, place: usize, one: &'s Observation) {
        let service = one.service.as_deref().unwrap_or(CLIENT);
        match &one.what {
            What::Opened { span, parent, name, fields } => {
                let Some(parent) = *parent else { return };
                self.asks.opened(service, *span, parent, fields);
                if self.spans.contains_key(&parent) {
                    self.open(*span, one.at, name, fields);
                }
            }
            What::Recorded { span, fields } => self.record(*span, one, fields),
            What::Follows { span, other } => self.follow(*span, *other, one, service),
            What::Closed { span } => {
                self.asks.closed(*span);
                self.close(*span, one, service);
            }
            What::Event { target: REQUESTS, fields, .. } => self.on_load(one, fields),
            What::Event { target: WIRE, fields, .. } => {
                if let Some(told) = InjectionStart::of(fields) {
                    self.on_injection(place, one, &told);
                } else if let Some(sight) = Sight::of(fields) {
                    self.on_message(one, &sight);
                }
            }
            What::Event { target, span, fields } => match span.and_then(|span| self.asks.owner(span)) {
                Some(n) if self.targets.iter().any(|ours| ours == target) => self.on_event(n, one, service, fields),
                _ => self.on_log(one, service, fields),
            },
        }
    }

    fn on_load(&mut self, one: &Observation, fields: &'s Fields) {
        let Some(n) = number(fields, "n").filter(|_| is_first_step(fields)) else { return };
        let what = match of(fields, "message") {
            Some("begun") => {
                self.asks.begun(n, fields);
                "begins".to_owned()
            }
            Some("answered") => format!("is answered {}", of(fields, "status").unwrap_or_default()),
            _ => format!("has no response: {}", of(fields, "why").unwrap_or_default()),
        };
        if n == self.n {
            self.step(one, false, CLIENT, what);
        }
    }

    fn on_log(&mut self, one: &Observation, service: &str, fields: &Fields) {
        if of(fields, TRACE_ID) == Some(self.trace_id) {
            let told = fields.iter().filter(|(name, value)| !is_noise(name) && !value.is_empty());
            let told: Vec<_> = told.map(|(name, value)| format!("{name} {value}")).collect();
            let message = of(fields, "message").unwrap_or("a line");
            self.step(one, false, service, format!("logs `{message}`: {}", told.join(", ")));
        }
    }

    /// Something is told within a span of request `n`.
    fn on_event(&mut self, n: u64, one: &Observation, service: &'s str, fields: &'s Fields) {
        let is_ask = self.asks.ask(n, service, By::Event(one.at), fields);
        if !is_ask && n == self.n {
            let told = fields.iter().filter(|(name, value)| !is_noise(name) && !value.is_empty());
            let told: Vec<_> = told.map(|(_, value)| value.as_str()).collect();
            let message = of(fields, "message").unwrap_or("an event");
            self.step(one, false, service, format!("{message}: {}", told.join(", ")));
        }
    }

    fn open(&mut self, span: u64, opened: Instant, name: &'s str, fields: &'s Fields) {
        let title = of(fields, "otel.name").unwrap_or(name);
        self.spans.insert(span, Span { opened, title, results: Vec::new() });
    }

    fn record(&mut self, span: u64, one: &Observation, fields: &'s Fields) {
        self.asks.recorded(span, fields);
        if of(fields, TRACE_ID) == Some(self.trace_id) {
            self.open(span, one.at, "request", fields);
        }
        if let Some(span) = self.spans.get_mut(&span) {
            let told = fields.iter().filter(|(name, _)| !is_noise(name) && !name.starts_with("otel."));
            span.results.extend(told.map(|(_, value)| value.as_str()));
        }
    }

    fn follow(&mut self, span: u64, other: u64, one: &Observation, service: &str) {
        if self.spans.contains_key(&span) {
            let what = match self.asks.owner(other) {
                Some(n) => format!("waits for what request {n} has under way (--trace {n} shows it)"),
                None => "waits for what another request has under way".to_owned(),
            };
            self.step(one, false, service, what);
        }
    }

    fn close(&mut self, span: u64, one: &Observation, service: &str) {
        let Some(Span { opened, title, results }) = self.spans.remove(&span) else { return };
        if results.is_empty() {
            return;
        }
        let took = match one.at - opened {
            Duration::ZERO => String::new(),
            took => format!(" after {}", chaos_model::quantity::show_duration(took)),
        };
        self.step(one, false, service, format!("{title}: {}{took}", results.join(", ")));
    }

    fn on_message(&mut self, one: &Observation, sight: &Sight<'s>) {
        let Sight { link, subject, .. } = *sight;
        let arrow = if sight.is_up { link.to_owned() } else { link.replace("->", "<-") };
        let said = sight.response.map_or_else(|| subject.to_owned(), |response| format!("{response} to {subject}"));
        if !sight.comes()
            && let Some(shown) = self.messages.arrived(sight)
        {
            let Some(TraceStep { at, is_guess, .. }) = shown.step.map(|step| &self.steps[step]) else { return };
            let (is_late, is_guess) = (*at != one.at.saturating_duration_since(self.due), *is_guess);
            if shown.response != sight.response {
                self.step(one, is_guess, &arrow, format!("arrives as: {said}"));
            } else if is_late {
                self.step(one, is_guess, &arrow, format!("goes on: {said}"));
            }
            return;
        }
        let (attribution, unsent) = self.attribute(one.at, sight);
        if let Some(step) = unsent.and_then(|shown| shown.step) {
            self.steps[step].what += GOES_NO_FURTHER;
        }
        let step = (attribution != Attribution::Others).then_some(self.steps.len());
        if step.is_some() {
            // Where the far side had nothing to pass on, it is the proxy's own.
            let made = if sight.comes() { "" } else { ", made by the proxy" };
            self.step(one, attribution == Attribution::MaybeOurs, &arrow, said + made);
        }
        let shown = Shown { step, response: sight.response };
        match (sight.comes(), sight.is_up) {
            (true, true) => self.messages.asked(sight, attribution, shown),
            (true, false) => self.messages.answered(sight, shown),
            (false, _) => {}
        }
    }

    /// Attributes a message that is seen for the first time; and what asked for it, where that has not gone on.
    fn attribute(&mut self, at: Instant, sight: &Sight<'s>) -> (Attribution, Option<Shown<'s>>) {
        let answers = if sight.is_up { None } else { self.messages.answers(sight) };
        if let Some(n) = sight.arrival {
            if sight.is_up && sight.link.starts_with(CLIENT) {
                self.asks.named(n, sight.subject);
            }
            let attribution = if n == self.n { Attribution::Ours } else { Attribution::Others };
            return (attribution, answers.and_then(|(_, unsent)| unsent));
        }
        if let Some(answers) = answers {
            return answers;
        }
        if sight.is_up && self.asks.are_told(sight.link) {
            let is_ours = self.asks.take(at, sight.link, sight.subject) == Some(self.n);
            return (if is_ours { Attribution::Ours } else { Attribution::Others }, None);
        }
        let meanwhile = at >= self.began && self.ended.is_none_or(|ended| at <= ended);
        let maybe = meanwhile && self.asks.names(self.n, sight.subject);
        (if maybe { Attribution::MaybeOurs } else { Attribution::Others }, None)
    }

    fn note_what_goes_no_further(&mut self) {
        for step in self.messages.lost() {
            self.steps[step].what += GOES_NO_FURTHER;
        }
    }

    /// An injection begins. One that came to nothing before its time was over is not in the ledger.
    fn on_injection(&mut self, place: usize, one: &Observation, told: &InjectionStart<'_>) {
        let joined = self.injections.get(&place).copied();
        let is_ours = told.arrival == Some(self.n)
            || (told.arrival.is_none()
                && told.subject.is_some_and(|subject| self.messages.are_ours(told.link, subject)));
        if is_ours || joined.is_some_and(|joined| is_of(self.n, joined)) {
            let subject = told.subject.unwrap_or("its connection");
            let what = joined.map_or_else(|| format!("{} acts on {subject}", told.fault), trace::injection);
            self.step(one, !is_ours, told.link, what);
        }
    }

    /// An injection of which nothing was told comes behind the last message that it may have acted on.
    fn add_untold(&mut self, joined: &Joined, at: Duration) {
        let injection = &joined.injection;
        let (is_guess, what) = (number_of(joined) != Some(self.n), trace::injection(joined));
        let step = TraceStep { at, is_guess, place: injection.link.clone(), what };
        let until = self.steps.partition_point(|step| step.at <= at);
        let on_link = |step: &TraceStep| step.place.replace("<-", "->") == injection.link;
        let about = |step: &TraceStep| on_link(step) && step.what.contains(&injection.subject);
        let before = &self.steps[..until];
        let place = before.iter().rposition(about).or_else(|| before.iter().rposition(on_link));
        let place = place.filter(|place| self.steps[*place].at == at).map_or(until, |place| place + 1);
        self.steps.insert(place, step);
    }
}

/// Words about a message that was not seen on the far side.
const GOES_NO_FURTHER: &str = " (goes no further)";

fn is_noise(name: &str) -> bool {
    name == "message" || IDENTITY.contains(&name) || name.ends_with("_ms")
}

#[cfg(test)]
mod tests;
