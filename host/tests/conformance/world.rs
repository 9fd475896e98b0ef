//! Two hosts, in one of the worlds.

use host::{Host, Listener, Settings, Stream, TaskGroup, memory::MemoryNetwork, tcp};
use std::{io, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A client and a server that can reach each other.
pub(crate) struct World {
    pub(crate) client: Host,
    pub(crate) server: Host,
    /// The server's tasks.
    pub(crate) tasks: TaskGroup,
    /// The server's name on the network.
    pub(crate) address: &'static str,
}

/// The settings of every server.
pub(crate) fn settings() -> Settings {
    [("CACHE", "on"), ("EMPTY", "")].into_iter().collect()
}

impl World {
    pub(crate) fn tcp() -> Self {
        let config = |name| tcp::Config { seed: 7, settings: settings(), ..tcp::Config::loopback(name) };
        let client = tcp::host(config("client")).unwrap();
        let (server, tasks) = tcp::node(config("server")).unwrap();
        Self { client, server, tasks, address: "127.0.0.1" }
    }

    pub(crate) fn memory() -> Self {
        let network = MemoryNetwork::new(7);
        let (server, tasks) = network.node("server", settings());
        Self { client: network.host("client"), server, tasks, address: "server" }
    }

    /// A listener on a free port of the server.
    pub(crate) fn listen(&self) -> Listener {
        self.server.listen(0).unwrap()
    }

    /// The client connects to a port of the server.
    pub(crate) async fn dial(&self, port: u16) -> io::Result<Stream> {
        self.client.dial(self.address, port).await
    }

    /// Both ends of a connection, the client's first.
    pub(crate) async fn pair(&self) -> (Stream, Stream) {
        self.pair_on(&mut self.listen()).await
    }

    /// Both ends of a connection through this listener, the client's first.
    pub(crate) async fn pair_on(&self, listener: &mut Listener) -> (Stream, Stream) {
        let client = self.dial(listener.port()).await.unwrap();
        (client, listener.accept().await.unwrap())
    }
}

/// Result of the future, if it ends within a time that is long for something that could go on and short for a test.
pub(crate) async fn soon<F: Future>(future: F) -> Option<F::Output> {
    tokio::time::timeout(Duration::from_millis(300), future).await.ok()
}

/// Asks again and again until the condition holds; the test's own limit ends what never does.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The two ends carry a byte each way.
pub(crate) async fn assert_open(one: &mut Stream, other: &mut Stream) {
    let mut byte = [0];
    one.write_all(b">").await.unwrap();
    other.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b">");
    other.write_all(b"<").await.unwrap();
    one.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"<");
}

/// Reads to the end: what came, and how it ended.
pub(crate) async fn drain(stream: &mut Stream) -> (Vec<u8>, io::Result<()>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map(drop);
    (bytes, end)
}

/// The next read fails with a reset, and nothing comes before.
pub(crate) async fn assert_reset(stream: &mut Stream) {
    let (bytes, end) = drain(stream).await;
    assert_eq!(bytes, b"");
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}
