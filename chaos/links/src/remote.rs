//! Links whose proxies are in processes of others, steered over their control servers, each under a lease. If the runner is
//! lost, its leases lapse, and the proxies take back what it broke.

mod client;
mod lease;

use crate::reach::{self, Resolve};
use async_trait::async_trait;
use chaos_inject::{
    Message,
    control::{LinkState, Problem, Standing, Token},
};
use chaos_model::{
    Endpoint, Fault, Link, Protocol, RunKey, System,
    attach::HostPort,
    event::{LinkCounts, ProxyCounts},
    ledger::Removed,
};
use chaos_run::{Address, Links, Sites, WorldError};
use client::{ControlClient, ControlError};
use futures_util::future::{BoxFuture, FutureExt as _, join_all, select_all};
use host::Host;
use lease::Lease;
use std::collections::{BTreeMap, BTreeSet};

/// A control server, and what it wants to be shown.
#[derive(Clone, Debug)]
pub struct ControlEndpoint {
    /// The address of the control server.
    pub control: HostPort,
    /// The token that it wants; or the reason that there is none.
    pub token: Result<Token, String>,
}

/// Configuration of links whose proxies are others'.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// The control servers. Each steers the proxies of some links.
    pub endpoints: Vec<ControlEndpoint>,
    /// The address at which clients reach the entry.
    pub entry: HostPort,
    /// Links that have to have a proxy.
    pub needed: BTreeSet<Link>,
    /// The name of who runs, for those who are refused meanwhile. At most 200 bytes.
    pub holder: String,
    /// True where addresses that are not local may be used.
    pub remote: bool,
}

/// Proxies of others, by link.
pub struct RemoteLinks {
    host: Host,
    config: RemoteConfig,
    resolve: Resolve,
    leases: Vec<Lease>,
    /// By link: the lease that its proxy is under, and the address that it listens on.
    proxies: BTreeMap<String, (usize, LinkState)>,
    /// Faults that are in place, each with its link.
    faults: BTreeSet<(String, String)>,
}

impl RemoteLinks {
    /// Links that nobody has talked to yet. `host` is the runner's own.
    #[must_use]
    pub fn new(host: Host, config: RemoteConfig, resolve: Resolve) -> Self {
        let (leases, proxies, faults) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        Self { host, config, resolve, leases, proxies, faults }
    }

    /// Nothing that is not local is used, unless that was said.
    async fn check_reach(&self) -> Result<(), WorldError> {
        if self.config.remote {
            return Ok(());
        }
        let controls = self.config.endpoints.iter().map(|endpoint| &endpoint.control);
        for address in std::iter::once(&self.config.entry).chain(controls) {
            reach::allow(address, &self.resolve).await?;
        }
        Ok(())
    }

    /// Every link that faults act on has to have a proxy, which speaks what the system says.
    fn check_links(&self, system: &System) -> Result<(), WorldError> {
        for link in &self.config.needed {
            let protocol = system.services.get(&link.to).map(|service| service.protocol);
            let Some((_, state)) = self.proxies.get(&link.to_string()) else {
                let known: Vec<&str> = self.proxies.keys().map(String::as_str).collect();
                let why = format!("no proxy stands on {link}; they do on {}", known.join(", "));
                return Err(WorldError::CannotGive(why));
            };
            if let Some(protocol) = protocol.filter(|protocol| protocol.name != state.protocol) {
                let why = format!("the proxy on {link} reads {}, and the system says {protocol}", state.protocol);
                return Err(WorldError::CannotGive(why));
            }
        }
        Ok(())
    }

    fn lease(&self, link: &Link) -> Result<&Lease, WorldError> {
        let proxy = self.proxies.get(&link.to_string());
        let lease = proxy.and_then(|(lease, _)| self.leases.get(*lease));
        lease.ok_or_else(|| WorldError::CannotGive(format!("there is no place for a fault on {link}")))
    }
}

fn address(HostPort { host, port }: &HostPort) -> Address {
    Address { host: host.clone(), port: *port }
}

