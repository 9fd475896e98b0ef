//! A system that runs already: addresses of its services, and proxies on its links that somebody else has started
//! (`chaos proxy`).
//!
//! Nothing is started here, and nothing taken down: at the end, what was broken is healed, and the system goes on. If
//! the runner is lost, its lease lapses, and the proxies heal it; services whose containers were broken are brought
//! back by a supervisor.

#[cfg(feature = "docker")]
mod containers;
#[cfg(not(feature = "docker"))]
#[path = "attach/without_engine.rs"]
mod containers;

use crate::tls::Tls;
use async_trait::async_trait;
use chaos_links::{ControlEndpoint, RemoteConfig, RemoteLinks, Token, reach};
use chaos_model::{
    Link, Protocol, Service, System,
    attach::{Attach, HostPort},
    effect::action::ServiceAction,
    lifecycle::Lifecycle,
};
use chaos_run::{
    Address, ComposedWorld, Death, Extra, Instance, InstanceId, LinkAddresses, NotGiven, Offer, Runtime, Site,
    TlsOnLinks, TornDown, Unfit, WorldError,
};
use chaos_supervise::supervisor::SupervisorProgram;
use containers::Containers;
use host::Host;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// Time that services have to answer that they are ready. They run already: this is no start.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time that an engine may take to start a container: some 300 ms on an idle machine of two cores.
const STARTING: Duration = Duration::from_secs(1);

/// A system that runs already, with proxies of others on its links.
pub type AttachedWorld = ComposedWorld<AttachedRuntime, RemoteLinks>;

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
    /// The supervisor.
    pub supervisor: SupervisorProgram,
    /// The folder that the run's folder is made in, in which stands what is broken.
    pub temp: PathBuf,
}

/// Services that others have started. Faults act on those whose containers are named.
pub struct AttachedRuntime {
    host: Host,
    attach: Attach,
    remote: bool,
    keeping: Keeping,
    resolve: reach::Resolve,
    /// The services that were placed, with their named ports: as their files have them, on the machines that they are on.
    placed: BTreeMap<String, BTreeMap<String, u16>>,
    tls: Tls,
    /// The containers of services that faults act on, if they act on some.
    containers: Option<Containers>,
}

/// A world that nobody has talked to yet. `host` is the runner's own.
#[must_use]
pub fn world(host: &Host, config: AttachConfig, resolve: reach::Resolve) -> AttachedWorld {
    let AttachConfig { attach, token, holder, remote, keeping } = config;
    let near = || reach::within_reach(host, Vec::new(), reach::OwnAddresses::default(), Arc::clone(&resolve));
    let host = if remote { host.clone() } else { near() };
    let links = RemoteConfig {
        endpoints: vec![ControlEndpoint { control: attach.control.clone(), token }],
        entry: attach.entry.clone(),
        needed: attach.links.clone(),
        holder,
        remote,
    };
    let links = RemoteLinks::new(host.clone(), links, Arc::clone(&resolve));
    let (placed, tls) = (BTreeMap::new(), Tls::new(&host));
    let runtime = AttachedRuntime { host, attach, remote, keeping, resolve, placed, tls, containers: None };
    ComposedWorld::new(runtime, links)
}

impl AttachedRuntime {
    fn address(&self, service: &str) -> Option<Address> {
        let HostPort { host, port } = self.attach.services.get(service)?;
        Some(Address { host: host.clone(), port: *port })
    }

    fn containers(&mut self, instance: &InstanceId) -> Result<&mut Containers, WorldError> {
        self.containers
            .as_mut()
            .ok_or_else(|| WorldError::CannotGive(format!("nothing says in which container {instance} runs")))
    }
}

