//! The file of the world `attach`: where a system runs already. And what a scenario must leave alone there.

use super::{
    address,
    braces::known_service,
    document::{self, Entry, Table},
    files,
    findings::Findings,
    names,
    reader::{Reader, wrong_type},
};
use crate::{
    Diagnostic, Diagnostics, Fault, Link, Scenario, ServiceName, Span, System,
    attach::{Attach, HostPort, TokenFrom},
    effect::action::ServiceAction,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

/// The file of a folder's scenarios, unless the command line names another.
pub const DEFAULT: &str = "attach.toml";

/// Reads, parses and checks the file for a scenario, and the scenario for a system that runs already. `file` is none
/// where the one beside the scenario is meant; `unhealed` says whether the system may lose what can't be given back to
/// it; `read` gives the text of a path.
///
/// # Errors
/// Everything that is wrong, together.
pub fn load(
    scenario: &Scenario,
    file: Option<&Path>,
    unhealed: bool,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Attach, Diagnostics> {
    let (findings, mut sources) = (Findings::default(), scenario.sources.clone());
    settings_are_left_alone(scenario, &findings);
    // A file of its own, and not the system's: one system runs in several places, and scenarios know of none.
    let beside = sources.0.first().map(|source| Path::new(&source.name).with_file_name(DEFAULT)).unwrap_or_default();
    let file = file.unwrap_or(&beside);
    let advice = "say where the system runs: in `attach.toml` beside the scenario, or name a file by `--attach FILE`";
    let source = sources.0.len();
    let text = files::other(file, read, advice, None, &mut sources, &findings);
    let table = text.and_then(|text| document::parse(&text, source, &findings));
    let (attach, named) = table.map(|table| check(&table, file, &scenario.system, &findings)).unwrap_or_default();
    if attach.as_ref().is_some_and(|attach| attach.gate) {
        it_is_known_to_be_well(scenario, file, &findings);
    }
    let containers = broken_containers(scenario, file, &named, &findings);
    if !unhealed {
        what_cannot_be_healed(scenario, &findings);
    }
    match attach {
        Some(attach) if findings.is_empty() => Ok(Attach { links: needed_links(scenario), containers, ..attach }),
        _ => Err(Diagnostics { list: findings.into_sorted(), sources }),
    }
}

/// The advice where a running system is no place for a scenario.
const ELSEWHERE: &str = "run it in another world: `--world local`, which starts the system itself";

/// The links that faults act on, or whose calls are judged.
fn needed_links(scenario: &Scenario) -> BTreeSet<Link> {
    let links = scenario.faults.iter().flat_map(|fault| fault.on.links()).cloned();
    let checks = scenario.expectations.iter().flat_map(|expectation| &expectation.checks);
    links.chain(checks.filter_map(|check| Some(check.subject.calls()?.link.clone()))).collect()
}

/// The containers of services that faults act on. A Redis is flushed by its own command; everything else needs one.
fn broken_containers(
    scenario: &Scenario,
    file: &Path,
    named: &BTreeMap<ServiceName, String>,
    findings: &Findings,
) -> BTreeMap<ServiceName, String> {
    let mut broken = BTreeMap::new();
    for fault in &scenario.faults {
        for service in fault.on.services() {
            match named.get(service) {
                _ if fault.effect.action().service == Some(ServiceAction::Flush) => {}
                Some(container) => drop(broken.insert(service.clone(), container.clone())),
                None => findings.add(no_container(fault, service, file)),
            }
        }
    }
    broken
}

/// The refusal of a fault on a service of which nobody knows the container.
fn no_container(fault: &Fault, service: &str, file: &Path) -> Diagnostic {
    let (effect, file) = (fault.effect.name(), file.display());
    let message = format!("the world `attach` can't {effect} `{service}`: nothing says in which container it runs");
    let head = if service.contains('.') { format!("\"{service}\"") } else { service.to_owned() };
    let advice = format!("add `container = \"{service}\"` to `[service.{head}]` in {file}, or {ELSEWHERE}");
    Diagnostic::new(fault.span.clone(), message).advice(advice)
}

/// Refuses faults that begin before anybody knows whether the system is well.
fn it_is_known_to_be_well(scenario: &Scenario, file: &Path, findings: &Findings) {
    for fault in scenario.faults.iter().filter(|fault| fault.at.is_zero()) {
        let message = format!("`{}` begins at once, before it is known whether the system is well", fault.name);
        let file = file.display();
        let advice = format!("begin it some seconds later, or say `gate = false` at the top of {file}");
        findings.add(Diagnostic::new(fault.span.clone(), message).advice(advice));
    }
}

/// Refuses what takes something away for good. In other worlds the system is the run's own, and goes with it.
fn what_cannot_be_healed(scenario: &Scenario, findings: &Findings) {
    for fault in &scenario.faults {
        let loses = match fault.effect.action().service {
            Some(ServiceAction::Flush) => "forgets",
            Some(ServiceAction::Kill) => "has in memory alone",
            _ => continue,
        };
        let (effect, service) = (fault.effect.name(), &fault.on);
        let message = format!("`{effect}` can't be healed: what `{service}` {loses} is lost for good");
        let advice = format!("say `--allow-unhealed` where that may be, or {ELSEWHERE}");
        findings.add(Diagnostic::new(fault.span.clone(), message).advice(advice));
    }
}

/// Refuses settings: the system isn't the runner's, and runs already.
fn settings_are_left_alone(scenario: &Scenario, findings: &Findings) {
    for set in &scenario.settings {
        let message = format!("`{}` can't be set in the world `attach`: the system runs already", set.path);
        findings.add(Diagnostic::new(set.span.clone().unwrap_or_default(), message).advice(ELSEWHERE));
    }
}

/// The file's content, if all that is needed is there; and the containers that it names, in any case.
fn check(
    table: &Table,
    file: &Path,
    system: &System,
    findings: &Findings,
) -> (Option<Attach>, BTreeMap<ServiceName, String>) {
    let mut reader = Reader::new(table, "this file", findings);
    let entry = reader.needed("entry", "entry = \"127.0.0.1:8000\"", address::host_port);
    if table.get("control").is_none() {
        reader.lacks("control", "[control]` with `url = \"http://127.0.0.1:8400\"");
    }
    let gate = reader.flag("gate").unwrap_or(true);
    let control = reader.table("control").map(|table| control(table, file, findings));
    let services = reader.table("service").map(|table| table.entries.as_slice()).unwrap_or_default();
    let (services, containers) = places(services, &table.span, system, findings);
    reader.finish();
    let (control, token) = control.unwrap_or_default();
    let whole = entry.zip(control).zip(token).map(|((entry, control), token)| Attach {
        entry,
        control,
        gate,
        token,
        services,
        links: BTreeSet::new(),
        containers: BTreeMap::new(),
    });
    (whole, containers)
}

fn control(table: &Table, file: &Path, findings: &Findings) -> (Option<HostPort>, Option<TokenFrom>) {
    let mut reader = Reader::new(table, "`[control]`", findings);
    let url = reader.needed("url", "url = \"http://127.0.0.1:8400\"", address::control_url);
    let entries = (table.get("token-file"), table.get("token-env"));
    let (path, variable) = (reader.text("token-file"), reader.text("token-env"));
    match entries {
        (None, None) => reader.lacks("token-file", "token-file = \"token\"` or `token-env = \"CHAOS_TOKEN\""),
        (Some(first), Some(second)) => {
            let diagnostic = Diagnostic::new(second.key_span.clone(), "the token is either in a file or in a variable");
            let diagnostic = diagnostic.also(first.key_span.clone(), "the other");
            findings.add(diagnostic.advice("take one of them away"));
        }
        _ => {}
    }
    reader.finish();
    let beside = file.parent().unwrap_or_else(|| Path::new(""));
    let in_file = path.map(|word| TokenFrom::File(beside.join(word.text)));
    (url, in_file.or(variable.map(|word| TokenFrom::Environment(word.text.to_owned()))))
}

/// The address of each service of the system, and of no other; and the containers of those that have some.
fn places(
    entries: &[Entry],
    file: &Span,
    system: &System,
    findings: &Findings,
) -> (BTreeMap<ServiceName, HostPort>, BTreeMap<ServiceName, String>) {
    let known: Vec<&str> = system.services.keys().map(String::as_str).collect();
    let (mut services, mut containers) = (BTreeMap::new(), BTreeMap::new());
    for entry in entries {
        let name = entry.key.as_str();
        let is_known = names::instance(name).and_then(|()| known_service(name, &known));
        if let Err(wrong) = is_known {
            findings.add(wrong.diagnostic(entry.key_span.clone()));
        }
        let Some(table) = entry.value.table() else {
            findings.add(wrong_type(entry, "a table", format!("write `[service.{name}]`")));
            continue;
        };
        let mut reader = Reader::new(table, format!("service `{name}`"), findings);
        let address = reader.needed("address", "address = \"127.0.0.1:8001\"", address::host_port);
        let container = reader.parse("container", address::container);
        reader.finish();
        services.extend(address.map(|address| (name.to_owned(), address)));
        // One that can't be read was told of, and is no one that is missing.
        if table.get("container").is_some() {
            containers.insert(name.to_owned(), container.unwrap_or_default());
        }
    }
    let has = |name: &str| entries.iter().any(|entry| entry.key == name);
    for name in known.into_iter().filter(|name| !has(name)) {
        let message = format!("nothing says where service `{name}` is");
        let advice = format!("add `[service.{name}]` with `address = \"127.0.0.1:8001\"`");
        findings.add(Diagnostic::new(file.clone(), message).advice(advice));
    }
    (services, containers)
}
