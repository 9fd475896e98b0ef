//! Tests of faults on responses: in the service's place, later, with another head, not at all.

use super::{Wire, canned, delayed, plan, reader};
use crate::{
    active::Active,
    ending::Ending,
    protocol::Decision,
    protocols::http::plan::{EarlyEnd, HttpPlan},
};
use chaos_model::Direction;
use chaos_model::effect::{
    Action, MessageAction, MessageEnding,
    action::{BodyEdit, CannedResponse, HeaderEdit, HttpAction, Part, Throughput},
};
use std::time::Duration;

const X: &str = "GET /x HTTP/1.1\r\n\r\n";
const Y: &str = "GET /y HTTP/1.1\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// After all, a request and its response pass as ever.
fn goes_on(wire: &mut Wire) {
    let before = (wire.up.out.len(), wire.down.out.len());
    assert!(wire.is_settled() && wire.ended.is_none());
    wire.up(Y);
    wire.down(OK);
    assert_eq!((&wire.sent_up()[before.0..], &wire.sent_down()[before.1..]), (Y, OK));
    assert!(wire.is_settled());
}

#[test]
fn a_response_in_the_services_place() {
    let mut wire = Wire::planned(canned(503, "no"));
    wire.up(X);
    let response = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno";
    assert_eq!((wire.sent_up(), wire.sent_down(), wire.fired), ("", response, 1));
    goes_on(&mut wire);
}

