//! `GET /api/profile/{user_id}`: a user with their orders and the products of those.
//!
//! The way of a request: look it up in the cache; else, once for all who ask at the same time ([`flight`]), gather the
//! parts from the services ([`gather`]) and judge what has come ([`verdict`], pure). Either ends in one
//! [`ProfileResponse`], which decides body, headers, metrics and log line, so that they can't disagree.

mod conditional;
mod described;
mod flight;
mod gather;
mod response;
mod stale;
mod verdict;
mod wire;

pub(crate) use flight::FlightResult;
pub(crate) use gather::Upstreams;
pub(crate) use response::Summary;
pub(crate) use wire::{CACHE_STATUS, ProfileBody, SERVER_TIMING};

use crate::{App, context::RequestContext, problem::Problem, user_id::UserId};
use axum::{
    Extension,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};
use conditional::IfNoneMatch;
use response::ProfileResponse;
use std::sync::Arc;

/// A user with their orders and the products of those
///
/// It comes within the gateway's deadline, with what could be had by then: 200 with `partial: true` where something is
/// missing, and an old part, marked as such, where the service that has it fails.
#[utoipa::path(
    get,
    path = "/api/profile/{user_id}",
    operation_id = "profile",
    tag = "profiles",
    params(
        ("user_id" = UserId, Path),
        ("X-Request-Id" = Option<String>, Header, nullable = false, description = "Kept, if it is valid, in answer, log and all calls to services"),
        ("traceparent" = Option<String>, Header, nullable = false, description = "The trace to be continued (W3C Trace Context)"),
        ("If-Match" = Option<String>, Header, nullable = false, description = "`*`, or tags: these never match, since those of profiles are weak (RFC 9110, 13.1.1)"),
        ("If-None-Match" = Option<String>, Header, nullable = false, description = "Tags of what the client has already"),
    ),
    security((), ("bearer" = [])),
    responses(described::ProfileResponses)
)]
pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    Extension(context): Extension<RequestContext>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What isn't even text is no id either.
    let id = path.ok().and_then(|Path(id)| id.parse::<UserId>().ok());
    let Some(id) = id else {
        let detail = crate::user_id::BadUserId.to_string();
        return Problem::BadUserId.response(&context, Some(&detail), &[]);
    };
    let has = IfNoneMatch::take_in(request.headers());
    // No body is read.
    drop(request);
    respond(&app, &context, id).await.into_response(&context, &has)
}

async fn respond(app: &Arc<App>, context: &RequestContext, id: UserId) -> ProfileResponse {
    let deadline = context.started + app.settings.deadline;
    let lookup = app.cache.look_up(id, deadline).await;
    let asked = context.started.elapsed();
    if let Some(found) = lookup.found {
        return ProfileResponse::cached(app, found, &lookup.misses, asked);
    }
    if let Some(left) = lookup.no_such_user {
        return ProfileResponse::no_such_user(app, id, left, asked);
    }
    // Boxed, so that a request that finds its profile doesn't carry the room for gathering one.
    let (result, shared) = Box::pin(flight::result(app, context, id, deadline, lookup.stale)).await;
    ProfileResponse::gathered(app, id, &result, &lookup.misses, shared, asked)
}
