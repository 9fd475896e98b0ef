//! Containers: each service is one, on a network of the run's own. The proxies are in the runner, as in every world;
//! services reach them at the network's gateway, which is an address of this machine, and the runner reaches services
//! at ports that are published on loopback. Nothing is pulled: images are there, or the run says how they are made.

mod images;
mod launch;
pub(crate) mod limits;
pub(crate) mod logs;
mod network;
mod plan;

pub use images::Images;

use crate::{
    others::{self, Others},
    ports::Ports,
    supervised,
    tls::Tls,
};
use async_trait::async_trait;
use chaos_links::InProcessLinks;
use chaos_model::{
    Endpoint, Event, Link, Protocol, Readiness, Service, Start, System,
    effect::action::ServiceLimit,
    lifecycle::{Lifecycle, StopSignal},
    system::ListenPorts,
};
use chaos_run::{
    Address, ComposedWorld, Death, Events, Exit, Exits, Instance, InstanceId, LinkAddresses, Offer, Question, Runtime,
    Site, TornDown, WorldError,
};
use chaos_supervise::{
    RunLock, Supervision,
    engine::{Engine, SETTLED},
    supervisor::SupervisorProgram,
};
use futures_util::future::join_all;
use host::Host;
use limits::{Limited, LimitedContainer};
use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use testcontainers::{ContainerAsync, GenericImage};
use tokio::time::Instant;

const LOOPBACK: &str = "127.0.0.1";
/// Time that the services have to become ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time that an engine may take to start a container: some 300 ms on an idle machine of two cores.
const STARTING: Duration = Duration::from_secs(1);

/// A system of containers, with a proxy on each link.
pub type DockerWorld = ComposedWorld<DockerRuntime, InProcessLinks>;

/// Configuration of the runtime: the supervisor's program, the place of the run's folder, and images.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    /// The supervisor, which removes the containers where the runner is lost.
    pub supervisor: SupervisorProgram,
    /// The folder that the run's folder is made in.
    pub temp: PathBuf,
    /// The images that the services run in.
    pub images: Images,
    /// Services that others have started, at addresses that the runner reaches.
    pub others: Others,
}

/// Services as containers.
pub struct DockerRuntime {
    host: Host,
    config: DockerConfig,
    seed: u64,
    run_lock: Option<RunLock>,
    supervision: Supervision,
    engine: Option<Engine>,
    network: Option<network::Made>,
    ports: Ports,
    tls: Tls,
    /// The port that each service listens on in its container.
    listens: BTreeMap<String, u16>,
    services: BTreeMap<InstanceId, Started>,
    /// Services that others have started.
    others: BTreeMap<InstanceId, Instance>,
    exits: Exits,
    /// Instances that were asked to end, with when, and the time that they have.
    terminated: BTreeMap<InstanceId, (Instant, Duration)>,
    /// True while the engine may still be at work on what a start that was given up has asked for.
    in_flight: bool,
}

/// A service and, once it has been started, its container.
struct Started {
    /// The ports of loopback that its own are published at, now and after each start.
    ports: ListenPorts,
    /// Bytes of its output from before it was started last, where somebody reads that.
    said_before: Option<Arc<AtomicU64>>,
    /// The image that runs there, for people.
    what: String,
    container: Option<ContainerAsync<GenericImage>>,
    /// The limits that faults hold it to.
    limited: Limited,
}

/// A world without anything in it yet. `host` is the runner's own, on loopback.
#[must_use]
pub fn world(host: Host, config: DockerConfig) -> DockerWorld {
    ComposedWorld::new(DockerRuntime::new(host, config), InProcessLinks::new())
}

impl DockerRuntime {
    /// A runtime without anything in it yet. `host` is the runner's own, on loopback.
    #[must_use]
    pub fn new(host: Host, config: DockerConfig) -> Self {
        Self {
            tls: Tls::new(&host),
            host,
            config,
            seed: 0,
            run_lock: None,
            supervision: Supervision::default(),
            engine: None,
            network: None,
            ports: Ports::new(),
            listens: BTreeMap::new(),
            services: BTreeMap::new(),
            others: BTreeMap::new(),
            exits: Exits::default(),
            terminated: BTreeMap::new(),
            in_flight: false,
        }
    }

    fn engine(&self) -> Result<&Engine, WorldError> {
        self.engine.as_ref().ok_or_else(|| WorldError::CannotGive("there is no engine yet".to_owned()))
    }

    /// The engine, and the id of an instance's container.
    fn of(&self, instance: &InstanceId) -> Result<(&Engine, &str), WorldError> {
        let container = self.services.get(instance).and_then(|service| service.container.as_ref());
        let none = || WorldError::CannotGive(format!("there is no service {instance}"));
        Ok((self.engine()?, container.map(|container| container.id()).ok_or_else(none)?))
    }

