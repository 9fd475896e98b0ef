//! A load from an OpenAPI document (3.0, 3.1; Swagger 2.0): a request an operation, and variables for what its parameters take.
//!
//! Reading is four times as frequent as writing, as with most clients; nothing is deleted. What can't be made from the document is
//! left out, and told.

mod example;

use crate::load::{LoadDraft, RequestDraft};
use example::{example, toml_of};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Weight of requests that read, where others write.
const READING: u32 = 4;

/// References that lead through further ones than this are a circle.
const MOST_REFERENCES: usize = 32;

/// Operations that clients' requests are made of.
const METHODS: [(&str, u32); 5] = [("get", READING), ("head", 1), ("post", 1), ("put", 1), ("patch", 1)];

/// Ends of paths that are for who runs a service, and not for its clients.
const OF_OPERATORS: [&str; 10] = [
    "/metrics",
    "/health",
    "/healthz",
    "/health/live",
    "/health/ready",
    "/ready",
    "/livez",
    "/readyz",
    "/openapi.json",
    "/docs",
];

/// True for an OpenAPI document.
#[must_use]
pub fn is_openapi(document: &Value) -> bool {
    let is_named = document.get("openapi").or_else(|| document.get("swagger")).is_some_and(Value::is_string);
    is_named && document.get("paths").is_some_and(Value::is_object)
}

/// The load of a document. `reads_alone` where nothing may be written.
///
/// # Errors
/// In words: no request can be made from it.
pub fn load(document: &Value, from: &str, reads_alone: bool) -> Result<LoadDraft, String> {
    if !is_openapi(document) {
        return Err("it is no OpenAPI document: it has no `openapi` and `paths`".to_owned());
    }
    let mut reading = Reading { document, vars: BTreeMap::new() };
    let (mut load, mut operators) = (LoadDraft { from: from.to_owned(), ..LoadDraft::default() }, Vec::new());
    let base = base_path(document);
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    for (path, item) in paths {
        let item = reading.resolved(item);
        for (method, weight) in METHODS {
            let Some(operation) = item.get(method).and_then(Value::as_object) else { continue };
            let line = format!("{} {base}{path}", method.to_uppercase());
            if reads_alone && !matches!(method, "get" | "head") {
                load.left_out.push((line, "it may change what is there".to_owned()));
                continue;
            }
            match reading.request(&line, item, operation) {
                Ok(request) if OF_OPERATORS.iter().any(|end| path.ends_with(*end)) => operators.push(request),
                Ok(request) => load.requests.push(RequestDraft { weight, ..request }),
                Err(why) => load.left_out.push((line, why)),
            }
        }
        if item.get("delete").is_some() {
            load.left_out.push((format!("DELETE {base}{path}"), "it deletes".to_owned()));
        }
    }
    if load.requests.is_empty() {
        load.requests = operators;
    } else {
        let told = operators.into_iter().map(|one| (one.line, "for who runs the service".to_owned()));
        load.left_out.extend(told);
    }
    if load.requests.is_empty() {
        return Err("no request can be made from it: it has no operations that read or write".to_owned());
    }
    // A weight is of something else.
    if load.requests.iter().all(|request| request.weight == READING) {
        load.requests.iter_mut().for_each(|request| request.weight = 1);
    }
    load.vars = reading.vars.into_iter().collect();
    load.drop_unused_vars();
    Ok(load)
}

/// The path of the first server, or Swagger's base.
fn base_path(document: &Value) -> String {
    let server = document.pointer("/servers/0/url").or_else(|| document.get("basePath")).and_then(Value::as_str);
    let server = server.unwrap_or_default();
    let path = match server.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => server,
    };
    let path = path.trim_end_matches('/');
    // One with variables of its own is somebody's to fill in.
    if path.starts_with('/') && !path.contains('{') { path.to_owned() } else { String::new() }
}

struct Reading<'a> {
    document: &'a Value,
    /// Variables by their names.
    vars: BTreeMap<String, String>,
}

impl<'a> Reading<'a> {
    /// The value that a reference leads to, within the document; the value itself where it is none.
    fn resolved(&self, value: &'a Value) -> &'a Value {
        resolved(self.document, value)
    }

    /// The request of an operation.
    fn request(
        &mut self,
        line: &str,
        item: &'a Value,
        operation: &'a Map<String, Value>,
    ) -> Result<RequestDraft, String> {
        let (mut line, mut query, mut headers) = (line.to_owned(), Vec::new(), Vec::new());
        let mut body = operation.get("requestBody").map(|body| self.resolved(body));
        for parameter in self.parameters(item, operation) {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let (name, place) = (text("name"), text("in"));
            let is_required = parameter.get("required").and_then(Value::as_bool) == Some(true);
            match place {
                "path" => {
                    let var = self.variable(name, parameter);
                    line = line.replace(&format!("{{{name}}}"), &format!("{{{var}}}"));
                }
                "query" if is_required => {
                    let var = self.variable(name, parameter);
                    query.push(format!("{name}={{{var}}}"));
                }
                "header" if is_required => {
                    let var = self.variable(name, parameter);
                    headers.push((name.to_lowercase(), format!("{{{var}}}")));
                }
                // Swagger's.
                "body" => body = Some(parameter),
                "formData" if is_required => return Err("it takes a form".to_owned()),
                _ => {}
            }
        }
        if !query.is_empty() {
            line = format!("{line}?{}", query.join("&"));
        }
        let json = body.map(|body| self.json(body)).transpose()?.flatten();
        Ok(RequestDraft { headers, json, ..RequestDraft::new(line) })
    }

    /// The parameters of an operation, with those of its path that it does not say otherwise.
    fn parameters(&self, item: &'a Value, operation: &'a Map<String, Value>) -> Vec<&'a Value> {
        let list = |of: Option<&'a Value>| of.and_then(Value::as_array).into_iter().flatten();
        let own: Vec<&Value> = list(operation.get("parameters")).map(|one| self.resolved(one)).collect();
        let same = |one: &Value, other: &Value| ["name", "in"].iter().all(|key| one.get(key) == other.get(key));
        let shared = list(item.get("parameters")).map(|one| self.resolved(one));
        let shared: Vec<&Value> = shared.filter(|one| !own.iter().any(|other| same(one, other))).collect();
        shared.into_iter().chain(own).collect()
    }

