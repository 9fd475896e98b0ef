//! Services that run in containers which somebody else has started: what breaks them goes through the runner's own
//! access to the engine, never through a proxy. What is broken is written down before, for the supervisor and `chaos
//! cleanup`.

use super::Keeping;
use crate::{
    broken::{self, Broken},
    engine::Engine,
    relayed,
    supervision::{Supervision, supervisor_failed},
};
use chaos_model::{Fault, Service, ServiceName, System, effect::action::ServiceAction};
use chaos_run::{Address, Death, WorldError};
use host::Host;
use std::{collections::BTreeMap, io};

/// The containers of the services that faults act on.
pub(super) struct Containers {
    host: Host,
    engine: Engine,
    supervision: Supervision,
    services: BTreeMap<ServiceName, Contained>,
    /// Containers that are broken by now, by fault.
    broken: BTreeMap<String, Broken>,
}

/// A service in a container.
struct Contained {
    service: Service,
    address: Address,
    /// The container's id, and what it is called.
    id: String,
    name: String,
}

impl Containers {
    /// Finds these containers, which have to run, and starts what brings them back where the runner is lost.
    pub(super) async fn find(
        host: &Host,
        keeping: &Keeping,
        named: &BTreeMap<ServiceName, String>,
        (system, address): (&System, impl Fn(&str) -> Option<Address>),
    ) -> Result<Self, WorldError> {
        let advice = "faults of services need the container engine, and none answers (may this user speak to it?)";
        let engine = Engine::connect().await.map_err(WorldError::machine(advice))?;
        let mut services = BTreeMap::new();
        for (name, container) in named {
            // The language names none that the system hasn't, nor any without an address.
            let (Some(service), Some(address)) = (system.services.get(name), address(name)) else { continue };
            let found = engine.running(container).await;
            let id = found.map_err(|why| WorldError::CannotGive(format!("service {name} can't be broken: {why}")))?;
            services.insert(name.clone(), Contained { service: service.clone(), address, id, name: container.clone() });
        }
        let mut supervision = Supervision::default();
        supervision.prepare(&keeping.executable, &keeping.temp, host.unix_now()).await?;
        Ok(Self { host: host.clone(), engine, supervision, services, broken: BTreeMap::new() })
    }

    /// Breaks a service. When it returns, the fault holds; of a restart: it is over.
    pub(super) async fn apply(
        &mut self,
        service: &str,
        fault: &Fault,
        action: ServiceAction,
    ) -> Result<(), WorldError> {
        // By the runner's own engine, never through the proxies: whoever can reach the proxies shall not be able to end
        // containers.
        let (id, name) = self.of(service).map(|of| (of.id.clone(), of.name.clone()))?;
        self.changes(fault, Some(Broken { id: id.clone(), name, changing: true }))?;
        match action {
            ServiceAction::Pause => self.engine.pause(&id).await.map_err(refused(service, "frozen"))?,
            ServiceAction::Stop => self.engine.stop(&id).await.map_err(refused(service, "stopped"))?,
            ServiceAction::Kill => self.engine.kill(&id).await.map_err(refused(service, "killed"))?,
            ServiceAction::Restart => {
                self.engine.stop(&id).await.map_err(refused(service, "stopped"))?;
                self.start(service).await?;
                return self.changes(fault, None);
            }
            // The language lets neither through to here: a flush is a command of its own, and limits are their
            // operator's.
            ServiceAction::Flush | ServiceAction::Limit(_) => {
                return Err(WorldError::CannotGive(format!("`{}` can't be done to {service}", fault.effect.name())));
            }
        }
        self.changed(fault)
    }

