//! Disruptions: what ends connections of the entry on purpose, so that a request which loses its own is not tried again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Disruptions of the entry, as the load has to know of them: while one is on, a connection that ends without a response is
/// what the scenario asked for, and a second try would hide it. Clones are of one.
#[derive(Clone, Debug, Default)]
pub struct Disruptions(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    on: usize,
    /// The end of the one that ended last.
    ended: Option<Instant>,
}

impl Disruptions {
    /// Takes note of a disruption that is on from now, until what this gives is dropped.
    pub fn begin(&self) -> Disruption {
        self.state().on += 1;
        Disruption(self.clone())
    }

    /// True if one was on at that moment, or since.
    pub(crate) fn any_since(&self, moment: Instant) -> bool {
        let state = self.state();
        state.on > 0 || state.ended.is_some_and(|ended| ended >= moment)
    }

    // Held for a comparison, by a request that lost its connection, and as faults come and go.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A disruption that is on; it ends as this is dropped.
#[derive(Debug)]
#[must_use = "it ends as this is dropped"]
pub struct Disruption(Disruptions);

impl Drop for Disruption {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.on -= 1;
        state.ended = Some(Instant::now());
    }
}
