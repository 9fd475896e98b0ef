//! Tests of edits of bodies that are compressed, or whose length is not told: the client gets what the effect says.

use super::{Wire, edit, reader};
use crate::{
    protocol::{Ending, Unreadable},
    protocols::http::{
        held::LONGEST,
        plan::{EarlyEnd, HttpPlan},
    },
};
use chaos_model::Direction;
use chaos_model::effect::action::{
    BodyEdit::{self, Garble, Pad, Replace, Shorten},
    Part,
};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

const X: &str = "GET /x HTTP/1.1\r\n\r\n";
const TEXT: &[u8] = b"0123456789abcdefghij";
const HALF: Part = Part::PerMillion(500_000);

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// A response with these fields before its framing.
#[derive(Clone, Copy, Debug)]
enum Framed {
    Length,
    Chunked,
    UntilClose,
}

const ALL: [Framed; 3] = [Framed::Length, Framed::Chunked, Framed::UntilClose];

fn response(framed: Framed, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = |framing: &str| format!("HTTP/1.1 200 OK\r\n{fields}{framing}\r\n").into_bytes();
    match framed {
        Framed::Length => [head(&format!("Content-Length: {}\r\n", body.len())), body.to_vec()].concat(),
        Framed::UntilClose => [head(""), body.to_vec()].concat(),
        Framed::Chunked => {
            let chunk = |chunk: &[u8]| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
            let chunks = body.chunks((body.len() / 3).max(7)).flat_map(chunk).collect();
            [head("Transfer-Encoding: chunked\r\n"), chunks, b"0\r\nDigest: x\r\nTook: 7\r\n\r\n".to_vec()].concat()
        }
    }
}

/// A connection on which a response came, in pieces of so many bytes.
fn came(plan: HttpPlan, framed: Framed, response: &[u8], pieces: usize) -> Wire {
    let mut wire = Wire::planned(plan);
    wire.up(X);
    response.chunks(pieces).for_each(|piece| wire.send(Direction::Downstream, piece));
    if let Framed::UntilClose = framed {
        wire.end(Direction::Downstream);
    }
    wire
}

fn read(wire: &Wire) -> reader::Response {
    let (mut responses, rest) = reader::responses(&["GET"], &wire.down.out);
    assert!(rest.is_empty() && responses.len() == 1);
    responses.pop().expect("a response")
}

