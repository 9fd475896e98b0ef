//! The routes, and who may use them.

use super::{
    TIMES_TO_LIVE,
    openapi::{self, responses},
    problem::Problem,
    steered::{Controlled, Steered},
    token::Token,
    wire::{Health, LeaseState, LinkStates, Send, Wanted},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Path, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post, put},
};
use host::{Host, Listener, http as server};
use http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};

/// The largest body that is read; a fault may bring a whole response with it.
const LARGEST_BODY: usize = 1 << 20;
/// Connections to the control server that may be open at once.
const MOST_CONNECTIONS: usize = 64;
/// Time that requests under way have when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(1);
/// The longest that a holder calls itself, in bytes.
const LONGEST_HOLDER: usize = 200;

/// State that handlers have at hand.
#[derive(Clone)]
pub(super) struct Api {
    host: Host,
    steered: Arc<Steered>,
    token: Token,
}

/// Steers these links' proxies for whoever shows the token, until the host's shutdown signal. Then all faults are taken
/// back at once, the proxies take no more connections, and those that are open have `patience` to end.
pub async fn serve(host: &Host, listener: Listener, links: Vec<Controlled>, token: Token, patience: Duration) {
    let steered = Steered::new(host, links);
    let watched = Arc::clone(&steered);
    let watching = host.spawn(async move { watched.watch().await });
    let router = router(Api { host: host.clone(), steered: Arc::clone(&steered), token });
    let config = server::ServerConfig { max_connections: MOST_CONNECTIONS, drain: LAST_REQUESTS, ..Default::default() };
    server::serve(host, listener, router, config).await;
    // It ends by itself, once the faults are taken back.
    let _ = watching.await;
    steered.drain(patience).await;
}

fn router(api: Api) -> Router {
    let guarded = Router::new()
        .route("/v1/links", get(links))
        .route("/v1/lease", get(lease).post(take))
        .route("/v1/lease/{id}", put(renew).delete(give_up))
        .route("/v1/lease/{id}/messages", post(send))
        .route_layer(middleware::from_fn_with_state(api.clone(), authenticate));
    Router::new()
        .merge(guarded)
        .route("/v1/health", get(health))
        .route("/v1/openapi.json", get(document))
        .fallback(async || Problem::NoSuchRoute)
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

async fn authenticate(State(api): State<Api>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION);
    if shown.is_some_and(|shown| api.token.is_shown_by(shown.as_bytes())) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<server::Peer>().map(|peer| peer.0.to_string());
    tracing::warn!(peer, path = request.uri().path(), "refused: no token that is good");
    Problem::Unauthenticated.into_response()
}

/// A JSON body; what is wrong with it is a problem.
pub(super) struct Read<T>(T);

impl<T: DeserializeOwned> FromRequest<Api> for Read<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let body =
            Bytes::from_request(request, api).await.map_err(|rejection| match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge,
                _ => Problem::BadRequest("the body could not be read".to_owned()),
            })?;
        serde_json::from_slice(&body).map(Self).map_err(|error| Problem::BadRequest(error.to_string()))
    }
}

/// The server is there
#[utoipa::path(get, path = "/v1/health", tag = "operation", responses(responses::Health))]
pub(super) async fn health() -> Response {
    Json(Health { status: "ok" }).into_response()
}

/// The description of this API
#[utoipa::path(get, path = "/v1/openapi.json", tag = "operation", responses(responses::Document))]
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], openapi::json()).into_response()
}

/// Every link, with its proxy and the faults that are in place
#[utoipa::path(get, path = "/v1/links", tag = "links", security(("token" = [])), responses(responses::Links))]
pub(super) async fn links(State(api): State<Api>) -> Json<LinkStates> {
    Json(api.steered.links())
}

/// The holder of the lease, if anybody holds it
#[utoipa::path(get, path = "/v1/lease", tag = "lease", security(("token" = [])), responses(responses::Lease))]
pub(super) async fn lease(State(api): State<Api>) -> Json<LeaseState> {
    Json(api.steered.lease())
}

/// Take the lease
///
/// One holds it at a time, and only under it faults come and go. It has to be renewed within its time; else it lapses,
/// and its faults are taken back at once.
#[utoipa::path(
    post, path = "/v1/lease", tag = "lease", security(("token" = [])),
    request_body = Wanted, responses(responses::Take)
)]
pub(super) async fn take(State(api): State<Api>, Read(wanted): Read<Wanted>) -> Result<Response, Problem> {
    check(&wanted)?;
    let steered = Arc::clone(&api.steered);
    let granted = to_its_end(&api.host, async move { steered.take(wanted).await }).await?;
    let place = format!("/v1/lease/{}", granted.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(granted)).into_response())
}

fn check(wanted: &Wanted) -> Result<(), Problem> {
    let Wanted { holder, ttl, .. } = wanted;
    if holder.trim().is_empty() || holder.len() > LONGEST_HOLDER || holder.contains(char::is_control) {
        let why = format!("`holder` says who asks, in at most {LONGEST_HOLDER} bytes on one line");
        return Err(Problem::BadRequest(why));
    }
    if TIMES_TO_LIVE.contains(ttl) {
        return Ok(());
    }
    let (least, most) = (TIMES_TO_LIVE.start().as_millis(), TIMES_TO_LIVE.end().as_millis());
    Err(Problem::BadRequest(format!("`ttl_ms` must be from {least} to {most}")))
}

/// Let the lease live on for as long as it was taken for, from now
#[utoipa::path(
    put, path = "/v1/lease/{id}", tag = "lease", security(("token" = [])),
    params(("id" = String, Path)), responses(responses::Renew)
)]
pub(super) async fn renew(State(api): State<Api>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    api.steered.renew(&id).map(|()| StatusCode::NO_CONTENT)
}

/// Give the lease up
///
/// When it is answered, its faults are taken back. Done already where the lease is over.
#[utoipa::path(
    delete, path = "/v1/lease/{id}", tag = "lease", security(("token" = [])),
    params(("id" = String, Path)), responses(responses::GiveUp)
)]
pub(super) async fn give_up(State(api): State<Api>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let steered = Arc::clone(&api.steered);
    to_its_end(&api.host, async move { steered.give_up(&id).await }).await.map(|()| StatusCode::NO_CONTENT)
}

/// Tell the proxy of a link what to do
///
/// When it is answered, the change holds for every connection. To take a fault back once more is answered as it was
/// before, also after the end of the lease (for the last few faults).
#[utoipa::path(
    post, path = "/v1/lease/{id}/messages", tag = "links", security(("token" = [])),
    params(("id" = String, Path)), request_body = Send, responses(responses::Send)
)]
pub(super) async fn send(
    State(api): State<Api>,
    Path(id): Path<String>,
    Read(message): Read<Send>,
) -> Result<Response, Problem> {
    let steered = Arc::clone(&api.steered);
    let reply = to_its_end(&api.host, async move { steered.send(&id, message).await }).await?;
    Ok(Json(reply).into_response())
}

/// Goes on even if whoever asks hangs up: half a change would be nobody's.
async fn to_its_end<T>(
    host: &Host,
    change: impl Future<Output = Result<T, Problem>> + std::marker::Send + 'static,
) -> Result<T, Problem>
where
    T: std::marker::Send + 'static,
{
    // A task of its own, which no caller's hang-up cancels.
    host.spawn(change).await.unwrap_or_else(|_| Err(Problem::Refused("the server stops".to_owned())))
}
