//! The system under test: services, and the links that their settings make.

use crate::{
    Protocol, Responses, Span,
    lifecycle::Lifecycle,
    protocol::{Login, Stack, Transport},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// A service's name: lower-case letters, digits and dashes, starting with a letter. `client` is the load's own.
pub type ServiceName = String;

/// The name that the load goes by in links (`client -> gateway`).
pub const CLIENT: &str = "client";

/// The programs that `chaos` brings, by the name that [`Start::Program`] holds.
pub const KNOWN_PROGRAMS: [&str; 7] =
    ["gateway", "user-service", "order-service", "product-service", "redis", "redis-server", "redis-built-in"];

/// A checked system.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// The service that clients talk to.
    pub entry: ServiceName,
    /// All services, by name.
    pub services: BTreeMap<ServiceName, Service>,
    /// All links, ordered: `client -> entry`, and one for each use of a service that a setting names.
    pub links: Vec<Link>,
    /// The links on which TLS is below the protocol, each with the place of a setting that says so.
    pub encrypted: BTreeMap<Link, Span>,
    /// The markers by which responses of the entry say what they are.
    pub responses: Responses,
}

impl System {
    /// The layers of a link above TCP: the protocol of the service that it leads to, and what its user's settings put
    /// below that.
    #[must_use]
    pub fn stack(&self, link: &Link) -> Stack {
        // The language makes links only to services that there are.
        let protocol = self.services.get(&link.to).map_or(Protocol::TCP, |service| service.protocol);
        let transport = if self.encrypted.contains_key(link) { Transport::Tls } else { Transport::Plain };
        Stack { transport, protocol }
    }

    /// The services in the order in which they are started: each comes after those that it uses, as in any deployment
    /// that waits for what it depends on. Those that use each other, round in a circle, come together.
    #[must_use]
    pub fn start_order(&self) -> Vec<Vec<&Service>> {
        // In every world: where all start at once, a service can win a race against what it needs, and begins with a
        // second without it.
        let mut waves: Vec<Vec<&Service>> = Vec::new();
        let mut left: BTreeMap<&str, &Service> =
            self.services.iter().map(|(name, service)| (name.as_str(), service)).collect();
        while !left.is_empty() {
            let waits = |name: &str| {
                let mut uses = self.links.iter().filter(|link| link.from == Endpoint::Service(name.to_owned()));
                uses.any(|link| link.to != name && left.contains_key(link.to.as_str()))
            };
            let mut wave: Vec<&Service> = left.values().filter(|service| !waits(&service.name)).copied().collect();
            if wave.is_empty() {
                wave = left.values().copied().collect();
            }
            left.retain(|name, _| wave.iter().all(|service| service.name != *name));
            waves.push(wave);
        }
        waves
    }
}

/// A service: one program.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The service's name.
    pub name: ServiceName,
    /// The program, command or image that runs there.
    pub start: Start,
    /// The protocol that it speaks.
    pub protocol: Protocol,
    /// The request that shows that it is ready; else a connection that is accepted.
    pub ready: Option<HttpProbe>,
    /// The request that gives its Prometheus metrics.
    pub metrics: Option<HttpProbe>,
    /// Rules of its start and end.
    pub lifecycle: Lifecycle,
    /// The environment variable of `chaos` that holds its password, for what faults ask of it (`flush`).
    pub password: Option<String>,
    /// The login by which faults ask, where one is known.
    pub login: Option<Login>,
    /// The settings that it starts with.
    pub env: BTreeMap<String, Template>,
    /// The folder of the file that names it: where a command of it runs.
    pub folder: PathBuf,
    /// The place in the file,
    pub span: Span,
    /// and that of what runs there.
    pub start_span: Span,
}

/// The program, command or image that a service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A program that `chaos` brings, by name. It gets its port as `PORT`.
    Program(String),
    /// A command with its arguments; `{self.port}` is its port.
    Command(Vec<Template>),
    /// A container's image.
    Image(Image),
}

impl Start {
    /// The words of a command, or of what an image is to run: texts that may name other services.
    #[must_use]
    pub fn command(&self) -> &[Template] {
        match self {
            Self::Program(_) => &[],
            Self::Command(words) | Self::Image(Image { command: words, .. }) => words,
        }
    }
}

/// An image that a service is a container of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The image's reference, as engines know it: `redis:7.2`, `registry.example.com/team/app@sha256:…`.
    pub reference: String,
    /// The command, in place of the image's own and behind its entry point; empty where the container runs that.
    pub command: Vec<Template>,
    /// The port that its program listens on in the container; where none is given, the one that the image exposes.
    pub port: Option<u16>,
}

/// A GET that a service answers with 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    /// The path, with its slash.
    pub path: String,
}

/// A setting's text with the places where addresses go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The pieces, in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// `{redis}` or `{redis#sessions}`: the address (`host:port`) at which this service reaches that one.
    Service {
        /// The service that is used.
        to: ServiceName,
        /// The label that tells this use from others.
        label: Option<String>,
    },
    /// `{self.port}`: the service's own port.
    OwnPort,
}

impl Template {
    /// Fills in the places: `address` gives what stands for a use of another service, `port` is the service's own.
    pub fn render(&self, port: u16, mut address: impl FnMut(&str, Option<&str>) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Service { to, label } => address(to, label.as_deref()),
            Piece::OwnPort => port.to_string(),
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// The user of a link: the load, or a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// The load.
    Client,
    /// A service.
    Service(ServiceName),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str(CLIENT),
            Self::Service(name) => f.write_str(name),
        }
    }
}

/// One service's use of another. Shown and written as `gateway -> redis` or `gateway -> redis#sessions`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// The user.
    pub from: Endpoint,
    /// The service that is used.
    pub to: ServiceName,
    /// The label that tells this use from others of the same two.
    pub label: Option<String>,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.from, self.to)?;
        self.label.as_ref().map_or(Ok(()), |label| write!(f, "#{label}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn service(name: &str) -> Service {
        Service {
            name: name.to_owned(),
            start: Start::Program(name.to_owned()),
            protocol: Protocol::TCP,
            ready: None,
            metrics: None,
            lifecycle: Lifecycle::default(),
            password: None,
            login: None,
            env: BTreeMap::new(),
            folder: Path::new("").to_owned(),
            span: Span::default(),
            start_span: Span::default(),
        }
    }

    fn order(names: &str, links: &[(&str, &str)]) -> Vec<String> {
        let link = |(from, to): &(&str, &str)| Link {
            from: Endpoint::Service((*from).to_owned()),
            to: (*to).to_owned(),
            label: None,
        };
        let services = names.split(' ').map(|name| (name.to_owned(), service(name))).collect();
        let system = System {
            entry: String::new(),
            services,
            links: links.iter().map(link).collect(),
            encrypted: BTreeMap::new(),
            responses: Responses::default(),
        };
        let names =
            |wave: Vec<&Service>| wave.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(" ");
        system.start_order().into_iter().map(names).collect()
    }

    #[test]
    fn what_is_used_is_started_first() {
        assert_eq!(order("a b c d", &[("a", "c"), ("c", "d"), ("b", "d")]), ["d", "b c", "a"]);
        assert_eq!(order("a b", &[]), ["a b"]);
    }

    #[test]
    fn services_that_use_each_other_are_started_together() {
        assert_eq!(order("a b c d", &[("a", "b"), ("b", "a"), ("c", "c"), ("a", "d")]), ["c d", "a b"]);
    }
}
