//! Bytes that are thrown away: what comes is read and let go of, while the ends wait.

use super::{
    Pump,
    item::{Content, Item},
};
use crate::interpreter::Plan;
use std::{mem::take, time::Duration};

/// The bytes that came since they are thrown away. Times count from the proxy's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) struct Discarding {
    /// Since when they are.
    pub(in crate::proxy) since: Duration,
    /// Time of the first of them,
    pub(in crate::proxy) first: Option<Duration>,
    /// and of the last.
    pub(in crate::proxy) last: Option<Duration>,
}

impl Pump {
    /// The bytes that were thrown away so far, while they are.
    pub(in crate::proxy) fn discarding(&self) -> Option<Discarding> {
        self.discarding
    }

    /// Goes by another plan: begins to throw away, goes on with it or ends it.
    pub(super) fn note_discarding(&mut self, plan: &Plan) {
        let since = self.epoch.elapsed();
        let new = || Discarding { since, first: None, last: None };
        self.discarding = plan.on(self.direction).discards.then(|| self.discarding.unwrap_or_else(new));
    }

    /// So many bytes came.
    pub(super) fn note_bytes(&mut self, bytes: usize) {
        self.tally.receive(self.direction, bytes);
        if let Some(discarding) = &mut self.discarding {
            let now = self.epoch.elapsed();
            discarding.first.get_or_insert(now);
            discarding.last = Some(now);
        }
    }

    /// Lets go of all that waits but the ends.
    pub(super) fn discard_waiting(&mut self) {
        let now = self.epoch.elapsed();
        for item in take(&mut self.waiting) {
            if item.content.ends() {
                self.waiting.push_back(item);
                continue;
            }
            self.room.give(item.content.cost());
            // What faults were to do to these bytes has not happened: nobody saw them.
            let Item { content, arrived, .. } = item;
            if let Content::Gate(gate) = content {
                self.gates -= 1;
                gate.open(arrived, now);
            }
        }
    }
}
