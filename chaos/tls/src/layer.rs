//! The layer of a link.

use crate::{
    Authority, Trust,
    configs::{Configs, ProtocolName},
    dialogue::{Dialogue, Hello, Side},
    lock, provider,
    servers::Servers,
    stream::TlsStream,
    verifier::Verifier,
};
use chaos_inject::{Layer, LayeredConnection};
use chaos_model::{Link, Protocol, effect::TlsAction};
use futures_util::future::BoxFuture;
use host::{Host, Stream};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, ServerConfig, pki_types::ServerName,
    server::ClientHello,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

/// Different things that the log is told of one link: what clients send is theirs to choose.
const MOST_TOLD: usize = 32;

/// TLS on one link.
pub(crate) struct TlsLayer(Arc<Ways>);

/// The state that all connections of a link share.
pub(crate) struct Ways {
    link: String,
    service: String,
    protocol: Protocol,
    servers: Servers,
    clients: Configs<ClientConfig>,
    told: Mutex<BTreeSet<String>>,
    host: Host,
    /// Connections that failed since TLS was ended here, by the reason.
    doubts: Mutex<BTreeMap<String, u64>>,
}

/// A failure of TLS, in words.
struct Failure {
    why: String,
    /// True where TLS would not have failed, had it not been ended here.
    is_ours: bool,
}

impl TlsLayer {
    pub(crate) fn new(authority: &Arc<Authority>, link: &Link, protocol: Protocol, trust: Trust) -> Self {
        let client = ClientConfig::builder_with_details(provider(), Arc::new(authority.clock()));
        let client = client.with_safe_default_protocol_versions().expect("ring has suites of TLS 1.2 and 1.3");
        let verifier = Arc::new(Verifier::new(authority, &link.to, trust));
        let client = client.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Self(Arc::new(Ways {
            link: link.to_string(),
            service: link.to.clone(),
            protocol,
            servers: Servers::new(authority, &link.to),
            clients: Configs::new(client, |config, protocols| config.alpn_protocols = protocols),
            told: Mutex::default(),
            host: authority.host().clone(),
            doubts: Mutex::default(),
        }))
    }
}

impl TlsLayer {
    pub(crate) fn ways(&self) -> Arc<Ways> {
        Arc::clone(&self.0)
    }
}

impl Layer for TlsLayer {
    fn connection(&self) -> Box<dyn LayeredConnection> {
        Box::new(TlsConnection { ways: Arc::clone(&self.0), dialogue: Arc::default() })
    }

    fn doubts(&self) -> Vec<String> {
        let connections =
            |count: &u64| if *count == 1 { "1 connection".to_owned() } else { format!("{count} connections") };
        let doubts = lock(&self.0.doubts);
        doubts
            .iter()
            .map(|(why, count)| format!("TLS failed on {} of {}: {why}", connections(count), self.0.link))
            .collect()
    }
}

struct TlsConnection {
    ways: Arc<Ways>,
    dialogue: Arc<Dialogue>,
}

impl LayeredConnection for TlsConnection {
    fn act(&self, action: TlsAction) {
        self.dialogue.act(action);
    }

    fn has_acted(&self) -> bool {
        self.dialogue.take_act()
    }

    fn client(&self, stream: Stream) -> Stream {
        Stream::new(TlsStream::accepted(stream, &self.ways, &self.dialogue))
    }

    fn service(&self, stream: Stream) -> BoxFuture<'static, io::Result<Stream>> {
        Box::pin(begin(stream, Arc::clone(&self.ways), Arc::clone(&self.dialogue)))
    }
}

