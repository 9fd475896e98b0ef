//! Deeds of faults on messages, counted and written down once it has happened: when the first of it is written.

use super::{Pump, PumpState};
use crate::{active::Active, protocol::Injected};
use std::{mem::take, sync::Arc};

impl Pump {
    /// Expects what a fault makes of a message: it happens with the bytes that come next, or with the end.
    pub(in crate::proxy) fn expect(&mut self, injected: Injected) {
        self.expected.push(injected);
    }

    /// Takes it that what was expected has happened, since its bytes were written, or since nothing more of it comes now. Where nothing is
    /// written any more, it hasn't.
    pub(in crate::proxy) fn fire_expected(&mut self) {
        let expected = take(&mut self.expected);
        if self.state == PumpState::Open {
            self.fire(expected);
        }
    }

    /// Counts what a fault did to a message.
    pub(in crate::proxy) fn count(&mut self, injected: &Injected) {
        self.met.count(injected);
    }

    /// Counts and writes down what has happened.
    pub(super) fn fire(&mut self, happened: Vec<Injected>) {
        // Most bytes are no fault's.
        if happened.is_empty() {
            return;
        }
        let now = self.epoch.elapsed();
        for injected in happened {
            self.met.count(&injected);
            injected.fault.ledger.message(now.saturating_sub(injected.fault.applied), &injected.entry, None);
        }
    }

    /// The faults have changed. What waits of those that are gone is on its way, and nobody counts it later.
    pub(super) fn fire_those_gone(&mut self, faults: &[Arc<Active>]) {
        let is_there = |injected: &Injected| faults.iter().any(|other| Arc::ptr_eq(other, &injected.fault));
        let mut gone = Vec::new();
        for item in &mut self.waiting {
            gone.extend(item.notes.extract_if(.., |one| !is_there(one)));
        }
        self.fire(gone);
        self.met.forget(faults);
    }
}
