//! The proxy as a server of TLS: settings by what faults do to it, and certificates by the names that clients ask for.

use crate::{Authority, configs::Configs, lock, provider};
use chaos_model::effect::{CertificateFlaw, ProtocolVersion, TlsAction};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

/// Settings of a link's servers. Each keeps its own sessions: one that was begun without a fault is not resumed under it.
pub(crate) struct Servers {
    authority: Arc<Authority>,
    service: String,
    made: Mutex<BTreeMap<Kind, Arc<Configs<ServerConfig>>>>,
}

/// The flaw of the certificate, and the only version that is spoken.
type Kind = (Option<CertificateFlaw>, Option<ProtocolVersion>);

impl Servers {
    pub(crate) fn new(authority: &Arc<Authority>, service: &str) -> Self {
        Self { authority: Arc::clone(authority), service: service.to_owned(), made: Mutex::default() }
    }

    /// The settings under this action.
    pub(crate) fn of(&self, action: TlsAction) -> Arc<Configs<ServerConfig>> {
        let kind = (action.certificate, action.version);
        let mut made = lock(&self.made);
        Arc::clone(made.entry(kind).or_insert_with(|| Arc::new(self.make(kind))))
    }

    fn make(&self, (flaw, version): Kind) -> Configs<ServerConfig> {
        let versions: &[&SupportedProtocolVersion] = match version {
            None => &[&TLS13, &TLS12],
            Some(ProtocolVersion::Tls12) => &[&TLS12],
            Some(ProtocolVersion::Tls13) => &[&TLS13],
        };
        let minter = Minter { authority: Arc::clone(&self.authority), service: self.service.clone(), flaw };
        let server = ServerConfig::builder_with_details(provider(), Arc::new(self.authority.clock()));
        let server = server.with_protocol_versions(versions).expect("ring has suites of TLS 1.2 and 1.3");
        let server = server.with_no_client_auth().with_cert_resolver(Arc::new(minter));
        Configs::new(server, |config, protocols| config.alpn_protocols = protocols)
    }
}

/// Certificates by the names that clients ask for.
struct Minter {
    authority: Arc<Authority>,
    service: String,
    flaw: Option<CertificateFlaw>,
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Minter({})", self.service)
    }
}

impl ResolvesServerCert for Minter {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let minted = self.authority.minted(&self.service, hello.server_name(), self.flaw);
        minted.inspect_err(|error| tracing::warn!(service = self.service, %error, "a client can't be served")).ok()
    }
}