    /// Heals it. When it returns, the service is ready again.
    pub(super) async fn remove(
        &mut self,
        service: &str,
        fault: &Fault,
        action: ServiceAction,
    ) -> Result<(), WorldError> {
        if !self.broken.contains_key(&fault.name) {
            return Ok(());
        }
        let id = self.of(service)?.id.clone();
        self.changing(fault)?;
        match action {
            ServiceAction::Pause => self.engine.unpause(&id).await.map_err(refused(service, "thawed"))?,
            ServiceAction::Stop | ServiceAction::Kill => self.start(service).await?,
            ServiceAction::Restart | ServiceAction::Flush | ServiceAction::Limit(_) => {}
        }
        self.changes(fault, None)
    }

    /// Waits for the supervisor to end, as it does when it is killed. Safe to drop.
    pub(super) async fn lost(&mut self) -> WorldError {
        let Some(supervisor) = &mut self.supervision.supervisor else { return std::future::pending().await };
        match supervisor.exited().await {
            Ok(exit) => WorldError::CannotGive(format!("the supervisor has a process {}", exit.name)),
            Err(error) => {
                self.supervision.supervisor = None;
                supervisor_failed(error)
            }
        }
    }

    /// Brings back what is broken still, and gives what could not be brought back, in words.
    pub(super) async fn stop(mut self) -> Vec<String> {
        let broken: Vec<Broken> = std::mem::take(&mut self.broken).into_values().collect();
        let left = broken::restore_all(&self.engine, &broken).await;
        // What could not be brought back stays written down: the supervisor tries once more, and `chaos cleanup`
        // whenever it is asked.
        let broken: Vec<Broken> = left.iter().map(|(broken, _)| broken.clone()).collect();
        let written = broken::write(self.supervision.folder(), &broken).err().map(|error| error.to_string());
        let mut left: Vec<String> = written.into_iter().chain(self.supervision.stop(false).await).collect();
        left.sort_unstable();
        left.dedup();
        left
    }

    fn of(&self, service: &str) -> Result<&Contained, WorldError> {
        self.services
            .get(service)
            .ok_or_else(|| WorldError::CannotGive(format!("nothing says in which container {service} runs")))
    }

    /// Starts a service's container, and waits until it is ready or has ended. The run bounds how long that may take.
    async fn start(&self, service: &str) -> Result<(), WorldError> {
        let of = self.of(service)?;
        self.engine.start(&of.id).await.map_err(refused(service, "started"))?;
        let is_ready = async {
            while relayed::wait(self.host.clone(), of.service.clone(), of.address.clone()).await.2.is_err() {}
        };
        let how = tokio::select! {
            biased;
            how = self.engine.ended(&of.id) => how,
            () = is_ready => return Ok(()),
        };
        let last_lines = vec![format!("(what it said: docker logs {})", of.name)];
        Err(WorldError::DiedStarting(Death { service: service.to_owned(), how, last_lines }))
    }

    /// The engine is about to be asked to heal what this fault broke.
    fn changing(&mut self, fault: &Fault) -> Result<(), WorldError> {
        let broken = self.broken.get(&fault.name).map(|broken| Broken { changing: true, ..broken.clone() });
        self.changes(fault, broken)
    }

    /// Notes that the engine has done what this fault asked for.
    fn changed(&mut self, fault: &Fault) -> Result<(), WorldError> {
        let broken = self.broken.get(&fault.name).map(|broken| Broken { changing: false, ..broken.clone() });
        self.changes(fault, broken)
    }

    /// Writes down what this fault has broken, or that it has nothing.
    fn changes(&mut self, fault: &Fault, broken: Option<Broken>) -> Result<(), WorldError> {
        match broken {
            Some(broken) => drop(self.broken.insert(fault.name.clone(), broken)),
            None => drop(self.broken.remove(&fault.name)),
        }
        let all: Vec<Broken> = self.broken.values().cloned().collect();
        broken::write(self.supervision.folder(), &all).map_err(WorldError::machine("can't write down what is broken"))
    }
}

fn refused(service: &str, what: &str) -> impl FnOnce(io::Error) -> WorldError + use<> {
    WorldError::machine(format!("{service} can't be {what}"))
}
