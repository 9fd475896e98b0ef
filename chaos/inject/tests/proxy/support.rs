//! The parts that tests of the proxy share: a client, a proxy and an echoing service, over TCP or in memory. The tests
//! of the world
//! `docker` use this and the conformance tests too, with the service in a container.

use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::effect::{Latency, Refuse};
use chaos_model::{
    Directions, Distribution, Effect, Endpoint, Fault, Injection, Link, Nonce, OpenConnections, Protocol, Spread,
    Target, event::Fired, ledger::Removed,
};
use host::{Host, Listener, Settings, Stream, TaskGroup, memory::MemoryNetwork, tcp};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

/// Makes tests of these bodies, in memory on the paused clock and over TCP.
macro_rules! conformance {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                let world = crate::support::World::memory();
                let test = super::$name(&world);
                tokio::time::timeout(crate::support::TOO_LONG[1], test).await.expect("the test hangs");
            })*
        }
        mod tcp {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let world = crate::support::World::tcp();
                let test = super::$name(&world);
                tokio::time::timeout(crate::support::TOO_LONG[0], test).await.expect("the test hangs");
            })*
        }
    };
}

/// No test needs this long: real time over TCP, and in memory virtual time, of which some tests let hours pass.
pub(crate) const TOO_LONG: [Duration; 2] = [Duration::from_secs(300), Duration::from_secs(30 * 24 * 3600)];

/// The nonce that proxies believe.
pub(crate) const NONCE: Nonce = Nonce(0xab);
pub(crate) const MS: Duration = Duration::from_millis(1);

/// Three machines and how to wait on them.
pub(crate) struct World {
    pub(crate) client: Host,
    pub(crate) proxy: Host,
    /// The tasks on the proxy's machine.
    pub(crate) tasks: TaskGroup,
    pub(crate) service: Host,
    /// Names by which the client calls the proxy's machine, and the proxy the service's.
    pub(crate) names: (String, String),
    /// Time in which nothing must happen to say that nothing happens.
    pub(crate) patience: Duration,
}

impl World {
    pub(crate) fn memory() -> Self {
        let network = MemoryNetwork::new(1);
        let (proxy, tasks) = network.node("proxy", Settings::default());
        let (client, service) = (network.host("client"), network.host("service"));
        let names = ("proxy".to_owned(), "service".to_owned());
        Self { client, proxy, tasks, service, names, patience: Duration::from_secs(3600) }
    }

    pub(crate) fn tcp() -> Self {
        let service = |name| tcp::node(tcp::Config::loopback(name)).expect("a timer");
        let ((client, _), (proxy, tasks), (service, _)) = (service("client"), service("proxy"), service("service"));
        let here = "127.0.0.1".to_owned();
        Self { client, proxy, tasks, service, names: (here.clone(), here), patience: 100 * MS }
    }

    /// A proxy that doesn't know its service yet.
    pub(crate) fn lone_proxy(&self) -> Proxy {
        self.proxy_of(Protocol::TCP)
    }

    /// A proxy before a service that speaks this, and that it doesn't know yet.
    pub(crate) fn proxy_of(&self, protocol: Protocol) -> Proxy {
        self.seeded_proxy_of(protocol, 7)
    }

    /// The same, with another seed than the other tests'.
    pub(crate) fn seeded_proxy_of(&self, protocol: Protocol, seed: u64) -> Proxy {
        self.start(ProxyConfig { link: link(), protocol, seed, nonce: Some(NONCE), most_connections: None })
    }

    /// A proxy before an echoing service, with so many connections at most.
    pub(crate) fn bounded_proxy(&self, most: usize) -> Proxy {
        let protocol = Protocol::TCP;
        let config = ProxyConfig { link: link(), protocol, seed: 7, nonce: Some(NONCE), most_connections: Some(most) };
        let proxy = self.start(config);
        proxy.point_at(self.service_name(), self.echo());
        proxy
    }

    fn start(&self, config: ProxyConfig) -> Proxy {
        Proxy::start(&self.proxy, self.proxy.listen(0).expect("a port"), config)
    }

    /// A proxy before an echoing service.
    pub(crate) fn proxy(&self) -> Proxy {
        let proxy = self.lone_proxy();
        proxy.point_at(self.service_name(), self.echo());
        proxy
    }

    pub(crate) fn service_name(&self) -> &str {
        &self.names.1
    }

    /// Starts a service that sends back what it gets; its port.
    pub(crate) fn echo(&self) -> u16 {
        let mut listener = self.service.listen(0).expect("a port");
        let (port, service) = (listener.port(), self.service.clone());
        drop(self.service.spawn(async move {
            while let Ok(stream) = listener.accept().await {
                drop(service.spawn(echo(stream)));
            }
        }));
        port
    }

    /// A proxy, and both ends of a connection through it that has been used: the client's and the service's.
    pub(crate) async fn pair(&self) -> (Proxy, Pair) {
        let proxy = self.lone_proxy();
        let mut listener = self.service.listen(0).expect("a port");
        proxy.point_at(self.service_name(), listener.port());
        let (mut client, mut served) = self.connect(&proxy, &mut listener).await;
        pass(&mut client, &mut served, b"hello").await;
        pass(&mut served, &mut client, b"and hello").await;
        (proxy, Pair { client, served, listener })
    }

