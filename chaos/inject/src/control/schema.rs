//! Schemas of types that know nothing of this interface, for its description.

use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

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
    serde_json::from_value(json).unwrap_or_else(|_| utoipa::openapi::Object::new().into())
}

described! {
    /// A fault. Its schemas are those of the language, which [`openapi`](super::openapi) puts in: utoipa has no words for them.
    FaultSchema = { "type": "object" };
    /// Count of what a fault did.
    FiredSchema = {
        "type": "object",
        "description": "How often a fault fired, by what it did.",
        "properties": {
            "connections": { "type": "integer", "description": "Connections that it met" },
            "chunks": { "type": "integer", "description": "Chunks of bytes that it delayed, held or cut up" },
            "resets": { "type": "integer", "description": "Connections that it reset" },
            "closes": { "type": "integer", "description": "Connections that it closed in an orderly way" },
            "refused": { "type": "integer", "description": "Attempts to connect that were refused, at most" },
            "dropped": { "type": "integer", "description": "Attempts to connect that were dropped" },
            "messages": { "type": "integer", "description": "Requests or commands that it acted on" },
            "bystanders": { "type": "integer", "description": "Requests or commands that waited behind one of these" },
            "throttled": {
                "type": "integer",
                "description": "Connections, in each direction for itself, on which a delay held up the sender too, since as much \
                                was under way as may be (`in-flight`)"
            },
            "spared": {
                "type": "object",
                "description": "Connections and messages that it could not act on, by reason (`tls`, `ambiguous_length`, …)",
                "properties": {
                    "connections": { "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } },
                    "messages": { "type": "object", "additionalProperties": { "type": "integer", "minimum": 0 } }
                }
            }
        }
    };
    /// Counts of what came to a link.
    LinkCountsSchema = {
        "type": "object",
        "description": "What callers of the link sent since its proxy began, whether a fault acted on it or not.",
        "properties": {
            "connections": { "type": "integer", "description": "Connections that were accepted; 0 where it is left out" },
            "unread": {
                "type": "integer",
                "description": "Connections on which something came that can't be read; 0 where it is left out"
            },
            "turned_away": {
                "type": "integer",
                "description": "Connections that were reset, since the proxy had no room for them; 0 where it is left out"
            },
            "begins": {
                "type": "object",
                "description": "Connections by what their first bytes are of, as `tls`, or `unknown`; on links on which nothing is read",
                "additionalProperties": { "type": "integer", "minimum": 0 }
            },
            "messages": {
                "type": "object",
                "description": "Requests or commands by their kind, as `GET /users/*` or `SETEX`",
                "additionalProperties": { "type": "integer", "minimum": 0 }
            }
        }
    };
    /// Message to a proxy.
    MessageSchema = {
        "description": "One of: `{\"apply\": FAULT}` puts it on its link, `{\"remove\": {\"fault\": NAME}}` takes it back, \
                        `\"clear\"` takes all back, `\"fired\"` asks how often each has fired so far.",
        "oneOf": [
            {
                "type": "object",
                "required": ["apply"],
                "properties": { "apply": { "$ref": "#/components/schemas/Fault" } },
                "additionalProperties": false
            },
            {
                "type": "object",
                "required": ["remove"],
                "properties": {
                    "remove": {
                        "type": "object", "required": ["fault"], "properties": { "fault": { "type": "string" } },
                        "additionalProperties": false
                    }
                },
                "additionalProperties": false
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
                            "fired": { "$ref": "#/components/schemas/Fired" },
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
