//! Faults of services, by the engine's hand: a container that is started again has the address that it had. One that is
//! ended here is waited for, so that its end is never taken for an accident.

use super::{DockerWorld, limits};
use crate::{engine::Engine, relayed};
use chaos_model::{Fault, effect::action::ServiceAction};
use chaos_run::{Death, World as _, WorldError, flush};
use std::io;
use testcontainers::bollard::query_parameters::KillContainerOptionsBuilder;

/// Does what the effect says. When it returns, it holds.
pub(super) async fn apply(world: &mut DockerWorld, service: &str, fault: &Fault) -> Result<(), WorldError> {
    match fault.effect.action().service {
        Some(ServiceAction::Pause) => {
            let (engine, id) = of(world, service)?;
            engine.0.pause_container(id).await.map_err(refused("frozen", service))
        }
        Some(ServiceAction::Stop) => stop(world, service).await,
        Some(ServiceAction::Kill) => {
            let (engine, id) = of(world, service)?;
            let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
            engine.0.kill_container(id, Some(options)).await.map_err(refused("killed", service))?;
            world.exits.of(service).await;
            Ok(())
        }
        Some(ServiceAction::Restart) => {
            stop(world, service).await?;
            start(world, service).await
        }
        Some(ServiceAction::Flush) => flush::flush(&world.host, service, world.service(service)).await,
        Some(ServiceAction::Limit(limit)) => limits::apply(world, service, (&fault.name, limit)).await,
        None => {
            Err(WorldError::CannotGive(format!("`{}` acts on links, and {service} is a service", fault.effect.name())))
        }
    }
}

/// Heals what [`apply`] did. When it returns, the service is ready again.
pub(super) async fn remove(world: &mut DockerWorld, service: &str, fault: &Fault) -> Result<(), WorldError> {
    match fault.effect.action().service {
        Some(ServiceAction::Pause) => {
            let (engine, id) = of(world, service)?;
            engine.0.unpause_container(id).await.map_err(refused("thawed", service))
        }
        Some(ServiceAction::Stop | ServiceAction::Kill) => start(world, service).await,
        Some(ServiceAction::Limit(limit)) => limits::remove(world, service, (&fault.name, limit)).await,
        // They are over when they have happened.
        Some(ServiceAction::Restart | ServiceAction::Flush) | None => Ok(()),
    }
}

pub(super) fn of<'a>(world: &'a DockerWorld, service: &str) -> Result<(&'a Engine, &'a str), WorldError> {
    Ok((world.engine()?, world.container(service)?))
}

pub(super) fn refused(
    what: &str,
    service: &str,
) -> impl FnOnce(testcontainers::bollard::errors::Error) -> WorldError + use<> {
    let refused = WorldError::machine(format!("{service} can't be {what}"));
    move |error| refused(io::Error::other(error))
}

async fn stop(world: &mut DockerWorld, service: &str) -> Result<(), WorldError> {
    let (engine, id) = of(world, service)?;
    engine.stop(id).await.map_err(WorldError::machine(format!("{service} can't be stopped")))?;
    world.exits.of(service).await;
    Ok(())
}

/// Starts the same container, and waits until it is ready or has ended. The run bounds how long that may take.
async fn start(world: &mut DockerWorld, service: &str) -> Result<(), WorldError> {
    let (engine, id) = of(world, service)?;
    engine.0.start_container(id, None).await.map_err(refused("started", service))?;
    world.exits.watch(&world.host, engine, service, id);
    let (Some(started), Some(address)) = (world.services.get(service), world.service(service)) else {
        return Err(WorldError::CannotGive(format!("there is no service {service} to start again")));
    };
    let (host, model) = (world.host.clone(), started.service.clone());
    let is_ready = async { while relayed::wait(host.clone(), model.clone(), address.clone()).await.2.is_err() {} };
    let exit = tokio::select! {
        biased;
        exit = world.exits.of(service) => exit,
        () = is_ready => return Ok(()),
    };
    let last_lines = world.last_lines(service).await;
    Err(WorldError::DiedStarting(Death { service: exit.service, how: exit.how, last_lines }))
}
