//! The user service: `GET /users/{id}`.
//!
//! 200 with the [`User`], 404 where there is no such user, 400 where the id has the wrong form.

use crate::{
    Config, Error,
    data::{Shop, User},
    id::UserId,
    metrics::Endpoint,
    problem::{Problem, ProblemKind},
    server::{self, Service},
};
use axum::{
    Json, Router,
    extract::{Path, State, rejection::PathRejection},
    routing::get,
};
use host::Host;
use http::Method;

/// The port where `PORT` says nothing.
pub const DEFAULT_PORT: u16 = 8001;

const ROUTE: &str = "/users/{id}";

/// Serves users until the host's shutdown signal.
///
/// # Errors
/// Where a setting can't be used, the port can't be listened on, or the host runs a service already.
pub async fn run(host: Host) -> Result<(), Error> {
    let config = Config::read(host.settings(), DEFAULT_PORT)?;
    let routes = Router::new().route(ROUTE, get(user)).with_state(config.shop());
    let endpoints = vec![Endpoint { method: Method::GET, route: ROUTE, statuses: &[200, 400, 404] }];
    server::run(host, Service { name: "user", config, routes, endpoints }).await
}

async fn user(State(shop): State<Shop>, id: Result<Path<String>, PathRejection>) -> Result<Json<User>, Problem> {
    let id = read_id(id)?;
    shop.user(id).map(Json).ok_or_else(unknown)
}

/// A user's id from a path.
pub(crate) fn read_id(path: Result<Path<String>, PathRejection>) -> Result<UserId, Problem> {
    // The path itself is rejected where its percent-encoding is no UTF-8.
    let id = path.ok().and_then(|Path(text)| text.parse().ok());
    id.ok_or_else(|| {
        Problem::new(ProblemKind::MalformedId, "a user's id is a number without sign or leading zeros, as 42")
    })
}

pub(crate) fn unknown() -> Problem {
    Problem::new(ProblemKind::UnknownUser, "there is no user with this id")
}
