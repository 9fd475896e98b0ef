//! Transports: what is below a link's protocol.

use super::{Protocol, Recognised};
use serde::Serialize;
use std::fmt;

/// The transport below a protocol, above TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// The protocol's own bytes.
    #[default]
    Plain,
    /// TLS (RFC 8446). No proxy ends it yet: it passes as bytes.
    Tls,
}

impl Transport {
    /// Judges whether the first bytes of a client begin a connection of this transport.
    #[must_use]
    pub fn recognise(self, bytes: &[u8]) -> Recognised {
        match (self, bytes) {
            (Self::Plain, _) => Recognised::Yes,
            // A record that holds a handshake, of any version 3.x (RFC 8446, 5.1).
            (Self::Tls, [] | [22] | [22, 3]) => Recognised::More,
            (Self::Tls, [22, 3, version, ..]) if *version <= 4 => Recognised::Yes,
            (Self::Tls, _) => Recognised::No,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
        })
    }
}

/// The layers of a link above TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stack {
    /// Transport below the protocol.
    pub transport: Transport,
    /// Protocol that is spoken.
    pub protocol: Protocol,
}

impl Stack {
    /// A protocol on plain TCP.
    #[must_use]
    pub const fn plain(protocol: Protocol) -> Self {
        Self { transport: Transport::Plain, protocol }
    }
}
