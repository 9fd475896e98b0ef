//! From a Compose file to the one that a run gives to Compose: the same services, and proxies where they find each other.
//!
//! Each service has a network of its own, and so is known by it. In the network of who uses a service stands that service's
//! proxy, under the service's names and ports; it leads to the service in the service's own network. So nothing of the
//! application's settings changes. Who steers the proxies, and clients, come by a network of their own. Pure: what a document
//! becomes hangs on nothing else.

mod proxies;
mod services;

pub(super) use proxies::{CLIENTS, CONTROL_PORT, TOKEN};
pub(super) use services::{built_image, replicas};

use super::subnets::Subnet;
use chaos_model::{Compose, Endpoint, Service, ServiceName, System};
use proxies::{CONTROL, ProxyPlan};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Label of what belongs to a service, and of its proxies.
const PROXIES_OF: &str = "chaos.proxies-of";

/// Everything that a plan is made for, beside the file.
pub(super) struct Ground<'a> {
    /// Name of the run, with which those of its networks begin.
    pub(super) run: &'a str,
    /// Labels of all that the run makes.
    pub(super) labels: Vec<(&'static str, String)>,
    /// Our image, which the proxies run in.
    pub(super) image: &'a str,
    /// The network of who steers the proxies, then one for each service that has a network.
    pub(super) subnets: Vec<Subnet>,
    /// Bytes of a service's log that are kept.
    pub(super) most_log: u64,
    /// Ports of loopback at which services with one instance are reached past any proxy.
    pub(super) published: BTreeMap<ServiceName, u16>,
}

/// The TCP ports of a service, its main one first.
pub(super) type Ports = BTreeMap<ServiceName, Vec<u16>>;

/// A plan: the document for Compose, and the services in it that are proxies, each with whose.
pub(super) struct Plan {
    pub(super) document: Value,
    pub(super) proxies: BTreeMap<String, ServiceName>,
}

/// A service with its place among the networks.
struct Placed<'a> {
    service: &'a Service,
    /// Its own network; none where it has none.
    subnet: Option<Subnet>,
    /// Its number, which is that of its proxy's place in each network.
    number: usize,
}

/// The number of networks that a plan needs.
pub(super) fn networks(compose: &Compose) -> usize {
    1 + compose.services.values().filter(|service| !service.networks.is_empty()).count()
}

/// Makes the plan. `ports` has those of each service that others may use.
pub(super) fn plan(system: &System, compose: &Compose, ports: &Ports, ground: &Ground<'_>) -> Plan {
    let mut subnets = ground.subnets.iter().copied();
    let control = subnets.next();
    let mut placed: BTreeMap<&str, Placed<'_>> = BTreeMap::new();
    for (number, service) in system.services.values().enumerate() {
        let has_network = compose.services.get(&service.name).is_some_and(|of_file| !of_file.networks.is_empty());
        let subnet = if has_network { subnets.next() } else { None };
        placed.insert(&service.name, Placed { service, subnet, number });
    }
    let mut document = compose.document.clone();
    let mut services = Map::new();
    for of in placed.values() {
        let original = compose.document.get("services").and_then(|all| all.get(&of.service.name));
        let own = services::rewritten(original, of, (compose, ports), ground);
        services.insert(of.service.name.clone(), own);
    }
    let mut proxies = BTreeMap::new();
    for of in placed.values() {
        let used = ports.get(&of.service.name).filter(|ports| !ports.is_empty());
        let (Some(ports), Some(control), Some(own)) = (used, control, of.subnet) else { continue };
        let users = system.links.iter().filter(|link| link.to == of.service.name).filter_map(|link| match &link.from {
            Endpoint::Service(user) => placed.get(user.as_str()),
            Endpoint::Client => None,
        });
        let users: BTreeMap<&str, &Placed<'_>> = users.map(|user| (user.service.name.as_str(), user)).collect();
        let is_entry = system.entry == of.service.name;
        if users.is_empty() && !is_entry {
            continue;
        }
        let name = proxy_name(&of.service.name, compose);
        let plan = ProxyPlan { of, own, ports, users, is_entry, control };
        services.insert(name.clone(), plan.service(compose, ground));
        proxies.insert(name, of.service.name.clone());
    }
    if let Some(document) = document.as_object_mut() {
        // Compose's own, which says the same to nobody: the project has its name from the command.
        document.remove("version");
        document.remove("name");
        document.insert("services".to_owned(), services.into());
        document.insert("networks".to_owned(), own_networks(placed.values(), compose, ground));
        own_volumes(document, ground);
    }
    Plan { document, proxies }
}

/// Name of the service that is another's proxy, which no service of the file has.
fn proxy_name(service: &str, compose: &Compose) -> String {
    let mut name = format!("chaos-proxy-{service}");
    while compose.services.contains_key(&name) {
        name.push('_');
    }
    name
}

/// Name of a service's own network.
fn network(service: &str) -> String {
    format!("own-{service}")
}

/// The name at which a service's proxy, and nobody else, looks for it. Where the service is stopped, the engine passes it on, and no
/// resolver knows a name of this kind (RFC 2606, 2).
fn target(service: &str) -> String {
    format!("{service}.chaos.invalid")
}

fn labels(ground: &Ground<'_>) -> Map<String, Value> {
    ground.labels.iter().map(|(key, value)| ((*key).to_owned(), escaped(value).into())).collect()
}

/// A text that Compose takes for itself: it reads `$` as the beginning of a variable.
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

// An engine publishes ports by the first of a container's networks by name that is not internal: of a proxy's, that is the one
// of who steers it.
fn own_networks<'a>(placed: impl Iterator<Item = &'a Placed<'a>>, compose: &Compose, ground: &Ground<'_>) -> Value {
    let made = |name: String, subnet: Subnet, internal: bool| {
        json!({
            "name": name,
            "driver": "bridge",
            "internal": internal,
            "labels": labels(ground),
            "ipam": { "config": [{ "subnet": subnet.cidr(), "ip_range": subnet.dynamic() }] },
        })
    };
    let control = ground.subnets.first();
    let control = control.map(|subnet| (CONTROL.to_owned(), made(format!("{}-0-control", ground.run), *subnet, false)));
    let own = placed.filter_map(|of| {
        let (name, subnet) = (&of.service.name, of.subnet?);
        let own = made(format!("{}-1-{name}", ground.run), subnet, is_internal(name, compose));
        Some((network(name), own))
    });
    control.into_iter().chain(own).collect::<Map<_, _>>().into()
}

/// True where all networks of a service lead nowhere else.
fn is_internal(service: &str, compose: &Compose) -> bool {
    let Some(of_file) = compose.services.get(service) else { return false };
    let networks = compose.document.get("networks");
    let internal =
        |name: &String| networks.and_then(|all| all.get(name)?.get("internal")?.as_bool()).unwrap_or_default();
    !of_file.networks.is_empty() && of_file.networks.keys().all(internal)
}

/// Fresh ones, of the run's own.
fn own_volumes(document: &mut Map<String, Value>, ground: &Ground<'_>) {
    let Some(volumes) = document.get_mut("volumes").and_then(Value::as_object_mut) else { return };
    for volume in volumes.values_mut() {
        let mut config = volume.as_object().cloned().unwrap_or_default();
        config.remove("name");
        config.remove("external");
        let mut all = services::mapping(config.get("labels"));
        all.extend(labels(ground));
        config.insert("labels".to_owned(), all.into());
        *volume = config.into();
    }
}

#[cfg(test)]
mod tests;
