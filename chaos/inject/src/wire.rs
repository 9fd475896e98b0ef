//! The trace of what passes on links, told as `tracing` events: one for the head of each message, on either side of the
//! proxy, so that a message which a fault holds is seen to come and not to go; and one for each injection, which its
//! ledger tells.
//!
//! It reads along beside the filters that faults act by, with filters of its own, so that whether anybody listens
//! changes nothing of what faults do. Where nobody listens to [`WIRE`] when a connection begins, nothing is read.

use crate::{
    filter::{Attribution, Command, Decide, Filter, HttpPlan, RedisPlan, Request, Step},
    interpreter::{Way, command_subject},
    protocols::filter_of,
};
use chaos_model::Protocol;
use host::{Halves, Stream};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tracing::Level;

/// The target of the events, which are at the level trace. Their fields: `link`, `connection` (its number on the link),
/// `side` (of the proxy: `client` or `service`), `up` (from the client to the service), `subject` (`GET /users/7`, `GET
/// profile:7`), `answer` (`200`, `nil`, `57 bytes`) where it is one, and `arrival`, the number of the client's request
/// that it is for, where it says so.
///
/// An injection, told when it begins, has `link`, `fault`, `attempt` and, where they are known, `connection`, `subject`
/// and
/// `arrival`.
pub const WIRE: &str = "chaos_inject::wire";

/// A longer error of Redis is cut.
const ERROR_BYTES: usize = 80;

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
    let reader =
        Reader { filter, up: Vec::new(), down: Vec::new(), protocol, link: Arc::clone(link), connection, side };
    Stream::new(Watched { stream, reader: Mutex::new(reader) })
}

struct Reader {
    filter: Box<dyn Filter>,
    /// Bytes that the filter has not used up.
    up: Vec<u8>,
    down: Vec<u8>,
    protocol: Protocol,
    link: Arc<str>,
    connection: u64,
    side: ProxySide,
}

impl Reader {
    fn left(&mut self, way: Way) -> &mut Vec<u8> {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    fn read(&mut self, way: Way, bytes: &[u8]) {
        if bytes.is_empty() || self.filter.is_lost() {
            return;
        }
        let mut all = std::mem::take(self.left(way));
        all.extend_from_slice(bytes);
        let (mut steps, mut at) = (Vec::new(), 0);
        self.filter.on_bytes(way, &all, &mut Onlooker, &mut steps);
        for step in steps {
            match step {
                Step::Pass(_, count) | Step::Skip(_, count) => at += count,
                Step::About(_, attribution) => self.tell(way, &attribution, &all[at..]),
                _ => {}
            }
        }
        *self.left(way) = all.split_off(at);
    }

    fn tell(&self, way: Way, attribution: &Attribution, head: &[u8]) {
        let Some(subject) = attribution.subject.as_deref() else { return };
        let answer =
            (way == Way::Down).then(|| if self.protocol == Protocol::HTTP { status(head) } else { reply(head) });
        let side = match self.side {
            ProxySide::Client => "client",
            ProxySide::Service => "service",
        };
        let (link, connection, up) = (&*self.link, self.connection, way == Way::Up);
        // At the level trace, which costs next to nothing where nobody listens.
        tracing::trace!(target: WIRE, link, connection, side, up, subject, answer, arrival = attribution.arrival);
    }
}

/// `200`, where the head's first line has come with its first bytes.
fn status(head: &[u8]) -> String {
    let word = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let known = word.len() == 3 && word.iter().all(u8::is_ascii_digit);
    if known { String::from_utf8_lossy(word).into_owned() } else { "an answer".to_owned() }
}

/// The words for a reply, by its first line: `nil`, `OK`, `57 bytes`, `3 elements`, `error: WRONGTYPE …`.
fn reply(head: &[u8]) -> String {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let Some((kind, rest)) = line.split_first() else { return "a reply".to_owned() };
    let rest = String::from_utf8_lossy(&rest[..rest.len().min(ERROR_BYTES)]);
    match kind {
        b'$' | b'*' if rest == "-1" => "nil".to_owned(),
        b'_' => "nil".to_owned(),
        b'$' => format!("{rest} bytes"),
        b'*' | b'~' | b'%' => format!("{rest} elements"),
        b'-' => format!("error: {rest}"),
        b'+' | b':' => rest.into_owned(),
        _ => "a reply".to_owned(),
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

    fn wants_body(&self) -> bool {
        false
    }

    fn on_request(&mut self, _: &Request<'_>) -> HttpPlan {
        HttpPlan::default()
    }

    fn on_command(&mut self, command: &Command<'_>) -> RedisPlan {
        let attribution = Attribution { subject: Some(command_subject(command).into()), arrival: None };
        RedisPlan { attribution, ..RedisPlan::default() }
    }
}

/// A stream that is read along.
struct Watched {
    stream: Stream,
    reader: Mutex<Reader>,
}

impl Watched {
    /// The direction of bytes that are read from here.
    fn read_way(reader: &Reader) -> Way {
        match reader.side {
            ProxySide::Client => Way::Up,
            ProxySide::Service => Way::Down,
        }
    }

    fn was_read(reader: &Mutex<Reader>, bytes: &[u8]) {
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let way = Self::read_way(&reader);
        reader.read(way, bytes);
    }

    fn was_written<'b>(reader: &Mutex<Reader>, parts: impl Iterator<Item = &'b [u8]>, mut count: usize) {
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let way = match Self::read_way(&reader) {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
        };
        for part in parts {
            let taken = part.len().min(count);
            reader.read(way, &part[..taken]);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_their_first_line() {
        assert_eq!(status(b"HTTP/1.1 503 Service Unavailable\r\n"), "503");
        assert_eq!(status(b"HTTP/1"), "an answer");
        for (bytes, told) in [
            (&b"$-1\r\n"[..], "nil"),
            (b"_\r\n", "nil"),
            (b"$57\r\n{", "57 bytes"),
            (b"*3\r\n", "3 elements"),
            (b"+OK\r\n", "OK"),
            (b":7\r\n", "7"),
            (b"-WRONGTYPE no\r\n", "error: WRONGTYPE no"),
            (b"", "a reply"),
        ] {
            assert_eq!(reply(bytes), told);
        }
    }
}
