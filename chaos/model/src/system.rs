//! The system under test: services, and the links that their settings make.

use crate::{
    Compose, HttpProbe, Protocol, Readiness, Responses, Span,
    attach::HostPort,
    lifecycle::Lifecycle,
    protocol::{Login, Stack, Transport},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

/// A service's name: lower-case letters, digits and dashes, starting with a letter; that of a replica has a dot and its number
/// behind it. `client` is the load's own.
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
    /// The Compose file that its services are of, where they are.
    pub compose: Option<Arc<Compose>>,
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

    /// The replicas of a service that has several, in the order of their numbers; none where it has one.
    pub fn replicas(&self, of: &str) -> impl Iterator<Item = &Service> {
        let mut replicas: Vec<&Service> =
            self.services.values().filter(|service| service.replica_of.as_deref() == Some(of)).collect();
        // By their names, the tenth would come before the second.
        replicas.sort_by_key(|service| (service.name.len(), service.name.as_str()));
        replicas.into_iter()
    }

    /// The names by which a file may mean services: theirs, and those that several replicas share.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let shared = self.services.values().filter_map(|service| service.replica_of.as_deref());
        let all: BTreeSet<&str> = self.services.keys().map(String::as_str).chain(shared).collect();
        all.into_iter().collect()
    }

    /// Tells whether TLS is below a link's protocol and ends on the link, in worlds that do that.
    #[must_use]
    pub fn ends_tls(&self, link: &Link) -> bool {
        self.encrypted.contains_key(link) && !self.passes_tls(link)
    }

    /// Tells whether TLS is below a link's protocol and passes as bytes, in every world; else a world may end it.
    #[must_use]
    pub fn passes_tls(&self, link: &Link) -> bool {
        let passes = |service: &Service| service.tls == ServiceTls::Passed;
        self.encrypted.contains_key(link) && self.services.get(&link.to).is_some_and(passes)
    }

    /// The services in the order in which they are started: each comes after those that it uses, as in any deployment
    /// that waits for what it depends on. A use is a link, or a name in a command of its setup or of its readiness. Those
    /// that use each other, round in a circle, come together.
    #[must_use]
    pub fn start_order(&self) -> Vec<Vec<&Service>> {
        // In every world: where all start at once, a service can win a race against what it needs, and begins with a
        // second without it.
        let mut waves: Vec<Vec<&Service>> = Vec::new();
        let mut left: BTreeSet<&str> = self.services.keys().map(String::as_str).collect();
        while !left.is_empty() {
            // Those that nothing else is needed for, but what needs them too.
            let needs: BTreeMap<&str, BTreeSet<&str>> =
                left.iter().map(|name| (*name, self.needs(name, &left))).collect();
            let is_next = |name: &str| needs[name].iter().all(|other| needs[other].contains(name) || *other == name);
            let next: BTreeSet<&str> = left.iter().copied().filter(|name| is_next(name)).collect();
            left.retain(|name| !next.contains(name));
            waves.push(next.iter().filter_map(|name| self.services.get(*name)).collect());
        }
        waves
    }

    /// Services that use each other, round in a circle: each circle by the names of all that are in it.
    #[must_use]
    pub fn circles(&self) -> Vec<BTreeSet<&str>> {
        let all: BTreeSet<&str> = self.services.keys().map(String::as_str).collect();
        let needs: BTreeMap<&str, BTreeSet<&str>> = all.iter().map(|name| (*name, self.needs(name, &all))).collect();
        let circle = |name: &&str| -> BTreeSet<&str> {
            needs[*name].iter().copied().filter(|other| needs[other].contains(*name)).collect()
        };
        let circles: BTreeSet<BTreeSet<&str>> = all.iter().map(circle).filter(|circle| circle.len() > 1).collect();
        circles.into_iter().collect()
    }

    /// Services that one uses, and those that these use, and so on, as far as they are among these. It is among them itself
    /// where it is used in turn.
    fn needs<'s>(&'s self, name: &str, among: &BTreeSet<&'s str>) -> BTreeSet<&'s str> {
        let mut needs = BTreeSet::new();
        let mut next: Vec<&str> = self.uses(name).collect();
        while let Some(used) = next.pop() {
            if let Some(used) = among.get(used)
                && needs.insert(*used)
            {
                next.extend(self.uses(used));
            }
        }
        needs
    }

    /// The services that one uses itself.
    fn uses<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        let from = Endpoint::Service(name.to_owned());
        let linked = self.links.iter().filter(move |link| link.from == from).map(|link| link.to.as_str());
        let by_commands = self.services.get(name).into_iter().flat_map(Service::uses_of_commands);
        linked.chain(by_commands)
    }
}

