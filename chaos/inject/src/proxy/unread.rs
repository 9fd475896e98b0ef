//! Connections that can't be read, as far as faults on messages have to know: each is counted once for each of them, and
//! then as a message more for each turn in which its client sends.

use crate::{active::Active, interpreter::Interpreter};
use chaos_model::event::Unreadable;
use std::sync::Arc;

/// The account of one connection.
#[derive(Default)]
pub(super) struct Unread {
    why: Option<Unreadable>,
    /// Chunks of the client that faults have been told of,
    told: u64,
    /// and those of the service that had come by then: behind one of a later number, the client begins something new.
    answered: u64,
    /// Faults that have counted it.
    counted: Vec<Arc<Active>>,
}

/// Chunks that have come so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    pub(super) up: u64,
    pub(super) down: u64,
}

impl Unread {
    /// It can't be read from now on. What showed it `is_counted` already, or else counts with it.
    pub(super) fn begin(&mut self, why: Unreadable, is_counted: bool, chunks: Chunks) {
        if self.why.is_none() {
            self.why = Some(why);
            // The last of them could not be read, or its response: but for an upgrade, which is a response that could be.
            let is_counted = is_counted || why == Unreadable::Upgraded;
            self.told = if is_counted { chunks.up } else { chunks.up.saturating_sub(1) };
            self.answered = chunks.down;
        }
    }

    /// So many chunks have come: where the client sent some of them, each fault on messages has spared the connection, or one
    /// more message on it.
    pub(super) fn sent(&mut self, chunks: Chunks, interpreter: &Interpreter) {
        let (Some(why), true) = (self.why, chunks.up > self.told) else { return };
        // What a client sends before it is answered may be one message, in whatever pieces.
        let begins = chunks.down > self.answered;
        (self.told, self.answered) = (chunks.up, chunks.down);
        for fault in interpreter.faults.iter().filter(|fault| fault.is_of_messages()) {
            if !self.counted.iter().any(|other| fault.is(other)) {
                fault.tally.spare_connection(why);
                self.counted.push(Arc::clone(fault));
            } else if begins {
                fault.tally.spare_messages(why, 1);
            }
        }
    }

    /// The faults have changed: those that are gone are let go of.
    pub(super) fn forget(&mut self, interpreter: &Interpreter) {
        self.counted.retain(|fault| interpreter.faults.iter().any(|other| fault.is(other)));
    }
}