    /// Both ends of a new connection through a proxy.
    pub(crate) async fn connect(&self, proxy: &Proxy, listener: &mut Listener) -> (Stream, Stream) {
        let client = self.dial(proxy).await.expect("a connection");
        (client, listener.accept().await.expect("a connection"))
    }

    pub(crate) async fn dial(&self, proxy: &Proxy) -> io::Result<Stream> {
        self.client.dial(&self.names.0, proxy.port()).await
    }

    /// A connection through the proxy that has been used.
    pub(crate) async fn open(&self, proxy: &Proxy) -> Stream {
        let mut stream = self.dial(proxy).await.expect("a connection");
        ask(&mut stream, b"hello").await.expect("a response");
        stream
    }

    /// Connects, and asserts that the connection is reset. Over TCP that may show while it is being made.
    pub(crate) async fn assert_reset_on_dial(&self, proxy: &Proxy) {
        match self.dial(proxy).await {
            Ok(mut stream) => assert_reset(&mut stream).await,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }

    /// Asserts that the connection neither closes nor answers.
    pub(crate) async fn assert_silent(&self, stream: &mut Stream) {
        self.assert_silent_for(stream, self.patience).await;
    }

    /// The same, for a time.
    pub(crate) async fn assert_silent_for(&self, stream: &mut Stream, time: Duration) {
        let read = timeout(time, stream.read(&mut [0])).await;
        assert!(read.is_err(), "expected silence, got {read:?}");
    }

    /// Waits until so many connections are open.
    pub(crate) async fn await_connections(&self, proxy: &Proxy, count: usize) {
        for _ in 0..2000 {
            if proxy.connections() == count {
                return;
            }
            self.client.sleep(MS).await;
        }
        panic!("{} connections are open, not {count}", proxy.connections());
    }

    /// Waits until so many tasks run on the proxy's machine.
    pub(crate) async fn await_tasks(&self, count: usize) {
        for _ in 0..2000 {
            if self.tasks.running() == count {
                return;
            }
            self.client.sleep(MS).await;
        }
        panic!("{} tasks run, not {count}", self.tasks.running());
    }
}

/// Both ends of a connection through a proxy.
pub(crate) struct Pair {
    pub(crate) client: Stream,
    pub(crate) served: Stream,
    pub(crate) listener: Listener,
}

/// Sends bytes from one end to the other.
pub(crate) async fn pass(from: &mut Stream, to: &mut Stream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    let (sent, read) = tokio::join!(from.write_all(bytes), to.read_exact(&mut got));
    sent.and(read.map(|_| ())).expect("it passes");
    assert!(got == bytes, "what came is not what was sent");
}

/// All that comes until the end, and the end: in good order, or not.
pub(crate) async fn rest(stream: &mut Stream) -> (Vec<u8>, Result<(), io::ErrorKind>) {
    let mut all = Vec::new();
    let end = timeout(Duration::from_secs(20), stream.read_to_end(&mut all)).await.expect("an end");
    (all, end.map(|_| ()).map_err(|error| error.kind()))
}

/// Bytes that tell where they are from each other.
pub(crate) fn text(length: usize) -> Vec<u8> {
    (0..u32::MAX).flat_map(|number| number.to_be_bytes()).take(length).collect()
}

async fn echo(mut stream: Stream) {
    let (mut read, mut write) = stream.split();
    if tokio::io::copy(&mut read, &mut write).await.is_ok() {
        let _ = write.shutdown().await;
    }
}

/// Sends bytes and reads as many.
pub(crate) async fn ask(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    let mut answer = vec![0; bytes.len()];
    stream.read_exact(&mut answer).await?;
    assert_eq!(answer, bytes);
    Ok(())
}

/// Asserts that the next read fails with a reset, and does not see an end.
pub(crate) async fn assert_reset(stream: &mut Stream) {
    let mut byte = [0];
    let read = timeout(Duration::from_secs(5), stream.read(&mut byte)).await.expect("the reset arrives");
    assert_eq!(read.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionReset));
}

pub(crate) fn link() -> Link {
    Link { from: Endpoint::Service("gateway".to_owned()), to: "redis".to_owned(), label: None }
}

pub(crate) fn fault(name: &str, effect: Effect) -> Fault {
    Fault { lasts: Duration::from_secs(1), ..Fault::new(name, Target::Link(link()), effect) }
}

pub(crate) fn latency(delay: Duration, direction: Directions) -> Effect {
    Effect::Latency(Latency::of(
        Spread { mean: delay, jitter: Duration::ZERO, distribution: Distribution::Uniform },
        direction,
    ))
}

pub(crate) const REFUSE: Effect = Effect::Refuse(Refuse { open: OpenConnections::Reset });

pub(crate) async fn apply(proxy: &Proxy, fault: Fault) {
    assert_eq!(proxy.send(Message::Apply(Box::new(fault))).await, Reply::Done);
}

pub(crate) async fn remove(proxy: &Proxy, name: &str) -> Fired {
    removed(proxy, name).await.0
}

/// The same with the ledger, and how many injections it had no room for.
pub(crate) async fn removed(proxy: &Proxy, name: &str) -> (Fired, Vec<Injection>, u64) {
    match proxy.send(Message::Remove { fault: name.to_owned() }).await {
        Reply::Removed(Removed { fired, injections, left_out }) => (fired, injections, left_out),
        other => panic!("{other:?}"),
    }
}
