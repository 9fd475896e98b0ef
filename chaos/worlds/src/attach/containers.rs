//! Services that run in containers which somebody else has started: what breaks them goes through the runner's own
//! access to the engine, never through a proxy. What is broken is written down before, for the supervisor and `chaos
//! cleanup`.

use super::Keeping;
use crate::supervised;
use chaos_model::{
    ServiceName,
    lifecycle::{Lifecycle, StopSignal},
};
use chaos_run::{Death, Exit, Exits, InstanceId, WorldError};
use chaos_supervise::{
    Supervision,
    broken::{self, Broken},
    engine::Engine,
};
use host::Host;
use std::{collections::BTreeMap, io, time::Duration};

/// The containers of the services that faults act on.
pub(super) struct Containers {
    engine: Engine,
    supervision: Supervision,
    services: BTreeMap<InstanceId, Contained>,
    /// Containers that are broken by now, by whose they are. Faults of one service follow one another.
    broken: BTreeMap<InstanceId, Broken>,
    host: Host,
    exits: Exits,
    /// Numbers of the watches over services that were ended.
    watches: BTreeMap<InstanceId, u64>,
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
        let (host, exits, watches) = (host.clone(), Exits::default(), BTreeMap::new());
        Ok(Self { engine, supervision, services, broken: BTreeMap::new(), host, exits, watches })
    }

    /// Freezes a service.
    pub(super) async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let id = self.begins(instance, Duration::ZERO)?;
        self.engine.pause(&id).await.map_err(refused(instance, "frozen"))?;
        self.is_done(instance)
    }

    /// Asks a service to end, and doesn't wait until it has.
    pub(super) async fn terminate(&mut self, instance: &InstanceId, lifecycle: &Lifecycle) -> Result<(), WorldError> {
        let (signal, grace) = (lifecycle.stop_signal.map(StopSignal::name), lifecycle.stop_grace());
        let id = self.begins(instance, grace)?;
        self.engine.ask_to_end(&id, signal).await.map_err(refused(instance, "stopped"))?;
        let (engine, start, instance) = (self.engine.clone(), self.watch_anew(instance), instance.clone());
        let sender = self.exits.sender();
        drop(self.host.spawn(async move {
            let (how, was_killed) = engine.end_within(&id, grace).await;
            // The run is over.
            let _ = sender.send(Exit { instance, start, how, killed_after: was_killed.then_some(grace) });
        }));
        Ok(())
    }

    /// Ends a service without asking; when this returns, it has ended.
    pub(super) async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let id = self.begins(instance, Duration::ZERO)?;
        self.engine.kill(&id).await.map_err(refused(instance, "killed"))?;
        self.watch_anew(instance);
        self.is_done(instance)
    }

    /// Lets a frozen service go on.
    pub(super) async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        if !self.broken.contains_key(instance) {
            return Ok(());
        }
        let id = self.begins(instance, Duration::ZERO)?;
        self.engine.unpause(&id).await.map_err(refused(instance, "thawed"))?;
        self.is_whole(instance)
    }

    /// Starts a service's container again, where it was ended here.
    pub(super) async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        if !self.broken.contains_key(instance) {
            return Ok(());
        }
        let id = self.begins(instance, Duration::ZERO)?;
        // It stays written down until it is ready: it may end at once.
        self.engine.start(&id).await.map_err(refused(instance, "started"))?;
        let (engine, start, instance) = (self.engine.clone(), self.watch_anew(instance), instance.clone());
        let sender = self.exits.sender();
        drop(self.host.spawn(async move {
            let how = engine.ended(&id).await;
            let _ = sender.send(Exit { instance, start, how, killed_after: None });
        }));
        Ok(())
    }

    /// The number of the next watch over a service: what earlier ones tell is no news.
    fn watch_anew(&mut self, instance: &InstanceId) -> u64 {
        let watch = self.watches.entry(instance.clone()).or_default();
        *watch += 1;
        *watch
    }

    /// Waits for a service to end that was asked to, or that was started again and is not ready yet. An error where the
    /// supervisor has ended, as it does when it is killed. Safe to drop.
    pub(super) async fn exited(&mut self) -> Result<Death, WorldError> {
        loop {
            let Exit { instance, start, how, killed_after } = tokio::select! {
                biased;
                lost = self.supervision.exited() => return Err(match lost {
                    Ok(exit) => WorldError::CannotGive(format!("the supervisor has a process {}", exit.name)),
                    Err(error) => supervised(error),
                }),
                exit = self.exits.next() => exit,
            };
            self.exits.take();
            if self.watches.get(&instance) != Some(&start) {
                continue;
            }
            if killed_after.is_some() || self.broken.contains_key(&instance) {
                self.is_done(&instance)?;
            }
            let name = self.of(&instance)?.name.clone();
            let last_lines = vec![format!("(what it said: docker logs {name})")];
            return Ok(Death { instance, how, last_lines, killed_after });
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
        let mut left: Vec<String> = written.into_iter().chain(self.supervision.stop(false).await.known).collect();
        left.sort_unstable();
        left.dedup();
        left
    }

    fn of(&self, instance: &InstanceId) -> Result<&Contained, WorldError> {
        self.services
            .get(instance)
            .ok_or_else(|| WorldError::CannotGive(format!("nothing says in which container {instance} runs")))
    }

    /// The engine is about to be asked to change this container, whose id is given. It may end by itself for as long as
    /// `grace`.
    fn begins(&mut self, instance: &InstanceId, grace: Duration) -> Result<String, WorldError> {
        let Contained { id, name } = self.of(instance)?;
        let (id, name) = (id.clone(), name.clone());
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.broken.insert(instance.clone(), Broken { id: id.clone(), name, changing: true, grace_ms });
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

    /// The engine has brought it back. What becomes of it from here on is not for this run to watch.
    pub(super) fn is_whole(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.watch_anew(instance);
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
