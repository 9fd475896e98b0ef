//! Services that run in containers which somebody else has started: what breaks them goes through the runner's own
//! access to the engine, never through a proxy. What is broken is written down before, for the supervisor and `chaos
//! cleanup`.

use super::Keeping;
use crate::supervised;
use chaos_model::ServiceName;
use chaos_run::{Death, InstanceId, WorldError};
use chaos_supervise::{
    Supervision,
    broken::{self, Broken},
    engine::Engine,
};
use host::Host;
use std::{collections::BTreeMap, io};

/// The containers of the services that faults act on.
pub(super) struct Containers {
    engine: Engine,
    supervision: Supervision,
    services: BTreeMap<InstanceId, Contained>,
    /// Containers that are broken by now, by whose they are. Faults of one service follow one another.
    broken: BTreeMap<InstanceId, Broken>,
}

/// The container of a service.
struct Contained {
    id: String,
    /// Name of the container, for people.
    name: String,
}

impl Containers {
    /// Finds these containers, which have to run, and starts what brings them back where the runner is lost.
    pub(super) async fn find(
        host: &Host,
        keeping: &Keeping,
        named: &BTreeMap<ServiceName, String>,
    ) -> Result<Self, WorldError> {
        let advice = "faults of services need the container engine, and none answers (may this user speak to it?)";
        let engine = Engine::connect().await.map_err(WorldError::machine(advice))?;
        let mut services = BTreeMap::new();
        for (service, container) in named {
            let found = engine.running(container).await;
            let id =
                found.map_err(|why| WorldError::CannotGive(format!("service {service} can't be broken: {why}")))?;
            services.insert(InstanceId::first(service.as_str()), Contained { id, name: container.clone() });
        }
        let mut supervision = Supervision::default();
        supervision.prepare(&keeping.supervisor, &keeping.temp, host.unix_now()).await.map_err(supervised)?;
        Ok(Self { engine, supervision, services, broken: BTreeMap::new() })
    }

    /// Freezes a service.
    pub(super) async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let id = self.begins(instance)?;
        self.engine.pause(&id).await.map_err(refused(instance, "frozen"))?;
        self.is_done(instance)
    }

    /// Asks a service to end; when this returns, it has.
    pub(super) async fn stop(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let id = self.begins(instance)?;
        self.engine.stop(&id).await.map_err(refused(instance, "stopped"))?;
        self.is_done(instance)
    }

    /// Ends a service without asking; when this returns, it has ended.
    pub(super) async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let id = self.begins(instance)?;
        self.engine.kill(&id).await.map_err(refused(instance, "killed"))?;
        self.is_done(instance)
    }

    /// Lets a frozen service go on.
    pub(super) async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        if !self.broken.contains_key(instance) {
            return Ok(());
        }
        let id = self.begins(instance)?;
        self.engine.unpause(&id).await.map_err(refused(instance, "thawed"))?;
        self.is_whole(instance)
    }

    /// Starts a service's container again, where it was ended here.
    pub(super) async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        if !self.broken.contains_key(instance) {
            return Ok(());
        }
        let id = self.begins(instance)?;
        // It stays written down until it is ready: it may end at once.
        self.engine.start(&id).await.map_err(refused(instance, "started"))
    }

    /// Waits for a service to end that was just started.
    pub(super) async fn exited_of(&mut self, instance: &InstanceId) -> Result<Death, WorldError> {
        let Contained { id, name } = self.of(instance)?;
        let how = self.engine.ended(id).await;
        let last_lines = vec![format!("(what it said: docker logs {name})")];
        Ok(Death { instance: instance.clone(), how, last_lines })
    }

    /// Waits for the supervisor to end, as it does when it is killed. Safe to drop.
    pub(super) async fn lost(&mut self) -> WorldError {
        match self.supervision.exited().await {
            Ok(exit) => WorldError::CannotGive(format!("the supervisor has a process {}", exit.name)),
            Err(error) => supervised(error),
        }
    }

    /// Brings back what is broken still, and gives what could not be brought back, in words.
    pub(super) async fn restore(mut self) -> Vec<String> {
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

    fn of(&self, instance: &InstanceId) -> Result<&Contained, WorldError> {
        self.services
            .get(instance)
            .ok_or_else(|| WorldError::CannotGive(format!("nothing says in which container {instance} runs")))
    }

    /// The engine is about to be asked to change this container, whose id is given.
    fn begins(&mut self, instance: &InstanceId) -> Result<String, WorldError> {
        let Contained { id, name } = self.of(instance)?;
        let (id, name) = (id.clone(), name.clone());
        self.broken.insert(instance.clone(), Broken { id: id.clone(), name, changing: true });
        self.write_down()?;
        Ok(id)
    }

    /// The engine has done what it was asked for: the container stays broken.
    fn is_done(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        if let Some(broken) = self.broken.get_mut(instance) {
            broken.changing = false;
        }
        self.write_down()
    }

    /// The engine has brought it back.
    pub(super) fn is_whole(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.broken.remove(instance);
        self.write_down()
    }

    fn write_down(&self) -> Result<(), WorldError> {
        let all: Vec<Broken> = self.broken.values().cloned().collect();
        broken::write(self.supervision.folder(), &all).map_err(WorldError::machine("can't write down what is broken"))
    }
}

fn refused(instance: &InstanceId, what: &str) -> impl FnOnce(io::Error) -> WorldError + use<> {
    WorldError::machine(format!("{instance} can't be {what}"))
}
