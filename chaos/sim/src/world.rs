//! The world `sim`: services are functions of this process, on a network in memory; links have the proxies of every world.

use crate::{
    logs::Logs,
    programs::Programs,
    running_service::{Launch, RunningService},
    trace::Tracer,
};
use async_trait::async_trait;
use chaos_links::InProcessLinks;
use chaos_model::{
    Link, Protocol, Service, Start, System,
    effect::action::ServiceAction,
    lifecycle::Lifecycle,
    system::{CLIENT, ListenPorts},
};
use chaos_run::{
    Address, ComposedWorld, Death, Exits, Extra, Instance, InstanceId, LinkAddresses, NotGiven, Offer, Runtime, Site,
    TlsOnLinks, TornDown, Unfit, WorldError,
};
use host::{Host, memory::MemoryNetwork};
use std::{collections::BTreeMap, time::Duration};

/// Time that services have to become ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulated system, with a proxy on each link.
pub type SimWorld = ComposedWorld<SimRuntime, InProcessLinks>;

/// Services as functions of this process. It lives on a runtime with a paused clock ([`crate::block_on`]).
pub struct SimRuntime {
    network: MemoryNetwork,
    /// The load's and the scrapes' host.
    client: Host,
    programs: Programs,
    logs: Logs,
    tracer: Option<Tracer>,
    services: BTreeMap<InstanceId, (ListenPorts, RunningService)>,
    exits: Exits,
}

impl SimRuntime {
    /// A runtime without anything in it yet; what is drawn in it derives from `seed`. Call it within
    /// [`crate::block_on`].
    #[must_use]
    pub fn new(seed: u64, programs: Programs) -> Self {
        let network = MemoryNetwork::new(seed);
        let client = network.host(CLIENT);
        let (logs, services) = (Logs::default(), BTreeMap::new());
        Self { network, client, programs, logs, tracer: None, services, exits: Exits::default() }
    }

    /// The world that it makes with proxies on all links.
    #[must_use]
    pub fn into_world(self) -> SimWorld {
        ComposedWorld::new(self, InProcessLinks::new())
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

    fn launch_of(&self, service: &Service, links: &LinkAddresses) -> Result<Launch, WorldError> {
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
        let ports = listen_ports(service);
        let settings = links.settings(service, &ports).into_iter();
        let settings = settings.chain([("PORT".to_owned(), ports.own.to_string())]).collect();
        Ok(Launch { name: service.name.clone(), program: program.clone(), run, settings })
    }

    fn of(&mut self, instance: &InstanceId) -> Result<&mut RunningService, WorldError> {
        let service = self.services.get_mut(instance).map(|(_, service)| service);
        service.ok_or_else(|| WorldError::CannotGive(format!("there is no service {instance}")))
    }
}

/// The ports of a service: a machine of its own has all of them free.
fn listen_ports(service: &Service) -> ListenPorts {
    ListenPorts { own: service.protocol.usual_port, named: service.ports.clone(), files: BTreeMap::new() }
}

/// Services that a simulation runs.
fn runs(start: &Start) -> Result<(), Unfit> {
    match start {
        Start::Command(_) => Err(Unfit {
            what: "runs a command, and a simulation runs functions of its own process",
            advice: "`--world local` runs it; a Rust program can be built into a command of its own (`chaos_cli::main`)",
        }),
        Start::Program(program) if program == "redis-server" => Err(Unfit {
            what: "asks for a real Redis, and a simulation has the built-in one alone",
            advice: "`program = \"redis\"` is a real one where there is one, and the built-in one in a simulation",
        }),
        Start::Image(_) => Err(Unfit {
            what: "is an image, and a simulation runs functions of its own process",
            advice: "`--world docker` runs it",
        }),
        Start::Address(_) => Err(Unfit {
            what: "is at an address, and a simulation reaches no network",
            advice: "`--world local` uses it",
        }),
        Start::Compose(_) => Err(Unfit {
            what: "is of a Compose file, and a simulation runs functions of its own process",
            advice: "`--world docker` runs it",
        }),
        Start::Program(_) => Ok(()),
    }
}

/// Things beside its programs that a simulation has.
fn has(extra: Extra) -> Result<(), Unfit> {
    match extra {
        Extra::Errands => Err(Unfit {
            what: "has commands for its setup or teardown, and a simulation runs functions of its own process",
            advice: "`--world local` runs them",
        }),
        Extra::ReadyCommand => Err(Unfit {
            what: "is ready by a command, and a simulation runs functions of its own process",
            advice: "`--world local` runs it; `ready = \"GET /health\"` and `\"tcp\"` are asked everywhere",
        }),
        Extra::ReadyLog => Err(Unfit {
            what: "is ready by a line of its output, and a simulation asks its functions",
            advice: "`ready = \"GET /health\"` and `\"tcp\"` are asked everywhere",
        }),
    }
}

/// Actions on services that a simulation has.
fn does(action: ServiceAction) -> Result<(), NotGiven> {
    match action {
        ServiceAction::Limit(_) => Err(NotGiven {
            why: "in a simulation computing takes no time, and memory is not counted",
            advice: "only docker can limit what a service uses: `--world docker`",
        }),
        _ => Ok(()),
    }
}

#[async_trait]
impl Runtime for SimRuntime {
    const OFFER: Offer = Offer { name: "sim", runs, has, does, tls: TlsOnLinks::Absent };

