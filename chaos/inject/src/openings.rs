//! Openings: the protocol that the first bytes of a connection are of, for links on which nothing else is read. A name is a
//! hint for people, and nothing acts by it.

use chaos_model::{
    Direction, Protocol,
    protocol::{Recognised, Transport},
};

/// The name of what begins like nothing here.
const UNKNOWN: &str = "unknown";

/// Methods of HTTP (RFC 9110, 9.3; RFC 5789), with the blank behind them: other words may begin a line of something else.
const METHODS: [&[u8]; 9] =
    [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"CONNECT ", b"OPTIONS ", b"TRACE ", b"PATCH "];

/// An opening that is no row of the table of protocols: its name, who speaks first, and its judgement.
struct Opening {
    name: &'static str,
    first: Direction,
    is_like: fn(&[u8]) -> bool,
}

const fn of_client(name: &'static str, is_like: fn(&[u8]) -> bool) -> Opening {
    Opening { name, first: Direction::Upstream, is_like }
}

const fn of_service(name: &'static str, is_like: fn(&[u8]) -> bool) -> Opening {
    Opening { name, first: Direction::Downstream, is_like }
}

const OPENINGS: [Opening; 11] = [
    of_client("tls", |bytes| Transport::Tls.recognise(bytes) == Recognised::Yes),
    of_client("http/2", |bytes| bytes.starts_with(b"PRI * HTTP/2")),
    of_client("http", |bytes| METHODS.iter().any(|method| bytes.starts_with(method))),
    // Only what libraries send: an inline command is a line of words, as much else is.
    of_client("redis", |bytes| bytes.starts_with(b"*") && (Protocol::REDIS.recognise)(bytes) == Recognised::Yes),
    // A length, and then the version 3.0 or a request for TLS or GSSAPI (PostgreSQL's protocol, 55.7).
    of_client("postgresql", |bytes| {
        let codes: [[u8; 4]; 3] = [[0, 3, 0, 0], [4, 210, 22, 47], [4, 210, 22, 48]];
        bytes.starts_with(&[0, 0]) && bytes.get(4..8).is_some_and(|code| codes.iter().any(|known| known == code))
    }),
    of_client("amqp", |bytes| bytes.starts_with(b"AMQP")),
    // The little-endian length of the whole, and at 12 the operation: OP_MSG or the older OP_QUERY.
    of_client("mongodb", |bytes| {
        let word = |at: usize| bytes.get(at..at + 4).and_then(|word| Some(u32::from_le_bytes(word.try_into().ok()?)));
        word(0).is_some_and(|length| length as usize == bytes.len()) && matches!(word(12), Some(2013 | 2004))
    }),
    // The length of the rest, and the request that asks for versions, which every client sends first.
    of_client("kafka", |bytes| {
        let length = bytes.get(..4).and_then(|word| Some(u32::from_be_bytes(word.try_into().ok()?)));
        length.is_some_and(|length| length as usize + 4 == bytes.len()) && bytes.get(4..6) == Some(&[0, 18])
    }),
    // A packet of number 0, with version 10 of the protocol and the server's own in letters; MariaDB's too.
    of_service("mysql", |bytes| bytes.get(3..5) == Some(&[0, 10]) && bytes.get(5).is_some_and(u8::is_ascii_digit)),
    of_service("nats", |bytes| bytes.starts_with(b"INFO {")),
    of_service("ssh", |bytes| bytes.starts_with(b"SSH-2.0")),
];

/// The name of what a connection begins with: the first bytes that either side sent, in this direction.
pub(crate) fn name(direction: Direction, bytes: &[u8]) -> &'static str {
    let mut of_side = OPENINGS.iter().filter(|opening| opening.first == direction);
    of_side.find(|opening| (opening.is_like)(bytes)).map_or(UNKNOWN, |opening| opening.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Downstream, Upstream};

    #[test]
    fn openings_are_known_by_their_first_bytes() {
        let mongo = [&36_u32.to_le_bytes()[..], &[1, 0, 0, 0, 0, 0, 0, 0], &2013_u32.to_le_bytes(), &[0; 20]].concat();
        for (direction, bytes, expected) in [
            (Upstream, &b"\x16\x03\x01\x02\0\x01"[..], "tls"),
            (Upstream, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http/2"),
            (Upstream, b"GET /tea HTTP/1.1\r\n", "http"),
            (Upstream, b"GETTING ", "unknown"),
            (Upstream, b"*1\r\n$4\r\nPING\r\n", "redis"),
            (Upstream, b"PING\r\n", "unknown"),
            (Upstream, b"\0\0\0\x08\x04\xd2\x16\x2f", "postgresql"),
            (Upstream, b"\0\0\0\x29\0\x03\0\0user\0shop\0", "postgresql"),
            (Upstream, b"\0\0\0\x08\0\x02\0\0", "unknown"),
            (Upstream, b"AMQP\0\0\x09\x01", "amqp"),
            (Upstream, &mongo, "mongodb"),
            (Upstream, &mongo[..20], "unknown"),
            (Upstream, b"\0\0\0\x06\0\x12\0\x03\0\0", "kafka"),
            (Downstream, b"\x4a\0\0\0\x0a8.0.36\0", "mysql"),
            (Upstream, b"\x4a\0\0\0\x0a8.0.36\0", "unknown"),
            (Downstream, b"INFO {\"server_id\":\"N\"}\r\n", "nats"),
            (Downstream, b"SSH-2.0-OpenSSH_9.2\r\n", "ssh"),
            (Downstream, b"HTTP/1.1 408 Request Timeout\r\n", "unknown"),
            (Upstream, b"", "unknown"),
        ] {
            assert_eq!(name(direction, bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
