//! Containers: each service is one, on a network of the run's own. The proxies are in the runner, as in every world;
//! services reach them at the network's gateway, which is an address of this machine, and the runner reaches services
//! at ports that are published on loopback. Nothing is pulled: images are there, or the run says how they are made.

mod exits;
mod images;
mod launch;
mod limits;
mod logs;
mod network;
mod plan;
mod service_faults;

pub use images::Images;

use crate::{
    engine::{Engine, SETTLED},
    links::{Links, ListenAt},
    ports::Ports,
    run_lock::RunLock,
    supervision::Supervision,
};
use async_trait::async_trait;
use chaos_model::{Endpoint, Fault, Service, System, Target, event::Fired, ledger::Removed};
use chaos_run::{Address, Death, Events, TornDown, World, WorldError};
use exits::Exits;
use futures_util::future::join_all;
use host::Host;
use limits::Limited;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use testcontainers::{ContainerAsync, GenericImage};

const LOOPBACK: &str = "127.0.0.1";
/// Time that an engine may take to start a container: some 300 ms on an idle machine of two cores.
const STARTING: Duration = Duration::from_secs(1);

/// Configuration of the world: the supervisor's program, the place of the run's folder, and images.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    /// The `chaos` binary: the supervisor is this.
    pub executable: PathBuf,
    /// The folder that the run's folder is made in.
    pub temp: PathBuf,
    /// The images that the services run in.
    pub images: Images,
}

/// A system of containers.
pub struct DockerWorld {
    host: Host,
    config: DockerConfig,
    run_lock: Option<RunLock>,
    supervision: Supervision,
    engine: Option<Engine>,
    /// The port that each service listens on in its container.
    listens: BTreeMap<String, u16>,
    services: BTreeMap<String, Started>,
    links: Links,
    exits: Exits,
    /// True while the engine may still be at work on what a start that was given up has asked for.
    in_flight: bool,
}

/// A service and, once it has been started, its container.
struct Started {
    service: Service,
    /// The port of loopback that it is published at, now and after each start.
    port: u16,
    /// The image that runs there, for people.
    what: String,
    container: Option<ContainerAsync<GenericImage>>,
    /// The limits that faults hold it to.
    limited: Limited,
}

impl DockerWorld {
    /// A world without anything in it yet. `host` is the runner's own, on loopback.
    #[must_use]
    pub fn new(host: Host, config: DockerConfig) -> Self {
        Self {
            host,
            config,
            run_lock: None,
            supervision: Supervision::default(),
            engine: None,
            listens: BTreeMap::new(),
            services: BTreeMap::new(),
            links: Links::default(),
            exits: Exits::default(),
            in_flight: false,
        }
    }

    fn engine(&self) -> Result<&Engine, WorldError> {
        self.engine.as_ref().ok_or_else(|| WorldError::CannotGive("there is no engine yet".to_owned()))
    }

    /// The id of a service's container.
    fn container(&self, service: &str) -> Result<&str, WorldError> {
        let container = self.services.get(service).and_then(|service| service.container.as_ref());
        container
            .map(|container| container.id())
            .ok_or_else(|| WorldError::CannotGive(format!("there is no service {service}")))
    }

    async fn last_lines(&self, service: &str) -> Vec<String> {
        match (self.engine(), self.container(service)) {
            (Ok(engine), Ok(id)) => logs::last_lines(engine, id).await,
            _ => Vec::new(),
        }
    }

    /// Starts the supervisor and tells it of all that is about to be made.
    async fn prepare(&mut self) -> Result<(), WorldError> {
        let now = self.host.unix_now();
        self.supervision.prepare(&self.config.executable, &self.config.temp, now).await?;
        if let Some(label) = self.supervision.label.clone() {
            self.supervision
                .supervisor()?
                .own_containers(&label)
                .await
                .map_err(crate::supervision::supervisor_failed)?;
        }
        Ok(())
    }

    /// Opens the proxies: clients' on loopback, those of services at the gateway of their network, and nowhere else.
    fn open_links(
        &mut self,
        (system, seed): (&System, u64),
        gateway: &network::Gateway,
        ports: &mut Ports,
        events: &Events,
    ) -> Result<(), WorldError> {
        let host = self.host.clone();
        self.links.open(system, (&host, seed), events, |link| match link.from {
            Endpoint::Client => Ok(ListenAt { host: LOOPBACK.to_owned(), listener: ports.listen(&host)? }),
            Endpoint::Service(_) => {
                Ok(ListenAt { host: gateway.address.to_string(), listener: ports.listen(&gateway.host)? })
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

    // A container takes longer to start than an edge of the timeline may be late, so edges that start one have that
    // much longer.
    fn starting_takes(&self) -> Duration {
        STARTING
    }

    async fn take_run_lock(&mut self, events: &Events) -> Result<(), WorldError> {
        if self.run_lock.is_none() {
            self.run_lock = Some(RunLock::take(events).await?);
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
        let network = network::make(&engine, &self.host, self.supervision.label.as_ref()).await?;
        self.open_links((system, seed), &network.gateway, &mut ports, events)?;
        launch::start(self, (system, seed), &network.name, &mut ports, events).await?;
        self.in_flight = false;
        Ok(())
    }

    fn entry(&self) -> Address {
        self.links.entry()
    }

    fn service(&self, name: &str) -> Option<Address> {
        self.services.get(name).map(|service| Address { host: LOOPBACK.to_owned(), port: service.port })
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        match &fault.on {
            Target::Service(service) => service_faults::apply(self, service, fault).await,
            Target::Link(_) => self.links.apply(fault).await,
        }
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        if let Target::Service(service) = &fault.on {
            service_faults::remove(self, service, fault).await?;
            return Ok(Removed::of(Fired { services: 1, ..Fired::default() }));
        }
        self.links.remove(fault).await
    }

    async fn died(&mut self) -> Result<Death, WorldError> {
        let Some(supervisor) = &mut self.supervision.supervisor else { return std::future::pending().await };
        let exit = tokio::select! {
            biased;
            // It has no processes to tell of: this is its end.
            exited = supervisor.exited() => match exited {
                Ok(exit) => return Err(WorldError::CannotGive(format!("the supervisor has a process {}", exit.name))),
                Err(error) => {
                    self.supervision.supervisor = None;
                    return Err(crate::supervision::supervisor_failed(error));
                }
            },
            exit = self.exits.next() => exit,
        };
        // This takes a while, and who waits may turn to something else meanwhile.
        let last_lines = self.last_lines(&exit.service).await;
        self.exits.take();
        Ok(Death { service: exit.service, how: exit.how, last_lines })
    }

    async fn stop(&mut self, keep_logs: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        let keep_logs = keep_logs && !self.services.is_empty();
        if let (true, Some(engine)) = (keep_logs, &self.engine) {
            torn_down.logs = logs::keep(engine, &self.services, self.supervision.folder()).await;
        }
        let containers = std::mem::take(&mut self.services).into_values().filter_map(|service| service.container);
        // What is refused here is there still, and is told of by the next.
        drop(join_all(containers.map(ContainerAsync::rm)).await);
        if let (Some(engine), Some(label)) = (self.engine.take(), &self.supervision.label) {
            let settled = if std::mem::take(&mut self.in_flight) { SETTLED } else { Duration::ZERO };
            torn_down.left = engine.remove_all(label, settled).await;
        }
        for what in self.supervision.stop(keep_logs).await {
            if !torn_down.left.contains(&what) {
                torn_down.left.push(what);
            }
        }
        self.links = Links::default();
        self.exits = Exits::default();
        self.run_lock = None;
        torn_down
    }
}
