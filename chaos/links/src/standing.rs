//! Proxies that run by themselves, before a system that runs already: `chaos proxy`.

use crate::reach::{self, OwnAddresses, Resolve};
use chaos_inject::{
    Controlled, Links, Proxy, ProxyConfig,
    control::{self, ServeConfig, Token},
};
use chaos_model::{attach::HostPort, proxies::Proxies};
use host::{Host, Listener};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// Time that open connections may go on when the proxies are to stop.
pub(crate) const DRAIN: Duration = Duration::from_secs(5);

/// The port that could not be had, and the reason.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address} ({what}): {source}")]
pub struct NoPort {
    address: SocketAddr,
    what: String,
    source: io::Error,
}

/// Descriptors that nobody counts: the log, a connection that is turned away, files of the kernel that are looked at.
const UNCOUNTED: u64 = 9;

/// Shares of a process's descriptors that are set apart for the control server. Whatever clients do to the links, whoever steers
/// is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Apart {
    /// Connections to the control server.
    pub(crate) connections: u64,
    /// Descriptors that links leave.
    pub(crate) descriptors: u64,
}

impl Apart {
    /// An eighth for the control server, and as much for lookups of names at most.
    pub(crate) fn of(descriptors: Option<u64>) -> Self {
        let eighth = descriptors.unwrap_or(u64::MAX) / 8;
        let connections = eighth.clamp(8, 128);
        Self { connections, descriptors: connections + eighth.min(reach::LOOKUP_DESCRIPTORS) + UNCOUNTED }
    }
}

/// Proxies whose ports are taken, and which lead to their targets already.
pub struct StandingProxies {
    host: Host,
    control: Listener,
    apart: Apart,
    links: Vec<Controlled>,
}

impl StandingProxies {
    /// Takes every port. `at` gives the host that listens on an address and leaves so many descriptors to others; `allowed`
    /// are the targets that need not be local; `descriptors` is the number that this process may have.
    ///
    /// # Errors
    /// Where a port can't be had.
    pub fn open(
        proxies: &Proxies,
        at: &mut dyn FnMut(IpAddr, u64) -> io::Result<Host>,
        (allowed, resolve): (&[HostPort], &Resolve),
        descriptors: Option<u64>,
    ) -> Result<Self, NoPort> {
        let apart = Apart::of(descriptors);
        let (host, control) = listen(at, (proxies.control, 0), "the control server")?;
        let mut links = Vec::new();
        let own = proxies.links.iter().map(|proxied| proxied.listen).chain([proxies.control]).collect();
        let own = OwnAddresses::of(own);
        for proxied in &proxies.links {
            let (host, listener) = listen(at, (proxied.listen, apart.descriptors), &proxied.link.to_string())?;
            let host = reach::within_reach(&host, allowed.to_vec(), own.clone(), resolve.clone());
            // Whoever steers brings a seed.
            let config = ProxyConfig {
                link: proxied.link.clone(),
                protocol: proxied.protocol,
                seed: 0,
                nonce: None,
                most_connections: Some(proxied.max_connections),
            };
            let proxy = Proxy::start(&host, listener, config);
            proxy.point_at(&proxied.target.host, proxied.target.port);
            let (listen, target) = (proxied.listen.to_string(), proxied.target.to_string());
            let (link, protocol) = (proxied.link.clone(), proxied.protocol);
            tracing::info!(link = %link, listen, upstream = target, %protocol, "a proxy listens");
            links.push(Controlled { link, protocol, listen, target, proxy });
        }
        Ok(Self { host, control, apart, links })
    }

    /// Takes orders from whoever shows the token, until the host's shutdown signal; then all faults are taken back, and
    /// connections that are open have five seconds to end.
    pub async fn serve(self, token: Token) {
        tracing::info!(port = self.control.port(), links = self.links.len(), "the control server listens");
        let most_connections = usize::try_from(self.apart.connections).unwrap_or(usize::MAX);
        let config = ServeConfig { token, most_connections, patience: DRAIN };
        control::serve(&self.host, self.control, Arc::new(Links::of(self.links)), config).await;
    }
}

fn listen(
    at: &mut dyn FnMut(IpAddr, u64) -> io::Result<Host>,
    (address, reserve): (SocketAddr, u64),
    what: &str,
) -> Result<(Host, Listener), NoPort> {
    let failed = |source| NoPort { address, what: what.to_owned(), source };
    let host = at(address.ip(), reserve).map_err(failed)?;
    let listener = host.listen(address.port()).map_err(failed)?;
    Ok((host, listener))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_descriptors_are_for_links_and_enough_for_the_control_server() {
        let apart = |descriptors| {
            let Apart { connections, descriptors } = Apart::of(descriptors);
            (connections, descriptors)
        };
        assert_eq!(apart(Some(64)), (8, 25));
        assert_eq!(apart(Some(1024)), (128, 185));
        assert_eq!(apart(Some(1 << 20)), apart(None));
    }
}
