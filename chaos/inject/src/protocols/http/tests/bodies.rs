//! Tests of edits of bodies, whichever way they are framed.

use super::{Wire, canned, edit, reader};
use crate::{
    protocol::{Ending, Filter as _, Step},
    protocols::http::HttpFilter,
    protocols::http::plan::{EarlyEnd, HttpPlan},
};
use chaos_model::Direction;
use chaos_model::effect::action::{
    BodyEdit::{self, Garble, Pad, Replace, Shorten, Trickle},
    Part, Throughput,
};

const X: &str = "GET /x HTTP/1.1\r\n\r\n";
const TEXT: &str = "0123456789abcdefghij";
const HALF: Part = Part::PerMillion(500_000);

fn whole() -> String {
    format!("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 20\r\nC: d\r\n\r\n{TEXT}")
}

fn chunked() -> String {
    let head = "HTTP/1.1 200 OK\r\nA: b\r\ntransfer-encoding: chunked\r\nC: d\r\n\r\n";
    format!("{head}8;e=f\r\n01234567\r\nC\r\n89abcdefghij\r\n00\r\nTook: x\r\n\r\n")
}

/// The response that a client reads when it is changed; it comes in pieces of so many bytes, and another follows.
fn read(edits: &[BodyEdit], came: &str, pieces: usize) -> reader::Response {
    let mut wire = Wire::planned(edit(edits));
    wire.up(X);
    let next = "HTTP/1.1 201 OK\r\ncontent-length: 4\r\n\r\nnext";
    wire.up("GET /y HTTP/1.1\r\n\r\n");
    format!("{came}{next}").as_bytes().chunks(pieces).for_each(|piece| wire.send(Direction::Downstream, piece));
    let (mut responses, rest) = reader::responses(&["GET", "GET"], &wire.down.out);
    assert!(rest.is_empty() && wire.is_settled() && wire.ended.is_none());
    let after = responses.pop().expect("the next");
    assert_eq!((after.status, after.text(), responses.len()), (201, "next", 1));
    let response = responses.pop().expect("the response");
    assert_eq!((response.header("a"), response.header("c"), response.complete), (vec!["b"], vec!["d"], true));
    response
}

/// The body that a client reads, the same in whichever pieces the response comes. A length that is announced is right.
fn body(edits: &[BodyEdit], came: &str) -> String {
    let read = |pieces| {
        let response = read(edits, came, pieces);
        let length = response.body.len().to_string();
        assert_eq!(response.header("content-length"), if came == chunked() { vec![] } else { vec![&*length] });
        String::from_utf8(response.body).expect("text")
    };
    let all = read(usize::MAX);
    for pieces in [1, 2, 7, 30] {
        assert_eq!(read(pieces), all);
    }
    all
}

#[test]
fn bodies_are_changed_in_order() {
    let replaced = Replace("{}".to_owned());
    for (edits, becomes) in [
        (vec![Shorten(Part::Bytes(3))], "012"),
        (vec![Shorten(Part::Bytes(0))], ""),
        (vec![replaced.clone()], "{}"),
        (vec![Replace(String::new())], ""),
        (vec![Pad(23)], "0123456789abcdefghij   "),
        (vec![Pad(20)], TEXT),
        (vec![Shorten(Part::Bytes(3)), Pad(5)], "012  "),
        (vec![Pad(30), Shorten(Part::Bytes(22))], "0123456789abcdefghij  "),
        (vec![Pad(30), replaced.clone(), Pad(3)], "{} "),
        (vec![replaced, Shorten(HALF)], "{"),
        (vec![Shorten(Part::Bytes(6)), Shorten(Part::Bytes(4)), Shorten(Part::Bytes(5))], "0123"),
    ] {
        assert_eq!(body(&edits, &whole()), becomes, "{edits:?}");
        assert_eq!(body(&edits, &chunked()), becomes, "{edits:?} chunked");
    }
    assert_eq!(body(&[Shorten(HALF)], &whole()), "0123456789");
    assert_eq!(body(&[Shorten(HALF)], &chunked()), "0123456789", "of all chunks");
}

#[test]
fn a_body_that_is_cut_ends_at_once_though_its_sender_goes_on() {
    let replaced = Replace("{}".to_owned());
    for (edits, becomes) in [
        (vec![Shorten(Part::Bytes(3))], "012"),
        (vec![Shorten(Part::Bytes(3)), Pad(5)], "012  "),
        (vec![replaced.clone()], "{}"),
        (vec![replaced, Pad(5)], "{}   "),
    ] {
        for came in [whole(), chunked()] {
            let mut wire = Wire::planned(edit(&edits));
            wire.up(X);
            wire.down(came.split_inclusive("01234567").next().expect("the beginning"));
            let (responses, _) = reader::responses(&["GET"], &wire.down.out);
            assert_eq!((responses[0].text(), responses[0].complete), (becomes, true));
        }
    }
}

