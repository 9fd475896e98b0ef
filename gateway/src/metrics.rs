//! The gateway's metrics. All series exist at zero from the start; labels come from closed sets ([`crate::labels`])
//! alone.
//!
//! What it doesn't do: time anything. Durations are tokio's, observed by whoever measured them.

mod upstream;

pub(crate) use upstream::UpstreamMetrics;
mod cache;
mod edge;

pub(crate) use cache::CacheMetrics;
pub(crate) use edge::EdgeMetrics;

use crate::{
    labels::{Code, Connect, Freshness, Label, Method, Miss, Mode, Outcome, Route, Service, Tier, Write},
    spans,
};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, core::Collector,
};
use std::time::Duration;
use tracing::Span;

/// Seconds: from a cached response to past the deadline.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 10.0];

/// The statuses that a profile can have: they are there at zero.
const PROFILE_STATUSES: [&str; 14] =
    ["200", "304", "400", "401", "403", "404", "406", "412", "413", "429", "499", "502", "503", "504"];

/// All metrics of one gateway.
pub(crate) struct Metrics {
    requests: IntCounterVec,
    request_duration: HistogramVec,
    active: IntGauge,
    lookups: IntCounterVec,
    hits: IntCounterVec,
    misses: IntCounterVec,
    writes: IntCounterVec,
    mode: IntGaugeVec,
    connects: IntCounterVec,
    lost: IntCounter,
    aggregation: HistogramVec,
    errors: IntCounterVec,
    calls: IntCounterVec,
    call_duration: HistogramVec,
    upstream: UpstreamMetrics,
    /// The cache beyond its lookups.
    pub(crate) cache: CacheMetrics,
    /// Metrics of the requests that clients were refused.
    pub(crate) edge: EdgeMetrics,
}

/// Registers what it makes.
struct Maker<'a>(&'a Registry);

impl Maker<'_> {
    fn add<C: Collector + Clone + 'static>(&self, collector: C) -> prometheus::Result<C> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<HistogramVec> {
        self.add(HistogramVec::new(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()), labels)?)
    }
}

impl Metrics {
    /// Makes them and registers them with the host's registry.
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Maker(registry);
        let metrics = Self {
            requests: make.counters(
                "http_requests_total",
                "Requests answered; 499: the client went away",
                &["method", "route", "status"],
            )?,
            request_duration: make.histograms(
                "http_request_duration_seconds",
                "From a request's head to the end of its handling; GET and HEAD, since no route takes others",
                &["method", "route"],
            )?,
            active: make.add(IntGauge::new("http_active_requests", "Requests under way, scrapes left out")?)?,
            lookups: make.counters("cache_lookups_total", "Times that a tier was asked", &["tier"])?,
            hits: make.counters("cache_hits_total", "Lookups that gave a profile", &["tier", "freshness"])?,
            misses: make.counters("cache_misses_total", "Lookups that gave none", &["tier", "reason"])?,
            writes: make.counters("cache_redis_writes_total", "Writes to Redis by what came of them", &["result"])?,
            mode: make.add(IntGaugeVec::new(
                Opts::new("cache_mode", "1 for where cached responses come from just now"),
                &["mode"],
            )?)?,
            connects: make.counters("redis_connects_total", "Attempts to connect to Redis", &["result"])?,
            lost: make
                .add(IntCounter::new("redis_connections_lost_total", "Connections to Redis that were given up")?)?,
            aggregation: make.histograms(
                "aggregation_duration_seconds",
                "Time to gather a profile from the services",
                &["outcome"],
            )?,
            errors: make.counters("service_errors_total", "Failed calls to services", &["service", "code"])?,
            calls: make.counters("service_calls_total", "Calls to services", &["service"])?,
            call_duration: make.histograms("service_call_duration_seconds", "Calls to services", &["service"])?,
            upstream: UpstreamMetrics::register(&make)?,
            cache: CacheMetrics::register(&make)?,
            edge: EdgeMetrics::register(&make)?,
        };
        metrics.start_at_zero();
        Ok(metrics)
    }

    fn start_at_zero(&self) {
        for route in Route::ALL {
            for method in Method::ALL {
                for status in statuses(*method, *route) {
                    let _ = self.requests.with_label_values(&[method.label(), route.label(), status]);
                }
                if method.is_answered() {
                    let _ = self.request_duration.with_label_values(&[method.label(), route.label()]);
                }
            }
        }
        for tier in Tier::ALL {
            let _ = self.lookups.with_label_values(&[tier.label()]);
            for freshness in Freshness::ALL {
                let _ = self.hits.with_label_values(&[tier.label(), freshness.label()]);
            }
            for reason in Miss::ALL {
                let _ = self.misses.with_label_values(&[tier.label(), reason.label()]);
            }
        }
        for service in Service::ALL {
            let _ = self.calls.with_label_values(&[service.label()]);
            let _ = self.call_duration.with_label_values(&[service.label()]);
            for code in Code::ALL {
                let _ = self.errors.with_label_values(&[service.label(), code.label()]);
            }
        }
        zero(Write::ALL, |word| drop(self.writes.with_label_values(&[word])));
        zero(Connect::ALL, |word| drop(self.connects.with_label_values(&[word])));
        zero(Mode::ALL, |word| drop(self.mode.with_label_values(&[word])));
        zero(Outcome::ALL, |word| drop(self.aggregation.with_label_values(&[word])));
    }

    /// Breakers, bulkheads and retries.
    pub(crate) fn upstream(&self) -> &UpstreamMetrics {
        &self.upstream
    }

    /// A request ended; `status` 499 is that of a client that went away (as nginx has it).
    pub(crate) fn request(&self, method: Method, route: Route, status: u16, took: Duration) {
        self.requests.with_label_values(&[method.label(), route.label(), &status.to_string()]).inc();
        if method.is_answered() {
            self.request_duration.with_label_values(&[method.label(), route.label()]).observe(took.as_secs_f64());
        }
    }

    /// Counts a request as under way for as long as the guard lives.
    pub(crate) fn active(&self) -> Active {
        self.active.inc();
        Active(self.active.clone())
    }

    /// A tier is asked. The guard must be told what came of it; one that isn't, since the request was cancelled, counts
    /// as a miss: so hits and misses always make up the lookups.
    pub(crate) fn lookup(&self, tier: Tier) -> Lookup<'_> {
        self.lookups.with_label_values(&[tier.label()]).inc();
        Lookup { metrics: self, tier, span: spans::lookup(tier), told: false }
    }

    /// A write to Redis ended.
    pub(crate) fn write(&self, result: Write) {
        self.writes.with_label_values(&[result.label()]).inc();
    }

    /// Sets the source of cached responses just now.
    pub(crate) fn mode(&self, now: Mode) {
        for mode in Mode::ALL {
            self.mode.with_label_values(&[mode.label()]).set(i64::from(*mode == now));
        }
    }

    /// An attempt to connect to Redis ended.
    pub(crate) fn connect(&self, result: Connect) {
        self.connects.with_label_values(&[result.label()]).inc();
    }

    /// A connection to Redis was given up.
    pub(crate) fn connection_lost(&self) {
        self.lost.inc();
    }

    /// A profile was gathered, or wasn't.
    pub(crate) fn aggregation(&self, outcome: Outcome, took: Duration) {
        self.aggregation.with_label_values(&[outcome.label()]).observe(took.as_secs_f64());
    }

    /// A call to a service begins.
    pub(crate) fn call(&self, service: Service) {
        self.calls.with_label_values(&[service.label()]).inc();
    }

    /// A call to a service ended after `took`.
    pub(crate) fn call_ended(&self, service: Service, took: Duration) {
        self.call_duration.with_label_values(&[service.label()]).observe(took.as_secs_f64());
    }

    /// A service failed, or its response had holes.
    pub(crate) fn service_error(&self, service: Service, code: Code) {
        self.errors.with_label_values(&[service.label(), code.label()]).inc();
    }
}

