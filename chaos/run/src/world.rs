//! Worlds: where a system runs. One is made of a [`Runtime`], which runs services, and [`Links`], which carry and break what
//! passes between them ([`ComposedWorld`]).

mod composed;
mod exits;
mod links;
mod news;
mod offer;
mod runtime;

pub use composed::ComposedWorld;
pub use exits::{Exit, Exits};
pub use links::{Links, Sites};
pub use news::{News, Notice};
pub use offer::{Extra, NotGiven, Offer, TlsOnLinks, Unfit};
pub use runtime::{AskReady, Instance, InstanceId, InstanceState, LinkAddresses, Question, Runtime, Site};

use crate::Events;
use async_trait::async_trait;
use chaos_model::{Fault, RunKey, System, event::ProxyCounts, ledger::Removed, quantity::show_duration};
use futures_util::future::BoxFuture;
use host::Host;
use std::{collections::BTreeMap, time::Duration};

/// The address at which a service or a link is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an IP address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// The end of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// The instance that ended.
    pub instance: InstanceId,
    /// The way in which it ended: exit code or signal, in words.
    pub how: String,
    /// The last lines of its output.
    pub last_lines: Vec<String>,
    /// The time after which it was killed, where it was asked to end and did not.
    pub killed_after: Option<Duration>,
}

/// Remains of a system that was taken down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TornDown {
    /// Things that could not be removed, in words.
    pub left: Vec<String>,
    /// The reason for which there may be others that can't be seen.
    pub unseen: Option<String>,
    /// Paths of the logs, by service, where they were kept.
    pub logs: BTreeMap<String, String>,
}

/// A world's failure to do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A service ended while it started.
    #[error("{} ended while it was starting ({})", .0.instance, .0.how)]
    DiedStarting(Death),
    /// A service did not become ready in time.
    #[error("{service} was not ready after {}: {why}; where it takes longer, `start-timeout` says so", show_duration(*after))]
    NotReady {
        /// The service's name.
        service: String,
        /// Time that it was waited for.
        after: Duration,
        /// The last reason why it was not ready.
        why: String,
        /// The last lines of its output.
        last_lines: Vec<String>,
    },
    /// A command before the start of a service failed.
    #[error("the setup of {service} failed: `{command}` {how}")]
    NotSetUp {
        /// The service's name.
        service: String,
        /// The command, in words.
        command: String,
        /// The way in which it ended, or that it did not.
        how: String,
        /// The last lines of its output.
        last_lines: Vec<String>,
    },
    /// A service's program could not be started.
    #[error("{service} can't be started: {why}")]
    NotStarted {
        /// The service's name.
        service: String,
        /// The reason, in words.
        why: String,
    },
    /// The machine refused something.
    #[error("{what}: {source}")]
    Machine {
        /// The action that was tried.
        what: String,
        /// The machine's error.
        source: std::io::Error,
    },
    /// The world was lost in mid-run, so that nothing can be said of the system: the run is inconclusive.
    #[error("{0}")]
    Lost(String),
    /// A demand of the scenario that this world can't meet.
    #[error("{0}")]
    CannotGive(String),
}

impl WorldError {
    /// `what` was tried and the machine refused.
    pub fn machine(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Machine { what, source }
    }
}

/// A place where a system runs. All worlds take the same scenarios and give the same events.
#[async_trait]
pub trait World: Send + Sync {
    /// The world's name, as in `--world`.
    fn name(&self) -> &'static str;

    /// The host that the load, the scrapes and the proxies use.
    fn host(&self) -> &Host;

    /// The time that a service needs longer than a process until it runs: so much later than due may it be back.
    fn starting_takes(&self) -> Duration {
        // Engines need 300 ms and more for a container, longer than an edge of the timeline may be late elsewhere.
        Duration::ZERO
    }

    /// True where the system is others': where it is not well before the first fault, none begins.
    fn is_careful(&self) -> bool {
        // A system that is the run's own is harmed by nothing.
        false
    }

    /// Waits for this run's turn on the machine, where runs disturb each other's timings.
    async fn take_run_lock(&mut self, events: &Events) -> Result<(), WorldError>;

    /// Starts every service, puts a proxy on every link, waits until all are ready. What was started when it fails, or
    /// when the future is dropped, is for [`World::stop`] to remove.
    async fn start(&mut self, system: &System, run: RunKey, events: &Events) -> Result<(), WorldError>;

    /// The address at which clients reach the entry: the proxy of their link.
    fn entry(&self) -> Address;

    /// The address of a service itself, past any proxy: that of the port of this name, or of its own.
    fn service(&self, name: &str, port: Option<&str>) -> Option<Address>;

    /// The machine from which this service is reached over TLS, past any proxy or by its link: what is dialled there has shaken
    /// hands. None where that is [`World::host`].
    fn secured(&self, _service: &str) -> Option<Host> {
        None
    }

    /// Asks a service once, past any proxy, whether it is ready; in words why it is not. None where it is not known where to
    /// ask.
    fn probe(&self, name: &str) -> Option<BoxFuture<'static, Result<(), String>>>;

    /// Puts a fault in place. When it returns, the fault holds.
    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError>;

    /// Takes a fault back. When it returns, what it held is released.
    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError>;

    /// Asks what the proxies on links have counted since the start. Nothing waits for the response, which may never come.
    fn count(&self) -> BoxFuture<'static, Option<ProxyCounts>>;

    /// The reasons, in words, for which what clients saw says nothing of the system: the world itself failed some of what they
    /// asked.
    fn doubts(&self) -> Vec<String> {
        Vec::new()
    }

    /// True while a service starts again that a fault has ended: from when that was taken back until it is ready.
    fn is_restarting(&self, service: &str) -> bool;

    /// Waits for something to happen to a service: it ended, or is ready. Safe to drop. An error where the world itself is lost.
    async fn notice(&mut self) -> Result<Notice, WorldError>;

    /// Does what a notice asks for, and tells what is news in it. Not to be dropped.
    ///
    /// # Errors
    /// Where a service can't be started again.
    async fn attend(&mut self, notice: Notice) -> Result<Option<News>, WorldError>;

    /// Takes the system down. Safe at any time, and more than once.
    async fn stop(&mut self, keep_logs: bool) -> TornDown;
}
