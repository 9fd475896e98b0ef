//! A system that runs already: addresses of its services, and proxies on its links that somebody else has started
//! (`chaos proxy`). They are steered over their control server, under a lease.
//!
//! Nothing is started here, and nothing taken down: at the end, what was broken is healed, and the system goes on. If
//! the runner is lost, its lease lapses, and the proxies heal it; services whose containers were broken are brought
//! back by a supervisor.

mod client;
#[cfg(feature = "docker")]
mod containers;
#[cfg(not(feature = "docker"))]
#[path = "attach/no_containers.rs"]
mod containers;
mod lease;

use crate::reach;
use async_trait::async_trait;
pub use chaos_inject::control::Token;
use chaos_inject::{
    Message, Reply,
    control::{LinkState, Problem},
};
use chaos_model::{
    Endpoint, Event, Fault, Link, System, Target,
    attach::{Attach, HostPort},
    effect::action::ServiceAction,
    event::Fired,
    ledger::Removed,
};
use chaos_run::{Address, Death, Events, TornDown, World, WorldError, flush, ready};
use client::{ControlClient, ControlError};
use containers::Containers;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use host::Host;
use lease::Lease;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// Time that a service has to answer that it is ready. It runs already: this is no start.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time that an engine may take to start a container: some 300 ms on an idle machine of two cores.
const STARTING: Duration = Duration::from_secs(1);

/// Configuration of the world: addresses, the token of the control server, and what may be reached.
#[derive(Clone, Debug)]
pub struct AttachConfig {
    /// Addresses of the entry, the control server and the services, as `attach.toml` has them.
    pub attach: Attach,
    /// The token that the control server wants to be shown; or the reason that there is none.
    pub token: Result<Token, String>,
    /// The name of who runs, for those who are refused meanwhile. At most 200 bytes.
    pub holder: String,
    /// True where addresses that are not local may be used.
    pub remote: bool,
    /// The supervision that services need which are broken themselves.
    pub keeping: Keeping,
}

/// The supervisor's program and place: it brings containers back that a lost runner has broken.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The `chaos` binary: the supervisor is this.
    pub executable: PathBuf,
    /// The folder that the run's folder is made in, in which stands what is broken.
    pub temp: PathBuf,
}

/// A system that runs already.
pub struct AttachedWorld {
    host: Host,
    config: AttachConfig,
    resolve: reach::Resolve,
    lease: Option<Lease>,
    /// The faults that are in place on links.
    faults: BTreeMap<String, String>,
    /// The containers of services that faults act on, if they act on some.
    containers: Option<Containers>,
}

impl AttachedWorld {
    /// A world that nobody has talked to yet. `host` is the runner's own.
    #[must_use]
    pub fn new(host: &Host, config: AttachConfig, resolve: reach::Resolve) -> Self {
        let near = || reach::within_reach(host, Vec::new(), Arc::clone(&resolve));
        let host = if config.remote { host.clone() } else { near() };
        Self { host, config, resolve, lease: None, faults: BTreeMap::new(), containers: None }
    }

    /// Nothing that is not local is used, unless that was said.
    async fn check_reach(&self) -> Result<(), WorldError> {
        let Attach { entry, control, services, .. } = &self.config.attach;
        for address in [entry, control].into_iter().chain(services.values()).filter(|_| !self.config.remote) {
            let allow = |why| WorldError::CannotGive(format!("{why}: `--allow-remote-targets` would allow it"));
            reach::check(address, &self.resolve).await.map_err(allow)?;
        }
        Ok(())
    }

