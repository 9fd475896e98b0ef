//! The host of a real machine: TCP sockets, the system's clock, tokio's tasks.

mod cgroup;
mod descriptors;
mod listener;
mod pressure;
mod stream;
mod timer;

pub use descriptors::{is_exhaustion, most_descriptors, open_as_many_as_allowed};

use crate::{Clock, Host, Listener, Network, Parts, Settings, Stream, TaskGroup};
use descriptors::Allowance;
use futures_util::future::BoxFuture;
use prometheus::process_collector::ProcessCollector;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, time::Instant};
use tokio_util::sync::CancellationToken;

/// Configuration of a host on this machine; the fields that `main` decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// The host's name.
    pub name: String,
    /// The address that listeners bind.
    pub bind: IpAddr,
    /// The seed of random streams.
    pub seed: u64,
    /// The program's settings.
    pub settings: Settings,
    /// Cancelled when the program is to stop.
    pub shutdown: CancellationToken,
    /// Descriptors of the process that this host leaves to others: connections that would take one of the last so many are
    /// neither made nor taken. 0: it may take all.
    pub reserve: u64,
}

impl Config {
    /// A host called `name` on loopback: no settings, seed 0, no reserve.
    #[must_use]
    pub fn loopback(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            seed: 0,
            settings: Settings::default(),
            shutdown: CancellationToken::new(),
            reserve: 0,
        }
    }
}

/// A host on this machine. Call it within a tokio runtime: its timer is driven by a task there.
///
/// # Errors
/// Where the machine gives no timer.
pub fn host(config: Config) -> io::Result<Host> {
    node(config).map(|(host, _)| host)
}

/// A host as [`host`] makes it, with the group of its tasks, so that they can be crashed or frozen.
///
/// # Errors
/// Where the machine gives no timer.
pub fn node(config: Config) -> io::Result<(Host, TaskGroup)> {
    let tasks = TaskGroup::default();
    // The timer is the machine's, so to speak: it runs on while the host's own tasks are frozen or gone.
    let clock = SystemClock { timer: timer::Timer::start(&TaskGroup::default())? };
    let host = Host::new(Parts {
        name: config.name,
        network: Arc::new(Tcp { bind: config.bind, allowance: Allowance::but_for(config.reserve) }),
        clock: Arc::new(clock),
        tasks: tasks.clone(),
        seed: config.seed,
        entropy,
        memory_limit: cgroup::memory_limit(|path| std::fs::read_to_string(path).ok()),
        settings: config.settings,
        shutdown: config.shutdown,
    });
    // A host on a real machine is a process: its memory, descriptors and processor time belong to what it shows.
    let process = ProcessCollector::for_self();
    host.metrics().register(Box::new(process)).map_err(io::Error::other)?;
    Ok((host, tasks))
}

/// The kernel's.
fn entropy(_: u64) -> io::Result<u64> {
    let mut bytes = [0; 8];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

struct Tcp {
    bind: IpAddr,
    allowance: Allowance,
}

impl Network for Tcp {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            let stream = not_oneself(connect(host, port).await?)?;
            if !self.allowance.has(&stream) {
                // As if the kernel had none left.
                return Err(io::Error::from_raw_os_error(libc::EMFILE));
            }
            stream::TcpConnection::new(stream).map(Stream::new)
        })
    }

    fn listen(&self, port: u16) -> io::Result<Listener> {
        listener::TcpAccept::bind(SocketAddr::new(self.bind, port), self.allowance).map(Listener::new)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where connections come from")]
async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    if host != "localhost" {
        return TcpStream::connect((host, port)).await;
    }
    // Loopback by definition (RFC 6761, 6.3), whatever the resolver knows of it, and without its detour through a
    // thread.
    match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        Ok(stream) => Ok(stream),
        // What IPv4 said counts: IPv6 may just be absent.
        Err(error) => TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.map_err(|_| error),
    }
}

/// Refuses a connection to oneself. Where nobody listens, the kernel may choose that very port for our end: TCP then
/// connects the socket to itself. Nobody listening is a refusal.
fn not_oneself(stream: TcpStream) -> io::Result<TcpStream> {
    // A connection that was reset meanwhile has no peer: its reader will hear of that.
    if stream.peer_addr().is_ok_and(|peer| stream.local_addr().is_ok_and(|local| local == peer)) {
        stream.set_zero_linger()?;
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

struct SystemClock {
    timer: timer::Timer,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where dates come from")]
    fn unix_now(&self) -> Duration {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }

    fn cpu_stalled(&self) -> Option<Duration> {
        // Not there on kernels without pressure stall information, or where it is switched off.
        pressure::stalled(&std::fs::read_to_string("/proc/pressure/cpu").ok()?)
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        Box::pin(self.timer.sleep_until(deadline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_met_itself_is_refused() {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        socket.connect(&socket.local_addr().unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(socket.into()).unwrap();
        assert_eq!(not_oneself(stream).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
