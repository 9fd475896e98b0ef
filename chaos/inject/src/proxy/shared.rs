//! The state that the handle of a proxy, its accept loop and its connections share: the rules that hold, who is open,
//! where to dial.
//!
//! A change of the faults publishes new [`Rules`] under the next generation and wakes every connection, in order of
//! their numbers. A connection looks at the generation (one atomic load) whenever it runs, before it moves a byte. It
//! lets go of the old rules once it has done what the new ones ask of it; so the change holds for all when nobody has
//! the old rules any more, which their drop guard tells.

use super::{ProxyConfig, bytes::ByteTally, pump::Pool};
use crate::{Layer, active::Connection, interpreter::Interpreter, link_tally::LinkTally, seldom::Seldom};
use chaos_model::Protocol;
use futures_util::task::AtomicWaker;
use host::{Host, ListenSwitch, tcp::is_exhaustion};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(super) struct Shared {
    pub(super) host: Host,
    pub(super) control: Arc<dyn ListenSwitch>,
    /// The link, as it is written.
    pub(super) link: Arc<str>,
    /// Protocol that the service speaks.
    pub(super) protocol: Protocol,
    /// The layer below the protocol; none where that is TCP itself.
    pub(super) layer: Option<Arc<dyn Layer>>,
    /// The moment from which the interpreter's times count.
    pub(super) epoch: Instant,
    /// Messages that came.
    pub(super) tally: LinkTally,
    /// Bytes that came and went.
    pub(super) bytes: Arc<ByteTally>,
    /// Room for what waits on its connections, beyond what each has to itself.
    pub(super) pool: Arc<Pool>,
    generation: AtomicU64,
    state: Mutex<ProxyState>,
    /// Told when the last open connection has gone.
    gone: Notify,
    /// The most connections that may be open; none where there is no bound.
    most_connections: Option<usize>,
    unreachable: Seldom,
    turning_away: Seldom,
}

/// The part of the state that changes.
pub(super) struct ProxyState {
    pub(super) rules: Arc<Rules>,
    pub(super) target: Option<Target>,
    /// The number of the next connection.
    pub(super) next: u64,
    open: BTreeMap<u64, Arc<AtomicWaker>>,
    /// Cancelled when all have let go of rules that were replaced.
    replaced: Vec<CancellationToken>,
}

/// The rules that hold for connections until the next change.
pub(super) struct Rules {
    pub(super) interpreter: Interpreter,
    /// The proxy is gone, and its connections end.
    pub(super) stopped: bool,
    pub(super) generation: u64,
    released: CancellationToken,
    _release: DropGuard,
}

/// The address of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Rules {
    fn new(interpreter: Interpreter, generation: u64, stopped: bool) -> Arc<Self> {
        let released = CancellationToken::new();
        let release = released.clone().drop_guard();
        Arc::new(Self { interpreter, stopped, generation, released, _release: release })
    }
}

