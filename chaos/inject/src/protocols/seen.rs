//! A protocol that is seen by the first bytes of each connection: HTTP/1, RESP, or nothing that is read along.
//!
//! For proxies of which nobody says what their service speaks. A connection is only read where its beginning leaves no doubt:
//! RESP by its first two bytes, HTTP/1 by its first line. All else passes, and so does one on which the service speaks first.

use super::filter_of;
use crate::protocol::{Attribution, Decide, Filter, Step, StreamId, Unreadable};
use chaos_model::{
    Direction, Protocol,
    effect::Level,
    protocol::{Ready, Recognised, Row, Words},
};

/// The longest first line that is waited for.
const LONGEST_LINE: usize = 16 << 10;

static ROW: Row = Row {
    name: "any",
    about: "HTTP/1.1 or RESP, as the first bytes of each connection say",
    usual_port: 7000,
    unprivileged_port: 7000,
    schemes: &[],
    programs: &[],
    ready: Ready::Connection,
    words: Some(Words { message: "message", messages: "messages", response: "response" }),
    levels: &[Level::Connections, Level::Messages, Level::Requests, Level::Commands],
    only: &["method", "path", "query", "header.NAME", "baggage.NAME", "command", "key"],
    alpn: &[],
    takes_password: false,
    elsewhere: &[],
    limits: &[],
    recognise,
    filter: crate::filter!(|| Box::new(SeenFilter::default())),
};

/// The protocol of links of which nobody says what they speak: each connection's first bytes do.
pub static SEEN: Protocol = Protocol::new(&ROW);

fn recognise(first: &[u8]) -> Recognised {
    let both = [http(first), resp(first)];
    if both.contains(&Recognised::Yes) {
        Recognised::Yes
    } else if both.contains(&Recognised::More) {
        Recognised::More
    } else {
        Recognised::No
    }
}

/// Methods of RFC 9110 and RFC 5789. What begins otherwise is not waited for: it could be a word of any protocol, whose sender
/// waits too.
const METHODS: [&[u8]; 8] = [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"TRACE ", b"PATCH "];

/// A request of HTTP/1, as far as its method and the first byte of its target tell.
fn http(first: &[u8]) -> Recognised {
    let all = METHODS.into_iter().map(|method| match first.strip_prefix(method) {
        Some([]) => Recognised::More,
        Some([b'/' | b'*' | b'h', ..]) => Recognised::Yes,
        None if method.starts_with(first) => Recognised::More,
        Some(_) | None => Recognised::No,
    });
    all.fold(Recognised::No, |sum, one| if sum == Recognised::No { one } else { sum })
}

/// RESP as libraries send it: an array. A line in its place could be anything's.
fn resp(first: &[u8]) -> Recognised {
    match first {
        [] | [b'*'] => Recognised::More,
        [b'*', digit, ..] if digit.is_ascii_digit() => Recognised::Yes,
        _ => Recognised::No,
    }
}

/// Decides on a connection's first bytes who reads along.
#[derive(Default)]
struct SeenFilter {
    reader: Reader,
}

#[derive(Default)]
enum Reader {
    /// Not known yet.
    #[default]
    Open,
    /// This one.
    Of(Box<dyn Filter>),
    /// Nobody.
    None,
}

impl SeenFilter {
    /// The protocol that these first bytes are of; nothing where more are needed.
    fn see(bytes: &[u8]) -> Option<Option<Protocol>> {
        if resp(bytes) == Recognised::Yes {
            return Some(Some(Protocol::REDIS));
        }
        if http(bytes) != Recognised::Yes {
            return Some(None);
        }
        let end = bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n');
        let Some(end) = end else { return (bytes.len() >= LONGEST_LINE).then_some(None) };
        let is_http = bytes[..end].windows(8).any(|word| word == b" HTTP/1.");
        Some(is_http.then_some(Protocol::HTTP))
    }

