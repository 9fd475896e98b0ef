//! Values of effects on TLS that ends on a link: what of the client's side of it is wrong.

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// An action on TLS with the client of a link. Of several on one connection, the first that says something of a thing holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlsAction {
    /// The fate of the handshake, once the client has begun it.
    pub handshake: Option<Handshake>,
    /// The flaw of the certificate that the client is shown.
    pub certificate: Option<CertificateFlaw>,
    /// The only version that is spoken with the client.
    pub version: Option<ProtocolVersion>,
    /// The client is not told that the connection ends (close_notify).
    pub ends_unannounced: bool,
}

impl TlsAction {
    /// Both, where the first comes first.
    #[must_use]
    pub fn then(self, other: Self) -> Self {
        Self {
            handshake: self.handshake.or(other.handshake),
            certificate: self.certificate.or(other.certificate),
            version: self.version.or(other.version),
            ends_unannounced: self.ends_unannounced || other.ends_unannounced,
        }
    }

    /// True where it acts while hands are shaken.
    #[must_use]
    pub fn is_of_handshakes(&self) -> bool {
        self.handshake.is_some() || self.certificate.is_some() || self.version.is_some()
    }
}

/// The fate of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// Going on after this time.
    Delay(Duration),
    /// No going on.
    Hang,
    /// The connection is reset.
    Reset,
    /// The client is told this, and the connection ends.
    Alert(Alert),
}

/// A flaw of the certificate that a client is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFlaw {
    /// A time that is over.
    Expired,
    /// A time that has not begun.
    NotYetValid,
    /// Another name.
    WrongName,
    /// An authority has signed it that nobody knows.
    UnknownAuthority,
    /// A signature by its own key.
    SelfSigned,
    /// None, but that it is another than before, as one that was renewed.
    Renewed,
}

impl CertificateFlaw {
    /// All of them, with their names in the language.
    pub const ALL: [(&'static str, Self); 6] = [
        ("expired", Self::Expired),
        ("not-yet-valid", Self::NotYetValid),
        ("wrong-name", Self::WrongName),
        ("unknown-authority", Self::UnknownAuthority),
        ("self-signed", Self::SelfSigned),
        ("renewed", Self::Renewed),
    ];

    /// The flaw's name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, flaw)| *flaw == self).map_or("", |(name, _)| name)
    }
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// RFC 5246.
    #[serde(rename = "1.2")]
    Tls12,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    Tls13,
}

impl ProtocolVersion {
    /// Both, with their names in the language.
    pub const ALL: [(&'static str, Self); 2] = [("1.2", Self::Tls12), ("1.3", Self::Tls13)];

    /// The version's name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, version)| *version == self).map_or("", |(name, _)| name)
    }
}

/// An alert by which a server refuses a handshake, by its number (RFC 8446, 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Alert(u8);

/// The alerts of refusals, by their names in RFC 8446, 6.
const ALERTS: [(&str, u8); 18] = [
    ("unexpected_message", 10),
    ("handshake_failure", 40),
    ("bad_certificate", 42),
    ("unsupported_certificate", 43),
    ("certificate_revoked", 44),
    ("certificate_expired", 45),
    ("certificate_unknown", 46),
    ("illegal_parameter", 47),
    ("unknown_ca", 48),
    ("access_denied", 49),
    ("decode_error", 50),
    ("decrypt_error", 51),
    ("protocol_version", 70),
    ("insufficient_security", 71),
    ("internal_error", 80),
    ("unrecognized_name", 112),
    ("certificate_required", 116),
    ("no_application_protocol", 120),
];

impl Alert {
    /// The alert of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        ALERTS.iter().find(|(known, _)| *known == name).map(|(_, number)| Self(*number))
    }

    /// The alert's number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// The alert's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALERTS.iter().find(|(_, number)| *number == self.0).map_or("", |(name, _)| name)
    }

    /// All names.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
        ALERTS.iter().map(|(name, _)| *name)
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Alert> for String {
    fn from(alert: Alert) -> Self {
        alert.name().to_owned()
    }
}

impl TryFrom<String> for Alert {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::of(&name).ok_or_else(|| format!("there is no alert `{name}`"))
    }
}
