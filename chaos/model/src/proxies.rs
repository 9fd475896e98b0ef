//! Proxies that run by themselves, before a system that runs already.

use crate::{Link, Protocol, Span, attach::HostPort};
use std::{net::SocketAddr, path::PathBuf};

/// Everything that `chaos proxy` is started with. Nobody who steers it can change any of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxies {
    /// Address at which the control server listens.
    pub control: SocketAddr,
    /// File into which the control server's token is written at the start.
    pub token_file: PathBuf,
    /// The links, in the order of the file.
    pub links: Vec<ProxiedLink>,
    /// Targets that need not be local, where whoever starts it allows that as well.
    pub allowed: Vec<HostPort>,
}

/// A link and its proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxiedLink {
    /// The link.
    pub link: Link,
    /// Address at which the proxy listens.
    pub listen: SocketAddr,
    /// Target that the proxy leads to.
    pub target: HostPort,
    /// Protocol that is spoken there.
    pub protocol: Protocol,
    /// Connections that may be open at once; further ones are reset.
    pub max_connections: usize,
    /// Place of the target in the file.
    pub target_span: Span,
}