impl Shared {
    pub(super) fn new(
        host: Host,
        control: Arc<dyn ListenSwitch>,
        config: &ProxyConfig,
        layer: Option<Arc<dyn Layer>>,
    ) -> Self {
        let rules = Rules::new(Interpreter { nonce: config.nonce, ..Interpreter::default() }, 0, false);
        let state = ProxyState { rules, target: None, next: 0, open: BTreeMap::new(), replaced: Vec::new() };
        let generation = AtomicU64::new(0);
        Self {
            host,
            control,
            link: config.link.to_string().into(),
            protocol: config.protocol,
            layer,
            epoch: Instant::now(),
            tally: LinkTally::default(),
            bytes: Arc::default(),
            pool: Arc::default(),
            generation,
            state: Mutex::new(state),
            gone: Notify::new(),
            most_connections: config.most_connections,
            unreachable: Seldom::default(),
            turning_away: Seldom::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ProxyState> {
        // Nothing that holds this lock can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the log why the service can't be reached, once a second at most.
    pub(super) fn tell_unreachable(&self, target: &Target, error: &io::Error) {
        if is_exhaustion(error) {
            return self.turn_away(error);
        }
        if let Some(more) = self.unreachable.tell() {
            let (link, Target { host, port }) = (&*self.link, target);
            tracing::info!(link, host, port, %error, more, "the service can't be reached");
        }
    }

    /// True where there may be no further connection.
    pub(super) fn is_full(&self) -> bool {
        self.most_connections.is_some_and(|most| self.open() >= most)
    }

    /// Counts a connection that was reset since it could not be served, and tells the log, once a second at most.
    pub(super) fn turn_away(&self, why: &dyn std::fmt::Display) {
        self.tally.turn_away();
        if let Some(more) = self.turning_away.tell() {
            tracing::warn!(link = &*self.link, %why, more, "a connection is turned away");
        }
    }

    /// Time since the epoch.
    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Tells whether rules of this generation still hold.
    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    /// Lets these faults hold from now on. What is returned is to be waited for ([`settle`]), without the lock.
    pub(super) fn publish(
        &self,
        state: &mut ProxyState,
        interpreter: Interpreter,
        stopped: bool,
    ) -> Vec<CancellationToken> {
        let rules = Rules::new(interpreter, state.rules.generation + 1, stopped);
        self.generation.store(rules.generation, Ordering::Release);
        let old = std::mem::replace(&mut state.rules, rules);
        // A caller may have stopped waiting for earlier ones, so all are waited for.
        state.replaced.retain(|released| !released.is_cancelled());
        state.replaced.push(old.released.clone());
        state.wake();
        state.replaced.clone()
    }

    /// Says where the service is; connections that wait for it are woken.
    pub(super) fn point_at(&self, target: Target) {
        let mut state = self.state();
        state.target = Some(target);
        state.wake();
    }

    /// The number of connections that there have been.
    pub(super) fn accepted(&self) -> u64 {
        self.state().next
    }

    /// Tells whether there ever was a connection.
    pub(super) fn was_used(&self) -> bool {
        self.accepted() > 0
    }

    /// Waits until no connection is open. One waits at most.
    pub(super) async fn all_gone(&self) {
        while self.open() > 0 {
            // A permit is kept for whoever looks in between.
            self.gone.notified().await;
        }
    }

    /// The number of connections that are open.
    pub(super) fn open(&self) -> usize {
        self.state().open.len()
    }
}

impl ProxyState {
    /// The number of connections that are open.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    fn wake(&self) {
        self.open.values().for_each(|waker| waker.wake());
    }
}

/// Waits until no connection goes by rules that were replaced.
pub(super) async fn settle(replaced: Vec<CancellationToken>) {
    for released in replaced {
        released.cancelled().await;
    }
}

/// A connection's place among the open ones. Dropping it gives it up.
pub(super) struct OpenConnection {
    pub(super) shared: Arc<Shared>,
    pub(super) connection: Connection,
    waker: Arc<AtomicWaker>,
}

impl OpenConnection {
    /// Enters a new connection; gives the rules that hold for it, too.
    pub(super) fn enter(shared: &Arc<Shared>) -> (Self, Arc<Rules>) {
        let waker = Arc::new(AtomicWaker::new());
        let mut state = shared.state();
        let connection = Connection { nth: state.next, accepted: shared.now() };
        state.next += 1;
        state.open.insert(connection.nth, Arc::clone(&waker));
        let rules = Arc::clone(&state.rules);
        drop(state);
        (Self { shared: Arc::clone(shared), connection, waker }, rules)
    }

    /// Has `cx` woken by the next change.
    pub(super) fn register(&self, cx: &std::task::Context<'_>) {
        self.waker.register(cx.waker());
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.open.remove(&self.connection.nth);
        let gone = state.open.is_empty();
        drop(state);
        if gone {
            self.shared.gone.notify_one();
        }
    }
}
