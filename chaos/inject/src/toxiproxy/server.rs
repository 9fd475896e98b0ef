//! The server: who may send requests, and where they go.

use super::{
    api::Api,
    body,
    error::{ApiError, as_text},
    lease::Lease,
    proxies::Proxies,
    routes,
};
use crate::{Ground, Links, control::Token, seldom::Seldom};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use host::{Host, Listener, Random, http as server};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use rand::Rng as _;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The largest body that is read.
const LARGEST_BODY: usize = 1 << 20;
/// Time that a request's head may take.
const HEAD: Duration = Duration::from_secs(30);
/// Time that requests under way have when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(1);

/// Header by which a request is told from others in logs.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-toxiproxy-request-id");

/// Configuration of the server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The secret that callers have to show; none where they need none.
    pub token: Option<Token>,
    /// The seed of every draw.
    pub seed: u64,
    /// Time without a request after which all toxics are taken back, and all proxies enabled; none: never.
    pub ttl: Option<Duration>,
    /// Connections that each proxy may have at once.
    pub most_connections: usize,
    /// Connections to the server that may be open at once.
    pub most_callers: usize,
    /// Time that connections of proxies have to end when the server stops.
    pub patience: Duration,
}

/// Serves the API on `listener`, over `links`, until the host's shutdown signal; then proxies take no more connections, and those
/// that are open have their patience to end. `populate` is the JSON of proxies that are there from the beginning.
///
/// # Errors
/// In words, where the proxies of `populate` can't be made.
pub async fn serve(
    host: &Host,
    listener: Listener,
    (links, ground): (Arc<Links>, Arc<dyn Ground>),
    populate: Option<&[u8]>,
    config: Config,
) -> Result<(), String> {
    let Config { token, seed, ttl, most_connections, most_callers, patience } = config;
    let proxies = Arc::new(Proxies::new(Arc::clone(&links), ground, seed, most_connections));
    if let Some(bytes) = populate {
        let why = |error: &ApiError| error.json()["error"].as_str().unwrap_or_default().to_owned();
        let populated = proxies.populate(body::parse(bytes).map_err(|error| why(&error))?).await;
        if let Some(error) = populated.error {
            links.drain(Duration::ZERO).await;
            return Err(why(&error));
        }
    }
    let lease = ttl.map(|ttl| Arc::new(Lease::new(ttl)));
    if let Some(lease) = lease.clone() {
        drop(host.spawn(watch(host.clone(), lease, Arc::clone(&proxies))));
    }
    let door = Door { token, lease, ids: Mutex::new(host.rng("requests")), refusals: Seldom::default() };
    let router = router(door, Api { host: host.clone(), proxies });
    let config = server::ServerConfig {
        header_timeout: HEAD,
        write_timeout: HEAD,
        max_connections: most_callers,
        strangers_give_way: true,
        drain: LAST_REQUESTS,
        ..Default::default()
    };
    server::serve(host, listener, router, config).await;
    links.drain(patience).await;
    Ok(())
}

/// Takes all back whenever the lease lapses.
async fn watch(host: Host, lease: Arc<Lease>, proxies: Arc<Proxies>) {
    loop {
        let lapses = lease.lapses();
        tokio::select! {
            biased;
            () = host.shutdown().cancelled() => return,
            () = host.sleep_until(lapses) => {}
        }
        if lease.lapses() != lapses {
            continue;
        }
        tracing::warn!("no request came in time: all toxics are taken back");
        if let Err(error) = proxies.reset().await {
            tracing::error!(error = %error.json(), "not all proxies could be enabled");
        }
        lease.renew();
    }
}

fn router(door: Door, api: Api) -> Router {
    Router::new()
        .route("/version", get(routes::version))
        .route("/reset", post(routes::reset))
        .route("/populate", post(routes::populate))
        .route("/proxies", get(routes::list).post(routes::create))
        .route("/proxies/{proxy}", get(routes::show).post(routes::update).patch(routes::update).delete(routes::delete))
        .route("/proxies/{proxy}/toxics", get(routes::toxics).post(routes::add_toxic))
        .route(
            "/proxies/{proxy}/toxics/{toxic}",
            get(routes::show_toxic).post(routes::update_toxic).patch(routes::update_toxic).delete(routes::remove_toxic),
        )
        .route("/metrics", get(routes::metrics))
        .fallback(async || as_text(StatusCode::NOT_FOUND, "404 page not found".to_owned()))
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(middleware::from_fn_with_state(Arc::new(door), guard))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(api)
}

/// Tells who may come in.
struct Door {
    token: Option<Token>,
    lease: Option<Arc<Lease>>,
    ids: Mutex<Random>,
    refusals: Seldom,
}

impl Door {
    /// Refuses what a page sent, and whoever does not show the token.
    fn refuse(&self, headers: &HeaderMap) -> Option<Response> {
        let agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        // A page can send requests to this machine: browsers say who they are, or where the page is from, or both.
        if headers.contains_key(header::ORIGIN) || agent.starts_with(b"Mozilla/") {
            return Some(as_text(StatusCode::FORBIDDEN, "User agent not allowed".to_owned()));
        }
        let token = self.token.as_ref()?;
        let shown = headers.get(header::AUTHORIZATION);
        let is_shown = shown.is_some_and(|shown| token.is_shown_by(shown.as_bytes()));
        (!is_shown).then(|| ApiError::Unauthenticated.into_response())
    }

    fn id(&self) -> HeaderValue {
        let id = self.ids.lock().unwrap_or_else(PoisonError::into_inner).next_u64();
        HeaderValue::from_str(&format!("{id:016x}")).unwrap_or_else(|_| HeaderValue::from_static("0"))
    }
}

async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let mut response = match door.refuse(request.headers()) {
        Some(refusal) => {
            if let Some(more) = door.refusals.tell() {
                let peer = request.extensions().get::<server::Peer>().map(|peer| peer.0.to_string());
                tracing::warn!(
                    peer,
                    path = request.uri().path(),
                    more,
                    "refused: a page's request, or no token that is good"
                );
            }
            refusal
        }
        None => {
            if let Some(lease) = &door.lease {
                lease.renew();
            }
            if let Some(trust) = request.extensions().get::<server::Trust>() {
                trust.grant();
            }
            next.run(request).await
        }
    };
    response.headers_mut().insert(REQUEST_ID, door.id());
    response
}
