//! Proxies that run by themselves, before a system that runs already: `chaos proxy`.

use crate::reach::{self, Resolve};
use chaos_inject::{
    Proxy, ProxyConfig,
    control::{self, Controlled, Token},
};
use chaos_model::{attach::HostPort, proxies::Proxies};
use host::{Host, Listener};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Time that open connections may go on when the proxies are to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// The port that could not be had, and the reason.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address} ({what}): {source}")]
pub struct NoPort {
    address: SocketAddr,
    what: String,
    source: io::Error,
}

/// Proxies whose ports are taken, and which lead to their targets already.
pub struct StandingProxies {
    host: Host,
    control: Listener,
    links: Vec<Controlled>,
}

impl StandingProxies {
    /// Takes every port. `at` gives the host that listens on an address; `allowed` are the targets that need not be
    /// local.
    ///
    /// # Errors
    /// Where a port can't be had.
    pub fn open(
        proxies: &Proxies,
        at: &mut dyn FnMut(IpAddr) -> io::Result<Host>,
        allowed: &[HostPort],
        resolve: &Resolve,
    ) -> Result<Self, NoPort> {
        let (host, control) = listen(at, proxies.control, "the control server")?;
        let mut links = Vec::new();
        let own: Vec<SocketAddr> =
            proxies.links.iter().map(|proxied| proxied.listen).chain([proxies.control]).collect();
        for proxied in &proxies.links {
            let (host, listener) = listen(at, proxied.listen, &proxied.link.to_string())?;
            let host = reach::within_reach(&host, allowed.to_vec(), own.clone(), resolve.clone());
            // Whoever steers brings a seed.
            let config = ProxyConfig { link: proxied.link.clone(), protocol: proxied.protocol, seed: 0, nonce: None };
            let proxy = Proxy::start(&host, listener, config);
            proxy.point_at(&proxied.target.host, proxied.target.port);
            let (listen, target) = (proxied.listen.to_string(), proxied.target.to_string());
            let (link, protocol) = (proxied.link.clone(), proxied.protocol);
            tracing::info!(link = %link, listen, upstream = target, %protocol, "a proxy listens");
            links.push(Controlled { link, protocol, listen, target, proxy });
        }
        Ok(Self { host, control, links })
    }

    /// Takes orders from whoever shows the token, until the host's shutdown signal; then all faults are taken back, and
    /// connections that are open have five seconds to end.
    pub async fn serve(self, token: Token) {
        tracing::info!(port = self.control.port(), links = self.links.len(), "the control server listens");
        control::serve(&self.host, self.control, self.links, token, DRAIN).await;
    }
}

fn listen(
    at: &mut dyn FnMut(IpAddr) -> io::Result<Host>,
    address: SocketAddr,
    what: &str,
) -> Result<(Host, Listener), NoPort> {
    let failed = |source| NoPort { address, what: what.to_owned(), source };
    let host = at(address.ip()).map_err(failed)?;
    let listener = host.listen(address.port()).map_err(failed)?;
    Ok((host, listener))
}
