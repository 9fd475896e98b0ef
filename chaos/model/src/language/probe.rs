//! `ports`, `ready` and `metrics` of a service: where it listens beside its own port, and what it is asked there.

use super::{
    braces::{self, Names},
    document::{Entry, Kind, Table},
    findings::{Findings, Wrong},
    names,
    nearest::advise,
    reader::{Reader, Word, parse_word, text_of, texts_of, wrong_type},
};
use crate::{Diagnostic, HttpProbe, Pattern, Protocol, Readiness, Template};
use std::collections::BTreeMap;

/// Examples for whoever writes a question that is none.
const QUESTIONS: &str =
    "a request (`GET /health`), `tcp`, a line of its output (`log Listening`), or a command (`[\"./is-ready\"]`)";

/// The named ports of a service, as they stand in its table.
pub(crate) fn ports(reader: &mut Reader<'_>, findings: &Findings) -> BTreeMap<String, u16> {
    let entry = reader.entry("ports");
    let Some(table) = entry.and_then(|entry| of_ports(entry, findings)) else { return BTreeMap::new() };
    let mut ports: BTreeMap<String, u16> = BTreeMap::new();
    for entry in &table.entries {
        if let Err(wrong) = names::check(&entry.key, "a port's name") {
            findings.add(wrong.diagnostic(entry.key_span.clone()));
        }
        let raw = entry.value.raw().or_else(|| entry.value.text().filter(|_| entry.value.loose));
        match raw.and_then(|raw| raw.trim().parse::<u16>().ok()).filter(|port| *port > 0) {
            None => {
                let message = "a port is a whole number from 1 to 65535";
                let advice = format!("write it as `ports.{} = 8081`", entry.key);
                findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
            }
            Some(port) => {
                if let Some((other, _)) = ports.iter().find(|(_, taken)| **taken == port) {
                    let message = format!("`{}` and `{other}` are the same port", entry.key);
                    let advice = "a service listens once on each: take one of them away";
                    findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
                }
                ports.insert(entry.key.clone(), port);
            }
        }
    }
    ports
}

fn of_ports<'a>(entry: &'a Entry, findings: &Findings) -> Option<&'a Table> {
    let table = entry.value.table();
    if table.is_none() {
        let advice = "its own port is the world's to give; another one is `ports.admin = 8081`".to_owned();
        findings.add(wrong_type(entry, "a table of ports by name", advice));
    }
    table
}

/// `ready`: a request, a connection, a line of the output, or a command.
pub(crate) fn ready(
    reader: &mut Reader<'_>,
    protocol: Protocol,
    names: &Names<'_>,
    findings: &Findings,
) -> Option<Readiness> {
    let entry = reader.entry("ready")?;
    let is_list = matches!(entry.value.kind, Kind::List(_))
        || (entry.value.loose && entry.value.text().is_some_and(|text| text.trim_start().starts_with('[')));
    if is_list {
        return Some(Readiness::Command(command(entry, "ready", names, findings)));
    }
    let word = text_of(entry, findings)?;
    match word.text.split([' ', ':']).next() {
        Some("log") => parse_word(word, line, findings).map(Readiness::Log),
        Some("tcp") => parse_word(word, |text| connection(text, names), findings).map(Readiness::Connection),
        _ => probe_of(word, "ready", protocol, names, findings).map(Readiness::Http),
    }
}

/// `metrics`: a request.
pub(crate) fn metrics(
    reader: &mut Reader<'_>,
    protocol: Protocol,
    names: &Names<'_>,
    findings: &Findings,
) -> Option<HttpProbe> {
    let word = reader.text("metrics")?;
    probe_of(word, "metrics", protocol, names, findings)
}

fn probe_of(
    word: Word<'_>,
    key: &'static str,
    protocol: Protocol,
    names: &Names<'_>,
    findings: &Findings,
) -> Option<HttpProbe> {
    let probe = parse_word(word, |text| http_probe(text, key, names), findings)?;
    // What other ports speak, nobody says: a probe says it of its own.
    if protocol != Protocol::HTTP && probe.port.is_none() {
        let message = format!("`{key}` asks over HTTP, and this service speaks {protocol}");
        let advice =
            format!("take `{key}` away, name the port that does (`GET :admin/...`), or say `protocol = \"http\"`");
        findings.add(word.refuse(Wrong::new(message).advice(advice)));
    }
    Some(probe)
}