/// A service: one program. Of one that has several replicas, each is a service, `app.1`, `app.2` and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// The service's name.
    pub name: ServiceName,
    /// The name that it has in its file, where it is one of several replicas.
    pub replica_of: Option<ServiceName>,
    /// The program, command or image that runs there.
    pub start: Start,
    /// The protocol that it speaks.
    pub protocol: Protocol,
    /// The question that shows that it is ready; its protocol's own where there is none.
    pub ready: Option<Readiness>,
    /// The request that gives its Prometheus metrics.
    pub metrics: Option<HttpProbe>,
    /// Its ports beside its own, by name: where it listens, unless a setting takes the one that the world gives.
    pub ports: BTreeMap<String, u16>,
    /// Rules of its start and end.
    pub lifecycle: Lifecycle,
    /// Commands before its start and after its end.
    pub errands: Errands,
    /// The environment variable of `chaos` that holds its password, for what faults ask of it (`flush`).
    pub password: Option<String>,
    /// The login by which faults ask, where one is known.
    pub login: Option<Login>,
    /// TLS to it, where settings of others or its own file ask for that.
    pub tls: ServiceTls,
    /// True where TLS is spoken on its own port: its file says so, or a setting of another asks for it there.
    pub speaks_tls: bool,
    /// True where its settings tell it to trust the run's certificate authority, by the usual variables.
    pub trusts_run: bool,
    /// The settings that it starts with.
    pub env: BTreeMap<String, Template>,
    /// The folder that its commands run in, where the file says one: as seen from the file's own, or in its container.
    pub working_dir: Option<PathBuf>,
    /// The folder of the file that names it: where a command of it runs.
    pub folder: PathBuf,
    /// The place in the file,
    pub span: Span,
    /// and that of what runs there.
    pub start_span: Span,
}

/// TLS to a service, on links whose setting asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServiceTls {
    /// Ended on the link and begun anew, where the world does that. The service's certificate has to be signed by the run's
    /// certificate authority or one of the machine's.
    #[default]
    Ended,
    /// The same, with the certificates of this file believed too: authorities, or its own. The path is as it is written,
    /// from the folder of the file that names the service.
    EndedBelieving(String),
    /// The same, with any certificate.
    EndedInsecurely,
    /// It passes as bytes, which nobody reads.
    Passed,
}

/// A file of the run that a setting names by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunFile {
    /// The certificate of the run's authority.
    Authority,
    /// A certificate of the service's own, signed by that,
    Certificate,
    /// and its key.
    Key,
}

impl RunFile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Authority, Self::Certificate, Self::Key];

    /// The place in braces that stands for it.
    #[must_use]
    pub fn place(self) -> &'static str {
        match self {
            Self::Authority => "run.ca",
            Self::Certificate => "self.cert",
            Self::Key => "self.key",
        }
    }
}

/// Commands of a service that are run to their ends, in their order; each a program with its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errands {
    /// Those before its start.
    pub setup: Vec<Vec<Template>>,
    /// Those after its end.
    pub teardown: Vec<Vec<Template>>,
    /// Time that each of them has; [`Errands::LIMIT`] where the file doesn't say.
    pub limit: Option<Duration>,
}

impl Errands {
    /// Time that each command has where the file doesn't say.
    pub const LIMIT: Duration = Duration::from_secs(60);

    /// Time that each command has.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit.unwrap_or(Self::LIMIT)
    }

    /// True where there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.setup.is_empty() && self.teardown.is_empty()
    }
}

impl Service {
    /// True where a setting or the command takes the named port that the world gives: else the service listens where
    /// its file says.
    #[must_use]
    pub fn takes_port(&self, name: &str) -> bool {
        let mut pieces = self.start.command().iter().chain(self.env.values()).flat_map(|template| &template.pieces);
        pieces.any(|piece| matches!(piece, Piece::NamedPort(port) if port == name))
    }

    /// All of its texts: settings, and commands of every kind.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        let ready = self.ready.as_ref().map(Readiness::command).unwrap_or_default();
        let errands = self.errands.setup.iter().chain(&self.errands.teardown).flatten();
        self.env.values().chain(self.start.command()).chain(errands).chain(ready)
    }

    /// The services that its commands beside its program name: those of its setup, and that of its readiness.
    fn uses_of_commands(&self) -> impl Iterator<Item = &str> {
        let ready = self.ready.as_ref().map(Readiness::command).unwrap_or_default();
        let words = self.errands.setup.iter().flatten().chain(ready);
        words.flat_map(|template| &template.pieces).filter_map(|piece| match piece {
            Piece::Service { to, .. } => Some(to.as_str()),
            Piece::Text(_) | Piece::OwnPort | Piece::NamedPort(_) | Piece::File(_) => None,
        })
    }
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
    /// Nothing: others have started it, and it is at this address.
    Address(HostPort),
    /// A service of the system's Compose file.
    Compose(ComposePorts),
}

