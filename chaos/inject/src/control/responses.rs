//! Responses of each route, by status.

use super::{problem::Body, schema::ReplySchema, wire};
use std::collections::BTreeMap;
use utoipa::{
    IntoResponses, PartialSchema as _, ToSchema as _,
    openapi::{
        Content, Ref, RefOr, Schema,
        response::{Response, ResponseBuilder},
    },
};

type Responses = BTreeMap<String, RefOr<Response>>;

/// A route: its response when all is well, and the statuses of its problems.
macro_rules! routes {
    ($($(#[doc = $doc:literal])* $name:ident: $status:literal $about:literal $schema:expr, [$($problem:literal),*];)*) => {
        $(
            $(#[doc = $doc])*
            pub(super) struct $name;

            impl IntoResponses for $name {
                fn responses() -> Responses {
                    let mut responses = Responses::new();
                    let mut response = ResponseBuilder::new().description($about);
                    if let Some(schema) = $schema {
                        response = response.content("application/json", Content::new(Some::<RefOr<Schema>>(schema)));
                    }
                    responses.insert($status.to_string(), response.build().into());
                    $(responses.insert($problem.to_string(), problem($problem).into());)*
                    responses
                }
            }
        )*
    };
}

routes! {
    /// Responses of `GET /health`.
    Health: 200 "It is there" Some(of::<wire::Health>()), [];
    /// Responses of `GET /openapi.json`.
    Document: 200 "This document" Some(utoipa::openapi::Object::new().into()), [];
    /// Responses of `GET /links`.
    Links: 200 "All links" Some(of::<wire::LinkStates>()), [401, 422];
    /// Responses of `GET /lease`.
    Lease: 200 "The lease, if anybody holds it" Some(of::<wire::LeaseState>()), [401, 422];
    /// Responses of `POST /lease`.
    Take: 201 "It is yours; `Location` is its place" Some(of::<wire::Granted>()), [400, 401, 408, 409, 413, 422];
    /// Responses of `PUT /lease/{id}`.
    Renew: 204 "It lives on" None, [401, 404, 410, 422];
    /// Responses of `DELETE /lease/{id}`.
    GiveUp: 204 "It is over, and its faults are taken back" None, [401, 404, 422];
    /// Responses of `POST /lease/{id}/messages`.
    Send: 200 "What the proxy says" Some(ReplySchema::schema()), [400, 401, 404, 408, 410, 413, 422];
}

fn of<T: utoipa::ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

/// The same on every route.
fn problem(status: u16) -> Response {
    let about = match status {
        400 => "The body is no JSON, or can't be read",
        401 => "No token that is good",
        404 => "There is no such lease, or no such link",
        408 => "The body did not come in time",
        409 => "Somebody holds the lease: `holder`, `since`",
        410 => "The lease is over, and its faults are taken back",
        413 => "The body is too large",
        _ => {
            "The request or its fault is not valid (`errors` has each mistake with its place), or the proxy refused: nothing was changed"
        }
    };
    let schema: RefOr<Schema> = Ref::from_schema_name(Body::<'_>::name()).into();
    ResponseBuilder::new().description(about).content("application/problem+json", Content::new(Some(schema))).build()
}
