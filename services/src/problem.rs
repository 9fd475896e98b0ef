//! Errors as problem details (RFC 9457): one table of what can be wrong with a request.
//!
//! A handler returns a [`Problem`]; it travels as data in the response's extensions until the request is known in whole,
//! and is written in one place, with the request id.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// Kinds of problems. Each has its own status, title and `type`, and these never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The id in the path has the wrong form.
    MalformedId,
    /// There is no such user.
    UnknownUser,
    /// There never was such a product.
    UnknownProduct,
    /// The product was sold once and is no more.
    ProductGone,
    /// The body isn't what the endpoint takes.
    MalformedBody,
    /// The body is no JSON, by its own word.
    UnsupportedMediaType,
    /// The body, or the list in it, is too long.
    TooLarge,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The endpoint exists, but not for this method.
    MethodNotAllowed,
    /// There is no such endpoint.
    NoSuchRoute,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::MalformedId,
        Self::UnknownUser,
        Self::UnknownProduct,
        Self::ProductGone,
        Self::MalformedBody,
        Self::UnsupportedMediaType,
        Self::TooLarge,
        Self::BodyTimeout,
        Self::MethodNotAllowed,
        Self::NoSuchRoute,
    ];

    /// The status, the last part of the `type`, and the title.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::MalformedId => (StatusCode::BAD_REQUEST, "malformed-id", "Malformed id"),
            Self::UnknownUser => (StatusCode::NOT_FOUND, "unknown-user", "No such user"),
            Self::UnknownProduct => (StatusCode::NOT_FOUND, "unknown-product", "No such product"),
            Self::ProductGone => (StatusCode::GONE, "product-gone", "The product is gone"),
            Self::MalformedBody => (StatusCode::BAD_REQUEST, "malformed-body", "Malformed body"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Request too large"),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "body-timeout", "The body took too long"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed"),
            Self::NoSuchRoute => (StatusCode::NOT_FOUND, "no-such-route", "No such endpoint"),
        }
    }

    /// The response's status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().0
    }

    /// The `type`: a URI that identifies the problem and leads nowhere.
    #[must_use]
    pub fn uri(self) -> String {
        format!("urn:problem-type:shop:{}", self.row().1)
    }
}

/// One problem of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: ProblemKind,
    detail: String,
    pointer: Option<String>,
}

impl Problem {
    /// A problem, and what a person should know about this one. Never quote the request in `detail`: whoever reads the
    /// answer, or the log, need not be the one who wrote the request.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), pointer: None }
    }

    /// Says where in the body it is (a JSON pointer, RFC 6901).
    #[must_use]
    pub fn at(mut self, pointer: String) -> Self {
        self.pointer = Some(pointer);
        self
    }

    fn body(&self, request_id: &str) -> Vec<u8> {
        let (status, _, title) = self.kind.row();
        let members = Members {
            uri: self.kind.uri(),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            pointer: self.pointer.as_deref(),
            request_id,
        };
        serde_json::to_vec(&members).expect("texts and a number can always be written as JSON")
    }
}

/// A problem as it is written: the members of RFC 9457, 3.1, and two of ours.
#[derive(Serialize)]
struct Members<'a> {
    #[serde(rename = "type")]
    uri: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    request_id: &'a str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a response that carries a [`Problem`]; leaves others alone.
pub(crate) fn render(mut response: Response, request_id: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    // 404, 405 and 410 may be cached unless they say otherwise (RFC 9110, 15.1).
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = problem.body(request_id).into();
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn types_are_unique_and_pinned() {
        let types: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.uri()).collect();
        assert_eq!(types.len(), ProblemKind::ALL.len());
        assert_eq!(ProblemKind::UnknownUser.uri(), "urn:problem-type:shop:unknown-user");
    }

    #[test]
    fn every_problem_is_the_clients() {
        assert!(ProblemKind::ALL.iter().all(|kind| kind.status().is_client_error()));
    }
}
