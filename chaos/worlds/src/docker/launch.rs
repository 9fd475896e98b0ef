//! Starting the services: those of a wave at once, and the next when all of them are ready.

use super::{DockerWorld, LOOPBACK, plan};
use crate::{ports::Ports, relayed};
use chaos_model::{Event, Service, System};
use chaos_run::{Address, Events, World as _, WorldError};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::{collections::BTreeMap, io, time::Duration};
use testcontainers::runners::AsyncRunner as _;
use tokio::time::Instant;

/// Time that the services have to become ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// Number of attempts to start a service whose port is taken.
const ATTEMPTS: usize = 4;

/// Starts every service, each after those that it uses, and waits until all are ready.
pub(super) async fn start(
    world: &mut DockerWorld,
    (system, seed): (&System, u64),
    network: &str,
    ports: &mut Ports,
    events: &Events,
) -> Result<(), WorldError> {
    let began = Instant::now();
    for service in system.services.values() {
        plan::publish(world, service, ports)?;
    }
    for wave in system.start_order() {
        create(world, &wave, (network, seed), ports).await?;
        until_ready(world, &wave, began, events).await?;
    }
    Ok(())
}

/// Makes and starts the containers of these services, all at once. A service whose port was snatched gets another: the
/// engine may not have let go yet of one that a run had which was killed.
async fn create(
    world: &mut DockerWorld,
    wave: &[&Service],
    ground: (&str, u64),
    ports: &mut Ports,
) -> Result<(), WorldError> {
    let mut left = wave.to_vec();
    for attempt in 1.. {
        let snatched = create_once(world, &left, ground, attempt < ATTEMPTS).await?;
        left.retain(|service| snatched.contains(&service.name));
        if left.is_empty() {
            break;
        }
        for service in &left {
            // It was made, and not started.
            world.engine()?.remove_container(&plan::container_name(ground.0, &service.name)).await;
            plan::publish(world, service, ports)?;
        }
    }
    Ok(())
}

/// Gives the names of those whose ports were snatched, where they are to be tried again.
async fn create_once(
    world: &mut DockerWorld,
    wave: &[&Service],
    ground: (&str, u64),
    is_forgiving: bool,
) -> Result<Vec<String>, WorldError> {
    let mut starting = FuturesUnordered::new();
    for service in wave {
        let request = plan::request(world, service, ground)?;
        starting.push(async { (service.name.clone(), request.start().await) });
    }
    let mut snatched = Vec::new();
    while let Some((name, result)) = starting.next().await {
        match result {
            Ok(container) => {
                world.exits.watch(&world.host, world.engine()?, &name, container.id());
                if let Some(started) = world.services.get_mut(&name) {
                    started.container = Some(container);
                }
            }
            Err(error) if is_forgiving && is_of_port(&error.to_string()) => snatched.push(name),
            Err(error) => {
                let refused = WorldError::machine(format!("{name} can't be started"));
                return Err(refused(io::Error::other(error)));
            }
        }
    }
    Ok(snatched)
}

/// True where the engine refused a port: it has no code for that, and says either, by who holds it.
fn is_of_port(error: &str) -> bool {
    error.contains("port is already allocated") || error.contains("address already in use")
}

/// Waits until these services are ready.
async fn until_ready(
    world: &mut DockerWorld,
    wave: &[&Service],
    began: Instant,
    events: &Events,
) -> Result<(), WorldError> {
    let mut waiting = FuturesUnordered::new();
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    for service in wave {
        waiting.push(relayed::wait(world.host.clone(), (*service).clone(), address(world, &service.name)));
        reasons.insert(service.name.clone(), "it did not respond".to_owned());
    }
    while !reasons.is_empty() {
        tokio::select! {
            biased;
            death = world.died() => return Err(WorldError::DiedStarting(death?)),
            Some((service, at, result)) = waiting.next() => match result {
                Ok(()) => {
                    reasons.remove(&service.name);
                    let what = world.services.get(&service.name).map(|service| service.what.clone()).unwrap_or_default();
                    events.emit(Event::ServiceReady { service: service.name, what, address: at.to_string(), took: began.elapsed() });
                }
                Err(why) => {
                    reasons.insert(service.name.clone(), why);
                    waiting.push(relayed::wait(world.host.clone(), service, at));
                }
            },
            () = tokio::time::sleep_until(began + PATIENCE) => return Err(not_ready(world, &reasons).await),
        }
    }
    Ok(())
}

fn address(world: &DockerWorld, service: &str) -> Address {
    world.service(service).unwrap_or(Address { host: LOOPBACK.to_owned(), port: 0 })
}

/// Names all that are not ready, and shows the lines of the first.
async fn not_ready(world: &DockerWorld, reasons: &BTreeMap<String, String>) -> WorldError {
    let mut late = reasons.iter();
    let (service, why) = late.next().map(|(service, why)| (service.clone(), why.clone())).unwrap_or_default();
    let others: Vec<&str> = late.map(|(service, _)| service.as_str()).collect();
    let why = if others.is_empty() { why } else { format!("{why} (nor were {})", others.join(", ")) };
    let last_lines = world.last_lines(&service).await;
    WorldError::NotReady { service, seconds: PATIENCE.as_secs(), why, last_lines }
}