#[test]
fn padding_is_made_as_it_is_written() {
    let mut filter = HttpFilter::new();
    let mut wire = Wire::planned(edit(&[Pad(50 << 20)]));
    let mut steps = Vec::new();
    filter.on_bytes(Direction::Upstream, X.as_bytes(), &mut wire.decisions, &mut steps);
    filter.on_bytes(Direction::Downstream, whole().as_bytes(), &mut wire.decisions, &mut steps);
    let inserted = steps.iter().map(|step| if let Step::Insert(_, _, bytes) = step { bytes.len() } else { 0 });
    assert!(inserted.sum::<usize>() < 200);
    let Some(Step::Generated(Direction::Downstream, _, fill)) = steps.last_mut() else { panic!("{steps:?}") };
    assert_eq!(fill.left(), (50 << 20) - 20);
    assert_eq!(fill.take(3).as_deref(), Some(&b"   "[..]));
    assert_eq!(fill.left(), (50 << 20) - 23);
}

#[test]
fn trailers_come_unless_the_body_was_cut() {
    let trailers = |edits: &[BodyEdit]| read(edits, &chunked(), 9).header("took").len();
    assert_eq!(trailers(&[Pad(30)]), 1);
    assert_eq!(trailers(&[Shorten(Part::Bytes(30))]), 1);
    assert_eq!(trailers(&[Shorten(Part::Bytes(3))]), 0);
}

/// The count of bytes that differ.
fn differing(a: &[u8], b: &[u8]) -> usize {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

#[test]
fn as_many_bytes_as_asked_are_garbled_and_at_least_one() {
    let long = "x".repeat(10_000);
    let came = |text: &str| format!("HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: {}\r\nC: d\r\n\r\n{text}", text.len());
    let in_chunks = |text: &str| {
        let chunks =
            text.as_bytes().chunks(100).map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), "x".repeat(chunk.len())));
        let chunks = chunks.collect::<String>();
        format!("HTTP/1.1 200 OK\r\nA: b\r\ntransfer-encoding: chunked\r\nC: d\r\n\r\n{chunks}0\r\n\r\n")
    };
    for (parts_per_million, text, count) in
        [(10_000, &*long, 100), (1_000_000, &long, 10_000), (1, &long, 1), (10_000, "x", 1), (250_000, "xxxxxxx", 1)]
    {
        let edit = [Garble { parts_per_million }];
        let garbled = read(&edit, &came(text), usize::MAX).body;
        assert_eq!(differing(&garbled, text.as_bytes()), count, "{parts_per_million}");
        assert_eq!(read(&edit, &came(text), 33).body, garbled);
        let garbled = read(&edit, &in_chunks(text), usize::MAX).body;
        let seen = differing(&garbled, text.as_bytes());
        assert!(seen.abs_diff(count) <= 1 && seen > 0, "{parts_per_million}: {seen}");
        assert_eq!(read(&edit, &in_chunks(text), 33).body, garbled);
    }
}

#[test]
fn what_is_garbled_depends_on_the_seed() {
    let garbled = |seed| {
        let mut plan = edit(&[Garble { parts_per_million: 100_000 }]);
        plan.body[0].1 = seed;
        let mut wire = Wire::planned(plan);
        wire.up(X);
        wire.down(&whole());
        wire.down.out
    };
    assert_eq!(garbled(7), garbled(7));
    assert_ne!(garbled(7), garbled(8));
}

#[test]
fn what_is_left_of_the_body_is_garbled() {
    for seed in 0..50 {
        let mut plan = edit(&[Shorten(Part::PerMillion(250_000)), Garble { parts_per_million: 1 }]);
        plan.body[1].1 = seed;
        let mut wire = Wire::planned(plan);
        wire.up(X);
        wire.down(&chunked());
        let (responses, _) = reader::responses(&["GET"], &wire.down.out);
        assert_eq!(differing(&responses[0].body, b"01234"), 1);
    }
}

#[test]
fn padding_is_garbled_as_the_body_before_it_is() {
    let edits = [Pad(50_000), Garble { parts_per_million: 10_000 }];
    let plain = format!("{TEXT:50000}");
    for came in [whole(), chunked()] {
        let garbled = read(&edits, &came, 9).body;
        assert_eq!(differing(&garbled, plain.as_bytes()), 500);
        assert!(differing(&garbled[..25_000], &plain.as_bytes()[..25_000]).abs_diff(250) < 2);
    }
}

#[test]
fn a_body_up_to_the_end_of_the_stream_is_changed_too() {
    for (edits, becomes, ended) in [
        (vec![Shorten(Part::Bytes(3))], "012", Some(Ending::Close)),
        (vec![Replace("{}".to_owned())], "{}", Some(Ending::Close)),
        (vec![Pad(23)], "0123456789abcdefghij   ", None),
        (vec![Shorten(Part::Bytes(30))], TEXT, None),
    ] {
        let mut wire = Wire::planned(edit(&edits));
        wire.up(X);
        wire.down("HTTP/1.0 200 OK\r\n\r\n");
        TEXT.bytes().for_each(|byte| wire.send(Direction::Downstream, &[byte]));
        wire.end(Direction::Downstream);
        assert_eq!(wire.sent_down(), format!("HTTP/1.0 200 OK\r\n\r\n{becomes}"));
        assert_eq!(wire.ended, ended);
    }
    let garbled = |pieces| {
        let mut wire = Wire::planned(edit(&[Garble { parts_per_million: 300_000 }]));
        wire.up(X);
        wire.down("HTTP/1.0 200 OK\r\n\r\n");
        TEXT.as_bytes().chunks(pieces).for_each(|piece| wire.send(Direction::Downstream, piece));
        wire.end(Direction::Downstream);
        wire.down.out
    };
    assert_eq!(garbled(1), garbled(20));
    assert_eq!(differing(&garbled(1)[19..], TEXT.as_bytes()), 6);
}

