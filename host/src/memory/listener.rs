use super::{pipe, wire::Wire};
use crate::{Accept, ListenMode, ListenSwitch, Stream, TurnedAway};
use futures_util::future::BoxFuture;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

/// Connections that wait to be accepted; the next one is refused. As net.core.somaxconn.
const BACKLOG: usize = 4096;

/// The result of one attempt to connect.
pub(super) enum Dialed {
    Connected(Stream),
    Refused,
    /// Nothing comes back: try again later.
    Lost,
}

/// One listening port.
#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    mode: ListenMode,
    /// The listener is gone, though its control may live on.
    closed: bool,
    waiting: VecDeque<Stream>,
    turned_away: TurnedAway,
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn dial(&self, from: &str, to: &str, wires: [&Arc<Wire>; 2]) -> Dialed {
        let mut state = self.state();
        match state.mode {
            _ if state.closed => Dialed::Refused,
            ListenMode::Refuse => {
                state.turned_away.refused += 1;
                Dialed::Refused
            }
            ListenMode::Blackhole => {
                state.turned_away.dropped += 1;
                Dialed::Lost
            }
            ListenMode::Accept | ListenMode::Hang if state.waiting.len() >= BACKLOG => Dialed::Lost,
            ListenMode::Accept | ListenMode::Hang => {
                let (client, server) = pipe::connection(from, to, wires);
                state.waiting.push_back(server);
                drop(state);
                self.changed.notify_one();
                Dialed::Connected(client)
            }
        }
    }

    fn take(&self) -> Option<Stream> {
        let mut state = self.state();
        if state.mode == ListenMode::Accept { state.waiting.pop_front() } else { None }
    }

    /// Makes a change after which nobody is taken any more: those who wait are reset.
    fn turn_away(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Stream::abort);
    }
}

impl ListenSwitch for Shared {
    fn set(&self, mode: ListenMode) -> io::Result<()> {
        match mode {
            ListenMode::Refuse => self.turn_away(|state| state.mode = mode),
            ListenMode::Accept | ListenMode::Hang | ListenMode::Blackhole => self.state().mode = mode,
        }
        self.changed.notify_one();
        Ok(())
    }

    fn turned_away(&self) -> TurnedAway {
        self.state().turned_away
    }
}

pub(super) struct MemoryAccept {
    shared: Arc<Shared>,
    port: u16,
    close: Box<dyn Fn() + Send + Sync>,
}

impl MemoryAccept {
    pub(super) fn new(shared: Arc<Shared>, port: u16, close: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { shared, port, close }
    }
}

impl Accept for MemoryAccept {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Stream>> {
        Box::pin(async move {
            loop {
                if let Some(stream) = self.shared.take() {
                    return Ok(stream);
                }
                // `notify_one` leaves a permit, so that a change between the look and the wait isn't missed.
                self.shared.changed.notified().await;
            }
        })
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn control(&self) -> Arc<dyn ListenSwitch> {
        Arc::clone(&self.shared) as Arc<dyn ListenSwitch>
    }
}

impl Drop for MemoryAccept {
    fn drop(&mut self) {
        self.shared.turn_away(|state| state.closed = true);
        (self.close)();
    }
}
