//! The application's services, as a run starts them: the same programs, settings and order, in networks of their own.

use super::{Ground, Placed, Ports, escaped, is_internal, labels, network, target};
use chaos_model::{Compose, Template, system::Piece};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    path::{Component, Path},
};

/// Keys of a service that don't hold in a run: host ports are not taken, names are not the machine's, and who starts a service
/// again that a fault has ended is the run.
const LEFT_OUT: [&str; 7] = ["container_name", "links", "networks", "ports", "profiles", "restart", "expose"];

/// A service of the file, rewritten.
pub(super) fn rewritten(
    original: Option<&Value>,
    of: &Placed<'_>,
    (compose, ports): (&Compose, &Ports),
    ground: &Ground<'_>,
) -> Value {
    let name = &of.service.name;
    let mut service = original.and_then(Value::as_object).cloned().unwrap_or_default();
    for key in LEFT_OUT {
        service.remove(key);
    }
    service.insert("restart".to_owned(), "no".into());
    if let Some(deploy) = service.get_mut("deploy").and_then(Value::as_object_mut) {
        deploy.remove("restart_policy");
    }
    let mut all = mapping(service.get("labels"));
    all.extend(labels(ground));
    service.insert("labels".to_owned(), all.into());
    if service.contains_key("build") && !service.contains_key("image") {
        service.insert("image".to_owned(), built_image(&compose.file, name).into());
    }
    settings(&mut service, of);
    dependencies(&mut service, compose, name);
    // What it says is read back, whatever the file does with it otherwise; the last of it is kept.
    let half = format!("{}k", ground.most_log / 2 / 1024);
    service.insert(
        "logging".to_owned(),
        json!({ "driver": "json-file", "options": { "max-size": half, "max-file": "2" } }),
    );
    if of.subnet.is_some() {
        let aliases = own_names(compose, name);
        service.insert("networks".to_owned(), json!({ network(name): { "aliases": aliases } }));
        let main = ports.get(name).and_then(|ports| ports.first());
        // A network that leads nowhere publishes nothing: there the container's address is used.
        if let Some(main) = main.filter(|_| !is_internal(name, compose)) {
            let at = ground.published.get(name).map(ToString::to_string).unwrap_or_default();
            service.insert("ports".to_owned(), json!([format!("127.0.0.1:{at}:{main}")]));
        }
    }
    service.into()
}

/// Number of containers that a file asks for; none where it doesn't say.
pub(in crate::compose) fn replicas(compose: &Compose, service: &str) -> Option<u64> {
    let service = compose.document.get("services")?.get(service)?;
    let deploy = || service.get("deploy")?.get("replicas")?.as_u64();
    service.get("scale").and_then(Value::as_u64).or_else(deploy)
}

/// The image that is built where the file names none. It stays, as what Compose builds does: the next run builds in a moment.
pub(in crate::compose) fn built_image(file: &Path, service: &str) -> String {
    let mut folders: Vec<String> = Vec::new();
    for part in std::path::absolute(file).as_deref().unwrap_or(file).parent().into_iter().flat_map(Path::components) {
        match part {
            Component::ParentDir => drop(folders.pop()),
            Component::Normal(name) => folders.push(name.to_string_lossy().to_lowercase()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    let fits = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let folder: String = folders.pop().unwrap_or_default().chars().filter(fits).collect();
    let folder = if folder.is_empty() { "system" } else { &folder };
    format!("chaos-built/{folder}/{service}:latest")
}

/// Names by which a service finds itself, and its proxy finds it.
fn own_names(compose: &Compose, name: &str) -> Vec<String> {
    let of_file = compose.services.get(name);
    let aliases = of_file.into_iter().flat_map(|service| service.networks.values().flatten().cloned());
    let container = of_file.and_then(|service| service.container_name.clone());
    aliases.chain(container).chain([target(name)]).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Lays the settings that stand beside the file over its own.
fn settings(service: &mut Map<String, Value>, of: &Placed<'_>) {
    if of.service.env.is_empty() {
        return;
    }
    let mut all = mapping(service.get("environment"));
    let text = |template: &Template| template.pieces.iter().map(text_of).collect::<String>();
    all.extend(of.service.env.iter().map(|(name, template)| (name.clone(), escaped(&text(template)).into())));
    service.insert("environment".to_owned(), all.into());
}

/// The text of a piece: settings of Compose's services have no other pieces.
fn text_of(piece: &Piece) -> &str {
    match piece {
        Piece::Text(text) => text,
        Piece::Service { .. } | Piece::OwnPort | Piece::NamedPort(_) | Piece::File(_) => "",
    }
}

/// A link is in the order of starts too (Compose's `links`), where the dependency itself does not say more.
fn dependencies(service: &mut Map<String, Value>, compose: &Compose, name: &str) {
    let linked =
        compose.services.get(name).into_iter().flat_map(|of_file| of_file.links.iter().map(|(to, _)| to.clone()));
    let mut all = mapping(service.get("depends_on"));
    for to in linked {
        all.entry(to).or_insert_with(|| json!({ "condition": "service_started" }));
    }
    if let Some(Value::Array(list)) = service.get("depends_on") {
        for to in list.iter().filter_map(Value::as_str) {
            all.insert(to.to_owned(), json!({ "condition": "service_started" }));
        }
    }
    if !all.is_empty() {
        service.insert("depends_on".to_owned(), all.into());
    }
}

/// A mapping, or a list of `NAME=value` as one.
pub(super) fn mapping(value: Option<&Value>) -> Map<String, Value> {
    let pair = |text: &str| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Value::from(value)),
        None => (text.to_owned(), Value::Null),
    };
    match value {
        Some(Value::Object(map)) => map.clone(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(pair).collect(),
        _ => Map::new(),
    }
}
