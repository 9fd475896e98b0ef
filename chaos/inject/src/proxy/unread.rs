//! Connections that can't be read, as far as faults on messages have to know: each is counted once for each of them.

use crate::{active::Active, interpreter::Interpreter};
use chaos_model::event::Unreadable;
use std::sync::Arc;

/// The account of one connection.
#[derive(Default)]
pub(super) struct Unread {
    why: Option<Unreadable>,
    /// Chunks of the client that faults have been told of.
    told: u64,
    /// Faults that have counted it.
    counted: Vec<Arc<Active>>,
}

impl Unread {
    /// It can't be read from now on. The client has sent so many chunks.
    pub(super) fn begin(&mut self, why: Unreadable, chunks: u64) {
        if self.why.is_none() {
            self.why = Some(why);
            // The last of them could not be read, or its response: but for an upgrade, which is a response that could be.
            self.told = if why == Unreadable::Upgraded { chunks } else { chunks.saturating_sub(1) };
        }
    }

    /// The client has sent so many chunks: where some of them are new, each fault on messages has spared the connection.
    pub(super) fn sent(&mut self, chunks: u64, interpreter: &Interpreter) {
        let (Some(why), true) = (self.why, chunks > self.told) else { return };
        self.told = chunks;
        for fault in interpreter.faults.iter().filter(|fault| fault.is_of_messages()) {
            if !self.counted.iter().any(|other| Arc::ptr_eq(fault, other)) {
                fault.tally.spare(why);
                self.counted.push(Arc::clone(fault));
            }
        }
    }

    /// The faults have changed: those that are gone are let go of.
    pub(super) fn forget(&mut self, interpreter: &Interpreter) {
        self.counted.retain(|fault| interpreter.faults.iter().any(|other| Arc::ptr_eq(fault, other)));
    }
}
