use super::*;
use serde_json::json;

fn shop() -> Value {
    json!({
        "openapi": "3.1.0",
        "servers": [{ "url": "https://shop.example/api/" }],
        "paths": {
            "/items/{item_id}": {
                "parameters": [{ "$ref": "#/components/parameters/Item" }],
                "get": {},
                "put": { "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Item" } } } } },
                "delete": {}
            },
            "/orders": {
                "get": { "parameters": [
                    { "name": "state", "in": "query", "required": true, "schema": { "enum": ["open", "done"] } },
                    { "name": "page", "in": "query", "schema": { "type": "integer" } },
                    { "name": "X-Tenant", "in": "header", "required": true, "example": "blue" }
                ] },
                "post": { "requestBody": { "content": { "application/json": { "example": { "item": 7, "note": "{now}" } } } } }
            },
            "/photos": { "post": { "requestBody": { "content": { "image/png": {} } } } },
            "/users/{id}": { "get": { "parameters": [
                { "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }
            ] } },
            "/sizes/{id}": { "get": { "parameters": [
                { "name": "id", "in": "path", "required": true, "schema": { "type": ["integer", "null"], "minimum": 30, "maximum": 48 } }
            ] } },
            "/health": { "get": {} }
        },
        "components": {
            "parameters": { "Item": { "name": "item_id", "in": "path", "required": true, "schema": { "type": "integer" } } },
            "schemas": {
                "Item": {
                    "type": "object",
                    "required": ["name", "price", "tags", "of"],
                    "properties": {
                        "name": { "type": "string", "minLength": 6 },
                        "price": { "type": "number", "minimum": 0 },
                        "tags": { "type": "array", "items": { "type": "string" } },
                        "of": { "$ref": "#/components/schemas/Item" },
                        "note": { "type": "string" }
                    }
                }
            }
        }
    })
}

#[test]
fn operations_become_requests_with_weights_and_variables() {
    let load = load(&shop(), "the operations of openapi.json", false).unwrap();
    insta::assert_snapshot!(load.text(40, 18));
}

#[test]
fn nothing_is_written_where_nothing_may_be() {
    let load = load(&shop(), "", true).unwrap();
    assert!(load.requests.iter().all(|request| request.line.starts_with("GET ") && request.weight == 1));
    assert!(load.left_out.iter().any(|(line, why)| line == "POST /api/orders" && why == "it may change what is there"));
}

#[test]
fn swagger_is_read_too() {
    let document = json!({
        "swagger": "2.0",
        "basePath": "/v1",
        "paths": { "/items": { "post": { "parameters": [
            { "in": "body", "name": "item", "required": true, "schema": { "type": "object", "properties": { "a": { "type": "integer" } } } }
        ] } } }
    });
    let load = load(&document, "", false).unwrap();
    assert_eq!(load.requests[0].line, "POST /v1/items");
    assert_eq!(load.requests[0].json.as_ref().unwrap().to_string(), "{ a = 1 }");
}

#[test]
fn what_is_no_document_is_told() {
    assert!(load(&json!({ "a": 1 }), "", false).unwrap_err().contains("no OpenAPI document"));
    assert!(load(&json!({ "openapi": "3.0.0", "paths": {} }), "", false).unwrap_err().contains("no request"));
}

/// The document of the gateway that is bundled: clients ask for profiles, and what is for its operators is left to them.
#[test]
fn the_gateways_own_document_makes_a_load() {
    let document = serde_json::from_str(include_str!("../../../../gateway/openapi.json")).unwrap();
    let load = load(&document, "the operations of openapi.json", false).unwrap();
    insta::assert_snapshot!(load.text(40, 18));
}
