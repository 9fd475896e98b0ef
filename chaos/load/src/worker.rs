//! A worker: a task that makes one arrival at a time and keeps its connection in between.

use crate::{
    Arrival, CheckResponse, Error, Marks, Outcome, Response,
    connection::{Connection, Failure, Kept},
    draw::Draw,
    job::{Done, Job},
    template::Template,
};
use chaos_model::RunKey;
use host::Host;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::{Receiver, UnboundedSender},
    time::{Instant, sleep_until},
};

/// A body larger than this is not worth keeping room for.
const KEEP_BUFFER: usize = 64 * 1024;

/// State that all workers of a run share; nothing in it changes.
pub(crate) struct Shared {
    pub(crate) host: Host,
    pub(crate) target: (String, u16),
    pub(crate) key: RunKey,
    pub(crate) timeout: Duration,
    /// The beginning of the warm-up.
    pub(crate) start: Instant,
    pub(crate) draw: Draw,
    /// By request; none for what can't be sent.
    pub(crate) templates: Vec<Option<Template>>,
    pub(crate) checker: Arc<dyn CheckResponse>,
    pub(crate) outcomes: UnboundedSender<Outcome>,
    pub(crate) done: UnboundedSender<Done>,
}

/// Works until its connection ends or there are no more jobs.
pub(crate) async fn work(shared: Arc<Shared>, first: Job, mut jobs: Receiver<Job>) {
    let mut hands = Hands { connection: None, buffer: Vec::new() };
    // One timer for all of its requests: moving it costs less than making one for each.
    let mut timer = pin!(sleep_until(shared.start));
    let mut job = first;
    loop {
        let started = job.begin();
        let arrival = shared.draw.arrival(job.n, job.intended);
        job.tell(&arrival);
        let mut connecting = false;
        timer.as_mut().reset(started + shared.timeout);
        let made = tokio::select! {
            biased;
            made = hands.make(&shared, &arrival, &mut connecting) => made,
            () = &mut timer => Err(if connecting { Error::ConnectTimeout } else { Error::Timeout }),
        };
        job.end(made, hands.connection.is_some());
        let Some(connection) = &mut hands.connection else { return };
        let next = tokio::select! {
            biased;
            next = jobs.recv() => next,
            () = connection.closed() => {
                hands.connection = None;
                // A job may have come in this very moment: it is made on a new connection.
                jobs.close();
                jobs.recv().await
            }
        };
        let Some(next) = next else { return };
        job = next;
    }
}

/// The connection and the buffer that a worker holds.
struct Hands {
    /// Kept between two requests.
    connection: Option<Connection>,
    buffer: Vec<u8>,
}

/// A request that got a response.
pub(crate) struct Made {
    pub(crate) status: u16,
    pub(crate) ended: Instant,
    pub(crate) marks: Marks,
}

impl Hands {
    /// Makes the request. The connection is kept if it can be used again, and dropped with this future.
    async fn make(&mut self, shared: &Shared, arrival: &Arrival, connecting: &mut bool) -> Result<Made, Error> {
        let template = shared.templates.get(arrival.request).and_then(Option::as_ref);
        let mut request =
            template.and_then(|template| template.render(shared.key, arrival)).ok_or(Error::InvalidRequest)?;
        let mut kept = self.connection.take();
        let (mut connection, response) = loop {
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
                Ok(response) => break (connection, response),
                // The kept connection ended while nobody used it. This is no retry: nothing was sent.
                Err(Failure::Unsent(unsent)) if !fresh => request = *unsent,
                Err(Failure::Unsent(_)) => return Err(Error::Closed),
                Err(Failure::Lost(error)) => return Err(error),
            }
        };
        let (head, mut body) = response.into_parts();
        let kept = connection.read(&mut body, &mut self.buffer).await?;
        let ended = Instant::now();
        let body = match &kept {
            Kept::Whole(body) => Some(body.as_ref()),
            Kept::Buffered => Some(self.buffer.as_slice()),
            Kept::Nothing => None,
        };
        let status = head.status.as_u16();
        let marks = shared.checker.check(arrival, &Response { status, headers: &head.headers, body });
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
