//! The gateway's description of itself (OpenAPI 3.1): made from the types that are answered, the closed sets of words
//! and the list of problems, so that there is nothing to keep in step by hand. It is checked in as
//! `gateway/openapi.json`, and real responses are validated against it. The feature `docs`, on by default, adds a page
//! that shows it.

#[cfg(feature = "docs")]
mod page;

#[cfg(feature = "docs")]
pub(crate) use page::pages;

use crate::{
    described::{self, Responses, headers},
    exposition, health, problem, profile,
};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use std::sync::LazyLock;
use utoipa::{
    IntoResponses, OpenApi as _,
    openapi::{
        Content, Object,
        schema::Type,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Gateway",
        description = "Aggregates users, orders and products into profiles, and answers in time whatever fails behind it. \
                       HEAD is answered wherever GET is. What breaks HTTP itself (a head that can't be parsed, names no \
                       host or a fragment, is too large or too slow) gets a bare 400, 414 or 431, or a close."
    ),
    paths(
        profile::handle,
        health::routes::health,
        health::routes::live,
        health::routes::ready,
        exposition::metrics,
        document
    ),
    components(schemas(
        profile::ProfileBody,
        problem::Body<'_>,
        problem::ProblemType,
        health::Health,
        health::Unhealthy<'_>,
        health::Ready
    )),
    modifiers(&Bearer),
    tags(
        (name = "profiles", description = "For clients"),
        (name = "operation", description = "For whoever runs the gateway; never shed, and not limited in rate"),
        (name = "documentation", description = "For readers; `/docs` is a page that shows it")
    )
)]
struct Document;

/// The token that profiles need where `GATEWAY_AUTH` asks for one.
struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let about = "Of the user whose profile it is (`sub`). Needed where the gateway is told to check tokens.";
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(about));
        if let Some(components) = &mut document.components {
            components.add_security_scheme("bearer", SecurityScheme::Http(http.build()));
        }
    }
}

/// Responses with the document itself.
struct Own;

impl IntoResponses for Own {
    fn responses() -> Responses {
        let object = Content::new(Some(Object::with_type(Type::Object)));
        let good = described::response("OpenAPI 3.1", &[headers::REQUEST_ID]).content("application/json", object);
        let with = [headers::REQUEST_ID, headers::NO_STORE, headers::ALLOW, headers::RETRY_AFTER];
        described::refusable(good, "A request that can't be taken, or one too many", &with)
    }
}

/// The document as JSON: the same bytes for the same build.
#[must_use]
pub fn json() -> String {
    let mut text = Document::openapi().to_pretty_json().expect("strings and numbers are JSON");
    text.push('\n');
    text
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "documentation", responses(Own))]
pub(crate) async fn document() -> Response {
    static JSON: LazyLock<Bytes> = LazyLock::new(|| json().into());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], JSON.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::{Label as _, Route};
    use std::collections::BTreeSet;

    #[test]
    fn the_document_is_checked_in() {
        let there = include_str!("../../openapi.json");
        assert!(there == json(), "gateway/openapi.json is old: `cargo test -p gateway openapi -- --ignored` writes it");
    }

    #[test]
    #[ignore = "writes gateway/openapi.json"]
    fn write_the_document() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json"), json()).unwrap();
    }

    #[test]
    fn every_route_but_the_page_is_in_it() {
        let paths: BTreeSet<String> = Document::openapi().paths.paths.into_keys().collect();
        let pages = [Route::Docs, Route::DocsFile, Route::Unmatched];
        let routes = Route::ALL.iter().filter(|route| !pages.contains(route)).map(|route| route.label().to_owned());
        assert_eq!(paths, routes.collect());
    }
}
