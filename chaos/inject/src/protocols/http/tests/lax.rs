//! Tests of messages that are no good HTTP, and that all read alike who get them: faults act on them.

use super::{Wire, canned, edit, plan};
use crate::{
    protocol::Unreadable,
    protocols::http::plan::{EarlyEnd, HttpPlan},
};
use chaos_model::{
    Direction,
    effect::action::{BodyEdit, HeaderEdit},
};

/// Requests as nginx takes them.
#[test]
fn a_status_stands_in_for_what_servers_take() {
    let long = format!("GET /x HTTP/1.1\r\nCookie: {}\r\n\r\n", "a".repeat(200_000));
    let requests: [&[u8]; 13] = [
        b"GET /x HTTP/1.1\nHost: a\n\n",
        b"\nGET /x HTTP/1.1\nHost: a\n\n",
        b"GET   /x   HTTP/1.1 \r\n\r\n",
        b"GET /x HTTP/1.1\r\nX-A : 1\r\n\r\n",
        b"GET /x HTTP/1.1\r\nno field\r\n: none\r\nx y: z\r\n\r\n",
        b"GET /x HTTP/1.1\r\nx: \0\x01\xff\r\n\r\n",
        b"GET /x HTTP/1.1\r\nx: a\r\n b\r\n\r\n",
        b"GET /x HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n.",
        b"GET /x HTTP/1.1\r\ncontent-length: 1, 1\r\n\r\n.",
        b"GET /x HTTP/1.7\r\n\r\n",
        b"get /x HTTP/1.1\r\n\r\n",
        b"M-SEARCH /x HTTP/1.1\r\n\r\n",
        long.as_bytes(),
    ];
    for request in requests {
        for pieces in [1, 1000, usize::MAX] {
            let mut wire = Wire::planned(canned(503, "no"));
            request.chunks(pieces).for_each(|piece| wire.send(Direction::Upstream, piece));
            let shown = request[..request.len().min(80)].escape_ascii();
            assert!(wire.sent_down().starts_with("HTTP/1.1 503 ") && wire.fired == 1, "{shown}");
            assert!(wire.up.out.is_empty() && wire.is_settled(), "{shown}");
        }
    }
}

#[test]
fn a_target_has_any_bytes() {
    let target = b"/caf\xe9/\xff\x01|\"<>{}^`\\ \t#?\xe9=\xc3\xa9";
    let mut wire = Wire::with(|_| HttpPlan::default());
    wire.send(Direction::Upstream, &[b"GET ", &target[..], b" HTTP/1.1\r\n\r\n"].concat());
    assert_eq!(wire.decisions.asked, [format!("GET {}", String::from_utf8_lossy(target))]);
}

/// Responses as user agents take them, all with `ok` as their body; and whether that ends with the connection.
const RESPONSES: [(&str, bool); 14] = [
    ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok", false),
    ("HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok", false),
    ("HTTP/1.1 200 OK\r\ncontent-length: 7\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: x\r\n\r\n2\r\nok\r\n0\r\n\r\n", false),
    ("HTTP/1.1 200 OK\r\nx-a : 1\r\ncontent-length : 2\r\n\r\nok", false),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding\t: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false),
    ("HTTP/1.1 200 OK\ncontent-length: 2\n\nok", false),
    ("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false),
    ("HTTP/1.0 200 OK\r\n\r\nok", true),
    ("HTTP/1.1 200\r\n\r\nok", true),
    ("HTTP/1.1 999 Denied\r\ncontent-length: 2\r\n\r\nok", false),
    ("HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\tc\r\ncontent-length: 2\r\n\r\nok", false),
    ("HTTP/1.1  200 OK\r\nno field\r\nx y: z\r\nx: \0\u{7f}\r\ncontent-length: 2\r\n\r\nok", false),
    ("\r\nHTTP/1.1 200 \u{e9}\r\ncontent-length: 2\r\n\r\nok", false),
];

