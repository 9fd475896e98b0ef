//! The host of a real machine: TCP sockets, the system's clock, tokio's tasks.

mod listener;
mod stream;
mod timer;

use crate::{Clock, Host, Listener, Network, Parts, Settings, Stream, TaskGroup};
use futures_util::future::BoxFuture;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a host on this machine is made of; the fields that `main` decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// The node's name.
    pub name: String,
    /// The address that listeners bind.
    pub bind: IpAddr,
    /// The seed of random streams.
    pub seed: u64,
    /// The program's settings.
    pub settings: Settings,
    /// Cancelled when the program is to stop.
    pub shutdown: CancellationToken,
}

impl Config {
    /// A host called `name` on loopback: no settings, seed 0.
    #[must_use]
    pub fn loopback(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            seed: 0,
            settings: Settings::default(),
            shutdown: CancellationToken::new(),
        }
    }
}

/// A host on this machine. Call it within a tokio runtime: its timer is driven by a task there.
///
/// # Errors
/// Where the machine gives no timer.
pub fn host(config: Config) -> io::Result<Host> {
    let tasks = TaskGroup::default();
    let clock = SystemClock { timer: timer::Timer::start(&tasks)? };
    Ok(Host::new(Parts {
        name: config.name,
        network: Arc::new(Tcp { bind: config.bind }),
        clock: Arc::new(clock),
        tasks,
        seed: config.seed,
        settings: config.settings,
        shutdown: config.shutdown,
    }))
}

struct Tcp {
    bind: IpAddr,
}

impl Network for Tcp {
    #[expect(clippy::disallowed_methods, reason = "this is where connections come from")]
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect((host, port)).await?;
            stream::TcpConnection::new(stream).map(Stream::new)
        })
    }

    fn listen(&self, port: u16) -> io::Result<Listener> {
        listener::TcpAccept::bind(SocketAddr::new(self.bind, port)).map(Listener::new)
    }
}

struct SystemClock {
    timer: timer::Timer,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where dates come from")]
    fn unix_now(&self) -> Duration {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        Box::pin(self.timer.sleep_until(deadline))
    }
}
