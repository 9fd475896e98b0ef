//! A worker: a task that makes one arrival at a time and keeps its connection in between.

use crate::{
    Answer, Arrival, Error, Examine, Marks, Outcome,
    connection::{Connection, Failure},
    draw::Draw,
    template::Template,
};
use bytes::Bytes;
use host::Host;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::{Receiver, UnboundedSender},
    time::{Instant, sleep_until},
};

/// A body larger than this is not worth keeping room for.
const KEEP_BUFFER: usize = 64 * 1024;

/// What all workers of a run share; nothing in it changes.
pub(crate) struct Shared {
    pub(crate) host: Host,
    pub(crate) target: (String, u16),
    pub(crate) seed: u64,
    pub(crate) timeout: Duration,
    /// The beginning of the warm-up.
    pub(crate) start: Instant,
    pub(crate) draw: Draw,
    /// By request; none for what can't be sent.
    pub(crate) templates: Vec<Option<Template>>,
    pub(crate) examine: Arc<dyn Examine>,
    pub(crate) outcomes: UnboundedSender<Outcome>,
    pub(crate) done: UnboundedSender<Done>,
}

/// An arrival that is due.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) n: u64,
    pub(crate) intended: Duration,
}

/// A worker is done with its arrival. There is one for each job.
pub(crate) struct Done {
    pub(crate) worker: usize,
    /// Whether it waits for another job, with a connection that can be used again.
    pub(crate) idle: bool,
    /// How late the arrival was begun; none if it was not made.
    pub(crate) late: Option<Duration>,
    pub(crate) at: Instant,
}

/// Works until its connection ends or there are no more jobs.
pub(crate) async fn work(worker: usize, shared: Arc<Shared>, first: Job, mut jobs: Receiver<Job>) {
    let mut hands = Hands { connection: None, buffer: Vec::new() };
    // One timer for all of its requests: moving it costs less than making one for each.
    let mut timer = pin!(sleep_until(shared.start));
    let mut job = first;
    loop {
        let report = Report::begin(worker, &shared, job);
        let arrival = shared.draw.arrival(job.n, job.intended);
        let mut connecting = false;
        timer.as_mut().reset(report.started + shared.timeout);
        let made = tokio::select! {
            biased;
            made = hands.make(&shared, &arrival, &mut connecting) => made,
            () = &mut timer => Err(if connecting { Error::ConnectTimeout } else { Error::Timeout }),
        };
        report.end(made, hands.connection.is_some());
        let Some(connection) = &mut hands.connection else { return };
        job = tokio::select! {
            biased;
            job = jobs.recv() => match job {
                Some(job) => job,
                None => return,
            },
            () = connection.closed() => return,
        };
    }
}

/// What a worker holds.
struct Hands {
    /// Kept between two requests.
    connection: Option<Connection>,
    buffer: Vec<u8>,
}

/// A request that was answered.
struct Made {
    status: u16,
    ended: Instant,
    marks: Marks,
}

impl Hands {
    /// Makes the request. The connection is kept if it can be used again, and dropped with this future.
    async fn make(&mut self, shared: &Shared, arrival: &Arrival, connecting: &mut bool) -> Result<Made, Error> {
        let template = shared.templates.get(arrival.request).and_then(Option::as_ref);
        let mut request =
            template.and_then(|template| template.render(shared.seed, arrival)).ok_or(Error::InvalidRequest)?;
        let mut kept = self.connection.take();
        let (mut connection, answer) = loop {
            let fresh = kept.is_none();
            let mut connection = match kept.take() {
                Some(kept) => kept,
                None => {
                    *connecting = true;
                    let connection = connect(shared).await?;
                    *connecting = false;
                    connection
                }
            };
            match connection.send(request).await {
                Ok(answer) => break (connection, answer),
                // The kept connection ended while nobody used it. This is no retry: nothing was sent.
                Err(Failure::Unsent(unsent)) if !fresh => request = *unsent,
                Err(Failure::Unsent(_)) => return Err(Error::Closed),
                Err(Failure::Lost(error)) => return Err(error),
            }
        };
        let (head, mut body) = answer.into_parts();
        let only = connection.read(&mut body, &mut self.buffer).await?;
        let ended = Instant::now();
        let body = only.as_ref().map_or(self.buffer.as_slice(), Bytes::as_ref);
        let status = head.status.as_u16();
        let marks = shared.examine.examine(arrival, &Answer { status, headers: &head.headers, body });
        if self.buffer.capacity() > KEEP_BUFFER {
            self.buffer = Vec::new();
        }
        if connection.is_reusable().await {
            self.connection = Some(connection);
        }
        Ok(Made { status, ended, marks })
    }
}

async fn connect(shared: &Shared) -> Result<Connection, Error> {
    let (host, port) = &shared.target;
    let stream = shared.host.dial(host, *port).await.map_err(|error| Error::of_dial(&error))?;
    Connection::new(stream).await
}

/// Reports what came of a job, once: as stopped, if the worker is dropped in the middle of it.
struct Report<'a> {
    worker: usize,
    shared: &'a Shared,
    job: Job,
    started: Instant,
    ended: bool,
}

impl<'a> Report<'a> {
    fn begin(worker: usize, shared: &'a Shared, job: Job) -> Self {
        Self { worker, shared, job, started: Instant::now(), ended: false }
    }

    fn end(mut self, made: Result<Made, Error>, idle: bool) {
        match made {
            Ok(Made { status, ended, marks }) => self.send(Ok(status), ended, marks, idle),
            Err(error) => self.send(Err(error), Instant::now(), Marks::default(), idle),
        }
    }

    fn send(&mut self, result: Result<u16, Error>, at: Instant, marks: Marks, idle: bool) {
        self.ended = true;
        let Self { worker, shared, job, started, .. } = *self;
        let since = |at: Instant| at.saturating_duration_since(shared.start);
        let started = result.map_or_else(|error| !error.is_ours(), |_| true).then(|| since(started));
        let outcome = Outcome {
            n: job.n,
            request: shared.draw.request(job.n),
            intended: job.intended,
            started,
            ended: since(at),
            result,
            marks,
        };
        // Whoever does not listen any more does not want to know.
        let _ = shared.outcomes.send(outcome);
        let late = started.map(|started| started.saturating_sub(job.intended));
        let _ = shared.done.send(Done { worker, idle, late, at });
    }
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.send(Err(Error::Stopped), Instant::now(), Marks::default(), false);
        }
    }
}
