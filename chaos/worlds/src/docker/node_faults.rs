//! Faults of nodes, by the engine's hand: a container that is started again has the address that it had. One that is ended
//! here is waited for, so that its end is never taken for an accident.

use super::{DockerWorld, limits};
use crate::{engine::Engine, relayed};
use chaos_model::{Fault, effect::action::NodeAction};
use chaos_run::{Death, World as _, WorldError, flush};
use std::io;
use testcontainers::bollard::query_parameters::KillContainerOptionsBuilder;

/// Does what the effect says. When it returns, it holds.
pub(super) async fn apply(world: &mut DockerWorld, node: &str, fault: &Fault) -> Result<(), WorldError> {
    match fault.effect.action().node {
        Some(NodeAction::Pause) => {
            let (engine, id) = of(world, node)?;
            engine.0.pause_container(id).await.map_err(refused("frozen", node))
        }
        Some(NodeAction::Stop) => stop(world, node).await,
        Some(NodeAction::Kill) => {
            let (engine, id) = of(world, node)?;
            let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
            engine.0.kill_container(id, Some(options)).await.map_err(refused("killed", node))?;
            world.exits.of(node).await;
            Ok(())
        }
        Some(NodeAction::Restart) => {
            stop(world, node).await?;
            start(world, node).await
        }
        Some(NodeAction::Flush) => flush::flush(&world.host, node, world.node(node)).await,
        Some(NodeAction::Limit(limit)) => limits::apply(world, node, (&fault.name, limit)).await,
        None => Err(WorldError::CannotGive(format!("`{}` acts on links, and {node} is a node", fault.effect.name()))),
    }
}

/// Heals what [`apply`] did. When it returns, the node is ready again.
pub(super) async fn remove(world: &mut DockerWorld, node: &str, fault: &Fault) -> Result<(), WorldError> {
    match fault.effect.action().node {
        Some(NodeAction::Pause) => {
            let (engine, id) = of(world, node)?;
            engine.0.unpause_container(id).await.map_err(refused("thawed", node))
        }
        Some(NodeAction::Stop | NodeAction::Kill) => start(world, node).await,
        Some(NodeAction::Limit(limit)) => limits::remove(world, node, (&fault.name, limit)).await,
        // They are over when they have happened.
        Some(NodeAction::Restart | NodeAction::Flush) | None => Ok(()),
    }
}

pub(super) fn of<'a>(world: &'a DockerWorld, node: &str) -> Result<(&'a Engine, &'a str), WorldError> {
    Ok((world.engine()?, world.container(node)?))
}

pub(super) fn refused(
    what: &str,
    node: &str,
) -> impl FnOnce(testcontainers::bollard::errors::Error) -> WorldError + use<> {
    let refused = WorldError::machine(format!("{node} can't be {what}"));
    move |error| refused(io::Error::other(error))
}

async fn stop(world: &mut DockerWorld, node: &str) -> Result<(), WorldError> {
    let (engine, id) = of(world, node)?;
    engine.stop(id).await.map_err(WorldError::machine(format!("{node} can't be stopped")))?;
    world.exits.of(node).await;
    Ok(())
}

/// Starts the same container, and waits until it is ready or has ended. The run bounds how long that may take.
async fn start(world: &mut DockerWorld, node: &str) -> Result<(), WorldError> {
    let (engine, id) = of(world, node)?;
    engine.0.start_container(id, None).await.map_err(refused("started", node))?;
    world.exits.watch(&world.host, engine, node, id);
    let (Some(started), Some(address)) = (world.nodes.get(node), world.node(node)) else {
        return Err(WorldError::CannotGive(format!("there is no node {node} to start again")));
    };
    let (host, model) = (world.host.clone(), started.node.clone());
    let is_ready = async { while relayed::wait(host.clone(), model.clone(), address.clone()).await.2.is_err() {} };
    let exit = tokio::select! {
        biased;
        exit = world.exits.of(node) => exit,
        () = is_ready => return Ok(()),
    };
    let last_lines = world.last_lines(node).await;
    Err(WorldError::DiedStarting(Death { node: exit.node, how: exit.how, last_lines }))
}
