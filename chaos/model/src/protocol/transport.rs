//! Transports: what is below a link's protocol.

use super::{Protocol, Recognised};
use crate::{Template, system::Piece};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The transport below a protocol, above TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// The protocol's own bytes.
    #[default]
    Plain,
    /// TLS (RFC 8446).
    Tls,
}

impl Transport {
    /// The transport by which a setting uses each service that it names: that of the URL's scheme before the name
    /// (`https://{stock}`), among the schemes of these protocols; none where no scheme says it. Gives the service and the
    /// label of the link.
    pub(crate) fn of_uses<'t>(
        template: &'t Template,
        among: &[Protocol],
    ) -> Vec<(&'t str, Option<&'t str>, Option<Self>)> {
        let (mut uses, mut transport) = (Vec::new(), None);
        for piece in &template.pieces {
            match piece {
                // Several addresses of one URL, as clients of a cluster take them.
                Piece::Text(text) if text == "," => {}
                Piece::Text(text) => {
                    let scheme = url_before(text).map(|(scheme, _)| scheme);
                    transport = scheme.and_then(|scheme| Self::of_scheme(scheme, among));
                }
                Piece::Service { to, label } => uses.push((to.as_str(), label.as_deref(), transport)),
                Piece::OwnPort | Piece::NamedPort(_) | Piece::File(_) => transport = None,
            }
        }
        uses
    }

    fn of_scheme(name: &str, among: &[Protocol]) -> Option<Self> {
        let mut schemes = among.iter().flat_map(|protocol| protocol.schemes);
        // Case does not count in schemes (RFC 3986, 3.1).
        schemes.find(|scheme| scheme.name.eq_ignore_ascii_case(name)).map(|scheme| scheme.transport)
    }

    /// True for what needs no words: the protocol's own bytes.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::Plain
    }

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

/// The scheme of a URL, at whose address this text ends, and what stands between (RFC 3986, 3.2.1): `redis` and
/// `user:password` of `redis://user:password@`.
pub(super) fn url_before(text: &str) -> Option<(&str, Option<&str>)> {
    let (before, rest) = text.rsplit_once("://")?;
    let credentials = if rest.is_empty() { None } else { Some(rest.strip_suffix('@')?) };
    if credentials.is_some_and(|credentials| credentials.contains(['/', '?', '#'])) {
        return None;
    }
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    Some((&before[before.trim_end_matches(is_of_scheme).len()..], credentials))
}

/// The layers of a link above TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stack {
    /// Transport below the protocol.
    pub transport: Transport,
    /// Protocol that is spoken.
    pub protocol: Protocol,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_has_the_transport_of_its_scheme() {
        let service = |to: &str| Piece::Service { to: to.to_owned(), label: None };
        let text = |text: &str| Piece::Text(text.to_owned());
        let transports = |pieces: Vec<Piece>| -> Vec<Option<Transport>> {
            let template = Template { pieces };
            Transport::of_uses(&template, Protocol::ALL).into_iter().map(|(.., transport)| transport).collect()
        };
        let (plain, tls) = (Some(Transport::Plain), Some(Transport::Tls));
        for (before, expected) in [
            ("", None),
            ("http://", plain),
            ("https://", tls),
            ("HTTPS://", tls),
            ("wss://", tls),
            ("rediss://me:secret@", tls),
            ("redis://", plain),
            (r#"{"stock": "https://"#, tls),
            ("--stock=https://", tls),
            ("ftps://", None),
            ("https://elsewhere.example/?then=", None),
            ("https://elsewhere.example/@", None),
        ] {
            assert_eq!(transports(vec![text(before), service("a")]), [expected], "{before}");
        }
        let several = vec![text("rediss://"), service("a"), text(","), service("b"), text(" "), service("c")];
        assert_eq!(transports(several), [tls, tls, None]);
    }
}
