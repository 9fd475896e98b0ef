//! Parts of a host that count what is asked of them.

use futures_util::future::BoxFuture;
use host::{Clock, Connection, Halves, Host, Listener, Network, Stream};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// The network as another host sees it.
pub(crate) struct Through(pub(crate) Host);

impl Network for Through {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(self.0.dial(host, port))
    }

    fn listen(&self, port: u16) -> io::Result<Listener> {
        self.0.listen(port)
    }
}

/// Counts who sleeps.
pub(crate) struct CountingClock(pub(crate) Arc<AtomicUsize>);

impl Clock for CountingClock {
    fn unix_now(&self) -> Duration {
        host::memory::EPOCH
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(tokio::time::sleep_until(deadline))
    }
}

/// Counts the writes of all connections that it accepts.
pub(crate) struct CountingAccept {
    pub(crate) inner: Listener,
    pub(crate) writes: Arc<AtomicUsize>,
}

impl host::Accept for CountingAccept {
    fn accept(&mut self) -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send + '_>> {
        Box::pin(async {
            let inner = self.inner.accept().await?;
            Ok(Stream::new(Counting { inner, writes: Arc::clone(&self.writes) }))
        })
    }

    fn port(&self) -> u16 {
        self.inner.port()
    }

    fn control(&self) -> Arc<dyn host::ListenSwitch> {
        self.inner.control()
    }
}

/// Counts writes.
struct Counting {
    inner: Stream,
    writes: Arc<AtomicUsize>,
}

impl Connection for Counting {
    fn split(&mut self) -> Halves<'_> {
        self.inner.split()
    }

    fn abort(self: Box<Self>) {
        self.inner.abort();
    }

    fn peer(&self) -> String {
        self.inner.peer()
    }
}

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
