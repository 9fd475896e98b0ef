//! The world `sim`: services are programs in this process, on a network in memory; links have the proxies of every
//! world.

use crate::{
    logs::Logs,
    programs::Programs,
    service::{Exit, Launch, Service},
    trace::Tracer,
};
use async_trait::async_trait;
use chaos_inject::{Message, Proxy, ProxyConfig};
use chaos_model::{
    Effect, Endpoint, Event, Fault, Link, Protocol, Start, System, Target, effect::action::ServiceAction, event::Fired,
    ledger::Removed, system::CLIENT,
};
use chaos_run::{Address, Death, Events, TornDown, World, WorldError, flush, ready};
use host::{Host, memory::MemoryNetwork};
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::Instant,
};

/// Time that a service has to become ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulated system. It lives on a runtime with a paused clock ([`crate::block_on`]).
pub struct SimWorld {
    network: MemoryNetwork,
    /// The load's and the scrapes' host.
    client: Host,
    programs: Programs,
    logs: Logs,
    tracer: Option<Tracer>,
    services: BTreeMap<String, (chaos_model::Service, Service)>,
    proxies: BTreeMap<Link, Proxy>,
    entry: Option<Address>,
    exits: (UnboundedSender<Exit>, UnboundedReceiver<Exit>),
}

impl SimWorld {
    /// A world without anything in it yet; what is drawn in it derives from `seed`. Call it within [`crate::block_on`].
    #[must_use]
    pub fn new(seed: u64, programs: Programs) -> Self {
        let network = MemoryNetwork::new(seed);
        let client = network.host(CLIENT);
        Self {
            network,
            client,
            programs,
            logs: Logs::default(),
            tracer: None,
            services: BTreeMap::new(),
            proxies: BTreeMap::new(),
            entry: None,
            exits: unbounded_channel(),
        }
    }

    /// Keeps of the services' logs only the ends.
    #[must_use]
    pub fn without_logs(mut self) -> Self {
        self.logs = Logs::only_ends();
        self
    }

    /// The services' logs. They can be read when the world is gone, too.
    #[must_use]
    pub fn logs(&self) -> Logs {
        self.logs.clone()
    }

    /// Tells this tracer what services do. What passes on links, and what clients do, is told where the run is awaited:
    /// [`Tracer::follow`].
    #[must_use]
    pub fn traced(mut self, tracer: &Tracer) -> Self {
        self.tracer = Some(tracer.clone());
        self
    }

    /// The network, for what no scenario says: how far services are from one another, and what is cut off.
    #[must_use]
    pub fn network(&self) -> &MemoryNetwork {
        &self.network
    }

