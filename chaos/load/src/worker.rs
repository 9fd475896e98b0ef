//! A worker: a task that makes one arrival at a time and keeps its connection in between.

use crate::{
    Arrival, Error, Response,
    connection::{Connection, Failure, KeptBody},
    job::Job,
    shared::{Client, Made, Shared},
    template::{Request, Template},
};
use hyper::body::Incoming;
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, sleep_until},
};

/// A body larger than this is not worth keeping room for.
const KEEP_BUFFER: usize = 64 * 1024;

/// Servers close no connection that idled for less: HAProxy after 1 s where it is told to, gunicorn after 2 s, Node, uvicorn
/// and Apache after 5 s. One that was in use more recently was not closed for that. (The load's own are closed after a second.)
const IDLES: Duration = Duration::from_millis(500);

/// The time that the news of a connection which was closed before the request came may take, beside two round trips: the
/// server has nothing to do for it.
const NEWS: Duration = Duration::from_millis(10);

/// Works until its connection ends or there are no more jobs.
pub(crate) async fn work(shared: Arc<Shared>, first: Job, mut jobs: Receiver<Job>) {
    let mut hands = Hands { connection: None, buffer: Vec::new() };
    // One timer for all of its requests: moving it costs less than making one for each.
    let mut timer = pin!(sleep_until(shared.start));
    let mut job = first;
    loop {
        let started = job.begin();
        let mut arrival = shared.draw.arrival(job.id, job.intended);
        // What was captured may be a secret of the system's, and is no draw.
        job.tell(&arrival);
        arrival.vars.extend(job.client.captured.clone());
        arrival.vars.extend(shared.draw.times(shared.host.unix_now()));
        let mut progress = Progress::default();
        timer.as_mut().reset(started + shared.timeout);
        let made = tokio::select! {
            biased;
            made = hands.make(&shared, &arrival, (&mut job.client, &mut progress)) => made,
            () = &mut timer => Err(if progress.connecting { Error::ConnectTimeout } else { Error::Timeout }),
        };
        job.end(made, (progress.retried, hands.connection.is_some()));
        let Some(connection) = &mut hands.connection else { return };
        let next = tokio::select! {
            biased;
            next = jobs.recv() => next,
            () = connection.connection.closed() => {
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
    connection: Option<Kept>,
    buffer: Vec<u8>,
}

/// A connection with what is known of it.
struct Kept {
    connection: Connection,
    /// Time that connecting took: about a round trip.
    dialled: Duration,
    /// Moment since which it idles; none where it is new.
    idles: Option<Instant>,
}

impl Kept {
    /// True where its end looks like that of one which the server had closed, since it idled, before this request came: it had
    /// idled for so long, and the end came at once. A server that takes a request and drops it looks the same only on such a
    /// connection.
    fn looks_closed_before(&self, began: Instant) -> bool {
        let idled = self.idles.is_some_and(|idles| began.saturating_duration_since(idles) >= IDLES);
        idled && began.elapsed() <= NEWS + 2 * self.dialled
    }
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
    async fn make(
        &mut self,
        shared: &Shared,
        arrival: &Arrival,
        (client, progress): (&mut Client, &mut Progress),
    ) -> Result<Made, Error> {
        let template = shared.templates.get(arrival.request).and_then(Option::as_ref).ok_or(Error::InvalidRequest)?;
        let render = || template.render(shared.key, arrival, &client.cookies, shared.host.unix_now());
        let request = render().ok_or(Error::InvalidRequest)?;
        let uri = request.uri().clone();
        let (mut kept, response) = self.send(shared, (template, request), &render, progress).await?;
        let (head, mut body) = response.into_parts();
        let read = kept.connection.read(&mut body, &mut self.buffer).await?;
        let ended = Instant::now();
        let body = match &read {
            KeptBody::Whole(body) => Some(body.as_ref()),
            KeptBody::Buffered => Some(self.buffer.as_slice()),
            KeptBody::Nothing => None,
        };
        let status = head.status.as_u16();
        let latency = ended.saturating_duration_since(shared.start).saturating_sub(arrival.intended);
        let marks = shared.checker.check(arrival, &Response { status, headers: &head.headers, latency, body });
        client.cookies.take(&head.headers, uri.path(), shared.host.unix_now());
        if self.buffer.capacity() > KEEP_BUFFER {
            self.buffer = Vec::new();
        }
        if kept.connection.is_reusable().await {
            self.connection = Some(Kept { idles: Some(ended), ..kept });
        }
        Ok(Made { status, ended, marks })
    }

    /// Sends the request, which `again` gives once more, on the kept connection if there is one, and waits for the head of its response.
    async fn send(
        &mut self,
        shared: &Shared,
        (template, mut request): (&Template, Request),
        again: &(dyn Fn() -> Option<Request> + Sync),
        progress: &mut Progress,
    ) -> Result<(Kept, http::Response<Incoming>), Error> {
        let began = Instant::now();
        let mut idle = self.connection.take();
        loop {
            let mut kept = match idle.take() {
                Some(kept) => kept,
                None => {
                    progress.connecting = true;
                    let kept = connect(shared).await?;
                    progress.connecting = false;
                    kept
                }
            };
            match kept.connection.send(request).await {
                Ok(response) => return Ok((kept, response)),
                // The kept connection ended while nobody used it. This is no retry: nothing was sent.
                Err(Failure::Unsent(unsent)) if kept.idles.is_some() => request = *unsent,
                Err(Failure::Unsent(_)) => return Err(Error::Closed),
                // It was closed before the request came, as far as that can be told. A user agent tries all again that may be
                // (RFC 9110, 9.2.2), which would hide requests that came and were dropped. A second one finds no kept
                // connection, so it is the last.
                Err(Failure::Unheard(_))
                    if kept.looks_closed_before(began)
                        && template.is_idempotent()
                        && !shared.disruptions.any_since(began) =>
                {
                    progress.retried = true;
                    request = again().ok_or(Error::InvalidRequest)?;
                }
                Err(Failure::Unheard(error) | Failure::Lost(error)) => return Err(error),
            }
        }
    }
}

async fn connect(shared: &Shared) -> Result<Kept, Error> {
    let (host, port) = &shared.target;
    let began = Instant::now();
    let stream = shared.host.dial(host, *port).await.map_err(|error| Error::of_dial(&error))?;
    let dialled = began.elapsed();
    Ok(Kept { connection: Connection::new(stream).await?, dialled, idles: None })
}