/// The statuses that such a request can get.
fn statuses(method: Method, route: Route) -> &'static [&'static str] {
    match (route, method.is_answered()) {
        (Route::Profile, true) => &PROFILE_STATUSES,
        (Route::Profile, false) => &["405", "406", "413", "429", "503"],
        (Route::Unmatched, _) => &["404", "406", "413", "429", "503"],
        (Route::Health | Route::Ready, true) => &["200", "406", "412", "413", "503"],
        (Route::Live | Route::Metrics, true) => &["200", "406", "412", "413"],
        (Route::Health | Route::Ready | Route::Live | Route::Metrics, false) => &["405", "406", "413"],
        (Route::OpenApi | Route::Docs | Route::DocsFile, true) => &["200", "404", "406", "412", "413", "429", "503"],
        (Route::OpenApi | Route::Docs | Route::DocsFile, false) => &["405", "406", "413", "429", "503"],
    }
}

fn zero<L: Label>(words: &[L], mut touch: impl FnMut(&str)) {
    words.iter().for_each(|word| touch(word.label()));
}

/// A request under way.
#[must_use = "the request counts as under way for as long as this lives"]
pub(crate) struct Active(IntGauge);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A tier that is being asked; a span as well.
#[must_use = "it counts as cancelled unless it is told what came of it"]
pub(crate) struct Lookup<'a> {
    metrics: &'a Metrics,
    tier: Tier,
    span: Span,
    told: bool,
}

impl Lookup<'_> {
    /// The tier gave a profile.
    pub(crate) fn hit(mut self, freshness: Freshness) {
        self.told = true;
        spans::looked_up(&self.span, freshness.label());
        self.metrics.hits.with_label_values(&[self.tier.label(), freshness.label()]).inc();
    }

    /// The tier gave none.
    pub(crate) fn miss(mut self, reason: Miss) {
        self.told = true;
        self.count_miss(reason);
    }

    fn count_miss(&self, reason: Miss) {
        spans::looked_up(&self.span, reason.label());
        self.metrics.misses.with_label_values(&[self.tier.label(), reason.label()]).inc();
    }
}

impl Drop for Lookup<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.count_miss(Miss::Cancelled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_there_at_zero() {
        let registry = Registry::new();
        Metrics::register(&registry).unwrap();
        let names: Vec<String> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        for name in [
            "http_requests_total",
            "http_request_duration_seconds",
            "http_active_requests",
            "cache_hits_total",
            "cache_misses_total",
            "aggregation_duration_seconds",
            "service_errors_total",
        ] {
            assert!(names.iter().any(|there| there == name), "{name} in {names:?}");
        }
    }

    #[test]
    fn a_lookup_that_is_dropped_counts_as_a_miss() {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        drop(metrics.lookup(Tier::Redis));
        metrics.lookup(Tier::Redis).hit(Freshness::Fresh);
        metrics.lookup(Tier::Redis).miss(Miss::Down);
        let misses = |reason: Miss| metrics.misses.with_label_values(&["redis", reason.label()]).get();
        assert_eq!((misses(Miss::Cancelled), misses(Miss::Down)), (1, 1));
        assert_eq!(metrics.lookups.with_label_values(&["redis"]).get(), 3);
    }
}
