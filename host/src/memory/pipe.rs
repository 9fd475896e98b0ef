//! A connection in memory: two pipes of bounded bytes, which end as TCP does, in good order or with a reset.

use super::wire::{Sent, Wire, resend};
use crate::{Connection, Stream, stream::Halves};
use bytes::{Buf as _, Bytes, BytesMut};
use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    task::{Context, Poll, Waker},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// Bytes that one direction holds before its writer has to wait: about what a socket on loopback takes.
const CAPACITY: usize = 64 * 1024;

/// Parcels that go from one end to the other.
pub(super) enum Parcel {
    Bytes(Bytes),
    /// The end of the stream: a FIN.
    End,
    /// A RST.
    Reset,
}

/// Both ends of a new connection: the client's and the server's. `up` is the way to the server.
pub(super) fn connection(client: &str, server: &str, [up, down]: [&Arc<Wire>; 2]) -> (Stream, Stream) {
    let (up, down) = (Pipe::new(up), Pipe::new(down));
    let _ = up.back.set(Arc::downgrade(&down));
    let _ = down.back.set(Arc::downgrade(&up));
    let end = |read: &Arc<Pipe>, write: &Arc<Pipe>, peer: &str| {
        let (read, write) = (Reader(Arc::clone(read)), Writer(Arc::clone(write)));
        Stream::new(MemoryConnection { read, write, peer: peer.to_owned() })
    };
    (end(&down, &up, server), end(&up, &down, client))
}

/// One direction.
pub(super) struct Pipe {
    state: Mutex<State>,
    wire: Arc<Wire>,
    /// The other direction.
    back: OnceLock<Weak<Pipe>>,
}

#[derive(Default)]
struct State {
    /// Bytes that have arrived.
    bytes: BytesMut,
    /// Number of bytes that have not arrived.
    under_way: usize,
    /// Parcels that were lost, in order, and since when: they are sent again.
    lost: VecDeque<Parcel>,
    lost_since: Option<Instant>,
    /// Nothing arrives before what was sent before it.
    last: Option<Instant>,
    /// The writer has said its last.
    ended: bool,
    /// So the reader knows: it gets the end once the bytes are read.
    finished: bool,
    /// The reader has gone: what is written now reaches nobody.
    deserted: bool,
    /// The connection was reset: what had arrived can still be read, then both sides fail. As on Linux.
    reset: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn new(wire: &Arc<Wire>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), wire: Arc::clone(wire), back: OnceLock::new() })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = change(&mut state);
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
        result
    }

    fn back(&self) -> Option<Arc<Self>> {
        self.back.get().and_then(Weak::upgrade)
    }

    /// True where what is sent now is there at once, and nothing is before it.
    fn is_direct(&self, state: &State) -> bool {
        self.wire.is_ideal() && state.under_way == 0 && state.lost.is_empty() && state.last.is_none()
    }

    /// Sends what isn't there at once.
    fn send(self: &Arc<Self>, state: &mut State, parcel: Parcel) {
        let bytes = match &parcel {
            Parcel::Bytes(bytes) => bytes.len(),
            Parcel::End | Parcel::Reset => 0,
        };
        state.under_way += bytes;
        match self.wire.send(bytes) {
            // What is lost before it has to come first.
            Sent::Arrives(at) if state.lost.is_empty() => self.hand_over(state, at, parcel),
            Sent::Arrives(_) | Sent::Lost if matches!(parcel, Parcel::Reset) => {}
            Sent::Arrives(_) | Sent::Lost => {
                if state.lost_since.is_none() {
                    state.lost_since = Some(Instant::now());
                    self.wire.remember(self);
                }
                state.lost.push_back(parcel);
            }
        }
    }

    fn hand_over(self: &Arc<Self>, state: &mut State, at: Instant, parcel: Parcel) {
        let at = state.last.map_or(at, |last| last.max(at));
        state.last = Some(at);
        self.wire.postman().take(at, self, parcel);
    }

    /// The wire carries again: what was lost goes once more, when TCP would send it.
    pub(super) fn send_again(self: &Arc<Self>) {
        let mut state = self.state();
        let Some(since) = state.lost_since.take() else { return };
        let at = resend(since, Instant::now()) + self.wire.conditions().latency;
        for parcel in std::mem::take(&mut state.lost) {
            self.hand_over(&mut state, at, parcel);
        }
    }

    /// Something has come to the reader's end.
    pub(super) fn arrived(self: &Arc<Self>, parcel: Parcel) {
        let is_last = |state: &mut State| {
            if state.last.is_some_and(|last| last <= Instant::now()) && state.under_way == 0 {
                state.last = None;
            }
        };
        match parcel {
            Parcel::Bytes(bytes) => {
                let nobody = self.change(|state| {
                    state.under_way -= bytes.len();
                    is_last(state);
                    if !state.deserted {
                        state.bytes.extend_from_slice(&bytes);
                    }
                    state.deserted
                });
                // Whoever has no such connection answers with a reset (RFC 9293, 3.10.7.1).
                if nobody && let Some(back) = self.back() {
                    back.reset();
                }
            }
            Parcel::End => self.change(|state| {
                state.finished |= !state.reset;
                is_last(state);
            }),
            Parcel::Reset => {
                self.change(|state| state.reset = true);
                if let Some(back) = self.back() {
                    back.change(|state| state.reset = true);
                }
            }
        }
    }

    /// The writer's end says that this is the end.
    fn end(self: &Arc<Self>) {
        let mut state = self.state();
        if state.ended || state.reset {
            return;
        }
        state.ended = true;
        if !self.is_direct(&state) {
            return self.send(&mut state, Parcel::End);
        }
        drop(state);
        self.change(|state| state.finished = true);
    }

    /// The writer's end resets the connection: nothing that it has not sent yet will go.
    fn reset(self: &Arc<Self>) {
        let mut state = self.state();
        state.ended = true;
        if !self.is_direct(&state) {
            let lost = std::mem::take(&mut state.lost);
            for parcel in lost {
                if let Parcel::Bytes(bytes) = parcel {
                    state.under_way -= bytes.len();
                }
            }
            state.lost_since = None;
            return self.send(&mut state, Parcel::Reset);
        }
        drop(state);
        self.change(|state| state.reset = true);
        if let Some(back) = self.back() {
            back.change(|state| state.reset = true);
        }
    }

    /// Nobody reads any more. True if that makes a reset: bytes are left unread (RFC 1122, 4.2.2.13).
    fn desert(&self) -> bool {
        self.change(|state| {
            state.deserted = true;
            let unread = !std::mem::take(&mut state.bytes).is_empty();
            unread || state.reset
        })
    }
}

