//! The file of the world `attach`: where a system runs already. And what a scenario must leave alone there.

use super::{
    address,
    braces::known_node,
    document::{self, Entry, Table},
    files,
    findings::Findings,
    names,
    reader::{Reader, wrong_type},
};
use crate::{
    Diagnostic, Diagnostics, Link, NodeName, Scenario, Span, System, Target,
    attach::{Attach, HostPort, TokenFrom},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

/// The file of a folder's scenarios, unless the command line names another.
pub const DEFAULT: &str = "attach.toml";

/// Reads, parses and checks the file for a scenario, and the scenario for a system that runs already. `file` is none where
/// the one beside the scenario is meant; `read` gives the text of a path.
///
/// # Errors
/// Everything that is wrong, together.
pub fn load(
    scenario: &Scenario,
    file: Option<&Path>,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Attach, Diagnostics> {
    let (findings, mut sources) = (Findings::default(), scenario.sources.clone());
    left_alone(scenario, &findings);
    let beside = sources.0.first().map(|source| Path::new(&source.name).with_file_name(DEFAULT)).unwrap_or_default();
    let file = file.unwrap_or(&beside);
    let advice = "say where the system runs: in `attach.toml` beside the scenario, or name a file by `--attach FILE`";
    let source = sources.0.len();
    let text = files::other(file, read, advice, None, &mut sources, &findings);
    let table = text.and_then(|text| document::parse(&text, source, &findings));
    let attach = table.and_then(|table| check(&table, file, &scenario.system, &findings));
    match attach {
        Some(attach) if findings.is_empty() => Ok(Attach { links: broken(scenario), ..attach }),
        _ => Err(Diagnostics { list: findings.into_sorted(), sources }),
    }
}

/// The links that faults act on.
fn broken(scenario: &Scenario) -> BTreeSet<Link> {
    let links = scenario.faults.iter().filter_map(|fault| match &fault.on {
        Target::Link(link) => Some(link.clone()),
        Target::Node(_) => None,
    });
    links.collect()
}

/// Refuses what can't be done to a system that runs already, and isn't the runner's.
fn left_alone(scenario: &Scenario, findings: &Findings) {
    let elsewhere = "run it in another world: `--world local`, which starts the system itself";
    for set in &scenario.settings {
        let message = format!("`{}` can't be set in the world `attach`: the system runs already", set.path);
        findings.add(Diagnostic::new(set.span.clone().unwrap_or_default(), message).advice(elsewhere));
    }
    for fault in &scenario.faults {
        if let Target::Node(node) = &fault.on {
            let effect = fault.effect.name();
            let message = format!("the world `attach` can't {effect} `{node}`: it has proxies on links, and no nodes");
            findings.add(Diagnostic::new(fault.span.clone(), message).advice(elsewhere));
        }
    }
}

fn check(table: &Table, file: &Path, system: &System, findings: &Findings) -> Option<Attach> {
    let mut reader = Reader::new(table, "this file", findings);
    let entry = reader.needed("entry", "entry = \"127.0.0.1:8000\"", address::host_port);
    if table.get("control").is_none() {
        reader.lacks("control", "[control]` with `url = \"http://127.0.0.1:8400\"");
    }
    let control = reader.table("control").map(|table| control(table, file, findings));
    let nodes = reader.table("node").map(|table| table.entries.as_slice()).unwrap_or_default();
    let nodes = addresses(nodes, &table.span, system, findings);
    reader.finish();
    let (control, token) = control?;
    Some(Attach { entry: entry?, control: control?, token: token?, nodes, links: BTreeSet::new() })
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

/// The address of each node of the system, and of no other.
fn addresses(entries: &[Entry], file: &Span, system: &System, findings: &Findings) -> BTreeMap<NodeName, HostPort> {
    let known: Vec<&str> = system.nodes.keys().map(String::as_str).collect();
    let mut nodes = BTreeMap::new();
    for entry in entries {
        let name = entry.key.as_str();
        let is_known = names::node(name).and_then(|()| known_node(name, &known));
        if let Err(wrong) = is_known {
            findings.add(wrong.diagnostic(entry.key_span.clone()));
        }
        let Some(table) = entry.value.table() else {
            findings.add(wrong_type(entry, "a table", format!("write `[node.{name}]`")));
            continue;
        };
        let mut reader = Reader::new(table, format!("node `{name}`"), findings);
        let address = reader.needed("address", "address = \"127.0.0.1:8001\"", address::host_port);
        reader.finish();
        nodes.extend(address.map(|address| (name.to_owned(), address)));
    }
    let has = |name: &str| entries.iter().any(|entry| entry.key == name);
    for name in known.into_iter().filter(|name| !has(name)) {
        let message = format!("nothing says where node `{name}` is");
        let advice = format!("add `[node.{name}]` with `address = \"127.0.0.1:8001\"`");
        findings.add(Diagnostic::new(file.clone(), message).advice(advice));
    }
    nodes
}
