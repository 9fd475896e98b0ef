//! Real processes on this machine: built-in programs are child processes of the same binary (`chaos serve NAME`), Redis
//! is `redis-server` where there is one and else the built-in one. Every link gets a proxy on loopback, in the runner.

mod launch;
mod node_faults;
mod redis;

use crate::{
    kept::{Kept, keeper_failed},
    links::{Links, Place},
    logs,
    ports::Ports,
    turn::Turn,
};
use async_trait::async_trait;
use chaos_model::{Fault, System, Target, event::Fired, ledger::Removed};
use chaos_run::{Address, Death, Events, TornDown, World, WorldError};
use host::Host;
use launch::Started;
use std::{collections::BTreeMap, io, path::PathBuf};

const LOOPBACK: &str = "127.0.0.1";

/// What the world needs to know of the machine.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// The `chaos` binary: keeper, built-in programs and nodes' first step are this.
    pub executable: PathBuf,
    /// Where `redis-server` is, if it is.
    pub redis_server: Option<PathBuf>,
    /// Where the run's folder goes.
    pub temp: PathBuf,
}

/// A system of processes on this machine.
pub struct LocalWorld {
    host: Host,
    config: LocalConfig,
    turn: Option<Turn>,
    kept: Kept,
    nodes: BTreeMap<String, Started>,
    links: Links,
}

impl LocalWorld {
    /// A world without anything in it yet. `host` is the runner's own.
    #[must_use]
    pub fn new(host: Host, config: LocalConfig) -> Self {
        Self { host, config, turn: None, kept: Kept::default(), nodes: BTreeMap::new(), links: Links::default() }
    }
}

#[async_trait]
impl World for LocalWorld {
    fn name(&self) -> &'static str {
        "local"
    }

    fn host(&self) -> &Host {
        &self.host
    }

    async fn take_turn(&mut self, events: &Events) -> Result<(), WorldError> {
        if self.turn.is_none() {
            self.turn = Some(Turn::take(events).await?);
        }
        Ok(())
    }

    async fn start(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError> {
        let now = self.host.unix_now();
        self.kept.prepare(&self.config.executable, &self.config.temp, now).await?;
        let mut ports = Ports::new();
        let host = self.host.clone();
        self.links.open(system, (&host, seed), events, |_| {
            Ok(Place { host: LOOPBACK.to_owned(), listener: ports.listen(&host)? })
        })?;
        launch::start(self, system, seed, &mut ports, events).await
    }

    fn entry(&self) -> Address {
        self.links.entry()
    }

    fn node(&self, name: &str) -> Option<Address> {
        self.nodes.get(name).map(|node| Address { host: LOOPBACK.to_owned(), port: node.port })
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        if let Target::Node(node) = &fault.on {
            return node_faults::apply(self, node, &fault.effect).await;
        }
        self.links.apply(fault).await
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        if let Target::Node(node) = &fault.on {
            node_faults::remove(self, node, &fault.effect).await?;
            return Ok(Removed::of(Fired { nodes: 1, ..Fired::default() }));
        }
        self.links.remove(fault).await
    }

    async fn died(&mut self) -> Result<Death, WorldError> {
        let Some(keeper) = &mut self.kept.keeper else { return std::future::pending().await };
        match keeper.exited().await {
            Ok(exit) => {
                let last_lines = logs::last_lines(&logs::path(self.kept.folder(), &exit.name));
                Ok(Death { node: exit.name, how: exit.how, last_lines })
            }
            Err(error) => {
                // Its nodes went with it.
                self.kept.keeper = None;
                Err(keeper_failed(error))
            }
        }
    }

    async fn stop(&mut self, keep_logs: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        let keep_logs = keep_logs && !self.nodes.is_empty();
        if keep_logs {
            let log = |node: &String| (node.clone(), logs::path(self.kept.folder(), node).display().to_string());
            torn_down.logs = self.nodes.keys().map(log).collect();
        }
        torn_down.left = self.kept.stop(keep_logs).await;
        self.links = Links::default();
        self.nodes.clear();
        self.turn = None;
        torn_down
    }
}

/// Whether somebody else listens on a port by now.
fn is_taken(host: &Host, port: u16) -> bool {
    host.listen(port).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}
