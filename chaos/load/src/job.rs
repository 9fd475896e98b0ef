//! A job: an arrival that was handed out, and the duty to report on it exactly once, whatever becomes of who has it.

use crate::{
    Arrival, Error, Marks, Outcome, Rest, draw,
    shared::{Client, Done, Made, Next, Shared},
};
use chaos_model::RequestId;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The target of the `tracing` events, at the level trace, that tell of each request: when it is begun, with the
/// values of its variables (`vars`), and when it ends.
pub const REQUESTS: &str = "chaos_load::requests";

/// An arrival that is due. It is reported as [`Error::Stopped`] if it is dropped before its end, in a queue or at work.
pub(crate) struct Job {
    pub(crate) id: RequestId,
    pub(crate) intended: Duration,
    /// The client that makes it.
    pub(crate) client: Client,
    /// The worker that has it, if any.
    pub(crate) worker: Option<usize>,
    shared: Arc<Shared>,
    begun: Option<Instant>,
    retried: bool,
    reported: bool,
}

impl Job {
    pub(crate) fn new(shared: &Arc<Shared>, Next { id, due, client }: Next) -> Self {
        let shared = Arc::clone(shared);
        Self { id, intended: due, client, worker: None, shared, begun: None, retried: false, reported: false }
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
            n = self.id.n,
            step = self.id.step,
            intended_us = micros(self.intended),
            started_us = micros(begun - self.shared.start),
            trace_id = %format_args!("{:032x}", draw::trace_id(self.shared.key.seed, self.id)),
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

    fn report(&mut self, result: Result<u16, Error>, at: Instant, mut marks: Marks, idle: bool) {
        self.reported = true;
        let (rest, next) = self.rest(result, at, &mut marks);
        let Self { id, intended, worker, ref shared, begun, retried, .. } = *self;
        let RequestId { n, step } = id;
        let since_start = |at: Instant| at.saturating_duration_since(shared.start);
        let made = !result.is_err_and(Error::is_ours);
        let started = begun.filter(|_| made).map(since_start);
        let (request, ended) = (shared.draw.place(id), since_start(at));
        match result {
            Ok(status) => tracing::trace!(target: REQUESTS, n, step, status, "answered"),
            Err(error) => tracing::trace!(target: REQUESTS, n, step, why = %error, "failed"),
        }
        // Whoever does not listen any more does not want to know.
        let outcome = Outcome { n, step, request, intended, started, ended, retried, result, marks, rest };
        let _ = shared.outcomes.send(outcome);
        let late = started.map(|started| started.saturating_sub(intended));
        let _ = shared.done.send(Done { worker, idle, late, at, next });
    }

    /// The rest of its journey, and the next step of it, if there is one.
    fn rest(&mut self, result: Result<u16, Error>, at: Instant, marks: &mut Marks) -> (Rest, Option<Next>) {
        let captured = std::mem::take(&mut marks.captured);
        let (RequestId { n, step }, shared) = (self.id, &self.shared);
        let steps = u32::try_from(shared.draw.journey(n).len()).unwrap_or(u32::MAX);
        let left = steps.saturating_sub(step + 1);
        if left == 0 || result == Err(Error::Stopped) {
            return (Rest::Nothing, None);
        }
        if result.is_err() || marks.failed {
            return (Rest::NotReached(left), None);
        }
        let id = RequestId { n, step: step + 1 };
        let due = at.saturating_duration_since(shared.start) + shared.draw.think(id);
        if due >= shared.end {
            return (Rest::Nothing, None);
        }
        let mut client = std::mem::take(&mut self.client);
        client.captured.extend(captured);
        (Rest::Due(due), Some(Next { id, due, client }))
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
