use super::*;
use crate::codec::Protocol;
use proptest::prelude::*;

fn decode(bytes: &[u8]) -> Result<Option<Frame>, DecodeError> {
    Decoder::default().decode(&mut BytesMut::from(bytes))
}

fn encoded(frames: &[Frame], protocol: Protocol) -> BytesMut {
    let mut out = BytesMut::new();
    frames.iter().for_each(|frame| frame.encode(protocol, &mut out));
    out
}

/// Any frame of RESP3, except for NaN, which equals nothing.
fn any_frame() -> impl Strategy<Value = Frame> {
    let text = || "[^\r\n]{0,12}".prop_map(Bytes::from);
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20).prop_map(Bytes::from);
    let leaf = prop_oneof![
        text().prop_map(Frame::Simple),
        text().prop_map(Frame::Error),
        any::<i64>().prop_map(Frame::Integer),
        bytes().prop_map(Frame::Bulk),
        Just(Frame::Null),
        any::<f64>().prop_filter("NaN", |number| !number.is_nan()).prop_map(Frame::Double),
        any::<bool>().prop_map(Frame::Boolean),
        "-?[0-9]{1,30}".prop_map(|digits| Frame::BigNumber(digits.into())),
        (any::<[u8; 3]>(), bytes()).prop_map(|(format, text)| Frame::Verbatim { format, text }),
        bytes().prop_map(Frame::BlobError),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let list = || proptest::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            list().prop_map(Frame::Array),
            list().prop_map(Frame::Set),
            list().prop_map(Frame::Push),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Frame::Map),
        ]
    })
}

/// Bytes that look like the protocol often enough to get deep into it.
fn nearly_resp() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[*$%~>:+,#(=!_-]-?[0-9]{0,3}\r\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
        1 => Just(b"\r\n".to_vec()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(frame in any_frame()) {
        let mut buffer = encoded(std::slice::from_ref(&frame), Protocol::Resp3);
        let raw = buffer.clone().freeze();
        prop_assert_eq!(Frame::parse(&raw), Ok(frame.clone()));
        prop_assert_eq!(Decoder::default().decode(&mut buffer), Ok(Some(frame)));
        prop_assert!(buffer.is_empty());
    }

    #[test]
    fn every_frame_has_a_form_in_resp2_that_stays_the_same(frame in any_frame()) {
        let mut first = encoded(&[frame], Protocol::Resp2);
        let bytes = first.clone();
        let read = Decoder::default().decode(&mut first).unwrap().unwrap();
        prop_assert!(first.is_empty());
        prop_assert_eq!(encoded(&[read], Protocol::Resp2), bytes);
    }

    #[test]
    fn it_does_not_matter_where_the_bytes_are_split(
        frames in proptest::collection::vec(any_frame(), 1..4),
        cuts in proptest::collection::vec(1..9_usize, 1..40),
    ) {
        let whole = encoded(&frames, Protocol::Resp3);
        let (mut decoder, mut buffer, mut read) = (Decoder::default(), BytesMut::new(), vec![]);
        let (mut rest, mut cuts) = (&whole[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            rest = later;
            buffer.extend_from_slice(now);
            while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
                read.push(frame);
            }
        }
        prop_assert_eq!(read, frames);
    }

    #[test]
    fn the_raw_bytes_are_those_that_came(frames in proptest::collection::vec(any_frame(), 1..4)) {
        let whole = encoded(&frames, Protocol::Resp3);
        let (mut decoder, mut buffer, mut raw) = (Decoder::default(), whole.clone(), vec![]);
        while let Some(bytes) = decoder.decode_raw(&mut buffer).unwrap() {
            raw.extend_from_slice(&bytes);
        }
        prop_assert_eq!(raw, whole.to_vec());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in nearly_resp()) {
        let mut buffer = BytesMut::from(&bytes[..]);
        let mut decoder = Decoder::new(Limits { bytes: 4096, elements: 200, depth: 6 });
        while let Ok(Some(_)) = decoder.decode(&mut buffer) {}
        let _ = Frame::parse(&Bytes::from(bytes));
    }
}

#[test]
fn nan_and_both_nulls_of_resp2_are_read() {
    assert!(matches!(decode(b",nan\r\n"), Ok(Some(Frame::Double(number))) if number.is_nan()));
    assert_eq!(decode(b",-inf\r\n"), Ok(Some(Frame::Double(f64::NEG_INFINITY))));
    assert_eq!(decode(b"$-1\r\n"), Ok(Some(Frame::Null)));
    assert_eq!(decode(b"*-1\r\n"), Ok(Some(Frame::Null)));
}

#[test]
fn malformed_frames_are_refused() {
    let cases: [(&[u8], DecodeError); 14] = [
        (b"x\r\n", DecodeError::UnknownType(b'x')),
        (b"|1\r\n", DecodeError::UnknownType(b'|')),
        (b"\r\n", DecodeError::EmptyLine),
        (b"+a\rb\r\n", DecodeError::BadLineEnd),
        (b"+a\n", DecodeError::BadLineEnd),
        (b"$1\r\nabc", DecodeError::BadLineEnd),
        (b"$x\r\n", DecodeError::BadLength),
        (b"$?\r\n", DecodeError::BadLength),
        (b"*-2\r\n", DecodeError::BadLength),
        (b"~-1\r\n", DecodeError::BadLength),
        (b":1.5\r\n", DecodeError::BadValue(b':')),
        (b"#x\r\n", DecodeError::BadValue(b'#')),
        (b"=3\r\ntxt\r\n", DecodeError::BadValue(b'=')),
        (b"(-\r\n", DecodeError::BadValue(b'(')),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode(bytes), Err(error), "{}", bytes.escape_ascii());
    }
    assert_eq!(Frame::parse(&Bytes::from_static(b"+a\r\n+b\r\n")), Err(DecodeError::NotOneFrame));
    assert_eq!(Frame::parse(&Bytes::from_static(b"$2\r\na")), Err(DecodeError::NotOneFrame));
}

#[test]
fn limits_hold_before_the_bytes_have_come() {
    let limited = |bytes: &[u8]| {
        let limits = Limits { bytes: 100, elements: 10, depth: 2 };
        Decoder::new(limits).decode(&mut BytesMut::from(bytes))
    };
    assert_eq!(limited(b"$99\r\n"), Err(DecodeError::TooManyBytes { limit: 100 }));
    assert_eq!(limited(b"$9223372036854775807\r\n"), Err(DecodeError::TooManyBytes { limit: 100 }));
    assert_eq!(limited(b"*11\r\n"), Err(DecodeError::TooManyElements { limit: 10 }));
    assert_eq!(limited(b"%6\r\n"), Err(DecodeError::TooManyElements { limit: 10 }));
    assert_eq!(limited(b"*9223372036854775807\r\n"), Err(DecodeError::TooManyElements { limit: 10 }));
    assert_eq!(limited(b"*1\r\n*1\r\n*1\r\n"), Err(DecodeError::TooDeep { limit: 2 }));
    assert_eq!(limited(b"*1\r\n*1\r\n"), Ok(None));
    assert_eq!(decode(&[b'+'; 70_000]), Err(DecodeError::LineTooLong));
}

#[test]
fn strings_share_the_buffer() {
    let raw = Bytes::from_static(b"*1\r\n$5\r\nhello\r\n");
    let Ok(Frame::Array(items)) = Frame::parse(&raw) else { panic!("no array") };
    let Frame::Bulk(hello) = &items[0] else { panic!("no string") };
    assert!(raw.as_ptr_range().contains(&hello.as_ptr()));
}
