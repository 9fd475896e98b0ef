//! The system: `entry`, `[service.X]`, and the links that settings make.

use super::{
    Known,
    braces::{self, Names},
    compose,
    document::{Entry, Kind, Table},
    errands,
    findings::{Findings, Wrong},
    lifecycle, names,
    nearest::list,
    probe,
    protocol::{password, protocol},
    reader::{Reader, Word, parse_word, text_of, texts_of},
    replicas, responses, start, tls,
};
use crate::{
    Compose, Diagnostic, Endpoint, Link, Protocol, Readiness, Service, Span, Start, System, Template,
    protocol::{Login, Transport},
    system::Piece,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

/// Reads a system: from its own file, or from the scenario where the services are inline. Services that are wrong are
/// kept as well as can be, so that what refers to them is not refused too. `compose` is the Compose file that it is of, `known`
/// what there is to run and to speak.
pub(crate) fn read<'a>(
    reader: &mut Reader<'a>,
    compose: Option<&'a Arc<Compose>>,
    known: &Known<'_>,
    findings: &Findings,
) -> System {
    let entry = match compose {
        Some(compose) => compose::entry(reader, compose, findings),
        None => reader.needed_text("entry", "entry = \"gateway\""),
    };
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
    let replicas = replicas::counts(tables);
    let of_compose = Of { compose: compose.map(Arc::as_ref), entry: entry.map(|word| word.text) };
    let read = tables.iter().filter_map(|table| service(table, of_compose, (&names, &replicas), known, findings));
    let services: BTreeMap<_, _> =
        read.flat_map(|(service, count)| replicas::of(service, count)).map(|one| (one.name.clone(), one)).collect();
    // What runs there says it of built-in programs and of images that are known.
    let says = |table: &&Entry| table.value.table().is_some_and(|table| table.get("protocol").is_some());
    let is_known = |service: &&Service| service.protocol != Protocol::TCP;
    let said = tables.iter().filter(says).map(|table| table.key.as_str());
    let said: Vec<&str> = said.chain(services.values().filter(is_known).map(|service| service.name.as_str())).collect();
    let entry =
        entry.map(|word| check_entry(word, &services, (&names, &replicas, &said), findings)).unwrap_or_default();
    let links = match compose {
        Some(compose) => compose::links(&entry, compose, &services),
        None => links(&entry, &services),
    };
    let responses = responses::read(reader, known, findings);
    let mut encrypted = encrypted(tables, &services, known.protocols);
    if let Some(service) = services.get(&entry).filter(|service| service.speaks_tls) {
        let link = Link { from: Endpoint::Client, to: entry.clone(), label: None };
        encrypted.insert(link, tls_span(tables, service));
    }
    let compose = compose.cloned();
    let mut system = System { entry, services, links, encrypted, responses, compose };
    tls::spread(&mut system);
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
    System { entry, services, links, encrypted, responses, compose: None }
}

