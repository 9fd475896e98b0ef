//! The order service: `GET /orders/user/{id}`.
//!
//! 200 with a list of [`Order`]s, newest first, `[]` for a user without orders; 404 where there is no such user (an
//! empty list would say that it is known to have none); 400 where the id has the wrong form.

use crate::{
    Config, Error,
    data::{Order, Shop},
    metrics::Endpoint,
    problem::Problem,
    server::{self, Service},
    user,
};
use axum::{
    Json, Router,
    extract::{Path, State, rejection::PathRejection},
    routing::get,
};
use host::Host;
use http::Method;

/// The port where `PORT` says nothing.
pub const DEFAULT_PORT: u16 = 8002;

const ROUTE: &str = "/orders/user/{id}";

/// Serves orders until the host's shutdown signal.
///
/// # Errors
/// Where a setting can't be used, the port can't be listened on, or the host runs a service already.
pub async fn run(host: Host) -> Result<(), Error> {
    let config = Config::read(host.settings(), DEFAULT_PORT)?;
    let routes = Router::new().route(ROUTE, get(orders)).with_state(config.shop());
    let endpoints = vec![Endpoint { method: Method::GET, route: ROUTE, statuses: &[200, 400, 404] }];
    server::run(host, Service { name: "order", config, routes, endpoints }).await
}

async fn orders(
    State(shop): State<Shop>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Vec<Order>>, Problem> {
    let id = user::read_id(id)?;
    shop.orders(id).map(Json).ok_or_else(user::unknown)
}
