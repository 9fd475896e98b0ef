//! A Compose file as a system: which services there are, which may use which, by which names and at which ports.
//!
//! Compose itself reads its files (`docker-compose config`): includes, extensions, variables and env files are done when its
//! document comes here. What can't be interposed is collected in words, for whoever places it in a file.

mod ports;
mod problems;

use crate::{ServiceName, lifecycle::StopSignal};
use ports::NamedPorts;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    time::Duration,
};

/// The network of services that name none.
pub const DEFAULT_NETWORK: &str = "default";
/// Time that a service has to end where its file doesn't say (Compose's `stop_grace_period`).
const GRACE: Duration = Duration::from_secs(10);

/// A Compose file, normalised and read.
#[derive(Clone, PartialEq)]
pub struct Compose {
    /// Path of the file.
    pub file: PathBuf,
    /// The normalised document, without services whose profiles are not active.
    pub document: Value,
    /// Its services.
    pub services: BTreeMap<ServiceName, ComposeService>,
    /// Things that no proxy can be put before, or that are not supported.
    pub problems: Vec<Problem>,
}

impl fmt::Debug for Compose {
    /// Shows no document: there are passwords in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compose").field("file", &self.file).field("services", &self.services).finish_non_exhaustive()
    }
}

/// A service of a Compose file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComposeService {
    /// Image that it runs, where the file names one.
    pub image: Option<String>,
    /// True where Compose builds its image.
    pub builds: bool,
    /// TCP ports that it listens on as far as the file tells: those that are published first, each once.
    pub ports: Vec<u16>,
    /// Those of them that are published on the machine.
    pub published: Vec<u16>,
    /// Networks that it is in, each with the further names that it has there. Empty without a network.
    pub networks: BTreeMap<String, Vec<String>>,
    /// Services that it uses by names of its own (`links`), each with the name.
    pub links: Vec<(ServiceName, String)>,
    /// The name of its container, by which others find it too.
    pub container_name: Option<String>,
    /// True for a task: others wait until it has ended well (`service_completed_successfully`).
    pub is_task: bool,
    /// Rule by which it is started again when it ends by itself.
    pub restart: Restart,
    /// Signal that asks it to end, where the file says it.
    pub stop_signal: Option<StopSignal>,
    /// Time that it has to end then.
    pub stop_grace: Duration,
}

/// A rule by which a service is started again when it ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Never.
    #[default]
    No,
    /// Whenever it ends.
    Always,
    /// When it fails, so often at most.
    OnFailure(Option<u32>),
}

impl Restart {
    /// True where a service starts again that ended by itself, well or not, after so many starts that were made so.
    #[must_use]
    pub fn again(self, ended_well: bool, before: u32) -> bool {
        match self {
            Self::No => false,
            Self::Always => true,
            Self::OnFailure(most) => !ended_well && most.is_none_or(|most| before < most),
        }
    }
}

/// Something of a Compose file that a run can't do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The thing, and the reason, in words.
    pub what: String,
    /// The way out.
    pub advice: &'static str,
}

impl Compose {
    /// Reads a normalised document. `profiles` are the active ones, as `COMPOSE_PROFILES` has them.
    ///
    /// # Errors
    /// In words: it is no such document.
    pub fn read(file: PathBuf, mut document: Value, profiles: &str) -> Result<Self, String> {
        let active: Vec<&str> = profiles.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let services = document.get_mut("services").and_then(Value::as_object_mut);
        let services = services.ok_or("it has no `services` (files of version 1 have none)")?;
        services.retain(|_, service| is_active(service, &active));
        if services.is_empty() {
            return Err("none of its services has an active profile".to_owned());
        }
        let mut problems = Vec::new();
        let tasks: BTreeSet<String> = services.values().flat_map(tasks_of).collect();
        let mut read = BTreeMap::new();
        for (name, value) in services {
            let service = value.as_object().ok_or_else(|| format!("service `{name}` is no mapping"))?;
            let service = self::service(name, service, &mut problems);
            read.insert(name.clone(), ComposeService { is_task: tasks.contains(name), ..service });
        }
        problems::of_document(&document, &mut problems);
        Ok(Self { file, document, services: read, problems })
    }

    /// True where a service can reach another: they share a network, or it is linked.
    #[must_use]
    pub fn reaches(&self, from: &str, to: &str) -> bool {
        let (Some(user), Some(used)) = (self.services.get(from), self.services.get(to)) else { return false };
        let shares = user.networks.keys().any(|network| used.networks.contains_key(network));
        from != to && (shares || user.links.iter().any(|(linked, _)| linked == to))
    }

    /// The names by which a service finds another that it reaches.
    #[must_use]
    pub fn names(&self, from: &str, to: &str) -> BTreeSet<String> {
        let (Some(user), Some(used)) = (self.services.get(from), self.services.get(to)) else { return BTreeSet::new() };
        let shared = used.networks.iter().filter(|(network, _)| user.networks.contains_key(*network));
        let aliases = shared.flat_map(|(_, aliases)| aliases.iter().cloned());
        let linked = user.links.iter().filter(|(linked, _)| linked == to).map(|(_, alias)| alias.clone());
        aliases.chain(linked).chain(used.container_name.clone()).chain([to.to_owned()]).collect()
    }

