//! The codec of RESP: frames and requests are found alike however they come, and are written as they were read.

use super::{
    Target,
    script::{self, PIECE, TURN},
};
use bytes::{Bytes, BytesMut};
use chaos_redis::codec::{Decoder, Frame, Protocol, RequestDecoder, RequestLimits, RequestScanner, Scanner};

pub(super) const TARGET: Target = Target {
    name: "resp",
    about: "the codec of RESP, whole and in pieces",
    seeds: || {
        let texts = script::REDIS.iter().flat_map(|pairs| pairs.iter());
        texts.flat_map(|(ask, answer)| [ask.as_bytes().to_vec(), answer.as_bytes().to_vec()]).collect()
    },
    words: script::REDIS_WORDS,
    start: || Box::new(decode),
};

fn decode(input: &[u8]) {
    let frames = frames(&[input]);
    let cut: Vec<&[u8]> = input.chunks(3).collect();
    assert_eq!(frames, self::frames(&cut), "frames of pieces are others");
    for raw in &frames {
        // A number that is none is seen only when it is read.
        let Ok(frame) = Frame::parse(raw) else { continue };
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut written = BytesMut::new();
            frame.encode(protocol, &mut written);
            // What is written can be read, whatever it was before.
            let read = Frame::parse(&written.clone().freeze()).expect("a frame was written");
            let mut again = BytesMut::new();
            read.encode(protocol, &mut again);
            assert_eq!(written, again, "it is written in another way the second time");
        }
    }
    assert_eq!(requests(&[input]), requests(&cut), "requests of pieces are others");
    scan(input);
}

/// The frames at the beginning of what comes, as bytes.
fn frames(pieces: &[&[u8]]) -> Vec<Bytes> {
    let (mut decoder, mut buffer, mut frames) = (Decoder::default(), BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode_raw(&mut buffer) {
                Ok(Some(raw)) => frames.push(raw),
                Ok(None) => break,
                Err(_) => return frames,
            }
        }
    }
    frames
}

/// The requests at the beginning of what comes, in words.
fn requests(pieces: &[&[u8]]) -> Vec<String> {
    let (mut decoder, mut buffer, mut requests) = (RequestDecoder::default(), BytesMut::new(), Vec::new());
    let limits = RequestLimits::default();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut buffer, &limits) {
                Ok(Some(request)) => requests.push(format!("{request:?}")),
                Ok(None) => break,
                Err(_) => return requests,
            }
        }
    }
    requests
}

/// Scanners look at each byte once, and say no more than came.
fn scan(input: &[u8]) {
    let mut scanner = RequestScanner::default();
    for piece in input.split(|byte| [PIECE, TURN].contains(byte)) {
        let mut rest = piece;
        while !rest.is_empty() {
            let Ok((count, _)) = scanner.scan(rest) else { return };
            assert!(count <= rest.len(), "{count} of {} bytes", rest.len());
            if count == 0 {
                break;
            }
            rest = &rest[count..];
        }
    }
    let mut scanner = Scanner::default().with_attributes();
    let mut rest = input;
    while !rest.is_empty() {
        let Ok(scanned) = scanner.scan(rest) else { return };
        assert!((1..=rest.len()).contains(&scanned.bytes), "{} of {} bytes", scanned.bytes, rest.len());
        rest = &rest[scanned.bytes..];
    }
}
