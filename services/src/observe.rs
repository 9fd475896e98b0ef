//! What is done for every request, matched or not: an id, the metrics, one log line, and the writing of problems.

use crate::{
    context,
    metrics::{CLIENT_LEFT, Metrics, UNMATCHED, method_label},
    problem,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use host::{Host, Random};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rand::Rng as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// What the observation of a service needs.
#[derive(Clone)]
pub(crate) struct Observer(Arc<Inner>);

struct Inner {
    metrics: Metrics,
    request_ids: Mutex<Random>,
}

impl Observer {
    pub(crate) fn new(host: &Host, metrics: Metrics) -> Self {
        Self(Arc::new(Inner { metrics, request_ids: Mutex::new(host.rng("request id")) }))
    }

    fn request_id(&self, headers: &HeaderMap) -> HeaderValue {
        if let Some(given) = context::request_id(headers) {
            return given.clone();
        }
        let mut random = self.0.request_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let id = format!("{:016x}{:016x}", random.next_u64(), random.next_u64());
        HeaderValue::try_from(id).expect("hexadecimal digits are fit for a header")
    }
}

/// The middleware around every route and around what no route takes.
pub(crate) async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let mut exchange = Exchange::begin(observer, &request);
    let mut response = problem::render(next.run(request).await, exchange.request_id_text());
    response.headers_mut().insert(HeaderName::from_static(context::REQUEST_ID), exchange.request_id.clone());
    exchange.status = Some(response.status());
    response
}

/// One request under way. However it ends, dropping this ends it once in the metrics and in the log.
struct Exchange {
    observer: Observer,
    started: Instant,
    request_id: HeaderValue,
    trace_id: Option<String>,
    request_number: Option<String>,
    method: Method,
    route: Option<MatchedPath>,
    status: Option<StatusCode>,
}

impl Exchange {
    fn begin(observer: Observer, request: &Request) -> Self {
        observer.0.metrics.began();
        let headers = request.headers();
        Self {
            started: Instant::now(),
            request_id: observer.request_id(headers),
            trace_id: context::trace_id(headers).map(str::to_owned),
            request_number: context::request_number(headers).map(str::to_owned),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            status: None,
            observer,
        }
    }

    fn request_id_text(&self) -> &str {
        // Both kinds of ids, given and made, are ASCII.
        self.request_id.to_str().unwrap_or_default()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let route = self.route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        self.observer.0.metrics.ended(&self.method, route, self.status, took);
        tracing::info!(
            request_id = self.request_id_text(),
            trace_id = self.trace_id,
            chaos.request = self.request_number,
            method = method_label(&self.method),
            route,
            status = self.status.map_or(CLIENT_LEFT, |status| status.as_u16()),
            duration_ms = took.as_secs_f64() * 1000.0,
            "request"
        );
    }
}
