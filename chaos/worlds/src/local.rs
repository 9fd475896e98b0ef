//! Real processes on this machine: built-in programs are child processes of the same binary (`chaos serve NAME`), Redis
//! is `redis-server` where there is one and else the built-in one. Every link gets a proxy on loopback, in the runner.

mod launch;
mod logs;
mod node_faults;
mod redis;

use crate::{
    keeper::{Keeper, KeeperError, sweep},
    mark::{Mark, Runner},
    ports::Ports,
    run_folder,
    turn::Turn,
};
use async_trait::async_trait;
use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::{Endpoint, Event, Fault, Link, Protocol, System, Target, event::Fired};
use chaos_run::{Address, Death, Events, Removed, TornDown, World, WorldError};
use host::Host;
use launch::Started;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

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
    keeper: Option<Keeper>,
    /// The run, once it has a keeper.
    mark: Option<Mark>,
    nodes: BTreeMap<String, Started>,
    proxies: BTreeMap<Link, Proxy>,
    entry: Option<Link>,
}

impl LocalWorld {
    /// A world without anything in it yet. `host` is the runner's own.
    #[must_use]
    pub fn new(host: Host, config: LocalConfig) -> Self {
        Self {
            host,
            config,
            turn: None,
            keeper: None,
            mark: None,
            nodes: BTreeMap::new(),
            proxies: BTreeMap::new(),
            entry: None,
        }
    }

    /// Starts the keeper, tells it of the run's folder, and makes that.
    async fn prepare(&mut self) -> Result<(), WorldError> {
        let runner = Runner::this().map_err(WorldError::machine("can't tell what marks this run's processes"))?;
        let mark = Mark { folder: run_folder::free(&self.config.temp, self.host.unix_now()), runner };
        let mut keeper = Keeper::start(&self.config.executable, &mark).map_err(keeper_failed)?;
        keeper.own(mark.folder.clone()).await.map_err(keeper_failed)?;
        self.keeper = Some(keeper);
        self.mark = Some(mark.clone());
        let place = mark.folder.display();
        let refused = WorldError::machine(format!("can't make {place} (TMPDIR names another place)"));
        run_folder::make(&mark).map_err(refused)
    }

    /// The run's folder; that of the runner before there is one.
    fn folder(&self) -> &Path {
        self.mark.as_ref().map_or(Path::new(""), |mark| &mark.folder)
    }

    fn open_proxies(
        &mut self,
        system: &System,
        seed: u64,
        ports: &mut Ports,
        events: &Events,
    ) -> Result<(), WorldError> {
        for link in &system.links {
            let listener = ports.listen(&self.host).map_err(WorldError::machine(format!("no port for {link}")))?;
            // The language makes links only to nodes that there are.
            let protocol = system.nodes.get(&link.to).map_or(Protocol::Tcp, |node| node.protocol);
            let proxy = Proxy::start(&self.host, listener, ProxyConfig { link: link.clone(), protocol, seed });
            let address = format!("{LOOPBACK}:{}", proxy.port());
            events.emit(Event::LinkReady { link: link.to_string(), address });
            if link.from == Endpoint::Client {
                self.entry = Some(link.clone());
            }
            self.proxies.insert(link.clone(), proxy);
        }
        Ok(())
    }

    fn point_proxies_at(&self, node: &str, port: u16) {
        for (_, proxy) in self.proxies.iter().filter(|(link, _)| link.to == node) {
            proxy.point_at(LOOPBACK, port);
        }
    }

    /// What the keeper would have done, where it is gone; gives what is left.
    async fn tidy_alone(&self, keep_logs: bool) -> Vec<String> {
        let Some(mark) = &self.mark else { return Vec::new() };
        let mut left = sweep(mark).await;
        left.extend(run_folder::settle(&mark.folder, keep_logs));
        left
    }

    fn proxy_of(&self, fault: &Fault) -> Result<&Proxy, WorldError> {
        let proxy = match &fault.on {
            Target::Link(link) => self.proxies.get(link),
            Target::Node(_) => None,
        };
        proxy.ok_or_else(|| {
            WorldError::CannotGive(format!("the world `local` has no place for a fault on {}", fault.on))
        })
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
        self.prepare().await?;
        let mut ports = Ports::new();
        self.open_proxies(system, seed, &mut ports, events)?;
        launch::start(self, system, seed, &mut ports, events).await
    }

    fn entry(&self) -> Address {
        let proxy = self.entry.as_ref().and_then(|link| self.proxies.get(link));
        // Port 0 reaches nothing: asked before the start, which the run doesn't.
        Address { host: LOOPBACK.to_owned(), port: proxy.map_or(0, Proxy::port) }
    }

    fn node(&self, name: &str) -> Option<Address> {
        self.nodes.get(name).map(|node| Address { host: LOOPBACK.to_owned(), port: node.port })
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        if let Target::Node(node) = &fault.on {
            return node_faults::apply(self, node, &fault.effect).await;
        }
        match self.proxy_of(fault)?.send(Message::Apply(Box::new(fault.clone()))).await {
            Reply::Refused { why } => Err(WorldError::CannotGive(why)),
            Reply::Done | Reply::Removed { .. } | Reply::Fired(_) => Ok(()),
        }
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        if let Target::Node(node) = &fault.on {
            node_faults::remove(self, node, &fault.effect).await?;
            return Ok(Removed::of(Fired { nodes: 1, ..Fired::default() }));
        }
        match self.proxy_of(fault)?.send(Message::Remove { fault: fault.name.clone() }).await {
            Reply::Removed { fired, injections, left_out } => Ok(Removed { fired, injections, left_out }),
            Reply::Refused { why } => Err(WorldError::CannotGive(why)),
            Reply::Done | Reply::Fired(_) => Err(WorldError::CannotGive("the proxy misunderstood".to_owned())),
        }
    }

    async fn died(&mut self) -> Result<Death, WorldError> {
        let Some(keeper) = &mut self.keeper else { return std::future::pending().await };
        match keeper.exited().await {
            Ok(exit) => {
                let last_lines = logs::last_lines(&logs::path(self.folder(), &exit.name));
                Ok(Death { node: exit.name, how: exit.how, last_lines })
            }
            Err(error) => {
                // Its nodes went with it.
                self.keeper = None;
                Err(keeper_failed(error))
            }
        }
    }

    async fn stop(&mut self, keep_logs: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        let keep_logs = keep_logs && !self.nodes.is_empty();
        let stopped = match self.keeper.take() {
            Some(keeper) => keeper.stop(keep_logs).await.ok(),
            None => None,
        };
        torn_down.left = match stopped {
            Some(left) => left,
            None => self.tidy_alone(keep_logs).await,
        };
        if keep_logs {
            let log = |node: &String| (node.clone(), logs::path(self.folder(), node).display().to_string());
            torn_down.logs = self.nodes.keys().map(log).collect();
        }
        self.proxies.clear();
        self.nodes.clear();
        self.entry = None;
        self.mark = None;
        self.turn = None;
        torn_down
    }
}

fn keeper_failed(error: KeeperError) -> WorldError {
    match error {
        KeeperError::Gone(source) => WorldError::Machine { what: "the keeper of this run failed".to_owned(), source },
        KeeperError::NotLaunched { .. } => WorldError::CannotGive(error.to_string()),
    }
}

/// Whether somebody else listens on a port by now.
fn is_taken(host: &Host, port: u16) -> bool {
    host.listen(port).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}
