//! Bodies that checks and markers look into: numbers as they are written, what is no JSON, what was not read.

use super::*;
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

const BIT: u64 = 1 << CHECKS;

/// The marks of a response with this body, coded so.
fn coded(checker: &ResponseChecker, coding: &str, body: Option<&[u8]>) -> Marks {
    let mut headers = HeaderMap::new();
    headers.append("content-encoding", HeaderValue::from_str(coding).unwrap());
    let arrival = Arrival { n: 0, step: 0, request: 0, intended: Duration::ZERO, vars: BTreeMap::new() };
    checker.check(&arrival, &Response { status: 200, headers: &headers, latency: Duration::ZERO, body })
}

fn plain(checker: &ResponseChecker, body: &str) -> Marks {
    coded(checker, "identity", Some(body.as_bytes()))
}

#[test]
fn numbers_are_compared_as_they_are_written_whatever_the_path() {
    // By one pass over the body, and by a path that takes all of it.
    for path in ["$.list.*", "$..list[*]", "$['list'][0]"] {
        let passes = |test: &str, value: &str| {
            let checker = checker("", &format!("body.\"{path}\" = \"{test}\""));
            plain(&checker, &format!("{{\"list\": [{value}]}}")).bits & BIT != 0
        };
        for (test, value, is) in [
            ("== 1", "1.0", true),
            ("== 250", "2.5e2", true),
            ("!= 0", "-0.0", false),
            ("== 9007199254740993", "9007199254740992", false),
            ("== 123456789012345678901234567890", "123456789012345678901234567890.0", true),
            ("== 123456789012345678901234567890", "123456789012345678901234567891", false),
            ("== 0.1", "0.1000000000000000000001", false),
            ("!= 0.3", "0.30", false),
            ("< 5", "4.9999999999999999999999", true),
            ("<= 0.1", "0.1000000000000000000001", false),
            ("> 9007199254740992", "9007199254740993", true),
            (">= 2", "\"2.0\"", true),
            ("< 3", "true", false),
            ("== [1, {{\\\"b\\\": 2, \\\"a\\\": null}}]", "[1.0, {\"a\": null, \"b\": 2e0}]", true),
            ("== [1, 2]", "[2, 1]", false),
            ("== 1", "true", false),
            ("== 12", "\"12\"", true),
            ("== seven", "\"s\\u0065ven\"", true),
        ] {
            assert_eq!(passes(test, value), is, "{test} of {value} at {path}");
        }
    }
}

#[test]
fn what_is_no_json_says_so() {
    let checker = checker("", "body.\"$.id\" = \"== 7\"");
    let saw = |body: &str| plain(&checker, body).notes.pop().map(|(_, saw)| saw);
    assert_eq!(saw("{\"id\": 7}"), None);
    assert_eq!(saw("\u{feff}{\"id\": 7}"), None, "a byte order mark says nothing");
    assert_eq!(saw("{\"id\": 8.0}").as_deref(), Some("8.0"));
    assert_eq!(saw("{\"ID\": 7}").as_deref(), Some("nothing there"));
    assert_eq!(saw("<html>\nBad Gateway").as_deref(), Some("no JSON: \"<html>\\nBad Gateway\""));
    assert_eq!(saw("upstream connect error or disconnect").as_deref(), Some("no JSON: \"upstream connect error o\"…"));
    assert_eq!(saw("{\"id\": 7").as_deref(), Some("no JSON: \"{\\\"id\\\": 7\""));
    assert_eq!(saw("").as_deref(), Some("an empty body"));
}

#[test]
fn a_coded_body_is_looked_into_decoded() {
    let checker = checker("partial.body.\"$.partial\" = \"== true\"", "body.\"$.id\" = \"== 7\"");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(br#"{"id": 7, "partial": true}"#).unwrap();
    let gzip = gzip.finish().unwrap();
    let marks = coded(&checker, "gzip", Some(&gzip));
    assert_eq!((marks.bits, marks.unknown), (BIT | PARTIAL, 0));
    // What nobody can decode passes no check, and is told as what it is.
    let marks = coded(&checker, "gzip", Some(&gzip[..20]));
    assert_eq!((marks.bits, marks.unknown), (0, 0));
    assert_eq!(marks.notes[0].1, "a body that says it is gzip and can't be decoded");
}

#[test]
fn of_a_body_that_was_not_read_nothing_is_said() {
    let markers = "good.body.\"$.errors\" = \"missing\"\npartial.body.\"$.partial\" = \"== true\"\nstale.header.x-stale = \
                   \"exists\"\nage.body = \"$.age\"";
    let checker = checker(markers, "body.\"$.id\" = \"100% exists\"");
    let large = coded(&checker, "identity", None);
    assert_eq!((large.bits, large.unknown), (0, FAILED | PARTIAL | AGE | BIT));
    assert_eq!(large.notes, [(CHECKS, "a body larger than 8 MiB".to_owned())]);
    let other = coded(&checker, "aes128gcm", Some(b"{\"id\": 7}"));
    assert_eq!(other.unknown, FAILED | PARTIAL | AGE | BIT);
    assert_eq!(other.notes[0].1, "a body of the content coding \"aes128gcm\", which is not known here");
}

#[test]
fn what_is_said_beside_the_body_is_known_without_it() {
    let markers =
        "good.body.\"$.errors\" = \"missing\"\ngood.status = \"== 200\"\npartial.body.\"$.partial\" = \"exists\"";
    let both = checker(markers, "header.content-encoding = \"exists\"");
    let seen = coded(&both, "identity", None);
    // One of several conditions is enough, so the status alone makes it good.
    assert_eq!((seen.bits, seen.unknown), (BIT, PARTIAL));
    // Where nothing looks into bodies, they are of no interest.
    let seen = coded(&checker("", STATUS), "aes128gcm", None);
    assert_eq!((seen.bits, seen.unknown, seen.notes), (0, 0, Vec::new()));
}
