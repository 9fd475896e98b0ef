//! Tests of messages to which nothing happens: each way of framing one.

use super::Wire;
use crate::protocol::{Filter as _, Key};
use crate::protocols::http::plan::HttpPlan;
use chaos_model::{Direction, KeyKind};

/// Requests and their responses: after each pair, both have been read to their ends, and all has passed.
fn pass(pairs: &[(&str, &str)]) {
    for armed in [false, true] {
        for step in [1, 7, usize::MAX] {
            let mut wire = Wire::with(|_| HttpPlan::default());
            wire.decisions.armed = armed;
            let (mut asked, mut responded) = (String::new(), String::new());
            for (request, response) in pairs {
                asked += request;
                request.as_bytes().chunks(step).for_each(|piece| wire.send(Direction::Upstream, piece));
                assert_eq!(wire.sent_up(), asked);
                assert_eq!(wire.filter.exchanges.len(), 1, "{request}");
                let (most, last) = response.split_at(response.len() - 1);
                most.as_bytes().chunks(step).for_each(|piece| wire.send(Direction::Downstream, piece));
                responded += most;
                assert_eq!(wire.sent_down(), responded, "not held back");
                assert!(!wire.is_settled(), "{response}");
                wire.down(last);
                responded += last;
                assert_eq!(wire.sent_down(), responded);
                assert!(wire.is_settled(), "{response}");
            }
            assert_eq!(wire.decisions.asked.len(), if armed { pairs.len() } else { 0 });
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[test]
fn lengths() {
    pass(&[
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", OK),
        ("POST /a?b=c HTTP/1.1\r\ncontent-length: 5\r\n\r\n12345", "HTTP/1.1 201\r\nContent-Length:  0\r\n\r\n"),
        ("GET /body HTTP/1.1\r\nCONTENT-LENGTH:3\t\r\n\r\n\r\n\r", OK),
        ("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-length: 1\r\n\r\n."),
    ]);
}

#[test]
fn chunks_with_extensions_and_trailers() {
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n\
                  00a;name=\"value\";b\r\n0\r\n\r\n56789\r\n1 \r\n.\r\n000 ; last\r\nDigest: x\r\nb: 0\r\n c\r\n\r\n";
    pass(&[
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nf\r\nGET / HTTP/1.1\r\r\n0\r\n\r\n", response),
        ("GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: b\r\n\r\n", OK),
    ]);
}

#[test]
fn answers_without_a_body_whatever_they_say() {
    pass(&[
        ("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n"),
        ("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        ("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 304 Not Modified\r\ncontent-length: 2000\r\n\r\n"),
        ("DELETE / HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET / HTTP/1.1\r\n\r\n", OK),
    ]);
}

#[test]
fn interim_answers() {
    let many = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(20);
    let early = format!("HTTP/1.1 100 Continue\r\n\r\n{many}{OK}");
    pass(&[
        ("POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\nbody", &early),
        ("HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"),
    ]);
}

#[test]
fn odd_and_legal_heads() {
    let fields = (0..200).map(|nth| format!("x-{nth}: {nth}\r\n")).collect::<String>();
    let many = format!("GET / HTTP/1.1\r\n{fields}\r\n");
    let many_back = format!("HTTP/1.1 200 OK\r\n{fields}content-length: 2\r\n\r\nok");
    pass(&[
        (&many, &many_back),
        ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", OK),
        (
            "GET / HTTP/1.1\r\nx: a\r\n\tb\r\n  c\r\nempty:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\nok",
        ),
        (
            "PRI!#$%&'*+-.^_`|~ http://user@host:1/a HTTP/1.1\r\nx: \u{e9}\r\n\r\n",
            "HTTP/1.1 299 \u{e9}\r\ncontent-length: 2\r\n\r\nok",
        ),
        ("OPTIONS * HTTP/1.1\r\n\r\n", "HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nok"),
    ]);
}

#[test]
fn a_request_is_held_until_its_head_is_complete_and_its_body_is_not() {
    let mut wire = Wire::idle();
    wire.up("POST / HTTP/1.1\r\ncontent-length: 9\r\n\r");
    assert_eq!(wire.sent_up(), "");
    wire.up("\n1");
    assert!(wire.sent_up().ends_with("\r\n\r\n1"));
    wire.up("2345");
    assert!(wire.sent_up().ends_with("12345"));
}

#[test]
fn pipelined_requests_and_their_responses_in_order() {
    let mut wire = Wire::with(|_| HttpPlan::default());
    let asked = "HEAD /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\ncontent-length: 1\r\n\r\n.GET /3 HTTP/1.1\r\n\r\n";
    wire.up(asked);
    assert_eq!((wire.sent_up(), wire.filter.exchanges.len()), (asked, 3));
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\nHTTP/1.1 304 .\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n3";
    wire.down(response);
    assert_eq!(wire.decisions.asked, ["HEAD /1", "POST /2", "GET /3"]);
    assert_eq!(wire.sent_down(), response);
    assert!(wire.is_settled());
}

#[test]
fn a_response_may_come_before_the_request_is_complete() {
    let mut wire = Wire::idle();
    wire.up("POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n12345");
    wire.down("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n");
    wire.up("6789GET /2 HTTP/1.1\r\n\r\n");
    wire.down(OK);
    assert!(wire.is_settled());
}

#[test]
fn a_body_up_to_the_end_of_the_stream() {
    for head in ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"] {
        let mut wire = Wire::idle();
        wire.up("GET / HTTP/1.1\r\n\r\n");
        wire.down(head);
        wire.down("HTTP/1.1 200 OK\r\n\r\nstill the body");
        assert!(!wire.is_lost() && !wire.is_settled());
        wire.end(Direction::Downstream);
        assert!(wire.sent_down().ends_with("still the body"));
    }
}

#[test]
fn what_is_left_at_the_end_of_a_stream_passes() {
    let mut wire = Wire::planned(super::plan());
    wire.up("GET /x HTTP/1.1\r\n\r\nGET / HT");
    wire.end(Direction::Upstream);
    assert!(wire.sent_up().ends_with("GET / HT"));
    wire.down("HTTP/1.1 200 O");
    assert_eq!(wire.sent_down(), "");
    wire.end(Direction::Downstream);
    assert_eq!(wire.sent_down(), "HTTP/1.1 200 O");
}

#[test]
fn upgrades_and_tunnels_pass_both_ways() {
    let upgrade = ("GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n");
    let tunnel = ("CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n");
    for (request, response) in [upgrade, tunnel] {
        let mut wire = Wire::with(|_| HttpPlan::default());
        wire.up(request);
        wire.down(response);
        wire.up("GET / HTTP/1.1\r\n");
        assert_eq!(wire.sent_up(), format!("{request}GET / HTTP/1.1\r\n"));
        wire.down("GET?\n\n\0");
        assert_eq!(wire.sent_down(), format!("{response}GET?\n\n\0"));
        assert!(wire.is_lost());
    }
}

#[test]
fn an_upgrade_or_tunnel_that_is_refused_stays_http() {
    pass(&[
        ("CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 407 No\r\ncontent-length: 2\r\n\r\nno"),
        ("GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", OK),
        ("GET / HTTP/1.1\r\n\r\n", OK),
    ]);
}

#[test]
fn what_is_sent_into_a_tunnel_before_it_is_there_passes() {
    let mut wire = Wire::idle();
    wire.up("CONNECT a:1 HTTP/1.1\r\n\r\nGET /");
    assert!(wire.sent_up().ends_with("GET /"));
    wire.down("HTTP/1.1 200 OK\r\n\r\n\u{16}");
    assert!(wire.sent_down().ends_with("\n\u{16}") && wire.is_lost());
}

#[test]
fn decisions_are_given_what_was_sent() {
    let mut wire = Wire::with(|_| HttpPlan::default());
    wire.up(
        "PUT http://a:1/b?c HTTP/1.1\r\nX-A: 1\r\nx-b: 2\r\nbaggage: a=1\r\nBaggage: chaos.request=\r\n\t  00000000000000ab-3-0\r\n\r\n",
    );
    assert_eq!(wire.decisions.asked, ["PUT /b?c"]);
    let numbered = Key::new(KeyKind::NumberedRequest, &[b"numbered", &3_u64.to_le_bytes(), b"PUT", b"/b?c"]);
    assert_eq!(wire.decisions.keys, [numbered]);
    // A stranger's number, or one of another run, is none.
    for number in ["3", "00000000000000ac-3-0"] {
        let mut wire = Wire::with(|_| HttpPlan::default());
        wire.up(&format!("PUT /b?c HTTP/1.1\r\nbaggage: chaos.request={number}\r\n\r\n"));
        assert_eq!(wire.decisions.keys, [Key::new(KeyKind::Request, &[b"request", b"PUT", b"/b?c", b""])]);
    }
}

#[test]
fn a_decision_waits_for_a_body_where_it_needs_it() {
    let mut wire = Wire::with(|_| HttpPlan::default());
    wire.decisions.wants_body = true;
    wire.up("POST /1 HTTP/1.1\r\ncontent-length: 4\r\n\r\nbod");
    assert_eq!((wire.sent_up(), wire.decisions.asked.len()), ("", 0));
    wire.up("y");
    assert!(wire.sent_up().ends_with("body"));
    for head in [
        "baggage: chaos.request=00000000000000ab-7-0\r\ncontent-length: 2",
        "expect: 100-continue\r\ncontent-length: 2",
        "content-length: 65537",
        "transfer-encoding: chunked",
    ] {
        wire = Wire { decisions: wire.decisions, ..Wire::idle() };
        wire.up(&format!("POST / HTTP/1.1\r\n{head}\r\n\r\n"));
        assert!(wire.sent_up().ends_with("\r\n\r\n"), "{head}");
    }
    wire = Wire { decisions: wire.decisions, ..Wire::idle() };
    wire.up("GET / HTTP/1.1\r\n\r\n");
    let of =
        |method: &[u8], target: &[u8], body: &[u8]| Key::new(KeyKind::Request, &[b"request", method, target, body]);
    assert_eq!(wire.decisions.keys[0], of(b"POST", b"/1", b"body"));
    assert_eq!(
        wire.decisions.keys[2..],
        [of(b"POST", b"/", b""), of(b"POST", b"/", b""), of(b"POST", b"/", b""), of(b"GET", b"/", b"")]
    );
}

#[test]
fn a_decision_stops_waiting_when_no_fault_is_left() {
    let mut wire = Wire::with(|_| HttpPlan::default());
    wire.decisions.wants_body = true;
    wire.up("POST /1 HTTP/1.1\r\ncontent-length: 4\r\n\r\nb");
    wire.decisions.armed = false;
    wire.up("o");
    assert!(wire.sent_up().ends_with("bo") && wire.decisions.asked.is_empty());
    wire.up("dyGET / HTTP/1.1\r\n\r\n");
    assert_eq!(wire.filter.exchanges.len(), 2);
}

#[test]
fn responses_are_told_by_their_first_line() {
    let wire = Wire::idle();
    assert_eq!(wire.filter.words(b"HTTP/1.1 503 Service Unavailable\r\n"), "503");
    assert_eq!(wire.filter.words(b"HTTP/1"), "a response");
}
