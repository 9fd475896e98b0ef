//! Common parts of the three services: the router around their routes, health, metrics, and the loop that serves.

use crate::{
    Config, Error,
    metrics::{Endpoint, Metrics},
    observe::{Observer, observe},
    problem::{Problem, ProblemKind},
};
use axum::{Json, Router, extract::State, middleware, response::IntoResponse, routing::get};
use host::{Host, http::ServerConfig};
use http::{Method, header};
use prometheus::{Registry, TextEncoder};
use serde_json::{Value, json};

/// Differences between a service and its siblings.
pub(crate) struct Service {
    /// `user`, `order` or `product`.
    pub(crate) name: &'static str,
    pub(crate) config: Config,
    pub(crate) routes: Router,
    /// Endpoints of `routes`, with their statuses.
    pub(crate) endpoints: Vec<Endpoint>,
}

/// Serves until the host's shutdown signal.
pub(crate) async fn run(host: Host, service: Service) -> Result<(), Error> {
    let Service { name, config, .. } = service;
    let router = router(&host, service)?;
    let listener = host.listen(config.port).map_err(|source| Error::Listen { port: config.port, source })?;
    tracing::info!(service = name, port = listener.port(), data_seed = config.data_seed, "listening");
    host::http::serve(&host, listener, router, ServerConfig::default()).await;
    tracing::info!(service = name, "stopped");
    Ok(())
}

fn router(host: &Host, service: Service) -> Result<Router, Error> {
    let Service { name, config, routes, mut endpoints } = service;
    endpoints.push(Endpoint { method: Method::GET, route: "/health", statuses: &[200] });
    endpoints.push(Endpoint { method: Method::GET, route: "/metrics", statuses: &[200] });
    let observer = Observer::new(host, Metrics::register(host.metrics(), &endpoints)?);
    let health = json!({
        "status": "ok",
        "service": name,
        "version": env!("CARGO_PKG_VERSION"),
        "data_seed": config.data_seed,
    });
    let router = routes
        .route("/health", get(|State(health): State<Value>| async { Json(health) }).with_state(health))
        .route("/metrics", get(metrics).with_state(host.metrics().clone()))
        .fallback(|| async { Problem::new(ProblemKind::NoSuchRoute, "there is no such endpoint") })
        .method_not_allowed_fallback(|| async {
            Problem::new(ProblemKind::MethodNotAllowed, "the Allow header lists what this endpoint takes")
        })
        .layer(middleware::from_fn_with_state(observer, observe));
    Ok(router)
}

async fn metrics(State(registry): State<Registry>) -> impl IntoResponse {
    // It fails for families without a name or a type only, and those can't be registered.
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap_or_default();
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text)
}
