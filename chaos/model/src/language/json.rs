//! Faults as JSON: the keys of a scenario's `[[fault]]`, with the same values, read by the same readers and refused alike.
//!
//! A mistake stands at a JSON Pointer (RFC 6901). The readers know places in texts; so each key and value gets a stretch
//! of a text that nobody has written, by which its pointer is found again.

use super::{
    document::{Entry, Kind, Table, Value},
    fault::{self, Timing},
    findings::Findings,
};
use crate::{
    Endpoint, Fault, Link, Nth, Only, Protocol, Pulse, Responses, Service, Share, Span, Start, System, Target,
    quantity::{write_duration, write_share},
};
use serde_json::{Map, Value as Json};
use std::{collections::BTreeMap, path::PathBuf};

/// Something that is wrong in a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Place of the mistake: a JSON Pointer, from the fault on; empty for the fault as a whole.
    pub pointer: String,
    /// The mistake, as a lower-case sentence without a full stop.
    pub message: String,
    /// Advice: what would be right.
    pub advice: Option<String>,
}

/// Reads a fault that is to be put in place at once, on one of these links. It has the keys of a scenario's, but for `at`
/// and `pulse`, and may leave `for` out.
///
/// # Errors
/// Everything that is wrong with it, together.
pub fn read_fault(fault: &Json, links: &[(Link, Protocol)]) -> Result<Fault, Vec<Mistake>> {
    let Json::Object(keys) = fault else {
        let message = "a fault is an object".to_owned();
        let advice = Some("write its keys as a scenario does: `name`, `on`, `effect`".to_owned());
        return Err(vec![Mistake { pointer: String::new(), message, advice }]);
    };
    let (mut places, findings) = (Places::default(), Findings::default());
    let table = places.table(keys, "");
    let read = fault::read(&table, &proxied(links), Timing::Message, &findings).fault;
    match read {
        Some(fault) if findings.is_empty() => Ok(fault),
        _ => Err(findings.into_sorted().into_iter().map(|wrong| places.mistake(wrong)).collect()),
    }
}

/// The system of which nothing is known but its links.
fn proxied(links: &[(Link, Protocol)]) -> System {
    let service = |name: &str, protocol| Service {
        name: name.to_owned(),
        replica_of: None,
        start: Start::Command(Vec::new()),
        protocol,
        ready: None,
        metrics: None,
        ports: BTreeMap::new(),
        lifecycle: crate::lifecycle::Lifecycle::default(),
        errands: crate::system::Errands::default(),
        password: None,
        login: None,
        tls: crate::ServiceTls::default(),
        speaks_tls: false,
        trusts_run: false,
        env: BTreeMap::new(),
        working_dir: None,
        folder: PathBuf::new(),
        span: Span::default(),
        start_span: Span::default(),
    };
    let mut services = BTreeMap::new();
    for (link, protocol) in links {
        services.insert(link.to.clone(), service(&link.to, *protocol));
        if let Endpoint::Service(from) = &link.from {
            services.entry(from.clone()).or_insert_with(|| service(from, Protocol::TCP));
        }
    }
    System {
        entry: String::new(),
        services,
        links: links.iter().map(|(link, _)| link.clone()).collect(),
        encrypted: BTreeMap::new(),
        responses: Responses::default(),
        compose: None,
    }
}

/// Places of keys and values, in the order of the text that they would be.
#[derive(Default)]
struct Places {
    /// Where each begins, with its pointer.
    begin: Vec<(usize, String)>,
    end: usize,
}

impl Places {
    /// A stretch of so many bytes.
    fn place(&mut self, pointer: &str, bytes: usize) -> Span {
        let start = self.end;
        self.begin.push((start, pointer.to_owned()));
        // One more, so that no two stretches meet.
        self.end += bytes + 1;
        Span { source: 0, range: start..start + bytes }
    }

    fn table(&mut self, keys: &Map<String, Json>, pointer: &str) -> Table {
        let span = self.place(pointer, 0);
        let entries = keys.iter().map(|(key, value)| {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let key_span = self.place(&pointer, key.len());
            Entry { key: key.clone(), key_span, value: self.value(value, &pointer) }
        });
        Table { entries: entries.collect(), span }
    }

