//! Responses that are no success: what went wrong, with its status, as Toxiproxy writes them.

use crate::NoSite;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value as Json, json};

/// The reason for which something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ApiError {
    /// The body is not what is asked for.
    BadBody(String),
    /// A field that has to be there is not; `place` says of which proxy.
    Missing { field: &'static str, place: String },
    /// The stream is neither of the two.
    NoStream,
    /// There is no toxic of this type: with what could be meant.
    NoType(String),
    /// There is a proxy of this name.
    ProxyExists,
    /// There is a toxic of this name.
    ToxicExists,
    /// There is no proxy of this name.
    NoProxy,
    /// There is no toxic of this name.
    NoToxic,
    /// Whoever started the server did not allow it.
    Forbidden(String),
    /// The machine, or a proxy, did not do it.
    Failed(String),
    /// No token, or another one.
    Unauthenticated,
}

impl ApiError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::BadBody(_) | Self::Missing { .. } | Self::NoStream | Self::NoType(_) => StatusCode::BAD_REQUEST,
            Self::ProxyExists | Self::ToxicExists => StatusCode::CONFLICT,
            Self::NoProxy | Self::NoToxic => StatusCode::NOT_FOUND,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::BadBody(why) => format!("bad request body: {why}"),
            Self::Missing { field, place } => format!("missing required field: {field}{place}"),
            Self::NoStream => "stream was invalid, can be either upstream or downstream".to_owned(),
            Self::NoType(advice) => format!("invalid toxic type{advice}"),
            Self::ProxyExists => "proxy already exists".to_owned(),
            Self::ToxicExists => "toxic already exists".to_owned(),
            Self::NoProxy => "proxy not found".to_owned(),
            Self::NoToxic => "toxic not found".to_owned(),
            Self::Forbidden(why) | Self::Failed(why) => why.clone(),
            Self::Unauthenticated => "the token is missing or wrong: send it as `Authorization: Bearer …`".to_owned(),
        }
    }

    /// The keys of its body.
    pub(super) fn json(&self) -> Json {
        json!({ "error": self.words(), "status": self.status().as_u16() })
    }
}

impl From<NoSite> for ApiError {
    fn from(reason: NoSite) -> Self {
        match reason {
            NoSite::Unreadable(why) => Self::BadBody(why),
            NoSite::Forbidden(why) => Self::Forbidden(why),
            NoSite::Taken(why) => Self::Failed(why),
        }
    }
}

/// A body of an error: as text, which no client takes for a success.
pub(super) fn as_text(status: StatusCode, body: String) -> Response {
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, body + "\n").into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        as_text(self.status(), self.json().to_string())
    }
}