/// Advice on keys of a service in a Compose file, which mean the same or have no place here.
fn of_compose(key: &str) -> Option<&'static str> {
    Some(match key {
        "environment" => {
            "its settings are `env.NAME = \"value\"`; `{redis}` in one is the address of the service `redis`"
        }
        "env_file" => "its settings are `env.NAME = \"value\"`, one by one",
        "depends_on" => "take it away: services start after what their settings name, as `{redis}` in `env`",
        "healthcheck" => {
            "it is ready when `ready = \"GET /health\"` is answered, or a command ends well, `ready = [\"./is-ready\"]`"
        }
        "expose" => {
            "take it away: the world gives a port, `{self.port}` in `command` or `env`; others are `ports.admin = 8081`"
        }
        "entrypoint" => "what runs is `command = [\"./server\", \"--port\", \"{self.port}\"]`",
        "working_dir" => "it is `working-dir = \"shop\"` here",
        "build" => "build it before: a service is a `command`, or an `image` by its name",
        "stop_grace_period" => "it is `stop-grace = \"10s\"` here",
        "restart" => "take it away: who restarts a service is a part of the system, as a supervisor in its `command`",
        "deploy" | "scale" => "how many run at once is `replicas = 2`",
        "volumes" | "networks" => "take it away: a service has no volumes, and all are on one network",
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
    (names, replicas, said): (&[&str], &BTreeMap<&str, usize>, &[&str]),
    findings: &Findings,
) -> String {
    if let Some(count) = replicas.get(word.text) {
        findings.add(word.refuse(replicas::no_entry(word.text, *count)));
        // So that what refers to it is not refused too.
        return braces::replica(word.text, 1);
    } else if services.contains_key(word.text) {
        speaks_http(word, services, said, findings);
    } else if let Err(wrong) = braces::known_service(word.text, names) {
        findings.add(word.refuse(wrong));
    }
    word.text.to_owned()
}

/// Refuses an entry that speaks something else.
fn speaks_http(word: Word<'_>, services: &BTreeMap<String, Service>, said: &[&str], findings: &Findings) {
    if let Some(service) = services.get(word.text).filter(|service| service.protocol != Protocol::HTTP) {
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
}

fn links(entry: &str, services: &BTreeMap<String, Service>) -> Vec<Link> {
    let mut links = BTreeSet::from([Link { from: Endpoint::Client, to: entry.to_owned(), label: None }]);
    for service in services.values() {
        let pieces = service.env.values().chain(service.start.command()).flat_map(|template| &template.pieces);
        links.extend(pieces.filter_map(|piece| match piece {
            Piece::Service { to, label } => {
                Some(Link { from: Endpoint::Service(service.name.clone()), to: to.clone(), label: label.clone() })
            }
            Piece::Text(_) | Piece::OwnPort | Piece::NamedPort(_) | Piece::File(_) => None,
        }));
    }
    links.into_iter().collect()
}

/// The place where a service's file says that it speaks TLS.
fn tls_span(tables: &[Entry], service: &Service) -> Span {
    let own = service.replica_of.as_deref().unwrap_or(&service.name);
    let table = tables.iter().find(|entry| entry.key == own).and_then(|entry| entry.value.table());
    let said = table.and_then(|table| table.get("tls"));
    said.map_or_else(|| service.span.clone(), |entry| entry.value.span.clone())
}

/// The links of which a setting asks for TLS, each with the place of the first such setting: by the scheme of its URL, or without
/// one where the file of the service says that it speaks TLS.
fn encrypted(tables: &[Entry], services: &BTreeMap<String, Service>, protocols: &[Protocol]) -> BTreeMap<Link, Span> {
    let mut encrypted = BTreeMap::new();
    for service in services.values() {
        let own = service.replica_of.as_deref().unwrap_or(&service.name);
        let table = tables.iter().find(|entry| entry.key == own).and_then(|entry| entry.value.table());
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
            for (to, label, transport) in Transport::of_uses(template, protocols) {
                let is_said = || label.is_none() && services.get(to).is_some_and(|service| service.speaks_tls);
                let is_plain = transport.map_or_else(|| !is_said(), |transport| transport.is_plain());
                if is_plain {
                    continue;
                }
                let from = Endpoint::Service(service.name.clone());
                let link = Link { from, to: to.to_owned(), label: label.map(str::to_owned) };
                encrypted.entry(link).or_insert_with(|| span.clone());
            }
        }
    }
    encrypted
}

/// The Compose file that services are of, where they are, and the name of the entry.
#[derive(Clone, Copy)]
struct Of<'a> {
    compose: Option<&'a Compose>,
    entry: Option<&'a str>,
}

