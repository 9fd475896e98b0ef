//! Proxies that Toxiproxy's clients make at run time: `chaos proxy --toxiproxy`.
//!
//! Who reaches the port makes proxies. So where these may listen and lead is decided at the start: on loopback and to what is local,
//! unless whoever starts it says more.

use crate::{
    reach::{self, OwnAddresses, Resolve},
    standing::{Apart, DRAIN},
};
use chaos_inject::{
    Ground, Links, NoSite, Site,
    control::Token,
    toxiproxy::{self, Config},
};
use chaos_model::attach::HostPort;
use futures_util::future::BoxFuture;
use host::{Host, Listener};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// Connections that a proxy may have at once.
const MOST_CONNECTIONS: usize = 10_000;

/// Gives the host that listens on an address, and leaves so many descriptors to others.
pub type HostAt = Box<dyn Fn(IpAddr, u64) -> io::Result<Host> + Send + Sync>;

/// The bounds within which clients make proxies.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// Targets that need not be local.
    pub allowed: Vec<HostPort>,
    /// True where the server and its proxies may listen beyond loopback.
    pub beyond_loopback: bool,
}

/// Settings of the server.
#[derive(Clone, Debug, Default)]
pub struct ToxiproxyConfig {
    /// The secret that callers have to show; none where they need none.
    pub token: Option<Token>,
    /// The seed of every draw.
    pub seed: u64,
    /// Time without a request after which all toxics are taken back; none: never.
    pub ttl: Option<Duration>,
    /// JSON of proxies that are there from the beginning.
    pub populate: Option<Vec<u8>>,
}

/// A server of Toxiproxy's API whose port is taken.
pub struct ToxiproxyServer {
    host: Host,
    listener: Listener,
    apart: Apart,
    ground: Arc<Standing>,
}

impl ToxiproxyServer {
    /// Takes the port. `descriptors` is the number that this process may have.
    ///
    /// # Errors
    /// In words: it is not on loopback, or can't be had.
    pub fn open(
        listen: SocketAddr,
        at: HostAt,
        bounds: Bounds,
        resolve: Resolve,
        descriptors: Option<u64>,
    ) -> Result<Self, String> {
        if !listen.ip().is_loopback() && !bounds.beyond_loopback {
            return Err(format!("{listen} is not on loopback: {BEYOND}"));
        }
        let apart = Apart::of(descriptors);
        let taken = |error: io::Error| format!("can't listen on {listen}: {error}");
        let host = at(listen.ip(), 0).map_err(taken)?;
        let listener = host.listen(listen.port()).map_err(taken)?;
        let own = OwnAddresses::of(vec![SocketAddr::new(listen.ip(), listener.port())]);
        let ground = Arc::new(Standing { at, bounds, own, resolve, reserve: apart.descriptors });
        Ok(Self { host, listener, apart, ground })
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Serves clients until the host's shutdown signal; then connections that are open have five seconds to end.
    ///
    /// # Errors
    /// In words, where the proxies that are to be there from the beginning can't be made.
    pub async fn serve(self, config: ToxiproxyConfig) -> Result<(), String> {
        let Self { host, listener, apart, ground } = self;
        tracing::info!(port = listener.port(), "Toxiproxy's API listens");
        let ToxiproxyConfig { token, seed, ttl, populate } = config;
        let config = Config {
            token,
            seed,
            ttl,
            most_connections: MOST_CONNECTIONS,
            most_callers: usize::try_from(apart.connections).unwrap_or(usize::MAX),
            patience: DRAIN,
        };
        let over: (Arc<Links>, Arc<dyn Ground>) = (Arc::default(), ground);
        toxiproxy::serve(&host, listener, over, populate.as_deref(), config).await
    }
}

/// Advice for whoever wants more than loopback.
const BEYOND: &str = "`--allow-remote-clients` lets clients of other machines in, as in a container";

/// The ground of these proxies.
struct Standing {
    at: HostAt,
    bounds: Bounds,
    own: OwnAddresses,
    resolve: Resolve,
    reserve: u64,
}

impl Standing {
    async fn address(&self, listen: &str) -> Result<SocketAddr, NoSite> {
        let unreadable = || NoSite::Unreadable(format!("`{listen}` is no address to listen at: write `127.0.0.1:0`"));
        // As Go reads it: nothing is any address, and any port.
        let listen = if listen.is_empty() { "localhost:0" } else { listen };
        let (name, port) = listen.rsplit_once(':').ok_or_else(unreadable)?;
        let port: u16 = port.parse().map_err(|_| unreadable())?;
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let ip = match name {
            "" => Ipv4Addr::UNSPECIFIED.into(),
            name => {
                let failed = |error: io::Error| NoSite::Taken(format!("listen tcp {listen}: {error}"));
                let all = (self.resolve)(name.to_owned(), port).await.map_err(failed)?;
                all.into_iter().next().ok_or_else(unreadable)?
            }
        };
        if ip.is_loopback() || self.bounds.beyond_loopback {
            return Ok(SocketAddr::new(ip, port));
        }
        Err(NoSite::Forbidden(format!("{listen} is not on loopback: {BEYOND}")))
    }

    async fn target(&self, upstream: &str) -> Result<HostPort, NoSite> {
        let target: HostPort = upstream.parse().map_err(NoSite::Unreadable)?;
        if !self.bounds.allowed.contains(&target) {
            let advice = "a file with `[targets]` and --allow-remote-targets would allow it";
            let forbidden = |why| NoSite::Forbidden(format!("{why}: {advice}"));
            reach::check(&target, &self.resolve).await.map_err(forbidden)?;
        }
        Ok(target)
    }

    async fn site(&self, listen: &str, upstream: &str) -> Result<Site, NoSite> {
        let (address, target) = (self.address(listen).await?, self.target(upstream).await?);
        let taken = |error: io::Error| {
            let why = if error.kind() == io::ErrorKind::AddrInUse { "bind: address already in use" } else { "" };
            NoSite::Taken(format!(
                "listen tcp {address}: {}",
                if why.is_empty() { error.to_string() } else { why.to_owned() }
            ))
        };
        let host = (self.at)(address.ip(), self.reserve).map_err(taken)?;
        let listener = host.listen(address.port()).map_err(taken)?;
        let listen = SocketAddr::new(address.ip(), listener.port());
        self.own.add(listen);
        let (allowed, own) = (self.bounds.allowed.clone(), self.own.clone());
        let host = reach::within_reach(&host, allowed, own, Arc::clone(&self.resolve));
        Ok(Site { host, listener, listen, target })
    }
}

impl Ground for Standing {
    fn open<'a>(&'a self, listen: &'a str, upstream: &'a str) -> BoxFuture<'a, Result<Site, NoSite>> {
        Box::pin(self.site(listen, upstream))
    }

    fn resolve<'a>(&'a self, listen: &'a str) -> BoxFuture<'a, Result<SocketAddr, NoSite>> {
        Box::pin(self.address(listen))
    }

    fn close(&self, listen: SocketAddr) {
        self.own.remove(listen);
    }
}
