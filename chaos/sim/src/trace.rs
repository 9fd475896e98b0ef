//! Traces: what one request met, step by step. Everything that clients, proxies and services tell by `tracing` is kept
//! with its virtual time, and what belongs to the request is picked out when the run is over.
//!
//! Listening changes nothing of a run: nobody waits for it, and nothing is drawn.

mod asks;
mod injections;
mod listen;
mod messages;
mod pick;

use chaos_model::{ArrivalId, Record};
use chaos_report::Trace;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;
use tracing::{Dispatch, Level, Subscriber, instrument::WithSubscriber as _};
use tracing_subscriber::{
    Layer, Registry,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    registry::LookupSpan,
};

/// True for what tells of the first step of a journey.
fn is_first_step(fields: &Fields) -> bool {
    number(fields, "step").unwrap_or_default() == 0
}

/// The target by which the load tells of requests: `chaos_load::REQUESTS`.
const REQUESTS: &str = "chaos_load::requests";

/// The field by which spans and log lines say to which request they belong.
const TRACE_ID: &str = "trace_id";

/// Follows the requests of one run. All clones are the same tracer.
#[derive(Clone, Debug, Default)]
pub struct Tracer {
    seen: Arc<Mutex<Vec<Observation>>>,
    /// Targets of the spans by which programs tell of requests.
    spans: Arc<[String]>,
}

/// Something that was told, and when.
#[derive(Clone, Debug)]
struct Observation {
    at: Instant,
    /// None where it was told outside of services.
    service: Option<Arc<str>>,
    what: What,
}

/// Fields, in the order in which they were told.
type Fields = Vec<(&'static str, String)>;

fn of<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
}

fn number(fields: &Fields, name: &str) -> Option<u64> {
    of(fields, name)?.parse().ok()
}

/// The number of the request that something says it is for. Of a journey, the first step is followed.
fn arrival(fields: &Fields) -> Option<u64> {
    of(fields, "arrival")?.parse().ok().filter(|arrival: &ArrivalId| arrival.step == 0).map(|arrival| arrival.n)
}

#[derive(Clone, Debug)]
enum What {
    /// Spans have numbers of their own, since those of a subscriber come back.
    Opened {
        span: u64,
        parent: Option<u64>,
        name: &'static str,
        fields: Fields,
    },
    Recorded {
        span: u64,
        fields: Fields,
    },
    Closed {
        span: u64,
    },
    /// The span waits for what came of another one.
    Follows {
        span: u64,
        other: u64,
    },
    Event {
        target: &'static str,
        /// Within which it was told.
        span: Option<u64>,
        fields: Fields,
    },
}

impl Tracer {
    /// A tracer that follows the spans with these targets into what requests do within programs. A request is known by
    /// the field `trace_id` of its outermost span, and of its log lines.
    #[must_use]
    pub fn new(spans: &[&str]) -> Self {
        Self { seen: Arc::default(), spans: spans.iter().map(|target| (*target).to_owned()).collect() }
    }

    // Listened to, not asked for: `tracing` at the level trace costs next to nothing where nobody listens, and since
    // all is kept and picked afterwards, a run's events are the same, byte for byte, with a tracer and without.
    /// Follows what clients do and what passes on links in this run.
    pub async fn follow<F: Future>(&self, run: F) -> F::Output {
        let targets = Targets::new().with_target(REQUESTS, Level::TRACE).with_target(chaos_inject::WIRE, Level::TRACE);
        let layer = listen::Listener::new(self.clone(), None).with_filter(targets);
        run.with_subscriber(Dispatch::new(Registry::default().with(layer))).await
    }

    /// The layer that listens to a service: its log lines, and the spans that were asked for.
    pub(crate) fn of_service<S>(&self, service: &str) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        let targets = self.spans.iter().map(|target| (target.clone(), LevelFilter::TRACE));
        let targets = Targets::new().with_default(LevelFilter::INFO).with_targets(targets);
        listen::Listener::new(self.clone(), Some(service.into())).with_filter(targets)
    }

    /// The trace of request `n` in the run with these events; none where there was no such request.
    #[must_use]
    pub fn trace(&self, n: u64, records: &[Record]) -> Option<Trace> {
        pick::pick(n, &self.lock(), &self.spans, records)
    }

    /// The number of the last request; none where there was none.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.lock().iter().filter_map(pick::begun).max()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Observation>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