    fn host(&self) -> &Host {
        &self.client
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn prepare(&mut self, _: &System, _: u64) -> Result<(), WorldError> {
        Ok(())
    }

    fn site(&mut self, link: &Link, protocol: Protocol) -> Result<Site, WorldError> {
        // A host of its own for each link, so that proxies stand where they stand elsewhere, and the usual ports are
        // free on each service.
        let name = proxy_name(link);
        let host = self.network.host(&name);
        let listener = host.listen(protocol.usual_port).map_err(WorldError::machine(format!("no port for {link}")))?;
        Ok(Site { host, listener, name })
    }

    fn place(&mut self, service: &Service, links: &LinkAddresses) -> Result<(), WorldError> {
        let launch = self.launch_of(service, links)?;
        let id = InstanceId::first(service.name.as_str());
        self.services.insert(id.clone(), (listen_ports(service), RunningService::new(id, launch)));
        Ok(())
    }

    async fn launch(&mut self, services: &[&Service], _: &LinkAddresses) -> Result<(), WorldError> {
        for service in services {
            self.start(&InstanceId::first(service.name.as_str())).await?;
        }
        Ok(())
    }

    fn instances(&self, service: &str) -> Vec<Instance> {
        let id = InstanceId::first(service);
        let of = |(ports, service): &(ListenPorts, RunningService)| Instance {
            id: id.clone(),
            address: Address { host: id.service.clone(), port: ports.own },
            ports: ports.named.clone(),
            what: format!("{} (simulated)", service.program()),
        };
        self.services.get(&id).map(of).into_iter().collect()
    }

    async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (network, watcher) = (self.network.clone(), self.client.clone());
        let (logs, tracer, exits) = (self.logs.clone(), self.tracer.clone(), self.exits.sender());
        let service = self.of(instance)?;
        if service.is_over() {
            service.kill().await;
        }
        service.start(&network, &watcher, (&logs, tracer.as_ref()), exits);
        Ok(())
    }

    async fn terminate(&mut self, instance: &InstanceId, lifecycle: &Lifecycle) -> Result<(), WorldError> {
        let (watcher, exits) = (self.client.clone(), self.exits.sender());
        self.of(instance)?.terminate(lifecycle.stop_grace(), &watcher, exits);
        Ok(())
    }

    async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.of(instance)?.kill().await;
        Ok(())
    }

    async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        if self.of(instance)?.freeze() {
            return Ok(());
        }
        Err(WorldError::CannotGive(format!("{instance} can't be frozen: it does not run")))
    }

    async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.of(instance)?.thaw();
        Ok(())
    }

    async fn exited(&mut self) -> Result<Death, WorldError> {
        loop {
            let exit = self.exits.next().await;
            self.exits.take();
            let service = self.services.get_mut(&exit.instance).map(|(_, service)| service);
            let Some(service) = service.filter(|service| service.is_news(&exit)) else { continue };
            service.has_exited();
            let last_lines = self.logs.last_lines(&exit.instance.service);
            return Ok(Death { instance: exit.instance, how: exit.how, last_lines, killed_after: exit.killed_after });
        }
    }

    async fn last_lines(&self, instance: &InstanceId) -> Vec<String> {
        self.logs.last_lines(&instance.service)
    }

    async fn take_down(&mut self, _: bool) -> TornDown {
        for (_, service) in self.services.values_mut() {
            service.stop(Lifecycle::GRACE).await;
        }
        self.services.clear();
        TornDown::default()
    }
}

/// Host name of the proxy of a link: `redis.gateway` is Redis as the gateway sees it. Services' names have no dots, so
/// it is nobody else's.
fn proxy_name(link: &Link) -> String {
    let Link { from, to, label } = link;
    label.as_ref().map_or_else(|| format!("{to}.{from}"), |label| format!("{label}.{to}.{from}"))
}
