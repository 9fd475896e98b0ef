use crate::{Host, Stream};
use hyper_util::{
    client::legacy::{
        self,
        connect::{Connected, Connection},
    },
    rt::{TokioIo, TokioTimer},
};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

/// A pooling HTTP/1.1 client over the seam. Make one per upstream: a pool that is shared between hosts keeps its idle
/// connections in an order of its own, which a simulation could not repeat.
pub type Client<B> = legacy::Client<Connector, B>;

/// Configuration of a [`client`]'s pool of connections.
#[derive(Clone, Copy, Debug)]
pub struct ClientConfig {
    /// Idle connections are closed after this time. Keep it below the upstream's own.
    pub idle_timeout: Duration,
    /// Idle connections kept per upstream.
    pub max_idle: usize,
    /// The most header fields of a response; none for hyper's own bound of 100, which costs nothing.
    pub max_fields: Option<usize>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self { idle_timeout: Duration::from_secs(20), max_idle: 256, max_fields: None }
    }
}

/// A client that dials through `host`. It follows no redirects and knows no proxies; timeouts are the caller's.
#[must_use]
pub fn client<B>(host: &Host, config: ClientConfig) -> Client<B>
where
    B: hyper::body::Body + Send,
    B::Data: Send,
{
    let mut builder = legacy::Client::builder(host.clone());
    if let Some(most) = config.max_fields {
        builder.http1_max_headers(most);
    }
    builder
        // What a user agent has to read of a response, though no server should send it (RFC 9112, 5.1 and 5.2).
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(config.idle_timeout)
        .pool_max_idle_per_host(config.max_idle)
        // A retry is the caller's decision: it costs budget and has to be counted.
        .retry_canceled_requests(false)
        .build(Connector { host: host.clone() })
}

/// Dials for hyper.
#[derive(Clone)]
pub struct Connector {
    host: Host,
}

impl Service<hyper::Uri> for Connector {
    type Response = TokioIo<Transport>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: hyper::Uri) -> Self::Future {
        let host = self.host.clone();
        Box::pin(async move {
            let name =
                uri.host().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the URL names no host"))?;
            // An IPv6 address stands in brackets in a URL and without them everywhere else.
            let name = name.trim_start_matches('[').trim_end_matches(']');
            host.dial(name, uri.port_u16().unwrap_or(80)).await.map(|stream| TokioIo::new(Transport(stream)))
        })
    }
}

/// Reuse of a connection of a [`Client`]: tells whether it has carried a response before. Then the other side may have
/// been closing it just as the next request went out (the keep-alive race). Whoever gets a response says so; hyper
/// knows, and doesn't tell.
///
/// It is found among the extras of a captured connection ([`legacy::connect::capture_connection`]).
#[derive(Clone, Debug, Default)]
pub struct Reuse(Arc<AtomicBool>);

impl Reuse {
    /// A response came on this connection.
    pub fn answered(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True when a response came on this connection before.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that hyper can pool.
pub struct Transport(Stream);

impl Connection for Transport {
    fn connected(&self) -> Connected {
        Connected::new().extra(Reuse::default())
    }
}

impl AsyncRead for Transport {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
