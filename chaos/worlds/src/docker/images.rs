//! Images that the services run in: those that are on this machine.

use chaos_model::{Image, Service, Start, System};
use chaos_run::WorldError;
use chaos_supervise::engine::Engine;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};
use testcontainers::bollard::errors::Error as EngineError;

/// The images of the programs that `chaos` brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Ours: it runs every built-in program, as `serve PROGRAM`.
    pub chaos: String,
    /// A real Redis.
    pub redis: String,
}

/// Advice where an image of ours is missing.
const MADE_BY: &str = "`scripts/images` makes it";
/// Advice where an image is missing that ours stand on.
const PULLED_BY: &str = "`scripts/base-images` pulls it, or makes a stand-in";

impl Images {
    // Every built-in program runs from one image, as `chaos serve` runs it in the world `local`: the same settings and
    // seed, whichever it is. The real Redis is Redis's image.
    /// The image of a service.
    pub(super) fn of<'a>(&'a self, service: &'a Service) -> &'a str {
        match &service.start {
            Start::Program(program) if is_real_redis(program) => &self.redis,
            Start::Image(image) => &image.reference,
            Start::Program(_) | Start::Command(_) | Start::Address(_) | Start::Compose(_) => &self.chaos,
        }
    }

    /// Sees to it that all images of a system are there: none is pulled in mid-run. Gives the port that each service
    /// listens on in its container.
    pub(super) async fn check(&self, engine: &Engine, system: &System) -> Result<BTreeMap<String, u16>, WorldError> {
        let mut ports = BTreeMap::new();
        let ours = system.services.values().filter(|service| !matches!(service.start, Start::Address(_)));
        for service in ours {
            let (name, image) = (&service.name, self.of(service));
            let found = match engine.client().inspect_image(image).await {
                Ok(found) => found,
                // Not pulled: a pull in mid-run would be measured.
                Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => {
                    let why = format!("service {name} needs the image {image}, which is not here: {}", advice(service));
                    return Err(WorldError::CannotGive(why));
                }
                Err(error) => return Err(WorldError::machine(format!("image {image}"))(io::Error::other(error))),
            };
            let port = match &service.start {
                Start::Image(Image { port: None, .. }) => {
                    let exposed = found.config.and_then(|config| config.exposed_ports).unwrap_or_default();
                    only_port(&exposed).map_err(|why| {
                        WorldError::CannotGive(format!("service {name}: the image {image} {why}, as `port = 5432`"))
                    })?
                }
                Start::Image(Image { port: Some(port), .. }) => *port,
                Start::Program(_) | Start::Command(_) | Start::Address(_) | Start::Compose(_) => {
                    service.protocol.unprivileged_port
                }
            };
            ports.insert(name.clone(), port);
        }
        Ok(ports)
    }
}

/// Advice where the image of a service is missing.
fn advice(service: &Service) -> String {
    match &service.start {
        Start::Program(program) if is_real_redis(program) => PULLED_BY.to_owned(),
        Start::Program(_) | Start::Command(_) | Start::Address(_) | Start::Compose(_) => MADE_BY.to_owned(),
        Start::Image(image) => format!("`docker pull {}` gets it, and a run pulls nothing", image.reference),
    }
}

/// The only TCP port among those that an image exposes, as `6379/tcp`; else what is to be done about it.
fn only_port(exposed: &[String]) -> Result<u16, String> {
    let port = |text: &String| text.strip_suffix("/tcp").unwrap_or(text).parse().ok();
    let ports: BTreeSet<u16> = exposed.iter().filter_map(port).collect();
    let mut all = ports.iter();
    match (all.next(), all.next()) {
        (Some(port), None) => Ok(*port),
        (None, _) => Err("exposes no port: say where its program listens".to_owned()),
        (Some(_), Some(_)) => {
            let all: Vec<String> = ports.iter().map(u16::to_string).collect();
            Err(format!("exposes several ports ({}): say which one is meant", all.join(", ")))
        }
    }
}

/// True for a program that is a Redis and not ours.
pub(super) fn is_real_redis(program: &str) -> bool {
    matches!(program, "redis" | "redis-server")
}

#[cfg(test)]
mod tests {
    use super::only_port;

    #[test]
    fn the_port_of_an_image_is_the_one_that_it_exposes() {
        let of = |ports: &[&str]| only_port(&ports.iter().map(|port| (*port).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["6379/tcp"]), Ok(6379));
        assert_eq!(of(&["53/udp", "8053/tcp"]), Ok(8053));
        assert!(of(&["53/udp"]).unwrap_err().contains("no port"));
        assert!(of(&["9000/tcp", "80/tcp"]).unwrap_err().contains("(80, 9000)"));
    }
}