    fn open_proxies(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError> {
        for link in &system.links {
            // The language makes links only to services that there are.
            let protocol = system.services.get(&link.to).map_or(Protocol::Tcp, |service| service.protocol);
            let address = Address { host: proxy_name(link), port: port(protocol) };
            // A host of its own for each link, so that proxies stand where they stand elsewhere, and the usual ports
            // are free on each service.
            let host = self.network.host(&address.host);
            let listener = host.listen(address.port).map_err(WorldError::machine(format!("no port for {link}")))?;
            let proxy = Proxy::start(&host, listener, ProxyConfig { link: link.clone(), protocol, seed });
            proxy.point_at(&link.to, port(protocol));
            events.emit(Event::LinkReady { link: link.to_string(), address: address.to_string() });
            if link.from == Endpoint::Client {
                self.entry = Some(address);
            }
            self.proxies.insert(link.clone(), proxy);
        }
        Ok(())
    }

    fn launch_of(&self, service: &chaos_model::Service) -> Result<Launch, WorldError> {
        let Start::Program(program) = &service.start else {
            return Err(WorldError::CannotGive(format!(
                "the service {} is no program that is built in, and a simulation runs no others",
                service.name
            )));
        };
        let run = self.programs.find(program).ok_or_else(|| {
            let known = self.programs.names().collect::<Vec<_>>().join(", ");
            WorldError::CannotGive(format!("this simulation has no program `{program}`; it has {known}"))
        })?;
        let own_port = port(service.protocol);
        let address = |to: &str, label: Option<&str>| {
            let link = Link {
                from: Endpoint::Service(service.name.clone()),
                to: to.to_owned(),
                label: label.map(str::to_owned),
            };
            // The language makes a link of each place that names a service, so there is a proxy for each.
            format!("{}:{}", proxy_name(&link), self.proxies.get(&link).map_or(0, Proxy::port))
        };
        let env = service.env.iter().map(|(name, template)| (name.clone(), template.render(own_port, address)));
        let settings = env.chain([("PORT".to_owned(), own_port.to_string())]).collect();
        Ok(Launch { name: service.name.clone(), run, settings })
    }

    fn start_service(&mut self, name: &str) {
        if let Some((_, service)) = self.services.get_mut(name) {
            service.start(&self.network, &self.client, (&self.logs, self.tracer.as_ref()), &self.exits.0);
        }
    }

    /// Waits until a service is ready, or has ended.
    async fn until_ready(&mut self, name: &str, deadline: Instant) -> Result<(), WorldError> {
        let Some((model, _)) = self.services.get(name) else { return Ok(()) };
        let (host, model, address) = (self.client.clone(), model.clone(), address_of(model));
        let mut why = String::new();
        loop {
            tokio::select! {
                biased;
                death = self.died() => return Err(WorldError::DiedStarting(death?)),
                (_, _, result) = ready::wait(host.clone(), model.clone(), address.clone()) => match result {
                    Ok(()) => return Ok(()),
                    Err(because) => why = because,
                },
                () = tokio::time::sleep_until(deadline) => {
                    let last_lines = self.logs.last_lines(name);
                    let seconds = PATIENCE.as_secs();
                    return Err(WorldError::NotReady { service: name.to_owned(), seconds, why, last_lines });
                }
            }
        }
    }

    fn proxy_of(&self, fault: &Fault) -> Result<&Proxy, WorldError> {
        let proxy = match &fault.on {
            Target::Link(link) => self.proxies.get(link),
            Target::Service(_) => None,
        };
        proxy.ok_or_else(|| WorldError::CannotGive(format!("the simulation has no place for a fault on {}", fault.on)))
    }

    fn service_mut(&mut self, name: &str) -> Result<&mut Service, WorldError> {
        let service = self.services.get_mut(name).map(|(_, service)| service);
        service.ok_or_else(|| WorldError::CannotGive(format!("there is no service {name}")))
    }

    async fn break_service(&mut self, name: &str, effect: &Effect) -> Result<(), WorldError> {
        match effect.action().service {
            Some(ServiceAction::Pause) if self.service_mut(name)?.freeze() => {}
            Some(ServiceAction::Pause) => {
                return Err(WorldError::CannotGive(format!("{name} can't be frozen: it does not run")));
            }
            Some(ServiceAction::Stop) => self.service_mut(name)?.stop().await,
            Some(ServiceAction::Kill) => self.service_mut(name)?.kill().await,
            Some(ServiceAction::Restart) => {
                self.service_mut(name)?.stop().await;
                return self.bring_back(name).await;
            }
            Some(ServiceAction::Flush) => {
                let address = self.services.get(name).map(|(model, _)| address_of(model));
                return flush::flush(&self.client, name, address).await;
            }
            Some(ServiceAction::Limit(_)) => {
                let effect = effect.name();
                return Err(WorldError::CannotGive(format!("a simulation has no `{effect}` to limit {name} by")));
            }
            None => {
                let effect = effect.name();
                return Err(WorldError::CannotGive(format!("`{effect}` acts on links, and {name} is a service")));
            }
        }
        Ok(())
    }

    async fn heal_service(&mut self, name: &str, effect: &Effect) -> Result<(), WorldError> {
        match effect.action().service {
            Some(ServiceAction::Pause) => {
                self.service_mut(name)?.thaw();
                Ok(())
            }
            Some(ServiceAction::Stop | ServiceAction::Kill) => self.bring_back(name).await,
            // They are over when they have happened, or never did.
            Some(ServiceAction::Restart | ServiceAction::Flush | ServiceAction::Limit(_)) | None => Ok(()),
        }
    }

    async fn bring_back(&mut self, name: &str) -> Result<(), WorldError> {
        self.start_service(name);
        self.until_ready(name, Instant::now() + PATIENCE).await
    }
}

#[async_trait]
impl World for SimWorld {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn host(&self) -> &Host {
        &self.client
    }

