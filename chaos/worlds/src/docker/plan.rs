//! From a node to its container: image, command, settings, ports.

use super::{DockerWorld, LOOPBACK, Started, images::is_real_redis, limits::Limited};
use crate::ports::Ports;
use chaos_model::{Node, Start};
use chaos_run::WorldError;
use std::collections::BTreeMap;
use testcontainers::{
    ContainerRequest, GenericImage, ImageExt as _, bollard::models::HostConfigLogConfig, core::IntoContainerPort as _,
};

/// Gives a node its port on loopback, and leads its links there.
pub(super) fn publish(world: &mut DockerWorld, node: &Node, ports: &mut Ports) -> Result<(), WorldError> {
    let port = ports.free(&world.host).map_err(WorldError::machine(format!("no port for {}", node.name)))?;
    world.links.point_at(&node.name, LOOPBACK, port);
    let image = world.config.images.of(node);
    let what = match &node.start {
        Start::Program(program) => format!("{program} ({image})"),
        Start::Command(_) | Start::Image(_) => image.to_owned(),
    };
    let started = Started { node: node.clone(), port, what, container: None, limited: Limited::default() };
    world.nodes.insert(node.name.clone(), started);
    Ok(())
}

/// What to ask of the engine for a node that is published.
pub(super) fn request(
    world: &DockerWorld,
    node: &Node,
    (network, seed): (&str, u64),
) -> Result<ContainerRequest<GenericImage>, WorldError> {
    let (started, listens) = (world.nodes.get(&node.name), world.listens.get(&node.name));
    let (Some(started), Some(own), Some(mark)) = (started, listens.copied(), &world.kept.mark) else {
        return Err(WorldError::CannotGive(format!("there is no node {}", node.name)));
    };
    let address = |to: &str, label: Option<&str>| world.links.address(&node.name, to, label);
    let mut env: BTreeMap<String, String> =
        node.env.iter().map(|(name, template)| (name.clone(), template.render(own, address))).collect();
    let (name, tag) = split(world.config.images.of(node));
    let command = match &node.start {
        Start::Program(program) if is_real_redis(program) => redis_command(own),
        Start::Program(program) => {
            env.extend([("PORT".to_owned(), own.to_string()), ("CHAOS_SEED".to_owned(), seed.to_string())]);
            vec!["serve".to_owned(), if program == "redis-built-in" { "redis" } else { program }.to_owned()]
        }
        Start::Image(image) => image.command.iter().map(|word| word.render(own, address)).collect(),
        Start::Command(_) => {
            return Err(WorldError::CannotGive(format!(
                "node {} runs a command, and containers have images",
                node.name
            )));
        }
    };
    let request = GenericImage::new(name, tag)
        .with_container_name(container_name(network, &node.name))
        .with_hostname(node.name.as_str())
        .with_network(network)
        .with_labels(mark.labels())
        .with_label("chaos.node", node.name.as_str())
        .with_mapped_port(started.port, own.tcp())
        .with_cmd(command)
        .with_host_config_modifier(|config| {
            // By itself, it would be published to everybody.
            for bindings in config.port_bindings.iter_mut().flat_map(|map| map.values_mut()).flatten() {
                for binding in bindings {
                    binding.host_ip = Some(LOOPBACK.to_owned());
                }
            }
            // What a node says is read back, whatever the engine does with output otherwise.
            config.log_config = Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: None });
        });
    Ok(env.into_iter().fold(request, |request, (name, value)| request.with_env_var(name, value)))
}

/// What a node's container is called.
pub(super) fn container_name(network: &str, node: &str) -> String {
    format!("{network}-{node}")
}

fn redis_command(port: u16) -> Vec<String> {
    let port = port.to_string();
    // Others than itself may use it: that is what its network is for.
    let words = ["redis-server", "--port", &port, "--bind", "0.0.0.0", "--protected-mode", "no", "--save", ""];
    words.into_iter().chain(["--appendonly", "no"]).map(str::to_owned).collect()
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
