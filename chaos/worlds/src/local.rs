//! Real processes on this machine: built-in programs are child processes (`chaos serve NAME`), Redis is `redis-server`
//! where there is one and else the built-in one. Every link gets a proxy on loopback, in the runner.

mod errands;
mod launch;
mod redis;

pub use redis::version as redis_version;

use crate::{
    others::{self, Others},
    ports::Ports,
    supervised,
    tls::{self, Tls},
};
use async_trait::async_trait;
use chaos_links::InProcessLinks;
use chaos_model::{Event, Link, Protocol, Service, Start, System, effect::action::ServiceAction, lifecycle::Lifecycle};
use chaos_run::{
    Address, ComposedWorld, Death, Events, Instance, InstanceId, LinkAddresses, NotGiven, Offer, Question, Runtime,
    Site, TornDown, Unfit, WorldError,
};
use chaos_supervise::{
    Leftovers, RunLock, Supervision, logs,
    supervisor::{Exited, ServiceSignal, SupervisorProgram},
};
use host::Host;
use launch::Started;
use redis::RedisProgram;
use std::{collections::BTreeMap, io, path::PathBuf, time::Duration};

const LOOPBACK: &str = "127.0.0.1";
/// Time that services have to become ready.
const PATIENCE: Duration = Duration::from_secs(20);
/// Number of attempts to start a service whose port was taken in the last moment.
const ATTEMPTS: usize = 3;

/// A system of processes, with a proxy on each link.
pub type LocalWorld = ComposedWorld<LocalRuntime, InProcessLinks>;

/// Configuration of the runtime: the programs that it starts, and the place of the run's folder.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// The supervisor of the services.
    pub supervisor: SupervisorProgram,
    /// The program that runs the built-in ones, as `PROGRAM serve NAME`.
    pub built_in: PathBuf,
    /// The path of `redis-server`; none where the machine has none.
    pub redis_server: Option<PathBuf>,
    /// The folder that the run's folder is made in.
    pub temp: PathBuf,
    /// Services that others have started, at addresses.
    pub others: Others,
}

/// Services as processes of this machine.
pub struct LocalRuntime {
    host: Host,
    config: LocalConfig,
    run_lock: Option<RunLock>,
    supervision: Supervision,
    ports: Ports,
    redis: RedisProgram,
    tls: Tls,
    seed: u64,
    services: BTreeMap<InstanceId, Started>,
    /// Services that others have started.
    others: BTreeMap<InstanceId, Instance>,
}

/// A world without anything in it yet. `host` is the runner's own, on loopback.
#[must_use]
pub fn world(host: Host, config: LocalConfig) -> LocalWorld {
    let runtime = LocalRuntime::new(host, config);
    let links = runtime.tls.links();
    ComposedWorld::new(runtime, links)
}

impl LocalRuntime {
    /// A runtime without anything in it yet. `host` is the runner's own, on loopback.
    #[must_use]
    pub fn new(host: Host, config: LocalConfig) -> Self {
        let (run_lock, supervision) = (None, Supervision::default());
        let (services, others) = (BTreeMap::new(), BTreeMap::new());
        let (ports, redis) = (Ports::new(), RedisProgram::none());
        let tls = Tls::new(&host);
        Self { host, config, run_lock, supervision, ports, redis, tls, seed: 0, services, others }
    }

    fn of(&self, instance: &InstanceId) -> Result<&Started, WorldError> {
        let started = self.services.get(instance);
        started.ok_or_else(|| WorldError::CannotGive(format!("there is no service {instance}")))
    }

    // By the supervisor, the parent of the services: it alone can freeze, end and start them, and when its pipe closes
    // it ends those that are frozen too.
    async fn signal(&mut self, instance: &InstanceId, signal: ServiceSignal) -> Result<(), WorldError> {
        let supervisor = self.supervision.supervisor().map_err(supervised)?;
        supervisor.signal(&instance.to_string(), signal).await.map_err(supervised)
    }

    fn death(&self, exited: Exited) -> Death {
        let Exited { name, how, killed_after_ms, .. } = exited;
        let started = self.services.keys().find(|id| id.to_string() == name);
        let instance = started.cloned().unwrap_or_else(|| InstanceId::first(name.as_str()));
        let last_lines = logs::last_lines(&logs::path(self.supervision.folder(), &name));
        Death { last_lines, instance, how, killed_after: killed_after_ms.map(Duration::from_millis) }
    }

    /// True where somebody else listens on a port by now.
    fn is_taken(&self, port: u16) -> bool {
        self.host.listen(port).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    }
}

/// Services that run as processes.
fn runs(start: &Start) -> Result<(), Unfit> {
    match start {
        Start::Image(_) => {
            Err(Unfit { what: "is an image, and the world `local` runs processes", advice: "`--world docker` runs it" })
        }
        Start::Compose(_) => Err(Unfit {
            what: "is of a Compose file, and the world `local` runs processes",
            advice: "`--world docker` runs it",
        }),
        Start::Program(_) | Start::Command(_) | Start::Address(_) => Ok(()),
    }
}

/// Actions on processes.
fn does(action: ServiceAction) -> Result<(), NotGiven> {
    match action {
        ServiceAction::Limit(_) => Err(NotGiven {
            why: "limiting a process takes cgroups, and those take root",
            advice: "only docker can limit what a service uses: `--world docker`",
        }),
        _ => Ok(()),
    }
}

