//! Everything before the first service: images that are built, the plan, and proxies that are steered.

use super::{
    ComposeRuntime, Project,
    command::{self, compose},
    containers::{Found, find},
    plan::{self, CLIENTS, Ground, Ports},
    subnets::{self, Subnet, Taken},
};
use crate::{ports::Ports as FreePorts, supervised};
use chaos_links::{ControlEndpoint, RemoteConfig, Token};
use chaos_model::{Compose, ComposePorts, ServiceName, Start, System, attach::HostPort};
use chaos_run::WorldError;
use chaos_supervise::{RunLabel, engine::Engine, logs};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};
use testcontainers::bollard::{errors::Error as EngineError, exec::StartExecResults, models::ExecConfig};
use tokio::time::Instant;

/// Time that a proxy has from its start until it can be steered.
const STEERED: Duration = Duration::from_secs(15);
/// Time after one look at it until the next.
const EVERY: Duration = Duration::from_millis(50);
/// Time that Compose has for all that it is asked for at once, builds apart.
const COMPOSE_TIME: Duration = Duration::from_secs(300);
/// The same where it builds images.
const BUILD_TIME: Duration = Duration::from_secs(1800);
const LOOPBACK: &str = "127.0.0.1";

pub(super) async fn prepare(runtime: &mut ComposeRuntime, system: &System) -> Result<(), WorldError> {
    let compose = system.compose.clone();
    let compose = compose.ok_or_else(|| WorldError::CannotGive("this system is of no Compose file".to_owned()))?;
    let advice = "no container engine answers (is it running, and may this user speak to it?)";
    let engine = Engine::connect().await.map_err(WorldError::machine(advice))?;
    let now = runtime.host.unix_now();
    let docker = &runtime.config.docker;
    runtime.supervision.prepare(&docker.supervisor, &docker.temp, now).await.map_err(supervised)?;
    // Before anything is made, so that the supervisor knows of all of it.
    runtime.supervision.own_containers().await.map_err(supervised)?;
    runtime.engine = Some(engine.clone());
    let label = runtime.supervision.label().cloned();
    let label = label.ok_or_else(|| WorldError::CannotGive("this run has no label".to_owned()))?;
    let name = label.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let document = label.folder.join("compose.json");
    let may_end_well = may_end_well(system, &compose);
    runtime.project = Some(Project { name, document, ports: Ports::new(), proxies: BTreeSet::new(), may_end_well });
    runtime.restarts = compose.services.iter().map(|(name, service)| (name.clone(), service.restart)).collect();
    build(runtime, &compose).await?;
    let ports = ports(&engine, system, &compose).await?;
    let plan = make_plan(runtime, (system, &compose), &ports, &label).await?;
    write(&label.folder.join("compose.json"), &plan.document)?;
    if let Some(project) = &mut runtime.project {
        project.ports = ports;
        project.proxies = plan.proxies.keys().cloned().collect();
    }
    start_proxies(runtime, system, &plan.proxies).await
}

/// The services whose end is none that anybody misses, where it is a good one: tasks, and those of which no file tells a port.
fn may_end_well(system: &System, compose: &Compose) -> BTreeSet<ServiceName> {
    let told = |name: &String| match system.services.get(name).map(|service| &service.start) {
        Some(Start::Compose(ports)) => ports.main.is_some(),
        _ => false,
    };
    let all = compose.services.iter().filter(|(name, of_file)| of_file.is_task || !told(name));
    all.map(|(name, _)| name.clone()).collect()
}

/// Has Compose build the images that the file says how to build. Nothing is measured yet.
async fn build(runtime: &mut ComposeRuntime, compose: &Compose) -> Result<(), WorldError> {
    let mut document = compose.document.clone();
    let Some(services) = document.get_mut("services").and_then(Value::as_object_mut) else { return Ok(()) };
    services.retain(|_, service| service.get("build").is_some());
    if services.is_empty() {
        return Ok(());
    }
    for (name, service) in services.iter_mut() {
        let image = service.get("image").cloned().unwrap_or_else(|| plan::built_image(&compose.file, name).into());
        let build = service.get("build").cloned();
        *service = json!({ "build": build, "image": image });
    }
    if let Some(document) = document.as_object_mut() {
        document.retain(|key, _| matches!(key.as_str(), "services" | "secrets"));
    }
    let file = runtime.supervision.folder().join("compose.json");
    write(&file, &document)?;
    command::compose(runtime, &["build"], BUILD_TIME).await
}

