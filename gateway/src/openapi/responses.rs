//! Statuses of each route's responses, and the content and headers that come with them.

use super::headers::{self, About};
use crate::{edge::problem::Problem, health, profile};
use http::StatusCode;
use std::{collections::BTreeMap, fmt::Write as _};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        Content, Object, Ref, RefOr,
        response::{Response, ResponseBuilder},
        schema::Type,
    },
};

type Responses = BTreeMap<String, RefOr<Response>>;

/// Responses with a profile.
pub(crate) struct Profile;
/// Responses of `/health`.
pub(crate) struct Health;
/// Responses of `/health/live`.
pub(crate) struct Live;
/// Responses of `/health/ready`.
pub(crate) struct Ready;
/// Responses of `/metrics`.
pub(crate) struct Metrics;
/// Responses with the document itself.
pub(crate) struct Document;

const PROFILE_HEADERS: [About; 7] = [
    headers::REQUEST_ID,
    headers::CACHE_STATUS,
    headers::SERVER_TIMING,
    headers::COMPLETE,
    headers::CACHE_CONTROL,
    headers::ETAG,
    headers::AGE,
];

impl IntoResponses for Profile {
    fn responses() -> Responses {
        let mut responses = Responses::new();
        let about = "The profile; `partial` where something of it is unknown";
        put(
            &mut responses,
            "200",
            response(about, &PROFILE_HEADERS).content("application/json", of::<profile::ProfileBody>()),
        );
        put(&mut responses, "304", response("The client has it already (`If-None-Match`)", &PROFILE_HEADERS));
        let mut problems: BTreeMap<StatusCode, Vec<Problem>> = BTreeMap::new();
        for problem in Problem::ALL.into_iter().filter(|problem| problem.is_of_profiles()) {
            problems.entry(problem.status()).or_default().push(problem);
        }
        for (status, problems) in problems {
            put(&mut responses, status.as_str(), refusal(status, &problems));
        }
        responses
    }
}

impl IntoResponses for Health {
    fn responses() -> Responses {
        let good = response("All is well, or less than it could be", &[headers::REQUEST_ID]);
        let mut responses = operation(good.content("application/json", of::<health::Health>()));
        put(&mut responses, "503", unavailable(Problem::Unhealthy, of::<health::Unhealthy<'_>>()));
        responses
    }
}

impl IntoResponses for Live {
    fn responses() -> Responses {
        operation(response("It runs", &[headers::REQUEST_ID]).content("application/json", of::<health::Ready>()))
    }
}

impl IntoResponses for Ready {
    fn responses() -> Responses {
        let good = response("Requests are welcome", &[headers::REQUEST_ID]);
        let mut responses = operation(good.content("application/json", of::<health::Ready>()));
        put(&mut responses, "503", unavailable(Problem::NotReady, of::<crate::edge::problem::Body<'_>>()));
        responses
    }
}

impl IntoResponses for Metrics {
    fn responses() -> Responses {
        let text = Content::new(Some(Object::with_type(Type::String)));
        operation(
            response("In Prometheus's text format", &[headers::REQUEST_ID]).content(prometheus::TEXT_FORMAT, text),
        )
    }
}

impl IntoResponses for Document {
    fn responses() -> Responses {
        let object = Content::new(Some(Object::with_type(Type::Object)));
        let good = response("OpenAPI 3.1", &[headers::REQUEST_ID]).content("application/json", object);
        let with = [headers::REQUEST_ID, headers::NO_STORE, headers::ALLOW, headers::RETRY_AFTER];
        refusable(good, "A request that can't be taken, or one too many", &with)
    }
}

fn put(responses: &mut Responses, status: &str, response: ResponseBuilder) {
    responses.insert(status.to_owned(), response.build().into());
}

fn response(about: &str, with: &[About]) -> ResponseBuilder {
    with.iter().cloned().fold(ResponseBuilder::new().description(about), |response, about| {
        let (name, header) = headers::header(about);
        response.header(name, header)
    })
}

fn of<T: ToSchema>() -> Content {
    Content::new(Some(Ref::from_schema_name(T::name())))
}

/// A route for operators: 200, and a problem for requests that it can't take.
fn operation(good: ResponseBuilder) -> Responses {
    let with = [headers::REQUEST_ID, headers::NO_STORE, headers::ALLOW];
    refusable(good, "A request that can't be taken: another method, or too large a body", &with)
}

/// 200, and a problem for whatever else.
fn refusable(good: ResponseBuilder, about: &str, with: &[About]) -> Responses {
    let mut responses = Responses::new();
    put(&mut responses, "200", good);
    let problem = response(about, with);
    put(&mut responses, "default", problem.content("application/problem+json", of::<crate::edge::problem::Body<'_>>()));
    responses
}

/// A route for operators says that the gateway is not available.
fn unavailable(problem: Problem, body: Content) -> ResponseBuilder {
    let about = format!("{} (`{}`)", problem.title(), problem.kind());
    let with = [headers::REQUEST_ID, headers::NO_STORE, headers::RETRY_AFTER];
    response(&about, &with).content("application/problem+json", body)
}

fn refusal(status: StatusCode, problems: &[Problem]) -> ResponseBuilder {
    let mut about = String::new();
    for problem in problems {
        let separator = if about.is_empty() { "" } else { "; " };
        // Writing to a string can't fail.
        let _ = write!(about, "{separator}{} (`{}`)", problem.title(), problem.kind());
    }
    let mut with = vec![headers::REQUEST_ID, headers::NO_STORE];
    match status {
        StatusCode::METHOD_NOT_ALLOWED => with.push(headers::ALLOW),
        StatusCode::UNAUTHORIZED => with.push(headers::CHALLENGE),
        StatusCode::TOO_MANY_REQUESTS => with.push(headers::RETRY_AFTER),
        StatusCode::SERVICE_UNAVAILABLE => {
            with.extend([headers::RETRY_AFTER, headers::CACHE_STATUS, headers::SERVER_TIMING]);
        }
        StatusCode::NOT_FOUND | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            with.extend([headers::CACHE_STATUS, headers::SERVER_TIMING]);
        }
        _ => {}
    }
    response(&about, &with).content("application/problem+json", of::<crate::edge::problem::Body<'_>>())
}
