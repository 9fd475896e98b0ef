//! The lease that requests renew: where none comes for its time, whoever sent them is taken to be gone.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Time to live from one request to the next.
pub(super) struct Lease {
    ttl: Duration,
    renewed: Mutex<Instant>,
}

impl Lease {
    pub(super) fn new(ttl: Duration) -> Self {
        Self { ttl, renewed: Mutex::new(Instant::now()) }
    }

    /// A request came.
    pub(super) fn renew(&self) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The moment at which it lapses.
    pub(super) fn lapses(&self) -> Instant {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) + self.ttl
    }
}
