//! A worker: a task that makes one arrival at a time and keeps its connection in between.

use crate::{
    Arrival, Error, Response,
    connection::{Connection, Failure, Kept},
    job::Job,
    shared::{Made, Shared},
};
use hyper::body::Incoming;
use std::{pin::pin, sync::Arc};
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};

/// A body larger than this is not worth keeping room for.
const KEEP_BUFFER: usize = 64 * 1024;

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
        let mut progress = Progress::default();
        timer.as_mut().reset(started + shared.timeout);
        let made = tokio::select! {
            biased;
            made = hands.make(&shared, &arrival, &mut progress) => made,
            () = &mut timer => Err(if progress.connecting { Error::ConnectTimeout } else { Error::Timeout }),
        };
        job.end(made, (progress.retried, hands.connection.is_some()));
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

/// The progress of a request, for whoever gives it up.
#[derive(Default)]
struct Progress {
    connecting: bool,
    /// It is made for the second time.
    retried: bool,
}

impl Hands {
    /// Makes the request. The connection is kept if it can be used again, and dropped with this future.
    async fn make(&mut self, shared: &Shared, arrival: &Arrival, progress: &mut Progress) -> Result<Made, Error> {
        let (mut connection, response) = self.send(shared, arrival, progress).await?;
        let (head, mut body) = response.into_parts();
        let kept = connection.read(&mut body, &mut self.buffer).await?;
        let ended = Instant::now();
        let body = match &kept {
            Kept::Whole(body) => Some(body.as_ref()),
            Kept::Buffered => Some(self.buffer.as_slice()),
            Kept::Nothing => None,
        };
        let status = head.status.as_u16();
        let latency = ended.saturating_duration_since(shared.start).saturating_sub(arrival.intended);
        let marks = shared.checker.check(arrival, &Response { status, headers: &head.headers, latency, body });
        if self.buffer.capacity() > KEEP_BUFFER {
            self.buffer = Vec::new();
        }
        if connection.is_reusable().await {
            self.connection = Some(connection);
        }
        Ok(Made { status, ended, marks })
    }

    /// Sends the request, on the kept connection if there is one, and waits for the head of its response.
    async fn send(
        &mut self,
        shared: &Shared,
        arrival: &Arrival,
        progress: &mut Progress,
    ) -> Result<(Connection, http::Response<Incoming>), Error> {
        let began = Instant::now();
        let template = shared.templates.get(arrival.request).and_then(Option::as_ref).ok_or(Error::InvalidRequest)?;
        let render = || template.render(shared.key, arrival).ok_or(Error::InvalidRequest);
        let mut request = render()?;
        let mut kept = self.connection.take();
        loop {
            let reused = kept.is_some();
            let mut connection = match kept.take() {
                Some(kept) => kept,
                None => {
                    progress.connecting = true;
                    let connection = connect(shared).await?;
                    progress.connecting = false;
                    connection
                }
            };
            match connection.send(request).await {
                Ok(response) => return Ok((connection, response)),
                // The kept connection ended while nobody used it. This is no retry: nothing was sent.
                Err(Failure::Unsent(unsent)) if reused => request = *unsent,
                Err(Failure::Unsent(_)) => return Err(Error::Closed),
                // It ended as the request went out. A second one finds no kept connection, so it is the last.
                Err(Failure::Unheard(_))
                    if reused && template.is_idempotent() && !shared.disruptions.any_since(began) =>
                {
                    progress.retried = true;
                    request = render()?;
                }
                Err(Failure::Unheard(error) | Failure::Lost(error)) => return Err(error),
            }
        }
    }
}

async fn connect(shared: &Shared) -> Result<Connection, Error> {
    let (host, port) = &shared.target;
    let stream = shared.host.dial(host, *port).await.map_err(|error| Error::of_dial(&error))?;
    Connection::new(stream).await
}
