use super::*;
use crate::codec::{Request, RequestDecoder, RequestLimits};
use bytes::BytesMut;
use proptest::prelude::*;

type Read = Vec<(Vec<Vec<u8>>, usize)>;

/// The requests in `bytes`, with the place at which each ends, when they arrive in pieces of these sizes.
fn scan(bytes: &[u8], cuts: &[usize], keep: usize) -> (Read, bool) {
    let (mut scanner, mut read, mut from, mut cuts) = (RequestScanner::default(), vec![], 0, cuts.iter().cycle());
    scanner.keep(keep);
    while from < bytes.len() {
        let end = (from + cuts.next().unwrap()).min(bytes.len());
        while from < end {
            let Ok((taken, part)) = scanner.scan(&bytes[from..end]) else { return (read, true) };
            from += taken;
            if part == RequestPart::Whole && scanner.announced() > 0 {
                read.push((scanner.arguments().map(<[u8]>::to_vec).collect(), from));
            }
        }
    }
    (read, false)
}

/// The same by the decoder.
fn decode(bytes: &[u8]) -> (Read, bool) {
    let limits = RequestLimits {
        arguments: i64::from(i32::MAX),
        argument_bytes: i64::MAX,
        bytes: usize::MAX,
        unauthenticated: false,
    };
    let (mut decoder, mut buffer, mut read) = (RequestDecoder::default(), BytesMut::from(bytes), vec![]);
    loop {
        match decoder.decode(&mut buffer, &limits) {
            Ok(Some(Request { arguments, .. })) => {
                read.push((arguments.iter().map(|argument| argument.to_vec()).collect(), bytes.len() - buffer.len()));
            }
            Ok(None) => return (read, false),
            Err(_) => return (read, true),
        }
    }
}

fn request_bytes() -> impl Strategy<Value = Vec<u8>> {
    let request = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 1..5).prop_map(|arguments| {
        let mut out = BytesMut::new();
        Request::encode(&arguments, &mut out);
        out.to_vec()
    });
    let piece = prop_oneof![
        8 => request,
        2 => "[A-Z \"'\\\\x]{0,6}\r?\n".prop_map(String::into_bytes),
        1 => "[*$]-?[0-9]{0,2}\r\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn it_finds_what_the_decoder_reads(bytes in request_bytes(), cuts in proptest::collection::vec(1..9_usize, 1..40)) {
        let (read, failed) = scan(&bytes, &cuts, usize::MAX);
        let (expected, refused) = decode(&bytes);
        prop_assert_eq!(read, expected);
        prop_assert_eq!(failed, refused);
    }

    #[test]
    fn it_keeps_no_more_than_it_may(bytes in request_bytes(), keep in 0..40_usize) {
        let ends = |read: Read| read.into_iter().map(|(arguments, end)| (arguments.concat().len(), end)).unzip();
        let (kept, found): (Vec<usize>, Vec<usize>) = ends(scan(&bytes, &[4096], keep).0);
        let (_, expected): (Vec<usize>, Vec<usize>) = ends(decode(&bytes).0);
        prop_assert_eq!(found, expected);
        prop_assert!(kept.iter().all(|bytes| *bytes <= keep), "{kept:?}");
    }
}

#[test]
fn arguments_are_told_as_they_come() {
    let mut scanner = RequestScanner::default();
    scanner.keep(100);
    assert_eq!(scanner.scan(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$900\r\nvvv"), Ok((13, RequestPart::Argument)));
    assert_eq!(scanner.argument(0), Some(&b"SET"[..]));
    assert_eq!(scanner.scan(b"$1\r\nk\r\n$900\r\nvvv"), Ok((7, RequestPart::Argument)));
    assert_eq!(scanner.scan(b"$900\r\nvvv"), Ok((9, RequestPart::Within)));
    assert_eq!(scanner.argument(1), Some(&b"k"[..]));
    assert_eq!(scanner.scan(&[b'v'; 899]), Ok((899, RequestPart::Whole)));
    assert_eq!((scanner.argument(2), scanner.announced()), (None, 3));
}