    async fn take_run_lock(&mut self, _: &Events) -> Result<(), WorldError> {
        // Simulations share nothing.
        Ok(())
    }

    async fn start(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError> {
        let began = Instant::now();
        self.open_proxies(system, seed, events)?;
        for model in system.services.values() {
            let service = Service::new(self.launch_of(model)?);
            self.services.insert(model.name.clone(), (model.clone(), service));
        }
        for wave in system.start_order() {
            wave.iter().for_each(|model| self.start_service(&model.name));
            for model in wave {
                self.until_ready(&model.name, began + PATIENCE).await?;
                let what = match &model.start {
                    Start::Program(program) => format!("{program} (simulated)"),
                    Start::Command(_) | Start::Image(_) => String::new(),
                };
                let (service, address, took) = (model.name.clone(), address_of(model).to_string(), began.elapsed());
                events.emit(Event::ServiceReady { service, what, address, took });
            }
        }
        Ok(())
    }

    fn entry(&self) -> Address {
        // Port 0 reaches nothing: asked before the start, which the run doesn't.
        self.entry.clone().unwrap_or(Address { host: CLIENT.to_owned(), port: 0 })
    }

    fn service(&self, name: &str) -> Option<Address> {
        self.services.get(name).map(|(model, _)| address_of(model))
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        if let Target::Service(service) = &fault.on {
            return self.break_service(service, &fault.effect).await;
        }
        let reply = self.proxy_of(fault)?.send(Message::Apply(Box::new(fault.clone()))).await;
        reply.applied().map_err(WorldError::CannotGive)
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        if let Target::Service(service) = &fault.on {
            self.heal_service(service, &fault.effect).await?;
            return Ok(Removed::of(Fired { services: 1, ..Fired::default() }));
        }
        let reply = self.proxy_of(fault)?.send(Message::Remove { fault: fault.name.clone() }).await;
        reply.removed().map_err(WorldError::CannotGive)
    }

    async fn died(&mut self) -> Result<Death, WorldError> {
        loop {
            // Never none: the world holds a sender.
            let Some(exit) = self.exits.1.recv().await else { return std::future::pending().await };
            if self.services.get(&exit.service).is_some_and(|(_, service)| service.is_news(&exit)) {
                let last_lines = self.logs.last_lines(&exit.service);
                return Ok(Death { service: exit.service, how: exit.how, last_lines });
            }
        }
    }

    async fn stop(&mut self, _: bool) -> TornDown {
        for (_, service) in self.services.values_mut() {
            service.stop().await;
        }
        self.proxies.clear();
        self.services.clear();
        self.entry = None;
        TornDown::default()
    }
}

/// The port of a service: each has a machine of its own, so the usual ones are free.
fn port(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Http => 80,
        Protocol::Redis => 6379,
        Protocol::Tcp => 7000,
    }
}

fn address_of(service: &chaos_model::Service) -> Address {
    Address { host: service.name.clone(), port: port(service.protocol) }
}

/// Host name of the proxy of a link: `redis.gateway` is Redis as the gateway sees it. Services' names have no dots, so
/// it is nobody else's.
fn proxy_name(link: &Link) -> String {
    let Link { from, to, label } = link;
    label.as_ref().map_or_else(|| format!("{to}.{from}"), |label| format!("{label}.{to}.{from}"))
}
