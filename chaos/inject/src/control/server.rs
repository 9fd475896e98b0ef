//! The server: where requests go, and who may send them.

use super::{
    PREFIX, openapi,
    problem::Problem,
    routes::{self, Api},
    steered::Steered,
    token::Token,
};
use crate::{Links, seldom::Seldom};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post, put},
};
use host::{Host, Listener, http as server};
use http::{HeaderValue, header};
use std::{sync::Arc, time::Duration};

/// The largest body that is read; a fault may bring a whole response with it.
const LARGEST_BODY: usize = 1 << 20;
/// Time that a request's head may take. Who is slower may be holding a place that others need.
const HEAD: Duration = Duration::from_secs(2);
/// Time that requests under way have when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// Configuration of the control server.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// The secret that callers have to show.
    pub token: Token,
    /// Connections to it that may be open at once. Where they are, one that has shown no token yet gives way to the next.
    pub most_connections: usize,
    /// Time that connections of the links have to end when the server stops.
    pub patience: Duration,
}

/// Steers these links' proxies for whoever shows the token, until the host's shutdown signal. Then all faults are taken
/// back at once, the proxies take no more connections, and those that are open have their patience to end.
pub async fn serve(host: &Host, listener: Listener, links: Arc<Links>, config: ServeConfig) {
    let ServeConfig { token, most_connections, patience } = config;
    let steered = Steered::new(host, links);
    let watched = Arc::clone(&steered);
    let watching = host.spawn(async move { watched.watch().await });
    let router = router(token, Api { host: host.clone(), steered: Arc::clone(&steered), document: openapi::json() });
    let config = server::ServerConfig {
        header_timeout: HEAD,
        write_timeout: HEAD,
        max_connections: most_connections,
        strangers_give_way: true,
        drain: LAST_REQUESTS,
        ..Default::default()
    };
    server::serve(host, listener, router, config).await;
    // It ends by itself, once the faults are taken back.
    let _ = watching.await;
    steered.drain(patience).await;
}

fn router(token: Token, api: Api) -> Router {
    let at = |route: &str| format!("{PREFIX}{route}");
    let guarded = Router::new()
        .route(&at("/links"), get(routes::links))
        .route(&at("/lease"), get(routes::lease).post(routes::take))
        .route(&at("/lease/{id}"), put(routes::renew).delete(routes::give_up))
        .route(&at("/lease/{id}/messages"), post(routes::send))
        .route_layer(middleware::from_fn_with_state(
            Arc::new(Door { token, refusals: Seldom::default() }),
            authenticate,
        ));
    Router::new()
        .merge(guarded)
        .route(&at("/health"), get(routes::health))
        .route(&at("/openapi.json"), get(routes::document))
        .fallback(routes::elsewhere)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(middleware::map_response(fresh))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(api)
}

/// Middleware that forbids caches: what is told here is over in the next moment.
async fn fresh(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Tells whoever knows the token from others.
struct Door {
    token: Token,
    refusals: Seldom,
}

async fn authenticate(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION);
    if shown.is_some_and(|shown| door.token.is_shown_by(shown.as_bytes())) {
        if let Some(trust) = request.extensions().get::<server::Trust>() {
            trust.grant();
        }
        return next.run(request).await;
    }
    if let Some(more) = door.refusals.tell() {
        let peer = request.extensions().get::<server::Peer>().map(|peer| peer.0.to_string());
        tracing::warn!(peer, path = request.uri().path(), more, "refused: no token that is good");
    }
    Problem::Unauthenticated.into_response()
}
