//! Counts of what a fault did.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Counts of what a fault did while it was in place, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// Connections that it met.
    pub connections: u64,
    /// Chunks of bytes that it delayed, held or cut up; the ends of streams that it delayed.
    pub chunks: u64,
    /// Connections that it reset.
    pub resets: u64,
    /// Connections that it closed in an orderly way.
    #[serde(default)]
    pub closes: u64,
    /// Attempts to connect that were refused (where the system can't count them by socket: at most).
    pub refused: u64,
    /// Attempts to connect that were dropped, resent ones included.
    pub dropped: u64,
    /// Requests or commands that it acted on.
    #[serde(default)]
    pub messages: u64,
    /// Requests or commands that waited behind one of these, on its connection.
    #[serde(default)]
    pub bystanders: u64,
    /// Times that a service was stopped, killed, frozen, restarted or flushed.
    #[serde(default)]
    pub services: u64,
}

impl Fired {
    /// True where the fault did anything at all; that it met a connection is not enough.
    #[must_use]
    pub fn any(&self) -> bool {
        // Connections alone don't count: to meet one and let it pass is nothing that anybody could have noticed.
        self.chunks + self.resets + self.closes + self.refused + self.dropped + self.messages + self.services > 0
    }
}

/// Sums over the times that a fault was in place: a connection that it met in each is counted in each.
impl AddAssign for Fired {
    fn add_assign(&mut self, other: Self) {
        let Self { connections, chunks, resets, closes, refused, dropped, messages, bystanders, services } = other;
        self.connections += connections;
        self.chunks += chunks;
        self.resets += resets;
        self.closes += closes;
        self.refused += refused;
        self.dropped += dropped;
        self.messages += messages;
        self.bystanders += bystanders;
        self.services += services;
    }
}
