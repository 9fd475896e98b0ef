//! Exits of services, in the order in which they were noticed.

use crate::engine::Engine;
use host::Host;
use std::collections::VecDeque;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A service that has ended.
#[derive(Clone, Debug)]
pub(super) struct Exit {
    pub(super) service: String,
    /// The way it ended, as `exit code 137`.
    pub(super) how: String,
}

/// Watches over the containers of a run.
pub(super) struct Exits {
    sender: UnboundedSender<Exit>,
    receiver: UnboundedReceiver<Exit>,
    /// Exits that were told while something else was waited for.
    kept: VecDeque<Exit>,
}

impl Default for Exits {
    fn default() -> Self {
        let (sender, receiver) = unbounded_channel();
        Self { sender, receiver, kept: VecDeque::new() }
    }
}

impl Exits {
    /// Watches a container that was started, until it ends.
    pub(super) fn watch(&self, host: &Host, engine: &Engine, service: &str, id: &str) {
        let (engine, service, id, sender) = (engine.clone(), service.to_owned(), id.to_owned(), self.sender.clone());
        drop(host.spawn(async move {
            let how = engine.ended(&id).await;
            // The run is over.
            let _ = sender.send(Exit { service, how });
        }));
    }

    /// Waits for the next, which stays the next until it is taken. Safe to drop.
    pub(super) async fn next(&mut self) -> Exit {
        if self.kept.is_empty()
            && let Some(exit) = self.receiver.recv().await
        {
            self.kept.push_back(exit);
        }
        match self.kept.front() {
            Some(exit) => exit.clone(),
            // Never: this holds a sender.
            None => std::future::pending().await,
        }
    }

    /// Takes what [`Exits::next`] gave.
    pub(super) fn take(&mut self) {
        self.kept.pop_front();
    }

    /// Waits until this service has ended. Safe to drop.
    pub(super) async fn of(&mut self, service: &str) -> Exit {
        loop {
            if let Some(index) = self.kept.iter().position(|exit| exit.service == service)
                && let Some(exit) = self.kept.remove(index)
            {
                return exit;
            }
            if let Some(exit) = self.receiver.recv().await {
                self.kept.push_back(exit);
            }
        }
    }
}
