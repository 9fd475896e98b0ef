//! The system: `entry`, `[service.X]`, and the links that settings make.

use super::{
    Known, braces,
    document::{Entry, Kind, Table},
    findings::{Findings, Wrong},
    lifecycle, names,
    nearest::list,
    protocol::{password, protocol},
    reader::{Reader, Word, parse_word, text_of, texts_of},
    responses, start,
};
use crate::{
    Diagnostic, Endpoint, HttpProbe, Link, Protocol, Service, Span, Start, System, Template,
    protocol::{Login, Transport},
    system::Piece,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Reads a system: from its own file, or from the scenario where the services are inline. Services that are wrong are
/// kept as well as can be, so that what refers to them is not refused too. `known` is what there is to run and to speak.
pub(crate) fn read(reader: &mut Reader<'_>, known: &Known<'_>, findings: &Findings) -> System {
    let entry = reader.needed_text("entry", "entry = \"gateway\"");
    if let Some(list) = reader.entry("service").filter(|entry| matches!(entry.value.kind, Kind::List(_))) {
        refuse_list(list, findings);
        return System {
            entry: entry.map(|word| word.text.to_owned()).unwrap_or_default(),
            ..unread(reader, known, findings)
        };
    }
    let tables = reader.table("service").map(|table| table.entries.as_slice()).unwrap_or_default();
    if tables.is_empty() {
        let message = "this system has no services";
        let advice = "add one: `[service.gateway]` with `program = \"gateway\"`";
        findings.add(Diagnostic::new(reader.span().clone(), message).advice(advice));
    }
    let names: Vec<&str> = tables.iter().map(|entry| entry.key.as_str()).collect();
    let services: BTreeMap<_, _> = tables.iter().filter_map(|table| service(table, &names, known, findings)).collect();
    // What runs there says it of built-in programs and of images that are known.
    let says = |table: &&Entry| table.value.table().is_some_and(|table| table.get("protocol").is_some());
    let is_known = |service: &&Service| service.protocol != Protocol::TCP;
    let said = tables.iter().filter(says).map(|table| table.key.as_str());
    let said: Vec<&str> = said.chain(services.values().filter(is_known).map(|service| service.name.as_str())).collect();
    let entry = entry.map(|word| check_entry(word, &services, (&names, &said), findings)).unwrap_or_default();
    let links = links(&entry, &services);
    let responses = responses::read(reader, known, findings);
    let encrypted = encrypted(tables, &services, known.protocols);
    let mut system = System { entry, services, links, encrypted, responses };
    find_logins(&mut system);
    system
}

/// Refuses `[[service]]`.
fn refuse_list(list: &Entry, findings: &Findings) {
    let Kind::List(items) = &list.value.kind else { return };
    let name = items.iter().find_map(|item| item.table()?.get("name")?.value.text()).unwrap_or("gateway");
    let message = "a service's name stands in the head of its table, and `[[service]]` makes a list without names";
    findings.add(Diagnostic::new(list.key_span.clone(), message).advice(format!("write `[service.{name}]`")));
}

/// A system of whose services nothing is known.
fn unread(reader: &mut Reader<'_>, known: &Known<'_>, findings: &Findings) -> System {
    let responses = responses::read(reader, known, findings);
    let (entry, services, links, encrypted) = (String::new(), BTreeMap::new(), Vec::new(), BTreeMap::new());
    System { entry, services, links, encrypted, responses }
}

/// Advice on keys of a service in a Compose file, which mean the same or have no place here.
fn compose(key: &str) -> Option<&'static str> {
    Some(match key {
        "environment" => {
            "its settings are `env.NAME = \"value\"`; `{redis}` in one is the address of the service `redis`"
        }
        "env_file" => "its settings are `env.NAME = \"value\"`, one by one",
        "depends_on" => "take it away: services start after what their settings name, as `{redis}` in `env`",
        "healthcheck" => "it is ready when `ready = \"GET /health\"` is answered, within `start-timeout = \"20s\"`",
        "ports" | "expose" => {
            "take it away: the world gives a port, `{self.port}` in `command` or `env`; beside `image`, `port = 5432`"
        }
        "entrypoint" => "what runs is `command = [\"./server\", \"--port\", \"{self.port}\"]`",
        "build" => "build it before: a service is a `command`, or an `image` by its name",
        "stop_grace_period" => "it is `stop-grace = \"10s\"` here",
        "restart" => "take it away: who restarts a service is a part of the system, as a supervisor in its `command`",
        "volumes" | "networks" | "deploy" | "replicas" => "take it away: a service is one instance, with no volumes",
        _ => return None,
    })
}

