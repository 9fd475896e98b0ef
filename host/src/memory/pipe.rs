//! A connection in memory: two pipes of bounded bytes, which end as TCP does, in good order or with a reset.

use crate::{Connection, Stream, stream::Halves};
use bytes::{Buf as _, BytesMut};
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that one direction holds before its writer has to wait: about what a socket on loopback takes.
const CAPACITY: usize = 64 * 1024;

/// Both ends of a new connection: the client's and the server's.
pub(super) fn connection(client: &str, server: &str) -> (Stream, Stream) {
    let (up, down) = (Arc::new(Pipe::default()), Arc::new(Pipe::default()));
    let end = |read: &Arc<Pipe>, write: &Arc<Pipe>, peer: &str| {
        let (read, write) = (Reader(Arc::clone(read)), Writer(Arc::clone(write)));
        Stream::new(MemoryConnection { read, write, peer: peer.to_owned() })
    };
    (end(&down, &up, server), end(&up, &down, client))
}

/// One direction.
#[derive(Default)]
struct Pipe(Mutex<State>);

#[derive(Default)]
struct State {
    bytes: BytesMut,
    /// The writer has said its last: the reader gets the end once the bytes are read.
    finished: bool,
    /// The reader has gone: what is written now reaches nobody.
    deserted: bool,
    /// The connection was reset: what had arrived can still be read, then both sides fail. As on Linux.
    reset: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state);
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
        result
    }

    fn reset(&self) {
        self.change(|state| state.reset = true);
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
        self.read.0.reset();
        self.write.0.reset();
    }

    fn peer(&self) -> String {
        self.peer.clone()
    }
}

impl Drop for MemoryConnection {
    fn drop(&mut self) {
        // TCP answers with a reset where bytes are left unread (RFC 1122, 4.2.2.13).
        let reset = self.read.0.change(|state| {
            state.deserted = true;
            state.reset |= !state.bytes.is_empty();
            // Nobody reads them any more.
            state.bytes = BytesMut::new();
            state.reset
        });
        self.write.0.change(|state| {
            state.reset |= reset;
            state.finished |= !state.reset;
        });
    }
}

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if state.finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.deserted {
            // The first write goes out; the reset that answers it is what later ones meet.
            state.finished = true;
            return Poll::Ready(Ok(buf.len()));
        }
        let count = buf.len().min(CAPACITY - state.bytes.len());
        if count == 0 && !buf.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
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
        self.0.change(|state| state.finished = true);
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
