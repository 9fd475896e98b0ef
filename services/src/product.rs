//! The product service: `GET /products/{id}` and `POST /products/batch`.
//!
//! One product: 200 with the [`Product`], 410 where it is gone, 404 where there never was one, 400 where the id has the
//! wrong form.
//!
//! Many products: `{"ids": ["p1", "p9", …]}` gives 200 with `{"products": […], "gone": ["p9"], "unknown": []}`. Each id
//! of the request is in exactly one of the three, once, in the order of its first mention. 400 for what isn't such a
//! body, 413 for more than 500 ids or 64 KiB, 415 for another content type, 408 where the body doesn't arrive. Members
//! of the request other than `ids` are ignored, so that clients may be newer than the service.

use crate::{
    Config, Error, body,
    data::{Lookup, Product, Shop},
    id::ProductId,
    metrics::Endpoint,
    problem::{Problem, ProblemKind},
    server::{self, Service},
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    routing::{get, post},
};
use host::Host;
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The port where `PORT` says nothing.
pub const DEFAULT_PORT: u16 = 8003;

/// The most ids of a batch, repeated ones included: enough for the largest profile.
pub const MOST_IDS: usize = 500;

const ROUTE: &str = "/products/{id}";
const BATCH_ROUTE: &str = "/products/batch";

/// Serves products until the host's shutdown signal.
///
/// # Errors
/// Where a setting can't be used, the port can't be listened on, or the host runs a service already.
pub async fn run(host: Host) -> Result<(), Error> {
    let config = Config::read(host.settings(), DEFAULT_PORT)?;
    let routes = Router::new().route(ROUTE, get(product)).route(BATCH_ROUTE, post(batch)).with_state(config.shop());
    let endpoints = vec![
        Endpoint { method: Method::GET, route: ROUTE, statuses: &[200, 400, 404, 410] },
        Endpoint { method: Method::POST, route: BATCH_ROUTE, statuses: &[200, 400, 408, 413, 415] },
    ];
    server::run(host, Service { name: "product", config, routes, endpoints }).await
}

async fn product(State(shop): State<Shop>, id: Result<Path<String>, PathRejection>) -> Result<Json<Product>, Problem> {
    // The path itself is rejected where its percent-encoding is no UTF-8.
    let id: Option<ProductId> = id.ok().and_then(|Path(text)| text.parse().ok());
    let id = id.ok_or_else(|| Problem::new(ProblemKind::MalformedId, "a product's id is `p` and a number, as p42"))?;
    match shop.product(id) {
        Lookup::Found(product) => Ok(Json(product)),
        Lookup::Gone => Err(Problem::new(ProblemKind::ProductGone, "the product was sold once and is no more")),
        Lookup::Unknown => Err(Problem::new(ProblemKind::UnknownProduct, "there never was a product with this id")),
    }
}

/// The request of a batch.
#[derive(Deserialize)]
struct Batch {
    ids: Vec<String>,
}

/// The response to a batch.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Found {
    products: Vec<Product>,
    gone: Vec<ProductId>,
    unknown: Vec<ProductId>,
}

async fn batch(State(shop): State<Shop>, headers: HeaderMap, body: Body) -> Result<Json<Found>, Problem> {
    let body = body::read_json(&headers, body).await?;
    let ids = read_ids(&body)?;
    Ok(Json(find(shop, &ids)))
}

/// The ids of a batch's body.
fn read_ids(body: &[u8]) -> Result<Vec<ProductId>, Problem> {
    let batch: Batch = serde_json::from_slice(body).map_err(|error| {
        // The position, and not the message: that one may quote the body.
        let (line, column) = (error.line(), error.column());
        let detail = format!("the body must be {{\"ids\": [\"p1\", …]}}; see line {line}, column {column}");
        Problem::new(ProblemKind::MalformedBody, detail)
    })?;
    if batch.ids.len() > MOST_IDS {
        let detail = format!("a batch may have at most {MOST_IDS} ids");
        return Err(Problem::new(ProblemKind::TooLarge, detail).at("/ids".to_owned()));
    }
    let read = |(index, text): (usize, &String)| {
        text.parse().map_err(|_| {
            Problem::new(ProblemKind::MalformedId, "a product's id is `p` and a number, as p42")
                .at(format!("/ids/{index}"))
        })
    };
    batch.ids.iter().enumerate().map(read).collect()
}

fn find(shop: Shop, ids: &[ProductId]) -> Found {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for &id in ids.iter().filter(|id| seen.insert(**id)) {
        match shop.product(id) {
            Lookup::Found(product) => found.products.push(product),
            Lookup::Gone => found.gone.push(id),
            Lookup::Unknown => found.unknown.push(id),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DEFAULT_SEED;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_ids(&body);
        }

        #[test]
        fn no_body_that_is_nearly_right_panics(
            body in r#"\{"ids":\[("p[0-9]{1,11}",?|null|1e999|"\\ud800"|\[+|p1){0,6}\]?\}?"#
        ) {
            let _ = read_ids(body.as_bytes());
        }

        #[test]
        fn every_id_is_in_exactly_one_list(numbers in prop::collection::vec(1..=600_u32, 0..100)) {
            let ids: Vec<_> = numbers.into_iter().map(ProductId).collect();
            let found = find(Shop::new(DEFAULT_SEED), &ids);
            let listed: Vec<_> =
                found.products.iter().map(|product| product.id).chain(found.gone).chain(found.unknown).collect();
            let distinct: BTreeSet<_> = ids.into_iter().collect();
            prop_assert_eq!(listed.len(), distinct.len());
            prop_assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), distinct);
        }
    }
}
