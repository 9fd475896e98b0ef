//! A world made of a runtime and links: order of starting, waiting until all is ready, faults of services, counting. What
//! each world would else repeat is here once.

mod changes;
mod service_faults;
mod until_ready;

use super::{Address, Instance, LinkAddresses, Links, News, Notice, Runtime, TornDown, World, WorldError};
use crate::{Events, ready};
use async_trait::async_trait;
use changes::Changes;
use chaos_model::{
    Endpoint, Event, Fault, Link, Protocol, RunKey, Service, System, Target, event::ProxyCounts, ledger::Removed,
};
use futures_util::future::BoxFuture;
use host::Host;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// A world made of a runtime, which runs services, and links, which carry what passes between them.
pub struct ComposedWorld<R, L> {
    runtime: R,
    links: L,
    services: BTreeMap<String, Service>,
    /// Machines from which services are asked that are asked over TLS, by service.
    secured: BTreeMap<String, Host>,
    addresses: LinkAddresses,
    /// All links of the system, in its order.
    opened: Vec<Link>,
    entry: Option<Address>,
    changes: Changes,
}

impl<R: Runtime, L: Links> ComposedWorld<R, L> {
    /// A world without anything in it yet.
    #[must_use]
    pub fn new(runtime: R, links: L) -> Self {
        let (services, secured, addresses) = (BTreeMap::new(), BTreeMap::new(), LinkAddresses::default());
        let (opened, entry, changes) = (Vec::new(), None, Changes::default());
        Self { runtime, links, services, secured, addresses, opened, entry, changes }
    }

    /// The half that runs services.
    pub fn runtime(&self) -> &R {
        &self.runtime
    }

    /// Both halves, for whoever starts and breaks things past the timeline, as tests do.
    pub fn halves(&mut self) -> (&mut R, &mut L) {
        (&mut self.runtime, &mut self.links)
    }

    /// Puts a proxy on each link.
    async fn open_links(&mut self, system: &System, run: RunKey, events: &Events) -> Result<(), WorldError> {
        self.links.begin(system, run).await?;
        for link in &system.links {
            let protocol = system.stack(link).protocol;
            let runtime = &mut self.runtime;
            let stands = self.links.open(link, protocol, &mut |link, protocol| runtime.site(link, protocol)).await?;
            self.opened.push(link.clone());
            let Some(address) = self.links.address(link) else { continue };
            if stands {
                events.emit(Event::LinkReady { link: link.to_string(), address: address.to_string() });
            }
            if link.from == Endpoint::Client {
                self.entry = Some(address.clone());
            }
            self.addresses.insert(link.clone(), address);
        }
        Ok(())
    }

    /// Leads all links to a service to where its instances are.
    fn lead_to(&mut self, service: &str) {
        let to: Vec<Address> = self.runtime.instances(service).into_iter().map(|instance| instance.address).collect();
        if let Some(first) = to.first() {
            self.addresses.place(service, first.clone());
        }
        for link in self.opened.iter().filter(|link| link.to == service) {
            self.links.lead(link, &to);
        }
    }

    /// A service with its instances.
    fn with_instances(&self, name: &str) -> Result<(Service, Vec<Instance>), WorldError> {
        let service = self.services.get(name).map(|service| (service.clone(), self.runtime.instances(name)));
        service.ok_or_else(|| WorldError::CannotGive(format!("there is no service {name}")))
    }
}

/// Tells whether the runner asks a service over TLS: as its clients do, whether it is ready, for its metrics, or to forget.
fn is_asked_over_tls(system: &System, service: &Service) -> bool {
    let is_scraped = service.metrics.as_ref().is_some_and(|probe| probe.is_tls);
    let is_asked = service.name == system.entry || service.protocol == Protocol::REDIS;
    ready::is_over_tls(service) || is_scraped || (is_asked && service.speaks_tls)
}

/// Refuses a fault on several places at once: each is told of its own.
fn each_by_itself(fault: &Fault) -> WorldError {
    WorldError::CannotGive(format!("`{}` is on several places, and comes to each by itself", fault.name))
}

