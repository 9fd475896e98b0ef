use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The two directions of a stream, borrowed: both can be driven at once, and the stream is whole again afterwards.
pub type Halves<'a> = (Box<dyn AsyncRead + Send + Unpin + 'a>, Box<dyn AsyncWrite + Send + Unpin + 'a>);

/// Connection of a network, from its inside.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {
    /// Both directions, borrowed.
    fn split(&mut self) -> Halves<'_>;

    /// Ends the connection with a reset: the peer's next read (after what had already arrived) or write fails with
    /// `ConnectionReset`, and nothing that was still on its way arrives.
    fn abort(self: Box<Self>);

    /// Address of the other end, for log lines and limits per client.
    fn peer(&self) -> String;

    /// Bytes that were written and are not known to have arrived at the other end's machine: what a reset would throw
    /// away. 0 where it throws nothing away.
    fn unsent(&self) -> usize {
        0
    }

    /// Asks the machine to keep no more than about so many of the bytes that the other end has no room for yet: a writer
    /// then waits the sooner. No effect where it keeps few as it is.
    fn limit_unsent(&self, _bytes: u32) {}
}

/// A connection. Dropping it closes it in good order (FIN); [`Stream::abort`] resets it (RST).
pub struct Stream(Box<dyn Connection>);

impl Stream {
    /// Wraps what a network made.
    pub fn new(connection: impl Connection + 'static) -> Self {
        Self(Box::new(connection))
    }

    /// Both directions, borrowed. For whoever pumps both and may then have to [`abort`](Self::abort).
    pub fn split(&mut self) -> Halves<'_> {
        self.0.split()
    }

    /// Resets the connection: on TCP a real RST (linger 0, then both halves dropped together, since dropping a write
    /// half alone would send FIN).
    pub fn abort(self) {
        self.0.abort();
    }

    /// Address of the other end.
    #[must_use]
    pub fn peer(&self) -> String {
        self.0.peer()
    }

    /// Bytes that were written and that a reset would throw away: those that are not known to have arrived at the other
    /// end's machine.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.0.unsent()
    }

    /// Lets the machine keep no more than about so many of the bytes that the other end has no room for yet.
    pub fn limit_unsent(&self, bytes: u32) {
        self.0.limit_unsent(bytes);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.peer())
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
