//! Around every request: who it is, how long it took, what came of it. One count, one duration and one log line each.

use crate::{
    App,
    context::{RequestContext, X_REQUEST_ID},
    labels::{Label as _, Method, Route},
    metrics::{Active, Metrics},
    profile::Summary,
    spans,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;
use tracing::{Instrument as _, Span};

/// The status that nginx logs where the client went away before its response.
const CLIENT_WENT_AWAY: u16 = 499;

/// The outermost layer.
pub(super) async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let method = Method::of(request.method());
    let route = Route::of(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let span = spans::request(method, route);
    let context = RequestContext::take_in(request.headers(), &app.ids, &span);
    // A scrape would always see itself.
    let active = (route != Route::Metrics).then(|| app.metrics.active());
    let metrics = &app.metrics;
    let mut end = End { metrics, context: &context, span: &span, method, route, ended: false, _active: active };
    request.extensions_mut().insert(context.clone());
    let mut response = next.run(request).instrument(span.clone()).await;
    response.headers_mut().insert(X_REQUEST_ID, context.request_id.clone());
    end.with(&response);
    drop(end);
    response
}

/// The end of a request, which is told of even if its handling is dropped because the client went away.
struct End<'a> {
    metrics: &'a Metrics,
    context: &'a RequestContext,
    span: &'a Span,
    method: Method,
    route: Route,
    ended: bool,
    _active: Option<Active>,
}

impl End<'_> {
    fn with(&mut self, response: &Response) {
        self.ended = true;
        self.tell(response.status().as_u16(), response.extensions().get());
    }

    fn tell(&self, status: u16, summary: Option<&Arc<Summary>>) {
        let took = self.context.started.elapsed();
        self.metrics.request(self.method, self.route, status, took);
        spans::responded(self.span, status);
        let (request_id, trace_id) = (self.context.request_id(), self.context.trace.id.as_str());
        // Of those that got as far as the profile, the response's own.
        let outcome = summary.map_or_else(|| outcome(status), |summary| summary.outcome);
        let (method, route, duration_ms) = (self.method.label(), self.route.label(), took.as_secs_f64() * 1e3);
        match (self.route, summary) {
            (_, Some(summary)) => tracing::info!(
                request_id,
                trace_id,
                method,
                route,
                status,
                duration_ms,
                user_id = %summary.user_id,
                outcome,
                cache = summary.cache,
                user = summary.parts[0].state,
                user_ms = summary.parts[0].took_ms,
                orders = summary.parts[1].state,
                orders_ms = summary.parts[1].took_ms,
                products = summary.parts[2].state,
                products_ms = summary.parts[2].took_ms,
                errors = summary.errors,
                "request"
            ),
            // Probes and scrapes come every few seconds and say little.
            (Route::Health | Route::Live | Route::Ready | Route::Metrics, None) => {
                tracing::debug!(request_id, trace_id, method, route, status, duration_ms, outcome, "request");
            }
            (_, None) => {
                tracing::info!(request_id, trace_id, method, route, status, duration_ms, outcome, "request");
            }
        }
    }
}

/// The outcome, for metrics, of a request that asked for no profile, or got no response.
fn outcome(status: u16) -> &'static str {
    match status {
        CLIENT_WENT_AWAY => "cancelled",
        400.. => "refused",
        _ => "complete",
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(CLIENT_WENT_AWAY, None);
        }
    }
}
