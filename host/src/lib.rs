//! The seam between a program and its machine.
//!
//! A [`Host`] is everything that a program gets from outside: connections, a clock, tasks, random streams, settings, a
//! metrics registry and a shutdown signal. A program that is built from a `Host`, and takes nothing elsewhere, runs
//! unchanged on TCP ([`tcp`]) and in memory on a paused clock ([`memory`]).
//!
//! What is deliberately absent: files, environment variables and global state. `main` reads those and hands them in.

pub mod http;
pub mod logs;
pub mod memory;
pub mod tcp;

mod clock;
mod listener;
mod random;
mod settings;
mod stream;
mod tasks;

pub use clock::Clock;
pub use listener::{Accept, ListenMode, ListenSwitch, Listener, TurnedAway};
pub use random::{Random, hash};
pub use settings::Settings;
pub use stream::{Connection, Halves, Stream};
pub use tasks::{Stopped, Task, TaskGroup};

use futures_util::future::BoxFuture;
use std::{io, sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A network as one host sees it. Implemented for TCP and in memory; a simulation brings its own.
pub trait Network: Send + Sync {
    /// Connects to `port` of the host or machine called `host`.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>>;

    /// Starts to listen on `port` of this host; 0 takes a free one.
    ///
    /// # Errors
    /// `AddrInUse` where the port is taken, and whatever else the machine says.
    fn listen(&self, port: u16) -> io::Result<Listener>;
}

/// The machine as a program sees it: network, clock, tasks, randomness, settings, metrics. Cheap to clone: all clones
/// are the same host.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    network: Arc<dyn Network>,
    clock: Arc<dyn Clock>,
    tasks: TaskGroup,
    seed: u64,
    entropy: Entropy,
    memory_limit: Option<u64>,
    settings: Settings,
    metrics: prometheus::Registry,
    shutdown: CancellationToken,
}

/// The source of numbers that nobody foretells; it is given the seed of the run.
pub type Entropy = fn(seed: u64) -> io::Result<u64>;

/// Parts of a [`Host`]. Worlds fill them in; programs never see them.
pub struct Parts {
    /// The host's name: it tells random streams and log lines apart.
    pub name: String,
    /// The network as this host sees it.
    pub network: Arc<dyn Network>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The group that owns this host's tasks.
    pub tasks: TaskGroup,
    /// The seed of the whole run; streams also depend on the host's name.
    pub seed: u64,
    /// The source of numbers that nobody foretells: the machine's, or the seed where a run has to repeat itself.
    pub entropy: Entropy,
    /// Bytes of memory that the program may use; none: any number.
    pub memory_limit: Option<u64>,
    /// The program's settings.
    pub settings: Settings,
    /// Cancelled when the program is to stop.
    pub shutdown: CancellationToken,
}

impl Host {
    /// A host of the given parts, with an empty metrics registry.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { name, network, clock, tasks, seed, entropy, memory_limit, settings, shutdown } = parts;
        let metrics = prometheus::Registry::new();
        let inner = Inner { name, network, clock, tasks, seed, entropy, memory_limit, settings, metrics, shutdown };
        Self { inner: Arc::new(inner) }
    }

    /// The same host with another network, made of its own: one that reaches less, say.
    #[must_use]
    pub fn with_network(&self, make: impl FnOnce(Arc<dyn Network>) -> Arc<dyn Network>) -> Self {
        let Inner { name, network, clock, tasks, seed, entropy, memory_limit, settings, metrics, shutdown } =
            &*self.inner;
        let inner = Inner {
            name: name.clone(),
            network: make(Arc::clone(network)),
            clock: Arc::clone(clock),
            tasks: tasks.clone(),
            seed: *seed,
            entropy: *entropy,
            memory_limit: *memory_limit,
            settings: settings.clone(),
            metrics: metrics.clone(),
            shutdown: shutdown.clone(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The host's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Connects to `port` of the host or machine called `host`. Waits for as long as the network lets it: callers bring
    /// their own timeout.
    ///
    /// # Errors
    /// As the operating system's `connect` (`ConnectionRefused`, …), and for names that can't be resolved.
    pub async fn dial(&self, host: &str, port: u16) -> io::Result<Stream> {
        self.inner.network.dial(host, port).await
    }

    /// Listens on `port` of this host; 0 takes a free one ([`Listener::port`] tells which).
    ///
    /// # Errors
    /// `AddrInUse` where the port is taken, and whatever else the machine says.
    pub fn listen(&self, port: u16) -> io::Result<Listener> {
        self.inner.network.listen(port)
    }

    /// Time since the Unix epoch, for whatever must show a date. Everything else uses tokio's clock.
    #[must_use]
    pub fn unix_now(&self) -> Duration {
        self.inner.clock.unix_now()
    }

    /// The time so far in which a task of this machine was ready to run and waited for a processor, whosever task it was:
    /// between two moments, this says how pressed the machine was. None where the machine does not tell, and in a simulation,
    /// whose programs take no time.
    #[must_use]
    pub fn cpu_stalled(&self) -> Option<Duration> {
        self.inner.clock.cpu_stalled()
    }

    /// Waits until `deadline`, as exactly as the world can: where time is real, finer than tokio's timer, which rounds
    /// up to a millisecond. Never early.
    pub async fn sleep_until(&self, deadline: Instant) {
        self.inner.clock.sleep_until(deadline).await;
    }

    /// Waits for `duration`; see [`Host::sleep_until`].
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(Instant::now() + duration).await;
    }

    /// Starts a task that belongs to this host: the world can stop or freeze it. The task keeps the tracing dispatcher
    /// of whoever spawned it. Dropping the [`Task`] lets it run on.
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.inner.tasks.spawn(future)
    }

    /// The random stream called `name`: the same for the same seed, host and name, and independent of all others.
    #[must_use]
    pub fn rng(&self, name: &str) -> Random {
        random::stream(self.inner.seed, &self.inner.name, name)
    }

    /// The run's seed, for decisions that must not depend on the order in which they are made ([`hash`]).
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.inner.seed
    }

    /// A number that nobody foretells, another each time, where the machine is real; in a simulation the same each time,
    /// since it has to repeat itself. For what strangers must not guess, and never for a draw.
    ///
    /// # Errors
    /// Where the machine gives none.
    pub fn entropy(&self) -> io::Result<u64> {
        (self.inner.entropy)(self.inner.seed)
    }

    /// Bytes of memory that the program may use, as the machine limits it (a container's limit, say); none where it has no
    /// limit of its own, and in a simulation.
    #[must_use]
    pub fn memory_limit(&self) -> Option<u64> {
        self.inner.memory_limit
    }

    /// The program's settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The registry of this host's metrics.
    #[must_use]
    pub fn metrics(&self) -> &prometheus::Registry {
        &self.inner.metrics
    }

    /// Cancelled when the program is to stop: stop accepting, finish what is under way, return.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.inner.shutdown
    }
}

/// A date as RFC 3339 with milliseconds (`2026-01-31T12:00:00.000Z`), from a time since the Unix epoch.
#[must_use]
pub fn rfc3339(since_epoch: Duration) -> String {
    // Years have four digits there: what is later is shown as the last second of them.
    let last = Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + since_epoch.min(last)).to_string()
}

/// hyper spawns its connection tasks through this.
impl<F> hyper::rt::Executor<F> for Host
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        drop(self.spawn(future));
    }
}
