//! Responses that are no success: `application/problem+json` (RFC 9457) with a stable type, and nothing of what a
//! service said.

mod part_error;

pub(crate) use part_error::PartError;

use crate::{context::RequestContext, schema};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

/// A problem (RFC 9457). Nothing of what a service said is in it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body<'a> {
    #[schema(value_type = ProblemType)]
    r#type: &'static str,
    /// The same for all problems of this type.
    title: &'static str,
    /// That of the response.
    status: u16,
    /// The fault of this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<&'a str>,
    request_id: &'a str,
    #[schema(pattern = "^[0-9a-f]{32}$")]
    trace_id: &'a str,
    /// The reasons why parts of the profile could not be had, at most 16 entries.
    #[schema(value_type = Vec<PartError>, max_items = 16)]
    errors: &'a [PartError],
}

/// The values of [`Problem::kind`], as the document has them.
pub(crate) struct ProblemType;

impl utoipa::PartialSchema for ProblemType {
    fn schema() -> RefOr<Schema> {
        let meanings = Problem::ALL.map(|problem| (problem.kind(), problem.title()));
        schema::words("What is wrong. It never changes, and clients may compare it.", &meanings)
    }
}

impl ToSchema for ProblemType {}

/// Every kind of problem that the gateway tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    BadUserId,
    Unauthenticated,
    Forbidden,
    NoSuchUser,
    NoSuchRoute,
    MethodNotAllowed,
    BodyTooLarge,
    NotAcceptable,
    PreconditionFailed,
    Overloaded,
    /// For so many seconds.
    TooManyRequests(u64),
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
    NotReady,
    Unhealthy,
}

impl Problem {
    /// All of them, for the document.
    pub(crate) const ALL: [Self; 16] = [
        Self::BadUserId,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NoSuchUser,
        Self::NoSuchRoute,
        Self::MethodNotAllowed,
        Self::BodyTooLarge,
        Self::NotAcceptable,
        Self::PreconditionFailed,
        Self::Overloaded,
        Self::TooManyRequests(1),
        Self::UpstreamFailed,
        Self::UpstreamTimeout,
        Self::UpstreamUnavailable,
        Self::NotReady,
        Self::Unhealthy,
    ];

    /// Tells if a request for a profile can have this problem.
    pub(crate) fn is_of_profiles(self) -> bool {
        !matches!(self, Self::NoSuchRoute | Self::NotReady | Self::Unhealthy)
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::BadUserId => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NoSuchUser | Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::UpstreamFailed => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded | Self::UpstreamUnavailable | Self::NotReady | Self::Unhealthy => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Clients may compare it: it never changes.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::BadUserId => "urn:problem-type:gateway:bad-user-id",
            Self::Unauthenticated => "urn:problem-type:gateway:unauthenticated",
            Self::Forbidden => "urn:problem-type:gateway:forbidden",
            Self::NoSuchUser => "urn:problem-type:gateway:no-such-user",
            Self::NoSuchRoute => "urn:problem-type:gateway:no-such-route",
            Self::MethodNotAllowed => "urn:problem-type:gateway:method-not-allowed",
            Self::BodyTooLarge => "urn:problem-type:gateway:body-too-large",
            Self::NotAcceptable => "urn:problem-type:gateway:not-acceptable",
            Self::PreconditionFailed => "urn:problem-type:gateway:precondition-failed",
            Self::TooManyRequests(_) => "urn:problem-type:gateway:too-many-requests",
            Self::Overloaded => "urn:problem-type:gateway:overloaded",
            Self::UpstreamFailed => "urn:problem-type:gateway:upstream-failed",
            Self::UpstreamTimeout => "urn:problem-type:gateway:upstream-timeout",
            Self::UpstreamUnavailable => "urn:problem-type:gateway:upstream-unavailable",
            Self::NotReady => "urn:problem-type:gateway:not-ready",
            Self::Unhealthy => "urn:problem-type:gateway:unhealthy",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::BadUserId => "Not the id of a user",
            Self::Unauthenticated => "No token that is good",
            Self::Forbidden => "The profile is another user's",
            Self::NoSuchUser => "There is no such user",
            Self::NoSuchRoute => "There is nothing here",
            Self::MethodNotAllowed => "Method not allowed",
            Self::BodyTooLarge => "The request's body is too large",
            Self::NotAcceptable => "The response can't be had in any coding that the client takes",
            Self::PreconditionFailed => "It is not what the request wants it to be",
            Self::TooManyRequests(_) => "Too many requests from this client",
            Self::Overloaded => "Too many requests are under way",
            Self::UpstreamFailed => "The profile could not be gathered",
            Self::UpstreamTimeout => "The profile could not be gathered in time",
            Self::UpstreamUnavailable => "The profile can't be gathered just now",
            Self::NotReady => "The gateway starts, drains or sheds",
            Self::Unhealthy => "No profile can be gathered",
        }
    }

    /// The response.
    pub(crate) fn response(self, context: &RequestContext, detail: Option<&str>, errors: &[PartError]) -> Response {
        self.respond(&self.body(context, detail, errors))
    }

    /// The problem's body.
    pub(crate) fn body<'a>(
        self,
        context: &'a RequestContext,
        detail: Option<&'a str>,
        errors: &'a [PartError],
    ) -> Body<'a> {
        debug_assert!(Self::ALL.iter().any(|known| known.kind() == self.kind()), "{self:?} is not in the document");
        Body {
            r#type: self.kind(),
            title: self.title(),
            status: self.status().as_u16(),
            detail,
            request_id: context.request_id(),
            trace_id: &context.trace.id,
            errors,
        }
    }

    /// The response with this body: [`Problem::body`], or that and more (RFC 9457, 3.2).
    pub(crate) fn respond(self, body: &impl Serialize) -> Response {
        let body = serde_json::to_vec(body).expect("strings and numbers are JSON");
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Self::TooManyRequests(seconds) = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        } else if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
