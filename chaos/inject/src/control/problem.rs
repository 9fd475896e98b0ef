//! Responses that are no success: `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use chaos_model::language::json::Mistake;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::ToSchema;

/// Reason for which something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No token, or another one.
    Unauthenticated,
    /// The body is no JSON, or can't be read.
    BadRequest(String),
    /// Somebody has the lease.
    LeaseHeld {
        /// Holder's name for itself.
        holder: String,
        /// Since when (RFC 3339).
        since: String,
    },
    /// The lease is over, and its faults are taken back.
    LeaseOver {
        /// True where it was not renewed in time, false where it was given up.
        lapsed: bool,
    },
    /// There never was such a lease, as far as is remembered.
    NoSuchLease,
    /// No proxy stands on this link.
    NoSuchLink(String),
    /// The request is JSON and not what is asked for: nothing was changed. Pointers are from its body on.
    InvalidRequest(Vec<Mistake>),
    /// The fault is not valid: nothing was changed. Pointers are from the request's body on.
    InvalidFault(Vec<Mistake>),
    /// The proxy refused: nothing was changed.
    Refused(String),
    /// There is no such route.
    NoSuchRoute,
    /// The interface is of another version: the one that there is, in words.
    NoSuchVersion(String),
    /// There is, but not with this method.
    MethodNotAllowed,
    /// The body is too large.
    BodyTooLarge,
    /// The body did not come in time.
    BodyTooSlow,
}

/// Each kind of problem, and what it is called on the wire, which never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ProblemType {
    /// No token, or another one.
    #[serde(rename = "urn:problem-type:chaos-proxy:unauthenticated")]
    Unauthenticated,
    /// The request's body is no JSON, or can't be read.
    #[serde(rename = "urn:problem-type:chaos-proxy:bad-request")]
    BadRequest,
    /// The request is not what is asked for: `errors` has each mistake with its place.
    #[serde(rename = "urn:problem-type:chaos-proxy:invalid-request")]
    InvalidRequest,
    /// Somebody has the lease.
    #[serde(rename = "urn:problem-type:chaos-proxy:lease-held")]
    LeaseHeld,
    /// The lease was not renewed in time: its faults are taken back.
    #[serde(rename = "urn:problem-type:chaos-proxy:lease-lapsed")]
    LeaseLapsed,
    /// The lease was given up: its faults are taken back.
    #[serde(rename = "urn:problem-type:chaos-proxy:lease-given-up")]
    LeaseGivenUp,
    /// There is no such lease.
    #[serde(rename = "urn:problem-type:chaos-proxy:no-such-lease")]
    NoSuchLease,
    /// No proxy stands on this link.
    #[serde(rename = "urn:problem-type:chaos-proxy:no-such-link")]
    NoSuchLink,
    /// The fault is not valid: `errors` has each mistake with its place.
    #[serde(rename = "urn:problem-type:chaos-proxy:invalid-fault")]
    InvalidFault,
    /// The proxy refused: nothing was changed.
    #[serde(rename = "urn:problem-type:chaos-proxy:refused")]
    Refused,
    /// There is no such route.
    #[serde(rename = "urn:problem-type:chaos-proxy:no-such-route")]
    NoSuchRoute,
    /// The interface is of another version.
    #[serde(rename = "urn:problem-type:chaos-proxy:no-such-version")]
    NoSuchVersion,
    /// There is, but not with this method.
    #[serde(rename = "urn:problem-type:chaos-proxy:method-not-allowed")]
    MethodNotAllowed,
    /// The body is too large.
    #[serde(rename = "urn:problem-type:chaos-proxy:body-too-large")]
    BodyTooLarge,
    /// The body did not come in time.
    #[serde(rename = "urn:problem-type:chaos-proxy:body-too-slow")]
    BodyTooSlow,
}

/// A problem (RFC 9457).
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Body<'a> {
    r#type: ProblemType,
    /// The same for all problems of this type.
    title: Cow<'a, str>,
    /// Status of the response.
    status: u16,
    /// Fault of this request, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<Cow<'a, str>>,
    /// Holder of the lease, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    holder: Option<Cow<'a, str>>,
    /// Since when (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    since: Option<Cow<'a, str>>,
    /// Mistakes in a request, or in its fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<BodyError>,
}

