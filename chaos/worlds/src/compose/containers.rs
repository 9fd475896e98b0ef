//! The containers that Compose makes: which they are, how they end, and whether they are ready.

use super::{ComposeRuntime, Contained, command::compose};
use crate::docker::{limits::Limited, logs, refused};
use chaos_run::{Address, AskReady, Exit, InstanceId, InstanceState, WorldError};
use chaos_supervise::engine::Engine;
use futures_util::future::BoxFuture;
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use testcontainers::bollard::{
    models::{ContainerInspectResponse, ContainerState, HealthStatusEnum},
    query_parameters::ListContainersOptionsBuilder,
};

/// Time that Compose has to start everything, health checks that it waits for included.
const UP_TIME: Duration = Duration::from_secs(600);
/// Time until a service is started again that has ended by itself, doubled with each that follows (as engines do).
const AGAIN: Duration = Duration::from_millis(100);
/// The longest such time.
const AT_MOST: Duration = Duration::from_secs(60);
/// The way in which a task ends that has done what it was for.
const ENDED_WELL: &str = "exit code 0";
const LOOPBACK: &str = "127.0.0.1";

/// A container of a project.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: String,
    /// The service that it is of, and its number in that.
    pub(super) service: String,
    number: u64,
    image: String,
    /// Ports of loopback, by those of the container.
    pub(super) published: BTreeMap<u16, u16>,
    /// The address in its first network.
    address: Option<String>,
}