#[async_trait]
impl Links for RemoteLinks {
    async fn begin(&mut self, system: &System, run: RunKey) -> Result<(), WorldError> {
        self.check_reach().await?;
        let mut controls = Vec::new();
        for (index, ControlEndpoint { control, token }) in self.config.endpoints.iter().enumerate() {
            let token = token.as_ref().map_err(|why| WorldError::CannotGive(why.clone()))?;
            let control = ControlClient::new(&self.host, address(control), token);
            let states = control.links().await.map_err(failed)?;
            self.proxies.extend(states.into_iter().map(|state| (state.link.clone(), (index, state))));
            controls.push(control);
        }
        self.check_links(system)?;
        for control in controls {
            let lease = Lease::take(control, self.config.holder.clone(), run).await.map_err(failed)?;
            self.leases.push(lease);
        }
        Ok(())
    }

    async fn open(&mut self, link: &Link, _: Protocol, _: &mut Sites<'_>) -> Result<bool, WorldError> {
        Ok(self.proxies.contains_key(&link.to_string()))
    }

    async fn close(&mut self, _: &Link) -> Result<(), WorldError> {
        // It stands where others have put it.
        Ok(())
    }

    fn address(&self, link: &Link) -> Option<Address> {
        if link.from == Endpoint::Client {
            return Some(address(&self.config.entry));
        }
        let (_, state) = self.proxies.get(&link.to_string())?;
        let (host, port) = state.listen.rsplit_once(':')?;
        Some(Address { host: host.to_owned(), port: port.parse().ok()? })
    }

    fn lead(&self, _: &Link, _: &[Address]) {
        // Where proxies lead is decided by who starts them, never by who steers them.
    }

    async fn apply(&mut self, link: &Link, fault: &Fault) -> Result<(), WorldError> {
        let message = Message::Apply(Box::new(fault.clone()));
        let reply = self.lease(link)?.send(&link.to_string(), message).await.map_err(failed)?;
        self.faults.insert((fault.name.clone(), link.to_string()));
        reply.applied().map_err(WorldError::CannotGive)
    }

    async fn remove(&mut self, link: &Link, fault: &Fault) -> Result<Removed, WorldError> {
        let message = Message::Remove { fault: fault.name.clone() };
        let reply = self.lease(link)?.send(&link.to_string(), message).await.map_err(failed)?;
        self.faults.remove(&(fault.name.clone(), link.to_string()));
        reply.removed().map_err(WorldError::CannotGive)
    }

    fn count(&self) -> BoxFuture<'static, Option<ProxyCounts>> {
        let asked: Vec<_> = self.leases.iter().map(Lease::links).collect();
        // What they had counted for others before.
        let before: BTreeMap<String, LinkCounts> =
            self.proxies.iter().map(|(link, (_, state))| (link.clone(), state.counts.clone())).collect();
        async move {
            let mut counts = ProxyCounts::default();
            for states in join_all(asked).await {
                // One that does not say makes the sum no sum. If it is lost, the lease tells.
                for LinkState { link, counts: counted, faults, .. } in states.ok()? {
                    let since = before.get(&link).map_or_else(|| counted.clone(), |before| counted.since(before));
                    counts.links.insert(link, since);
                    let named = |standing: Standing| Some((standing.name()?.to_owned(), standing.fired));
                    counts.add_fired(faults.into_iter().filter_map(named));
                }
            }
            Some(counts)
        }
        .boxed()
    }

    async fn lost(&mut self) -> WorldError {
        if self.leases.is_empty() {
            return std::future::pending().await;
        }
        let (why, ..) = select_all(self.leases.iter().map(|lease| Box::pin(lease.lost()))).await;
        lost(&why)
    }

    async fn release(&mut self) -> Vec<String> {
        let faults = std::mem::take(&mut self.faults);
        let given_up = join_all(std::mem::take(&mut self.leases).into_iter().map(Lease::give_up)).await;
        self.proxies.clear();
        // Done already where a lease is over.
        let is_over = |error: &ControlError| {
            matches!(error, ControlError::Refused(Problem::LeaseOver { .. } | Problem::NoSuchLease))
        };
        let failed = given_up.into_iter().filter_map(Result::err).find(|error| !is_over(error));
        let heals = "which the proxies take back by themselves within a second";
        let left = |error: ControlError| {
            faults.iter().map(move |(fault, on)| format!("{fault} on {on}, {heals} ({error})")).collect()
        };
        failed.map(left).unwrap_or_default()
    }

    async fn close_all(&mut self) {
        self.leases.clear();
        self.proxies.clear();
    }
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