#[async_trait]
impl Runtime for LocalRuntime {
    const OFFER: Offer = Offer { name: "local", runs, has: |_| Ok(()), does, tls: tls::ON_LINKS };

    fn host(&self) -> &Host {
        &self.host
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn take_run_lock(&mut self, events: &Events) -> Result<(), WorldError> {
        if self.run_lock.is_none() {
            let lock = RunLock::take(|holder| events.emit(Event::Waiting { holder })).await;
            self.run_lock = Some(lock.map_err(WorldError::machine("can't take the lock for this machine"))?);
        }
        Ok(())
    }

    async fn prepare(&mut self, system: &System, seed: u64) -> Result<(), WorldError> {
        if let Some(within_reach) = self.config.others.prepare(&self.host, system).await? {
            self.host = within_reach;
        }
        let now = self.host.unix_now();
        self.supervision.prepare(&self.config.supervisor, &self.config.temp, now).await.map_err(supervised)?;
        self.tls.prepare(self.supervision.folder(), system)?;
        self.ports = Ports::new();
        self.seed = seed;
        self.redis = RedisProgram::find(self.config.redis_server.as_deref(), system).await;
        Ok(())
    }

    fn site(&mut self, link: &Link, _: Protocol) -> Result<Site, WorldError> {
        let listener = self.ports.listen(&self.host).map_err(WorldError::machine(format!("no port for {link}")))?;
        Ok(Site { host: self.host.clone(), listener, name: LOOPBACK.to_owned() })
    }

    fn place(&mut self, service: &Service, links: &LinkAddresses) -> Result<(), WorldError> {
        if let Some(instance) = others::instance(service) {
            self.others.insert(instance.id.clone(), instance);
            return Ok(());
        }
        self.plan(service, links, 1)
    }

    async fn set_up(&mut self, services: &[&Service], links: &LinkAddresses) -> Result<(), WorldError> {
        for service in services.iter().filter(|service| !service.errands.is_empty()) {
            self.set_up_one(service, links).await?;
        }
        Ok(())
    }

    fn question(&self, service: &Service, instance: &InstanceId, links: &LinkAddresses) -> Option<Question> {
        self.question_of(service, instance, links)
    }

    fn secured(&self, service: &Service) -> Result<Option<Host>, WorldError> {
        self.tls.secured(&self.host, service)
    }

    async fn launch(&mut self, services: &[&Service], _: &LinkAddresses) -> Result<(), WorldError> {
        services.iter().for_each(|service| self.is_about_to_start(&InstanceId::first(service.name.as_str())));
        let started =
            services.iter().filter_map(|service| self.services.get(&InstanceId::first(service.name.as_str())));
        let launches = started.map(|started| started.launch.clone()).collect();
        let supervisor = self.supervision.supervisor().map_err(supervised)?;
        supervisor.launch(launches).await.map(drop).map_err(supervised)
    }

    async fn relocate(&mut self, death: &Death, links: &LinkAddresses) -> Result<bool, WorldError> {
        let Ok(started) = self.of(&death.instance) else { return Ok(false) };
        if started.attempts >= ATTEMPTS || !self.is_taken(started.ports.own) {
            return Ok(false);
        }
        let (service, attempts) = (started.service.clone(), started.attempts + 1);
        self.plan(&service, links, attempts)?;
        self.launch(&[&service], links).await?;
        Ok(true)
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

    async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let launch = self.of(instance)?.launch.clone();
        self.is_about_to_start(instance);
        let supervisor = self.supervision.supervisor().map_err(supervised)?;
        supervisor.launch(vec![launch]).await.map(drop).map_err(supervised)
    }

    // Signal and time are in the launch, which the supervisor was told of.
    async fn terminate(&mut self, instance: &InstanceId, _: &Lifecycle) -> Result<(), WorldError> {
        let supervisor = self.supervision.supervisor().map_err(supervised)?;
        supervisor.end(&instance.to_string()).await.map_err(supervised)
    }

    async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.signal(instance, ServiceSignal::Kill).await?;
        let supervisor = self.supervision.supervisor().map_err(supervised)?;
        supervisor.exited_of(&instance.to_string()).await.map(drop).map_err(supervised)
    }

    async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.signal(instance, ServiceSignal::Freeze).await
    }

    async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.signal(instance, ServiceSignal::Continue).await
    }

    async fn exited(&mut self) -> Result<Death, WorldError> {
        let exited = self.supervision.exited().await.map_err(supervised)?;
        Ok(self.death(exited))
    }

    async fn last_lines(&self, instance: &InstanceId) -> Vec<String> {
        logs::last_lines(&logs::path(self.supervision.folder(), &instance.to_string()))
    }

    async fn take_down(&mut self, keep_logs: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        let keep_logs = keep_logs && !self.services.is_empty();
        if keep_logs {
            let names = self.services.keys().map(ToString::to_string);
            let log = |name: String| {
                let path = logs::path(self.supervision.folder(), &name).display().to_string();
                (name, path)
            };
            torn_down.logs = names.map(log).collect();
        }
        // Logs may stay, and keys may not.
        self.tls.take_down();
        let Leftovers { known, unseen } = self.supervision.stop(keep_logs).await;
        (torn_down.left, torn_down.unseen) = (known, unseen);
        self.services.clear();
        self.others.clear();
        self.run_lock = None;
        torn_down
    }
}
