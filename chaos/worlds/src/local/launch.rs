//! Starting the services: ports, settings, commands, readiness.

use super::{LOOPBACK, LocalWorld, is_taken, redis::RedisProgram};
use crate::{logs, ports::Ports, supervision::supervisor_failed, supervisor::Launch};
use chaos_model::{Event, Service, Start, System};
use chaos_run::{Address, Death, Events, World as _, WorldError, ready};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// Time that a service has to become ready.
const PATIENCE: Duration = Duration::from_secs(20);
/// Number of attempts to start a service whose port was taken in the last moment.
const ATTEMPTS: usize = 3;

/// A service that was started.
pub(super) struct Started {
    pub(super) port: u16,
    /// The launch, to start it again.
    pub(super) launch: Launch,
    /// The service as the system describes it, to know when it is ready.
    pub(super) service: Service,
    /// The program that runs there, for people.
    what: String,
    attempts: usize,
}

/// Starts every service, each after those that it uses, and waits until all are ready.
pub(super) async fn start(
    world: &mut LocalWorld,
    system: &System,
    seed: u64,
    ports: &mut Ports,
    events: &Events,
) -> Result<(), WorldError> {
    let redis = RedisProgram::find(world.config.redis_server.as_deref(), system).await;
    let mut starting = Starting { system, seed, ports, redis, began: Instant::now(), events };
    let mut launches = BTreeMap::new();
    for service in system.services.values() {
        launches.insert(service.name.clone(), plan(world, service, &mut starting, 1)?);
    }
    // In the order of uses, in every world: where all started at once, a gateway could win a race against its own
    // Redis, and begin with a second without a cache.
    for wave in system.start_order() {
        launch(world, wave.iter().filter_map(|service| launches.remove(&service.name)).collect()).await?;
        starting.until_ready(world, &wave).await?;
    }
    Ok(())
}

/// The state of a start that is under way.
struct Starting<'a> {
    system: &'a System,
    seed: u64,
    ports: &'a mut Ports,
    redis: RedisProgram,
    began: Instant,
    events: &'a Events,
}

impl Starting<'_> {
    /// Waits until these services are ready.
    async fn until_ready(&mut self, world: &mut LocalWorld, wave: &[&Service]) -> Result<(), WorldError> {
        let mut waiting = FuturesUnordered::new();
        for service in wave {
            waiting.push(ready::wait(world.host.clone(), (*service).clone(), address(world, &service.name)));
        }
        let deadline = self.began + PATIENCE;
        let mut reasons = BTreeMap::<String, String>::new();
        let mut late: BTreeSet<String> = wave.iter().map(|service| service.name.clone()).collect();
        while !late.is_empty() {
            tokio::select! {
                biased;
                death = world.died() => {
                    let death = death?;
                    let service = self.relaunch(world, death).await?;
                    late.insert(service.name.clone());
                    waiting.push(ready::wait(world.host.clone(), service.clone(), address(world, &service.name)));
                }
                Some((service, at, result)) = waiting.next() => match result {
                    // Of a port that the service has no more.
                    _ if world.service(&service.name).as_ref() != Some(&at) => {}
                    Ok(()) => {
                        late.remove(&service.name);
                        let what = world.services.get(&service.name).map(|service| service.what.clone()).unwrap_or_default();
                        let took = self.began.elapsed();
                        self.events.emit(Event::ServiceReady { service: service.name, what, address: at.to_string(), took });
                    }
                    Err(why) => {
                        reasons.insert(service.name.clone(), why);
                        waiting.push(ready::wait(world.host.clone(), service, at));
                    }
                },
                () = tokio::time::sleep_until(deadline) => return Err(not_ready(world, &late, &reasons)),
            }
        }
        Ok(())
    }

    /// A service that ended while starting gets another port if its own was snatched; all else is its own fault.
    async fn relaunch(&mut self, world: &mut LocalWorld, death: Death) -> Result<Service, WorldError> {
        let (Some(service), Some(started)) =
            (self.system.services.get(&death.service), world.services.get(&death.service))
        else {
            return Err(WorldError::DiedStarting(death));
        };
        if started.attempts >= ATTEMPTS || !is_taken(&world.host, started.port) {
            return Err(WorldError::DiedStarting(death));
        }
        let plan = plan(world, service, self, started.attempts + 1)?;
        launch(world, vec![plan]).await?;
        Ok(service.clone())
    }
}

