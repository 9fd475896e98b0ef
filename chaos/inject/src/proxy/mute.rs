//! A service that is reached and leaves before a word has passed, as a forwarder does before one that is dead (a container's
//! published port, a balancer without backends): while filters may answer in its place, it is there as little as one that
//! refuses.

use crate::ending::Ending;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The words between the proxy and a service since that was reached.
#[derive(Debug, Default)]
pub(super) struct Acquaintance {
    /// Something was said, by either side; or that nothing will be.
    is_made: bool,
    /// It has left before that.
    left: Option<Ending>,
}

impl Acquaintance {
    /// The way in which the service left without a word, where that was to be kept from the client.
    pub(super) fn left(&self) -> Option<Ending> {
        self.left
    }

    /// The service's side to read from. Where `is_stood_in_for`, its end is kept here unless something was said before.
    pub(super) fn hears<'a, R>(&'a mut self, from: &'a mut R, is_stood_in_for: bool) -> Hearing<'a, R> {
        Hearing { from, acquaintance: self, is_stood_in_for }
    }

    /// The service's side to write to.
    pub(super) fn tells<'a, W>(&'a mut self, to: &'a mut W) -> Telling<'a, W> {
        Telling { to, acquaintance: self }
    }
}

/// Reads what the service says.
pub(super) struct Hearing<'a, R> {
    from: &'a mut R,
    acquaintance: &'a mut Acquaintance,
    is_stood_in_for: bool,
}

impl<R: AsyncRead + Unpin> AsyncRead for Hearing<'_, R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { from, acquaintance, is_stood_in_for } = self.get_mut();
        let before = buf.filled().len();
        let result = std::task::ready!(Pin::new(from).poll_read(cx, buf));
        if buf.filled().len() > before {
            acquaintance.is_made = true;
        } else if *is_stood_in_for && !acquaintance.is_made {
            acquaintance.left = Some(if result.is_ok() { Ending::Close } else { Ending::Reset });
            // Whoever polls looks at that before it waits.
            return Poll::Pending;
        }
        Poll::Ready(result)
    }
}

/// Writes what the service is told.
pub(super) struct Telling<'a, W> {
    to: &'a mut W,
    acquaintance: &'a mut Acquaintance,
}

impl<W> Telling<'_, W> {
    fn told<T>(&mut self, result: Poll<T>) -> Poll<T> {
        // It also was where that failed: it was something for the service.
        self.acquaintance.is_made |= result.is_ready();
        result
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Telling<'_, W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut *self.to).poll_write(cx, buf);
        self.told(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut *self.to).poll_write_vectored(cx, bufs);
        self.told(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.to.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.to).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut *self.to).poll_shutdown(cx);
        self.told(result)
    }
}
