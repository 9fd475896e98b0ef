//! Containers: each node is one, on a network of the run's own. The proxies are in the runner, as in every world; nodes
//! reach them at the network's gateway, which is an address of this machine, and the runner reaches nodes at ports that are
//! published on loopback. Nothing is pulled: images are there, or the run says how they are made.

mod exits;
mod images;
mod launch;
mod limits;
mod logs;
mod network;
mod node_faults;
mod plan;

pub use images::Images;

use crate::{
    engine::{Engine, SETTLED},
    kept::Kept,
    links::{Links, Place},
    ports::Ports,
    turn::Turn,
};
use async_trait::async_trait;
use chaos_model::{Endpoint, Fault, Node, System, Target, event::Fired, ledger::Removed};
use chaos_run::{Address, Death, Events, TornDown, World, WorldError};
use exits::Exits;
use futures_util::future::join_all;
use host::Host;
use limits::Limited;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use testcontainers::{ContainerAsync, GenericImage};

const LOOPBACK: &str = "127.0.0.1";
/// What an engine may take to start a container: some 300 ms on an idle machine of two cores.
const STARTING: Duration = Duration::from_secs(1);

/// What the world needs to know of the machine.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    /// The `chaos` binary: the keeper is this.
    pub executable: PathBuf,
    /// Where the run's folder goes.
    pub temp: PathBuf,
    /// What the nodes run in.
    pub images: Images,
}

/// A system of containers.
pub struct DockerWorld {
    host: Host,
    config: DockerConfig,
    turn: Option<Turn>,
    kept: Kept,
    engine: Option<Engine>,
    /// The port that each node listens on in its container.
    listens: BTreeMap<String, u16>,
    nodes: BTreeMap<String, Started>,
    links: Links,
    exits: Exits,
    /// Whether the engine may still be at work on what a start that was given up has asked for.
    in_flight: bool,
}

/// A node and, once it has been started, its container.
struct Started {
    node: Node,
    /// Where it is published on loopback, now and after each start.
    port: u16,
    /// What runs there, for people.
    what: String,
    container: Option<ContainerAsync<GenericImage>>,
    /// What faults hold it to.
    limited: Limited,
}

impl DockerWorld {
    /// A world without anything in it yet. `host` is the runner's own, on loopback.
    #[must_use]
    pub fn new(host: Host, config: DockerConfig) -> Self {
        Self {
            host,
            config,
            turn: None,
            kept: Kept::default(),
            engine: None,
            listens: BTreeMap::new(),
            nodes: BTreeMap::new(),
            links: Links::default(),
            exits: Exits::default(),
            in_flight: false,
        }
    }

    fn engine(&self) -> Result<&Engine, WorldError> {
        self.engine.as_ref().ok_or_else(|| WorldError::CannotGive("there is no engine yet".to_owned()))
    }

    /// The id of a node's container.
    fn container(&self, node: &str) -> Result<&str, WorldError> {
        let container = self.nodes.get(node).and_then(|node| node.container.as_ref());
        container
            .map(|container| container.id())
            .ok_or_else(|| WorldError::CannotGive(format!("there is no node {node}")))
    }

    async fn last_lines(&self, node: &str) -> Vec<String> {
        match (self.engine(), self.container(node)) {
            (Ok(engine), Ok(id)) => logs::last_lines(engine, id).await,
            _ => Vec::new(),
        }
    }

    /// Starts the keeper and tells it of all that is about to be made.
    async fn prepare(&mut self) -> Result<(), WorldError> {
        let now = self.host.unix_now();
        self.kept.prepare(&self.config.executable, &self.config.temp, now).await?;
        if let Some(mark) = self.kept.mark.clone() {
            self.kept.keeper()?.own_containers(&mark).await.map_err(crate::kept::keeper_failed)?;
        }
        Ok(())
    }

