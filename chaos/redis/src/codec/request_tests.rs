use super::*;
use proptest::prelude::*;

fn decode(bytes: &[u8]) -> Result<Option<Vec<Bytes>>, ProtocolError> {
    let request = RequestDecoder::default().decode(&mut BytesMut::from(bytes), &RequestLimits::default())?;
    Ok(request.map(|request| request.arguments))
}

fn request_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[*$]-?[0-9]{0,2}\r\n".prop_map(String::into_bytes),
        2 => "[A-Z \"'\\\\x]{0,6}\r?\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn any_request() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 1..6)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_wherever_it_is_split(
        requests in proptest::collection::vec(any_request(), 1..5),
        cuts in proptest::collection::vec(1..9_usize, 1..40),
    ) {
        let mut whole = BytesMut::new();
        requests.iter().for_each(|request| Request::encode(request, &mut whole));
        let (mut decoder, mut buffer, mut raw, mut read) = (RequestDecoder::default(), BytesMut::new(), vec![], vec![]);
        let (mut rest, mut cuts) = (&whole[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            rest = later;
            buffer.extend_from_slice(now);
            while let Some(request) = decoder.decode(&mut buffer, &RequestLimits::default()).unwrap() {
                raw.extend_from_slice(&request.raw);
                read.push(request.arguments.iter().map(|argument| argument.to_vec()).collect::<Vec<_>>());
            }
        }
        prop_assert_eq!(read, requests);
        prop_assert_eq!(raw, whole.to_vec());
    }

    #[test]
    fn no_bytes_make_it_panic_and_splits_change_nothing(bytes in request_bytes()) {
        let limits = RequestLimits { arguments: 50, argument_bytes: 40, bytes: 400, unauthenticated: false };
        let drain = |decoder: &mut RequestDecoder, buffer: &mut BytesMut, read: &mut Vec<_>| loop {
            match decoder.decode(buffer, &limits) {
                Ok(Some(request)) => read.push(request.arguments),
                Ok(None) => return None,
                Err(error) => return Some(error),
            }
        };
        let (mut decoder, mut at_once) = (RequestDecoder::default(), vec![]);
        let error = drain(&mut decoder, &mut BytesMut::from(&bytes[..]), &mut at_once);
        let (mut decoder, mut one_by_one, mut buffer) = (RequestDecoder::default(), vec![], BytesMut::new());
        let late_error = bytes.iter().find_map(|byte| {
            buffer.extend_from_slice(&[*byte]);
            drain(&mut decoder, &mut buffer, &mut one_by_one)
        });
        prop_assert_eq!(at_once, one_by_one);
        prop_assert_eq!(error, late_error);
    }
}

#[test]
fn lines_and_empty_requests() {
    assert_eq!(decode(b"\r\n  \r\nPING a\r\n"), Ok(Some(vec!["PING".into(), "a".into()])));
    assert_eq!(decode(b"*0\r\n*-1\r\nPING\n"), Ok(Some(vec!["PING".into()])));
    assert_eq!(decode(b"PING"), Ok(None));
    assert_eq!(decode(b"*1\n$4\nPING\n"), Ok(None));
}

#[test]
fn malformed_requests_are_refused_in_the_words_of_redis() {
    let long = |start: &[u8]| [start, &[b'1'; 70_000]].concat();
    let cases: [(&[u8], &str); 12] = [
        (b"*x\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
        (b"*1\r\n\r\n", "expected '$', got '\r'"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"GET \"a\r\n", "unbalanced quotes in request"),
        (&long(b"*"), "too big mbulk count string"),
        (&long(b"*1\r\n$"), "too big bulk count string"),
        (&long(b"a"), "too big inline request"),
    ];
    for (bytes, text) in cases {
        let error = decode(bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("Protocol error: {text}"));
    }
}

#[test]
fn limits_hold_before_the_bytes_have_come() {
    let limited = |bytes: &[u8], limits| RequestDecoder::default().decode(&mut BytesMut::from(bytes), &limits);
    let small = RequestLimits { bytes: 100, ..RequestLimits::default() };
    assert!(limited(b"*1\r\n$100\r\n", small).is_err());
    assert!(limited(b"*1\r\n$80\r\n", small).is_ok());
    let text = |bytes| limited(bytes, RequestLimits::unauthenticated()).unwrap_err().to_string();
    assert_eq!(text(b"*11\r\n"), "Protocol error: unauthenticated multibulk length");
    assert_eq!(text(b"*1\r\n$16385\r\n"), "Protocol error: unauthenticated bulk length");
}
