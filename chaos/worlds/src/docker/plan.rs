//! From a service to its container: image, command, settings, ports.

use super::{DockerRuntime, LOOPBACK, Started, images::is_real_redis, limits::Limited};
use crate::redis_server;
use chaos_model::{Readiness, Service, Start, system::ListenPorts};
use chaos_run::{InstanceId, LinkAddresses, WorldError};
use chaos_supervise::logs;
use std::{collections::BTreeMap, sync::Arc};
use testcontainers::{
    ContainerRequest, GenericImage, ImageExt as _,
    bollard::models::{HostConfig, HostConfigLogConfig},
    core::IntoContainerPort as _,
};

impl DockerRuntime {
    /// Gives a service its port on loopback.
    pub(super) fn publish(&mut self, service: &Service) -> Result<(), WorldError> {
        let mut free = || {
            let what = format!("no port for {}", service.name);
            self.ports.free(&self.host).map_err(WorldError::machine(what))
        };
        let own = free()?;
        let named = service.ports.keys().map(|name| Ok((name.clone(), free()?))).collect::<Result<_, WorldError>>()?;
        let ports = ListenPorts { own, named, files: BTreeMap::new() };
        let image = self.config.images.of(service);
        let what = match &service.start {
            Start::Program(program) => format!("{program} ({image})"),
            Start::Command(_) | Start::Image(_) | Start::Address(_) | Start::Compose(_) => image.to_owned(),
        };
        let said_before = matches!(service.ready, Some(Readiness::Log(_))).then(Arc::default);
        let started = Started { ports, said_before, what, container: None, limited: Limited::default() };
        self.services.insert(InstanceId::first(service.name.as_str()), started);
        Ok(())
    }

    /// The request to the engine for a service that is published.
    pub(super) fn request(
        &self,
        service: &Service,
        links: &LinkAddresses,
    ) -> Result<ContainerRequest<GenericImage>, WorldError> {
        let started = self.services.get(&InstanceId::first(service.name.as_str()));
        let listens = self.listens.get(&service.name);
        let (Some(started), Some(own), Some(label)) = (started, listens.copied(), self.supervision.label()) else {
            return Err(WorldError::CannotGive(format!("there is no service {}", service.name)));
        };
        let address = |to: &str, label: Option<&str>| links.of(&service.name, to, label);
        // In its container, each is where its file says.
        let ports = ListenPorts { own, named: service.ports.clone(), files: BTreeMap::new() };
        let mut env = links.settings(service, &ports);
        let network = self.network_name();
        let (name, tag) = split(self.config.images.of(service));
        let command = match &service.start {
            Start::Program(program) if is_real_redis(program) => redis_command(own, &env),
            Start::Program(program) => {
                env.extend([("PORT".to_owned(), own.to_string()), ("CHAOS_SEED".to_owned(), self.seed.to_string())]);
                vec!["serve".to_owned(), if program == "redis-built-in" { "redis" } else { program }.to_owned()]
            }
            Start::Image(image) => image.command.iter().map(|word| word.render(&ports, address)).collect(),
            Start::Command(_) | Start::Address(_) | Start::Compose(_) => {
                let why = format!("service {} is no image, and containers have images", service.name);
                return Err(WorldError::CannotGive(why));
            }
        };
        let request = GenericImage::new(name, tag)
            .with_container_name(container_name(network, &service.name))
            .with_hostname(service.name.as_str())
            .with_network(network)
            .with_labels(label.engine_labels())
            .with_label("chaos.service", service.name.as_str())
            // A fixed port of loopback, and not the container's own address, which changes when it is started again.
            .with_mapped_port(started.ports.own, own.tcp())
            .with_cmd(command)
            .with_host_config_modifier(keep_here);
        let published = started.ports.named.iter().filter_map(|(name, at)| Some((*at, service.ports.get(name)?)));
        let request = published.fold(request, |request, (at, port)| request.with_mapped_port(at, port.tcp()));
        let request = match &service.working_dir {
            Some(folder) => request.with_working_dir(folder.display().to_string()),
            None => request,
        };
        Ok(env.into_iter().fold(request, |request, (name, value)| request.with_env_var(name, value)))
    }

    /// The name of the run's network.
    pub(super) fn network_name(&self) -> &str {
        self.network.as_ref().map_or("", |made| &made.name)
    }
}

/// Sees to it that ports are published on loopback alone, and that the engine keeps what a service says.
fn keep_here(config: &mut HostConfig) {
    // By itself, it would be published to everybody.
    for bindings in config.port_bindings.iter_mut().flat_map(|map| map.values_mut()).flatten() {
        for binding in bindings {
            binding.host_ip = Some(LOOPBACK.to_owned());
        }
    }
    // What a service says is read back, whatever the engine does with output otherwise.
    // The engine keeps the last of it: a service that never stops talking doesn't fill the disk.
    let most = [("max-size", format!("{}k", logs::MOST / 2 / 1024)), ("max-file", "2".to_owned())];
    let most = most.map(|(name, value)| (name.to_owned(), value)).into();
    config.log_config = Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(most) });
}

/// Name of a service's container.
pub(super) fn container_name(network: &str, service: &str) -> String {
    format!("{network}-{service}")
}

fn redis_command(port: u16, env: &BTreeMap<String, String>) -> Vec<String> {
    // Others than itself may use it: that is what its network is for.
    let words = ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no"].map(str::to_owned);
    words.into_iter().chain(redis_server::options(port, env)).collect()
}

/// Name and tag of an image. A colon before the last slash is of a registry's port.
fn split(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_registry_may_have_a_port() {
        assert_eq!(split("redis:7.2"), ("redis", "7.2"));
        assert_eq!(split("redis"), ("redis", "latest"));
        assert_eq!(split("registry:5000/redis"), ("registry:5000/redis", "latest"));
        assert_eq!(split("registry:5000/a/redis:7"), ("registry:5000/a/redis", "7"));
        // Joined by a colon, as they are in the end, these are the same again.
        assert_eq!(split("redis:7@sha256:1f"), ("redis:7@sha256", "1f"));
    }
}
