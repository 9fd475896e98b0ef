use super::{server_stream::ServerStream, slots::Slots};
use crate::{Host, Listener};
use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

/// The other end of a request's connection ([`crate::Stream::peer`]): among the extensions of every request that
/// [`serve`] hands on.
#[derive(Clone, Debug)]
pub struct Peer(pub Arc<str>);

/// Limits of a server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// A connection whose request head isn't complete by then is closed. It also ends connections that idle for so long.
    pub header_timeout: Duration,
    /// A connection whose client takes nothing of what is written to it for so long is reset; zero: never.
    pub write_timeout: Duration,
    /// Counts connections that were reset for that.
    pub stalled: Option<prometheus::IntCounter>,
    /// A request's head (its line and headers, in bytes) that is longer gets a bare 431, and the connection is closed.
    pub head_limit: usize,
    /// A target with a fragment gets a bare 400 (RFC 9112, 3.2), and not the response to what is before its `#`. For servers
    /// that read no bodies: a line of one that looks like a request's is changed.
    pub refuse_fragments: bool,
    /// Connections that may be open at once; 0: any number. Further ones are reset at once, so that whoever connects
    /// can go elsewhere instead of waiting in a queue.
    pub max_connections: usize,
    /// Beyond [`ServerConfig::max_connections`], the connection that has been idle for longest and whose sender is not known
    /// ([`Trust`](super::Trust)) is ended in place of the new one.
    pub strangers_give_way: bool,
    /// Counts connections beyond [`ServerConfig::max_connections`].
    pub turned_away: Option<prometheus::IntCounter>,
    /// After the shutdown signal, the server goes on as before for this long, so that whoever sends clients can see
    /// that it is about to stop.
    pub drain_delay: Duration,
    /// After that, requests under way have this long to end.
    pub drain: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            stalled: None,
            head_limit: 64 << 10,
            refuse_fragments: false,
            max_connections: 0,
            strangers_give_way: false,
            turned_away: None,
            drain_delay: Duration::ZERO,
            drain: Duration::from_secs(10),
        }
    }
}

/// Serves HTTP/1.1 on `listener` until the host's shutdown signal (and for [`ServerConfig::drain_delay`] more), then
/// stops accepting, lets the requests under way end (at most [`ServerConfig::drain`]) and returns. Connections that are
/// open then are cut off, also where the server itself is dropped.
///
/// Responses carry no `Date`: hyper takes it from the wall clock, which would differ between two runs of one simulation
/// (RFC 9110, 6.6.1 lets a server without a reliable clock leave it out).
pub async fn serve<S, B>(host: &Host, mut listener: Listener, service: S, config: ServerConfig)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let graceful = GracefulShutdown::new();
    let end = CancellationToken::new();
    let _cut_off = end.clone().drop_guard();
    let slots = Slots::new(config.max_connections, config.strangers_give_way, end);
    let mut closing = pin!(async {
        host.shutdown().cancelled().await;
        if !config.drain_delay.is_zero() {
            host.sleep(config.drain_delay).await;
        }
    });
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut closing => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                // Out of descriptors or memory: connections under way will free some.
                tracing::warn!(%error, "can't accept");
                host.sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(slot) = slots.enter(host).await else {
            stream.abort();
            config.turned_away.iter().for_each(prometheus::IntCounter::inc);
            continue;
        };
        let (peer, visit) = (Peer(stream.peer().into()), slot.visit());
        let stream = ServerStream::new(stream, config.write_timeout, config.stalled.clone())
            .refusing_fragments(config.refuse_fragments);
        let service = TowerToHyperService::new(service.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            if let Some(visit) = &visit {
                request.extensions_mut().insert(visit.begin());
            }
            service.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(config.header_timeout)
            .max_header_size(config.head_limit)
            .auto_date_header(false)
            .serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        drop(host.spawn(slot.end().run_until_cancelled_owned(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(slot);
        })));
    }
    drop(listener);
    tokio::select! {
        biased;
        () = graceful.shutdown() => {}
        () = host.sleep(config.drain) => tracing::warn!("requests were still under way at the end of the drain"),
    }
}