    /// Each service has to be ready: else the run would judge what was broken before it.
    async fn ask_services(&self, system: &System, events: &Events) -> Result<(), WorldError> {
        let began = Instant::now();
        let mut waiting = FuturesUnordered::new();
        for service in system.services.values() {
            let Some(at) = self.service(&service.name) else { continue };
            waiting.push(ready::wait(self.host.clone(), service.clone(), at));
        }
        while let Some((service, at, result)) = waiting.next().await {
            match result {
                Ok(()) => events.emit(Event::ServiceReady {
                    service: service.name,
                    what: "runs already".to_owned(),
                    address: at.to_string(),
                    took: began.elapsed(),
                }),
                Err(why) if began.elapsed() >= PATIENCE => {
                    let (seconds, last_lines) = (PATIENCE.as_secs(), Vec::new());
                    return Err(WorldError::NotReady {
                        service: service.name,
                        seconds,
                        why: format!("{at}: {why}"),
                        last_lines,
                    });
                }
                Err(_) => waiting.push(ready::wait(self.host.clone(), service, at)),
            }
        }
        Ok(())
    }

    /// The lease that messages go under, and the link of a fault.
    fn place<'w>(&'w self, fault: &'w Fault) -> Result<(&'w Lease, String), WorldError> {
        let Target::Link(link) = &fault.on else {
            let why = format!("the world `attach` has no place for a fault on {}", fault.on);
            return Err(WorldError::CannotGive(why));
        };
        let lease = self.lease.as_ref().ok_or_else(|| WorldError::CannotGive("there is no lease".to_owned()))?;
        Ok((lease, link.to_string()))
    }

    /// Containers of the services that faults act on; none where faults act on no service.
    async fn find_containers(&self, system: &System) -> Result<Option<Containers>, WorldError> {
        let named = &self.config.attach.containers;
        if named.is_empty() {
            return Ok(None);
        }
        let of_service = |name: &str| self.service(name);
        Containers::find(&self.host, &self.config.keeping, named, (system, of_service)).await.map(Some)
    }

    fn containers(&mut self, service: &str) -> Result<&mut Containers, WorldError> {
        self.containers
            .as_mut()
            .ok_or_else(|| WorldError::CannotGive(format!("nothing says in which container {service} runs")))
    }

    async fn send(&self, fault: &Fault, message: Message) -> Result<Reply, WorldError> {
        let (lease, link) = self.place(fault)?;
        lease.send(&link, message).await.map_err(failed)
    }
}

/// Every link that faults act on has to have a proxy, which speaks what the system says.
fn check_links(system: &System, needed: &BTreeSet<Link>, links: &[LinkState]) -> Result<(), WorldError> {
    for link in needed {
        let name = link.to_string();
        let protocol = system.services.get(&link.to).map(|service| service.protocol);
        let Some(state) = links.iter().find(|state| state.link == name) else {
            let known: Vec<&str> = links.iter().map(|state| state.link.as_str()).collect();
            let why = format!("no proxy stands on {name}; they do on {}", known.join(", "));
            return Err(WorldError::CannotGive(why));
        };
        if let Some(protocol) = protocol.filter(|protocol| *protocol != state.protocol) {
            let why = format!("the proxy on {name} reads {}, and the system says {protocol}", state.protocol);
            return Err(WorldError::CannotGive(why));
        }
    }
    Ok(())
}

fn address(HostPort { host, port }: &HostPort) -> Address {
    Address { host: host.clone(), port: *port }
}

/// A lease that is lost makes the run inconclusive; everything else is a failure of the world.
fn failed(error: ControlError) -> WorldError {
    match error {
        ControlError::Refused(problem @ (Problem::LeaseOver { .. } | Problem::NoSuchLease)) => {
            lost(&problem.to_string())
        }
        ControlError::Refused(Problem::Unauthenticated) => {
            let why = "the control server takes another token: it makes a new one at each start";
            WorldError::CannotGive(why.to_owned())
        }
        ControlError::Refused(problem) => WorldError::CannotGive(format!("the proxies refused: {problem}")),
        ControlError::Unreachable(why) => WorldError::CannotGive(format!("the proxies can't be reached: {why}")),
    }
}

fn lost(why: &str) -> WorldError {
    WorldError::Lost(format!("the lease on the proxies was lost ({why}): they have taken all faults back"))
}

#[async_trait]
impl World for AttachedWorld {
    fn name(&self) -> &'static str {
        "attach"
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn starting_takes(&self) -> Duration {
        if self.config.attach.containers.is_empty() { Duration::ZERO } else { STARTING }
    }

