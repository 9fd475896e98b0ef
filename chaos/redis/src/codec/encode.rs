//! Frames to bytes. What a version lacks is said as Redis says it there.

use super::{Frame, Protocol};
use bytes::{BufMut as _, BytesMut};
use std::fmt::{Display, Write as _};

impl Frame {
    /// Appends the frame as `protocol` writes it. Line breaks in what may hold none become spaces, as in Redis.
    pub fn encode(&self, protocol: Protocol, out: &mut BytesMut) {
        let resp3 = protocol == Protocol::Resp3;
        match self {
            Self::Simple(text) => line(out, b'+', text),
            Self::Error(text) => line(out, b'-', text),
            Self::Integer(number) => match usize::try_from(*number) {
                Ok(number) => count(out, b':', number),
                Err(_) => header(out, ':', number),
            },
            Self::Bulk(bytes) => bulk(out, b'$', bytes),
            Self::Null if resp3 => out.put_slice(b"_\r\n"),
            Self::Null => out.put_slice(b"$-1\r\n"),
            Self::Array(items) => list(out, b'*', items, protocol),
            Self::Set(items) => list(out, if resp3 { b'~' } else { b'*' }, items, protocol),
            Self::Push(items) => list(out, if resp3 { b'>' } else { b'*' }, items, protocol),
            Self::Map(pairs) => {
                if resp3 {
                    count(out, b'%', pairs.len());
                } else {
                    count(out, b'*', pairs.len() * 2);
                }
                for (key, value) in pairs {
                    key.encode(protocol, out);
                    value.encode(protocol, out);
                }
            }
            Self::Double(number) if resp3 => header(out, ',', double(*number)),
            Self::Double(number) => bulk(out, b'$', double(*number).as_bytes()),
            Self::Boolean(truth) if resp3 => out.put_slice(if *truth { b"#t\r\n" } else { b"#f\r\n" }),
            Self::Boolean(truth) => header(out, ':', i64::from(*truth)),
            Self::BigNumber(digits) if resp3 => line(out, b'(', digits),
            Self::BigNumber(digits) => bulk(out, b'$', digits),
            Self::Verbatim { format, text } if resp3 => {
                count(out, b'=', text.len() + 4);
                out.put_slice(format);
                out.put_u8(b':');
                out.put_slice(text);
                out.put_slice(b"\r\n");
            }
            Self::Verbatim { text, .. } => bulk(out, b'$', text),
            Self::BlobError(text) if resp3 => bulk(out, b'!', text),
            Self::BlobError(text) => line(out, b'-', text),
        }
    }
}

fn header(out: &mut BytesMut, kind: char, value: impl Display) {
    // Writing to a BytesMut grows it, and never fails.
    let _ = write!(out, "{kind}{value}\r\n");
}

/// A kind and a number. Each reply has some, and the standard library's formatting would take longer than all the rest.
pub(crate) fn count(out: &mut BytesMut, kind: u8, number: usize) {
    // As many as the largest number has.
    let mut digits = [0; 20];
    let (mut at, mut left) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.reserve(digits.len() + 3);
    out.put_u8(kind);
    out.put_slice(&digits[at..]);
    out.put_slice(b"\r\n");
}

pub(super) fn bulk(out: &mut BytesMut, kind: u8, bytes: &[u8]) {
    count(out, kind, bytes.len());
    out.reserve(bytes.len() + 2);
    out.put_slice(bytes);
    out.put_slice(b"\r\n");
}

fn line(out: &mut BytesMut, kind: u8, text: &[u8]) {
    out.reserve(text.len() + 3);
    out.put_u8(kind);
    let start = out.len();
    out.put_slice(text);
    for byte in &mut out[start..] {
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
    out.put_slice(b"\r\n");
}

fn list(out: &mut BytesMut, kind: u8, items: &[Frame], protocol: Protocol) {
    count(out, kind, items.len());
    for item in items {
        item.encode(protocol, out);
    }
}

/// The shortest digits that read back as the same number.
fn double(number: f64) -> String {
    let size = number.abs();
    if number.is_nan() {
        "nan".to_owned()
    } else if number.is_finite() && size != 0.0 && !(1e-5..1e17).contains(&size) {
        format!("{number:e}")
    } else {
        // Infinities are `inf` and `-inf` in Rust too.
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn encoded(frame: &Frame, protocol: Protocol) -> String {
        let mut out = BytesMut::new();
        frame.encode(protocol, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn each_type_is_written_as_its_version_has_it() {
        let one = || Frame::Integer(1);
        let cases = [
            (Frame::OK, "+OK\r\n", "+OK\r\n"),
            (Frame::error("ERR no"), "-ERR no\r\n", "-ERR no\r\n"),
            (Frame::Integer(-7), ":-7\r\n", ":-7\r\n"),
            (Frame::Integer(0), ":0\r\n", ":0\r\n"),
            (Frame::Integer(10), ":10\r\n", ":10\r\n"),
            (Frame::Integer(i64::MAX), ":9223372036854775807\r\n", ":9223372036854775807\r\n"),
            (Frame::Integer(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"),
            (Frame::bulk("a\r\nb"), "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"),
            (Frame::Null, "$-1\r\n", "_\r\n"),
            (Frame::Array(vec![]), "*0\r\n", "*0\r\n"),
            (Frame::Map(vec![(one(), Frame::Null)]), "*2\r\n:1\r\n$-1\r\n", "%1\r\n:1\r\n_\r\n"),
            (Frame::Set(vec![one()]), "*1\r\n:1\r\n", "~1\r\n:1\r\n"),
            (Frame::Push(vec![one()]), "*1\r\n:1\r\n", ">1\r\n:1\r\n"),
            (Frame::Double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"),
            (Frame::Double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n"),
            (Frame::Double(f64::NAN), "$3\r\nnan\r\n", ",nan\r\n"),
            (Frame::Double(1e300), "$5\r\n1e300\r\n", ",1e300\r\n"),
            (Frame::Boolean(true), ":1\r\n", "#t\r\n"),
            (Frame::BigNumber(Bytes::from_static(b"-12")), "$3\r\n-12\r\n", "(-12\r\n"),
            (Frame::Verbatim { format: *b"txt", text: "hi".into() }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
            (Frame::BlobError("E a\nb".into()), "-E a b\r\n", "!5\r\nE a\nb\r\n"),
        ];
        for (frame, resp2, resp3) in cases {
            assert_eq!(encoded(&frame, Protocol::Resp2), resp2, "{frame:?}");
            assert_eq!(encoded(&frame, Protocol::Resp3), resp3, "{frame:?}");
        }
    }

    #[test]
    fn an_error_cannot_break_out_of_its_line() {
        assert_eq!(encoded(&Frame::error("ERR a\r\n+OK"), Protocol::Resp2), "-ERR a  +OK\r\n");
    }
}
