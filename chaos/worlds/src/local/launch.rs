//! Starting the nodes: ports, settings, commands, readiness.

use super::{LOOPBACK, LocalWorld, is_taken, keeper_failed, logs};
use crate::{keeper::Launch, ports::Ports};
use chaos_model::{Endpoint, Event, Node, Start, System};
use chaos_run::{Address, Death, Events, World as _, WorldError, ready};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// How long a node has to become ready.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a node whose port was taken in the last moment gets another.
const ATTEMPTS: usize = 3;

/// A node that was started.
pub(super) struct Started {
    pub(super) port: u16,
    /// How it was started, to do it again.
    pub(super) launch: Launch,
    /// What it is, to know when it is ready.
    pub(super) node: Node,
    /// What runs there, for people.
    what: String,
    attempts: usize,
}

/// Starts every node and waits until all are ready.
pub(super) async fn start(
    world: &mut LocalWorld,
    system: &System,
    seed: u64,
    ports: &mut Ports,
    events: &Events,
) -> Result<(), WorldError> {
    let began = Instant::now();
    let redis = RedisProgram::find(world, system).await;
    let mut launches = Vec::new();
    for node in system.nodes.values() {
        launches.push(plan(world, node, seed, ports, &redis, 1)?);
    }
    launch(world, launches).await?;
    let mut waiting = FuturesUnordered::new();
    for node in system.nodes.values() {
        waiting.push(ready::wait(world.host.clone(), node.clone(), address(world, &node.name)));
    }
    let deadline = began + PATIENCE;
    let mut reasons = BTreeMap::<String, String>::new();
    let mut ready = BTreeSet::<String>::new();
    while ready.len() < system.nodes.len() {
        tokio::select! {
            biased;
            death = world.died() => {
                let death = death?;
                let node = relaunch(world, system, death, seed, ports, &redis).await?;
                waiting.push(ready::wait(world.host.clone(), node.clone(), address(world, &node.name)));
            }
            Some((node, at, result)) = waiting.next() => match result {
                // Of a port that the node has no more.
                _ if world.node(&node.name).as_ref() != Some(&at) => {}
                Ok(()) => {
                    ready.insert(node.name.clone());
                    let what = world.nodes.get(&node.name).map(|node| node.what.clone()).unwrap_or_default();
                    let took = began.elapsed();
                    events.emit(Event::NodeReady { node: node.name, what, address: at.to_string(), took });
                }
                Err(why) => {
                    reasons.insert(node.name.clone(), why);
                    waiting.push(ready::wait(world.host.clone(), node, at));
                }
            },
            () = tokio::time::sleep_until(deadline) => return Err(not_ready(world, system, &ready, &reasons)),
        }
    }
    Ok(())
}

fn address(world: &LocalWorld, node: &str) -> Address {
    let port = world.nodes.get(node).map_or(0, |node| node.port);
    Address { host: LOOPBACK.to_owned(), port }
}

/// Names all that are not ready. Of these, one whose own links are all ready is the likeliest cause: its lines are shown.
fn not_ready(
    world: &LocalWorld,
    system: &System,
    ready: &BTreeSet<String>,
    reasons: &BTreeMap<String, String>,
) -> WorldError {
    let late: Vec<&String> = system.nodes.keys().filter(|node| !ready.contains(*node)).collect();
    let waits = |node: &String| {
        let uses = system.links.iter().filter(|link| link.from.to_string() == *node);
        uses.map(|link| &link.to).any(|to| !ready.contains(to))
    };
    let node = late.iter().find(|node| !waits(node)).or(late.first()).map(|node| (*node).clone()).unwrap_or_default();
    let mut why = reasons.get(&node).cloned().unwrap_or_else(|| "it answered nothing".to_owned());
    let others: Vec<&str> = late.iter().filter(|other| ***other != node).map(|other| other.as_str()).collect();
    if !others.is_empty() {
        why += &format!(" (nor were {})", others.join(", "));
    }
    let last_lines = logs::last_lines(&logs::path(world.folder(), &node));
    WorldError::NotReady { node, seconds: PATIENCE.as_secs(), why, last_lines }
}

/// A node that ended while starting gets another port if its own was snatched; all else is its own fault.
async fn relaunch(
    world: &mut LocalWorld,
    system: &System,
    death: Death,
    seed: u64,
    ports: &mut Ports,
    redis: &RedisProgram,
) -> Result<Node, WorldError> {
    let (Some(node), Some(started)) = (system.nodes.get(&death.node), world.nodes.get(&death.node)) else {
        return Err(WorldError::DiedStarting(death));
    };
    if started.attempts >= ATTEMPTS || !is_taken(&world.host, started.port) {
        return Err(WorldError::DiedStarting(death));
    }
    let plan = plan(world, node, seed, ports, redis, started.attempts + 1)?;
    launch(world, vec![plan]).await?;
    Ok(node.clone())
}

