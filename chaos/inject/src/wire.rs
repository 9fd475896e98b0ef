//! The trace of what passes on links, told as `tracing` events: one for the head of each message, on either side of the
//! proxy, so that a message which a fault holds is seen to come and not to go; and one for each injection, which its
//! ledger tells.
//!
//! It reads along beside the filters that faults act by, with filters of its own, so that whether anybody listens
//! changes nothing of what faults do. Where nobody listens to [`WIRE`] when a connection begins, nothing is read.

use crate::{
    events::WIRE,
    protocol::{Attribution, Decide, Decision, Filter, Message, Step},
    protocols::filter_of,
};
use chaos_model::{Direction, Protocol};
use host::{Halves, Stream};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::Level;

/// A side of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxySide {
    Client,
    Service,
}

/// The stream, read along if anybody listens.
pub(crate) fn watch(stream: Stream, protocol: Protocol, link: &Arc<str>, connection: u64, side: ProxySide) -> Stream {
    if !tracing::enabled!(target: WIRE, Level::TRACE) {
        return stream;
    }
    // A filter of its own: one that faults share would have to decide before it could tell, and listening would change
    // what faults do.
    let Some(filter) = filter_of(protocol) else { return stream };
    let reader = Reader { filter, up: Vec::new(), down: Vec::new(), link: Arc::clone(link), connection, side };
    Stream::new(Watched { stream, reader: Mutex::new(reader) })
}

struct Reader {
    filter: Box<dyn Filter>,
    /// Bytes that the filter has not used up.
    up: Vec<u8>,
    down: Vec<u8>,
    link: Arc<str>,
    connection: u64,
    side: ProxySide,
}

impl Reader {
    fn left(&mut self, direction: Direction) -> &mut Vec<u8> {
        match direction {
            Direction::Upstream => &mut self.up,
            Direction::Downstream => &mut self.down,
        }
    }

    fn read(&mut self, direction: Direction, bytes: &[u8]) {
        if bytes.is_empty() || self.filter.is_lost() {
            return;
        }
        let mut all = std::mem::take(self.left(direction));
        all.extend_from_slice(bytes);
        let (mut steps, mut at) = (Vec::new(), 0);
        self.filter.on_bytes(direction, &all, &mut Onlooker, &mut steps);
        for step in steps {
            match step {
                Step::Pass(_, _, count) | Step::Skip(_, count) => at += count,
                Step::About(_, _, attribution) => self.tell(direction, &attribution, &all[at..]),
                _ => {}
            }
        }
        *self.left(direction) = all.split_off(at);
    }

    fn tell(&self, direction: Direction, attribution: &Attribution, head: &[u8]) {
        let Some(subject) = attribution.subject.as_deref() else { return };
        let response = (direction == Direction::Downstream).then(|| self.filter.words(head));
        let side = match self.side {
            ProxySide::Client => "client",
            ProxySide::Service => "service",
        };
        let (link, connection, up) = (&*self.link, self.connection, direction == Direction::Upstream);
        let arrival = attribution.arrival.map(tracing::field::display);
        // At the level trace, which costs next to nothing where nobody listens.
        tracing::trace!(target: WIRE, link, connection, side, up, subject, response, arrival);
    }
}

/// Decides nothing, and wants to know whose messages these are.
struct Onlooker;

impl Decide for Onlooker {
    fn is_armed(&self) -> bool {
        false
    }

    fn traces(&self) -> bool {
        true
    }

    fn draws(&self) -> bool {
        false
    }

    fn on_message(&mut self, _: &dyn Message) -> Decision {
        Decision::default()
    }
}

/// A stream that is read along.
struct Watched {
    stream: Stream,
    reader: Mutex<Reader>,
}

impl Watched {
    /// The direction of bytes that are read from here.
    fn read_direction(reader: &Reader) -> Direction {
        match reader.side {
            ProxySide::Client => Direction::Upstream,
            ProxySide::Service => Direction::Downstream,
        }
    }

    fn was_read(reader: &Mutex<Reader>, bytes: &[u8]) {
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let direction = Self::read_direction(&reader);
        reader.read(direction, bytes);
    }

    fn was_written<'b>(reader: &Mutex<Reader>, parts: impl Iterator<Item = &'b [u8]>, mut count: usize) {
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let direction = match Self::read_direction(&reader) {
            Direction::Upstream => Direction::Downstream,
            Direction::Downstream => Direction::Upstream,
        };
        for part in parts {
            let taken = part.len().min(count);
            reader.read(direction, &part[..taken]);
            count -= taken;
        }
    }
}

impl host::Connection for Watched {
    fn split(&mut self) -> Halves<'_> {
        let Self { stream, reader } = self;
        let (from, to) = stream.split();
        (Box::new(Half { inner: from, reader }), Box::new(Half { inner: to, reader }))
    }

    fn abort(self: Box<Self>) {
        self.stream.abort();
    }

    fn peer(&self) -> String {
        self.stream.peer()
    }

    fn unsent(&self) -> usize {
        self.stream.unsent()
    }
}

struct Half<'a, I> {
    inner: I,
    reader: &'a Mutex<Reader>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Half<'_, I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        Watched::was_read(self.reader, &buf.filled()[before..]);
        result
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Half<'_, I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = result {
            Watched::was_written(self.reader, std::iter::once(buf), count);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(count)) = result {
            Watched::was_written(self.reader, bufs.iter().map(|buf| &**buf), count);
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, reader } = self.get_mut();
        Pin::new(&mut Half { inner: stream, reader }).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, reader } = self.get_mut();
        Pin::new(&mut Half { inner: stream, reader }).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
