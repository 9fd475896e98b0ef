//! A job: an arrival that was handed out, and the duty to report on it exactly once, whatever becomes of who has it.

use crate::{
    Arrival, Error, Marks, Outcome, draw,
    shared::{Done, Made, Shared},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The target of the `tracing` events, at the level trace, that tell of each request: when it is begun, with the
/// values of its variables (`vars`), and when it ends.
pub const REQUESTS: &str = "chaos_load::requests";

/// An arrival that is due. It is reported as [`Error::Stopped`] if it is dropped before its end, in a queue or at work.
pub(crate) struct Job {
    pub(crate) n: u64,
    pub(crate) intended: Duration,
    /// The worker that has it, if any.
    pub(crate) worker: Option<usize>,
    shared: Arc<Shared>,
    begun: Option<Instant>,
    retried: bool,
    reported: bool,
}

impl Job {
    pub(crate) fn new(shared: &Arc<Shared>, n: u64, intended: Duration) -> Self {
        Self { n, intended, worker: None, shared: Arc::clone(shared), begun: None, retried: false, reported: false }
    }

    /// Notes the actual start, which is now.
    pub(crate) fn begin(&mut self) -> Instant {
        *self.begun.insert(Instant::now())
    }

    /// Tells whoever listens that it was begun, as what `arrival` was drawn.
    pub(crate) fn tell(&self, arrival: &Arrival) {
        // A trace is listened to, not asked for: where nobody listens it costs next to nothing, and a run's events are
        // the same with and without it.
        let Some(begun) = self.begun else { return };
        tracing::trace!(
            target: REQUESTS,
            n = self.n,
            intended_us = micros(self.intended),
            started_us = micros(begun - self.shared.start),
            trace_id = %format_args!("{:032x}", draw::trace_id(self.shared.key.seed, self.n)),
            vars = ?arrival.vars.values(),
            "begun"
        );
    }

    /// Reports what came of it, whether it was tried again, and whether its worker waits for another job.
    pub(crate) fn end(mut self, made: Result<Made, Error>, (retried, idle): (bool, bool)) {
        self.retried = retried;
        match made {
            Ok(Made { status, ended, marks }) => self.report(Ok(status), ended, marks, idle),
            Err(error) => self.report(Err(error), Instant::now(), Marks::default(), idle),
        }
    }

    fn report(&mut self, result: Result<u16, Error>, at: Instant, marks: Marks, idle: bool) {
        self.reported = true;
        let Self { n, intended, worker, ref shared, begun, retried, .. } = *self;
        let since_start = |at: Instant| at.saturating_duration_since(shared.start);
        let made = !result.is_err_and(Error::is_ours);
        let started = begun.filter(|_| made).map(since_start);
        let (request, ended) = (shared.draw.request(n), since_start(at));
        match result {
            Ok(status) => tracing::trace!(target: REQUESTS, n, status, "answered"),
            Err(error) => tracing::trace!(target: REQUESTS, n, why = %error, "failed"),
        }
        // Whoever does not listen any more does not want to know.
        let _ = shared.outcomes.send(Outcome { n, request, intended, started, ended, retried, result, marks });
        let late = started.map(|started| started.saturating_sub(intended));
        let _ = shared.done.send(Done { worker, idle, late, at });
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.reported {
            self.report(Err(Error::Stopped), Instant::now(), Marks::default(), false);
        }
    }
}