    /// The lease is the run lock: one runner has it at a time, whatever machine it is on.
    async fn take_run_lock(&mut self, _: &Events) -> Result<(), WorldError> {
        Ok(())
    }

    async fn start(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError> {
        self.check_reach().await?;
        let token = self.config.token.as_ref().map_err(|why| WorldError::CannotGive(why.clone()))?;
        let control = ControlClient::new(&self.host, address(&self.config.attach.control), token);
        let links = control.links().await.map_err(failed)?;
        check_links(system, &self.config.attach.links, &links)?;
        self.lease = Some(Lease::take(control, self.config.holder.clone(), seed).await.map_err(failed)?);
        for state in links.into_iter().filter(|state| system.links.iter().any(|link| link.to_string() == state.link)) {
            let address =
                if state.link == entry_link(system) { self.config.attach.entry.to_string() } else { state.listen };
            events.emit(Event::LinkReady { link: state.link, address });
        }
        self.ask_services(system, events).await?;
        self.containers = self.find_containers(system).await?;
        Ok(())
    }

    fn entry(&self) -> Address {
        address(&self.config.attach.entry)
    }

    fn service(&self, name: &str) -> Option<Address> {
        self.config.attach.services.get(name).map(address)
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        if let Target::Service(service) = &fault.on {
            return match service_action(fault, service)? {
                ServiceAction::Flush => flush::flush(&self.host, service, self.service(service)).await,
                action => self.containers(service)?.apply(service, fault, action).await,
            };
        }
        let reply = self.send(fault, Message::Apply(Box::new(fault.clone()))).await?;
        self.faults.insert(fault.name.clone(), fault.on.to_string());
        reply.applied().map_err(WorldError::CannotGive)
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        if let Target::Service(service) = &fault.on {
            match service_action(fault, service)? {
                // It was over when it had happened.
                ServiceAction::Flush => {}
                action => self.containers(service)?.remove(service, fault, action).await?,
            }
            return Ok(Removed::of(Fired { services: 1, ..Fired::default() }));
        }
        let reply = self.send(fault, Message::Remove { fault: fault.name.clone() }).await?;
        self.faults.remove(&fault.name);
        reply.removed().map_err(WorldError::CannotGive)
    }

    /// Services are not watched here; the lease is, and the supervisor where there is one.
    async fn died(&mut self) -> Result<Death, WorldError> {
        let Some(lease) = &self.lease else { return std::future::pending().await };
        let Some(containers) = &mut self.containers else { return Err(lost(&lease.lost().await)) };
        Err(tokio::select! {
            biased;
            why = lease.lost() => lost(&why),
            error = containers.lost() => error,
        })
    }

    async fn stop(&mut self, _: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        let faults = std::mem::take(&mut self.faults);
        // First, since it takes no time: services may need some. Done already where it is over.
        if let Some(lease) = self.lease.take()
            && let Err(error) = lease.give_up().await
            && !matches!(error, ControlError::Refused(Problem::LeaseOver { .. } | Problem::NoSuchLease))
        {
            let heals = "which the proxies take back by themselves within a second";
            torn_down.left.extend(faults.iter().map(|(fault, on)| format!("{fault} on {on}, {heals} ({error})")));
        }
        if let Some(containers) = self.containers.take() {
            torn_down.left.extend(containers.stop().await);
        }
        torn_down
    }
}

/// The action of a fault on a service; refused where the fault acts on links.
fn service_action(fault: &Fault, service: &str) -> Result<ServiceAction, WorldError> {
    let of_links =
        || WorldError::CannotGive(format!("`{}` acts on links, and {service} is a service", fault.effect.name()));
    fault.effect.action().service.ok_or_else(of_links)
}

fn entry_link(system: &System) -> String {
    let entry = system.links.iter().find(|link| link.from == Endpoint::Client);
    entry.map(ToString::to_string).unwrap_or_default()
}
