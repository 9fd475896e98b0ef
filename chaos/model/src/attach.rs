//! A system that runs already: where its services are, and who steers the proxies on its links.

use crate::{Link, ServiceName};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    str::FromStr,
};

/// A name or an IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// The name or address; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Reads `host:port`; an IPv6 address stands in brackets.
impl FromStr for HostPort {
    /// The reason for which it is none, in words.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        crate::language::host_port(text)
    }
}

/// A system that runs already, checked against a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// Address at which clients reach the entry: the proxy of their link.
    pub entry: HostPort,
    /// Address of the proxies' control server.
    pub control: HostPort,
    /// Where the system is not well before the first fault, none begins.
    pub gate: bool,
    /// Source of the control server's token.
    pub token: TokenFrom,
    /// Each service of the system, past any proxy.
    pub services: BTreeMap<ServiceName, HostPort>,
    /// The links that faults act on: they need proxies.
    pub links: BTreeSet<Link>,
    /// The containers of the services that faults act on, by name or id, as the engine knows them that the runner speaks
    /// to.
    pub containers: BTreeMap<ServiceName, String>,
}

/// A place from which a token is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFrom {
    /// In this file.
    File(PathBuf),
    /// In this environment variable.
    Environment(String),
}