    /// The service that alone publishes a port: the entry, unless somebody says another.
    ///
    /// # Errors
    /// The names of those that do: none, or several.
    pub fn entry(&self) -> Result<&str, Vec<&str>> {
        let publishes = self.services.iter().filter(|(_, service)| !service.published.is_empty());
        let names: Vec<&str> = publishes.map(|(name, _)| name.as_str()).collect();
        match names[..] {
            [only] => Ok(only),
            _ => Err(names),
        }
    }
}

impl ComposeService {
    /// True for a Redis: its image is one of those that are published under this name.
    #[must_use]
    pub fn is_redis(&self) -> bool {
        let image = self.image.as_deref().unwrap_or_default();
        let image = image.split('@').next().unwrap_or_default();
        // A colon before the last slash is of a registry's port.
        let name = image.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
        !self.builds && matches!(name, "redis" | "valkey")
    }
}

/// True for a service without profiles, or with one that is active.
fn is_active(service: &Value, active: &[&str]) -> bool {
    let profiles: Vec<&str> = texts(service.get("profiles")).collect();
    profiles.is_empty() || active.contains(&"*") || profiles.iter().any(|profile| active.contains(profile))
}

/// The services that a service waits for until they have ended well.
fn tasks_of(service: &Value) -> Vec<String> {
    let waits = service.get("depends_on").and_then(Value::as_object).into_iter().flatten();
    let ends = |wait: &Value| wait.get("condition").and_then(Value::as_str) == Some("service_completed_successfully");
    waits.filter(|(_, wait)| ends(wait)).map(|(name, _)| name.clone()).collect()
}

fn service(name: &str, service: &Map<String, Value>, problems: &mut Vec<Problem>) -> ComposeService {
    problems::of_service(name, service, problems);
    let text = |key: &str| service.get(key).and_then(Value::as_str).map(str::to_owned);
    let NamedPorts { ports, published } = NamedPorts::of(name, service, problems);
    let links = texts(service.get("links")).map(|link| match link.split_once(':') {
        Some((to, alias)) => (to.to_owned(), alias.to_owned()),
        None => (link.to_owned(), link.to_owned()),
    });
    let grace = text("stop_grace_period").and_then(|text| duration(&text)).unwrap_or(GRACE);
    let signal = text("stop_signal");
    let is_signal = |one: &StopSignal| signal.as_deref().is_some_and(|name| same_signal(one.name(), name));
    ComposeService {
        image: text("image").filter(|image| !image.is_empty()),
        builds: service.contains_key("build"),
        ports,
        published,
        networks: networks(service),
        links: links.collect(),
        container_name: text("container_name"),
        is_task: false,
        restart: restart(service),
        stop_signal: StopSignal::ALL.into_iter().find(is_signal),
        stop_grace: grace,
    }
}

fn same_signal(known: &str, name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    known == name || known.strip_prefix("SIG") == Some(&name)
}

fn networks(service: &Map<String, Value>) -> BTreeMap<String, Vec<String>> {
    if service.contains_key("network_mode") {
        return BTreeMap::new();
    }
    let aliases = |config: &Value| texts(config.get("aliases")).map(str::to_owned).collect();
    match service.get("networks") {
        Some(Value::Object(map)) if !map.is_empty() => {
            map.iter().map(|(network, config)| (network.clone(), aliases(config))).collect()
        }
        Some(list @ Value::Array(_)) => texts(Some(list)).map(|name| (name.to_owned(), Vec::new())).collect(),
        _ => BTreeMap::from([(DEFAULT_NETWORK.to_owned(), Vec::new())]),
    }
}

/// By `restart`, or by what `deploy` says of it.
fn restart(service: &Map<String, Value>) -> Restart {
    if let Some(policy) = service.get("restart").and_then(Value::as_str) {
        return match policy.split_once(':').map_or((policy, None), |(policy, most)| (policy, most.parse().ok())) {
            ("always" | "unless-stopped", _) => Restart::Always,
            ("on-failure", most) => Restart::OnFailure(most),
            _ => Restart::No,
        };
    }
    let policy = service.get("deploy").and_then(|deploy| deploy.get("restart_policy"));
    let most = policy.and_then(|policy| policy.get("max_attempts")?.as_u64()?.try_into().ok());
    match policy.map(|policy| policy.get("condition").and_then(Value::as_str).unwrap_or("any")) {
        Some("any") => Restart::Always,
        Some("on-failure") => Restart::OnFailure(most),
        _ => Restart::No,
    }
}

/// A duration as Compose writes them: `1m30s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(unit_at);
        let (unit, seconds) =
            [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)].into_iter().find(|(unit, _)| {
                after.strip_prefix(unit).is_some_and(|next| !next.starts_with(|c: char| c.is_alphabetic()))
            })?;
        sum += Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        rest = &after[unit.len()..];
    }
    Some(sum)
}

/// The texts of a list; none where it is no list.
fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests;
