//! Parts of the document that every route's responses are made of: headers, content, problems. Each route
//! describes its own responses with them, beside its handler.

pub(crate) mod headers;

use crate::problem::{self, Problem};
use headers::About;
use http::StatusCode;
use std::{collections::BTreeMap, fmt::Write as _};
use utoipa::{
    ToSchema,
    openapi::{
        Content, Ref, RefOr,
        response::{Response, ResponseBuilder},
    },
};

/// Responses by their status.
pub(crate) type Responses = BTreeMap<String, RefOr<Response>>;

/// Adds the response with this status.
pub(crate) fn put(responses: &mut Responses, status: &str, response: ResponseBuilder) {
    responses.insert(status.to_owned(), response.build().into());
}

/// A response with these headers.
pub(crate) fn response(about: &str, with: &[About]) -> ResponseBuilder {
    with.iter().cloned().fold(ResponseBuilder::new().description(about), |response, about| {
        let (name, header) = headers::header(about);
        response.header(name, header)
    })
}

/// The content of a type that the document has by its name.
pub(crate) fn of<T: ToSchema>() -> Content {
    Content::new(Some(Ref::from_schema_name(T::name())))
}

/// A route for operators: 200, and a problem for requests that it can't take.
pub(crate) fn operation(good: ResponseBuilder) -> Responses {
    let with = [headers::REQUEST_ID, headers::NO_STORE, headers::ALLOW];
    refusable(good, "A request that can't be taken: another method, or too large a body", &with)
}

/// 200, and a problem for whatever else.
pub(crate) fn refusable(good: ResponseBuilder, about: &str, with: &[About]) -> Responses {
    let mut responses = Responses::new();
    put(&mut responses, "200", good);
    let problem = response(about, with);
    put(&mut responses, "default", problem.content("application/problem+json", of::<problem::Body<'_>>()));
    responses
}

/// A route for operators says that the gateway is not available.
pub(crate) fn unavailable(problem: Problem, body: Content) -> ResponseBuilder {
    let about = format!("{} (`{}`)", problem.title(), problem.kind());
    let with = [headers::REQUEST_ID, headers::NO_STORE, headers::RETRY_AFTER];
    response(&about, &with).content("application/problem+json", body)
}

/// The response of a profile's route for all problems with this status.
pub(crate) fn refusal(status: StatusCode, problems: &[Problem]) -> ResponseBuilder {
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
        StatusCode::NOT_FOUND
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::BAD_GATEWAY
        | StatusCode::GATEWAY_TIMEOUT => {
            with.extend([headers::CACHE_STATUS, headers::SERVER_TIMING]);
        }
        _ => {}
    }
    response(&about, &with).content("application/problem+json", of::<problem::Body<'_>>())
}
