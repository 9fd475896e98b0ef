//! The description of the interface (OpenAPI 3.1), made from what goes over the wire. Faults are described by what they
//! have in common: what each effect takes is in `docs/effects.md`.

pub(super) mod responses;

use super::{
    problem::Body,
    routes,
    wire::{Granted, Health, LeaseState, LinkStates},
};
use chaos_model::Protocol;
use std::{borrow::Cow, sync::LazyLock};
use utoipa::{
    OpenApi as _, PartialSchema, ToSchema,
    openapi::{
        Components, RefOr, Schema,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "chaos proxy",
        description = "Steers proxies that stand on the links of a running system. Faults live as long as the lease under \
                       which they were put in place: it has to be renewed, and when it lapses they are taken back at once.",
        version = "1",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        routes::health,
        routes::document,
        routes::links,
        routes::lease,
        routes::take,
        routes::renew,
        routes::give_up,
        routes::send
    ),
    modifiers(&Parts),
    tags(
        (name = "lease", description = "Who may put faults in place, and for how long"),
        (name = "links", description = "Where faults are put in place"),
        (name = "operation", description = "Without a token")
    )
)]
struct Document;

/// Components of the document, to which routes refer by name.
struct Parts;

impl utoipa::Modify for Parts {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let about = "Made at each start of the proxies, and written to their token file.";
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(http.build()));
        add::<Body<'_>>(components);
        add::<Granted>(components);
        add::<Health>(components);
        add::<LeaseState>(components);
        add::<LinkStates>(components);
    }
}

/// Adds a schema and all that it refers to.
fn add<T: ToSchema>(components: &mut Components) {
    let mut all = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut all);
    components.schemas.extend(all);
}

/// The document: the same bytes for the same build.
pub(super) fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
        text.push('\n');
        text
    });
    &JSON
}

/// A type of another crate, described by JSON: that crate knows nothing of this page.
macro_rules! described {
    ($($(#[doc = $doc:literal])* $name:ident = $schema:tt;)*) => {
        $(
            $(#[doc = $doc])*
            pub(super) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    read(serde_json::json!($schema))
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).trim_end_matches("Schema").into()
                }
            }
        )*
    };
}

/// A schema out of its JSON. What is no schema would show in the document, and so in the tests.
fn read(json: serde_json::Value) -> RefOr<Schema> {
    serde_json::from_value(json).map_or_else(|_| utoipa::openapi::Object::new().into(), RefOr::T)
}

described! {
    /// Protocol that a service speaks.
    ProtocolSchema = { "type": "string", "enum": Protocol::ALL };
    /// A fault.
    FaultSchema = {
        "type": "object",
        "description": "A fault: a name, the link that it is on, an effect (see docs/effects.md; durations are whole \
                        microseconds here), the share of requests or connections that meet it, and optionally `only`, \
                        `ramp_us` and `pulse`. When it begins and ends is said by the messages: `at_us` and `lasts_us` are \
                        for people.",
        "required": ["name", "on", "effect", "share", "at_us", "lasts_us"],
        "properties": {
            "name": { "type": "string" },
            "on": {
                "type": "object",
                "required": ["link"],
                "properties": {
                    "link": {
                        "type": "object",
                        "required": ["from", "to"],
                        "properties": {
                            "from": { "description": "`client`, or `{\"service\": \"gateway\"}`" },
                            "to": { "type": "string" },
                            "label": { "type": ["string", "null"] }
                        }
                    }
                }
            },
            "effect": { "type": "object" },
            "share": {
                "type": "object",
                "required": ["parts", "whole"],
                "properties": { "parts": { "type": "integer" }, "whole": { "type": "integer" } }
            },
            "at_us": { "type": "integer" },
            "lasts_us": { "type": "integer" }
        },
        "examples": [{
            "name": "outage",
            "on": { "link": { "from": { "service": "gateway" }, "to": "redis", "label": null } },
            "effect": { "refuse": { "open": "reset" } },
            "share": { "parts": 1, "whole": 1 },
            "at_us": 0,
            "lasts_us": 4_000_000
        }]
    };
    /// Count of what a fault did.
    FiredSchema = {
        "type": "object",
        "description": "How often a fault fired, by what it did.",
        "additionalProperties": { "type": "integer", "minimum": 0 },
        "properties": {
            "connections": { "type": "integer", "description": "Connections that it met" },
            "chunks": { "type": "integer", "description": "Chunks of bytes that it delayed, held or cut up" },
            "resets": { "type": "integer", "description": "Connections that it reset" },
            "closes": { "type": "integer", "description": "Connections that it closed in an orderly way" },
            "refused": { "type": "integer", "description": "Attempts to connect that were refused, at most" },
            "dropped": { "type": "integer", "description": "Attempts to connect that were dropped" },
            "messages": { "type": "integer", "description": "Requests or commands that it acted on" },
            "bystanders": { "type": "integer", "description": "Requests or commands that waited behind one of these" }
        }
    };
    /// Counts of what came to a link.
    LinkCountsSchema = {
        "type": "object",
        "description": "What callers of the link sent since its proxy began, whether a fault acted on it or not.",
        "properties": {
            "connections": { "type": "integer", "description": "Connections that were accepted; 0 where it is left out" },
            "messages": {
                "type": "object",
                "description": "Requests or commands by their kind, as `GET /users/*` or `SETEX`",
                "additionalProperties": { "type": "integer", "minimum": 0 }
            }
        }
    };
    /// Message to a proxy.
    MessageSchema = {
        "description": "One of: `{\"apply\": FAULT}` puts it on the link, `{\"remove\": {\"fault\": NAME}}` takes it back, \
                        `\"clear\"` takes all back, `\"fired\"` asks how often each has fired so far.",
        "oneOf": [
            { "type": "object", "required": ["apply"], "properties": { "apply": { "type": "object" } } },
            {
                "type": "object",
                "required": ["remove"],
                "properties": {
                    "remove": {
                        "type": "object", "required": ["fault"], "properties": { "fault": { "type": "string" } }
                    }
                }
            },
            { "type": "string", "enum": ["clear", "fired"] }
        ]
    };
    /// Reply of a proxy.
    ReplySchema = {
        "description": "`\"done\"`; or `{\"removed\": …}` with how often the fault fired and its injections, in the order of \
                        time, with how many there was no room for; or `{\"fired\": …}` by fault.",
        "oneOf": [
            { "type": "string", "enum": ["done"] },
            {
                "type": "object",
                "required": ["removed"],
                "properties": {
                    "removed": {
                        "type": "object",
                        "required": ["fired", "injections", "left_out"],
                        "properties": {
                            "fired": { "type": "object", "additionalProperties": { "type": "integer" } },
                            "injections": { "type": "array", "items": { "type": "object" } },
                            "left_out": { "type": "integer" }
                        }
                    }
                }
            },
            {
                "type": "object",
                "required": ["fired"],
                "properties": { "fired": { "type": "object", "additionalProperties": { "type": "object" } } }
            }
        ]
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_checked_in() {
        let there = include_str!("../../openapi.json");
        let advice = "`cargo test -p chaos-inject openapi -- --ignored` writes it";
        assert!(there == json(), "chaos/inject/openapi.json is old: {advice}");
    }

    #[test]
    #[ignore = "writes chaos/inject/openapi.json"]
    fn write_the_document() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json"), json()).unwrap();
    }
}
