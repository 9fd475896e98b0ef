//! Cross-origin requests: which web pages may read responses in a browser (the Fetch standard, "CORS protocol").
//!
//! Credentials (cookies, client certificates) are never allowed: the gateway knows none. A page sends its token in
//! `Authorization`, for which being listed is enough.

use crate::{
    context::{X_REQUEST_ID, trace},
    settings::{CorsSettings, Origins},
};
use http::{HeaderName, Method, header};
use tower_http::cors::{Any, CorsLayer};

/// The layer; `None` where no page of another origin may read anything.
pub(super) fn layer(settings: &CorsSettings) -> Option<CorsLayer> {
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([
            header::AUTHORIZATION,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            X_REQUEST_ID,
            HeaderName::from_static(trace::TRACEPARENT),
            HeaderName::from_static(trace::TRACESTATE),
            HeaderName::from_static(trace::BAGGAGE),
        ])
        .expose_headers([
            header::AGE,
            header::ETAG,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            X_REQUEST_ID,
            HeaderName::from_static("cache-status"),
            HeaderName::from_static("server-timing"),
            HeaderName::from_static("x-gateway-complete"),
        ])
        .max_age(settings.cors_max_age);
    match &settings.cors_origins {
        Origins::None => None,
        Origins::Any => Some(layer.allow_origin(Any)),
        Origins::These(origins) => Some(layer.allow_origin(origins.clone())),
    }
}
