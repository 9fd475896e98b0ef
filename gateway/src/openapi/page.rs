//! A page to read the document with: Swagger UI, from the binary. It needs no other host, and its policy lets it reach
//! none.

use crate::{
    context::RequestContext,
    labels::{Label as _, Route},
    problem::Problem,
};
use axum::{
    Extension, Router,
    extract::{Path, rejection::PathRejection},
    response::{IntoResponse as _, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderValue, header};
use std::{borrow::Cow, sync::Arc};
use utoipa_swagger_ui::Config;

/// The page's HTML. Its files are under `docs/`, seen from the page, also where a proxy puts a path before both.
const PAGE: &str = include_str!("page.html");
const START: &str = include_str!("start.js");

/// Swagger UI sets styles in place, and its icons are in its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The routes of the page.
pub(crate) fn pages<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(Route::Docs.label(), get(page)).route(Route::DocsFile.label(), get(file))
}

/// The page.
async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, PAGE).into_response()
}

/// A file of the page. They are kept compressed and sent so: every browser takes gzip.
async fn file(Extension(context): Extension<RequestContext>, name: Result<Path<String>, PathRejection>) -> Response {
    // What isn't even text is no file either.
    let name = name.map_or_else(|_| String::new(), |Path(name)| name);
    if name == "start.js" {
        return (kind("text/javascript"), START).into_response();
    }
    let found = utoipa_swagger_ui::serve(&name, Arc::new(Config::default())).ok().flatten();
    // The crate's own page and its start are for others.
    let Some(file) = found.filter(|file| file.gzpipped && !file.content_type.starts_with("text/html")) else {
        return Problem::NoSuchRoute.response(&context, None, &[]);
    };
    let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    (kind(&file.content_type), encoding, bytes).into_response()
}

fn kind(content_type: &str) -> [(header::HeaderName, HeaderValue); 3] {
    let kind = HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ]
}