#[test]
fn a_response_that_user_agents_take_is_changed() {
    for (response, until_close) in RESPONSES {
        for pieces in [1, usize::MAX] {
            let mut wire = Wire::planned(edit(&[BodyEdit::Replace("other".to_owned())]));
            wire.up("GET /x HTTP/1.1\r\n\r\n");
            response.as_bytes().chunks(pieces).for_each(|piece| wire.send(Direction::Downstream, piece));
            let sent = wire.sent_down();
            assert!(sent.contains("other") && !sent.ends_with("ok") && wire.fired > 0, "{response:?}: {sent:?}");
            assert!(wire.ended.is_some() == until_close && wire.spared.is_empty(), "{response:?}");
            assert!(until_close || wire.is_settled(), "{response:?}");
        }
    }
}

#[test]
fn a_response_to_which_nothing_happens_passes_and_ends_where_it_does() {
    for (response, _) in RESPONSES.into_iter().filter(|(_, until_close)| !until_close) {
        let mut wire = Wire::planned(canned(503, "no"));
        wire.up("GET / HTTP/1.1\r\n\r\n");
        response.as_bytes().chunks(1).for_each(|piece| wire.send(Direction::Downstream, piece));
        assert!(wire.sent_down() == response && wire.is_settled(), "{response:?}");
        wire.up("GET /x HTTP/1.1\r\n\r\n");
        assert!(wire.sent_down().ends_with("no"), "{response:?}");
    }
}

#[test]
fn a_response_has_a_head_of_256_kib() {
    let field = format!("x: {}\r\n", "a".repeat(250_000));
    let response = format!("HTTP/1.1 200 OK\r\n{field}content-length: 2\r\n\r\nok");
    let header = HeaderEdit { name: "x".to_owned(), value: None };
    let mut wire = Wire::planned(HttpPlan { head: vec![header], ..plan() });
    wire.up("GET /x HTTP/1.1\r\n\r\n");
    wire.down(&response);
    assert_eq!(wire.sent_down(), response.replace(&field, ""));
}

/// One odd message, then good ones: these meet what faults do.
#[test]
fn track_is_kept_where_the_end_of_an_odd_request_is_sure() {
    // Some end a line at CR alone, and find other fields.
    let odd = "POST /x HTTP/1.1\r\nx: a\rb: c\r\ncontent-length: 2\r\n\r\nok";
    let mut wire = Wire::planned(canned(503, "no"));
    wire.up(&format!("{odd}GET /x HTTP/1.1\r\n\r\n"));
    assert_eq!((wire.sent_up(), wire.decisions.spared.as_slice()), (odd, &[(Unreadable::UnreadableHead, 1)][..]));
    wire.down("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    assert!(wire.sent_down().ends_with("no") && wire.fired == 1 && wire.is_settled());
}

#[test]
fn track_is_kept_where_the_end_of_an_odd_response_is_sure() {
    let odd = "HTTP/1.1 200 OK\r\nx: a\nb: c\r\ncontent-length: 2\r\n\r\nok";
    let mut wire = Wire::planned(HttpPlan { ending: Some(EarlyEnd::CloseInstead), ..plan() });
    wire.up("GET /x HTTP/1.1\r\n\r\n");
    wire.down(odd);
    assert_eq!((wire.sent_down(), wire.fired, wire.spared.as_slice()), (odd, 0, &[Unreadable::UnreadableHead][..]));
    wire.up("GET /x HTTP/1.1\r\n\r\n");
    wire.down(&odd.replace('\n', "").replace('\r', "\r\n"));
    assert!(wire.ended.is_some() && wire.fired == 1, "the next one is met");
}

#[test]
fn a_response_without_a_body_needs_no_framing() {
    for (request, response) in [
        ("GET", "HTTP/1.1 304 .\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 .\r\ntransfer-encoding: identity\r\n\r\n"),
    ] {
        let mut wire = Wire::idle();
        wire.up(&format!("{request} / HTTP/1.1\r\n\r\n"));
        wire.down(response);
        assert!(wire.is_settled(), "{response}");
    }
}
