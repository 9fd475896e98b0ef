//! The gateway's description of itself (OpenAPI 3.1): made from the types that are answered, the closed sets of words
//! and the list of problems, so that there is nothing to keep in step by hand. It is checked in as
//! `gateway/openapi.json`, and real responses are validated against it. The feature `docs`, on by default, adds a page
//! that shows it.

mod headers;
#[cfg(feature = "docs")]
mod page;
pub(crate) mod responses;

#[cfg(feature = "docs")]
pub(crate) use page::pages;

use crate::{edge, health, profile};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use std::{fmt::Write as _, sync::LazyLock};
use utoipa::{
    OpenApi as _,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Gateway",
        description = "Aggregates users, orders and products into profiles, and answers in time whatever fails behind it. \
                       HEAD is answered wherever GET is. What breaks HTTP itself (a head that can't be parsed, names no \
                       host, is too large or too slow) gets a bare 400, 414 or 431, or a close."
    ),
    paths(
        profile::handle,
        health::routes::health,
        health::routes::live,
        health::routes::ready,
        edge::metrics,
        document
    ),
    components(schemas(
        profile::ProfileBody,
        edge::problem::Body<'_>,
        edge::problem::ProblemType,
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

/// The document as JSON: the same bytes for the same build.
#[must_use]
pub fn json() -> String {
    let mut text = Document::openapi().to_pretty_json().expect("strings and numbers are JSON");
    text.push('\n');
    text
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "documentation", responses(responses::Document))]
pub(crate) async fn document() -> Response {
    static JSON: LazyLock<Bytes> = LazyLock::new(|| json().into());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], JSON.clone()).into_response()
}

/// The schema of a closed set: what it is, and each word with its meaning, which may be empty.
pub(crate) fn words(what: &str, meanings: &[(&str, &str)]) -> RefOr<Schema> {
    let mut description = what.trim().to_owned();
    for (word, meaning) in meanings.iter().filter(|(_, meaning)| !meaning.is_empty()) {
        // Writing to a string can't fail.
        let _ = write!(description, "\n- `{word}`: {}", meaning.trim());
    }
    let words = meanings.iter().map(|(word, _)| *word);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).description(Some(description)).into()
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

    #[test]
    fn words_are_told_with_their_meanings() {
        let schema = serde_json::to_value(words(" Which.", &[("a", " The first."), ("b", "")])).unwrap();
        let wanted = serde_json::json!({
            "type": "string", "enum": ["a", "b"], "description": "Which.\n- `a`: The first.",
        });
        assert_eq!(schema, wanted);
    }
}