async fn launch(world: &mut LocalWorld, launches: Vec<Launch>) -> Result<(), WorldError> {
    let Some(keeper) = &mut world.keeper else {
        return Err(WorldError::CannotGive("the keeper of this run is gone".to_owned()));
    };
    keeper.launch(launches).await.map(drop).map_err(keeper_failed)
}

/// Gives a node its port and makes its command.
fn plan(
    world: &mut LocalWorld,
    node: &Node,
    seed: u64,
    ports: &mut Ports,
    redis: &RedisProgram,
    attempts: usize,
) -> Result<Launch, WorldError> {
    let port = ports.free(&world.host).map_err(WorldError::machine(format!("no port for {}", node.name)))?;
    world.point_proxies_at(&node.name, port);
    let address = |to: &str, label: Option<&str>| {
        let from = Endpoint::Node(node.name.clone());
        let link = chaos_model::Link { from, to: to.to_owned(), label: label.map(str::to_owned) };
        // The language makes a link of each place that names a node, so there is a proxy for each.
        format!("{LOOPBACK}:{}", world.proxies.get(&link).map_or(0, chaos_inject::Proxy::port))
    };
    let mut env: BTreeMap<String, String> =
        node.env.iter().map(|(name, template)| (name.clone(), template.render(port, address))).collect();
    let (command, what) = match &node.start {
        Start::Command(words) => {
            let command: Vec<_> = words.iter().map(|word| word.render(port, address)).collect();
            let what = command.first().cloned().unwrap_or_default();
            (command, what)
        }
        Start::Program(program) => match redis.server_for(program)? {
            Some((path, version)) => (redis_command(path, port, world.folder()), version.clone()),
            None => {
                env.insert("PORT".to_owned(), port.to_string());
                env.insert("CHAOS_SEED".to_owned(), seed.to_string());
                let program = RedisProgram::built_in(program);
                let executable = world.config.executable.display().to_string();
                (vec![executable, "serve".to_owned(), program.to_owned()], format!("{program} (built in)"))
            }
        },
    };
    env.extend(world.mark.iter().flat_map(crate::mark::Mark::of_nodes));
    let launch = Launch {
        name: node.name.clone(),
        command,
        env,
        inherit_env: matches!(node.start, Start::Command(_)),
        folder: working_folder(world, node)?,
        log: logs::path(world.folder(), &node.name),
    };
    let started = Started { port, launch: launch.clone(), node: node.clone(), what, attempts };
    world.nodes.insert(node.name.clone(), started);
    Ok(launch)
}

/// Where a node runs: a command beside the file that names it, so that `./server` is found; what is built in has nothing to
/// find.
fn working_folder(world: &LocalWorld, node: &Node) -> Result<PathBuf, WorldError> {
    match node.start {
        Start::Program(_) => Ok(world.folder().to_owned()),
        Start::Command(_) => {
            let refused = WorldError::machine(format!("the folder of {}, `{}`", node.name, node.folder.display()));
            std::path::absolute(Path::new(".").join(&node.folder)).map_err(refused)
        }
    }
}

fn redis_command(path: &Path, port: u16, folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let port = port.to_string();
    let words = ["--port", &port, "--bind", LOOPBACK, "--save", "", "--appendonly", "no", "--dir", &folder];
    std::iter::once(path.display().to_string()).chain(words.map(str::to_owned)).collect()
}

/// Which Redis stands behind the program `redis`: `redis-server` where the machine has it, else the built-in one.
/// `redis-server` and `redis-built-in` ask for either.
struct RedisProgram {
    server: Option<(PathBuf, String)>,
}

impl RedisProgram {
    async fn find(world: &LocalWorld, system: &System) -> Self {
        let wanted =
            |node: &Node| matches!(&node.start, Start::Program(name) if name == "redis" || name == "redis-server");
        let path = world.config.redis_server.clone().filter(|_| system.nodes.values().any(wanted));
        let Some(path) = path else { return Self { server: None } };
        let output = tokio::process::Command::new(&path).arg("--version").output().await;
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let version = text.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or("of unknown version");
        Self { server: Some((path, format!("redis-server {version}"))) }
    }

    /// The real server, where this program means it.
    fn server_for(&self, program: &str) -> Result<Option<&(PathBuf, String)>, WorldError> {
        match (program, &self.server) {
            ("redis" | "redis-server", Some(server)) => Ok(Some(server)),
            ("redis-server", None) => Err(WorldError::CannotGive(
                "there is no redis-server on the path: install it, or use `redis`".to_owned(),
            )),
            _ => Ok(None),
        }
    }

    /// What the built-in one is called by `chaos serve`.
    fn built_in(program: &str) -> &str {
        if program == "redis-built-in" { "redis" } else { program }
    }
}
