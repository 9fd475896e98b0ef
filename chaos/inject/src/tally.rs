//! How often a fault fired, counted from many connections at once.

use chaos_model::event::Fired;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counts that connections make themselves; attempts that never became one are the listener's to count.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    connections: AtomicU64,
    chunks: AtomicU64,
    resets: AtomicU64,
}

impl Tally {
    /// A connection was met.
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// So many chunks were delayed or held.
    pub(crate) fn chunks(&self, count: usize) {
        self.chunks.fetch_add(count as u64, Relaxed);
    }

    /// A connection was reset.
    pub(crate) fn reset(&self) {
        self.resets.fetch_add(1, Relaxed);
    }

    /// The counts so far.
    pub(crate) fn fired(&self) -> Fired {
        Fired {
            connections: self.connections.load(Relaxed),
            chunks: self.chunks.load(Relaxed),
            resets: self.resets.load(Relaxed),
            ..Fired::default()
        }
    }
}