    /// Chooses who reads along, where that is open.
    fn choose(&mut self, direction: Direction, bytes: &[u8], decide: &mut dyn Decide) {
        if !matches!(self.reader, Reader::Open) {
            return;
        }
        // Who hears the service first speaks neither.
        let seen = if direction == Direction::Downstream { Some(None) } else { Self::see(bytes) };
        let Some(protocol) = seen else { return };
        self.reader = protocol.and_then(filter_of).map_or(Reader::None, Reader::Of);
        if let Reader::None = self.reader {
            decide.unread();
        }
    }
}

impl Filter for SeenFilter {
    fn on_bytes(&mut self, direction: Direction, bytes: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        self.choose(direction, bytes, decide);
        match &mut self.reader {
            Reader::Open => {}
            Reader::Of(filter) => filter.on_bytes(direction, bytes, decide, steps),
            Reader::None => steps.push(Step::Pass(direction, StreamId::CONNECTION, bytes.len())),
        }
    }

    fn on_end(&mut self, direction: Direction, left: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        match &mut self.reader {
            Reader::Of(filter) => filter.on_end(direction, left, decide, steps),
            Reader::Open | Reader::None => self.reader = Reader::None,
        }
    }

    fn on_released(
        &mut self,
        direction: Direction,
        stream: StreamId,
        left: &[u8],
        decide: &mut dyn Decide,
        steps: &mut Vec<Step>,
    ) {
        if let Reader::Of(filter) = &mut self.reader {
            filter.on_released(direction, stream, left, decide, steps);
        }
    }

    fn on_change(&mut self, direction: Direction, left: &[u8], decide: &mut dyn Decide, steps: &mut Vec<Step>) {
        if let Reader::Of(filter) = &mut self.reader {
            filter.on_change(direction, left, decide, steps);
        }
    }

    fn under_way(&self) -> Vec<Attribution> {
        if let Reader::Of(filter) = &self.reader { filter.under_way() } else { Vec::new() }
    }

    fn is_lost(&self) -> bool {
        match &self.reader {
            Reader::Open => false,
            Reader::Of(filter) => filter.is_lost(),
            Reader::None => true,
        }
    }

    fn unreadable(&self) -> Unreadable {
        if let Reader::Of(filter) = &self.reader { filter.unreadable() } else { Unreadable::OtherProtocol }
    }

    fn has_counted(&self) -> bool {
        matches!(&self.reader, Reader::Of(filter) if filter.has_counted())
    }

    fn words(&self, response: &[u8]) -> String {
        if let Reader::Of(filter) = &self.reader { filter.words(response) } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read_where_its_beginning_leaves_no_doubt() {
        assert_eq!(SEEN.check(), Ok(()));
        let see = |bytes: &[u8]| SeenFilter::see(bytes);
        assert_eq!(see(b"*1\r\n$4\r\nPING\r\n"), Some(Some(Protocol::REDIS)));
        assert_eq!(see(b"GET / HTTP/1.1\r\nhost: a\r\n"), Some(Some(Protocol::HTTP)));
        assert_eq!(see(b"GET / HTT"), None, "the line may go on");
        assert_eq!(see(b"12345"), Some(None), "nothing that could go on as either is waited for");
        assert_eq!([&b"PING"[..], b"HELLO WORLD", b"x", b"GET a"].map(recognise), [Recognised::No; 4]);
        assert_eq!(see(b"EHLO mail.example\r\n"), Some(None), "SMTP");
        assert_eq!(see(b"GET a\r\n"), Some(None), "an inline command, or anything");
        assert_eq!(see(&[b"GET /".to_vec(), vec![b'a'; LONGEST_LINE]].concat()), Some(None));
        assert_eq!([b"G".as_slice(), b"*", b""].map(recognise), [Recognised::More; 3]);
        assert_eq!(recognise(b"\0\0\0\x08\x04\xd2\x16\x2f"), Recognised::No, "PostgreSQL");
    }
}