struct Reader(Arc<Pipe>);
struct Writer(Arc<Pipe>);

struct MemoryConnection {
    read: Reader,
    write: Writer,
    peer: String,
}

impl Connection for MemoryConnection {
    fn split(&mut self) -> Halves<'_> {
        (Box::new(&mut self.read), Box::new(&mut self.write))
    }

    fn abort(self: Box<Self>) {
        self.read.0.desert();
        self.write.0.reset();
    }

    fn peer(&self) -> String {
        self.peer.clone()
    }

    fn unsent(&self) -> usize {
        self.write.0.state().under_way
    }
}

impl Drop for MemoryConnection {
    fn drop(&mut self) {
        if self.read.0.desert() {
            self.write.0.reset();
        } else {
            self.write.0.end();
        }
    }
}

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state();
        if state.bytes.is_empty() && !state.finished {
            if state.reset {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = state.bytes.len().min(buf.remaining());
        buf.put_slice(&state.bytes[..count]);
        state.bytes.advance(count);
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.state();
        if state.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if state.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let direct = self.0.is_direct(&state);
        if state.deserted && direct {
            // The first write goes out; the reset that answers it is what later ones meet.
            state.ended = true;
            drop(state);
            // Who was told of no end, since what told of it was lost, hears of it now.
            if let Some(back) = self.0.back()
                && !back.state().finished
            {
                back.reset();
            }
            return Poll::Ready(Ok(buf.len()));
        }
        let count = buf.len().min(CAPACITY.saturating_sub(state.bytes.len() + state.under_way));
        if count == 0 && !buf.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if !direct {
            self.0.send(&mut state, Parcel::Bytes(Bytes::copy_from_slice(&buf[..count])));
            return Poll::Ready(Ok(count));
        }
        state.bytes.extend_from_slice(&buf[..count]);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.end();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for MemoryConnection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl AsyncWrite for MemoryConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}