/// Questions that others' services can be asked. Their commands are not run: they run already.
fn has(extra: Extra) -> Result<(), Unfit> {
    let advice = "`ready = \"GET /health\"` and `\"tcp\"` ask what runs already";
    match extra {
        Extra::Errands => Ok(()),
        Extra::ReadyCommand => Err(Unfit { what: "is ready by a command, and nothing is started there", advice }),
        Extra::ReadyLog => Err(Unfit { what: "is ready by a line of its output, which others have", advice }),
    }
}

/// Actions on services of others, where these run in containers.
fn does(action: ServiceAction) -> Result<(), NotGiven> {
    match action {
        ServiceAction::Limit(_) => Err(NotGiven {
            why: "what runs already has the limits that its operator gave it",
            advice: "only docker can limit what a service uses: `--world docker`",
        }),
        _ => Ok(()),
    }
}

#[async_trait]
impl Runtime for AttachedRuntime {
    const OFFER: Offer = Offer { name: "attach", runs: |_| Ok(()), has, does, tls: TlsOnLinks::Passed };

    fn host(&self) -> &Host {
        &self.host
    }

    fn runs_already(&self) -> bool {
        true
    }

    fn is_careful(&self) -> bool {
        self.attach.gate
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn starting_takes(&self) -> Duration {
        if self.attach.containers.is_empty() { Duration::ZERO } else { STARTING }
    }

    fn relays(&self) -> bool {
        self.containers.is_some()
    }

    async fn prepare(&mut self, _: &System, _: u64) -> Result<(), WorldError> {
        // Nothing that is not local is used, unless that was said.
        for address in self.attach.services.values().filter(|_| !self.remote) {
            reach::allow(address, &self.resolve).await?;
        }
        let named = &self.attach.containers;
        if !named.is_empty() {
            self.containers = Some(Containers::find(&self.host, &self.keeping, named).await?);
        }
        Ok(())
    }

    fn site(&mut self, link: &Link, _: Protocol) -> Result<Site, WorldError> {
        // Others have decided where their clients connect to.
        Err(WorldError::CannotGive(format!("a system that runs already has no place for a proxy of ours on {link}")))
    }

    fn place(&mut self, service: &Service, _: &LinkAddresses) -> Result<(), WorldError> {
        self.placed.insert(service.name.clone(), service.ports.clone());
        Ok(())
    }

    fn secured(&self, service: &Service) -> Result<Option<Host>, WorldError> {
        self.tls.secured(&self.host, service)
    }

    async fn launch(&mut self, _: &[&Service], _: &LinkAddresses) -> Result<(), WorldError> {
        Ok(())
    }

    fn instances(&self, service: &str) -> Vec<Instance> {
        let ports = self.placed.get(service).cloned().unwrap_or_default();
        let of = |address| Instance { id: InstanceId::first(service), address, ports, what: "runs already".to_owned() };
        let address = self.placed.get_key_value(service).and_then(|(service, _)| self.address(service));
        address.map(of).into_iter().collect()
    }

    async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.containers(instance)?.start(instance).await
    }

    async fn recovered(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.containers(instance)?.is_whole(instance)
    }

    async fn terminate(&mut self, instance: &InstanceId, lifecycle: &Lifecycle) -> Result<(), WorldError> {
        self.containers(instance)?.terminate(instance, lifecycle).await
    }

    async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.containers(instance)?.kill(instance).await
    }

    async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.containers(instance)?.pause(instance).await
    }

    async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.containers(instance)?.resume(instance).await
    }

    /// Only services that faults have ended are watched here; the supervisor is, where there is one.
    async fn exited(&mut self) -> Result<Death, WorldError> {
        match &mut self.containers {
            Some(containers) => containers.exited().await,
            None => std::future::pending().await,
        }
    }

    async fn last_lines(&self, _: &InstanceId) -> Vec<String> {
        Vec::new()
    }

    async fn take_down(&mut self, _: bool) -> TornDown {
        let mut torn_down = TornDown::default();
        if let Some(containers) = self.containers.take() {
            torn_down.left = containers.restore().await;
        }
        self.placed.clear();
        torn_down
    }
}