/// All containers of a project, in the order of their services and numbers.
pub(super) async fn find(engine: &Engine, project: &str) -> Result<Vec<Found>, WorldError> {
    let failed = |error| WorldError::machine("the engine doesn't say what it runs")(io::Error::other(error));
    #[expect(clippy::disallowed_types, reason = "bollard wants one, and it has one key")]
    let filters = std::collections::HashMap::from([("label", vec![format!("com.docker.compose.project={project}")])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let listed = engine.client().list_containers(Some(options)).await.map_err(failed)?;
    let mut found = Vec::new();
    for id in listed.into_iter().filter_map(|container| container.id) {
        let inspected = engine.client().inspect_container(&id, None).await.map_err(failed)?;
        found.extend(Found::of(id, inspected));
    }
    found.sort_by(|one, other| (&one.service, one.number).cmp(&(&other.service, other.number)));
    Ok(found)
}

impl Found {
    fn of(id: String, inspected: ContainerInspectResponse) -> Option<Self> {
        let config = inspected.config.unwrap_or_default();
        let labels = config.labels.unwrap_or_default();
        let label = |key: &str| labels.get(&format!("com.docker.compose.{key}")).cloned();
        let network = inspected.network_settings.unwrap_or_default();
        let published = network.ports.unwrap_or_default().into_iter().filter_map(|(port, bindings)| {
            let inner = port.strip_suffix("/tcp")?.parse().ok()?;
            Some((inner, bindings?.first()?.host_port.as_ref()?.parse().ok()?))
        });
        let addresses = network.networks.unwrap_or_default().into_values().filter_map(|endpoint| endpoint.ip_address);
        Some(Self {
            id,
            service: label("service")?,
            number: label("container-number").and_then(|number| number.parse().ok()).unwrap_or(1),
            image: config.image.unwrap_or_default(),
            published: published.collect(),
            address: addresses.filter(|address| !address.is_empty()).min(),
        })
    }

    /// The address at which it is reached past any proxy: a port of loopback; in a network that leads nowhere else, its own.
    fn reached_at(&self, port: Option<u16>) -> Address {
        let published = port.and_then(|port| self.published.get(&port));
        match (published, port, &self.address) {
            (Some(port), ..) => Address { host: LOOPBACK.to_owned(), port: *port },
            (None, Some(port), Some(address)) => Address { host: address.clone(), port },
            // A task listens nowhere.
            _ => Address { host: LOOPBACK.to_owned(), port: 0 },
        }
    }
}

/// Has Compose start all services, in the file's order, and finds their containers.
pub(super) async fn up(runtime: &mut ComposeRuntime) -> Result<(), WorldError> {
    compose(runtime, &["up", "-d", "--no-build", "--no-recreate"], UP_TIME).await?;
    let Some(project) = &runtime.project else { return Ok(()) };
    let found = find(runtime.engine()?, &project.name).await?;
    let (ports, proxies, may_end_well) = (project.ports.clone(), project.proxies.clone(), project.may_end_well.clone());
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for container in found.into_iter().filter(|container| !proxies.contains(&container.service)) {
        let number = numbers.entry(container.service.clone()).or_default();
        *number += 1;
        let instance = InstanceId { service: container.service.clone(), number: *number };
        let port = ports.get(&container.service).and_then(|ports| ports.first().copied());
        let contained = Contained {
            address: container.reached_at(port),
            what: container.image.clone(),
            port,
            may_end_well: may_end_well.contains(&container.service),
            restart: runtime.restarts.get(&container.service).copied().unwrap_or_default(),
            limited: Limited::default(),
            said_before: Arc::default(),
            asked: Arc::new(AtomicBool::new(false)),
            id: container.id,
        };
        runtime.instances.insert(instance.clone(), contained);
        watch(runtime, &instance)?;
    }
    Ok(())
}

/// Starts an instance's container again that was ended by the run.
pub(super) async fn start(runtime: &mut ComposeRuntime, instance: &InstanceId) -> Result<(), WorldError> {
    let (engine, of) = runtime.of(instance)?;
    of.asked.store(false, Ordering::SeqCst);
    of.said_before.store(logs::length(engine, &of.id).await, Ordering::Relaxed);
    engine.start(&of.id).await.map_err(refused("started", instance))?;
    let inspected = engine.client().inspect_container(&of.id, None).await.map_err(io::Error::other);
    let inspected = inspected.map_err(refused("looked at", instance))?;
    let now = Found::of(of.id.clone(), inspected).map(|found| found.reached_at(of.port));
    if let (Some(address), Some(of)) = (now, runtime.instances.get_mut(instance)) {
        // An engine gives a container that starts again another address, and another port where it chose that.
        of.address = address;
    }
    watch(runtime, instance)
}

/// Watches a container that was started, until it ends for good: the file's rule of restarts holds for what ends by itself.
fn watch(runtime: &ComposeRuntime, instance: &InstanceId) -> Result<(), WorldError> {
    let (engine, of) = runtime.of(instance)?;
    let (engine, id, asked, rule) = (engine.clone(), of.id.clone(), Arc::clone(&of.asked), of.restart);
    let (may_end_well, instance, sender) = (of.may_end_well, instance.clone(), runtime.exits.sender());
    drop(runtime.host.spawn(async move {
        let mut starts = 0;
        loop {
            let how = engine.ended(&id).await;
            let by_itself = || !asked.load(Ordering::SeqCst);
            if by_itself() && rule.again(how == ENDED_WELL, starts) {
                tokio::time::sleep(AGAIN.saturating_mul(2_u32.saturating_pow(starts)).min(AT_MOST)).await;
                starts += 1;
                // Whoever has ended it meanwhile does not want it back.
                if by_itself() && engine.start(&id).await.is_ok() {
                    continue;
                }
            }
            if by_itself() && may_end_well && how == ENDED_WELL {
                return;
            }
            // The run is over.
            let _ = sender.send(Exit { instance, start: 0, how, killed_after: None });
            return;
        }
    }));
    Ok(())
}

/// The question to the engine whether a container is ready. Where the system's file says what is to be asked of it
/// (`is_asked`), that counts, and not its health check.
pub(super) fn asks(engine: &Engine, of: &Contained, is_asked: bool) -> AskReady {
    let (engine, id, has_port, may_end_well) = (engine.clone(), of.id.clone(), of.port.is_some(), of.may_end_well);
    Arc::new(move || -> BoxFuture<'static, Result<InstanceState, String>> {
        let (engine, id) = (engine.clone(), id.clone());
        Box::pin(async move {
            let inspected = engine.client().inspect_container(&id, None).await.map_err(|error| error.to_string())?;
            let state = inspected.state.unwrap_or_default();
            if is_asked && state.running == Some(true) {
                return Ok(InstanceState::Runs);
            }
            readiness(&state, has_port, may_end_well)
        })
    })
}

/// Healthy where it has a health check; else it runs, or has done what it was for.
fn readiness(state: &ContainerState, has_port: bool, may_end_well: bool) -> Result<InstanceState, String> {
    if state.running != Some(true) {
        // One that was never started has no moment of its end.
        let has_ended = state.finished_at.as_deref().is_some_and(|at| !at.starts_with("0001-"));
        let is_done = may_end_well && has_ended && state.exit_code == Some(0);
        return if is_done { Ok(InstanceState::Ready) } else { Err("its container does not run".to_owned()) };
    }
    match state.health.as_ref().and_then(|health| health.status) {
        Some(HealthStatusEnum::STARTING) => Err("its health check has not succeeded yet".to_owned()),
        Some(HealthStatusEnum::UNHEALTHY) => Err("its health check fails".to_owned()),
        Some(HealthStatusEnum::HEALTHY) => Ok(InstanceState::Ready),
        // No health check.
        _ if has_port => Ok(InstanceState::Runs),
        _ => Ok(InstanceState::Ready),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testcontainers::bollard::models::Health;

    fn state(running: bool, exit_code: i64, health: Option<HealthStatusEnum>) -> ContainerState {
        let health = health.map(|status| Health { status: Some(status), ..Health::default() });
        let at = if running { "0001-01-01T00:00:00Z" } else { "2024-01-01T00:00:00Z" };
        let finished_at = Some(at.to_owned());
        let (running, exit_code) = (Some(running), Some(exit_code));
        ContainerState { running, exit_code, health, finished_at, ..ContainerState::default() }
    }

    #[test]
    fn a_container_is_ready_as_its_health_check_says() {
        let healthy = |status| readiness(&state(true, 0, Some(status)), true, false);
        assert_eq!(healthy(HealthStatusEnum::HEALTHY), Ok(InstanceState::Ready));
        assert!(healthy(HealthStatusEnum::STARTING).unwrap_err().contains("not succeeded yet"));
        assert!(healthy(HealthStatusEnum::UNHEALTHY).unwrap_err().contains("fails"));
        assert_eq!(healthy(HealthStatusEnum::NONE), Ok(InstanceState::Runs), "it has none");
        assert_eq!(readiness(&state(true, 0, None), true, true), Ok(InstanceState::Runs), "it is asked at its port");
        assert_eq!(readiness(&state(true, 0, None), false, true), Ok(InstanceState::Ready), "it has none");
    }

    #[test]
    fn a_task_is_ready_when_it_has_ended_well() {
        assert_eq!(readiness(&state(false, 0, None), false, true), Ok(InstanceState::Ready));
        assert!(readiness(&state(false, 1, None), false, true).is_err());
        assert!(readiness(&state(false, 0, None), true, false).is_err(), "a service that ended");
        let created = ContainerState { finished_at: Some("0001-01-01T00:00:00Z".to_owned()), ..state(false, 0, None) };
        assert!(readiness(&created, false, true).is_err(), "it has not begun");
    }
}