/// Logins from the URLs of links, for services whose own setting gives none.
fn find_logins(system: &mut System) {
    let logins: Vec<Option<Login>> = system.services.values().map(|service| Login::of(service, system)).collect();
    for (service, login) in system.services.values_mut().zip(logins) {
        service.login = login;
    }
}

/// Refuses an entry that is no service, or does not speak HTTP; `said` are the services that say what they speak.
fn check_entry(
    word: Word<'_>,
    services: &BTreeMap<String, Service>,
    (names, said): (&[&str], &[&str]),
    findings: &Findings,
) -> String {
    if let Err(wrong) = braces::known_service(word.text, names) {
        findings.add(word.refuse(wrong));
    } else if let Some(service) = services.get(word.text).filter(|service| service.protocol != Protocol::HTTP) {
        let message = format!("clients speak HTTP, and `{}` speaks {}", word.text, service.protocol);
        let http =
            services.values().filter(|service| service.protocol == Protocol::HTTP).map(|service| service.name.as_str());
        let speaking = list(http);
        let is_said = said.contains(&word.text);
        let message =
            if is_said { message } else { format!("clients speak HTTP, and nothing says that `{}` does", word.text) };
        let advice = if !is_said {
            format!("if it does, add `protocol = \"http\"` to `[service.{}]`", word.text)
        } else if speaking.is_empty() {
            "if it does speak HTTP, add `protocol = \"http\"` to it".to_owned()
        } else {
            format!("services that speak HTTP: {speaking}")
        };
        let wrong = Wrong::new(message).advice(advice);
        findings.add(word.refuse(wrong).also(service.span.clone(), "this service"));
    }
    word.text.to_owned()
}

fn links(entry: &str, services: &BTreeMap<String, Service>) -> Vec<Link> {
    let mut links = BTreeSet::from([Link { from: Endpoint::Client, to: entry.to_owned(), label: None }]);
    for service in services.values() {
        let pieces = service.env.values().chain(service.start.command()).flat_map(|template| &template.pieces);
        links.extend(pieces.filter_map(|piece| match piece {
            Piece::Service { to, label } => {
                Some(Link { from: Endpoint::Service(service.name.clone()), to: to.clone(), label: label.clone() })
            }
            Piece::Text(_) | Piece::OwnPort => None,
        }));
    }
    links.into_iter().collect()
}

/// The links of which a setting asks for TLS, by the scheme of its URL, each with the place of the first such setting.
fn encrypted(tables: &[Entry], services: &BTreeMap<String, Service>, protocols: &[Protocol]) -> BTreeMap<Link, Span> {
    let mut encrypted = BTreeMap::new();
    for service in services.values() {
        let table = tables.iter().find(|entry| entry.key == service.name).and_then(|entry| entry.value.table());
        let env = table.and_then(|table| table.get("env")?.value.table());
        let place = |table: Option<&Table>, key: &str| {
            let entry = table.and_then(|table| table.get(key));
            entry.map_or_else(|| service.span.clone(), |entry| entry.value.span.clone())
        };
        let settings = service.env.iter().map(|(name, template)| (place(env, name), template));
        let command = table.and_then(|table| table.get("command"));
        let command = command.map(|entry| texts_of(entry, &Findings::default())).unwrap_or_default();
        // As many as there are words, unless some were wrong and have been refused.
        let words = command.into_iter().map(|(_, span)| span).zip(service.start.command());
        for (span, template) in settings.chain(words) {
            for (to, label, _) in Transport::of_uses(template, protocols).iter().filter(|(.., one)| !one.is_plain()) {
                let from = Endpoint::Service(service.name.clone());
                let link = Link { from, to: (*to).to_owned(), label: label.map(str::to_owned) };
                encrypted.entry(link).or_insert_with(|| span.clone());
            }
        }
    }
    encrypted
}

