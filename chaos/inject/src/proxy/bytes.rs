//! The tally of bytes: what came from each side of a proxy, and what was sent to the other.

use chaos_model::Direction;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts bytes of many connections at once.
#[derive(Debug, Default)]
pub(super) struct ByteTally {
    received: [AtomicU64; 2],
    sent: [AtomicU64; 2],
}

/// Counts of bytes since the proxy began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByteCounts {
    /// Bytes that came from clients.
    pub received_upstream: u64,
    /// Bytes that were sent to the service.
    pub sent_upstream: u64,
    /// Bytes that came from the service.
    pub received_downstream: u64,
    /// Bytes that were sent to clients.
    pub sent_downstream: u64,
}

impl ByteTally {
    /// Bytes came.
    pub(super) fn receive(&self, direction: Direction, bytes: usize) {
        self.received[direction as usize].fetch_add(bytes as u64, Relaxed);
    }

    /// Bytes were sent on.
    pub(super) fn send(&self, direction: Direction, bytes: usize) {
        self.sent[direction as usize].fetch_add(bytes as u64, Relaxed);
    }

    /// The counts so far.
    pub(super) fn read(&self) -> ByteCounts {
        let [received_upstream, received_downstream] =
            [&self.received[0], &self.received[1]].map(|one| one.load(Relaxed));
        let [sent_upstream, sent_downstream] = [&self.sent[0], &self.sent[1]].map(|one| one.load(Relaxed));
        ByteCounts { received_upstream, sent_upstream, received_downstream, sent_downstream }
    }
}
