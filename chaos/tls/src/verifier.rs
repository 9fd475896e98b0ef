//! Verification of services: whether each is what it says.

use crate::{Authority, authority::names_here, provider};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::ParsedCertificate,
};
use std::{fmt, sync::Arc};

/// The certificates that a service is believed with, beside those that the run's authority and the machine's have signed.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    named: Vec<CertificateDer<'static>>,
    is_insecure: bool,
}

/// The text holds no certificates.
#[derive(Debug)]
pub struct BadCertificates(String);

impl fmt::Display for BadCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no certificates in PEM: {}", self.0)
    }
}

impl std::error::Error for BadCertificates {}

impl Trust {
    /// Takes any certificate.
    #[must_use]
    pub fn insecure() -> Self {
        Self { named: Vec::new(), is_insecure: true }
    }

    /// Believes these too, in PEM: authorities, or the service's own certificate itself, which is then taken as it is, for
    /// any name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn with(mut self, pem: &[u8]) -> Result<Self, BadCertificates> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        self.named = read.map_err(|error| BadCertificates(error.to_string()))?;
        if self.named.is_empty() {
            return Err(BadCertificates("`-----BEGIN CERTIFICATE-----` is not in it".to_owned()));
        }
        Ok(self)
    }
}

pub(crate) struct Verifier {
    authority: Arc<Authority>,
    service: String,
    trust: Trust,
    /// The run's authority, and those that are named.
    near: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({})", self.service)
    }
}

impl Verifier {
    pub(crate) fn new(authority: &Arc<Authority>, service: &str, trust: Trust) -> Self {
        let mut near = RootCertStore::empty();
        near.add_parsable_certificates(std::iter::once(authority.root()).chain(&trust.named).cloned());
        let algorithms = provider().signature_verification_algorithms;
        Self { authority: Arc::clone(authority), service: service.to_owned(), trust, near, algorithms }
    }

    fn is_signed(
        &self,
        certificate: &ParsedCertificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let by = |roots: &RootCertStore| {
            verify_server_cert_signed_by_trust_anchor(certificate, roots, intermediates, now, self.algorithms.all)
        };
        match by(&self.near) {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => by(self.authority.system()),
            verified => verified,
        }
    }

    /// For the name that the client asked for; where it asked for an address, that is the proxy's, and the service may go by
    /// any name that it has here.
    fn is_named(&self, certificate: &ParsedCertificate<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        let ServerName::IpAddress(_) = name else { return verify_server_name(certificate, name) };
        let mut names = names_here(&self.service).filter_map(|name| ServerName::try_from(name).ok());
        if names.any(|name| verify_server_name(certificate, &name).is_ok()) {
            return Ok(());
        }
        verify_server_name(certificate, name)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.trust.is_insecure || self.trust.named.iter().any(|named| **named == **end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        let certificate = ParsedCertificate::try_from(end_entity)?;
        self.is_signed(&certificate, intermediates, now)?;
        self.is_named(&certificate, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
