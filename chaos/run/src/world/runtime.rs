//! The half of a world that runs services: starts them, ends them, freezes them and limits them.
//!
//! A runtime decides nothing about faults and waits for nobody to become ready: [`ComposedWorld`](super::ComposedWorld)
//! does, once for all of them.

use super::{Address, Death, Offer, TornDown, WorldError};
use crate::Events;
use async_trait::async_trait;
use chaos_model::{
    Endpoint, Link, Protocol, Service, ServiceName, System, Template, effect::action::ServiceLimit,
    lifecycle::Lifecycle, system::ListenPorts,
};
use futures_util::future::BoxFuture;
use host::{Host, Listener};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

/// An instance's name: its service, and its number among the copies of that, from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceId {
    /// The service that it is a copy of.
    pub service: ServiceName,
    /// Number among the service's instances, from 1.
    pub number: usize,
}

impl InstanceId {
    /// The only instance of a service that has one, or its first.
    pub fn first(service: impl Into<ServiceName>) -> Self {
        Self { service: service.into(), number: 1 }
    }
}

impl fmt::Display for InstanceId {
    /// Shows the first by the name of its service: most services have one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.service)?;
        if self.number == 1 { Ok(()) } else { write!(f, ".{}", self.number) }
    }
}

/// A running copy of a service, or one that is about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The instance's name.
    pub id: InstanceId,
    /// The address at which it is reached past any proxy: by the runner, and by the proxies that lead to it.
    pub address: Address,
    /// Its named ports, at which the runner reaches it on the same machine.
    pub ports: BTreeMap<String, u16>,
    /// The program that runs there, for people: `redis-server 7.2.5`.
    pub what: String,
}

impl Instance {
    /// The address of the port of this name, or of its own.
    #[must_use]
    pub fn at(&self, port: Option<&str>) -> Option<Address> {
        match port {
            None => Some(self.address.clone()),
            Some(name) => self.ports.get(name).map(|port| Address { host: self.address.host.clone(), port: *port }),
        }
    }
}

/// A question to an instance that its runtime alone can ask: by a command, or by what its output says. It can be asked again,
/// and nobody waits for it.
pub type Question = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// A place for the proxy of a link in this process.
pub struct Site {
    /// The machine that the proxy dials from.
    pub host: Host,
    /// The listener that it takes connections of.
    pub listener: Listener,
    /// The name or IP address by which the user of the link reaches that listener.
    pub name: String,
}

/// A runtime's own knowledge of an instance that is not known to be unready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It is ready, or has done what it was for.
    Ready,
    /// It runs; whether it is ready, it says at its address.
    Runs,
}

/// A question to a runtime about an instance, which can be asked again and again; in words why it is not ready.
pub type AskReady = Arc<dyn Fn() -> BoxFuture<'static, Result<InstanceState, String>> + Send + Sync>;

/// Addresses at which services use each other: those of the links' proxies; and their own, past any proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkAddresses {
    links: BTreeMap<Link, Address>,
    services: BTreeMap<ServiceName, Address>,
}

impl LinkAddresses {
    /// Notes where a link is used from now on.
    pub fn insert(&mut self, link: Link, address: Address) {
        self.links.insert(link, address);
    }

    /// Notes where a service is, past any proxy.
    pub fn place(&mut self, service: &str, address: Address) {
        self.services.insert(service.to_owned(), address);
    }

    /// The address of a service, past any proxy; empty before it was placed.
    #[must_use]
    pub fn past_proxies(&self, service: &str) -> String {
        self.services.get(service).map(Address::to_string).unwrap_or_default()
    }

    /// The address (`host:port`) at which a service uses another one; empty where no proxy stands on that link.
    #[must_use]
    pub fn of(&self, from: &str, to: &str, label: Option<&str>) -> String {
        let from = Endpoint::Service(from.to_owned());
        let link = Link { from, to: to.to_owned(), label: label.map(str::to_owned) };
        // The language makes a link of each place that names a service, so there is one for each.
        self.links.get(&link).map(Address::to_string).unwrap_or_default()
    }

