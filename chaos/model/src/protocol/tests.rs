use super::*;
use crate::{Image, Start};
use std::collections::BTreeSet;

#[test]
fn names_schemes_and_alpn_names_are_each_one_protocols() {
    let mut seen = BTreeSet::new();
    for row in Protocol::ALL {
        assert!(seen.insert(row.name), "{row}");
        let others = row.schemes.iter().map(|scheme| scheme.name).filter(|name| *name != row.name);
        others.chain(row.alpn.iter().copied()).for_each(|name| assert!(seen.insert(name), "{name}"));
    }
    for name in ABSENT.iter().flat_map(|absent| absent.names) {
        assert!(Protocol::ALL.iter().all(|row| row.name != *name), "{name} is here");
    }
}

#[test]
fn whoever_has_messages_has_words_for_them_and_effects_on_them() {
    for row in Protocol::ALL {
        assert_eq!(row.check(), Ok(()));
    }
    // Rows in which one thing is wrong.
    static NO_CONNECTIONS: Row = Row { levels: &[], ..tcp::ROW };
    static SERVICES: Row = Row { levels: &[Level::Connections, Level::Services], ..tcp::ROW };
    static NO_WORDS: Row = Row { levels: &[Level::Connections, Level::Messages], ..tcp::ROW };
    static NO_KEYS: Row = Row { words: http::ROW.words, ..NO_WORDS };
    for (row, wrong) in [
        (&NO_CONNECTIONS, "its levels lack `Connections`"),
        (&SERVICES, "`Services` is none of its levels"),
        (&NO_WORDS, "where its messages have words"),
        (&NO_KEYS, "chosen by keys of `only`"),
    ] {
        let found = Protocol::new(row).check().unwrap_err();
        assert!(found.starts_with("the protocol `tcp`: ") && found.contains(wrong), "{found}");
    }
}

#[test]
fn programs_speak_what_their_names_say() {
    let usual = |start| Protocol::usual(&start, Protocol::ALL);
    assert_eq!(usual(Start::Program("redis-built-in".to_owned())), Protocol::REDIS);
    assert_eq!(usual(Start::Program("gateway".to_owned())), Protocol::HTTP);
    assert_eq!(usual(Start::Command(vec![])), Protocol::TCP);
    let image = Image { reference: "redis:7.2".to_owned(), command: vec![], port: None };
    assert_eq!(usual(Start::Image(image)), Protocol::TCP);
}

#[test]
fn connections_are_recognised_by_their_first_bytes() {
    use Recognised::{More, No, Yes};
    for (protocol, bytes, expected) in [
        (Protocol::HTTP, &b""[..], More),
        (Protocol::HTTP, b"P", More),
        (Protocol::HTTP, b"PATCH", More),
        (Protocol::HTTP, b"GET /", Yes),
        (Protocol::HTTP, b"PRI * HTTP/2.0\r\n", No),
        (Protocol::HTTP, b"*1\r\n", No),
        (Protocol::HTTP, b"\x16\x03\x01", No),
        (Protocol::HTTP, &[b'A'; 40], No),
        (Protocol::REDIS, b"*", More),
        (Protocol::REDIS, b"*3\r\n$3", Yes),
        (Protocol::REDIS, b"GET / HTTP/1.1", No),
        (Protocol::REDIS, b"GET a\r\n", Yes),
        (Protocol::REDIS, b"\r\nGET", No),
        (Protocol::REDIS, b"\x16\x03\x01", No),
        (Protocol::TCP, b"\0", Yes),
    ] {
        assert_eq!((protocol.recognise)(bytes), expected, "{protocol} {}", bytes.escape_ascii());
    }
    for (bytes, expected) in [(&b"\x16"[..], More), (b"\x16\x03\x01", Yes), (b"GET", No), (b"\x16\x02\x01", No)] {
        assert_eq!(Transport::Tls.recognise(bytes), expected, "{}", bytes.escape_ascii());
    }
}