    /// The variable for a parameter, which is another one where the same name has other values elsewhere.
    fn variable(&mut self, name: &str, parameter: &'a Value) -> String {
        let values = self.values(parameter);
        let lower = name.to_lowercase();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let mut base: String = lower.chars().map(|c| if fits(c) { c } else { '-' }).collect();
        if !base.starts_with(|c: char| c.is_ascii_lowercase()) || base == "n" {
            base = format!("of-{base}");
        }
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        for candidate in std::iter::once(base.clone()).chain(numbered) {
            match self.vars.get(&candidate) {
                Some(known) if *known == values => return candidate,
                Some(_) => {}
                None => {
                    self.vars.insert(candidate.clone(), values);
                    return candidate;
                }
            }
        }
        base
    }

    /// The values of a parameter, as the language has them.
    fn values(&self, parameter: &'a Value) -> String {
        let schema = parameter.get("schema").map_or(parameter, |schema| self.resolved(schema));
        let given = [parameter, schema].into_iter().find_map(|of| examples(self.document, of));
        if let Some(given) = given {
            return format!("one of {}", given.join(", "));
        }
        let number = |key: &str| schema.get(key).and_then(Value::as_i64);
        match kind(schema) {
            "integer" | "number" => {
                let low =
                    number("minimum").or_else(|| number("exclusiveMinimum").map(|low| low + 1)).unwrap_or(1).max(0);
                let high = number("maximum").or_else(|| number("exclusiveMaximum").map(|high| high - 1));
                // A range of all numbers would find nothing anywhere.
                let high = high.filter(|high| *high >= low).unwrap_or(i64::MAX).min(low.saturating_add(99));
                format!("uniform {low}..{high}")
            }
            "boolean" => "one of true, false".to_owned(),
            _ => match schema.get("format").and_then(Value::as_str) {
                Some("uuid") => "uuid".to_owned(),
                Some("date-time") => "now".to_owned(),
                Some("date") => "one of 2026-01-31".to_owned(),
                _ => {
                    let least = number("minLength").unwrap_or(8).clamp(1, 64);
                    format!("random {}", least.min(number("maxLength").unwrap_or(64).clamp(1, 64)))
                }
            },
        }
    }

    /// The JSON body of an operation; none where it needs none.
    fn json(&self, body: &'a Value) -> Result<Option<toml::Value>, String> {
        let is_required = body.get("required").and_then(Value::as_bool) != Some(false);
        let content = body.get("content").and_then(Value::as_object);
        let media = match content {
            Some(content) => {
                let json =
                    content.iter().find(|(name, _)| name.starts_with("application/json") || name.ends_with("+json"));
                match json {
                    Some((_, media)) => media,
                    None if is_required => return Err("its body is no JSON".to_owned()),
                    None => return Ok(None),
                }
            }
            // Swagger's parameter.
            None => body,
        };
        let given =
            [media.get("example"), media.pointer("/examples").and_then(first_example)].into_iter().flatten().next();
        let value = match (given, media.get("schema")) {
            (Some(given), _) => given.clone(),
            (None, Some(schema)) => example(self.document, schema, 0),
            (None, None) => Value::Object(Map::new()),
        };
        Ok(toml_of(&value))
    }
}

/// The value of the first of several examples.
fn first_example(examples: &Value) -> Option<&Value> {
    examples.as_object()?.values().next()?.get("value")
}

/// The value that a reference leads to, within the document.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..MOST_REFERENCES {
        let to = value.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
        match to.and_then(|to| document.pointer(to)) {
            Some(next) => value = next,
            None => break,
        }
    }
    value
}

/// The type of a schema; of several, the first that is not `null`.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
        }
        _ => "",
    }
}

/// Values that a document gives for a parameter or its schema, as far as a list of the language can have them.
fn examples(document: &Value, of: &Value) -> Option<Vec<String>> {
    let list = |value: &Value| value.as_array().cloned();
    let one = |value: &Value| Some(vec![value.clone()]);
    let named = |value: &Value| {
        let all = value.as_object()?.values();
        Some(all.filter_map(|one| resolved(document, one).get("value").cloned()).collect::<Vec<Value>>())
    };
    let found = [
        of.get("example").and_then(one),
        of.get("examples").and_then(|value| list(value).or_else(|| named(value))),
        of.get("enum").and_then(list),
        of.get("const").and_then(one),
        of.get("default").and_then(one),
    ];
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let texts = found.into_iter().flatten().map(|values| values.iter().filter_map(text).collect::<Vec<String>>());
    let is_listed = |text: &String| !text.trim().is_empty() && !text.contains([',', '\n']);
    texts.map(|texts| texts.into_iter().filter(is_listed).collect::<Vec<_>>()).find(|texts| !texts.is_empty())
}

#[cfg(test)]
mod tests;
