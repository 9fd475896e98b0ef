//! `GET /metrics`: what is counted, for Prometheus.

use crate::{
    App,
    described::{self, Responses, headers},
};
use axum::{extract::State, response::Response};
use http::header;
use prometheus::TextEncoder;
use std::sync::Arc;
use utoipa::{
    IntoResponses,
    openapi::{Content, Object, schema::Type},
};

/// Responses of `/metrics`, as the document tells of them.
struct MetricsResponses;

impl IntoResponses for MetricsResponses {
    fn responses() -> Responses {
        let text = Content::new(Some(Object::with_type(Type::String)));
        described::operation(
            described::response("In Prometheus's text format", &[headers::REQUEST_ID])
                .content(prometheus::TEXT_FORMAT, text),
        )
    }
}

/// Everything that is counted
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(MetricsResponses))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let families = app.host.metrics().gather();
    let text = TextEncoder::new().encode_to_string(&families).unwrap_or_default();
    let mut response = Response::new(text.into());
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(prometheus::TEXT_FORMAT));
    response
}
