//! One request of the load: its line, headers and body.

use super::{
    auth::{Auth, AuthReader},
    body::{self, Body},
    braces,
    document::Table,
    findings::{Findings, Wrong},
    names,
    nearest::{list, nearest},
    outside::{DataFiles, Outside},
    reader::{Reader, Word, parse_word, text_of},
};
use crate::{
    Diagnostic, Request, Text,
    load::{Step, TextPiece},
};
use std::collections::BTreeMap;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Fields that the load writes itself.
const OWN_FIELDS: [&str; 6] =
    ["baggage", "connection", "content-length", "traceparent", "tracestate", "transfer-encoding"];

/// Defaults of `[load]` for all requests.
pub(crate) struct Defaults<'a> {
    pub(crate) auth: AuthReader<'a>,
    pub(crate) files: &'a DataFiles,
    pub(crate) headers: BTreeMap<String, Text>,
    pub(crate) basic: Option<Text>,
    pub(crate) body: Option<Body>,
}

impl<'a> Defaults<'a> {
    /// Reads the defaults in `[load]`.
    pub(crate) fn read(reader: &mut Reader<'_>, vars: &[&str], outside: &'a Outside<'a>, findings: &Findings) -> Self {
        let auth = AuthReader::new(outside);
        let Fields { headers, basic } = fields(reader, &auth, vars, findings);
        Self { auth, files: outside.files, headers, basic, body: body::read(reader, vars, outside.files, findings) }
    }

    /// The request of this line, with what it says itself before what is said for all.
    pub(crate) fn request(&self, said: Said, weight: u32, step: Step) -> Request {
        let Said { name, line: (method, path), fields, body } = said;
        let mut all = self.headers.clone();
        // Who says who makes it by the one takes the place of who does by the other.
        if fields.basic.is_some() {
            all.remove(AUTHORIZATION);
        }
        let basic = fields.basic.or_else(|| self.basic.clone().filter(|_| !fields.headers.contains_key(AUTHORIZATION)));
        all.extend(fields.headers);
        let body = body.or_else(|| self.body.clone());
        if let Some(media_type) = body.as_ref().and_then(|body| body.media_type) {
            let text = || Text { pieces: vec![TextPiece::Plain(media_type.to_owned())] };
            all.entry("content-type".to_owned()).or_insert_with(text);
        }
        Request { name, method, path, headers: all, basic, body: body.map(|body| body.text), weight, step }
    }
}

/// A request as far as it says itself what it is.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) name: String,
    /// The method and the path.
    pub(crate) line: (String, Text),
    pub(crate) fields: Fields,
    pub(crate) body: Option<Body>,
}

/// The header fields of a request, as far as they are said.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) headers: BTreeMap<String, Text>,
    /// User and password, of which one is made.
    pub(crate) basic: Option<Text>,
}

/// Reads one `[[load.request]]`.
pub(crate) fn read(table: &Table, defaults: &Defaults<'_>, vars: &[&str], findings: &Findings) -> Option<Request> {
    let mut reader = Reader::new(table, "this request", findings);
    let said = said(&mut reader, defaults, vars, findings);
    let weight = weight(&mut reader, findings);
    reader.finish();
    Some(defaults.request(said?, weight?, Step::default()))
}

/// Reads the keys that a request has, whether or not it is a step of a journey.
pub(crate) fn said(
    reader: &mut Reader<'_>,
    defaults: &Defaults<'_>,
    vars: &[&str],
    findings: &Findings,
) -> Option<Said> {
    let word = reader.needed_text("request", "request = \"GET /api/profile/{user}\"");
    let line = word.and_then(|word| line(word, vars, findings));
    let name = reader.parse("name", |text| names::check(text, "a request's name").map(|()| text.to_owned()));
    let name = name.or(word.map(|word| word.text.to_owned()));
    let fields = fields(reader, &defaults.auth, vars, findings);
    let body = body::read(reader, vars, defaults.files, findings);
    Some(Said { name: name?, line: line?, fields, body })
}

/// Reads how often a journey begins, beside the others.
pub(crate) fn weight(reader: &mut Reader<'_>, findings: &Findings) -> Option<u32> {
    reader.entry("weight").map_or(Some(1), |entry| {
        let weight = entry.value.raw().and_then(|raw| raw.parse::<u32>().ok()).filter(|weight| *weight > 0);
        if weight.is_none() {
            let message = "a weight is a whole number, at least 1";
            findings.add(Diagnostic::new(entry.value.span.clone(), message).advice("write it as `weight = 3`"));
        }
        weight
    })
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

/// Reads all that makes header fields: `headers`, `auth` and `cookies`.
fn fields(reader: &mut Reader<'_>, auth: &AuthReader<'_>, vars: &[&str], findings: &Findings) -> Fields {
    let mut headers = reader.table("headers").map(|table| headers(table, vars, findings)).unwrap_or_default();
    let Auth { headers: of_auth, basic } = auth.read(reader, vars, findings);
    let mut names = of_auth.keys().map(String::as_str).chain(basic.iter().map(|_| AUTHORIZATION));
    if let Some(name) = names.find(|name| headers.contains_key(*name)) {
        let message = format!("the header field `{name}` is said twice: in `headers` and by `auth`");
        let entry = reader.entry("auth").map_or(reader.span(), |entry| &entry.key_span);
        findings.add(Diagnostic::new(entry.clone(), message).advice("take one away"));
    }
    headers.extend(of_auth);
    let (entry, table) = (reader.entry("cookies"), reader.table("cookies"));
    let (Some(entry), Some(table)) = (entry, table) else { return Fields { headers, basic } };
    if headers.insert(COOKIE.to_owned(), cookies(table, vars, findings)).is_some() {
        let message = "cookies are said twice: as `cookies`, and as the header field `cookie`";
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take one away"));
    }
    Fields { headers, basic }
}

const AUTHORIZATION: &str = "authorization";
const COOKIE: &str = "cookie";

/// Reads cookies into the field that has them (RFC 6265, 4.2.1).
fn cookies(table: &Table, vars: &[&str], findings: &Findings) -> Text {
    let mut pieces = Vec::new();
    for entry in &table.entries {
        if let Err(wrong) = field_name(&entry.key) {
            let wrong = Wrong { message: format!("`{}` can't be the name of a cookie", entry.key), ..wrong };
            findings.add(wrong.diagnostic(entry.key_span.clone()));
        }
        let Some(word) = text_of(entry, findings) else { continue };
        let is_odd = |c: char| !c.is_ascii_graphic() || matches!(c, '"' | ',' | ';' | '\\');
        if let Some(odd) = word.text.chars().find(|c| is_odd(*c)) {
            let wrong = Wrong::new(format!("a cookie can't have `{}` in it", odd.escape_default()));
            findings.add(word.refuse(wrong.advice("percent-encode it, if its reader decodes that")));
        }
        let Some(text) = parse_word(word, |text| braces::text(text, vars), findings) else { continue };
        let sign = if pieces.is_empty() { "" } else { "; " };
        pieces.push(TextPiece::Plain(format!("{sign}{}=", entry.key)));
        pieces.extend(text.pieces);
    }
    Text { pieces }
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
