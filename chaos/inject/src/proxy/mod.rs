//! The TCP proxy: stands before a service, passes bytes, and does to them what the interpreter says.

mod adapter;
mod alarm;
mod budget;
mod bytes;
mod connection;
mod discard;
mod first_words;
mod lingering_close;
mod met;
mod mute;
mod pump;
mod shaper;
mod shared;
mod steering;
mod unread;

use crate::{Layer, Message, Reply};
pub use bytes::ByteCounts;
use chaos_model::{
    Fault, Link, Nonce, Protocol,
    event::{Fired, LinkCounts},
};
use connection::Connection;
use host::{Host, Listener, Task};
use shared::{Shared, Target};
use std::{collections::BTreeMap, io, sync::Arc, time::Duration};
use steering::Steering;

/// The setting of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyConfig {
    /// The link that it stands on.
    pub link: Link,
    /// Protocol that the service at its end speaks.
    pub protocol: Protocol,
    /// The seed of every draw, until [`Proxy::begin_run`] names another.
    pub seed: u64,
    /// The nonce of the run, which alone is believed; none where nobody said.
    pub nonce: Option<Nonce>,
    /// Connections that may be open at once: further ones are reset at once, and counted. None: without bound.
    pub most_connections: Option<usize>,
}

/// A running proxy. Dropping it stops it: its port is freed and its connections end.
#[must_use = "dropping a proxy stops it"]
pub struct Proxy {
    shared: Arc<Shared>,
    steering: Steering,
    port: u16,
    accepting: Task<()>,
}

impl Proxy {
    /// Takes connections of `listener`. They wait until [`Proxy::point_at`] says where the service is.
    pub fn start(host: &Host, listener: Listener, config: ProxyConfig) -> Self {
        Self::start_above(None, host, listener, config)
    }

    /// The same, above a layer between TCP and the protocol, where there is one.
    pub fn start_above(layer: Option<Arc<dyn Layer>>, host: &Host, listener: Listener, config: ProxyConfig) -> Self {
        let port = listener.port();
        let shared = Arc::new(Shared::new(host.clone(), listener.control(), &config, layer));
        let accepting = host.spawn(accept(Arc::clone(&shared), listener));
        Self { steering: Steering::new(config), shared, port, accepting }
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says where the service is. It may move, as a restarted one does: new connections go to the new place, and so do
    /// those that wait for it or are being dialled.
    pub fn point_at(&self, host: &str, port: u16) {
        self.shared.point_at(Target { host: host.to_owned(), port });
    }

    /// Does what the message says. When it returns, the change holds for every connection: what the fault resets is
    /// reset, what it held is on its way. Several may be under way at once; one that is dropped halfway takes effect
    /// all the same.
    pub async fn send(&self, message: Message) -> Reply {
        match message {
            Message::Apply(fault) => self.steering.apply(&self.shared, *fault).await,
            Message::Remove { fault } => self.steering.remove(&self.shared, &fault).await,
            Message::Clear => self.steering.clear(&self.shared).await,
            Message::Fired => Reply::Fired(self.fired()),
        }
    }

    /// Gives the fault of this name these settings, at once and on connections that are open too: it goes on counting, and draws
    /// as before. When it returns, they hold for every connection.
    ///
    /// # Errors
    /// In words: it can't act here, or is not on the link.
    pub async fn change(&self, fault: Fault) -> Result<(), String> {
        self.steering.replace(&self.shared, fault).await
    }

    /// Begins a run, for a proxy that outlives runs: draws of faults that are put on the link from now on go by its seed,
    /// and requests that carry its nonce are its own.
    pub fn begin_run(&self, seed: u64, nonce: Option<Nonce>) {
        self.steering.begin_run(&self.shared, seed, nonce);
    }

    /// Takes no more connections, and frees its port. Gives those that are open so long to end, then cuts them off.
    pub async fn drain(&self, patience: Duration) {
        self.accepting.abort();
        // What still waits is cut off.
        let _ = tokio::time::timeout(patience, self.shared.all_gone()).await;
        self.stop().await;
    }

    /// Takes no more connections, and ends those that are open. When it returns, its port is free.
    pub async fn stop(&self) {
        let Self { shared, accepting, .. } = self;
        accepting.abort();
        while !accepting.is_finished() {
            // It is dropped by whichever thread runs it, in its next turn.
            tokio::task::yield_now().await;
        }
        let replaced = shared.publish(&mut shared.state(), Default::default(), true);
        shared::settle(replaced).await;
    }

    /// Numbers of the messages, or of the connections, that each fault on the link is for, by name: those included that its
    /// share leaves out.
    #[must_use]
    pub fn matched(&self) -> BTreeMap<String, u64> {
        self.steering.matched(&self.shared)
    }

    /// Counts of bytes that came from each side, and that were sent to it.
    #[must_use]
    pub fn bytes(&self) -> ByteCounts {
        self.shared.bytes.read()
    }

    /// Counts of each fault that is on the link so far, by name.
    #[must_use]
    pub fn fired(&self) -> BTreeMap<String, Fired> {
        self.steering.fired(&self.shared)
    }

    /// Counts of what came since the proxy began, whether a fault acted on it or not.
    #[must_use]
    pub fn counts(&self) -> LinkCounts {
        self.shared.tally.read(self.shared.accepted())
    }

    /// The number of connections that are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.open()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        let mut state = self.shared.state();
        drop(self.shared.publish(&mut state, Default::default(), true));
    }
}

async fn accept(shared: Arc<Shared>, mut listener: Listener) {
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok(client) if shared.is_full() => {
                client.abort();
                shared.turn_away(&"as many are open as may be");
            }
            // It was reset already.
            Err(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
                shared.turn_away(&"the descriptors that are left are set apart");
            }
            Ok(client) => {
                failing = false;
                drop(shared.host.spawn(Connection::new(&shared).run(client)));
            }
            Err(error) => {
                // Out of descriptors or memory: connections wait in the queue until some are freed. Said once.
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "connections can't be taken");
                }
                shared.host.sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worlds keep proxies in tasks of their own and steer them from several.
    #[test]
    fn a_proxy_can_be_steered_from_any_task() {
        fn can_move<F: Send>(_: impl Fn(&'static Proxy) -> F) {}
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Proxy>();
        can_move(|proxy| proxy.send(Message::Clear));
    }
}