/// The ports of each service, its main one first: those that files tell, and those that images expose.
async fn ports(engine: &Engine, system: &System, compose: &Compose) -> Result<Ports, WorldError> {
    let mut all = Ports::new();
    for (name, of_file) in &compose.services {
        let built = || plan::built_image(&compose.file, name);
        let image = of_file.image.clone().unwrap_or_else(built);
        let found = match engine.client().inspect_image(&image).await {
            Ok(found) => found,
            // Not pulled: a pull in mid-run would be measured.
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => {
                let how = "`docker-compose pull` gets it, and a run pulls nothing";
                let why = format!("service {name} needs the image {image}, which is not here: {how}");
                return Err(WorldError::CannotGive(why));
            }
            Err(error) => return Err(WorldError::machine(format!("image {image}"))(io::Error::other(error))),
        };
        let exposed = found.config.and_then(|config| config.exposed_ports).unwrap_or_default();
        let told = system.services.get(name).map(|service| &service.start);
        let Some(Start::Compose(told)) = told else { continue };
        let exposed = if of_file.is_task { Vec::new() } else { exposed };
        let of_service = all_ports(told, &exposed);
        let ports =
            of_service.map_err(|why| WorldError::CannotGive(format!("service {name}: the image {image} {why}")))?;
        let has_none = of_file.networks.is_empty() || of_file.is_task;
        all.insert(name.clone(), if has_none { Vec::new() } else { ports });
    }
    if all.get(&system.entry).is_none_or(Vec::is_empty) {
        let why =
            format!("nothing says at which port clients reach {}: `port = 8000` beside the file does", system.entry);
        return Err(WorldError::CannotGive(why));
    }
    Ok(all)
}

/// The ports that files tell, then those that an image exposes (`6379/tcp`); which of several is meant, somebody has to say.
fn all_ports(told: &ComposePorts, exposed: &[String]) -> Result<Vec<u16>, String> {
    let tcp = |text: &String| match text.split_once('/') {
        Some((port, "tcp")) => port.parse().ok(),
        Some(_) => None,
        None => text.parse().ok(),
    };
    let exposed: BTreeSet<u16> = exposed.iter().filter_map(tcp).collect();
    if told.main.is_none() && exposed.len() > 1 {
        let all: Vec<String> = exposed.iter().map(u16::to_string).collect();
        return Err(format!("exposes several ports ({}): say which one is meant, as `port = 5432`", all.join(", ")));
    }
    let mut ports: Vec<u16> = told.main.iter().chain(&told.more).copied().collect();
    let more: Vec<u16> = exposed.into_iter().filter(|port| !ports.contains(port)).collect();
    ports.extend(more);
    Ok(ports)
}

async fn make_plan(
    runtime: &ComposeRuntime,
    (system, compose): (&System, &Compose),
    ports: &Ports,
    label: &RunLabel,
) -> Result<plan::Plan, WorldError> {
    if system.services.len() > Subnet::PLACES {
        let why =
            format!("{} services are more than {} proxies can stand before", system.services.len(), Subnet::PLACES);
        return Err(WorldError::CannotGive(why));
    }
    let taken = taken(runtime.engine()?).await?;
    let subnets = subnets::free(plan::networks(compose), &taken)?;
    let mut free = FreePorts::new();
    let mut published: BTreeMap<ServiceName, u16> = BTreeMap::new();
    for (name, ports) in ports {
        // The engine chooses where there are several.
        if !ports.is_empty() && plan::replicas(compose, name).is_none_or(|replicas| replicas == 1) {
            let port = free.free(&runtime.host).map_err(WorldError::machine(format!("no port for {name}")))?;
            published.insert(name.clone(), port);
        }
    }
    let run = label.folder.file_name().unwrap_or_default().to_string_lossy();
    let ground = Ground {
        run: &run,
        labels: label.engine_labels().to_vec(),
        image: &runtime.config.docker.images.chaos,
        subnets,
        most_log: logs::MOST,
        published,
    };
    Ok(plan::plan(system, compose, ports, &ground))
}

/// Addresses that the engine's networks and this machine's routes have.
async fn taken(engine: &Engine) -> Result<Vec<Taken>, WorldError> {
    let failed = |error| WorldError::machine("the engine doesn't say which networks it has")(io::Error::other(error));
    let networks = engine.client().list_networks(None).await.map_err(failed)?;
    let configs = networks.into_iter().filter_map(|network| network.ipam?.config).flatten();
    let of_engine = configs.filter_map(|config| Taken::of_cidr(&config.subnet?));
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    Ok(of_engine.chain(routes.lines().filter_map(Taken::of_route)).collect())
}

