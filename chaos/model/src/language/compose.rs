//! `compose = "docker-compose.yml"`: a system whose services are those of a Compose file. What Compose doesn't know stands
//! beside it: the entry, protocols, what is asked of a service, and settings that are laid over the file's own.

use super::{
    Known,
    document::{Entry, Kind, Table, Value},
    findings::{Findings, Wrong},
    names,
    nearest::{advise, list},
    reader::{Reader, Word, text_of},
    start,
};
use crate::{
    Compose, ComposePorts, Diagnostic, Endpoint, Link, Protocol, Service, Span, Start, compose::ComposeService,
    lifecycle::Lifecycle, system::Piece,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// The environment variable by which Compose's profiles are chosen.
const PROFILES: &str = "COMPOSE_PROFILES";

/// Keys of services that their Compose file has in words of its own.
const OF_THE_FILE: [&str; 10] = [
    "program",
    "command",
    "image",
    "address",
    "ports",
    "replicas",
    "working-dir",
    "setup",
    "teardown",
    "setup-timeout",
];

/// True for the name of a Compose file, which stands in a scenario in place of that of a system's file.
pub(crate) fn is_file(name: &str) -> bool {
    let end = Path::new(name).extension().and_then(|end| end.to_str());
    end.is_some_and(|end| end.eq_ignore_ascii_case("yml") || end.eq_ignore_ascii_case("yaml"))
}

/// The document of a system that is a Compose file with nothing beside it, named at `span`.
pub(crate) fn alone(name: &str, span: &Span) -> Table {
    let value = Value { span: span.clone(), kind: Kind::Text(name.to_owned()), loose: false };
    let entry = Entry { key: "compose".to_owned(), key_span: span.clone(), value };
    Table { span: span.clone(), entries: vec![entry] }
}

/// Reads the Compose file that a system's document names, a path from `folder`, and adds its services to the document, so that
/// settings can be laid over them. None, with findings, where that can't be done; none inside where it names no such file.
pub(crate) fn read(
    table: &mut Table,
    folder: &Path,
    known: &Known<'_>,
    findings: &Findings,
) -> Option<Option<Arc<Compose>>> {
    let Some(entry) = table.get("compose").cloned() else { return Some(None) };
    let word = text_of(&entry, findings)?;
    let path = folder.join(word.text);
    let profiles = (known.variable)(PROFILES).unwrap_or_default();
    let read = (known.compose)(&path).and_then(|document| Compose::read(path.clone(), document, &profiles));
    let compose = match read {
        Ok(compose) => compose,
        Err(why) => {
            let wrong = Wrong::new(format!("Compose does not take `{}`: {why}", path.display()));
            findings.add(word.refuse(wrong.advice("`docker-compose config` in its folder says what is wrong with it")));
            return None;
        }
    };
    for problem in &compose.problems {
        let wrong = Wrong::new(format!("{}: {}", path.display(), problem.what)).advice(problem.advice);
        findings.add(word.refuse(wrong));
    }
    let before = findings.len();
    for name in compose.services.keys() {
        if let Err(wrong) = name_of(name) {
            findings.add(word.refuse(wrong));
        }
    }
    add_services(table, &compose, &entry.value.span, findings);
    (findings.len() == before).then(|| Some(Arc::new(compose)))
}

/// Refuses a name that scenarios can't use. Those of Compose may have `_`.
pub(crate) fn name_of(name: &str) -> Result<(), Wrong> {
    let advice = "call the service otherwise in the Compose file, and give it the old name as an alias of its networks";
    names::any_service(name).map_err(|wrong| Wrong { advice: Some(advice.to_owned()), ..wrong })
}

fn add_services(table: &mut Table, compose: &Compose, span: &Span, findings: &Findings) {
    let empty = || Value {
        span: span.clone(),
        kind: Kind::Table(Table { span: span.clone(), entries: Vec::new() }),
        loose: false,
    };
    let new = |key: &str| Entry { key: key.to_owned(), key_span: span.clone(), value: empty() };
    if table.get("service").is_none() {
        table.entries.push(new("service"));
    }
    let services = table.entries.iter_mut().find(|entry| entry.key == "service");
    // What is no table is refused where it is read.
    let Some(Kind::Table(services)) = services.map(|entry| &mut entry.value.kind) else { return };
    for entry in &services.entries {
        if !compose.services.contains_key(&entry.key) {
            let message = format!("`{}` has no service called `{}`", compose.file.display(), entry.key);
            let advice = advise(&entry.key, compose.services.keys().map(String::as_str), "its services are");
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        }
    }
    let missing = compose.services.keys().filter(|name| services.get(name).is_none()).map(|name| new(name));
    let missing: Vec<Entry> = missing.collect();
    services.entries.extend(missing);
}

/// The entry: the service that is named, or the only one that publishes a port.
pub(crate) fn entry<'a>(reader: &mut Reader<'a>, compose: &'a Compose, findings: &Findings) -> Option<Word<'a>> {
    let place = reader.entry("compose").map_or_else(|| reader.span(), |entry| &entry.value.span);
    if let Some(word) = reader.text("entry") {
        return Some(word);
    }
    match compose.entry() {
        Ok(text) => Some(Word { text, span: place }),
        Err(names) => {
            let message = match names.as_slice() {
                [] => "no service of this Compose file publishes a port, so that nothing says which one clients use"
                    .to_owned(),
                several => {
                    format!("several services publish ports ({}), and clients use one", list(several.iter().copied()))
                }
            };
            let advice = "name it in a `system.toml`: `compose = \"docker-compose.yml\"` with `entry = \"web\"`";
            findings.add(Diagnostic::new(place.clone(), message).advice(advice));
            None
        }
    }
}

/// The ports of a service: the one that is named here first, then those of its file. What runs there is the file's to say.
pub(crate) fn start(reader: &mut Reader<'_>, name: &str, service: &ComposeService, findings: &Findings) -> Start {
    for key in OF_THE_FILE {
        if let Some(entry) = reader.foreign(key) {
            let message = format!("how service `{name}` runs stands in the Compose file, and `{key}` says it again");
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take it away here"));
        }
    }
    let named = start::port(reader, true, findings);
    let main = named.or(service.ports.first().copied());
    let more = service.ports.iter().copied().filter(|port| Some(*port) != main).collect();
    Start::Compose(ComposePorts { main, more })
}

/// The protocol of a service whose files say none: clients speak HTTP with the entry, and a Redis is known by its image.
pub(crate) fn usual_protocol(name: &str, entry: Option<&str>, service: &ComposeService) -> Protocol {
    match () {
        () if Some(name) == entry => Protocol::HTTP,
        () if service.is_redis() => Protocol::REDIS,
        () => Protocol::TCP,
    }
}

/// Rules of a service's end where nothing beside the Compose file says others.
pub(crate) fn lifecycle(said: Lifecycle, service: &ComposeService) -> Lifecycle {
    Lifecycle {
        stop_signal: said.stop_signal.or(service.stop_signal),
        stop_grace: said.stop_grace.or(Some(service.stop_grace)),
        ..said
    }
}

/// Refuses settings with places in braces: services of a Compose file find each other by their names.
pub(crate) fn check_env(service: &Service, table: &Table, findings: &Findings) {
    let is_text = |piece: &Piece| matches!(piece, Piece::Text(_));
    for (name, template) in &service.env {
        if template.pieces.iter().all(is_text) {
            continue;
        }
        let env = table.get("env").and_then(|entry| entry.value.table());
        let place = env.and_then(|env| env.get(name)).map_or(&service.span, |entry| &entry.value.span);
        let message = format!("`{name}` of a Compose file's service is plain text, and has no braces");
        let advice = "write the name and the port that services know from the Compose file, as `redis://cache:6379`";
        findings.add(Diagnostic::new(place.clone(), message).advice(advice));
    }
}

/// The links: one for each port of each service that another one reaches. Nobody uses a task.
pub(crate) fn links(entry: &str, compose: &Compose, services: &BTreeMap<String, Service>) -> Vec<Link> {
    let mut links = BTreeSet::from([Link { from: Endpoint::Client, to: entry.to_owned(), label: None }]);
    for from in services.keys() {
        let is_used = |to: &String| compose.reaches(from, to) && compose.services.get(to).is_some_and(|of| !of.is_task);
        for (to, service) in services.iter().filter(|(to, _)| is_used(to)) {
            let Start::Compose(ports) = &service.start else { continue };
            let labels = ports.more.iter().map(|port| Some(port.to_string())).chain([None]);
            let link = |label| Link { from: Endpoint::Service(from.clone()), to: to.clone(), label };
            links.extend(labels.map(link));
        }
    }
    links.into_iter().collect()
}
