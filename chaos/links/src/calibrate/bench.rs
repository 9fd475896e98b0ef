//! A client, a proxy and an echoing service on loopback, and what is measured between them.

use chaos_inject::{Message, Proxy, ProxyConfig};
use chaos_model::{Effect, Endpoint, Fault, Link, Protocol, Target, calibration::Quantiles};
use futures_util::future::try_join_all;
use host::{Host, Stream, Task};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

/// The reason that nothing can be said of this machine.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The machine refused something.
    #[error("{0}")]
    Machine(#[from] io::Error),
    /// The proxy refused a fault.
    #[error("the proxy refused a fault: {0}")]
    Refused(String),
}

/// Connections that requests are spread over.
const CONNECTIONS: usize = 10;

/// Time from one request to the next.
const INTERVAL: Duration = Duration::from_millis(1);

pub(super) struct Bench {
    host: Host,
    proxy: Proxy,
    service: u16,
    echoing: Task<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.echoing.abort();
    }
}

impl Bench {
    pub(super) fn start(host: &Host) -> Result<Self, Failed> {
        let mut listener = host.listen(0)?;
        let (service, serving) = (listener.port(), host.clone());
        let echoing = host.spawn(async move {
            while let Ok(stream) = listener.accept().await {
                drop(serving.spawn(echo(stream)));
            }
        });
        let proxy = Proxy::start(
            host,
            host.listen(0)?,
            ProxyConfig {
                link: link(),
                protocol: Protocol::TCP,
                seed: host.seed(),
                nonce: None,
                most_connections: None,
            },
        );
        proxy.point_at("127.0.0.1", service);
        Ok(Self { host: host.clone(), proxy, service, echoing })
    }

    /// Port of the service itself.
    pub(super) fn direct(&self) -> u16 {
        self.service
    }

    /// Port of the proxy.
    pub(super) fn through(&self) -> u16 {
        self.proxy.port()
    }

    /// Does something while the proxy's link has this fault.
    pub(super) async fn under<T>(
        &self,
        effect: Effect,
        body: impl Future<Output = Result<T, Failed>>,
    ) -> Result<T, Failed> {
        let fault = Fault::new("calibration", Target::Link(link()), effect);
        if let Err(why) = self.proxy.send(Message::Apply(Box::new(fault))).await.applied() {
            return Err(Failed::Refused(why));
        }
        let result = body.await;
        self.proxy.send(Message::Clear).await;
        result
    }

    /// So many requests, open-loop: how long until their responses, from when each was sent.
    pub(super) async fn round_trips(&self, port: u16, requests: usize) -> Result<Quantiles, Failed> {
        let each = requests.div_ceil(CONNECTIONS);
        let began = Instant::now() + Duration::from_millis(5);
        let connections = (0..CONNECTIONS).map(async |nth| {
            let stream = self.host.dial("127.0.0.1", port).await?;
            let offset = INTERVAL * u32::try_from(nth).unwrap_or(0);
            // A task of its own, as each client is.
            let host = self.host.clone();
            let task = self.host.spawn(async move { requests_on(&host, stream, began + offset, each).await });
            task.await.map_err(io::Error::other)?
        });
        let mut all: Vec<Duration> = try_join_all(connections).await?.into_iter().flatten().collect();
        all.sort_unstable();
        let quantile = |percent: usize| all.get((all.len() * percent / 100).min(all.len() - 1)).copied();
        Ok(Quantiles { p50: quantile(50).unwrap_or_default(), p99: quantile(99).unwrap_or_default() })
    }

    /// Time that so many bytes take to come back.
    pub(super) async fn transfer(&self, length: usize) -> Result<Duration, Failed> {
        let mut stream = self.host.dial("127.0.0.1", self.through()).await?;
        let bytes = vec![7; length];
        let mut back = vec![0; length];
        let (mut read, mut write) = stream.split();
        let began = Instant::now();
        tokio::try_join!(write.write_all(&bytes), read.read_exact(&mut back))?;
        Ok(began.elapsed())
    }
}

/// So many requests on one connection, the first one at `began`.
async fn requests_on(host: &Host, mut stream: Stream, began: Instant, count: usize) -> io::Result<Vec<Duration>> {
    let (mut read, mut write) = stream.split();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let send = async {
        for nth in 0..count {
            let every = INTERVAL * u32::try_from(CONNECTIONS * nth).unwrap_or(u32::MAX);
            host.sleep_until(began + every).await;
            // The receiver lives until all have come.
            let _ = tell.send(Instant::now());
            write.write_all(&[7; 16]).await?;
        }
        Ok::<_, io::Error>(())
    };
    let receive = async {
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            read.read_exact(&mut [0; 16]).await?;
            let now = Instant::now();
            if let Some(sent) = told.recv().await {
                times.push(now.saturating_duration_since(sent));
            }
        }
        Ok::<_, io::Error>(times)
    };
    let ((), times) = tokio::try_join!(send, receive)?;
    Ok(times)
}

async fn echo(mut stream: Stream) {
    let (mut read, mut write) = stream.split();
    // Until the client goes, however it goes.
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

pub(super) fn link() -> Link {
    Link { from: Endpoint::Client, to: "calibration".to_owned(), label: None }
}
