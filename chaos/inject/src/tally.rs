//! The tally of a fault: how often it fired, counted from many connections at once.

use chaos_model::event::{Fired, Spared, Unreadable};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counts that connections make themselves; attempts that never became one are the listener's to count.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    connections: AtomicU64,
    chunks: AtomicU64,
    resets: AtomicU64,
    closes: AtomicU64,
    messages: AtomicU64,
    bystanders: AtomicU64,
    throttled: AtomicU64,
    spared_connections: Spares,
    spared_messages: Spares,
}

/// Counts by reason, in the order of [`Unreadable::ALL`].
type Spares = [AtomicU64; Unreadable::ALL.len()];

impl Tally {
    /// A connection was met.
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// A chunk, or the end of a stream, was delayed, held or cut up.
    pub(crate) fn chunk(&self) {
        self.chunks.fetch_add(1, Relaxed);
    }

    /// A connection was reset.
    pub(crate) fn reset(&self) {
        self.resets.fetch_add(1, Relaxed);
    }

    /// A connection was closed in an orderly way.
    pub(crate) fn close(&self) {
        self.closes.fetch_add(1, Relaxed);
    }

    /// A request or a command was acted on, and so many waited behind it.
    pub(crate) fn message(&self, bystanders: u64) {
        self.messages.fetch_add(1, Relaxed);
        self.bystanders.fetch_add(bystanders, Relaxed);
    }

    /// A direction of a connection had as much under way as may be, and its sender had more.
    pub(crate) fn throttle(&self) {
        self.throttled.fetch_add(1, Relaxed);
    }

    /// Something was sent on a connection that can't be read.
    pub(crate) fn spare_connection(&self, why: Unreadable) {
        self.spared_connections[why as usize].fetch_add(1, Relaxed);
    }

    /// So many messages could not be acted on.
    pub(crate) fn spare_messages(&self, why: Unreadable, messages: u64) {
        self.spared_messages[why as usize].fetch_add(messages, Relaxed);
    }

    /// The counts so far.
    pub(crate) fn fired(&self) -> Fired {
        let spared = Unreadable::ALL.into_iter().fold(Spared::NONE, |sum, why| {
            let of = |counts: &Spares| counts[why as usize].load(Relaxed);
            sum.with(why, of(&self.spared_connections)).with_messages(why, of(&self.spared_messages))
        });
        Fired {
            spared,
            connections: self.connections.load(Relaxed),
            chunks: self.chunks.load(Relaxed),
            resets: self.resets.load(Relaxed),
            closes: self.closes.load(Relaxed),
            messages: self.messages.load(Relaxed),
            bystanders: self.bystanders.load(Relaxed),
            throttled: self.throttled.load(Relaxed),
            ..Fired::default()
        }
    }
}