fn http_probe(text: &str, key: &str, names: &Names<'_>) -> Result<HttpProbe, Wrong> {
    let target = text.strip_prefix("GET ").map(str::trim);
    // Without a host, which the world knows.
    let over_tls = target.and_then(|target| target.strip_prefix("https://"));
    let over_tls = over_tls.filter(|rest| rest.starts_with([':', '/']));
    let (target, is_tls) = (over_tls.or(target), over_tls.is_some());
    let (port, path) = match target.and_then(|target| target.strip_prefix(':')) {
        Some(rest) => {
            let slash = rest.find('/').unwrap_or(rest.len());
            (Some(&rest[..slash]), Some(&rest[slash..]))
        }
        None => (None, target),
    };
    match path {
        Some(path) if path.starts_with('/') && !path.contains(char::is_whitespace) => {
            let port = port.map(|port| known_port(port, names)).transpose()?;
            Ok(HttpProbe { port, path: path.to_owned(), is_tls })
        }
        _ => Err(no_probe(text, key)),
    }
}

/// The refusal of what is no GET of a path.
fn no_probe(text: &str, key: &str) -> Wrong {
    let word = text.rsplit(' ').next().unwrap_or_default();
    // Of a URL, what stands behind its host.
    let url = word.split_once("://").map(|(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    let path = url.unwrap_or(word).trim_start_matches([':', '/']);
    let path = if path.is_empty() { if key == "ready" { "health" } else { "metrics" } } else { path };
    let wrong = match url {
        Some(_) => Wrong::new(format!("`{word}` says where the service is, which the world knows")),
        None => Wrong::new(format!("`{text}` is no GET of a path")),
    };
    let others =
        if key == "ready" && url.is_none() { format!("; a service is ready by {QUESTIONS}") } else { String::new() };
    let over_tls = if word.starts_with("https:") {
        format!(
            ", and where it speaks TLS `tls = true` beside it; of another port `{key} = \"GET https://:admin/{path}\"`"
        )
    } else {
        String::new()
    };
    wrong.advice(format!("write `{key} = \"GET /{path}\"`{over_tls}{others}"))
}

fn known_port(name: &str, names: &Names<'_>) -> Result<String, Wrong> {
    if names.ports.contains_key(name) {
        return Ok(name.to_owned());
    }
    let wrong = Wrong::new(format!("this service has no port called `{name}`"));
    let declare = match name.parse::<u16>() {
        Ok(number) => format!("name it: `ports.admin = {number}`, and here `:admin`"),
        Err(_) if names.ports.is_empty() => format!("declare it: `ports.{name} = 8081`"),
        Err(_) => advise(name, names.ports.keys().map(String::as_str), "its ports are"),
    };
    Err(wrong.advice(declare))
}

/// `tcp`, or `tcp :admin`.
fn connection(text: &str, names: &Names<'_>) -> Result<Option<String>, Wrong> {
    let rest = text.strip_prefix("tcp").unwrap_or(text).trim();
    if rest.is_empty() {
        return Ok(None);
    }
    match rest.strip_prefix(':').filter(|name| !name.is_empty()) {
        Some(name) => known_port(name, names).map(Some),
        None => {
            let wrong = Wrong::new(format!("`{text}` is no question whether a service is ready"));
            Err(wrong.advice("a connection is `tcp`, and one to a port of another name `tcp :admin`"))
        }
    }
}

/// `log Listening on`: a line that has this somewhere.
fn line(text: &str) -> Result<Pattern, Wrong> {
    match Readiness::line_of(text) {
        Some(line) if line.chars().any(|one| one != '*' && !one.is_whitespace()) => Ok(Pattern(format!("*{line}*"))),
        _ => {
            let wrong = Wrong::new(format!("`{text}` says no line, and any would do"));
            Err(wrong.advice("say what stands in it: `ready = \"log Listening on\"`; `*` is for anything"))
        }
    }
}

/// The words of a command, of which the first is its program.
pub(crate) fn command(entry: &Entry, key: &str, names: &Names<'_>, findings: &Findings) -> Vec<Template> {
    let before = findings.len();
    let words = texts_of(entry, findings);
    let template = |(text, span): &(std::borrow::Cow<'_, str>, _)| {
        parse_word(Word { text, span }, |text| braces::template(text, names), findings)
    };
    let templates: Vec<Template> = words.iter().filter_map(template).collect();
    if words.first().is_none_or(|(first, _)| first.trim().is_empty()) && findings.len() == before {
        let message = "a command begins with the program to start";
        let example = match key {
            "command" => "`command = [\"./server\", \"--port\", \"{self.port}\"]`".to_owned(),
            "ready" => "`ready = [\"./is-ready\", \"{self.port}\"]`".to_owned(),
            _ => format!("`{key} = [[\"./migrate\"]]`"),
        };
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(format!("as in {example}")));
    }
    templates
}
