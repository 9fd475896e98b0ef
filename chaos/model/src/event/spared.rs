//! Connections that faults on messages could not read.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// The reason for which messages on a connection can't be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It begins as TLS.
    Tls,
    /// It begins as HTTP/2.
    Http2,
    /// It begins with a header of the PROXY protocol.
    ProxyProtocol,
    /// It begins as another protocol than the service's.
    OtherProtocol,
    /// It speaks another protocol by now, which both ends agreed on (`101 Switching Protocols`, `CONNECT`).
    Upgraded,
    /// Its messages could be read in two ways, or in none.
    Unclear,
}

/// Counts of connections on which something was sent that a fault could not read, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spared([u64; Unreadable::ALL.len()]);

impl Unreadable {
    /// All of them, in the order in which people are told of them.
    pub const ALL: [Self; 6] =
        [Self::Tls, Self::Http2, Self::ProxyProtocol, Self::OtherProtocol, Self::Upgraded, Self::Unclear];

    /// The reason's name in recordings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Http2 => "http_2",
            Self::ProxyProtocol => "proxy_protocol",
            Self::OtherProtocol => "other_protocol",
            Self::Upgraded => "upgraded",
            Self::Unclear => "unclear",
        }
    }

    /// The reason in words, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Http2 => "HTTP/2",
            Self::ProxyProtocol => "PROXY protocol",
            Self::OtherProtocol => "another protocol",
            Self::Upgraded => "upgraded",
            Self::Unclear => "unclear messages",
        }
    }
}

impl Spared {
    /// No connection.
    pub const NONE: Self = Self([0; Unreadable::ALL.len()]);

    /// The same with so many connections for this reason.
    #[must_use]
    pub fn with(mut self, why: Unreadable, connections: u64) -> Self {
        self.0[why as usize] = connections;
        self
    }

    /// The number of connections, whatever the reason.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.iter().sum()
    }

    /// True where there are none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The reasons that there were, each with its connections.
    pub fn reasons(&self) -> impl Iterator<Item = (Unreadable, u64)> {
        Unreadable::ALL.into_iter().zip(self.0).filter(|(_, connections)| *connections > 0)
    }

    /// The reasons in words: `TLS`, and where there are several, `3 TLS, 1 HTTP/2`.
    #[must_use]
    pub fn words(&self) -> String {
        let reasons: Vec<_> = self.reasons().collect();
        match reasons.as_slice() {
            [(why, _)] => why.words().to_owned(),
            _ => reasons.iter().map(|(why, count)| format!("{count} {}", why.words())).collect::<Vec<_>>().join(", "),
        }
    }

    /// Each count made of those of two.
    pub(super) fn combined(self, other: Self, make: impl Fn(u64, u64) -> u64) -> Self {
        let mut counts = self.0;
        counts.iter_mut().zip(other.0).for_each(|(one, other)| *one = make(*one, other));
        Self(counts)
    }
}

impl Serialize for Spared {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.reasons().map(|(why, count)| (why.name(), count)))
    }
}

impl<'de> Deserialize<'de> for Spared {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut spared = Self::default();
        for (name, count) in BTreeMap::<String, u64>::deserialize(from)? {
            // A reason of a later version is one that this one has no words for.
            let why = Unreadable::ALL.into_iter().find(|why| why.name() == name).unwrap_or(Unreadable::Unclear);
            spared.0[why as usize] += count;
        }
        Ok(spared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_place_and_name() {
        let mut spared = Spared::default();
        for (count, why) in (1..).zip(Unreadable::ALL) {
            spared = spared.with(why, count);
        }
        assert_eq!(spared.connections(), 1 + 2 + 3 + 4 + 5 + 6);
        let text = serde_json::to_string(&spared).unwrap();
        assert_eq!(serde_json::from_str::<Spared>(&text).unwrap(), spared, "{text}");
        let later: Spared = serde_json::from_str(r#"{"tls": 1, "quic": 2}"#).unwrap();
        assert_eq!(later, Spared::default().with(Unreadable::Tls, 1).with(Unreadable::Unclear, 2));
    }

    #[test]
    fn reasons_in_words() {
        let tls = Spared::default().with(Unreadable::Tls, 3);
        assert_eq!(tls.words(), "TLS");
        assert_eq!(tls.with(Unreadable::Http2, 1).words(), "3 TLS, 1 HTTP/2");
    }
}
