//! The host of a network in memory: hosts by name, with no latency and no loss unless it is told otherwise
//! ([`Conditions`]). Time is tokio's, which tests pause; dates count from a fixed day.
//!
//! It proves the seam (the conformance tests run on TCP and here), lets tests run whole systems in one process, and is
//! the network of the simulation.
//!
//! What is deliberately absent: packets. Bytes are late, bounded or lost as a whole connection's are; none are
//! reordered, and a sender never gives up (Linux does after a quarter of an hour).

mod listener;
mod pipe;
mod postman;
mod wire;

pub use wire::Conditions;

use crate::{Clock, Host, Listener, Network, Parts, Settings, Stream, TaskGroup};
use futures_util::future::BoxFuture;
use listener::{Dialed, Shared};
use postman::Postman;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::Wire;

/// The first moment of every network in memory: 2026-01-01T00:00:00Z.
pub const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// The first ports given to those who ask for any, as on Linux.
const EPHEMERAL: u16 = 32_768;

/// Seconds that Linux waits for a response to each SYN before it sends the next or gives up
/// (net.ipv4.tcp_syn_linear_timeouts = 4 and tcp_syn_retries = 6, the defaults since Linux 6.5).
const SYN_WAITS: [u64; 11] = [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64];

// The one network in memory, for simulations and for all tests, so that the conformance tests hold it to what TCP does.
// Without conditions a write is there at once and costs no timer; with some, one task brings what is under way in the
// order of (time, when it was sent). A partition loses resets for good and sends the rest again when TCP would: healing
// leaves half-open connections, as it does for real.
/// A network of named hosts. All clones are the same network.
#[derive(Clone)]
pub struct MemoryNetwork {
    seed: u64,
    started: Instant,
    nodes: Arc<Mutex<Listening>>,
    wiring: Arc<Mutex<Wiring>>,
}

/// Directions between the hosts, each with its conditions.
#[derive(Default)]
struct Wiring {
    /// By (from, to): those that were used, or told how to be.
    wires: BTreeMap<(String, String), ToldWire>,
    /// Hosts whose cable is pulled.
    unplugged: BTreeSet<String>,
    postman: Arc<Postman>,
}

struct ToldWire {
    wire: Arc<Wire>,
    /// Conditions as they were told, whether or not a cable is pulled.
    told: Conditions,
}

impl Wiring {
    fn is_unplugged(&self, from: &str, to: &str) -> bool {
        from != to && (self.unplugged.contains(from) || self.unplugged.contains(to))
    }

    fn wire(&mut self, from: &str, to: &str) -> &mut ToldWire {
        let cut = self.is_unplugged(from, to);
        let postman = &self.postman;
        self.wires.entry((from.to_owned(), to.to_owned())).or_insert_with(|| {
            let told = Conditions::default();
            ToldWire { wire: Arc::new(Wire::new(Conditions { cut, ..told }, Arc::clone(postman))), told }
        })
    }

    /// Sets what each direction is now: as told, or cut with a cable.
    fn refresh(&self) {
        for ((from, to), way) in &self.wires {
            let now = Conditions { cut: way.told.cut || self.is_unplugged(from, to), ..way.told };
            if way.wire.conditions() != now {
                way.wire.set(now);
            }
        }
    }
}

impl MemoryNetwork {
    /// An empty network whose clock starts at [`EPOCH`]. Call it within a tokio runtime.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, started: Instant::now(), nodes: Arc::default(), wiring: Arc::default() }
    }

    /// A host called `name` with these settings. Its tasks are in a group of their own, which is returned so that they
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
            entropy: Ok,
            memory_limit: None,
            settings,
            shutdown: CancellationToken::new(),
        });
        (host, tasks)
    }

    /// A host called `name` without settings.
    #[must_use]
    pub fn host(&self, name: &str) -> Host {
        self.node(name, Settings::default()).0
    }

    /// Says how it is to send from one host to another, that way alone, from now on. What is under way arrives as it
    /// would have.
    pub fn set(&self, from: &str, to: &str, conditions: Conditions) {
        let mut wiring = self.wiring();
        wiring.wire(from, to).told = conditions;
        wiring.refresh();
    }

    /// The same, both ways.
    pub fn set_both(&self, one: &str, other: &str, conditions: Conditions) {
        self.set(one, other, conditions);
        self.set(other, one, conditions);
    }

    /// Pulls a host's cable: nothing comes to it or from it, and nobody is told. What it sends itself arrives.
    pub fn unplug(&self, node: &str) {
        let mut wiring = self.wiring();
        wiring.unplugged.insert(node.to_owned());
        wiring.refresh();
    }

    /// Puts a host's cable back.
    pub fn plug_in(&self, node: &str) {
        let mut wiring = self.wiring();
        wiring.unplugged.remove(node);
        wiring.refresh();
    }

    /// Both ways between two hosts.
    fn wires(&self, from: &str, to: &str) -> [Arc<Wire>; 2] {
        let mut wiring = self.wiring();
        let up = Arc::clone(&wiring.wire(from, to).wire);
        [up, Arc::clone(&wiring.wire(to, from).wire)]
    }

    fn wiring(&self) -> std::sync::MutexGuard<'_, Wiring> {
        self.wiring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nodes(&self) -> std::sync::MutexGuard<'_, Listening> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listeners, by host and port.
type Listening = BTreeMap<(String, u16), Arc<Shared>>;

struct Node {
    name: String,
    network: MemoryNetwork,
}

impl Node {
    /// One attempt to connect, there and back.
    fn knock(&self, to: &str, port: u16, wires: [&Arc<Wire>; 2]) -> Dialed {
        let listener = self.network.nodes().get(&(to.to_owned(), port)).cloned();
        listener.map_or(Dialed::Refused, |listener| listener.dial(&self.name, to, wires))
    }

    /// The same, where either way takes its time or is cut.
    async fn knock_from_afar(&self, to: &str, port: u16, [up, down]: [&Arc<Wire>; 2]) -> Dialed {
        let Conditions { latency, cut, .. } = up.conditions();
        if cut {
            return Dialed::Lost;
        }
        tokio::time::sleep(latency).await;
        // A response that is lost leaves the listener with a connection that nobody uses; the kernel forgets it, so do
        // we.
        if down.conditions().cut {
            return Dialed::Lost;
        }
        let dialed = self.knock(to, port, [up, down]);
        if !matches!(dialed, Dialed::Lost) {
            tokio::time::sleep(down.conditions().latency).await;
        }
        dialed
    }
}

impl Network for Node {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>> {
        let to = if matches!(host, "localhost" | "127.0.0.1" | "::1") { &self.name } else { host };
        Box::pin(async move {
            let [up, down] = self.network.wires(&self.name, to);
            for patience in SYN_WAITS {
                let lost = Instant::now() + Duration::from_secs(patience);
                let dialed = if up.is_ideal() && down.is_ideal() {
                    self.knock(to, port, [&up, &down])
                } else {
                    self.knock_from_afar(to, port, [&up, &down]).await
                };
                match dialed {
                    Dialed::Connected(stream) => return Ok(stream),
                    Dialed::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
                    Dialed::Lost => tokio::time::sleep_until(lost).await,
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
