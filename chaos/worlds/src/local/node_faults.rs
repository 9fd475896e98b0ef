//! Faults of nodes: signals by the keeper's hand, and the same program at the same address again. A node that is ended
//! here is waited for, so that its end is never taken for an accident.

use super::{LOOPBACK, LocalWorld};
use crate::{keeper::NodeSignal, kept::keeper_failed, logs};
use chaos_model::{Effect, effect::action::NodeAction};
use chaos_run::{Address, Death, World as _, WorldError, flush, ready};
use std::time::Duration;

/// How long a node has to end when asked to; then it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// Does what the effect says. When it returns, it holds.
pub(super) async fn apply(world: &mut LocalWorld, node: &str, effect: &Effect) -> Result<(), WorldError> {
    match effect.action().node {
        Some(NodeAction::Pause) => signal(world, node, NodeSignal::Freeze).await,
        Some(NodeAction::Stop) => end(world, node, NodeSignal::Terminate).await,
        Some(NodeAction::Kill) => end(world, node, NodeSignal::Kill).await,
        Some(NodeAction::Restart) => {
            end(world, node, NodeSignal::Terminate).await?;
            start(world, node).await
        }
        Some(NodeAction::Flush) => flush::flush(&world.host, node, world.node(node)).await,
        Some(NodeAction::Limit(_)) => Err(WorldError::CannotGive(format!(
            "processes can't be limited: {node} can have `{}` in docker alone",
            effect.name()
        ))),
        None => Err(WorldError::CannotGive(format!("`{}` acts on links, and {node} is a node", effect.name()))),
    }
}

/// Heals what [`apply`] did. When it returns, the node is ready again.
pub(super) async fn remove(world: &mut LocalWorld, node: &str, effect: &Effect) -> Result<(), WorldError> {
    match effect.action().node {
        Some(NodeAction::Pause) => signal(world, node, NodeSignal::Continue).await,
        Some(NodeAction::Stop | NodeAction::Kill) => start(world, node).await,
        // They are over when they have happened, or never did.
        Some(NodeAction::Restart | NodeAction::Flush | NodeAction::Limit(_)) | None => Ok(()),
    }
}

async fn signal(world: &mut LocalWorld, node: &str, signal: NodeSignal) -> Result<(), WorldError> {
    world.kept.keeper()?.signal(node, signal).await.map_err(keeper_failed)
}

async fn end(world: &mut LocalWorld, node: &str, how: NodeSignal) -> Result<(), WorldError> {
    let keeper = world.kept.keeper()?;
    keeper.signal(node, how).await.map_err(keeper_failed)?;
    if let Ok(ended) = tokio::time::timeout(GRACE, keeper.exited_of(node)).await {
        return ended.map(drop).map_err(keeper_failed);
    }
    keeper.signal(node, NodeSignal::Kill).await.map_err(keeper_failed)?;
    keeper.exited_of(node).await.map(drop).map_err(keeper_failed)
}

/// Starts the same program at the same port, and waits until it is ready, or has ended, or the keeper is gone. The run
/// bounds how long that may take.
async fn start(world: &mut LocalWorld, node: &str) -> Result<(), WorldError> {
    let Some(started) = world.nodes.get(node) else {
        return Err(WorldError::CannotGive(format!("there is no node {node} to start again")));
    };
    let (launch, model, port) = (started.launch.clone(), started.node.clone(), started.port);
    world.kept.keeper()?.launch(vec![launch]).await.map_err(keeper_failed)?;
    let (host, address) = (world.host.clone(), Address { host: LOOPBACK.to_owned(), port });
    let is_ready = async { while ready::wait(host.clone(), model.clone(), address.clone()).await.2.is_err() {} };
    let ended = tokio::select! {
        biased;
        ended = world.kept.keeper()?.exited_of(node) => ended.map_err(keeper_failed)?,
        () = is_ready => return Ok(()),
    };
    let last_lines = logs::last_lines(&logs::path(world.kept.folder(), node));
    Err(WorldError::DiedStarting(Death { node: ended.name, how: ended.how, last_lines }))
}
