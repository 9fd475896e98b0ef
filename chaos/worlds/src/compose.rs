//! A Compose file as a system: Compose builds, orders and starts its services as it always does, and a run gives it a document
//! in which each service finds proxies under the names and ports of what it uses.
//!
//! Nothing of the application changes: neither its file, nor a setting. The proxies are containers too, one for each service
//! that others use, and are steered over their control API. Faults of services, logs and exits go through the engine, as in
//! every world of containers.

mod command;
mod containers;
mod links;
mod plan;
mod prepare;
mod subnets;
mod tool;

pub use links::ComposeLinks;
pub use tool::ComposeTool;

use crate::{
    docker::{
        DockerConfig,
        limits::{self, Limited, LimitedContainer},
        logs, refused,
    },
    supervised,
    tls::Tls,
};
use async_trait::async_trait;
use chaos_model::{
    Event, Link, Protocol, Readiness, Service, ServiceName, System,
    compose::Restart,
    effect::action::ServiceLimit,
    lifecycle::{Lifecycle, StopSignal},
};
use chaos_run::{
    Address, AskReady, ComposedWorld, Death, Events, Exits, Instance, InstanceId, LinkAddresses, Offer, Question,
    Runtime, Site, TornDown, WorldError,
};
use chaos_supervise::{
    RunLock, Supervision,
    engine::{Engine, SETTLED},
    supervisor::ServiceSignal,
};
use host::Host;
use links::Started;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Time that the services have to become ready: what Compose orders waits for health checks, migrations and the like.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time that an engine may take to start a container: some 300 ms on an idle machine of two cores.
const STARTING: Duration = Duration::from_secs(1);
/// Name by which the supervisor knows Compose's process.
const COMPOSE: &str = "compose";

/// A system of a Compose file, with a proxy on each link.
pub type ComposeWorld = ComposedWorld<ComposeRuntime, ComposeLinks>;

/// Configuration of the world.
#[derive(Clone, Debug)]
pub struct ComposeConfig {
    /// Needs of every world of containers; of its images, the one that the proxies run in.
    pub docker: DockerConfig,
    /// Compose itself.
    pub tool: ComposeTool,
    /// Links that have to have a proxy: those that faults act on.
    pub needed: BTreeSet<Link>,
    /// The name of who runs, for those who would steer the same proxies. At most 200 bytes.
    pub holder: String,
}

/// Services that Compose starts.
pub struct ComposeRuntime {
    host: Host,
    config: ComposeConfig,
    started: Started,
    tls: Tls,
    run_lock: Option<RunLock>,
    supervision: Supervision,
    engine: Option<Engine>,
    /// The project's name, the document for Compose, and the ports of each service, once there is a plan.
    project: Option<Project>,
    /// The file's rules by which services are started again that end by themselves.
    restarts: BTreeMap<ServiceName, Restart>,
    instances: BTreeMap<InstanceId, Contained>,
    exits: Exits,
    /// Instances that were asked to end, with when, and the time that they have.
    terminated: BTreeMap<InstanceId, (Instant, Duration)>,
    /// True while Compose or the engine may still be at work on what was asked for.
    in_flight: bool,
    /// True once Compose has started the services.
    is_up: bool,
}

/// The project that Compose is given.
struct Project {
    name: String,
    document: PathBuf,
    ports: plan::Ports,
    /// Names of the services that are proxies.
    proxies: BTreeSet<String>,
    /// Services that may end well without anybody missing them.
    may_end_well: BTreeSet<ServiceName>,
}

/// An instance and its container.
struct Contained {
    id: String,
    /// The image that runs there, for people.
    what: String,
    /// The main port that it listens on in its container, if it does on one.
    port: Option<u16>,
    address: Address,
    /// True where it may be a task, whose end is none that anybody misses: it is one, or no file tells a port of it.
    may_end_well: bool,
    restart: Restart,
    limited: Limited,
    /// Bytes of its output from before it was started last.
    said_before: Arc<AtomicU64>,
    /// True while it is ended by the run, and not by itself.
    asked: Arc<AtomicBool>,
}

/// A world without anything in it yet. `host` is the runner's own, on loopback.
#[must_use]
pub fn world(host: &Host, config: ComposeConfig) -> ComposeWorld {
    let started = Started::default();
    let links = ComposeLinks::new(host.clone(), started.clone());
    ComposedWorld::new(ComposeRuntime::new(host.clone(), config, started), links)
}

impl ComposeRuntime {
    fn new(host: Host, config: ComposeConfig, started: Started) -> Self {
        Self {
            tls: Tls::new(&host),
            host,
            config,
            started,
            run_lock: None,
            supervision: Supervision::default(),
            engine: None,
            project: None,
            restarts: BTreeMap::new(),
            instances: BTreeMap::new(),
            exits: Exits::default(),
            terminated: BTreeMap::new(),
            in_flight: false,
            is_up: false,
        }
    }

    fn engine(&self) -> Result<&Engine, WorldError> {
        self.engine.as_ref().ok_or_else(|| WorldError::CannotGive("there is no engine yet".to_owned()))
    }

