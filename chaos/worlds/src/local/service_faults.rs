//! Faults of services: signals by the supervisor's hand, and the same program at the same address again. A service that
//! is ended here is waited for, so that its end is never taken for an accident.

use super::{LOOPBACK, LocalWorld};
use crate::{logs, supervision::supervisor_failed, supervisor::ServiceSignal};
use chaos_model::{Effect, effect::action::ServiceAction};
use chaos_run::{Address, Death, World as _, WorldError, flush, ready};
use std::time::Duration;

/// Time that a service has to end when asked to; then it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// Does what the effect says. When it returns, it holds.
pub(super) async fn apply(world: &mut LocalWorld, service: &str, effect: &Effect) -> Result<(), WorldError> {
    match effect.action().service {
        Some(ServiceAction::Pause) => signal(world, service, ServiceSignal::Freeze).await,
        Some(ServiceAction::Stop) => end(world, service, ServiceSignal::Terminate).await,
        Some(ServiceAction::Kill) => end(world, service, ServiceSignal::Kill).await,
        Some(ServiceAction::Restart) => {
            end(world, service, ServiceSignal::Terminate).await?;
            start(world, service).await
        }
        Some(ServiceAction::Flush) => flush::flush(&world.host, service, world.service(service)).await,
        Some(ServiceAction::Limit(_)) => Err(WorldError::CannotGive(format!(
            "processes can't be limited: {service} can have `{}` in docker alone",
            effect.name()
        ))),
        None => Err(WorldError::CannotGive(format!("`{}` acts on links, and {service} is a service", effect.name()))),
    }
}

/// Heals what [`apply`] did. When it returns, the service is ready again.
pub(super) async fn remove(world: &mut LocalWorld, service: &str, effect: &Effect) -> Result<(), WorldError> {
    match effect.action().service {
        Some(ServiceAction::Pause) => signal(world, service, ServiceSignal::Continue).await,
        Some(ServiceAction::Stop | ServiceAction::Kill) => start(world, service).await,
        // They are over when they have happened, or never did.
        Some(ServiceAction::Restart | ServiceAction::Flush | ServiceAction::Limit(_)) | None => Ok(()),
    }
}

// By the supervisor, the parent of the services: it alone can freeze, end and start them, and when its pipe closes it
// ends those that are frozen too.
async fn signal(world: &mut LocalWorld, service: &str, signal: ServiceSignal) -> Result<(), WorldError> {
    world.supervision.supervisor()?.signal(service, signal).await.map_err(supervisor_failed)
}

async fn end(world: &mut LocalWorld, service: &str, how: ServiceSignal) -> Result<(), WorldError> {
    let supervisor = world.supervision.supervisor()?;
    supervisor.signal(service, how).await.map_err(supervisor_failed)?;
    if let Ok(ended) = tokio::time::timeout(GRACE, supervisor.exited_of(service)).await {
        return ended.map(drop).map_err(supervisor_failed);
    }
    supervisor.signal(service, ServiceSignal::Kill).await.map_err(supervisor_failed)?;
    supervisor.exited_of(service).await.map(drop).map_err(supervisor_failed)
}

/// Starts the same program at the same port, and waits until it is ready, or has ended, or the supervisor is gone. The
/// run bounds how long that may take.
async fn start(world: &mut LocalWorld, service: &str) -> Result<(), WorldError> {
    let Some(started) = world.services.get(service) else {
        return Err(WorldError::CannotGive(format!("there is no service {service} to start again")));
    };
    let (launch, model, port) = (started.launch.clone(), started.service.clone(), started.port);
    world.supervision.supervisor()?.launch(vec![launch]).await.map_err(supervisor_failed)?;
    let (host, address) = (world.host.clone(), Address { host: LOOPBACK.to_owned(), port });
    let is_ready = async { while ready::wait(host.clone(), model.clone(), address.clone()).await.2.is_err() {} };
    let ended = tokio::select! {
        biased;
        ended = world.supervision.supervisor()?.exited_of(service) => ended.map_err(supervisor_failed)?,
        () = is_ready => return Ok(()),
    };
    let last_lines = logs::last_lines(&logs::path(world.supervision.folder(), service));
    Err(WorldError::DiedStarting(Death { service: ended.name, how: ended.how, last_lines }))
}
