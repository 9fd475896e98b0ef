//! The host of a network in memory: nodes by name, no latency, no loss. Time is tokio's, which tests pause; dates count
//! from a fixed day.
//!
//! It proves the seam (the conformance tests run on TCP and here), and lets tests run whole systems in one process. The
//! simulation with its latencies and partitions is another crate's.

mod listener;
mod pipe;

use crate::{Clock, Host, Listener, Network, Parts, Settings, Stream, TaskGroup};
use futures_util::future::BoxFuture;
use listener::{Dialed, Shared};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The first moment of every network in memory: 2026-01-01T00:00:00Z.
pub const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// The first ports given to those who ask for any, as on Linux.
const EPHEMERAL: u16 = 32_768;

/// How long Linux waits for an answer to each SYN, in seconds, before it sends the next or gives up
/// (net.ipv4.tcp_syn_linear_timeouts = 4 and tcp_syn_retries = 6, the defaults since Linux 6.5).
const SYN_WAITS: [u64; 11] = [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64];

/// A network of named nodes. All clones are the same network.
#[derive(Clone)]
pub struct MemoryNetwork {
    seed: u64,
    started: Instant,
    nodes: Arc<Mutex<Listening>>,
}

impl MemoryNetwork {
    /// An empty network whose clock starts at [`EPOCH`]. Call it within a tokio runtime.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, started: Instant::now(), nodes: Arc::default() }
    }

    /// A node called `name` with these settings. Its tasks are in a group of their own, which is returned so that they
    /// can be crashed or frozen.
    #[must_use]
    pub fn node(&self, name: &str, settings: Settings) -> (Host, TaskGroup) {
        let tasks = TaskGroup::default();
        let host = Host::new(Parts {
            name: name.to_owned(),
            network: Arc::new(Node { name: name.to_owned(), network: self.clone() }),
            clock: Arc::new(PausedClock { started: self.started }),
            tasks: tasks.clone(),
            seed: self.seed,
            settings,
            shutdown: CancellationToken::new(),
        });
        (host, tasks)
    }

    /// A node called `name` without settings.
    #[must_use]
    pub fn host(&self, name: &str) -> Host {
        self.node(name, Settings::default()).0
    }

    fn nodes(&self) -> std::sync::MutexGuard<'_, Listening> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who listens, by node and port.
type Listening = BTreeMap<(String, u16), Arc<Shared>>;

struct Node {
    name: String,
    network: MemoryNetwork,
}

impl Network for Node {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>> {
        let to = if matches!(host, "localhost" | "127.0.0.1" | "::1") { &self.name } else { host };
        Box::pin(async move {
            for patience in SYN_WAITS {
                let listener = self.network.nodes().get(&(to.to_owned(), port)).cloned();
                let dialed = listener.map_or(Dialed::Refused, |listener| listener.dial(&self.name, to));
                match dialed {
                    Dialed::Connected(stream) => return Ok(stream),
                    Dialed::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
                    Dialed::Lost => tokio::time::sleep(Duration::from_secs(patience)).await,
                }
            }
            Err(io::ErrorKind::TimedOut.into())
        })
    }

    fn listen(&self, port: u16) -> io::Result<Listener> {
        let mut nodes = self.network.nodes();
        let taken = |port| nodes.contains_key(&(self.name.clone(), port));
        let port = match port {
            0 => (EPHEMERAL..=u16::MAX).find(|port| !taken(*port)).ok_or(io::ErrorKind::AddrInUse)?,
            port if taken(port) => return Err(io::ErrorKind::AddrInUse.into()),
            port => port,
        };
        let shared = Arc::new(Shared::default());
        nodes.insert((self.name.clone(), port), Arc::clone(&shared));
        let (network, key) = (self.network.clone(), (self.name.clone(), port));
        let close = move || drop(network.nodes().remove(&key));
        Ok(Listener::new(listener::MemoryAccept::new(shared, port, Box::new(close))))
    }
}

struct PausedClock {
    started: Instant,
}

impl Clock for PausedClock {
    fn unix_now(&self) -> Duration {
        EPOCH + self.started.elapsed()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(deadline))
    }
}