    /// The limits of an instance's container.
    fn limited<'a>(&'a mut self, instance: &'a InstanceId) -> Result<LimitedContainer<'a>, WorldError> {
        let (engine, id) = self.of(instance)?;
        let (engine, id) = (engine.clone(), id.to_owned());
        let none = || WorldError::CannotGive(format!("there is no service {instance}"));
        let limited = &mut self.services.get_mut(instance).ok_or_else(none)?.limited;
        Ok(LimitedContainer { engine, id, instance, limited })
    }

    /// Watches a container that was started, until it ends.
    fn watch(&self, instance: &InstanceId, id: &str) -> Result<(), WorldError> {
        let (engine, instance, id) = (self.engine()?.clone(), instance.clone(), id.to_owned());
        let sender = self.exits.sender();
        drop(self.host.spawn(async move {
            let how = engine.ended(&id).await;
            // The run is over.
            let _ = sender.send(Exit { instance, start: 0, how, killed_after: None });
        }));
        Ok(())
    }
}

/// The error of a change to an instance that the engine refused.
pub(crate) fn refused(what: &str, instance: &InstanceId) -> impl FnOnce(io::Error) -> WorldError + use<> {
    WorldError::machine(format!("{instance} can't be {what}"))
}

#[async_trait]
impl Runtime for DockerRuntime {
    const OFFER: Offer = crate::offers::DOCKER;

    fn host(&self) -> &Host {
        &self.host
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn starting_takes(&self) -> Duration {
        // A container takes longer to start than an edge of the timeline may be late, so edges that start one have that
        // much longer.
        STARTING
    }

    fn relays(&self) -> bool {
        true
    }

    async fn take_run_lock(&mut self, events: &Events) -> Result<(), WorldError> {
        if self.run_lock.is_none() {
            let lock = RunLock::take(|holder| events.emit(Event::Waiting { holder })).await;
            self.run_lock = Some(lock.map_err(WorldError::machine("can't take the lock for this machine"))?);
        }
        Ok(())
    }

    async fn prepare(&mut self, system: &System, seed: u64) -> Result<(), WorldError> {
        let advice = "no container engine answers (is it running, and may this user speak to it?)";
        let engine = Engine::connect().await.map_err(WorldError::machine(advice))?;
        self.listens = self.config.images.check(&engine, system).await?;
        if let Some(within_reach) = self.config.others.prepare(&self.host, system).await? {
            self.host = within_reach;
        }
        let now = self.host.unix_now();
        self.supervision.prepare(&self.config.supervisor, &self.config.temp, now).await.map_err(supervised)?;
        // Before anything is made, so that the supervisor knows of all of it.
        self.supervision.own_containers().await.map_err(supervised)?;
        self.seed = seed;
        self.ports = Ports::new();
        self.engine = Some(engine.clone());
        self.in_flight = true;
        self.network = Some(network::make(&engine, &self.host, self.supervision.label()).await?);
        Ok(())
    }

    fn site(&mut self, link: &Link, _: Protocol) -> Result<Site, WorldError> {
        // Clients' on loopback, those of services at the gateway of their network, and nowhere else.
        let (at, name) = match (&link.from, &self.network) {
            (Endpoint::Service(_), Some(made)) => (&made.gateway.host, made.gateway.address.to_string()),
            (Endpoint::Client | Endpoint::Service(_), _) => (&self.host, LOOPBACK.to_owned()),
        };
        let listener = self.ports.listen(at).map_err(WorldError::machine(format!("no port for {link}")))?;
        Ok(Site { host: self.host.clone(), listener, name })
    }

    fn place(&mut self, service: &Service, _: &LinkAddresses) -> Result<(), WorldError> {
        if let Some(instance) = others::instance(service) {
            self.others.insert(instance.id.clone(), instance);
            return Ok(());
        }
        self.publish(service)
    }

    fn secured(&self, service: &Service) -> Result<Option<Host>, WorldError> {
        self.tls.secured(&self.host, service)
    }

    async fn launch(&mut self, services: &[&Service], links: &LinkAddresses) -> Result<(), WorldError> {
        self.in_flight = true;
        let ours = services.iter().filter(|one| !matches!(one.start, Start::Address(_))).copied().collect();
        self.create(ours, links).await?;
        self.in_flight = false;
        Ok(())
    }

    fn instances(&self, service: &str) -> Vec<Instance> {
        let id = InstanceId::first(service);
        let of = |started: &Started| Instance {
            id: id.clone(),
            address: Address { host: LOOPBACK.to_owned(), port: started.ports.own },
            ports: started.ports.named.clone(),
            what: started.what.clone(),
        };
        let others = self.others.get(&id).cloned();
        self.services.get(&id).map(of).or(others).into_iter().collect()
    }

    fn question(&self, service: &Service, instance: &InstanceId, _: &LinkAddresses) -> Option<Question> {
        let Some(Readiness::Log(line)) = &service.ready else { return None };
        let (engine, id) = self.of(instance).ok()?;
        let said_before = self.services.get(instance)?.said_before.clone()?;
        Some(logs::says(engine.clone(), id.to_owned(), line.clone(), said_before))
    }

    async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (engine, id) = self.of(instance)?;
        if let Some(said_before) = self.services.get(instance).and_then(|started| started.said_before.as_ref()) {
            said_before.store(logs::length(engine, id).await, Ordering::Relaxed);
        }
        engine.start(id).await.map_err(refused("started", instance))?;
        self.watch(instance, id)
    }

