//! Tests of messages that two readers might read in two ways (RFC 9112, sections 6.3 and 11): they pass, and the filter
//! is lost, and says by what.

use super::{Wire, canned, plan};
use crate::{
    protocol::{Filter as _, Unreadable},
    protocols::http::plan::HttpPlan,
};
use chaos_model::Direction;

/// The filter takes no part in this, passes it as soon as it shows, and counts it.
fn lost(direction: Direction, bytes: &[u8], why: Unreadable) {
    for pieces in [1, 5, usize::MAX] {
        let mut wire = Wire::with(|_| canned(500, ""));
        if direction == Direction::Downstream {
            wire = Wire::planned(plan());
            wire.up("GET /x HTTP/1.1\r\n\r\n");
        }
        bytes.chunks(pieces).for_each(|piece| wire.send(direction, piece));
        let came = String::from_utf8_lossy(bytes);
        assert!(wire.is_lost(), "{came:?}");
        assert_eq!(wire.side(direction).out, bytes, "{came:?}");
        assert_eq!(wire.fired, 0, "{came:?}");
        let (unknown, known) =
            if direction == Direction::Upstream { (vec![(why, 1)], vec![]) } else { (vec![], vec![why]) };
        assert_eq!((wire.decisions.spared, wire.spared), (unknown, known), "{came:?}");
        assert_eq!(wire.filter.unreadable(), why, "{came:?}");
    }
}

/// Framing that neither servers nor user agents read alike.
const UNCLEAR: [&str; 27] = [
    "content-length: 5\r\nContent-Length: 6",
    "content-length: 5, 6",
    "content-length: 5,",
    "content-length: +5",
    "content-length: -5",
    "content-length: 0x5",
    "content-length: 5 5",
    "content-length:",
    "content-length: 18446744073709551616",
    "content-length:\r\n 5",
    "content-length: 5\r\n 6",
    "content_length: 5",
    "content\0-length: 5",
    "transfer-encoding: chunked, identity",
    "transfer-encoding: chunked, chunked",
    "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
    "transfer-encoding: identity",
    "transfer-encoding: gzip",
    "transfer-encoding: chunked;q=1",
    "transfer-encoding: \"chunked\"",
    "transfer-encoding:\r\n chunked",
    "transfer-encoding: \u{b}chunked",
    " content-length: 5",
    "x: a\r\n \r\ncontent-length: 5",
    "x: a\ncontent-length: 5",
    "x: a\rcontent-length: 5",
    "x: a\r",
];

#[test]
fn framing_that_is_not_clear() {
    for fields in UNCLEAR {
        let (request, response) =
            (format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n"), format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"));
        lost(Direction::Upstream, request.as_bytes(), Unreadable::AmbiguousLength);
        lost(Direction::Downstream, response.as_bytes(), Unreadable::AmbiguousLength);
    }
}

/// The ways in which requests are smuggled past one server to another.
#[test]
fn framing_of_requests_that_servers_read_differently() {
    for (minor, fields) in [
        (1, "content-length: 5\r\ntransfer-encoding: chunked"),
        (1, "transfer-encoding: chunked\r\ncontent-length: 5"),
        (1, "transfer-encoding : chunked"),
        (1, "content-length : 5"),
        (1, "x: a\r\n content-length: 5"),
        (1, "x: a\r\n\tTransfer_Encoding: chunked"),
        (0, "transfer-encoding: chunked"),
    ] {
        let request = format!("POST / HTTP/1.{minor}\r\n{fields}\r\n\r\n");
        lost(Direction::Upstream, request.as_bytes(), Unreadable::AmbiguousLength);
    }
}

#[test]
fn what_is_not_http_1_passes_as_soon_as_it_shows() {
    let requests: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00",
        b"PRI * HTTP/2.0\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"PING\r\n",
        b"GET /\r\n",
        b"GET / HTTP/1.1x\r\n",
        b"\r\n GET / HTTP/1.1\r\n",
    ];
    for bytes in requests {
        lost(Direction::Upstream, bytes, Unreadable::UnreadableHead);
    }
    for bytes in ["HTTP/2 200\r\n", "ICY 200 OK\r\n", "HTTP/1.1 99 .\r\n", "220 mail\r\n", "HTTP/1.1 2000\r\n"] {
        lost(Direction::Downstream, bytes.as_bytes(), Unreadable::UnreadableHead);
    }
}

#[test]
fn a_head_may_be_so_long_and_no_longer() {
    let head = |length: usize| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(length - 23)).into_bytes();
    let mut wire = Wire::with(|_| HttpPlan::default());
    head(256 * 1024).chunks(1000).for_each(|piece| wire.send(Direction::Upstream, piece));
    assert_eq!((wire.decisions.asked.len(), wire.up.out.len()), (1, 256 * 1024));
    lost_in_one_and_in_many(&head(256 * 1024 + 1));
}