#[async_trait]
impl<R: Runtime, L: Links> World for ComposedWorld<R, L> {
    fn name(&self) -> &'static str {
        R::OFFER.name
    }

    fn host(&self) -> &Host {
        self.runtime.host()
    }

    fn starting_takes(&self) -> Duration {
        self.runtime.starting_takes()
    }

    fn is_careful(&self) -> bool {
        self.runtime.is_careful()
    }

    async fn take_run_lock(&mut self, events: &Events) -> Result<(), WorldError> {
        self.runtime.take_run_lock(events).await
    }

    async fn start(&mut self, system: &System, run: RunKey, events: &Events) -> Result<(), WorldError> {
        self.runtime.prepare(system, run.seed).await?;
        for service in system.services.values().filter(|service| is_asked_over_tls(system, service)) {
            self.secured.extend(self.runtime.secured(service)?.map(|host| (service.name.clone(), host)));
        }
        self.open_links(system, run, events).await?;
        let began = Instant::now();
        self.services.clone_from(&system.services);
        for service in system.services.values() {
            self.runtime.place(service, &self.addresses)?;
            self.lead_to(&service.name);
        }
        // In the order of uses, in every world: where all started at once, a gateway could win a race against its own
        // Redis, and begin with a second without a cache.
        for wave in system.start_order() {
            self.runtime.set_up(&wave, &self.addresses).await?;
            let launched = Instant::now();
            self.runtime.launch(&wave, &self.addresses).await?;
            for service in &wave {
                // It may have another address than the one that it was placed at.
                self.lead_to(&service.name);
            }
            self.until_ready(&wave, (began, launched), events).await?;
        }
        Ok(())
    }

    fn entry(&self) -> Address {
        // Port 0 reaches nothing: asked before the start, which the run doesn't.
        self.entry.clone().unwrap_or(Address { host: "127.0.0.1".to_owned(), port: 0 })
    }

    fn service(&self, name: &str, port: Option<&str>) -> Option<Address> {
        self.runtime.instances(name).first().and_then(|instance| instance.at(port))
    }

    fn secured(&self, service: &str) -> Option<Host> {
        self.secured.get(service).cloned()
    }

    fn probe(&self, name: &str) -> Option<BoxFuture<'static, Result<(), String>>> {
        self.probe_once(name)
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        match &fault.on {
            Target::Link(link) => self.links.apply(link, fault).await,
            Target::Links(_) | Target::Services(_) => Err(each_by_itself(fault)),
            Target::Service(service) => self.break_service(service, fault).await,
        }
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        match &fault.on {
            Target::Link(link) => self.links.remove(link, fault).await,
            Target::Links(_) | Target::Services(_) => Err(each_by_itself(fault)),
            Target::Service(service) => self.heal_service(service, fault).await,
        }
    }

    fn count(&self) -> BoxFuture<'static, Option<ProxyCounts>> {
        self.links.count()
    }

    fn doubts(&self) -> Vec<String> {
        self.links.doubts()
    }

    fn is_restarting(&self, service: &str) -> bool {
        self.runtime.instances(service).iter().any(|instance| self.changes.is_restarting(&instance.id))
    }

    async fn notice(&mut self) -> Result<Notice, WorldError> {
        self.next_notice().await
    }

    async fn attend(&mut self, notice: Notice) -> Result<Option<News>, WorldError> {
        match notice {
            Notice::Exited(death) => self.has_exited(death).await,
            Notice::Ready { instance, start } => self.is_ready(instance, start).await,
        }
    }

    async fn stop(&mut self, keep_logs: bool) -> TornDown {
        // First, since it takes no time: services may need some. And they may still use their links while they end.
        let mut left = self.links.release().await;
        let mut torn_down = self.runtime.take_down(keep_logs).await;
        self.links.close_all().await;
        left.append(&mut torn_down.left);
        let mut seen = BTreeSet::new();
        left.retain(|what| seen.insert(what.clone()));
        self.services.clear();
        self.secured.clear();
        self.addresses = LinkAddresses::default();
        self.opened.clear();
        self.entry = None;
        self.changes = Changes::default();
        TornDown { left, ..torn_down }
    }
}