fn service(entry: &Entry, names: &[&str], known: &Known<'_>, findings: &Findings) -> Option<(String, Service)> {
    let name = entry.key.as_str();
    if let Err(wrong) = names::service(name) {
        findings.add(wrong.diagnostic(entry.key_span.clone()));
    }
    let Some(table) = entry.value.table() else {
        let message = format!("service `{name}` must be a table, and this is {}", entry.value.what());
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(format!("write `[service.{name}]`")));
        return None;
    };
    let mut reader = Reader::new(table, format!("service `{name}`"), findings);
    let start = start::read(&mut reader, name, (names, known.programs), findings);
    let protocol = match table.get("protocol") {
        None => Protocol::usual(&start, known.protocols),
        // Where it is wrong, the one that least is refused with.
        Some(_) => reader.parse("protocol", |text| protocol(text, known.protocols)).unwrap_or(Protocol::HTTP),
    };
    reader.entry("protocol");
    let ready = probe(&mut reader, "ready", protocol, findings);
    let metrics = probe(&mut reader, "metrics", protocol, findings);
    let lifecycle = lifecycle::read(&mut reader);
    let password = reader.parse("password", |text| password(text, protocol));
    let login =
        password.as_ref().and_then(|name| (known.variable)(name)).map(|password| Login { user: None, password });
    let env = reader.table("env").map(|table| env(table, &start, name, names, findings)).unwrap_or_default();
    reader.finish_or(|word| compose(word).map(str::to_owned));
    let span = table.span.clone();
    let start_key = ["program", "command", "image"].into_iter().find_map(|key| table.get(key));
    let start_span = start_key.map_or_else(|| span.clone(), |entry| entry.value.span.clone());
    Some((
        name.to_owned(),
        Service {
            name: name.to_owned(),
            start,
            protocol,
            ready,
            metrics,
            lifecycle,
            password,
            login,
            env,
            folder: PathBuf::new(),
            span,
            start_span,
        },
    ))
}

fn probe(reader: &mut Reader<'_>, key: &'static str, protocol: Protocol, findings: &Findings) -> Option<HttpProbe> {
    let word = reader.text(key)?;
    let probe = parse_word(word, |text| http_probe(text, key), findings)?;
    if protocol != Protocol::HTTP {
        let message = format!("`{key}` asks over HTTP, and this service speaks {protocol}");
        let advice = format!("take `{key}` away, or say `protocol = \"http\"`");
        findings.add(word.refuse(Wrong::new(message).advice(advice)));
    }
    Some(probe)
}

fn http_probe(text: &str, key: &str) -> Result<HttpProbe, Wrong> {
    let path = text.strip_prefix("GET ").map(str::trim);
    match path {
        Some(path) if path.starts_with('/') && !path.contains(char::is_whitespace) => {
            Ok(HttpProbe { path: path.to_owned() })
        }
        _ => {
            let word = text.rsplit(' ').next().unwrap_or_default();
            // Of a URL, what stands behind its host.
            let url = word.split_once("://").map(|(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
            let path = url.unwrap_or(word).trim_start_matches('/');
            let path = if path.is_empty() { if key == "ready" { "health" } else { "metrics" } } else { path };
            let wrong = match url {
                Some(_) => Wrong::new(format!("`{word}` says where the service is, which the world knows")),
                None => Wrong::new(format!("`{text}` is no GET of a path")),
            };
            Err(wrong.advice(format!("write `{key} = \"GET /{path}\"`")))
        }
    }
}

fn env(table: &Table, start: &Start, service: &str, names: &[&str], findings: &Findings) -> BTreeMap<String, Template> {
    let mut env = BTreeMap::new();
    for entry in &table.entries {
        let name = entry.key.as_str();
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            let message = format!("`{name}` can't be the name of a setting");
            let advice = "letters, digits and `_`, as in `GATEWAY_PORT`";
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        }
        if name == "PORT" && matches!(start, Start::Program(_)) {
            let message = "a built-in program gets `PORT` from the world";
            let advice = "take it away: other services find this one by its name in braces";
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        }
        let Some(word) = text_of(entry, findings) else { continue };
        if let Some(template) = parse_word(word, |text| braces::template(text, service, names), findings) {
            env.insert(name.to_owned(), template);
        }
    }
    env
}
