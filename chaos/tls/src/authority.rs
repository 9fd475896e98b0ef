//! The certificate authority of a run.

use crate::{clock::Clock, layer::TlsLayer, lock, secured, verifier::Trust};
use chaos_inject::Layer;
use chaos_model::{Link, Protocol, effect::CertificateFlaw};
use host::Host;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::{
    RootCertStore,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

/// The names and addresses of this machine, by which services of a run reach each other.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// A name that nobody has (RFC 6761).
const NOBODY: &str = "wrong.invalid";
/// Certificates that are kept. Clients ask for few names; one that asks for many gets each made anew.
const MOST_KEPT: usize = 256;
/// Time that certificates count from, before now: clocks of containers and of what services bring differ.
const BEFORE: Duration = Duration::from_secs(24 * 3600);
/// Time that they count for, from now: longer than any run.
const AFTER: Duration = Duration::from_secs(30 * 24 * 3600);

/// A certificate authority, made anew for each run. Its key is in memory alone.
pub struct Authority {
    host: Host,
    issuer: CertifiedIssuer<'static, KeyPair>,
    minted: Mutex<BTreeMap<Asked, Arc<CertifiedKey>>>,
    system: OnceLock<RootCertStore>,
}

/// A service, the name by which a client asks for it (none where it asks for an address), and what is wrong with what it gets.
type Asked = (String, Option<String>, Option<CertificateFlaw>);

/// A certificate with its key, as files in PEM.
pub struct Issued {
    /// The certificate, and behind it the authority's.
    pub certificate: String,
    /// The private key (PKCS #8).
    pub key: String,
}

/// A certificate or a key could not be made.
#[derive(Debug)]
pub struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no certificate can be made: {}", self.0)
    }
}

impl std::error::Error for Failed {}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        Self::other(failed)
    }
}

fn failed(error: impl fmt::Display) -> Failed {
    Failed(error.to_string())
}

impl Authority {
    /// A new authority. The host's clock says from when its certificates count.
    ///
    /// # Errors
    /// Where the machine has no randomness for a key.
    pub fn new(host: &Host) -> Result<Self, Failed> {
        let issuer = issuer(host)?;
        Ok(Self { host: host.clone(), issuer, minted: Mutex::default(), system: OnceLock::new() })
    }

    /// The authority's certificate, in PEM: what its clients have to trust.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for a service, with a key of its own: for its name, and those of this machine.
    ///
    /// # Errors
    /// Where none can be made.
    pub fn issue(&self, service: &str) -> Result<Issued, Failed> {
        let (certificate, key) = self.sign(service, None, None)?;
        Ok(Issued { certificate: certificate.pem() + &self.pem(), key: key.serialize_pem() })
    }

    /// The layer of a link that speaks this below TLS. Services are verified as `trust` says.
    #[must_use]
    pub fn layer(self: &Arc<Self>, link: &Link, protocol: Protocol, trust: Trust) -> Arc<dyn Layer> {
        Arc::new(TlsLayer::new(self, link, protocol, trust))
    }

    /// The machine `host` with connections that speak TLS: what is dialled has shaken hands with this service, which speaks this
    /// below it and is verified as `trust` says.
    #[must_use]
    pub fn secured(self: &Arc<Self>, host: &Host, service: &str, protocol: Protocol, trust: Trust) -> Host {
        secured::machine(self, host, service, (protocol, trust))
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn clock(&self) -> Clock {
        Clock(self.host.clone())
    }

    /// The authority's certificate.
    pub(crate) fn root(&self) -> &CertificateDer<'static> {
        self.issuer.der()
    }

    /// The authorities that this machine trusts, read when they are first asked for: it takes some milliseconds.
    pub(crate) fn system(&self) -> &RootCertStore {
        self.system.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::info!(%error, "some of the machine's certificate authorities can't be read");
            }
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(found.certs);
            roots
        })
    }

    /// The certificate that a link to a service shows to clients which ask for this name.
    pub(crate) fn minted(
        &self,
        service: &str,
        asked: Option<&str>,
        flaw: Option<CertificateFlaw>,
    ) -> Result<Arc<CertifiedKey>, Failed> {
        let of = (service.to_owned(), asked.map(str::to_owned), flaw);
        if let Some(known) = lock(&self.minted).get(&of) {
            return Ok(Arc::clone(known));
        }
        let (certificate, key) = self.sign(service, asked, flaw)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = any_supported_type(&key).map_err(failed)?;
        let mut chain = vec![certificate.der().clone()];
        // Of a chain that ends in a stranger, clients tell that it signs itself.
        let is_ours = !matches!(flaw, Some(CertificateFlaw::UnknownAuthority | CertificateFlaw::SelfSigned));
        chain.extend(is_ours.then(|| self.root().clone()));
        let minted = Arc::new(CertifiedKey::new(chain, key));
        let mut kept = lock(&self.minted);
        if kept.len() < MOST_KEPT {
            kept.insert(of, Arc::clone(&minted));
        }
        Ok(minted)
    }

    fn sign(
        &self,
        service: &str,
        asked: Option<&str>,
        flaw: Option<CertificateFlaw>,
    ) -> Result<(rcgen::Certificate, KeyPair), Failed> {
        let mut names: Vec<&str> = asked.into_iter().collect();
        for name in std::iter::once(service).chain(HERE) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if flaw == Some(CertificateFlaw::WrongName) {
            names = vec![NOBODY];
        }
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name = named(service);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, &self.host, flaw);
        // A key for each: serial numbers are made of them.
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = match flaw {
            Some(CertificateFlaw::SelfSigned) => params.self_signed(&key),
            Some(CertificateFlaw::UnknownAuthority) => {
                let stranger = issuer(&self.host)?;
                params.signed_by(&key, &stranger)
            }
            _ => params.signed_by(&key, &self.issuer),
        };
        Ok((certificate.map_err(failed)?, key))
    }
}

fn issuer(host: &Host) -> Result<CertifiedIssuer<'static, KeyPair>, Failed> {
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    let key = KeyPair::generate().map_err(failed)?;
    // By which people know it in a trust store where it was left. With a part of the key: of several authorities of one name,
    // clients would find a wrong signature where the issuer is unknown.
    let part: String = key.public_key_raw().iter().rev().take(4).map(|byte| format!("{byte:02x}")).collect();
    let began = host::rfc3339(host.unix_now());
    params.distinguished_name = named(&format!("chaos, a run of {began}, {part}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, host, None);
    CertifiedIssuer::self_signed(params, key).map_err(failed)
}

/// The names that a service of this run may be verified for where clients ask for none.
pub(crate) fn names_here(service: &str) -> impl Iterator<Item = &str> {
    HERE.into_iter().chain(std::iter::once(service))
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

fn valid(params: &mut CertificateParams, host: &Host, flaw: Option<CertificateFlaw>) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = host.unix_now();
    let (from, to) = match flaw {
        Some(CertificateFlaw::Expired) => (now.saturating_sub(BEFORE), now.saturating_sub(BEFORE / 24)),
        Some(CertificateFlaw::NotYetValid) => (now + BEFORE, now + AFTER),
        _ => (now.saturating_sub(BEFORE), now + AFTER),
    };
    (params.not_before, params.not_after) = (epoch + from, epoch + to);
}
