//! The metrics of a service. Labels are closed sets: methods and routes that nobody declared become one value, so that
//! no client can grow them.

use http::Method;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};
use std::time::Duration;

/// The `route` of requests that no route takes.
pub(crate) const UNMATCHED: &str = "unmatched";

/// The `status` of requests whose client left before the response (nginx's custom; there is no standard one).
pub(crate) const CLIENT_LEFT: u16 = 499;

/// From a tenth of a millisecond, which is usual here, to ten seconds, in seconds.
const BUCKETS_S: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// An endpoint and the statuses that it may respond with; its series are there at zero from the start.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// The template, as the router has it.
    pub(crate) route: &'static str,
    pub(crate) statuses: &'static [u16],
}

pub(crate) struct Metrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    active: IntGauge,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry, endpoints: &[Endpoint]) -> prometheus::Result<Self> {
        let requests = IntCounterVec::new(
            Opts::new(
                "http_requests_total",
                "Requests answered, by status; 499 where the client left before the response.",
            ),
            &["method", "route", "status"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new("http_request_duration_seconds", "From the request's head to the response's.")
                .buckets(BUCKETS_S.to_vec()),
            &["method", "route"],
        )?;
        let active = IntGauge::new("http_active_requests", "Requests under way.")?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(active.clone()))?;
        for Endpoint { method, route, statuses } in endpoints {
            let method = method_label(method);
            let _ = durations.with_label_values(&[method, route]);
            for status in *statuses {
                let _ = requests.with_label_values(&[method, route, &status.to_string()]);
            }
        }
        Ok(Self { requests, durations, active })
    }

    /// Counts a request as under way, until [`Metrics::ended`].
    pub(crate) fn began(&self) {
        self.active.inc();
    }

    /// Counts a request that [`began`](Metrics::began) and has ended.
    pub(crate) fn ended(&self, method: &Method, route: &str, status: u16, took: Duration) {
        self.active.dec();
        let method = method_label(method);
        self.requests.with_label_values(&[method, route, &status.to_string()]).inc();
        self.durations.with_label_values(&[method, route]).observe(took.as_secs_f64());
    }
}

/// The method, or `other` for one that HTTP doesn't define (RFC 9110, 9.1; RFC 5789).
pub(crate) fn method_label(method: &Method) -> &str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::CONNECT,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
    ];
    if known.contains(method) { method.as_str() } else { "other" }
}