fn lost_in_one_and_in_many(bytes: &[u8]) {
    for pieces in [4096, usize::MAX] {
        let mut wire = Wire::with(|_| canned(500, ""));
        bytes.chunks(pieces).for_each(|piece| wire.send(Direction::Upstream, piece));
        assert!(wire.is_lost() && wire.up.out == bytes);
        assert_eq!(wire.decisions.spared, [(Unreadable::LongHead, 1)]);
    }
}

#[test]
fn chunks_that_are_not_clear_pass() {
    let sizes =
        ["", "g", "-1", "+1", " 1", "0x1", "1_0", "10000000000000001", "1;a=\n", "1;\0", "1;\u{7f}", "1 1", "1\r"];
    let with_size = sizes.map(|size| format!("{size}\r\na\r\n0\r\n\r\n"));
    let whole =
        ["1\na\r\n0\r\n\r\n", "1\r\na\n0\r\n\r\n", "1\r\nax\n0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n", "1\r\na0\r\n\r\n"];
    let trailers = ["a: b\n\r\n", "\n", "a\r\r\n", "a: \0\r\n\r\n"].map(|trailers| format!("0\r\n{trailers}"));
    for chunks in with_size.into_iter().chain(whole.map(str::to_owned)).chain(trailers) {
        for (direction, start) in [(Direction::Upstream, "POST / HTTP/1.1"), (Direction::Downstream, "HTTP/1.1 200 OK")]
        {
            for pieces in [1, usize::MAX] {
                let mut wire = Wire::with(|_| HttpPlan::default());
                wire.up(if direction == Direction::Downstream { "GET / HTTP/1.1\r\n\r\n" } else { "" });
                let came = format!("{start}\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
                let before = wire.side(direction).out.len();
                came.as_bytes().chunks(pieces).for_each(|piece| wire.send(direction, piece));
                assert_eq!(&wire.side(direction).out[before..], came.as_bytes());
                let lost = if direction == Direction::Upstream { wire.filter.up.is_lost() } else { wire.is_lost() };
                assert!(lost, "{chunks:?}");
            }
        }
    }
}

#[test]
fn a_response_to_what_the_service_was_not_asked_passes() {
    let mut wire = Wire::planned(canned(500, ""));
    wire.up("POST /x HTTP/1.1\r\ncontent-length: 2\r\n\r\n.");
    let response = "HTTP/1.1 408 Timeout\r\nconnection: close\r\n\r\n";
    wire.down(response);
    assert_eq!((wire.sent_down(), wire.fired), (response, 0));
    assert!(wire.is_lost());
}

#[test]
fn answers_that_are_owed_come_when_a_later_request_is_not_understood() {
    let mut wire = Wire::planned(canned(503, "no"));
    wire.up("GET /y HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\nGET\n");
    wire.down("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    assert!(wire.sent_up().ends_with("GET\n"));
    assert!(wire.sent_down().contains("\r\n\r\nokHTTP/1.1 503 ") && wire.is_lost());
    wire.down("400!");
    assert!(wire.sent_down().ends_with("no400!"));
}

#[test]
fn a_response_to_nothing_passes() {
    let mut wire = Wire::with(|_| canned(500, ""));
    wire.up("GET /");
    wire.down("HTTP/1.1 408 Timeout\r\nconnection: close\r\n\r\n");
    assert!(wire.is_lost());
    assert_eq!(wire.sent_up(), "GET /");
}

#[test]
fn a_pipeline_is_kept_track_of_whatever_its_length() {
    let mut wire = Wire::with(|target| if target == "/x" { canned(503, "no") } else { HttpPlan::default() });
    let request = "GET / HTTP/1.1\r\n\r\n";
    wire.up(&request.repeat(20_000));
    wire.up("GET /x HTTP/1.1\r\n\r\n");
    assert_eq!(wire.filter.exchanges.len(), 20_001);
    assert_eq!(wire.filter.exchanges.iter().count(), 2, "those that are alike are one");
    let response = "HTTP/1.1 204 .\r\n\r\n";
    wire.down(&response.repeat(20_000));
    assert!(wire.sent_down().starts_with(&response.repeat(20_000)) && wire.sent_down().ends_with("no"));
    assert!(wire.is_settled());
}

#[test]
fn what_faults_were_to_do_behind_a_response_that_is_not_understood_is_counted() {
    let mut wire = Wire::planned(plan());
    wire.up("GET /y HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\n");
    wire.down("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc");
    assert!(wire.is_lost());
    assert_eq!(wire.spared, [Unreadable::AmbiguousLength; 2], "the first was no fault's");
}

#[test]
fn nobody_is_spared_where_the_service_only_ends_its_stream() {
    let mut wire = Wire::planned(plan());
    wire.up("GET /x HTTP/1.1\r\n\r\n");
    wire.end(Direction::Downstream);
    assert_eq!((wire.spared, wire.fired), (vec![], 0));
}