    fn of(&self, instance: &InstanceId) -> Result<(&Engine, &Contained), WorldError> {
        let none = || WorldError::CannotGive(format!("there is no service {instance}"));
        Ok((self.engine()?, self.instances.get(instance).ok_or_else(none)?))
    }

    fn limited<'a>(&'a mut self, instance: &'a InstanceId) -> Result<LimitedContainer<'a>, WorldError> {
        let (engine, of) = self.of(instance)?;
        let (engine, id) = (engine.clone(), of.id.clone());
        let none = || WorldError::CannotGive(format!("there is no service {instance}"));
        let limited = &mut self.instances.get_mut(instance).ok_or_else(none)?.limited;
        Ok(LimitedContainer { engine, id, instance, limited })
    }
}

#[async_trait]
impl Runtime for ComposeRuntime {
    const OFFER: Offer = crate::offers::DOCKER;

    fn host(&self) -> &Host {
        &self.host
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn starting_takes(&self) -> Duration {
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

    async fn prepare(&mut self, system: &System, _: u64) -> Result<(), WorldError> {
        Box::pin(prepare::prepare(self, system)).await
    }

    fn site(&mut self, link: &Link, _: Protocol) -> Result<Site, WorldError> {
        Err(WorldError::CannotGive(format!("the proxy on {link} is in a container")))
    }

    fn place(&mut self, _: &Service, _: &LinkAddresses) -> Result<(), WorldError> {
        // Compose gives all of them their places at once.
        Ok(())
    }

    fn secured(&self, service: &Service) -> Result<Option<Host>, WorldError> {
        self.tls.secured(&self.host, service)
    }

    async fn launch(&mut self, _: &[&Service], _: &LinkAddresses) -> Result<(), WorldError> {
        // All of them with the first: the order is the file's, by `depends_on`.
        if !std::mem::replace(&mut self.is_up, true) {
            Box::pin(containers::up(self)).await?;
        }
        Ok(())
    }

    fn instances(&self, service: &str) -> Vec<Instance> {
        let of_service = self.instances.iter().filter(|(id, _)| id.service == service);
        let instance = |(id, of): (&InstanceId, &Contained)| Instance {
            id: id.clone(),
            address: of.address.clone(),
            ports: BTreeMap::new(),
            what: of.what.clone(),
        };
        of_service.map(instance).collect()
    }

    fn asks(&self, service: &Service, instance: &InstanceId) -> Option<AskReady> {
        let (engine, of) = self.of(instance).ok()?;
        Some(containers::asks(engine, of, service.ready.is_some()))
    }

    fn question(&self, service: &Service, instance: &InstanceId, _: &LinkAddresses) -> Option<Question> {
        let Some(Readiness::Log(line)) = &service.ready else { return None };
        let (engine, of) = self.of(instance).ok()?;
        Some(logs::says(engine.clone(), of.id.clone(), line.clone(), Arc::clone(&of.said_before)))
    }

    async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        containers::start(self, instance).await
    }

    async fn terminate(&mut self, instance: &InstanceId, lifecycle: &Lifecycle) -> Result<(), WorldError> {
        let (engine, of) = self.of(instance)?;
        of.asked.store(true, Ordering::SeqCst);
        let (engine, id, grace) = (engine.clone(), of.id.clone(), lifecycle.stop_grace());
        let signal = lifecycle.stop_signal.map(StopSignal::name);
        engine.ask_to_end(&id, signal).await.map_err(refused("stopped", instance))?;
        self.terminated.insert(instance.clone(), (Instant::now(), grace));
        // Its end comes from who watches it.
        drop(self.host.spawn(async move { engine.end_within(&id, grace).await }));
        Ok(())
    }

    async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (engine, of) = self.of(instance)?;
        of.asked.store(true, Ordering::SeqCst);
        engine.kill(&of.id).await.map_err(refused("killed", instance))?;
        self.exits.of(instance).await;
        self.terminated.remove(instance);
        Ok(())
    }

    async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (engine, of) = self.of(instance)?;
        engine.pause(&of.id).await.map_err(refused("frozen", instance))
    }

    async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (engine, of) = self.of(instance)?;
        engine.unpause(&of.id).await.map_err(refused("thawed", instance))
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
            Ok((engine, of)) => logs::last_lines(engine, &of.id).await,
            Err(_) => Vec::new(),
        }
    }

    async fn take_down(&mut self, keep_logs: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        if self.in_flight
            && let Ok(supervisor) = self.supervision.supervisor()
        {
            // It would go on making what is removed here. Where it has ended, there is nothing to be killed.
            let _ = supervisor.signal(COMPOSE, ServiceSignal::Kill).await;
        }
        let keep_logs = keep_logs && !self.instances.is_empty();
        if let (true, Some(engine)) = (keep_logs, &self.engine) {
            let containers = self.instances.iter().map(|(id, of)| (id, of.id.as_str()));
            torn_down.logs = logs::keep(engine, containers, self.supervision.folder()).await;
        }
        self.instances.clear();
        if let Some(project) = self.project.take() {
            // There are the settings of all services in it; where the folder is kept, it is not.
            let _ = std::fs::remove_file(project.document);
        }
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
        self.exits = Exits::default();
        self.terminated.clear();
        self.is_up = false;
        self.run_lock = None;
        torn_down
    }
}