#[test]
fn a_response_in_the_services_place_comes_behind_the_requests_body() {
    for request in [
        "POST /x HTTP/1.1\r\ncontent-length: 6\r\n\r\nGET / ",
        "POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\na: b\r\n\r\n",
    ] {
        let mut wire = Wire::planned(canned(500, ""));
        let (most, last) = request.split_at(request.len() - 1);
        most.bytes().for_each(|byte| wire.send(Direction::Upstream, &[byte]));
        assert_eq!(wire.sent_down(), "");
        wire.up(last);
        assert_eq!(wire.sent_down(), "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(wire.sent_up(), "");
        goes_on(&mut wire);
    }
}

#[test]
fn a_client_that_waits_to_send_its_body_is_told_to() {
    let mut wire = Wire::planned(canned(500, ""));
    wire.up("POST /x HTTP/1.1\r\nExpect: 100-continue\r\ncontent-length: 4\r\n\r\n");
    assert_eq!(wire.sent_down(), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.up("bo");
    wire.up("dy");
    let (responses, rest) = reader::responses(&["POST"], &wire.down.out);
    assert_eq!((responses[0].status, responses[1].status, responses.len(), rest), (100, 500, 2, &b""[..]));
    goes_on(&mut wire);
}

#[test]
fn it_stands_where_it_belongs_among_pipelined_answers() {
    let mut wire = Wire::planned(canned(503, "no"));
    wire.up(&format!("{Y}{X}{X}HEAD /y HTTP/1.1\r\n\r\n{X}"));
    assert_eq!((wire.sent_up(), wire.sent_down()), (&*format!("{Y}HEAD /y HTTP/1.1\r\n\r\n"), ""));
    wire.down(&format!("{OK}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"));
    wire.down("\r\n");
    let (responses, rest) = reader::responses(&["GET", "GET", "GET", "HEAD", "GET"], &wire.down.out);
    let seen = responses.iter().map(|response| (response.status, response.text())).collect::<Vec<_>>();
    assert_eq!(seen, [(200, "ok"), (503, "no"), (503, "no"), (200, ""), (503, "no")]);
    assert_eq!((rest, wire.fired), (&b""[..], 3));
    goes_on(&mut wire);
}

#[test]
fn it_has_no_body_where_there_must_be_none() {
    let mut wire = Wire::planned(canned(200, "body"));
    wire.up("HEAD /x HTTP/1.1\r\n\r\n");
    assert_eq!(wire.sent_down(), "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\n");
    goes_on(&mut wire);
    let mut wire = Wire::planned(canned(204, ""));
    wire.up(X);
    assert_eq!(wire.sent_down(), "HTTP/1.1 204 No Content\r\n\r\n");
    goes_on(&mut wire);
}

#[test]
fn a_connection_that_the_client_wants_closed_is() {
    for request in ["GET /x HTTP/1.0\r\n\r\n", "GET /x HTTP/1.1\r\nConnection: x, Close\r\n\r\n"] {
        let mut wire = Wire::planned(canned(503, "no"));
        wire.up(request);
        assert!(wire.sent_down().ends_with("\r\nconnection: close\r\n\r\nno"));
        assert_eq!(wire.ended, Some(Ending::Close));
    }
}

#[test]
fn a_request_with_broken_chunks_is_answered_and_the_connection_ends() {
    let mut wire = Wire::planned(canned(503, "no"));
    wire.up("POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nGETGET / HTTP/1.1\r\n\r\n");
    assert_eq!((wire.sent_up(), wire.ended), ("", Some(Ending::Close)));
    assert!(wire.sent_down().starts_with("HTTP/1.1 503 "));
}

#[test]
fn a_response_begins_later() {
    let delay = Duration::from_millis(200);
    let mut wire = Wire::planned(delayed(plan(), delay));
    wire.up(X);
    let early = "HTTP/1.1 103 Early Hints\r\n\r\n";
    wire.down(&format!("{early}HTTP/1.1 200 OK\r\ncontent-length: 3\r\n"));
    assert_eq!((wire.sent_down(), wire.fired), (early, 0));
    wire.down("\r\n12");
    assert_eq!(wire.down.marks, [(early.len(), "200ms".to_owned())]);
    assert!(wire.sent_down().ends_with("\r\n\r\n12"));
    wire.down("3");
    assert_eq!(wire.fired, 1);
    goes_on(&mut wire);

    let mut wire = Wire::planned(delayed(canned(500, ""), delay));
    wire.up(X);
    assert_eq!(wire.down.marks, [(0, "200ms".to_owned())]);
    assert!(wire.sent_down().starts_with("HTTP/1.1 500 "));
}

fn set(name: &str, value: Option<&str>) -> HttpPlan {
    let edit = HeaderEdit { name: name.to_owned(), value: value.map(str::to_owned) };
    HttpPlan { head: vec![edit], ..plan() }
}

#[test]
fn headers_are_set_and_taken_away_and_all_else_stays_as_it_came() {
    let came = "HTTP/1.1 200  oK\r\nA:1\r\nX-B:  2\r\n  fold\r\nC : 3\r\ncontent-length:2\r\nx-b: 4\r\nD:\r\n\r\nok";
    let came = came.replace("C : 3\r\n", "C: 3 \r\n");
    for (plan, becomes) in [
        (set("x-b", Some("new")), came.replace("X-B:  2\r\n  fold\r\n", "x-b: new\r\n").replace("x-b: 4\r\n", "")),
        (set("x-b", None), came.replace("X-B:  2\r\n  fold\r\n", "").replace("x-b: 4\r\n", "")),
        (set("e", Some("")), came.replace("D:\r\n", "D:\r\ne: \r\n")),
        (set("e", None), came.clone()),
        (set("content-length", Some("7")), came.replace("content-length:2", "content-length: 7")),
        (set("transfer-encoding", Some("chunked")), came.replace("D:\r\n", "D:\r\ntransfer-encoding: chunked\r\n")),
        (set("Content-Length", None), came.replace("content-length:2\r\n", "")),
    ] {
        let mut wire = Wire::planned(plan);
        wire.up(X);
        came.bytes().for_each(|byte| wire.send(Direction::Downstream, &[byte]));
        // What is as it should be already was not changed.
        assert_eq!((wire.sent_down(), wire.fired), (&*becomes, usize::from(becomes != came)));
        goes_on(&mut wire);
    }
}

#[test]
fn a_field_that_is_as_it_should_be_stays_as_it_came() {
    let came = "HTTP/1.1 200 OK\r\nX-A:1\r\ncontent-length: 2\r\n\r\nok";
    let mut wire = Wire::planned(set("x-a", Some("1")));
    wire.up(X);
    wire.down(came);
    assert_eq!((wire.sent_down(), wire.fired), (came, 0));
}

/// Names of the faults that are told of a response to what several of them take.
fn told(actions: Vec<Action>, came: &str) -> Vec<String> {
    let all = actions
        .into_iter()
        .zip(1..)
        .fold(Decision::default(), |all, (action, n)| all.and(Active::doing(&format!("{n}"), action, None), None));
    let mut wire = Wire::deciding(all);
    wire.up(X);
    wire.down(came);
    wire.told
}

#[test]
fn faults_that_change_nothing_of_a_response_are_not_told() {
    let http = |http| Action { http: Some(http), ..Action::default() };
    let status = |status| {
        let response = CannedResponse { status, headers: vec![], body: String::new() };
        http(HttpAction { response: Some(response), ..HttpAction::default() })
    };
    let head = |name: &str, value: Option<&str>| {
        let edit = HeaderEdit { name: name.to_owned(), value: value.map(str::to_owned) };
        http(HttpAction { head: vec![edit], ..HttpAction::default() })
    };
    let body = |edit| http(HttpAction { body: Some(edit), ..HttpAction::default() });
    let rate = |bytes_per_second| body(BodyEdit::Trickle(Throughput { bytes_per_second }));
    let ends = |ending| Action {
        message: Some(MessageAction { ending: Some(ending), ..MessageAction::default() }),
        ..Action::default()
    };
    let keep = |bytes| body(BodyEdit::Shorten(Part::Bytes(bytes)));
    let replace = || body(BodyEdit::Replace("no".to_owned()));
    let instead = || ends(MessageEnding::Instead);
    let chunks = |text: &str| format!("{CHUNKS}{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    for (actions, came, expected) in [
        (vec![status(503), status(500)], String::new(), vec!["1"]),
        (vec![head("x-y", None), head("a", Some("b"))], OK.to_owned(), vec!["2"]),
        (vec![head("a", Some("1")), head("A", Some("2"))], OK.to_owned(), vec!["2"]),
        (vec![rate(9), rate(5), rate(7)], OK.to_owned(), vec!["2"]),
        (vec![instead(), ends(MessageEnding::In(Part::Bytes(1)))], OK.to_owned(), vec!["1"]),
        (vec![head("a", Some("b")), keep(1), instead()], OK.to_owned(), vec!["3"]),
        (vec![keep(1), replace()], OK.to_owned(), vec!["2"]),
        (vec![keep(2), keep(1)], OK.to_owned(), vec!["2"]),
        (vec![body(BodyEdit::Pad(2)), body(BodyEdit::Pad(3))], OK.to_owned(), vec!["2"]),
        // Of a body of unknown length it shows as it comes.
        (vec![keep(9), body(BodyEdit::Pad(3))], chunks("1234"), vec![]),
        (vec![keep(4)], chunks("1234"), vec![]),
        (vec![keep(3)], chunks("1234"), vec!["1"]),
        (vec![keep(4)], format!("{CHUNKS}4\r\n1234\r\n1\r\n5\r\n0\r\n\r\n"), vec!["1"]),
        (vec![body(BodyEdit::Pad(5))], chunks("1234"), vec!["1"]),
        (vec![body(BodyEdit::Garble { parts_per_million: 1 })], chunks("1234"), vec!["1"]),
        (vec![body(BodyEdit::Garble { parts_per_million: 1 })], format!("{CHUNKS}0\r\n\r\n"), vec![]),
        (vec![keep(1), replace()], chunks("1234"), vec!["2"]),
    ] {
        let words = format!("{actions:?} {came:?}");
        assert_eq!(told(actions, &came), expected, "{words}");
    }
}

#[test]
fn headers_of_a_response_in_the_services_place_are_set_too() {
    let mut wire = Wire::planned(HttpPlan { response: canned(200, "ok").response, ..set("content-type", Some("a/b")) });
    wire.up(X);
    assert_eq!(wire.sent_down(), "HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-length: 2\r\n\r\nok");
    goes_on(&mut wire);
}

#[test]
fn an_upgrade_is_delayed_and_then_passes() {
    let mut wire = Wire::planned(delayed(plan(), Duration::from_secs(1)));
    wire.up("GET /x HTTP/1.1\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    wire.down("HTTP/1.1 101 Switching\r\n\r\n\0\0");
    wire.up("\0");
    assert_eq!(wire.down.marks.len(), 1);
    assert!(wire.sent_down().ends_with("\r\n\r\n\0\0") && wire.sent_up().ends_with('\0'));
}

fn ending(ending: EarlyEnd) -> HttpPlan {
    HttpPlan { ending: Some(ending), ..plan() }
}

const LONG: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n";
const CHUNKS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[test]
fn the_connection_ends_before_the_response_does() {
    use EarlyEnd::{CloseIn, CloseInstead, ResetIn};
    let half = Part::PerMillion(500_000);
    let (head, close, reset) = (LONG.to_owned(), Ending::Close, Ending::Reset);
    for (plan, comes, ended) in [
        (CloseInstead, String::new(), close),
        (CloseIn(half), format!("{head}01234"), close),
        (ResetIn(half), format!("{head}01234"), reset),
        (CloseIn(Part::Bytes(0)), head.clone(), close),
        (ResetIn(Part::Bytes(3)), format!("{head}012"), reset),
        (CloseIn(Part::Bytes(99)), format!("{head}0123456789"), close),
    ] {
        for pieces in [1, 4, 100] {
            let mut wire = Wire::planned(ending(plan));
            wire.up(X);
            let came = format!("{LONG}0123456789{OK}");
            came.as_bytes().chunks(pieces).for_each(|piece| wire.send(Direction::Downstream, piece));
            assert_eq!((wire.sent_down(), wire.ended, wire.fired), (&*comes, Some(ended), 1));
            wire.up(Y);
            assert_eq!(wire.decisions.asked, ["GET /x"], "nothing is decided about what comes too late");
        }
    }
}

#[test]
fn it_ends_in_chunks_and_in_a_body_up_to_the_end_as_well() {
    let half = Part::PerMillion(500_000);
    for (part, text) in [(half, "01234"), (Part::Bytes(9), "012345678"), (Part::Bytes(99), "0123456789")] {
        let mut wire = Wire::planned(ending(EarlyEnd::ResetIn(part)));
        wire.up(X);
        wire.down(CHUNKS);
        "8\r\n01234567\r\n2\r\n89\r\n0\r\n\r\n".bytes().for_each(|byte| wire.send(Direction::Downstream, &[byte]));
        let (responses, _) = reader::responses(&["GET"], &wire.down.out);
        assert_eq!((responses[0].text(), responses[0].complete, wire.ended), (text, false, Some(Ending::Reset)));
    }
    let mut wire = Wire::planned(ending(EarlyEnd::ResetIn(Part::Bytes(99))));
    wire.up(X);
    wire.down("HTTP/1.1 200 OK\r\n\r\n0123");
    assert_eq!(wire.ended, None);
    wire.end(Direction::Downstream);
    assert_eq!((wire.sent_down(), wire.ended), ("HTTP/1.1 200 OK\r\n\r\n0123", Some(Ending::Reset)));
}

#[test]
fn it_ends_behind_the_head_of_a_response_without_a_body() {
    let mut wire = Wire::planned(ending(EarlyEnd::ResetIn(Part::PerMillion(500_000))));
    wire.up("HEAD /x HTTP/1.1\r\n\r\n");
    wire.down(LONG);
    assert_eq!((wire.sent_down(), wire.ended), (LONG, Some(Ending::Reset)));
}

#[test]
fn a_response_in_the_services_place_ends_early_too() {
    let half = EarlyEnd::CloseIn(Part::PerMillion(500_000));
    for (ending, comes) in [(half, "body"), (EarlyEnd::CloseInstead, "")] {
        let mut wire = Wire::planned(HttpPlan { ending: Some(ending), ..canned(200, "bodybody") });
        wire.up(X);
        assert_eq!(wire.sent_down().split("\r\n\r\n").last(), Some(comes));
        assert_eq!(wire.ended, Some(Ending::Close));
    }
}

#[test]
fn a_response_that_is_not_understood_passes_and_nothing_is_told() {
    let mut wire = Wire::planned(delayed(set("a", Some("b")), Duration::from_secs(1)));
    wire.up(X);
    wire.down("HTTP/1.1 200 OK\r\n");
    wire.down("content-length: 2\r\ncontent-length: 3\r\n\r\nok");
    wire.down(OK);
    assert!(wire.sent_down().ends_with(OK) && wire.sent_down().contains("length: 3"));
    assert!(wire.is_lost() && wire.fired == 0 && wire.down.marks.is_empty());
}
