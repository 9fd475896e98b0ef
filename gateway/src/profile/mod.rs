//! `GET /api/profile/{user_id}`: a user with their orders and the products of those.
//!
//! The way of a request: look it up in the cache; else gather the parts from the services ([`gather`]) and judge what has
//! come ([`verdict`], pure). Either ends in one [`Answer`], which decides body, headers, metrics and log line, so that
//! they can't disagree.

mod answer;
mod gather;
mod response;
mod verdict;

pub(crate) use answer::{PartError, Profile, Summary};
pub(crate) use gather::Upstreams;

use crate::{App, edge::context::RequestContext, edge::problem::Problem, user_id::UserId};
use answer::{Answer, Timings};
use axum::{
    Extension,
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use std::sync::Arc;
use tokio::time::Instant;

/// The handler.
pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    Extension(context): Extension<RequestContext>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    // What isn't even text is no id either.
    let id = path.ok().and_then(|Path(id)| id.parse::<UserId>().ok());
    let Some(id) = id else {
        let detail = crate::user_id::BadUserId.to_string();
        return Problem::BadUserId.response(&context, Some(&detail), &[]);
    };
    answer(&app, &context, id).await.into_response(&context)
}

async fn answer(app: &App, context: &RequestContext, id: UserId) -> Answer {
    let deadline = context.started + app.settings.deadline;
    let lookup = app.cache.look_up(id, deadline).await;
    let asked = context.started.elapsed();
    if let Some(found) = lookup.found {
        return Answer::cached(app, found, &lookup.misses, asked);
    }
    let started = Instant::now();
    let gathered = gather::gather(&app.upstreams, context, deadline, id).await;
    let took = started.elapsed();
    let timings = Timings::of(asked, &gathered);
    for (service, code) in gathered.found_out_late() {
        app.metrics.service_error(service, code);
    }
    let verdict = verdict::judge(gathered, app.settings.partial);
    app.metrics.aggregation(verdict.outcome(), took);
    let stored = verdict.complete().map(|profile| app.cache.store(id, profile));
    Answer::gathered(app, id, verdict, &lookup.misses, stored.flatten().is_some(), timings)
}