    /// The settings of a service that listens on these ports, with addresses in the places that name other services.
    #[must_use]
    pub fn settings(&self, service: &Service, ports: &ListenPorts) -> BTreeMap<String, String> {
        let address = |to: &str, label: Option<&str>| self.of(&service.name, to, label);
        service.env.iter().map(|(name, template)| (name.clone(), template.render(ports, address))).collect()
    }

    /// The same for its commands beside its program, which meet no fault: they reach services past any proxy.
    #[must_use]
    pub fn settings_of_commands(&self, service: &Service, ports: &ListenPorts) -> BTreeMap<String, String> {
        let address = |to: &str, _: Option<&str>| self.past_proxies(to);
        service.env.iter().map(|(name, template)| (name.clone(), template.render(ports, address))).collect()
    }

    /// The words of such a command.
    #[must_use]
    pub fn command(&self, words: &[Template], ports: &ListenPorts) -> Vec<String> {
        let address = |to: &str, _: Option<&str>| self.past_proxies(to);
        words.iter().map(|word| word.render(ports, address)).collect()
    }
}

/// A place where services run: processes, containers, functions, or machines of others.
///
/// Calls come one at a time, in the order of the methods here: prepared once, then for each link a [`Site`] where the proxies
/// are in this process, then each service placed and launched, then whatever faults ask for, and at last taken down.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// The runtime's name, and what it can give.
    const OFFER: Offer;

    /// The machine that the load, the scrapes and questions about readiness come from.
    fn host(&self) -> &Host;

    /// Time from its start in which a service has to be ready, where it doesn't say itself.
    fn patience(&self) -> Duration;

    /// Time that an instance needs longer than a process until it runs: so much later than due may it be back.
    fn starting_takes(&self) -> Duration {
        // Engines need 300 ms and more for a container, longer than an edge of the timeline may be late elsewhere.
        Duration::ZERO
    }

    /// True where instances run already, so that the time until they are ready at first says nothing of how long they take to
    /// start.
    fn runs_already(&self) -> bool {
        false
    }

    /// True where the system is others': where it is not well before the first fault, none begins.
    fn is_careful(&self) -> bool {
        // A system that is the run's own is harmed by nothing.
        false
    }

    /// True where somebody else accepts connections on an instance's behalf, so that one that is accepted says nothing.
    fn relays(&self) -> bool {
        false
    }

    /// Waits until no other run disturbs this one on the machine.
    ///
    /// # Errors
    /// Where the machine gives no lock.
    async fn take_run_lock(&mut self, _events: &Events) -> Result<(), WorldError> {
        Ok(())
    }

    /// Makes what services need before any of them runs: a folder, a network, a client of an engine.
    ///
    /// # Errors
    /// Where the machine refuses, or lacks what the system needs.
    async fn prepare(&mut self, system: &System, seed: u64) -> Result<(), WorldError>;

    /// Finds a place for the proxy of a link in this process: one that the link's user reaches, and nobody else.
    ///
    /// # Errors
    /// Where there is no port.
    fn site(&mut self, link: &Link, protocol: Protocol) -> Result<Site, WorldError>;

    /// Gives the instances of a service their addresses. None of them runs yet.
    ///
    /// # Errors
    /// Where there are no ports.
    fn place(&mut self, service: &Service, links: &LinkAddresses) -> Result<(), WorldError>;

    /// Runs the commands of these services that come before their start, one after the other, each to its end; and sees to
    /// it that those after their end are run, however that comes about.
    ///
    /// # Errors
    /// Where one fails, or does not end in time.
    async fn set_up(&mut self, _services: &[&Service], _links: &LinkAddresses) -> Result<(), WorldError> {
        Ok(())
    }

    /// The question of a service's [`Readiness`](chaos_model::Readiness) that goes to an instance's machine or output, where it
    /// is one of those; none where this runtime can't ask it, which [`Offer`] says beforehand.
    fn question(&self, _service: &Service, _instance: &InstanceId, _links: &LinkAddresses) -> Option<Question> {
        None
    }

    /// Starts all instances of these services, all at once, and does not wait until they are ready. They may have other
    /// addresses afterwards than those that they were placed at.
    ///
    /// # Errors
    /// Where one can't be started.
    async fn launch(&mut self, services: &[&Service], links: &LinkAddresses) -> Result<(), WorldError>;

    /// Starts an instance at another address if it ended because its own was taken from it; says whether it did.
    ///
    /// # Errors
    /// Where it can't be started.
    async fn relocate(&mut self, _death: &Death, _links: &LinkAddresses) -> Result<bool, WorldError> {
        Ok(false)
    }

    /// The instances of a service, in the order of their numbers; none before it was placed.
    fn instances(&self, service: &str) -> Vec<Instance>;

    /// The machine from which this service is asked over TLS: what is dialled there has shaken hands, and is verified as its file
    /// says. None where services speak no TLS here. Asked after [`Runtime::prepare`].
    ///
    /// # Errors
    /// Where the certificates that the file names can't be read.
    fn secured(&self, _service: &Service) -> Result<Option<Host>, WorldError> {
        Ok(None)
    }

    /// The question whether an instance is ready, where what started it knows more than a connection would tell: a health check
    /// that the system brings, a task that has ended well. None: it is asked at its
    /// address, as it is where the runtime knows no more than that it runs.
    fn asks(&self, _service: &Service, _instance: &InstanceId) -> Option<AskReady> {
        None
    }

    /// Starts an instance again that was stopped or killed: the same program, the same settings. It may have another address
    /// afterwards, which [`Runtime::instances`] gives.
    ///
    /// # Errors
    /// Where it can't be started.
    async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError>;

    /// Hears that an instance which was started again is ready.
    ///
    /// # Errors
    /// Where that can't be noted.
    async fn recovered(&mut self, _instance: &InstanceId) -> Result<(), WorldError> {
        Ok(())
    }

    /// Asks an instance to end, and ends it where it doesn't in time: signal and time are the service's. It waits for neither:
    /// [`Runtime::exited`] tells once all of it has ended.
    ///
    /// # Errors
    /// Where it can't be asked.
    async fn terminate(&mut self, instance: &InstanceId, lifecycle: &Lifecycle) -> Result<(), WorldError>;

    /// Ends an instance without asking, or one that takes its time to end. When it returns, all of it has ended, and
    /// [`Runtime::exited`] doesn't tell of it.
    ///
    /// # Errors
    /// Where it can't be ended as a whole.
    async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError>;

    /// Freezes an instance: its connections stay open, and it does nothing. When it returns, all of it was seen to stand
    /// still.
    ///
    /// # Errors
    /// Where it can't be frozen as a whole, or does not run.
    async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError>;

    /// Lets a frozen instance go on.
    ///
    /// # Errors
    /// Where it can't be woken.
    async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError>;

    /// Holds an instance to a limit, on behalf of the fault of this name. Of several limits the lowest holds.
    ///
    /// # Errors
    /// Where it can't be limited; always, where [`Runtime::OFFER`] has no limits.
    async fn limit(&mut self, instance: &InstanceId, _fault: &str, _limit: ServiceLimit) -> Result<(), WorldError> {
        Err(WorldError::CannotGive(format!("{instance} can't be limited in the world `{}`", Self::OFFER.name)))
    }

    /// Takes back the limit of the fault of this name.
    ///
    /// # Errors
    /// Where the instance does not get back what it had.
    async fn lift(&mut self, _instance: &InstanceId, _fault: &str, _limit: ServiceLimit) -> Result<(), WorldError> {
        Ok(())
    }

    /// Waits for an instance to end, by itself or as it was asked to. Safe to drop.
    ///
    /// # Errors
    /// Where the runtime itself is lost.
    async fn exited(&mut self) -> Result<Death, WorldError>;

    /// The last lines of an instance's output; none where there is none.
    async fn last_lines(&self, instance: &InstanceId) -> Vec<String>;

    /// Ends and removes all that this runtime has made. Safe at any time, and more than once.
    async fn take_down(&mut self, keep_logs: bool) -> TornDown;
}
