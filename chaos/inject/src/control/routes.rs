//! The routes: what is asked, and what is answered.

use super::{
    PREFIX, TIMES_TO_LIVE,
    problem::Problem,
    reading, responses,
    steered::Steered,
    wire::{Health, LeaseState, LinkStates, Send, Wanted},
};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request, State},
    response::{IntoResponse as _, Response},
};
use chaos_model::plain::is_hidden;
use host::Host;
use http::{HeaderValue, StatusCode, Uri, header, request::Parts};
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};

/// Time that a request's body may take.
const BODY: Duration = Duration::from_secs(2);
/// The longest that a holder calls itself, in bytes.
const LONGEST_HOLDER: usize = 200;

/// State that handlers have at hand.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) host: Host,
    pub(super) steered: Arc<Steered>,
    /// Description of the interface, as JSON. It names the routes, so that they don't name it.
    pub(super) document: &'static str,
}

/// A JSON body; what is wrong with it is a problem.
pub(super) struct Read<T>(T);

impl<T: DeserializeOwned> FromRequest<Api> for Read<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        reading::no_query(request.uri())?;
        let body = tokio::time::timeout(BODY, Bytes::from_request(request, api)).await;
        let body =
            body.map_err(|_| Problem::BodyTooSlow)?.map_err(|rejection| match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLarge,
                _ => Problem::BadRequest("the body could not be read".to_owned()),
            })?;
        reading::body(&body).map(Self)
    }
}

/// A request that has neither body nor query, which would not be heard.
pub(super) struct Bare;

impl FromRequestParts<Api> for Bare {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        reading::no_query(&parts.uri)?;
        reading::no_body(&parts.headers)?;
        Ok(Self)
    }
}

/// The server is there
#[utoipa::path(get, path = "/health", context_path = PREFIX, tag = "operation", responses(responses::Health))]
pub(super) async fn health() -> Response {
    Json(Health { status: "ok" }).into_response()
}

/// The description of this API
#[utoipa::path(get, path = "/openapi.json", context_path = PREFIX, tag = "operation", responses(responses::Document))]
pub(super) async fn document(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], api.document).into_response()
}

/// Every link, with its proxy and the faults that are in place
#[utoipa::path(get, path = "/links", context_path = PREFIX, tag = "links", security(("token" = [])), responses(responses::Links))]
pub(super) async fn links(State(api): State<Api>, _: Bare) -> Json<LinkStates> {
    Json(api.steered.links())
}

/// The holder of the lease, if anybody holds it
#[utoipa::path(get, path = "/lease", context_path = PREFIX, tag = "lease", security(("token" = [])), responses(responses::Lease))]
pub(super) async fn lease(State(api): State<Api>, _: Bare) -> Json<LeaseState> {
    Json(api.steered.lease())
}

/// Take the lease
///
/// One holds it at a time, and only under it faults come and go. It has to be renewed within its time; else it lapses,
/// and its faults are taken back at once.
#[utoipa::path(
    post, path = "/lease", context_path = PREFIX, tag = "lease", security(("token" = [])),
    request_body = Wanted, responses(responses::Take)
)]
pub(super) async fn take(State(api): State<Api>, Read(wanted): Read<Wanted>) -> Result<Response, Problem> {
    check(&wanted)?;
    let steered = Arc::clone(&api.steered);
    let granted = to_its_end(&api.host, async move { steered.take(wanted).await }).await?;
    let place = format!("{PREFIX}/lease/{}", granted.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(granted)).into_response())
}

fn check(wanted: &Wanted) -> Result<(), Problem> {
    let Wanted { holder, ttl, .. } = wanted;
    if holder.trim().is_empty() || holder.len() > LONGEST_HOLDER || holder.contains(is_hidden) {
        let why = format!("`holder` says who asks, in at most {LONGEST_HOLDER} bytes on one line");
        return Err(Problem::of_mistake("/holder", why));
    }
    if TIMES_TO_LIVE.contains(ttl) {
        return Ok(());
    }
    let (least, most) = (TIMES_TO_LIVE.start().as_millis(), TIMES_TO_LIVE.end().as_millis());
    Err(Problem::of_mistake("/ttl_ms", format!("`ttl_ms` must be from {least} to {most}")))
}

/// Let the lease live on for as long as it was taken for, from now
#[utoipa::path(
    put, path = "/lease/{id}", context_path = PREFIX, tag = "lease", security(("token" = [])),
    params(("id" = String, Path)), responses(responses::Renew)
)]
pub(super) async fn renew(State(api): State<Api>, Path(id): Path<String>, _: Bare) -> Result<StatusCode, Problem> {
    api.steered.renew(&id).map(|()| StatusCode::NO_CONTENT)
}

/// Give the lease up
///
/// When it is answered, its faults are taken back. Done already where the lease is over.
#[utoipa::path(
    delete, path = "/lease/{id}", context_path = PREFIX, tag = "lease", security(("token" = [])),
    params(("id" = String, Path)), responses(responses::GiveUp)
)]
pub(super) async fn give_up(State(api): State<Api>, Path(id): Path<String>, _: Bare) -> Result<StatusCode, Problem> {
    let steered = Arc::clone(&api.steered);
    to_its_end(&api.host, async move { steered.give_up(&id).await }).await.map(|()| StatusCode::NO_CONTENT)
}

/// Tell the proxy of a link what to do
///
/// When it is answered, the change holds for every connection. To take a fault back once more is answered as it was
/// before, also after the end of the lease (for the last few faults).
#[utoipa::path(
    post, path = "/lease/{id}/messages", context_path = PREFIX, tag = "links", security(("token" = [])),
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

/// Whatever has no route: another version of the interface, or nothing.
pub(super) async fn elsewhere(uri: Uri) -> Problem {
    let first = uri.path().split('/').nth(1).unwrap_or_default();
    let is_version =
        first.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_version || Some(first) == PREFIX.strip_prefix('/') {
        return Problem::NoSuchRoute;
    }
    Problem::NoSuchVersion(format!(
        "the control API of these proxies is under {PREFIX}, and there is no /{first}: take a runner of the release that the \
         proxies are of. By hand: a fault has the keys of a scenario, and {PREFIX}/openapi.json describes them"
    ))
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
