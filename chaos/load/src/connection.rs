//! One connection, driven by the task that uses it.

use crate::{Error, template::Request};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Response;
use http_body_util::Full;
use hyper::{
    body::{Body as _, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};
use tokio::time::Instant;
use tokio_util::io::InspectReader;

/// The largest body that is kept for checks, in bytes: memory stays bounded whatever the target sends. Of a larger one the
/// status and the end are known.
pub const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// More bytes than any machine moves while its clock stands still, which that of a simulation does.
const AT_ONCE: usize = 1024 * 1024 * 1024;

/// The most header fields of a response: hyper reads no more than 100 unless it is told, and real systems send more.
const MOST_FIELDS: usize = 1000;
/// The largest head of a response that is read.
const HEAD_LIMIT: usize = 256 * 1024;
/// Room in hyper's buffer for what has come behind a head, so that none within the limit is refused for it.
const READ_AHEAD: usize = 128 * 1024;

// Over hyper's low-level client: the load must tell a connect from a request and a request from a response, which a
// pooled client hides.
/// An established HTTP/1.1 connection.
pub(crate) struct Connection {
    requests: http1::SendRequest<Full<Bytes>>,
    /// Set as bytes come.
    heard: Arc<AtomicBool>,
    driver: Driver,
}

/// The half of a connection that moves bytes. It has to be polled for anything to happen, here by whoever waits for a
/// response.
struct Driver(Option<http1::Connection<TokioIo<Inspected>, Full<Bytes>>>);

/// A stream that tells of bytes that come.
type Inspected = InspectReader<host::Stream, Box<dyn FnMut(&[u8]) + Send>>;

impl Driver {
    /// Moves what can be moved. Once the connection has ended it is dropped, which fails what still waits for it.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && connection.poll_unpin(cx).is_ready()
        {
            self.0 = None;
        }
    }
}

/// A request that got no response, and whether it may go out again.
pub(crate) enum Failure {
    /// The connection had ended before any byte of the request was written: it can go out on another one.
    Unsent(Box<Request>),
    /// The request was sent, at least in part, and the connection ended before the first byte of a response.
    Unheard(Error),
    /// A part of the response had come.
    Lost(Error),
}

/// The part of a body that was kept.
pub(crate) enum KeptBody {
    /// All of it, which came in one piece.
    Whole(Bytes),
    /// All of it, in the buffer.
    Buffered,
    /// Nothing: it was larger than [`BODY_LIMIT`].
    Nothing,
}

impl Connection {
    pub(crate) async fn new(stream: host::Stream) -> Result<Self, Error> {
        let heard = Arc::new(AtomicBool::new(false));
        let hear = Arc::clone(&heard);
        let inspect =
            move |bytes: &[u8]| hear.store(hear.load(Ordering::Relaxed) | !bytes.is_empty(), Ordering::Relaxed);
        let stream: Inspected = InspectReader::new(stream, Box::new(inspect));
        let handshake = http1::Builder::new()
            // Requests are small: one buffer is cheaper than several.
            .writev(false)
            // What a user agent has to read, though no server should send it: folded lines (RFC 9112, 5.2), and blanks before
            // the colon, which a proxy would have removed (5.1).
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .max_headers(MOST_FIELDS)
            .max_buf_size(HEAD_LIMIT + READ_AHEAD)
            .handshake(TokioIo::new(stream))
            .await;
        let (requests, connection) = handshake.map_err(|error| Error::of_exchange(&error))?;
        Ok(Self { requests, heard, driver: Driver(Some(connection)) })
    }

    /// Sends a request and waits for the head of its response. To drop this early is to give up the connection.
    pub(crate) async fn send(&mut self, request: Request) -> Result<Response<Incoming>, Failure> {
        let Self { requests, heard, driver } = self;
        heard.store(false, Ordering::Relaxed);
        let mut response = pin!(requests.try_send_request(request));
        let answered = poll_fn(|cx| {
            driver.drive(cx);
            response.as_mut().poll(cx)
        });
        answered.await.map_err(|mut error| match error.take_message() {
            Some(request) => Failure::Unsent(Box::new(request)),
            None if heard.load(Ordering::Relaxed) => Failure::Lost(Error::of_exchange(error.error())),
            None => Failure::Unheard(Error::of_exchange(error.error())),
        })
    }

    /// Reads the body to its end. One that comes in several pieces is put together in `buffer`.
    pub(crate) async fn read(&mut self, body: &mut Incoming, buffer: &mut Vec<u8>) -> Result<KeptBody, Error> {
        buffer.clear();
        let mut only = None;
        while let Some(chunk) = self.chunk(body).await? {
            if only.is_none() && buffer.is_empty() {
                only = Some(chunk);
            } else {
                buffer.extend_from_slice(&only.take().unwrap_or_default());
                buffer.extend_from_slice(&chunk);
            }
            if only.as_ref().map_or(buffer.len(), Bytes::len) > BODY_LIMIT {
                buffer.clear();
                return self.read_on(body).await;
            }
        }
        Ok(only.map_or(KeptBody::Buffered, KeptBody::Whole))
    }

    /// Reads to its end what is too large to be kept.
    async fn read_on(&mut self, body: &mut Incoming) -> Result<KeptBody, Error> {
        let (mut at, mut at_once) = (Instant::now(), 0);
        while let Some(chunk) = self.chunk(body).await? {
            let now = Instant::now();
            at_once = if now == at { at_once + chunk.len() } else { chunk.len() };
            at = now;
            if at_once > AT_ONCE {
                // A body without end, in a simulation: its clock goes on once nobody has anything to do, and then the
                // client's timeout ends this.
                std::future::pending::<()>().await;
            }
        }
        Ok(KeptBody::Nothing)
    }

    async fn chunk(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, Error> {
        loop {
            // Known from the length, where there is one, without another round.
            if body.is_end_stream() {
                return Ok(None);
            }
            let frame = poll_fn(|cx| {
                self.driver.drive(cx);
                Pin::new(&mut *body).poll_frame(cx)
            });
            match frame.await {
                None => return Ok(None),
                Some(Err(error)) => return Err(Error::of_exchange(&error)),
                // Trailers are of no interest.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) if !chunk.is_empty() => return Ok(Some(chunk)),
                    _ => {}
                },
            }
        }
    }

    /// True if another request can go out on it, after a response has been read to its end.
    pub(crate) async fn is_reusable(&mut self) -> bool {
        poll_fn(|cx| {
            self.driver.drive(cx);
            Poll::Ready(self.driver.0.is_some() && self.requests.is_ready())
        })
        .await
    }

    /// Waits until the other side closes it.
    pub(crate) async fn closed(&mut self) {
        poll_fn(|cx| {
            self.driver.drive(cx);
            if self.driver.0.is_some() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
}