    async fn terminate(&mut self, instance: &InstanceId, lifecycle: &Lifecycle) -> Result<(), WorldError> {
        let (engine, id) = self.of(instance)?;
        let (engine, id, grace) = (engine.clone(), id.to_owned(), lifecycle.stop_grace());
        let signal = lifecycle.stop_signal.map(StopSignal::name);
        engine.ask_to_end(&id, signal).await.map_err(refused("stopped", instance))?;
        self.terminated.insert(instance.clone(), (Instant::now(), grace));
        // Its end comes from who watches it.
        drop(self.host.spawn(async move { engine.end_within(&id, grace).await }));
        Ok(())
    }

    async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (engine, id) = self.of(instance)?;
        engine.kill(id).await.map_err(refused("killed", instance))?;
        self.exits.of(instance).await;
        self.terminated.remove(instance);
        Ok(())
    }

    async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (engine, id) = self.of(instance)?;
        engine.pause(id).await.map_err(refused("frozen", instance))
    }

    async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (engine, id) = self.of(instance)?;
        engine.unpause(id).await.map_err(refused("thawed", instance))
    }

    async fn limit(&mut self, instance: &InstanceId, fault: &str, limit: ServiceLimit) -> Result<(), WorldError> {
        limits::apply(self.limited(instance)?, (fault, limit)).await
    }

    async fn lift(&mut self, instance: &InstanceId, fault: &str, limit: ServiceLimit) -> Result<(), WorldError> {
        limits::remove(self.limited(instance)?, (fault, limit)).await
    }

    async fn exited(&mut self) -> Result<Death, WorldError> {
        let exit = tokio::select! {
            biased;
            // It has no processes to tell of: this is its end.
            exited = self.supervision.exited() => {
                let exited = exited.map_err(supervised)?;
                return Err(WorldError::CannotGive(format!("the supervisor has a process {}", exited.name)));
            }
            exit = self.exits.next() => exit,
        };
        // This takes a while, and who waits may turn to something else meanwhile.
        let last_lines = self.last_lines(&exit.instance).await;
        self.exits.take();
        let asked = self.terminated.remove(&exit.instance);
        let killed_after = asked.filter(|(at, grace)| at.elapsed() >= *grace).map(|(_, grace)| grace);
        Ok(Death { instance: exit.instance, how: exit.how, last_lines, killed_after })
    }

    async fn last_lines(&self, instance: &InstanceId) -> Vec<String> {
        match self.of(instance) {
            Ok((engine, id)) => logs::last_lines(engine, id).await,
            Err(_) => Vec::new(),
        }
    }

    async fn take_down(&mut self, keep_logs: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        let keep_logs = keep_logs && !self.services.is_empty();
        if let (true, Some(engine)) = (keep_logs, &self.engine) {
            let containers = self.services.iter().filter_map(|(name, of)| Some((name, of.container.as_ref()?.id())));
            torn_down.logs = logs::keep(engine, containers, self.supervision.folder()).await;
        }
        let containers = std::mem::take(&mut self.services).into_values().filter_map(|service| service.container);
        // What is refused here is there still, and is told of by the next.
        drop(join_all(containers.map(ContainerAsync::rm)).await);
        if let (Some(engine), Some(label)) = (self.engine.take(), self.supervision.label()) {
            let settled = if std::mem::take(&mut self.in_flight) { SETTLED } else { Duration::ZERO };
            torn_down.left = engine.remove_all(label, settled).await;
        }
        let leftovers = self.supervision.stop(keep_logs).await;
        for what in leftovers.known {
            if !torn_down.left.contains(&what) {
                torn_down.left.push(what);
            }
        }
        self.others.clear();
        self.network = None;
        self.exits = Exits::default();
        self.run_lock = None;
        torn_down
    }
}
