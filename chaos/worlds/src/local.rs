//! Real processes on this machine: built-in programs are child processes of the same binary (`chaos serve NAME`), Redis
//! is `redis-server` where there is one and else the built-in one. Every link gets a proxy on loopback, in the runner.

mod launch;
mod redis;
mod service_faults;

use crate::{
    links::{Links, ListenAt},
    logs,
    ports::Ports,
    run_lock::RunLock,
    supervision::{Supervision, supervisor_failed},
};
use async_trait::async_trait;
use chaos_model::{Fault, System, Target, event::Fired, ledger::Removed};
use chaos_run::{Address, Death, Events, TornDown, World, WorldError};
use host::Host;
use launch::Started;
use std::{collections::BTreeMap, io, path::PathBuf};

const LOOPBACK: &str = "127.0.0.1";

/// Configuration of the world: the programs that it starts, and the place of the run's folder.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// The `chaos` binary: supervisor, built-in programs and services' first step are this.
    pub executable: PathBuf,
    /// The path of `redis-server`; none where the machine has none.
    pub redis_server: Option<PathBuf>,
    /// The folder that the run's folder is made in.
    pub temp: PathBuf,
}

/// A system of processes on this machine.
pub struct LocalWorld {
    host: Host,
    config: LocalConfig,
    run_lock: Option<RunLock>,
    supervision: Supervision,
    services: BTreeMap<String, Started>,
    links: Links,
}

impl LocalWorld {
    /// A world without anything in it yet. `host` is the runner's own.
    #[must_use]
    pub fn new(host: Host, config: LocalConfig) -> Self {
        Self {
            host,
            config,
            run_lock: None,
            supervision: Supervision::default(),
            services: BTreeMap::new(),
            links: Links::default(),
        }
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

    async fn take_run_lock(&mut self, events: &Events) -> Result<(), WorldError> {
        if self.run_lock.is_none() {
            self.run_lock = Some(RunLock::take(events).await?);
        }
        Ok(())
    }

    async fn start(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError> {
        let now = self.host.unix_now();
        self.supervision.prepare(&self.config.executable, &self.config.temp, now).await?;
        let mut ports = Ports::new();
        let host = self.host.clone();
        self.links.open(system, (&host, seed), events, |_| {
            Ok(ListenAt { host: LOOPBACK.to_owned(), listener: ports.listen(&host)? })
        })?;
        launch::start(self, system, seed, &mut ports, events).await
    }

    fn entry(&self) -> Address {
        self.links.entry()
    }

    fn service(&self, name: &str) -> Option<Address> {
        self.services.get(name).map(|service| Address { host: LOOPBACK.to_owned(), port: service.port })
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        if let Target::Service(service) = &fault.on {
            return service_faults::apply(self, service, &fault.effect).await;
        }
        self.links.apply(fault).await
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        if let Target::Service(service) = &fault.on {
            service_faults::remove(self, service, &fault.effect).await?;
            return Ok(Removed::of(Fired { services: 1, ..Fired::default() }));
        }
        self.links.remove(fault).await
    }

    async fn died(&mut self) -> Result<Death, WorldError> {
        let Some(supervisor) = &mut self.supervision.supervisor else { return std::future::pending().await };
        match supervisor.exited().await {
            Ok(exit) => {
                let last_lines = logs::last_lines(&logs::path(self.supervision.folder(), &exit.name));
                Ok(Death { service: exit.name, how: exit.how, last_lines })
            }
            Err(error) => {
                // Its services went with it.
                self.supervision.supervisor = None;
                Err(supervisor_failed(error))
            }
        }
    }

    async fn stop(&mut self, keep_logs: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        let keep_logs = keep_logs && !self.services.is_empty();
        if keep_logs {
            let log = |service: &String| {
                (service.clone(), logs::path(self.supervision.folder(), service).display().to_string())
            };
            torn_down.logs = self.services.keys().map(log).collect();
        }
        torn_down.left = self.supervision.stop(keep_logs).await;
        self.links = Links::default();
        self.services.clear();
        self.run_lock = None;
        torn_down
    }
}

/// True where somebody else listens on a port by now.
fn is_taken(host: &Host, port: u16) -> bool {
    host.listen(port).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}
