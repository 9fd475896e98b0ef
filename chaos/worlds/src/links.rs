//! The links of a system whose proxies are in the runner: one proxy a link.

use chaos_inject::{Message, Proxy, ProxyConfig};
use chaos_model::{Endpoint, Event, Fault, Link, Protocol, System, Target, ledger::Removed};
use chaos_run::{Address, Events, WorldError};
use host::{Host, Listener};
use std::{collections::BTreeMap, io};

/// The listener of a link's proxy, and the name that it is reached by.
pub(crate) struct ListenAt {
    /// The address that it is reached at from where the link begins.
    pub(crate) host: String,
    pub(crate) listener: Listener,
}

/// Proxies by link.
#[derive(Default)]
pub(crate) struct Links {
    proxies: BTreeMap<Link, (Address, Proxy)>,
    entry: Option<Address>,
}

impl Links {
    /// Opens a proxy for each link, which leads nowhere yet. `host` is the one that they dial from, `place` says where
    /// each listens.
    pub(crate) fn open(
        &mut self,
        system: &System,
        (host, seed): (&Host, u64),
        events: &Events,
        mut place: impl FnMut(&Link) -> io::Result<ListenAt>,
    ) -> Result<(), WorldError> {
        for link in &system.links {
            let place = place(link).map_err(WorldError::machine(format!("no port for {link}")))?;
            // The language makes links only to services that there are.
            let protocol = system.services.get(&link.to).map_or(Protocol::Tcp, |service| service.protocol);
            let proxy = Proxy::start(host, place.listener, ProxyConfig { link: link.clone(), protocol, seed });
            let address = Address { host: place.host, port: proxy.port() };
            events.emit(Event::LinkReady { link: link.to_string(), address: address.to_string() });
            if link.from == Endpoint::Client {
                self.entry = Some(address.clone());
            }
            self.proxies.insert(link.clone(), (address, proxy));
        }
        Ok(())
    }

    /// The address at which a service uses another: its link's.
    pub(crate) fn address(&self, from: &str, to: &str, label: Option<&str>) -> String {
        let from = Endpoint::Service(from.to_owned());
        let link = Link { from, to: to.to_owned(), label: label.map(str::to_owned) };
        // The language makes a link of each place that names a service, so there is a proxy for each.
        self.proxies.get(&link).map(|(address, _)| address.to_string()).unwrap_or_default()
    }

    /// The address at which clients reach the entry.
    pub(crate) fn entry(&self) -> Address {
        // Port 0 reaches nothing: asked before the start, which the run doesn't.
        self.entry.clone().unwrap_or(Address { host: "127.0.0.1".to_owned(), port: 0 })
    }

    /// Leads all links to a service to where that is.
    pub(crate) fn point_at(&self, service: &str, host: &str, port: u16) {
        for (_, (_, proxy)) in self.proxies.iter().filter(|(link, _)| link.to == service) {
            proxy.point_at(host, port);
        }
    }

    /// Puts a fault on its link.
    pub(crate) async fn apply(&self, fault: &Fault) -> Result<(), WorldError> {
        let reply = self.proxy_of(fault)?.send(Message::Apply(Box::new(fault.clone()))).await;
        reply.applied().map_err(WorldError::CannotGive)
    }

    /// Takes a fault from its link.
    pub(crate) async fn remove(&self, fault: &Fault) -> Result<Removed, WorldError> {
        let reply = self.proxy_of(fault)?.send(Message::Remove { fault: fault.name.clone() }).await;
        reply.removed().map_err(WorldError::CannotGive)
    }

    fn proxy_of(&self, fault: &Fault) -> Result<&Proxy, WorldError> {
        let proxy = match &fault.on {
            Target::Link(link) => self.proxies.get(link).map(|(_, proxy)| proxy),
            Target::Service(_) => None,
        };
        proxy.ok_or_else(|| WorldError::CannotGive(format!("there is no place for a fault on {}", fault.on)))
    }
}