/// Begins TLS with a service, once the client has.
pub(crate) async fn begin(stream: Stream, ways: Arc<Ways>, dialogue: Arc<Dialogue>) -> io::Result<Stream> {
    let Hello { name, protocol } = poll_fn(|cx| dialogue.poll_hello(cx)).await;
    let name = name.and_then(|name| ServerName::try_from(name).ok());
    // An address is not told to the server (RFC 6066, 3).
    let name = name.unwrap_or(ServerName::from(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let config = ways.clients.offering(protocol.as_deref());
    let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    let stream = TlsStream::dialled(stream, connection, &ways, &dialogue);
    match poll_fn(|cx| stream.poll_handshake(cx)).await {
        Ok(()) => Ok(Stream::new(stream)),
        Err(error) => {
            let failure = ways.failure(&error);
            ways.doubt(&failure);
            Err(io::Error::new(error.kind(), format!("TLS with it fails: {}", failure.why)))
        }
    }
}

impl Ways {
    /// The settings for a client, and what it asked for.
    pub(crate) fn meet(&self, hello: &ClientHello<'_>, action: TlsAction) -> (Arc<ServerConfig>, Hello) {
        let offered: Option<Vec<&[u8]>> = hello.alpn().map(Iterator::collect);
        let protocol = offered.and_then(|offered| self.choose(&offered));
        let name = hello.server_name().map(str::to_owned);
        (self.servers.of(action).offering(protocol.as_deref()), Hello { name, protocol })
    }

    /// The protocol that can be read, where it is offered; else the one that the client likes best, which passes unread.
    fn choose(&self, offered: &[&[u8]]) -> Option<ProtocolName> {
        let read = self.protocol.alpn.iter().map(|name| name.as_bytes());
        let chosen = read.into_iter().find(|name| offered.contains(name)).or_else(|| offered.first().copied());
        chosen.map(<[u8]>::to_vec)
    }

    /// Waits for a fault's delay.
    pub(crate) fn pause(&self, delay: Duration) -> BoxFuture<'static, ()> {
        let host = self.host.clone();
        Box::pin(async move { host.sleep(delay).await })
    }

    /// Tells the log what went wrong with a client or a service, each thing once.
    pub(crate) fn tell(&self, side: Side, error: &io::Error) {
        let failure = match side {
            Side::Client => of_client(error),
            Side::Service => self.failure(error),
        };
        self.doubt(&failure);
        let why = failure.why;
        let mut told = lock(&self.told);
        if told.len() < MOST_TOLD && told.insert(why.clone()) {
            tracing::warn!(link = self.link, ?side, why, "TLS fails");
        }
    }

    fn doubt(&self, failure: &Failure) {
        if failure.is_ours {
            *lock(&self.doubts).entry(failure.why.clone()).or_default() += 1;
        }
    }

    /// The reason that TLS with the service failed, with what helps.
    fn failure(&self, error: &io::Error) -> Failure {
        let mut is_ours = true;
        let why = match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
            Some(Error::InvalidCertificate(why)) => format!(
                "its certificate is not to be believed ({1}): name the certificate or its authority by `tls.ca = \
                 \"cert.pem\"` in [service.{0}], have it use `{{self.cert}}` and `{{self.key}}`, or take any by \
                 `tls.insecure = true`",
                self.service,
                in_words(why)
            ),
            Some(Error::AlertReceived(AlertDescription::CertificateRequired)) => {
                format!(
                    "it wants clients' certificates, which are not passed on: say `tls = \"pass\"` in [service.{}]",
                    self.service
                )
            }
            _ => {
                is_ours = false;
                error.to_string()
            }
        };
        Failure { why, is_ours }
    }
}

/// The reason that a certificate is not believed. One that is its own authority is told by the library as a mistake in its use.
fn in_words(why: &CertificateError) -> String {
    let why = why.to_string();
    if why.contains("CaUsedAsEndEntity") { "signed by itself".to_owned() } else { why }
}

/// The reason that TLS with a client failed, with what helps.
fn of_client(error: &io::Error) -> Failure {
    use AlertDescription::{BadCertificate, CertificateUnknown, UnknownCA};
    match error.get_ref().and_then(|error| error.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(alert @ (UnknownCA | BadCertificate | CertificateUnknown))) => {
            let why = format!(
                "the client does not believe the run's authority ({alert:?}): name `{{run.ca}}` in a setting of it, or say \
                 `trust = \"env\"`"
            );
            Failure { why, is_ours: true }
        }
        _ => Failure { why: error.to_string(), is_ours: false },
    }
}