fn differing(a: &[u8], b: &[u8]) -> usize {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

const FIELDS: &str = "A: b\r\nContent-Encoding: gzip\r\nETag: \"e\"\r\nContent-MD5: m\r\n";

/// The body that a client reads of a compressed response, whose head is right for it.
fn content(edits: &[BodyEdit], framed: Framed, pieces: usize) -> Vec<u8> {
    let wire = came(edit(edits), framed, &response(framed, FIELDS, &gzip(TEXT)), pieces);
    let response = read(&wire);
    assert_eq!((response.header("a"), response.complete, wire.fired), (vec!["b"], true, edits.len()));
    for gone in ["content-encoding", "etag", "content-md5", "digest"] {
        assert!(response.header(gone).is_empty(), "{gone} of {framed:?}");
    }
    if let [length] = *response.header("content-length") {
        assert_eq!(length, response.body.len().to_string());
    }
    response.body
}

#[test]
fn a_compressed_body_is_changed_as_its_reader_has_it() {
    for framed in ALL {
        for pieces in [1, 9, usize::MAX] {
            let content = |edits: &[BodyEdit]| content(edits, framed, pieces);
            assert_eq!(content(&[Replace("{}".to_owned())]), b"{}");
            assert_eq!(content(&[Shorten(HALF)]), b"0123456789");
            assert_eq!(content(&[Shorten(Part::Bytes(3))]), b"012");
            assert_eq!(content(&[Pad(23)]), b"0123456789abcdefghij   ");
            assert_eq!(content(&[Pad(30), Shorten(HALF)]), b"0123456789abcde");
            assert_eq!(differing(&content(&[Garble { parts_per_million: 100_000 }]), TEXT), 2);
        }
    }
}

#[test]
fn a_body_that_is_changed_as_it_is_sent_keeps_what_its_head_says() {
    let raw = |edits: &[BodyEdit]| HttpPlan { undone: false, ..edit(edits) };
    let gzip = gzip(TEXT);
    for framed in ALL {
        let read = |edits: &[BodyEdit]| {
            let response = read(&came(raw(edits), framed, &response(framed, FIELDS, &gzip), 9));
            assert_eq!((response.header("content-encoding"), response.header("etag")), (vec!["gzip"], vec!["\"e\""]));
            response
        };
        assert_eq!(read(&[Replace("{}".to_owned())]).body, b"{}");
        assert_eq!(read(&[Shorten(HALF)]).body, gzip[..gzip.len() / 2]);
        assert_eq!(differing(&read(&[Garble { parts_per_million: 1 }]).body, &gzip), 1);
        let padded = read(&[Pad(100)]);
        assert_eq!((padded.body.len(), &padded.body[..gzip.len()]), (100, &*gzip));
        if let Framed::Chunked = framed {
            assert_eq!((padded.header("digest"), padded.header("took")), (vec!["x"], vec!["7"]));
        }
    }
}

#[test]
fn a_head_is_right_for_a_body_that_was_not_compressed_too() {
    let fields = "ETag: \"e\"\r\nRepr-Digest: d\r\nContent-Range: bytes 5-24/30\r\nLast-Modified: then\r\n";
    for (edits, range) in [
        (vec![Replace("{}".to_owned())], vec!["bytes 5-6/30"]),
        (vec![Shorten(HALF)], vec!["bytes 5-14/30"]),
        (vec![Pad(26)], vec!["bytes 5-30/*"]),
        (vec![Garble { parts_per_million: 1 }], vec!["bytes 5-24/30"]),
        (vec![Shorten(Part::Bytes(0))], vec![]),
    ] {
        let response = read(&came(edit(&edits), Framed::Length, &response(Framed::Length, fields, TEXT), 9));
        assert_eq!((response.header("content-range"), response.header("last-modified")), (range, vec!["then"]));
        assert!(response.header("etag").is_empty() && response.header("repr-digest").is_empty(), "{edits:?}");
    }
    // Nothing happens to this one.
    let response = read(&came(edit(&[Pad(20)]), Framed::Length, &response(Framed::Length, fields, TEXT), 9));
    assert_eq!(response.header("etag"), ["\"e\""]);
}

#[test]
fn a_trailer_section_says_nothing_of_another_body() {
    for (edits, took) in
        [(vec![Pad(30)], 1), (vec![Garble { parts_per_million: 1 }], 1), (vec![Shorten(Part::Bytes(3))], 0)]
    {
        for pieces in [1, 9, usize::MAX] {
            let wire = came(edit(&edits), Framed::Chunked, &response(Framed::Chunked, "", TEXT), pieces);
            let response = read(&wire);
            assert_eq!((response.header("digest").len(), response.header("took").len()), (0, took), "{edits:?}");
            assert!(response.complete && wire.is_settled());
        }
    }
}

#[test]
fn a_share_is_of_the_body_and_not_of_what_comes_of_it_first() {
    for framed in [Framed::Chunked, Framed::UntilClose] {
        for pieces in [1, 9, usize::MAX] {
            let came = |plan| came(plan, framed, &response(framed, "", TEXT), pieces);
            let short = read(&came(edit(&[Shorten(HALF)])));
            assert_eq!((short.text(), short.complete), ("0123456789", true));
            let garbled =
                read(&came(edit(&[Shorten(Part::PerMillion(250_000)), Garble { parts_per_million: 400_000 }])));
            assert_eq!(differing(&garbled.body, b"01234"), 2);
            for (ending, ended) in [(EarlyEnd::CloseIn(HALF), Ending::Close), (EarlyEnd::ResetIn(HALF), Ending::Reset)]
            {
                let wire = came(HttpPlan { ending: Some(ending), ..edit(&[]) });
                assert_eq!((read(&wire).text(), wire.ended, wire.fired), ("0123456789", Some(ended), 1));
            }
        }
    }
}

#[test]
fn nothing_is_said_of_a_body_before_its_share_is_known() {
    let mut wire = Wire::planned(edit(&[Shorten(HALF)]));
    wire.up(X);
    let all = response(Framed::Chunked, "", TEXT);
    wire.send(Direction::Downstream, &all[..all.len() - 1]);
    assert_eq!((wire.sent_down(), wire.fired), ("", 0));
    // None of it is needed for what is no share.
    for edits in [vec![Shorten(Part::Bytes(3))], vec![Replace("{}".to_owned()), Shorten(HALF)], vec![Pad(30)]] {
        let mut wire = Wire::planned(edit(&edits));
        wire.up(X);
        wire.send(Direction::Downstream, &all[..all.len() - 40]);
        assert!(!wire.sent_down().is_empty(), "{edits:?}");
    }
}

/// A response passes as it came, and the fault that could not do what it does is spared.
fn is_spared(plan: HttpPlan, response: &[u8], pieces: usize, ends: bool, why: Option<Unreadable>) {
    let mut wire = Wire::planned(plan);
    wire.up(X);
    response.chunks(pieces).for_each(|piece| wire.send(Direction::Downstream, piece));
    if ends {
        wire.end(Direction::Downstream);
    }
    assert!(wire.down.out == response, "{} of {} bytes", wire.down.out.len(), response.len());
    assert_eq!((wire.ended, wire.fired, wire.spared.as_slice()), (None, 0, why.as_slice()));
}

#[test]
fn what_cannot_be_decoded_passes() {
    let edits = || edit(&[Pad(100)]);
    let whole = gzip(TEXT);
    for framed in ALL {
        let ends = matches!(framed, Framed::UntilClose);
        for (fields, body) in [
            ("Content-Encoding: dcb\r\n", &whole[..]),
            ("Content-Encoding: gzip\r\n", TEXT),
            ("Content-Encoding: gzip\r\n", &whole[..whole.len() - 3]),
            ("Content-Encoding: gzip, gzip\r\n", &whole[..]),
        ] {
            is_spared(edits(), &response(framed, fields, body), 9, ends, Some(Unreadable::Coded));
        }
    }
    // A part of what was compressed, one that its sender cuts off, and chunks that are broken.
    let part =
        String::from_utf8_lossy(&response(Framed::Length, "Content-Encoding: gzip\r\n", TEXT)).replace("200", "206");
    is_spared(edits(), part.as_bytes(), 9, false, Some(Unreadable::Coded));
    for framed in [Framed::Length, Framed::Chunked] {
        let all = response(framed, FIELDS, &whole);
        is_spared(edits(), &all[..all.len() - 9], 9, true, None);
    }
    let broken = replaced(&response(Framed::Chunked, FIELDS, &whole), b"0\r\nDigest", b"x\r\nDigest");
    is_spared(edits(), &broken, 9, false, Some(Unreadable::AmbiguousLength));
}

#[test]
fn what_is_too_long_to_keep_passes() {
    let (long, why) = (vec![b'x'; LONGEST + 1], Some(Unreadable::LongBody));
    is_spared(edit(&[Shorten(HALF)]), &response(Framed::Chunked, "", &long), 1 << 20, false, why);
    is_spared(edit(&[Shorten(HALF)]), &response(Framed::UntilClose, "", &long), 1 << 20, true, why);
    is_spared(edit(&[Pad(1 << 40)]), &response(Framed::Length, FIELDS, &long), 1 << 20, false, why);
    // Small as it comes, and large once it is read.
    is_spared(edit(&[Pad(1 << 40)]), &response(Framed::Length, FIELDS, &gzip(&long)), 1 << 20, false, why);
}

#[test]
fn the_other_faults_do_what_they_do() {
    let plan = HttpPlan { ending: Some(EarlyEnd::CloseIn(Part::Bytes(5))), ..edit(&[Pad(100)]) };
    let wire = came(plan, Framed::Length, &response(Framed::Length, "Content-Encoding: dcb\r\n", TEXT), 9);
    assert_eq!((read(&wire).text(), wire.ended, wire.fired), ("01234", Some(Ending::Close), 1));
    // What is compressed is decoded to be filled up; that it is as long already is nothing that happens.
    let coded = response(Framed::Length, FIELDS, &gzip(TEXT));
    let wire = came(edit(&[Pad(20)]), Framed::Length, &coded, 9);
    assert!(wire.down.out == coded);
}

/// The bytes with `by` where `what` first stands.
fn replaced(bytes: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    let at = bytes.windows(what.len()).position(|window| window == what).expect("it is there");
    [&bytes[..at], by, &bytes[at + what.len()..]].concat()
}
