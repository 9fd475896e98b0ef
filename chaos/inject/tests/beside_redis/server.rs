//! A `redis-server` of a test's own, and a proxy before it.

use crate::client::Client;
use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::{Effect, Endpoint, Fault, Link, Only, Protocol, Target, event::Fired, ledger::Removed};
use host::{Host, tcp};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::Instant;

/// Nothing here takes so long, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server, killed when this goes.
pub(crate) struct Server {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Server {
    /// Starts one with these arguments, in a folder of its own.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), arguments).await
    }

    /// Starts one in this folder.
    pub(crate) async fn start_in(mut folder: tempfile::TempDir, arguments: &[&str]) -> Self {
        let host = tcp::host(tcp::Config::loopback("client")).expect("a host");
        // Another program may take the port between the choice and the start.
        for _ in 0..5 {
            let port = host.listen(0).expect("a free port").port();
            let child = begin(folder.path(), port, arguments);
            let mut server = Self { child, folder, host: host.clone(), port };
            if server.is_ready().await {
                return server;
            }
            let other = tempfile::tempdir().expect("a folder");
            folder = std::mem::replace(&mut server.folder, other);
        }
        panic!("redis-server doesn't start with {arguments:?}");
    }

    async fn is_ready(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            if self.host.dial("127.0.0.1", self.port).await.is_ok() {
                return true;
            }
            self.host.sleep(Duration::from_millis(2)).await;
        }
        false
    }

    /// The folder that it keeps its data in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it, and gives its folder.
    pub(crate) fn end(mut self) -> tempfile::TempDir {
        let other = tempfile::tempdir().expect("a folder");
        std::mem::replace(&mut self.folder, other)
    }

    /// A connection of a client.
    pub(crate) async fn connect(&self) -> Client {
        Client::new(self.host.dial("127.0.0.1", self.port).await.expect("a connection"))
    }

    /// Waits until a line has a reply that begins so.
    pub(crate) async fn until(&self, line: &str, reply: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.connect().await.ask(line).await;
            if said.starts_with(reply) {
                return;
            }
            assert!(Instant::now() < deadline, "{line}: {said}");
            self.host.sleep(Duration::from_millis(5)).await;
        }
    }

    /// A proxy before it.
    pub(crate) fn proxy(&self) -> Proxied {
        let listener = self.host.listen(0).expect("a free port");
        let config =
            ProxyConfig { link: link(), protocol: Protocol::REDIS, seed: 7, nonce: None, most_connections: None };
        let proxy = Proxy::start(&self.host, listener, config);
        proxy.point_at("127.0.0.1", self.port);
        Proxied { proxy, host: self.host.clone() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn begin(folder: &Path, port: u16, arguments: &[&str]) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()]);
    command.arg("--dir").arg(folder).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("redis-server starts")
}

/// A proxy before a server.
pub(crate) struct Proxied {
    proxy: Proxy,
    host: Host,
}

impl Proxied {
    /// Puts a fault called `it` on the link.
    pub(crate) async fn apply(&self, effect: impl Into<Effect>, only: Only) {
        let fault = Fault { only, lasts: Duration::from_secs(1), ..Fault::new("it", Target::Link(link()), effect) };
        assert_eq!(self.proxy.send(Message::Apply(Box::new(fault))).await, Reply::Done);
    }

    /// Takes it away, and says how often it fired.
    pub(crate) async fn remove(&self) -> Fired {
        match self.proxy.send(Message::Remove { fault: "it".to_owned() }).await {
            Reply::Removed(Removed { fired, .. }) => fired,
            other => panic!("{other:?}"),
        }
    }

    /// The fault's counts so far.
    pub(crate) fn fired(&self) -> Fired {
        self.proxy.fired().remove("it").unwrap_or_default()
    }

    /// A connection of a client, through it.
    pub(crate) async fn connect(&self) -> Client {
        Client::new(self.host.dial("127.0.0.1", self.proxy.port()).await.expect("a connection"))
    }
}

fn link() -> Link {
    Link { from: Endpoint::Service("app".to_owned()), to: "redis".to_owned(), label: None }
}
