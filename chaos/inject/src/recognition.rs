//! Recognition of what a connection speaks, by its client's first bytes: on a link that is to be read, something else may
//! come, which is then passed on unread, and told.

use chaos_model::{
    Protocol,
    event::Unreadable,
    protocol::{Recognised, Transport},
};

/// The preface of HTTP/2 (RFC 9113, 3.4), as far as nothing else begins like it.
const HTTP_2: &[u8] = b"PRI * HTTP/2";

/// Beginnings of headers of the PROXY protocol (HAProxy's proxy-protocol.txt, 2.1), version 1, …
const PROXY_1: [&[u8]; 3] = [b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN"];

/// … with the longest of them in bytes, the end of its line included, …
const LONGEST_PROXY_1: usize = 107;

/// … and version 2 (2.2), …
const PROXY_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// … whose length is that of this, and what its last two bytes say.
const FIXED_PROXY_2: usize = 16;

/// The judgement of a connection's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recognition {
    /// It may be of the protocol: whoever reads along finds out.
    Own,
    /// More bytes are needed.
    More,
    /// Before it stands a header of the PROXY protocol, of this length in bytes.
    Header(usize),
    /// It is something else, for sure.
    Other(Unreadable),
}

/// Judges the first bytes of a client on a link that speaks this protocol. Only what is surely something else is not read.
pub(crate) fn recognise(protocol: Protocol, first: &[u8]) -> Recognition {
    let tls = Transport::Tls.recognise(first);
    if let Some(header) = proxy_header(first) {
        return header;
    }
    match (protocol.recognise)(first) {
        Recognised::Yes => Recognition::Own,
        Recognised::More => Recognition::More,
        Recognised::No if tls == Recognised::Yes => Recognition::Other(Unreadable::Tls),
        Recognised::No if tls == Recognised::More => Recognition::More,
        Recognised::No if first.starts_with(HTTP_2) => Recognition::Other(Unreadable::Http2),
        Recognised::No => of_others(protocol, first),
    }
}

/// Judges first bytes that a load balancer may have put before those of its client: they look like a request of HTTP/1.
fn proxy_header(first: &[u8]) -> Option<Recognition> {
    if PROXY_1.iter().any(|beginning| first.starts_with(beginning)) {
        let end = first.windows(2).take(LONGEST_PROXY_1 - 1).position(|two| two == b"\r\n");
        return Some(match end {
            Some(end) => Recognition::Header(end + 2),
            None if first.len() < LONGEST_PROXY_1 => Recognition::More,
            None => Recognition::Other(Unreadable::ProxyProtocol),
        });
    }
    if first.starts_with(PROXY_2) {
        let Some([high, low]) = first.get(FIXED_PROXY_2 - 2..FIXED_PROXY_2) else { return Some(Recognition::More) };
        let length = FIXED_PROXY_2 + usize::from(u16::from_be_bytes([*high, *low]));
        return Some(if first.len() < length { Recognition::More } else { Recognition::Header(length) });
    }
    let may_be_1 = first.starts_with(b"PROXY ") && PROXY_1.iter().any(|beginning| beginning.starts_with(first));
    let may_be_2 = !first.is_empty() && PROXY_2.starts_with(first);
    (may_be_1 || may_be_2).then_some(Recognition::More)
}

/// Judges first bytes that are none of this protocol by the others that `chaos` brings.
fn of_others(protocol: Protocol, first: &[u8]) -> Recognition {
    let others = Protocol::ALL.iter().filter(|other| **other != protocol && **other != Protocol::TCP);
    let found: Vec<Recognised> = others.map(|other| (other.recognise)(first)).collect();
    if found.contains(&Recognised::Yes) {
        Recognition::Other(Unreadable::OtherProtocol)
    } else if found.contains(&Recognised::More) && Protocol::ALL.contains(&protocol) {
        // Filters of ours hold such a beginning as well; of others' nothing is known, and a service may wait for it.
        Recognition::More
    } else {
        Recognition::Own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Recognition::{Header, More, Other, Own};
    use Unreadable::{Http2, OtherProtocol, ProxyProtocol, Tls};

    #[test]
    fn what_is_surely_something_else_is_told() {
        const HELLO: &[u8] = b"\x16\x03\x01\x02\0\x01";
        for (protocol, first, expected) in [
            (Protocol::HTTP, &b"GET / HTTP/1.1\r\n"[..], Own),
            (Protocol::HTTP, b"GE", More),
            (Protocol::HTTP, HELLO, Other(Tls)),
            (Protocol::HTTP, &HELLO[..2], More),
            (Protocol::HTTP, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Other(Http2)),
            (Protocol::HTTP, b"PRI * HTT", More),
            (Protocol::HTTP, b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\n", Header(34)),
            (Protocol::HTTP, b"PROXY UNKNOWN\r\n", Header(15)),
            (Protocol::HTTP, b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r", More),
            (Protocol::HTTP, b"PROXY T", More),
            (Protocol::HTTP, &[&b"PROXY UNKNOWN "[..], &[b'a'; 100]].concat(), Other(ProxyProtocol)),
            (Protocol::HTTP, b"PROXY /a HTTP/1.1\r\n", Own),
            (Protocol::HTTP, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x02ab", Header(18)),
            (Protocol::HTTP, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x02a", More),
            (Protocol::HTTP, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0", More),
            (Protocol::REDIS, b"\r\n\r\n\0", More),
            (Protocol::HTTP, b"*1\r\n$4\r\nPING\r\n", Other(OtherProtocol)),
            (Protocol::HTTP, b"*", More),
            // Lax clients: nothing says that it is none.
            (Protocol::HTTP, b"\r\nGET / HTTP/1.1\r\n", Own),
            (Protocol::HTTP, b"get / HTTP/1.1\r\n", Own),
            (Protocol::HTTP, b"\0\x01\x02", Own),
            (Protocol::REDIS, b"*1\r\n", Own),
            (Protocol::REDIS, b"PING\r\n", Own),
            (Protocol::REDIS, b"GET a", Own),
            (Protocol::REDIS, b"GET / HTTP/1.1\r\nhost: a\r\n", Other(OtherProtocol)),
            (Protocol::REDIS, HELLO, Other(Tls)),
        ] {
            assert_eq!(recognise(protocol, first), expected, "{protocol} {}", first.escape_ascii());
        }
    }
}
