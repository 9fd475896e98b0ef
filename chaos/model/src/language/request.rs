//! One request of the load: its line, headers and body.

use super::{
    body::{self, Body},
    braces,
    document::Table,
    findings::{Findings, Wrong},
    names,
    nearest::{list, nearest},
    reader::{Reader, Word, parse_word, text_of},
};
use crate::{Diagnostic, Request, Text, load::TextPiece};
use std::collections::BTreeMap;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Fields that the load writes itself.
const OWN_FIELDS: [&str; 6] =
    ["baggage", "connection", "content-length", "traceparent", "tracestate", "transfer-encoding"];

/// Defaults of `[load]` for all requests.
#[derive(Debug)]
pub(crate) struct Defaults {
    pub(crate) headers: BTreeMap<String, Text>,
    pub(crate) body: Option<Body>,
}

impl Defaults {
    /// The request of this line, with what it says itself before what is said for all.
    pub(crate) fn request(
        &self,
        name: String,
        (method, path): (String, Text),
        headers: BTreeMap<String, Text>,
        body: Option<Body>,
        weight: u32,
    ) -> Request {
        let mut all = self.headers.clone();
        all.extend(headers);
        let body = body.or_else(|| self.body.clone());
        if body.as_ref().is_some_and(|body| body.is_json) {
            let json = || Text { pieces: vec![TextPiece::Plain("application/json".to_owned())] };
            all.entry("content-type".to_owned()).or_insert_with(json);
        }
        Request { name, method, path, headers: all, body: body.map(|body| body.text), weight }
    }
}

/// Reads one `[[load.request]]`.
pub(crate) fn read(table: &Table, defaults: &Defaults, vars: &[&str], findings: &Findings) -> Option<Request> {
    let mut reader = Reader::new(table, "this request", findings);
    let word = reader.needed_text("request", "request = \"GET /api/profile/{user}\"");
    let line = word.and_then(|word| line(word, vars, findings));
    let name = reader.parse("name", |text| names::check(text, "a request's name").map(|()| text.to_owned()));
    let name = name.or(word.map(|word| word.text.to_owned()));
    let headers = reader.table("headers").map(|table| headers(table, vars, findings)).unwrap_or_default();
    let body = body::read(&mut reader, vars, findings);
    let weight = reader.entry("weight").map_or(Some(1), |entry| {
        let weight = entry.value.raw().and_then(|raw| raw.parse::<u32>().ok()).filter(|weight| *weight > 0);
        if weight.is_none() {
            let message = "a weight is a whole number, at least 1";
            findings.add(Diagnostic::new(entry.value.span.clone(), message).advice("write it as `weight = 3`"));
        }
        weight
    });
    reader.finish();
    Some(defaults.request(name?, line?, headers, body, weight?))
}

/// Reads `GET /path`.
pub(crate) fn line(word: Word<'_>, vars: &[&str], findings: &Findings) -> Option<(String, Text)> {
    let (method, path) = parse_word(word, method_and_path, findings)?;
    let offset = word.text.len() - path.len();
    let text = braces::text(path, vars).and_then(|text| check_path(&text).map(|()| text.in_path()));
    let shifted = |wrong: Wrong| {
        let at = wrong.at.clone().map(|at| at.start + offset..at.end + offset);
        Wrong { at, ..wrong }
    };
    let text = text.map_err(|wrong| findings.add(word.refuse(shifted(wrong)))).ok()?;
    Some((method.to_owned(), text))
}

fn method_and_path(text: &str) -> Result<(&'static str, &str), Wrong> {
    let (method, path) = text.split_once(' ').unwrap_or(("", text));
    let path = path.trim_start();
    if method.is_empty() {
        let wrong = Wrong::new("a request has a method and a path");
        return Err(if path.starts_with('/') {
            wrong.advice(format!("did you mean `GET {path}`?"))
        } else {
            wrong.advice("write it as `GET /api/profile/{user}`")
        });
    }
    let Some(known) = METHODS.into_iter().find(|known| *known == method) else {
        let wrong = Wrong::new(format!("`{method}` is no method of HTTP")).at(0..method.len());
        return Err(match nearest(method, METHODS) {
            Some(near) => wrong.advice(format!("did you mean `{near}`?")),
            None => wrong.advice(format!("the methods are {}", list(METHODS))),
        });
    };
    if !path.starts_with('/') {
        let wrong = Wrong::new(format!("the path `{path}` does not begin with `/`"));
        let after_host = path.split_once("://").and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..]));
        return Err(match after_host {
            Some(path) => wrong.advice(format!("requests go to the system's entry: `{known} {path}`")),
            None => wrong.advice(format!("did you mean `{known} /{path}`?")),
        });
    }
    Ok((known, path))
}

fn check_path(path: &Text) -> Result<(), Wrong> {
    let plain = path.pieces.iter().filter_map(|piece| match piece {
        TextPiece::Plain(text) => Some(text.as_str()),
        _ => None,
    });
    let bad = |c: char| !c.is_ascii_graphic() || matches!(c, '#' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '}');
    match plain.filter_map(|text| text.chars().find(|c| bad(*c))).next() {
        None => Ok(()),
        Some('#') => Err(Wrong::new("what follows `#` never reaches a server").advice("write `%23` for a `#`")),
        Some(c) => {
            let mut bytes = [0; 4];
            let encoded: String = c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect();
            let advice = format!("write `{encoded}` for it");
            Err(Wrong::new(format!("a path can't have `{}` in it", c.escape_default())).advice(advice))
        }
    }
}

/// Reads header fields; their names in lower case.
pub(crate) fn headers(table: &Table, vars: &[&str], findings: &Findings) -> BTreeMap<String, Text> {
    let mut headers = BTreeMap::new();
    for entry in &table.entries {
        let name = match field_name(&entry.key) {
            Ok(name) => name,
            Err(wrong) => {
                findings.add(wrong.diagnostic(entry.key_span.clone()));
                continue;
            }
        };
        if OWN_FIELDS.contains(&name.as_str()) {
            let message = format!("the load writes `{name}` itself");
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take it away"));
        }
        let Some(word) = text_of(entry, findings) else { continue };
        if word.text.chars().any(|c| c.is_control() && c != '\t') {
            findings.add(word.refuse(Wrong::new("a header field has one line").advice("take the line break away")));
        }
        let Some(text) = parse_word(word, |text| braces::text(text, vars), findings) else { continue };
        if headers.insert(name.clone(), text).is_some() {
            let message = format!("the header field `{name}` is said twice: case does not matter");
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take one away"));
        }
    }
    headers
}

/// The name of a header field, in lower case.
pub(crate) fn field_name(name: &str) -> Result<String, Wrong> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        let wrong = Wrong::new(format!("`{name}` can't be the name of a header field"));
        return Err(wrong.advice("letters, digits and dashes, as in `accept-language`"));
    }
    Ok(name.to_ascii_lowercase())
}
