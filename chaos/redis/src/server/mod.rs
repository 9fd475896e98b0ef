//! The built-in Redis: strings with expiry in 16 databases, within a limit of memory.
//!
//! Four layers, each using only the next: the codec cuts requests, a connection answers them in order (pipelined ones
//! with one write), a command is one small synchronous function, and the store keeps keys and their deadlines. All
//! commands of all connections run under one lock, one after the other, as in Redis's single thread.
//!
//! It is a cache to test with, not a database: nothing is kept on disk, nothing is replicated, and what a cache doesn't
//! need (lists, scripts, publishing, …) is an unknown command. What is there answers as Redis 7.0 does, to
//! the byte; the conformance tests run against both.

mod client;
mod clock;
mod config;
mod connection;
mod stats;
mod store;
mod sweep;
mod transaction;
mod users;

pub use config::{Config, Error, run};
pub use store::{NoSuchPolicy, Policy};
pub use users::{BadRule, Users};

pub(crate) use client::{Client, Clients};
pub(crate) use stats::Stats;
pub(crate) use store::{DATABASES, Look, Store};
pub(crate) use transaction::{Open, Transaction};
pub(crate) use users::DEFAULT;

use clock::Clock;
use host::{Host, Listener, Stream};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::task::TaskTracker;

/// The state that all connections share.
struct Server {
    host: Host,
    clock: Clock,
    state: Mutex<State>,
}

/// The state that commands work on.
pub(crate) struct State {
    pub(crate) max_clients: usize,
    pub(crate) users: Users,
    /// The password of `default` as it was set, for `CONFIG GET`.
    pub(crate) password: String,
    pub(crate) store: Store,
    pub(crate) clients: Clients,
    pub(crate) stats: Stats,
    pub(crate) port: u16,
    /// Start of the server, in milliseconds since the Unix epoch.
    pub(crate) started_ms: i64,
}

impl State {
    /// Sets the password of `default`; an empty one takes it away.
    pub(crate) fn set_password(&mut self, password: &str) {
        password.clone_into(&mut self.password);
        self.users.set_password(password.as_bytes());
    }
}

impl Server {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds this lock can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves on `listener` until the host's shutdown signal. Then it closes every connection and returns; the data is gone.
pub async fn serve(host: Host, mut listener: Listener, config: Config) {
    let clock = Clock::starting_at(host.unix_now());
    let random = host.rng("redis eviction");
    let (store, expiring) = Store::new(config.max_memory_bytes, config.policy, random);
    let mut state = State {
        max_clients: config.max_clients,
        users: config.users,
        password: String::new(),
        store,
        clients: Clients::default(),
        stats: Stats::default(),
        port: listener.port(),
        started_ms: clock.now_ms(),
    };
    if let Some(password) = &config.password {
        state.set_password(password);
    }
    let server = Arc::new(Server { host: host.clone(), clock, state: Mutex::new(state) });
    let connections = TaskTracker::new();
    drop(host.spawn(sweep::sweep(Arc::clone(&server), expiring)));
    loop {
        let accepted = tokio::select! {
            biased;
            () = host.shutdown().cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(stream) => drop(host.spawn(connections.track_future(connection(Arc::clone(&server), stream)))),
            Err(error) => {
                // Out of descriptors or memory: connections that end will free some.
                tracing::warn!(%error, "can't accept");
                host.sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(server: Arc<Server>, stream: Stream) {
    let host = server.host.clone();
    tokio::select! {
        biased;
        () = host.shutdown().cancelled() => {}
        ended = connection::serve(server, stream) => if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        },
    }
}
