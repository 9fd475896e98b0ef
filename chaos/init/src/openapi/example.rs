//! Examples of bodies, made from their schemas.

use super::{kind, resolved};
use serde_json::{Map, Value};

/// Schemas within schemas are followed so far: one may hold itself.
const DEEPEST: usize = 8;

/// A value that fits a schema, as far as that says it plainly.
pub(super) fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    for given in ["example", "default", "const"] {
        if let Some(given) = schema.get(given) {
            return given.clone();
        }
    }
    let first = |key: &str| schema.get(key).and_then(Value::as_array).and_then(|list| list.first());
    if let Some(given) = first("examples").or_else(|| first("enum")) {
        return given.clone();
    }
    if depth >= DEEPEST {
        return Value::Null;
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let all = parts.iter().filter_map(|part| example(document, part, depth + 1).as_object().cloned());
        return Value::Object(all.flatten().collect());
    }
    if let Some(one) = first("oneOf").or_else(|| first("anyOf")) {
        return example(document, one, depth + 1);
    }
    let number = |key: &str| schema.get(key).and_then(Value::as_i64);
    match kind(schema) {
        "integer" | "number" => number("minimum").unwrap_or(1).into(),
        "boolean" => true.into(),
        "array" => {
            let items = schema.get("items").map(|items| example(document, items, depth + 1));
            Value::Array(items.into_iter().filter(|item| !item.is_null()).collect())
        }
        "string" => string(schema).into(),
        _ => Value::Object(properties(document, schema, depth)),
    }
}

/// Examples of properties: of those that are required; where none is, of all.
fn properties(document: &Value, schema: &Value, depth: usize) -> Map<String, Value> {
    let required: Option<Vec<&str>> =
        schema.get("required").and_then(Value::as_array).map(|list| list.iter().filter_map(Value::as_str).collect());
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let wanted = properties.filter(|(name, _)| required.as_ref().is_none_or(|list| list.contains(&name.as_str())));
    wanted.map(|(name, schema)| (name.clone(), example(document, schema, depth + 1))).collect()
}

fn string(schema: &Value) -> String {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => "0b4f3c1e-7d1a-4a55-9a51-3f0d2f7c6b11",
        Some("date") => "2026-01-31",
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("email") => "someone@example.com",
        Some("uri" | "url") => "http://example.com/",
        _ => "text",
    };
    let length = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let least = length("minLength").unwrap_or(0).min(1000);
    let padded = format!("{text}{}", "x".repeat(least.saturating_sub(text.len())));
    padded.chars().take(length("maxLength").unwrap_or(usize::MAX)).collect()
}

/// The value in TOML, with braces doubled, since a load has variables in them; none for `null`, which TOML doesn't have.
pub(super) fn toml_of(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(it) => (*it).into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.replace('{', "{{").replace('}', "}}").into(),
        Value::Array(list) => toml::Value::Array(list.iter().filter_map(toml_of).collect()),
        Value::Object(map) => {
            let entries = map.iter().filter_map(|(key, value)| Some((key.clone(), toml_of(value)?)));
            toml::Value::Table(entries.collect())
        }
    })
}
