//! Starting the nodes: ports, settings, commands, readiness.

use super::{LOOPBACK, LocalWorld, is_taken, redis::RedisProgram};
use crate::{keeper::Launch, kept::keeper_failed, logs, ports::Ports};
use chaos_model::{Event, Node, Start, System};
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

/// Starts every node, each after those that it uses, and waits until all are ready.
pub(super) async fn start(
    world: &mut LocalWorld,
    system: &System,
    seed: u64,
    ports: &mut Ports,
    events: &Events,
) -> Result<(), WorldError> {
    let redis = RedisProgram::find(world.config.redis_server.as_deref(), system).await;
    let mut starting = Starting { system, seed, ports, redis, began: Instant::now(), events };
    let mut launches = BTreeMap::new();
    for node in system.nodes.values() {
        launches.insert(node.name.clone(), plan(world, node, &mut starting, 1)?);
    }
    for wave in system.start_order() {
        launch(world, wave.iter().filter_map(|node| launches.remove(&node.name)).collect()).await?;
        starting.until_ready(world, &wave).await?;
    }
    Ok(())
}

/// What starting a system takes.
struct Starting<'a> {
    system: &'a System,
    seed: u64,
    ports: &'a mut Ports,
    redis: RedisProgram,
    began: Instant,
    events: &'a Events,
}

impl Starting<'_> {
    /// Waits until these nodes are ready.
    async fn until_ready(&mut self, world: &mut LocalWorld, wave: &[&Node]) -> Result<(), WorldError> {
        let mut waiting = FuturesUnordered::new();
        for node in wave {
            waiting.push(ready::wait(world.host.clone(), (*node).clone(), address(world, &node.name)));
        }
        let deadline = self.began + PATIENCE;
        let mut reasons = BTreeMap::<String, String>::new();
        let mut late: BTreeSet<String> = wave.iter().map(|node| node.name.clone()).collect();
        while !late.is_empty() {
            tokio::select! {
                biased;
                death = world.died() => {
                    let death = death?;
                    let node = self.relaunch(world, death).await?;
                    late.insert(node.name.clone());
                    waiting.push(ready::wait(world.host.clone(), node.clone(), address(world, &node.name)));
                }
                Some((node, at, result)) = waiting.next() => match result {
                    // Of a port that the node has no more.
                    _ if world.node(&node.name).as_ref() != Some(&at) => {}
                    Ok(()) => {
                        late.remove(&node.name);
                        let what = world.nodes.get(&node.name).map(|node| node.what.clone()).unwrap_or_default();
                        let took = self.began.elapsed();
                        self.events.emit(Event::NodeReady { node: node.name, what, address: at.to_string(), took });
                    }
                    Err(why) => {
                        reasons.insert(node.name.clone(), why);
                        waiting.push(ready::wait(world.host.clone(), node, at));
                    }
                },
                () = tokio::time::sleep_until(deadline) => return Err(not_ready(world, &late, &reasons)),
            }
        }
        Ok(())
    }

    /// A node that ended while starting gets another port if its own was snatched; all else is its own fault.
    async fn relaunch(&mut self, world: &mut LocalWorld, death: Death) -> Result<Node, WorldError> {
        let (Some(node), Some(started)) = (self.system.nodes.get(&death.node), world.nodes.get(&death.node)) else {
            return Err(WorldError::DiedStarting(death));
        };
        if started.attempts >= ATTEMPTS || !is_taken(&world.host, started.port) {
            return Err(WorldError::DiedStarting(death));
        }
        let plan = plan(world, node, self, started.attempts + 1)?;
        launch(world, vec![plan]).await?;
        Ok(node.clone())
    }
}

fn address(world: &LocalWorld, node: &str) -> Address {
    let port = world.nodes.get(node).map_or(0, |node| node.port);
    Address { host: LOOPBACK.to_owned(), port }
}

/// Names all that are not ready, and shows the lines of the first.
fn not_ready(world: &LocalWorld, late: &BTreeSet<String>, reasons: &BTreeMap<String, String>) -> WorldError {
    let mut late = late.iter();
    let node = late.next().cloned().unwrap_or_default();
    let mut why = reasons.get(&node).cloned().unwrap_or_else(|| "it answered nothing".to_owned());
    let others: Vec<&str> = late.map(String::as_str).collect();
    if !others.is_empty() {
        why += &format!(" (nor were {})", others.join(", "));
    }
    let last_lines = logs::last_lines(&logs::path(world.kept.folder(), &node));
    WorldError::NotReady { node, seconds: PATIENCE.as_secs(), why, last_lines }
}

async fn launch(world: &mut LocalWorld, launches: Vec<Launch>) -> Result<(), WorldError> {
    world.kept.keeper()?.launch(launches).await.map(drop).map_err(keeper_failed)
}

/// Gives a node its port and makes its command.
fn plan(
    world: &mut LocalWorld,
    node: &Node,
    starting: &mut Starting<'_>,
    attempts: usize,
) -> Result<Launch, WorldError> {
    let port = starting.ports.free(&world.host).map_err(WorldError::machine(format!("no port for {}", node.name)))?;
    world.links.point_at(&node.name, LOOPBACK, port);
    let address = |to: &str, label: Option<&str>| world.links.address(&node.name, to, label);
    let mut env: BTreeMap<String, String> =
        node.env.iter().map(|(name, template)| (name.clone(), template.render(port, address))).collect();
    let (command, what) = match &node.start {
        Start::Command(words) => {
            let command: Vec<_> = words.iter().map(|word| word.render(port, address)).collect();
            let what = command.first().cloned().unwrap_or_default();
            (command, what)
        }
        Start::Image(image) => {
            let why = format!("node {} is the image {}, and here nodes are processes", node.name, image.reference);
            return Err(WorldError::CannotGive(why));
        }
        Start::Program(program) => match starting.redis.server_for(program)? {
            Some((path, version)) => (redis_command(path, port, world.kept.folder()), version.clone()),
            None => {
                env.insert("PORT".to_owned(), port.to_string());
                env.insert("CHAOS_SEED".to_owned(), starting.seed.to_string());
                let program = RedisProgram::built_in(program);
                let executable = world.config.executable.display().to_string();
                (vec![executable, "serve".to_owned(), program.to_owned()], format!("{program} (built in)"))
            }
        },
    };
    env.extend(world.kept.mark.iter().flat_map(crate::mark::Mark::of_nodes));
    let launch = Launch {
        name: node.name.clone(),
        command,
        env,
        inherit_env: matches!(node.start, Start::Command(_)),
        folder: working_folder(world, node)?,
        log: logs::path(world.kept.folder(), &node.name),
    };
    let started = Started { port, launch: launch.clone(), node: node.clone(), what, attempts };
    world.nodes.insert(node.name.clone(), started);
    Ok(launch)
}

/// Where a node runs: a command beside the file that names it, so that `./server` is found; what is built in has nothing to
/// find.
fn working_folder(world: &LocalWorld, node: &Node) -> Result<PathBuf, WorldError> {
    match node.start {
        Start::Program(_) | Start::Image(_) => Ok(world.kept.folder().to_owned()),
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
