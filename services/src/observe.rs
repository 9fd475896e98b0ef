//! Observation of every request, matched or not: an id, the metrics, one log line, and the writing of problems.

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
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rand::Rng as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// The `status` of a request whose handler panicked: its client sees the connection end.
const BUG: u16 = 500;

/// The shared parts that the observation of a service needs.
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
    exchange.status = Some(response.status().as_u16());
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
    /// The response's; absent while there is none.
    status: Option<u16>,
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
        let status = self.status.unwrap_or_else(|| if std::thread::panicking() { BUG } else { CLIENT_LEFT });
        let route = self.route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        self.observer.0.metrics.ended(&self.method, route, status, took);
        tracing::info!(
            request_id = self.request_id_text(),
            trace_id = self.trace_id,
            chaos.request = self.request_number,
            method = method_label(&self.method),
            route,
            status,
            duration_ms = took.as_micros() as f64 / 1000.0,
            "request"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, middleware, routing::get};
    use std::{
        convert::Infallible,
        future::{pending, poll_fn},
        task::Poll,
    };
    use tower_service::Service as _;

    fn world() -> (Host, Router) {
        let host = host::memory::MemoryNetwork::new(1).host("service");
        let observer = Observer::new(&host, Metrics::register(host.metrics(), &[]).unwrap());
        let router = Router::new()
            .route("/waits", get(async || pending::<()>().await))
            .route(
                "/panics",
                get(async || {
                    if true {
                        panic!("on purpose")
                    }
                }),
            )
            .layer(middleware::from_fn_with_state(observer, observe));
        (host, router)
    }

    fn call(router: &Router, path: &str) -> impl Future<Output = Result<Response, Infallible>> + Send + use<> {
        router.clone().call(Request::get(path).body(Body::empty()).unwrap())
    }

    fn metrics(host: &Host) -> String {
        prometheus::TextEncoder::new().encode_to_string(&host.metrics().gather()).unwrap()
    }

    #[tokio::test]
    async fn a_thousand_requests_that_are_dropped_are_counted_once_each_as_499_and_leave_the_gauge() {
        let (host, router) = world();
        let mut calls: Vec<_> = (0..1000).map(|_| Box::pin(call(&router, "/waits"))).collect();
        // Those that never ran were never under way.
        for call in calls.iter_mut().skip(1) {
            let pending = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending())).await;
            assert!(pending);
        }
        assert!(metrics(&host).contains("http_active_requests 999\n"));
        drop(calls);
        let text = metrics(&host);
        assert!(text.contains("http_active_requests 0\n"), "{text}");
        let line = r#"http_requests_total{method="GET",route="/waits",status="499"} 999"#;
        assert!(text.contains(line), "{text}");
    }

    #[tokio::test]
    async fn a_panic_is_counted_once_as_500_and_leaves_the_gauge() {
        let (host, router) = world();
        assert!(host.spawn(call(&router, "/panics")).await.is_err());
        let text = metrics(&host);
        assert!(text.contains("http_active_requests 0\n"), "{text}");
        let line = r#"http_requests_total{method="GET",route="/panics",status="500"} 1"#;
        assert!(text.contains(line), "{text}");
    }
}
