//! Links whose proxies are in this process: one proxy a link.

use async_trait::async_trait;
use chaos_inject::{Layer, Message, Proxy, ProxyConfig};
use chaos_model::{Fault, Link, Protocol, RunKey, System, event::ProxyCounts, ledger::Removed};
use chaos_run::{Address, Links, Site, Sites, WorldError};
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use std::{collections::BTreeMap, sync::Arc};

/// Descriptors that load and proxies of a run leave to what else the runner does: pipes, files, scrapes that are under way. So
/// that what has no room is refused and counted, and waits for nobody.
pub const RESERVE: u64 = 64;

/// Gives the layer of a link between TCP and its protocol; none where that is TCP itself.
pub type Layers = Box<dyn Fn(&System, &Link) -> Result<Option<Arc<dyn Layer>>, WorldError> + Send + Sync>;

/// Proxies in this process, by link. They stand where the runtime says, and end with this.
#[derive(Default)]
pub struct InProcessLinks {
    run: RunKey,
    layers: Option<Layers>,
    /// The layers of links that have one.
    layered: BTreeMap<Link, Arc<dyn Layer>>,
    proxies: BTreeMap<Link, (Address, Proxy)>,
}

impl InProcessLinks {
    /// No proxies yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No proxies yet, of which some will stand above a layer.
    #[must_use]
    pub fn layered(layers: Layers) -> Self {
        Self { layers: Some(layers), ..Self::default() }
    }

    fn proxy(&self, link: &Link) -> Result<&Proxy, WorldError> {
        let proxy = self.proxies.get(link).map(|(_, proxy)| proxy);
        proxy.ok_or_else(|| WorldError::CannotGive(format!("there is no place for a fault on {link}")))
    }
}

#[async_trait]
impl Links for InProcessLinks {
    async fn begin(&mut self, system: &System, run: RunKey) -> Result<(), WorldError> {
        self.run = run;
        self.layered.clear();
        let Some(layers) = &self.layers else { return Ok(()) };
        for link in &system.links {
            self.layered.extend(layers(system, link)?.map(|layer| (link.clone(), layer)));
        }
        Ok(())
    }

    async fn open(&mut self, link: &Link, protocol: Protocol, sites: &mut Sites<'_>) -> Result<bool, WorldError> {
        let Site { host, listener, name } = sites(link, protocol)?;
        let RunKey { seed, nonce } = self.run;
        let config = ProxyConfig { link: link.clone(), protocol, seed, nonce: Some(nonce), most_connections: None };
        let proxy = Proxy::start_above(self.layered.get(link).cloned(), &host, listener, config);
        let address = Address { host: name, port: proxy.port() };
        self.proxies.insert(link.clone(), (address, proxy));
        Ok(true)
    }

    async fn close(&mut self, link: &Link) -> Result<(), WorldError> {
        self.proxies.remove(link);
        Ok(())
    }

    fn address(&self, link: &Link) -> Option<Address> {
        self.proxies.get(link).map(|(address, _)| address.clone())
    }

    fn lead(&self, link: &Link, to: &[Address]) {
        // To the first: a proxy leads to one place, and no runtime gives several yet.
        if let (Some((_, proxy)), Some(to)) = (self.proxies.get(link), to.first()) {
            proxy.point_at(&to.host, to.port);
        }
    }

    async fn apply(&mut self, link: &Link, fault: &Fault) -> Result<(), WorldError> {
        let reply = self.proxy(link)?.send(Message::Apply(Box::new(fault.clone()))).await;
        reply.applied().map_err(WorldError::CannotGive)
    }

    async fn remove(&mut self, link: &Link, fault: &Fault) -> Result<Removed, WorldError> {
        let reply = self.proxy(link)?.send(Message::Remove { fault: fault.name.clone() }).await;
        reply.removed().map_err(WorldError::CannotGive)
    }

    fn count(&self) -> BoxFuture<'static, Option<ProxyCounts>> {
        let mut counts = ProxyCounts::default();
        for (link, (_, proxy)) in &self.proxies {
            counts.links.insert(link.to_string(), proxy.counts());
            counts.add_fired(proxy.fired());
        }
        ready(Some(counts)).boxed()
    }

    fn doubts(&self) -> Vec<String> {
        self.layered.values().flat_map(|layer| layer.doubts()).collect()
    }

    async fn close_all(&mut self) {
        self.proxies.clear();
    }
}