/// A mistake in the request's body, as RFC 9457 (section 3) shows them.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = ProblemError)]
pub(super) struct BodyError {
    /// The mistake, in words.
    detail: String,
    /// Place of the mistake: a JSON Pointer (RFC 6901) in a URI fragment.
    #[schema(example = "#/message/apply/delay")]
    pointer: String,
    /// The words for what would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    advice: Option<String>,
}

impl From<&Mistake> for BodyError {
    fn from(Mistake { pointer, message, advice }: &Mistake) -> Self {
        Self { detail: message.clone(), pointer: format!("#{pointer}"), advice: advice.clone() }
    }
}

impl From<BodyError> for Mistake {
    fn from(BodyError { detail, pointer, advice }: BodyError) -> Self {
        let pointer = pointer.strip_prefix('#').map(str::to_owned).unwrap_or(pointer);
        Self { pointer, message: detail, advice }
    }
}

impl Problem {
    /// One mistake in a request, at a JSON Pointer.
    pub(super) fn of_mistake(pointer: &str, message: impl Into<String>) -> Self {
        Self::InvalidRequest(vec![Mistake { pointer: pointer.to_owned(), message: message.into(), advice: None }])
    }

    fn facts(&self) -> (ProblemType, StatusCode, &'static str) {
        match self {
            Self::Unauthenticated => (ProblemType::Unauthenticated, StatusCode::UNAUTHORIZED, "No token that is good"),
            Self::BadRequest(_) => (ProblemType::BadRequest, StatusCode::BAD_REQUEST, "The request can't be read"),
            Self::InvalidRequest(_) => {
                (ProblemType::InvalidRequest, StatusCode::UNPROCESSABLE_ENTITY, "The request is not what is asked for")
            }
            Self::LeaseHeld { .. } => (ProblemType::LeaseHeld, StatusCode::CONFLICT, "Somebody has the lease"),
            Self::LeaseOver { lapsed: true } => {
                (ProblemType::LeaseLapsed, StatusCode::GONE, "The lease was not renewed in time")
            }
            Self::LeaseOver { lapsed: false } => {
                (ProblemType::LeaseGivenUp, StatusCode::GONE, "The lease was given up")
            }
            Self::NoSuchLease => (ProblemType::NoSuchLease, StatusCode::NOT_FOUND, "There is no such lease"),
            Self::NoSuchLink(_) => (ProblemType::NoSuchLink, StatusCode::NOT_FOUND, "No proxy stands on this link"),
            Self::InvalidFault(_) => {
                (ProblemType::InvalidFault, StatusCode::UNPROCESSABLE_ENTITY, "The fault is not valid")
            }
            Self::Refused(_) => (ProblemType::Refused, StatusCode::UNPROCESSABLE_ENTITY, "The proxy refused"),
            Self::NoSuchRoute => (ProblemType::NoSuchRoute, StatusCode::NOT_FOUND, "There is nothing here"),
            Self::NoSuchVersion(_) => {
                (ProblemType::NoSuchVersion, StatusCode::NOT_FOUND, "The interface is of another version")
            }
            Self::MethodNotAllowed => {
                (ProblemType::MethodNotAllowed, StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
            }
            Self::BodyTooLarge => {
                (ProblemType::BodyTooLarge, StatusCode::PAYLOAD_TOO_LARGE, "The request's body is too large")
            }
            Self::BodyTooSlow => {
                (ProblemType::BodyTooSlow, StatusCode::REQUEST_TIMEOUT, "The request's body did not come in time")
            }
        }
    }

    /// Reads what a server answered; none where that was no problem of these.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let body: Body<'_> = serde_json::from_slice(body).ok()?;
        let text = |text: Option<Cow<'_, str>>| text.unwrap_or_default().into_owned();
        Some(match body.r#type {
            ProblemType::Unauthenticated => Self::Unauthenticated,
            ProblemType::BadRequest => Self::BadRequest(text(body.detail)),
            ProblemType::LeaseHeld => Self::LeaseHeld { holder: text(body.holder), since: text(body.since) },
            ProblemType::LeaseLapsed => Self::LeaseOver { lapsed: true },
            ProblemType::LeaseGivenUp => Self::LeaseOver { lapsed: false },
            ProblemType::NoSuchLease => Self::NoSuchLease,
            ProblemType::NoSuchLink => Self::NoSuchLink(text(body.detail)),
            ProblemType::InvalidRequest => Self::InvalidRequest(body.errors.into_iter().map(Mistake::from).collect()),
            ProblemType::InvalidFault => Self::InvalidFault(body.errors.into_iter().map(Mistake::from).collect()),
            ProblemType::Refused => Self::Refused(text(body.detail)),
            ProblemType::NoSuchRoute => Self::NoSuchRoute,
            ProblemType::NoSuchVersion => Self::NoSuchVersion(text(body.detail)),
            ProblemType::MethodNotAllowed => Self::MethodNotAllowed,
            ProblemType::BodyTooLarge => Self::BodyTooLarge,
            ProblemType::BodyTooSlow => Self::BodyTooSlow,
        })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (r#type, status, title) = self.facts();
        let (detail, holder, since) = match &self {
            Self::BadRequest(why) | Self::NoSuchLink(why) | Self::NoSuchVersion(why) | Self::Refused(why) => {
                (Some(why.as_str()), None, None)
            }
            Self::LeaseHeld { holder, since } => (None, Some(holder.as_str()), Some(since.as_str())),
            _ => (None, None, None),
        };
        let body = Body {
            r#type,
            title: title.into(),
            status: status.as_u16(),
            detail: detail.map(Cow::from),
            holder: holder.map(Cow::from),
            since: since.map(Cow::from),
            errors: match &self {
                Self::InvalidRequest(mistakes) | Self::InvalidFault(mistakes) => {
                    mistakes.iter().map(BodyError::from).collect()
                }
                _ => Vec::new(),
            },
        };
        // Strings and numbers are JSON.
        let mut response = (status, serde_json::to_vec(&body).unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// In words, for people.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let title = self.facts().2;
        let lower = title.char_indices().map(|(at, c)| if at == 0 { c.to_ascii_lowercase() } else { c });
        match self {
            Self::LeaseHeld { holder, since } => write!(f, "the lease is held by {holder}, since {since}"),
            Self::BadRequest(why) | Self::NoSuchLink(why) | Self::NoSuchVersion(why) | Self::Refused(why) => {
                f.write_str(why)
            }
            Self::InvalidRequest(mistakes) | Self::InvalidFault(mistakes) => {
                let told = |Mistake { pointer, message, .. }: &Mistake| format!("{message} (`{pointer}`)");
                f.write_str(&mistakes.iter().map(told).collect::<Vec<_>>().join(", "))
            }
            _ => f.write_str(&lower.collect::<String>()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_problem_survives_the_wire() {
        let text = || "why".to_owned();
        let all = [
            Problem::Unauthenticated,
            Problem::BadRequest(text()),
            Problem::LeaseHeld { holder: text(), since: "2026-01-01T00:00:00.000Z".to_owned() },
            Problem::LeaseOver { lapsed: true },
            Problem::LeaseOver { lapsed: false },
            Problem::NoSuchLease,
            Problem::NoSuchLink(text()),
            Problem::of_mistake("/holder", text()),
            Problem::InvalidFault(vec![
                Mistake { pointer: "/message/apply/delay".to_owned(), message: text(), advice: Some(text()) },
                Mistake { pointer: String::new(), message: text(), advice: None },
            ]),
            Problem::Refused(text()),
            Problem::NoSuchRoute,
            Problem::NoSuchVersion(text()),
            Problem::MethodNotAllowed,
            Problem::BodyTooLarge,
            Problem::BodyTooSlow,
        ];
        for problem in all {
            let response = problem.clone().into_response();
            assert!(response.status().is_client_error());
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            assert_eq!(Problem::read(&body), Some(problem));
        }
        assert_eq!(Problem::read(b"<html>"), None);
    }
}
