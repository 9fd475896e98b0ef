//! What a client meets: routes, identity of requests, problems. Limits of connections and of heads are the server's
//! ([`host::http`]).

pub(crate) mod admission;
pub(crate) mod conditional;
pub(crate) mod context;
mod observe;
pub(crate) mod problem;
mod rates;
mod trace;

use crate::{App, health, labels::Label as _, labels::Route, profile};
use axum::{Extension, Router, extract::State, middleware, response::Response, routing::get};
use context::RequestContext;
use host::http::ServerConfig;
use http::header;
use problem::Problem;
use prometheus::TextEncoder;
use std::sync::Arc;

/// The server's limits.
pub(crate) fn server(app: &App) -> ServerConfig {
    let edge = &app.settings.edge;
    ServerConfig {
        header_timeout: edge.header_timeout,
        head_limit: edge.head_limit,
        max_connections: edge.max_connections,
        turned_away: Some(app.metrics.edge.connections_turned_away.clone()),
        drain_delay: app.settings.drain_delay,
        drain: app.settings.drain,
    }
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(Route::Profile.label(), get(profile::handle))
        .route(Route::Health.label(), get(health::health))
        .route(Route::Live.label(), get(health::live))
        .route(Route::Ready.label(), get(health::ready))
        .route(Route::Metrics.label(), get(metrics))
        .fallback(async |Extension(context): Extension<RequestContext>| {
            Problem::NoSuchRoute.response(&context, None, &[])
        })
        .method_not_allowed_fallback(async |Extension(context): Extension<RequestContext>| {
            Problem::MethodNotAllowed.response(&context, None, &[])
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&app), observe::observe))
        .with_state(app)
}

/// Everything in the host's registry, in Prometheus's text format.
async fn metrics(State(app): State<Arc<App>>) -> Response {
    let families = app.host.metrics().gather();
    let text = TextEncoder::new().encode_to_string(&families).unwrap_or_default();
    let mut response = Response::new(text.into());
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(prometheus::TEXT_FORMAT));
    response
}
