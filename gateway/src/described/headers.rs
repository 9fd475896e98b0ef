//! The headers of responses, as the document tells of them.

use utoipa::openapi::{
    header::{Header, HeaderBuilder},
    schema::{ObjectBuilder, Type},
};

/// A header by its name, its type and what it says.
pub(crate) type About = (&'static str, Type, &'static str);

pub(crate) const REQUEST_ID: About =
    ("X-Request-Id", Type::String, "The client's, if it sent a valid one (1 to 128 of A-Z a-z 0-9 - _ . : + / =)");
pub(crate) const CACHE_STATUS: About =
    ("Cache-Status", Type::String, "Whether the cache had it, and if not, why (RFC 9211)");
pub(crate) const SERVER_TIMING: About =
    ("Server-Timing", Type::String, "How long the cache and each part took, in milliseconds");
pub(crate) const COMPLETE: About = ("X-Gateway-Complete", Type::Boolean, "Nothing is missing");
pub(crate) const CACHE_CONTROL: About = (
    "Cache-Control",
    Type::String,
    "`private, max-age=…` where the response is complete and fresh; `no-store` where it is partial or stale",
);
pub(crate) const NO_STORE: About = ("Cache-Control", Type::String, "`no-store`");
pub(crate) const ETAG: About =
    ("ETag", Type::String, "A weak tag of the body without `meta`; complete and fresh responses alone have one");
pub(crate) const AGE: About =
    ("Age", Type::Integer, "Seconds since the data was gathered; complete and fresh responses alone have it");
pub(crate) const RETRY_AFTER: About = ("Retry-After", Type::Integer, "Seconds after which it may be tried again");
pub(crate) const CHALLENGE: About =
    ("WWW-Authenticate", Type::String, "How to be let in, and what is wrong with the token (RFC 6750)");
pub(crate) const ALLOW: About = ("Allow", Type::String, "The methods that this route has");

/// The header for the document.
pub(crate) fn header((name, kind, about): About) -> (&'static str, Header) {
    let schema = ObjectBuilder::new().schema_type(kind);
    (name, HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build())
}