fn address(world: &LocalWorld, service: &str) -> Address {
    let port = world.services.get(service).map_or(0, |service| service.port);
    Address { host: LOOPBACK.to_owned(), port }
}

/// Names all that are not ready, and shows the lines of the first.
fn not_ready(world: &LocalWorld, late: &BTreeSet<String>, reasons: &BTreeMap<String, String>) -> WorldError {
    let mut late = late.iter();
    let service = late.next().cloned().unwrap_or_default();
    let mut why = reasons.get(&service).cloned().unwrap_or_else(|| "it did not respond".to_owned());
    let others: Vec<&str> = late.map(String::as_str).collect();
    if !others.is_empty() {
        why += &format!(" (nor were {})", others.join(", "));
    }
    let last_lines = logs::last_lines(&logs::path(world.supervision.folder(), &service));
    WorldError::NotReady { service, seconds: PATIENCE.as_secs(), why, last_lines }
}

async fn launch(world: &mut LocalWorld, launches: Vec<Launch>) -> Result<(), WorldError> {
    world.supervision.supervisor()?.launch(launches).await.map(drop).map_err(supervisor_failed)
}

/// Gives a service its port and makes its command.
fn plan(
    world: &mut LocalWorld,
    service: &Service,
    starting: &mut Starting<'_>,
    attempts: usize,
) -> Result<Launch, WorldError> {
    let port =
        starting.ports.free(&world.host).map_err(WorldError::machine(format!("no port for {}", service.name)))?;
    world.links.point_at(&service.name, LOOPBACK, port);
    let address = |to: &str, label: Option<&str>| world.links.address(&service.name, to, label);
    let mut env: BTreeMap<String, String> =
        service.env.iter().map(|(name, template)| (name.clone(), template.render(port, address))).collect();
    let (command, what) = match &service.start {
        Start::Command(words) => {
            let command: Vec<_> = words.iter().map(|word| word.render(port, address)).collect();
            let what = command.first().cloned().unwrap_or_default();
            (command, what)
        }
        Start::Image(image) => {
            let why =
                format!("service {} is the image {}, and here services are processes", service.name, image.reference);
            return Err(WorldError::CannotGive(why));
        }
        Start::Program(program) => match starting.redis.server_for(program)? {
            Some((path, version)) => (redis_command(path, port, world.supervision.folder()), version.clone()),
            None => {
                env.insert("PORT".to_owned(), port.to_string());
                env.insert("CHAOS_SEED".to_owned(), starting.seed.to_string());
                let program = RedisProgram::built_in(program);
                let executable = world.config.executable.display().to_string();
                (vec![executable, "serve".to_owned(), program.to_owned()], format!("{program} (built in)"))
            }
        },
    };
    env.extend(world.supervision.label.iter().flat_map(crate::run_label::RunLabel::of_services));
    let launch = Launch {
        name: service.name.clone(),
        command,
        env,
        inherit_env: matches!(service.start, Start::Command(_)),
        folder: working_folder(world, service)?,
        log: logs::path(world.supervision.folder(), &service.name),
    };
    let started = Started { port, launch: launch.clone(), service: service.clone(), what, attempts };
    world.services.insert(service.name.clone(), started);
    Ok(launch)
}

/// Folder that a service runs in: a command beside the file that names it, so that `./server` is found; what is built
/// in has nothing to find.
fn working_folder(world: &LocalWorld, service: &Service) -> Result<PathBuf, WorldError> {
    match service.start {
        Start::Program(_) | Start::Image(_) => Ok(world.supervision.folder().to_owned()),
        Start::Command(_) => {
            let refused =
                WorldError::machine(format!("the folder of {}, `{}`", service.name, service.folder.display()));
            std::path::absolute(Path::new(".").join(&service.folder)).map_err(refused)
        }
    }
}

fn redis_command(path: &Path, port: u16, folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let port = port.to_string();
    let words = ["--port", &port, "--bind", LOOPBACK, "--save", "", "--appendonly", "no", "--dir", &folder];
    std::iter::once(path.display().to_string()).chain(words.map(str::to_owned)).collect()
}