/// Writes the document for nobody but this user to read: there are passwords in it.
fn write(file: &Path, document: &Value) -> Result<(), WorldError> {
    let write = || {
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        open.write_all(&serde_json::to_vec_pretty(document).map_err(io::Error::other)?)
    };
    write().map_err(WorldError::machine(format!("can't write {}", file.display())))
}

/// Starts the proxies, and leaves word of how they are steered.
async fn start_proxies(
    runtime: &mut ComposeRuntime,
    system: &System,
    proxies: &BTreeMap<String, ServiceName>,
) -> Result<(), WorldError> {
    let names: Vec<&str> = proxies.keys().map(String::as_str).collect();
    let words: Vec<&str> = ["up", "-d", "--no-build"].into_iter().chain(names.iter().copied()).collect();
    compose(runtime, &words, COMPOSE_TIME).await?;
    let engine = runtime.engine()?.clone();
    let project = runtime.project.as_ref().map(|project| project.name.clone()).unwrap_or_default();
    let found = find(&engine, &project).await?;
    let (mut endpoints, mut entry) = (Vec::new(), None);
    for (name, service) in proxies {
        let container = found.iter().find(|container| container.service == *name);
        let container =
            container.ok_or_else(|| WorldError::CannotGive(format!("the proxies of {service} don't run")))?;
        let token = token(&engine, container, service).await?;
        let at =
            |port: u16| container.published.get(&port).map(|port| HostPort { host: LOOPBACK.to_owned(), port: *port });
        let control = at(plan::CONTROL_PORT);
        let control = control
            .ok_or_else(|| WorldError::CannotGive(format!("the proxies of {service} can't be steered from here")))?;
        endpoints.push(ControlEndpoint { control, token: Ok(token) });
        if *service == system.entry {
            entry = at(CLIENTS);
        }
    }
    let none = || WorldError::CannotGive(format!("{} has no proxy that clients could use", system.entry));
    runtime.started.tell(RemoteConfig {
        endpoints,
        entry: entry.ok_or_else(none)?,
        needed: runtime.config.needed.clone(),
        holder: runtime.config.holder.clone(),
        remote: false,
    });
    Ok(())
}

/// The token that proxies have drawn at their start. They listen once it is there.
async fn token(engine: &Engine, container: &Found, service: &str) -> Result<Token, WorldError> {
    let deadline = Instant::now() + STEERED;
    loop {
        let text = read(engine, &container.id).await.unwrap_or_default();
        if let Some(token) = Token::read(&text) {
            return Ok(token);
        }
        if Instant::now() > deadline {
            let said = crate::docker::logs::last_lines(engine, &container.id).await.join("\n  ");
            let why = format!("the proxies of {service} can't be steered after {} s:\n  {said}", STEERED.as_secs());
            return Err(WorldError::CannotGive(why));
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The text of the token's file in a container.
async fn read(engine: &Engine, id: &str) -> io::Result<String> {
    let words = ["cat", plan::TOKEN].map(str::to_owned).to_vec();
    let config = ExecConfig { attach_stdout: Some(true), cmd: Some(words), ..ExecConfig::default() };
    let exec = engine.client().create_exec(id, config).await.map_err(io::Error::other)?;
    let started = engine.client().start_exec(&exec.id, None).await.map_err(io::Error::other)?;
    let mut text = Vec::new();
    if let StartExecResults::Attached { mut output, .. } = started {
        while let Some(piece) = output.next().await {
            text.extend_from_slice(&piece.map_err(io::Error::other)?.into_bytes());
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::all_ports;
    use chaos_model::ComposePorts;

    fn ports(main: Option<u16>, more: &[u16], exposed: &[&str]) -> Result<Vec<u16>, String> {
        let exposed: Vec<String> = exposed.iter().map(|port| (*port).to_owned()).collect();
        all_ports(&ComposePorts { main, more: more.to_vec() }, &exposed)
    }

    #[test]
    fn ports_come_from_files_and_then_from_the_image() {
        assert_eq!(ports(Some(80), &[81], &["80/tcp", "9000/tcp", "53/udp"]), Ok(vec![80, 81, 9000]));
        assert_eq!(ports(None, &[], &["6379/tcp"]), Ok(vec![6379]));
        assert_eq!(ports(None, &[], &["53/udp"]), Ok(vec![]), "a task");
        let several = ports(None, &[], &["5672/tcp", "15672/tcp"]).unwrap_err();
        assert!(several.contains("(5672, 15672)") && several.contains("`port = 5432`"), "{several}");
        assert_eq!(ports(Some(5672), &[], &["5672/tcp", "15672/tcp"]), Ok(vec![5672, 15672]));
    }
}