/// A service as its table has it, and how many replicas it has.
fn service(
    entry: &Entry,
    of: Of<'_>,
    (names, replicas): (&[&str], &BTreeMap<&str, usize>),
    known: &Known<'_>,
    findings: &Findings,
) -> Option<(Service, usize)> {
    let name = entry.key.as_str();
    // Those of Compose were checked where its file was read.
    if let (None, Err(wrong)) = (of.compose, names::service(name)) {
        findings.add(wrong.diagnostic(entry.key_span.clone()));
    }
    let in_compose = of.compose.and_then(|compose| compose.services.get(name));
    let Some(table) = entry.value.table() else {
        let message = format!("service `{name}` must be a table, and this is {}", entry.value.what());
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(format!("write `[service.{name}]`")));
        return None;
    };
    let mut reader = Reader::new(table, format!("service `{name}`"), findings);
    let ports = probe::ports(&mut reader, findings);
    let names = &Names { service: name, services: names, ports: &ports, replicas };
    let start = match in_compose {
        Some(service) => compose::start(&mut reader, name, service, findings),
        None => start::read(&mut reader, names, known.programs, findings),
    };
    let protocol = match (table.get("protocol"), in_compose) {
        (None, Some(service)) => compose::usual_protocol(name, of.entry, service),
        (None, None) => Protocol::usual(&start, known.protocols),
        // Where it is wrong, the one that least is refused with.
        (Some(_), _) => reader.parse("protocol", |text| protocol(text, known.protocols)).unwrap_or(Protocol::HTTP),
    };
    reader.entry("protocol");
    let ready = probe::ready(&mut reader, protocol, names, findings);
    let metrics = probe::metrics(&mut reader, protocol, names, findings);
    let lifecycle = lifecycle::read(&mut reader);
    let lifecycle = in_compose.map_or(lifecycle, |service| compose::lifecycle(lifecycle, service));
    let errands = errands::read(&mut reader, names, findings);
    let working_dir = errands::working_dir(&mut reader, &start, findings);
    let password = reader.parse("password", |text| password(text, protocol));
    let login =
        password.as_ref().and_then(|name| (known.variable)(name)).map(|password| Login { user: None, password });
    others_keys(&mut reader, &start, ready.as_ref(), findings);
    let (tls, trusts_run) = tls::read(&mut reader, findings);
    let env = reader.table("env").map(|table| env(table, &start, names, findings)).unwrap_or_default();
    let count = replicas::read(&mut reader, &start, findings);
    reader.finish_or(|word| of_compose(word).map(str::to_owned));
    let span = table.span.clone();
    let start_key = ["program", "command", "image", "address"].into_iter().find_map(|key| table.get(key));
    let start_span = start_key.map_or_else(|| span.clone(), |entry| entry.value.span.clone());
    let service = Service {
        name: name.to_owned(),
        replica_of: None,
        start,
        protocol,
        ready,
        metrics,
        ports,
        lifecycle,
        errands,
        password,
        login,
        speaks_tls: tls.is_some(),
        tls: tls.unwrap_or_default(),
        trusts_run,
        env,
        working_dir,
        folder: PathBuf::new(),
        span,
        start_span,
    };
    if in_compose.is_some() {
        compose::check_env(&service, table, findings);
    }
    replicas::fixed_ports(&service, count, table, findings);
    Some((service, count))
}

/// Refuses what can't be said of a service that others have started.
fn others_keys(reader: &mut Reader<'_>, start: &Start, ready: Option<&Readiness>, findings: &Findings) {
    let Start::Address(_) = start else { return };
    for key in ["env", "working-dir", "setup", "teardown", "setup-timeout", "stop-signal", "stop-grace", "trust"] {
        if let Some(entry) = reader.foreign(key) {
            let message = format!("`{key}` belongs to what is started, and this runs already, at its `address`");
            let advice = "take it away; or say what to start: `command = [\"./server\", \"--port\", \"{self.port}\"]`";
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        }
    }
    if let (Some(Readiness::Log(_)), Some(entry)) = (ready, reader.foreign("ready")) {
        let message = "what this writes is not known here: it runs already, at its `address`";
        let advice = "ask it: `ready = \"GET /health\"`, `\"tcp\"`, or a command";
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
    }
}

fn env(table: &Table, start: &Start, names: &Names<'_>, findings: &Findings) -> BTreeMap<String, Template> {
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
        if let Some(template) = parse_word(word, |text| braces::template(text, names), findings) {
            env.insert(name.to_owned(), template);
        }
    }
    env
}
