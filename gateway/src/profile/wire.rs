//! A response on the wire: body and headers.

use super::{
    conditional::IfNoneMatch,
    response::{Content, ProfileResponse},
};
use crate::{
    context::RequestContext,
    labels::{PartState, Source},
    problem::PartError,
    upstream::services::{Json, Order, Product, User},
    user_id::UserId,
};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use std::{borrow::Cow, fmt::Write as _, sync::Arc};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Ref, RefOr, Schema},
};

pub(crate) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const X_GATEWAY_COMPLETE: HeaderName = HeaderName::from_static("x-gateway-complete");
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// About as much as a body has besides its parts, `meta` included.
const BESIDES_PARTS: usize = 768;

/// Keys are always present: null is unknown, since it could not be had;
/// an empty list is known to be empty.
// But for `meta`, which is written after it: the tag is of this alone, since `meta` differs each time.
#[derive(Serialize, ToSchema)]
struct Body<'a> {
    user_id: UserId,
    #[schema(value_type = Option<User>, required = true)]
    user: Option<&'a Json>,
    #[schema(value_type = Option<Vec<Order>>, required = true)]
    orders: Option<&'a Json>,
    /// Of the orders, without those that are known to be gone.
    #[schema(value_type = Option<Vec<Product>>, required = true)]
    products: Option<&'a Json>,
    /// Something is unknown.
    partial: bool,
    /// The missing parts and the reasons, at most 16 entries.
    #[schema(value_type = Vec<PartError>, max_items = 16)]
    errors: &'a [PartError],
}

/// The way in which the response came about.
#[derive(Serialize, ToSchema)]
struct Meta<'a> {
    request_id: &'a str,
    #[schema(pattern = "^[0-9a-f]{32}$")]
    trace_id: &'a str,
    /// The time at which the data was gathered: a cached response keeps the time of its origin.
    #[schema(format = DateTime)]
    generated_at: String,
    parts: Parts<'a>,
}

/// The parts of a profile.
#[derive(Serialize, ToSchema)]
struct Parts<'a> {
    user: Part<'a>,
    orders: Part<'a>,
    products: Part<'a>,
}

/// Source and age are null where there is nothing that could have them.
#[derive(Serialize, ToSchema)]
struct Part<'a> {
    state: PartState,
    #[schema(required = true)]
    source: Option<Source>,
    /// Milliseconds since it was gathered.
    #[schema(required = true)]
    age_ms: Option<u64>,
    /// Products of the orders that are known to be gone; left out where there are none.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    gone: &'a [String],
}

/// [`Body`] with its `meta`, as the document has it.
pub(crate) struct ProfileBody;

impl PartialSchema for ProfileBody {
    fn schema() -> RefOr<Schema> {
        let mut schema = Body::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.insert("meta".to_owned(), Ref::from_schema_name(Meta::name()).into());
            object.required.push("meta".to_owned());
        }
        schema
    }
}

impl ToSchema for ProfileBody {
    fn name() -> Cow<'static, str> {
        "Profile".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Body::schemas(schemas);
        schemas.push((Meta::name().into(), Meta::schema()));
        Meta::schemas(schemas);
    }
}

impl ProfileResponse {
    fn part<'a>(&self, index: usize, gone: &'a [String]) -> Part<'a> {
        let state = self.states[index];
        let there = matches!(state, PartState::Fresh | PartState::Stale | PartState::Partial);
        let (source, age) = self.sources[index];
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Part { state, source: there.then_some(source), age_ms: there.then_some(age), gone }
    }

    /// The response, with the summary for the log among its extensions; 304 to whoever has it already.
    pub(super) fn into_response(self, context: &RequestContext, client: &IfNoneMatch) -> Response {
        let mut response = match &self.content {
            Content::Problem(problem) => problem.response(context, None, &self.errors),
            Content::Profile { user, orders, products, gone, complete } => {
                let shown = Body {
                    user_id: self.user_id,
                    user: user.as_ref(),
                    orders: orders.as_ref(),
                    products: products.as_ref(),
                    partial: !complete,
                    errors: &self.errors,
                };
                let parts = [user, orders, products].into_iter().flatten().map(|part| part.get().len()).sum::<usize>();
                let mut body = Vec::with_capacity(parts + BESIDES_PARTS);
                serde_json::to_writer(&mut body, &shown).expect("checked JSON, strings and numbers are JSON");
                // What is old is shown in need: nobody shall keep it for longer.
                let etag = (*complete && !self.states.contains(&PartState::Stale)).then(|| tag(&body));
                let known = etag.as_ref().is_some_and(|etag| client.has(etag));
                let mut response = if known {
                    not_modified()
                } else {
                    self.append_meta(&mut body, context, gone);
                    json(body)
                };
                self.profile_headers(*complete, etag.as_deref(), response.headers_mut());
                response
            }
        };
        let headers = response.headers_mut();
        set(headers, CACHE_STATUS, &self.cache_status);
        set(headers, SERVER_TIMING, &self.server_timing());
        response.extensions_mut().insert(Arc::new(self.summary()));
        response
    }

    /// Puts `meta` into the object that `body` is, as its last member.
    fn append_meta(&self, body: &mut Vec<u8>, context: &RequestContext, gone: &[String]) {
        let meta = Meta {
            request_id: context.request_id(),
            trace_id: &context.trace.id,
            generated_at: host::rfc3339(self.generated_at),
            parts: Parts { user: self.part(0, &[]), orders: self.part(1, &[]), products: self.part(2, gone) },
        };
        body.pop();
        body.extend_from_slice(b",\"meta\":");
        serde_json::to_writer(&mut *body, &meta).expect("strings and numbers are JSON");
        body.push(b'}');
    }

    /// `etag` is there for what may be kept.
    fn profile_headers(&self, complete: bool, etag: Option<&str>, headers: &mut http::HeaderMap) {
        set(headers, X_GATEWAY_COMPLETE, if complete { "true" } else { "false" });
        if let Some(etag) = etag {
            set(headers, header::ETAG, etag);
            set(headers, header::AGE, &self.age.as_secs().to_string());
            set(headers, header::CACHE_CONTROL, &format!("private, max-age={}", self.max_age.as_secs()));
        } else {
            set(headers, header::CACHE_CONTROL, "no-store");
        }
    }

    /// W3C Server Timing, in milliseconds.
    fn server_timing(&self) -> String {
        let mut text = format!("cache;dur={:.1}", self.timings.cache.as_secs_f64() * 1e3);
        for (name, took) in ["user", "orders", "products"].iter().zip(self.timings.parts) {
            if let Some(took) = took {
                // Writing to a string can't fail.
                let _ = write!(text, ", {name};dur={:.1}", took.as_secs_f64() * 1e3);
            }
        }
        text
    }
}

/// A weak tag (RFC 9110, 8.8.3): the same data has the same one, whenever and by whichever gateway it was gathered.
fn tag(body: &[u8]) -> String {
    format!("W/\"{:016x}\"", host::hash(0, &[body]))
}

fn json(body: Vec<u8>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn not_modified() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

fn set(headers: &mut http::HeaderMap, name: HeaderName, value: &str) {
    // All values are made of words of ours and numbers.
    headers.insert(name, HeaderValue::from_str(value).expect("visible ASCII makes a header"));
}
