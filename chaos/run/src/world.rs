use crate::Events;
use async_trait::async_trait;
use chaos_model::{Fault, System, ledger::Removed};
use host::Host;
use std::{collections::BTreeMap, time::Duration};

/// Where a node or a link is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an IP address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A node that ended although nobody asked it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Its name.
    pub node: String,
    /// How it ended.
    pub how: String,
    /// Its last lines.
    pub last_lines: Vec<String>,
}

/// What was left when a system was taken down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TornDown {
    /// What could not be removed, in words.
    pub left: Vec<String>,
    /// Where the logs are, by node, where they were kept.
    pub logs: BTreeMap<String, String>,
}

/// Why a world could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A node ended while it started.
    #[error("{} ended while it was starting ({})", .0.node, .0.how)]
    DiedStarting(Death),
    /// A node did not become ready in time.
    #[error("{node} was not ready after {seconds} s: {why}")]
    NotReady {
        /// Its name.
        node: String,
        /// How long it was waited for.
        seconds: u64,
        /// What it last said.
        why: String,
        /// Its last lines.
        last_lines: Vec<String>,
    },
    /// The machine refused something.
    #[error("{what}: {source}")]
    Machine {
        /// What was tried.
        what: String,
        /// What the machine said.
        source: std::io::Error,
    },
    /// The world was lost in mid-run, so that nothing can be said of the system: the run is inconclusive.
    #[error("{0}")]
    Lost(String),
    /// This world can't give what the scenario asks.
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

/// Where a system runs. All worlds take the same scenarios and give the same events.
#[async_trait]
pub trait World: Send + Sync {
    /// Its name, as in `--world`.
    fn name(&self) -> &'static str;

    /// The host that the load, the scrapes and the proxies use.
    fn host(&self) -> &Host;

    /// How much longer than a process does a node take here until it runs: so much later than due may it be back.
    fn starting_takes(&self) -> Duration {
        Duration::ZERO
    }

    /// Waits for this run's turn on the machine, where runs disturb each other's timings.
    async fn take_turn(&mut self, events: &Events) -> Result<(), WorldError>;

    /// Starts every node, puts a proxy on every link, waits until all are ready. What was started when it fails, or
    /// when the future is dropped, is for [`World::stop`] to remove.
    async fn start(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError>;

    /// Where clients reach the entry: the proxy of their link.
    fn entry(&self) -> Address;

    /// Where a node itself is reached, past any proxy.
    fn node(&self, name: &str) -> Option<Address>;

    /// Puts a fault in place. When it returns, the fault holds.
    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError>;

    /// Takes a fault back. When it returns, what it held is released.
    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError>;

    /// Waits for a node to end that nobody asked to. Safe to drop. An error where the world itself is lost.
    async fn died(&mut self) -> Result<Death, WorldError>;

    /// Takes the system down. Safe at any time, and more than once.
    async fn stop(&mut self, keep_logs: bool) -> TornDown;
}