    fn value(&mut self, value: &Json, pointer: &str) -> Value {
        let other = |what, value: &Json| Kind::Other { what, raw: value.to_string() };
        let (span, kind) = match value {
            Json::String(text) => (self.place(pointer, text.len()), Kind::Text(text.clone())),
            Json::Null => (self.place(pointer, 0), other("null", value)),
            Json::Bool(_) => (self.place(pointer, 0), other("a flag", value)),
            Json::Number(_) => (self.place(pointer, 0), other("a number", value)),
            Json::Array(items) => {
                let span = self.place(pointer, 0);
                let items = items.iter().enumerate().map(|(nth, item)| self.value(item, &format!("{pointer}/{nth}")));
                (span, Kind::List(items.collect()))
            }
            Json::Object(keys) => {
                let table = self.table(keys, pointer);
                (table.span.clone(), Kind::Table(table))
            }
        };
        Value { span, kind, loose: false }
    }

    fn mistake(&self, wrong: crate::Diagnostic) -> Mistake {
        let after = self.begin.partition_point(|(start, _)| *start <= wrong.span.range.start);
        let pointer = after.checked_sub(1).map_or(String::new(), |nth| self.begin[nth].1.clone());
        Mistake { pointer, message: wrong.message, advice: wrong.advice }
    }
}

/// A fault with the keys that a scenario gives it. What is as it is unless said otherwise is left out: `share`, `only`,
/// `except`, `ramp`, and the times of one that has none.
#[must_use]
pub fn write_fault(fault: &Fault) -> Json {
    let Fault { name, on, effect, only, except, share, instances, at, lasts, ramp, pulse, span: _ } = fault;
    let mut keys = Map::new();
    let mut put = |key: &str, value: String| drop(keys.insert(key.to_owned(), Json::String(value)));
    put("name", name.clone());
    match on {
        Target::Link(link) => put("on", link.to_string()),
        Target::Service(service) => put("on", service.clone()),
        Target::Links(links) => {
            keys.insert("on".to_owned(), links.iter().map(Link::to_string).collect());
        }
        Target::Services(services) => {
            keys.insert("on".to_owned(), services.iter().map(String::as_str).collect());
        }
    }
    let mut put = |key: &str, value: String| drop(keys.insert(key.to_owned(), Json::String(value)));
    put("effect", effect.name().to_owned());
    for (key, value) in effect.written() {
        put(key, value);
    }
    for (key, time) in [("at", at), ("for", lasts), ("ramp", ramp)] {
        if !time.is_zero() {
            put(key, write_duration(*time));
        }
    }
    if let Some(Pulse { on, every }) = pulse {
        put("pulse", format!("{} of {}", write_duration(*on), write_duration(*every)));
    }
    if let Some(instances) = instances {
        put("instances", instances.to_string());
    }
    if *share != Share::ALL {
        put("share", write_share(*share));
    }
    if !only.is_all() {
        keys.insert("only".to_owned(), Json::Object(write_only(only)));
    }
    if let Some(except) = except {
        keys.insert("except".to_owned(), Json::Object(write_only(except)));
    }
    Json::Object(keys)
}

fn write_only(only: &Only) -> Map<String, Json> {
    let Only { methods, path, query, headers, baggage, commands, key, nth } = only;
    let mut keys = Map::new();
    let mut put = |key: &str, value: String| keys.insert(key.to_owned(), Json::String(value));
    for (key, words) in [("method", methods), ("command", commands)] {
        if !words.is_empty() {
            put(key, words.join("|"));
        }
    }
    for (name, pattern) in [("path", path), ("query", query), ("key", key)] {
        if let Some(pattern) = pattern {
            put(name, pattern.0.clone());
        }
    }
    if let Some(nth) = nth {
        let (key, number) = match nth {
            Nth::Only(number) => ("nth", number),
            Nth::First(number) => ("first", number),
            Nth::Every(number) => ("every", number),
        };
        put(key, number.to_string());
    }
    for (key, patterns) in [("header", headers), ("baggage", baggage)] {
        if !patterns.is_empty() {
            let each = patterns.iter().map(|(name, pattern)| (name.clone(), Json::String(pattern.0.clone())));
            keys.insert(key.to_owned(), Json::Object(each.collect()));
        }
    }
    keys
}