    /// Opens the proxies: clients' on loopback, those of nodes at the gateway of their network, and nowhere else.
    fn open_links(
        &mut self,
        (system, seed): (&System, u64),
        gateway: &network::Gateway,
        ports: &mut Ports,
        events: &Events,
    ) -> Result<(), WorldError> {
        let host = self.host.clone();
        self.links.open(system, (&host, seed), events, |link| match link.from {
            Endpoint::Client => Ok(Place { host: LOOPBACK.to_owned(), listener: ports.listen(&host)? }),
            Endpoint::Node(_) => {
                Ok(Place { host: gateway.address.to_string(), listener: ports.listen(&gateway.host)? })
            }
        })
    }
}

#[async_trait]
impl World for DockerWorld {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn starting_takes(&self) -> Duration {
        STARTING
    }

    async fn take_turn(&mut self, events: &Events) -> Result<(), WorldError> {
        if self.turn.is_none() {
            self.turn = Some(Turn::take(events).await?);
        }
        Ok(())
    }

    async fn start(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError> {
        let advice = "no container engine answers (is it running, and may this user speak to it?)";
        let engine = Engine::connect().await.map_err(WorldError::machine(advice))?;
        self.listens = self.config.images.check(&engine, system).await?;
        self.engine = Some(engine.clone());
        self.prepare().await?;
        self.in_flight = true;
        let mut ports = Ports::new();
        let network = network::make(&engine, &self.host, self.kept.mark.as_ref()).await?;
        self.open_links((system, seed), &network.gateway, &mut ports, events)?;
        launch::start(self, (system, seed), &network.name, &mut ports, events).await?;
        self.in_flight = false;
        Ok(())
    }

    fn entry(&self) -> Address {
        self.links.entry()
    }

    fn node(&self, name: &str) -> Option<Address> {
        self.nodes.get(name).map(|node| Address { host: LOOPBACK.to_owned(), port: node.port })
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        match &fault.on {
            Target::Node(node) => node_faults::apply(self, node, fault).await,
            Target::Link(_) => self.links.apply(fault).await,
        }
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        if let Target::Node(node) = &fault.on {
            node_faults::remove(self, node, fault).await?;
            return Ok(Removed::of(Fired { nodes: 1, ..Fired::default() }));
        }
        self.links.remove(fault).await
    }

    async fn died(&mut self) -> Result<Death, WorldError> {
        let Some(keeper) = &mut self.kept.keeper else { return std::future::pending().await };
        let exit = tokio::select! {
            biased;
            // It has no processes to tell of: this is its end.
            exited = keeper.exited() => match exited {
                Ok(exit) => return Err(WorldError::CannotGive(format!("the keeper has a process {}", exit.name))),
                Err(error) => {
                    self.kept.keeper = None;
                    return Err(crate::kept::keeper_failed(error));
                }
            },
            exit = self.exits.next() => exit,
        };
        // This takes a while, and who waits may turn to something else meanwhile.
        let last_lines = self.last_lines(&exit.node).await;
        self.exits.take();
        Ok(Death { node: exit.node, how: exit.how, last_lines })
    }

    async fn stop(&mut self, keep_logs: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        let keep_logs = keep_logs && !self.nodes.is_empty();
        if let (true, Some(engine)) = (keep_logs, &self.engine) {
            torn_down.logs = logs::keep(engine, &self.nodes, self.kept.folder()).await;
        }
        let containers = std::mem::take(&mut self.nodes).into_values().filter_map(|node| node.container);
        // What is refused here is there still, and is told of by the next.
        drop(join_all(containers.map(ContainerAsync::rm)).await);
        if let (Some(engine), Some(mark)) = (self.engine.take(), &self.kept.mark) {
            let settled = if std::mem::take(&mut self.in_flight) { SETTLED } else { Duration::ZERO };
            torn_down.left = engine.remove_all(mark, settled).await;
        }
        for what in self.kept.stop(keep_logs).await {
            if !torn_down.left.contains(&what) {
                torn_down.left.push(what);
            }
        }
        self.links = Links::default();
        self.exits = Exits::default();
        self.turn = None;
        torn_down
    }
}