impl Start {
    /// The words of a command, or of what an image is to run: texts that may name other services.
    #[must_use]
    pub fn command(&self) -> &[Template] {
        match self {
            Self::Program(_) | Self::Address(_) | Self::Compose(_) => &[],
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

/// The ports of a service of a Compose file, as far as files tell of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComposePorts {
    /// The port of the links without a label, at which it is asked whether it is ready. Where none is given, the one that its
    /// image exposes, if it does.
    pub main: Option<u16>,
    /// Further ports, whose links have the port as their label.
    pub more: Vec<u16>,
}

/// The ports that an instance listens on, and the files of the run that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenPorts {
    /// Its own: the one that links lead to.
    pub own: u16,
    /// Others, by name.
    pub named: BTreeMap<String, u16>,
    /// Paths of files of the run that are made for it.
    pub files: BTreeMap<RunFile, String>,
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
    /// `{self.port.admin}`: another port of the service, by name.
    NamedPort(String),
    /// `{run.ca}`, `{self.cert}`, `{self.key}`: the path of a file of the run.
    File(RunFile),
}

impl Template {
    /// Fills in the places: `address` gives what stands for a use of another service, `ports` are the service's own.
    pub fn render(&self, ports: &ListenPorts, mut address: impl FnMut(&str, Option<&str>) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Service { to, label } => address(to, label.as_deref()),
            Piece::OwnPort => ports.own.to_string(),
            // The language takes no names but those that the service has.
            Piece::NamedPort(name) => ports.named.get(name).map(u16::to_string).unwrap_or_default(),
            // Where a world makes none, a check refuses settings that name some.
            Piece::File(file) => ports.files.get(file).cloned().unwrap_or_default(),
        };
        self.pieces.iter().map(piece).collect()
    }
}

impl fmt::Display for Template {
    /// Shows it as it is written, but for braces that stand for themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Service { to, label: None } => write!(f, "{{{to}}}"),
            Piece::Service { to, label: Some(label) } => write!(f, "{{{to}#{label}}}"),
            Piece::OwnPort => f.write_str("{self.port}"),
            Piece::NamedPort(name) => write!(f, "{{self.port.{name}}}"),
            Piece::File(file) => write!(f, "{{{}}}", file.place()),
        })
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
            replica_of: None,
            start: Start::Program(name.to_owned()),
            protocol: Protocol::TCP,
            ready: None,
            metrics: None,
            ports: BTreeMap::new(),
            lifecycle: Lifecycle::default(),
            errands: Errands::default(),
            password: None,
            login: None,
            tls: ServiceTls::default(),
            speaks_tls: false,
            trusts_run: false,
            env: BTreeMap::new(),
            working_dir: None,
            folder: Path::new("").to_owned(),
            span: Span::default(),
            start_span: Span::default(),
        }
    }

    fn system(names: &str, links: &[(&str, &str)]) -> System {
        let link = |(from, to): &(&str, &str)| Link {
            from: Endpoint::Service((*from).to_owned()),
            to: (*to).to_owned(),
            label: None,
        };
        let services = names.split(' ').map(|name| (name.to_owned(), service(name))).collect();
        System {
            entry: String::new(),
            services,
            links: links.iter().map(link).collect(),
            encrypted: BTreeMap::new(),
            responses: Responses::default(),
            compose: None,
        }
    }

    fn order(names: &str, links: &[(&str, &str)]) -> Vec<String> {
        order_of(&system(names, links))
    }

    fn order_of(system: &System) -> Vec<String> {
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
        let links = [("a", "b"), ("b", "a"), ("c", "c"), ("a", "d"), ("e", "a")];
        assert_eq!(order("a b c d e", &links), ["c d", "a b", "e"]);
        assert_eq!(system("a b c d e", &links).circles(), [BTreeSet::from(["a", "b"])]);
    }

    #[test]
    fn commands_beside_the_program_are_uses() {
        let mut system = system("a b c", &[]);
        let template = |to: &str| Template { pieces: vec![Piece::Service { to: to.to_owned(), label: None }] };
        system.services.get_mut("a").unwrap().errands.setup = vec![vec![template("b")]];
        system.services.get_mut("b").unwrap().ready = Some(Readiness::Command(vec![template("c")]));
        assert_eq!(order_of(&system), ["c", "b", "a"]);
    }
}
