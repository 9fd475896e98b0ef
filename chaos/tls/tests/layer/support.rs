//! A proxy above TLS, a service and a client on both sides of it.

use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::{Effect, Endpoint, Fault, Link, Protocol, Target};
use chaos_tls::{Authority, Issued, Trust};
use host::{Host, Stream, memory::MemoryNetwork, tcp};
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client,
    rustls::{
        ALL_VERSIONS, ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
        time_provider::TimeProvider,
    },
    server,
};

/// Makes tests of these bodies, in memory on the paused clock and over TCP.
macro_rules! conformance {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                let world = crate::support::World::memory();
                let test = super::$name(&world);
                tokio::time::timeout(std::time::Duration::from_secs(100_000), test).await.expect("the test hangs");
            })*
        }
        mod tcp {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let world = crate::support::World::tcp();
                let test = super::$name(&world);
                tokio::time::timeout(std::time::Duration::from_secs(60), test).await.expect("the test hangs");
            })*
        }
    };
}

pub(crate) type Client = client::TlsStream<Stream>;
pub(crate) type Served = server::TlsStream<Stream>;

pub(crate) struct World {
    pub(crate) client: Host,
    pub(crate) proxy: Host,
    pub(crate) service: Host,
    /// The names of the proxy's machine and the service's.
    pub(crate) names: (String, String),
    pub(crate) authority: Arc<Authority>,
}

/// A proxy that was told what it leads to, and how clients reach it.
pub(crate) struct Tunnel {
    pub(crate) proxy: Proxy,
    pub(crate) layer: Arc<dyn chaos_inject::Layer>,
}

impl World {
    pub(crate) fn memory() -> Self {
        let network = MemoryNetwork::new(1);
        let hosts = (network.host("client"), network.host("proxy"), network.host("service"));
        Self::of(hosts, ("proxy", "service"))
    }

    pub(crate) fn tcp() -> Self {
        let host = |name| tcp::node(tcp::Config::loopback(name)).unwrap().0;
        Self::of((host("client"), host("proxy"), host("service")), ("127.0.0.1", "127.0.0.1"))
    }

    fn of((client, proxy, service): (Host, Host, Host), (one, other): (&str, &str)) -> Self {
        let authority = Arc::new(Authority::new(&proxy).unwrap());
        Self { client, proxy, service, names: (one.to_owned(), other.to_owned()), authority }
    }

    /// A proxy that leads to this port of the service's machine; to nowhere where there is none.
    pub(crate) fn link(&self, protocol: Protocol, trust: Trust, to: Option<u16>) -> Tunnel {
        let layer = self.authority.layer(&link(), protocol, trust);
        let config = ProxyConfig { link: link(), protocol, seed: 1, nonce: None, most_connections: None };
        let listener = self.proxy.listen(0).unwrap();
        let proxy = Proxy::start_above(Some(Arc::clone(&layer)), &self.proxy, listener, config);
        if let Some(port) = to {
            proxy.point_at(&self.names.1, port);
        }
        Tunnel { proxy, layer }
    }

    /// Starts a service that does this with each connection, with a certificate of the run's authority; its port.
    pub(crate) fn serve<F>(&self, then: fn(Served) -> F) -> u16
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.serve_as(&self.authority.issue("up").unwrap(), &[], then)
    }

    /// The same with this certificate, and with these protocols.
    pub(crate) fn serve_as<F>(&self, issued: &Issued, protocols: &[&str], then: fn(Served) -> F) -> u16
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let builder =
            ServerConfig::builder_with_details(Arc::new(default_provider()), Arc::new(Clock(self.service.clone())));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
        let mut config = builder.with_single_cert(certificates(&issued.certificate), key).unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut listener = self.service.listen(0).unwrap();
        let (port, host) = (listener.port(), self.service.clone());
        drop(self.service.spawn(async move {
            while let Ok(stream) = listener.accept().await {
                let acceptor = acceptor.clone();
                drop(host.spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        then(stream).await;
                    }
                }));
            }
        }));
        port
    }

    /// The settings of a client that believes this authority.
    pub(crate) fn believing(&self, pem: &str) -> ClientConfig {
        self.believing_with(pem, ALL_VERSIONS)
    }

    /// The same with one that speaks these versions.
    pub(crate) fn believing_with(&self, pem: &str, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates(pem));
        let builder =
            ClientConfig::builder_with_details(Arc::new(default_provider()), Arc::new(Clock(self.client.clone())));
        let builder = builder.with_protocol_versions(versions).unwrap();
        builder.with_root_certificates(roots).with_no_client_auth()
    }

    /// A client of the run, which asks for this name.
    pub(crate) async fn connect_as(&self, link: &Tunnel, name: &str, config: ClientConfig) -> io::Result<Client> {
        let stream = self.client.dial(&self.names.0, link.proxy.port()).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
    }

    pub(crate) async fn connect(&self, link: &Tunnel) -> Client {
        self.connect_as(link, "localhost", self.believing(&self.authority.pem())).await.unwrap()
    }
}

/// The clock of a host, so that certificates are looked at in the time in which they were made.
struct Clock(Host);

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(self.0.unix_now()))
    }
}

pub(crate) fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect()
}

pub(crate) fn link() -> Link {
    Link { from: Endpoint::Service("app".to_owned()), to: "up".to_owned(), label: None }
}

pub(crate) async fn apply(tunnel: &Tunnel, effect: impl Into<Effect>) {
    let fault = Fault { lasts: Duration::from_secs(1), ..Fault::new("it", Target::Link(link()), effect.into()) };
    assert_eq!(tunnel.proxy.send(Message::Apply(Box::new(fault))).await, Reply::Done);
}

pub(crate) async fn echo(stream: Served) {
    let (mut read, mut write) = tokio::io::split(stream);
    if tokio::io::copy(&mut read, &mut write).await.is_ok() {
        let _ = write.shutdown().await;
    }
}

/// Serves one kind of response over HTTP, on connections that stay.
pub(crate) async fn http(mut stream: Served) {
    let mut seen = Vec::new();
    loop {
        while let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            seen.drain(..end + 4);
            if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789").await.is_err() {
                return;
            }
            let _ = stream.flush().await;
        }
        if !matches!(stream.read_buf(&mut seen).await, Ok(1..)) {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// All that comes until the end, and the end: in good order, or not.
pub(crate) async fn rest(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> (Vec<u8>, Result<(), io::ErrorKind>) {
    let mut all = Vec::new();
    let end = stream.read_to_end(&mut all).await;
    (all, end.map(|_| ()).map_err(|error| error.kind()))
}

/// Bytes that tell where they are from each other.
pub(crate) fn text(length: usize) -> Vec<u8> {
    (0..u32::MAX).flat_map(|number| number.to_be_bytes()).take(length).collect()
}
