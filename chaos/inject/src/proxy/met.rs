//! The faults that acted on messages of a connection: the connection counts once for each of them.

use crate::{active::Active, protocol::Injected};
use std::sync::Arc;

/// The account of one connection.
#[derive(Default)]
pub(super) struct Met(Vec<Arc<Active>>);

impl Met {
    /// A fault has acted on a message.
    pub(super) fn count(&mut self, injected: &Injected) {
        if !self.0.iter().any(|fault| fault.is(&injected.fault)) {
            injected.fault.tally.connection();
            self.0.push(Arc::clone(&injected.fault));
        }
        injected.fault.tally.message(injected.entry.bystanders);
    }

    /// The faults have changed: those that are gone are let go of.
    pub(super) fn forget(&mut self, faults: &[Arc<Active>]) {
        self.0.retain(|fault| faults.iter().any(|other| fault.is(other)));
    }
}