#[test]
fn where_there_is_no_body_nothing_happens_and_nothing_is_told() {
    let empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n";
    let edits = [Garble { parts_per_million: 10_000 }, Shorten(HALF), Trickle(Throughput { bytes_per_second: 1 })];
    for (method, came) in [("GET", empty), ("HEAD", head), ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n")] {
        let mut wire = Wire::planned(edit(&edits));
        wire.up(&format!("{method} /x HTTP/1.1\r\n\r\n"));
        wire.down(came);
        assert_eq!((wire.sent_down(), wire.fired, wire.down.marks.len()), (came, 0, 0));
        assert!(wire.is_settled());
    }
}

#[test]
fn a_body_that_its_sender_cuts_off_stays_cut_off() {
    for came in [whole(), chunked()] {
        let mut wire = Wire::planned(edit(&[Pad(30)]));
        wire.up(X);
        wire.down(came.split_inclusive("01234567").next().expect("the beginning"));
        wire.end(Direction::Downstream);
        let (responses, _) = reader::responses(&["GET"], &wire.down.out);
        assert_eq!((responses[0].text(), responses[0].complete), ("01234567", false));
    }
}

#[test]
fn a_body_comes_at_a_rate_and_what_follows_does_not() {
    let rates = [2000, 1000].map(|bytes_per_second| Trickle(Throughput { bytes_per_second }));
    let longer = whole().replace("h: 20", "h: 21").replace("Content-Length", "content-length") + " ";
    for (came, pad, end) in [(whole(), None, whole()), (chunked(), None, chunked()), (whole(), Some(Pad(21)), longer)] {
        let mut wire = Wire::planned(edit(&rates.clone().into_iter().chain(pad).collect::<Vec<_>>()));
        wire.up(X);
        came.bytes().for_each(|byte| wire.send(Direction::Downstream, &[byte]));
        let head = came.find("\r\n\r\n").expect("the head's end") + 4;
        assert_eq!(wire.sent_down(), end);
        assert_eq!(wire.down.marks, [(head, "1000".to_owned()), (end.len(), "freely".to_owned())]);
        assert!(wire.is_settled());
    }
}

#[test]
fn a_rate_and_an_edit_and_an_ending_go_together() {
    let rate = Trickle(Throughput { bytes_per_second: 1000 });
    let plan = HttpPlan { ending: Some(EarlyEnd::ResetIn(HALF)), ..edit(&[rate, Pad(60)]) };
    let mut wire = Wire::planned(plan);
    wire.up(X);
    wire.down(&whole());
    let (responses, _) = reader::responses(&["GET"], &wire.down.out);
    assert_eq!((responses[0].text(), responses[0].header("content-length")), (&*format!("{TEXT:30}"), vec!["60"]));
    assert_eq!((wire.ended, wire.down.marks.len()), (Some(Ending::Reset), 1));
}

#[test]
fn the_body_of_a_response_in_the_services_place_is_changed_too() {
    for (edits, becomes) in [
        (vec![Pad(6)], "body  "),
        (vec![Shorten(HALF), Pad(3)], "bo "),
        (vec![Replace("other".to_owned())], "other"),
        (vec![Trickle(Throughput { bytes_per_second: 1 })], "body"),
    ] {
        let mut wire = Wire::planned(HttpPlan { body: edit(&edits).body, ..canned(200, "body") });
        wire.up(X);
        let (responses, rest) = reader::responses(&["GET"], &wire.down.out);
        assert_eq!((responses[0].text(), responses[0].complete, rest), (becomes, true, &b""[..]));
        assert!(wire.is_settled());
    }
}

#[test]
fn broken_chunks_pass_and_the_filter_is_lost() {
    let mut wire = Wire::planned(edit(&[Pad(30)]));
    wire.up(X);
    wire.down("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n");
    wire.down("more");
    assert!(wire.sent_down().ends_with("x\r\nmore") && wire.is_lost());
}

/// The client has the whole of what was made of it: behind that, anything would be the next response.
#[test]
fn chunks_that_are_not_clear_behind_what_a_client_has_whole_are_not_its_next_response() {
    let mut wire = Wire::planned(edit(&[Replace("other".to_owned())]));
    wire.up(X);
    wire.up("GET /y HTTP/1.1\r\n\r\n");
    wire.down("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n");
    wire.down("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
    let sent = wire.sent_down();
    assert!(sent.ends_with("\r\n\r\n5\r\nother\r\n0\r\n\r\n"), "{sent:?}");
    assert_eq!((wire.ended, wire.fired), (Some(Ending::Close), 1));
}
