//! The line that a message starts with, read as widely as nginx and user agents do.

/// The longest method that is read; the longest of the registry (RFC 9110, 16.1) has 17 letters.
const LONGEST_METHOD: usize = 64;

/// A request's first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a str,
    /// Target, as sent: any bytes, also blanks.
    pub(super) target: &'a [u8],
    /// Minor version of HTTP/1.
    pub(super) minor: u8,
}

/// A response's first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatusLine {
    pub(super) status: u16,
    /// Minor version of HTTP/1.
    pub(super) minor: u8,
}

impl<'a> RequestLine<'a> {
    /// Reads a line without its end.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let line = trim_end(line);
        let before_version = line.iter().rposition(|byte| *byte == b' ')?;
        let minor = version(&line[before_version + 1..])?;
        let (method, target) = line[..before_version].split_at_checked(method_length(line)?)?;
        let target = trim_start(trim_end(target));
        let method = std::str::from_utf8(method).ok()?;
        (!target.is_empty()).then_some(Self { method, target, minor })
    }
}

impl StatusLine {
    /// Reads a line without its end.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let (version_text, rest) = line.split_at_checked(8)?;
        let minor = version(version_text)?;
        let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
        let (digits, reason) = rest.split_at_checked(3)?;
        let digit = |byte: &u8| char::from(*byte).to_digit(10).and_then(|digit| u16::try_from(digit).ok());
        let status = digits.iter().try_fold(0, |status, byte| Some(10 * status + digit(byte)?))?;
        let is_whole = reason.first().is_none_or(|byte| *byte == b' ');
        (status >= 100 && is_whole).then_some(Self { status, minor })
    }
}

/// RFC 9110, section 5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Tells whether these may be the first bytes of a request's first line.
pub(super) fn may_become_request(first: &[u8]) -> bool {
    method_length(first).is_some()
        || (first.len() <= LONGEST_METHOD && first.iter().all(|byte| is_token(*byte)))
        || first == b"\r"
}

/// Tells whether these may be the first bytes of a response's first line.
pub(super) fn may_become_response(first: &[u8]) -> bool {
    const SHAPE: &[u8] = b"HTTP/1.d ";
    let like = |(byte, shape): (&u8, &u8)| if *shape == b'd' { byte.is_ascii_digit() } else { byte == shape };
    first.iter().zip(SHAPE).all(like) || first == b"\r"
}

/// The length of the method that a line begins with, where a blank follows it.
fn method_length(line: &[u8]) -> Option<usize> {
    let length = line.iter().take(LONGEST_METHOD + 1).position(|byte| !is_token(*byte))?;
    (length > 0 && line[length] == b' ').then_some(length)
}

fn version(text: &[u8]) -> Option<u8> {
    match text.strip_prefix(b"HTTP/1.")? {
        [digit] if digit.is_ascii_digit() => Some(digit - b'0'),
        _ => None,
    }
}

/// Without the blanks at its end. Tabs are no blanks here.
fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines() {
        let read = |line: &'static [u8]| RequestLine::read(line).map(|it| (it.method, it.target, it.minor));
        for (line, method, target, minor) in [
            (&b"GET / HTTP/1.1"[..], "GET", &b"/"[..], 1),
            (b"X-!#$%&'*+.^_`|~ * HTTP/1.0", "X-!#$%&'*+.^_`|~", b"*", 0),
            (b"GET   /a   HTTP/1.1  ", "GET", b"/a", 1),
            (b"GET /caf\xe9\t\0\x01 HTTP/1.1", "GET", b"/caf\xe9\t\0\x01", 1),
            (b"GET /a b HTTP/1.1", "GET", b"/a b", 1),
            (b"GET / HTTP/1.9", "GET", b"/", 9),
        ] {
            assert_eq!(read(line), Some((method, target, minor)), "{}", line.escape_ascii());
            for part in 0..line.len() {
                assert!(may_become_request(&line[..part]), "{}", line[..part].escape_ascii());
            }
        }
        let none: [&[u8]; 10] = [
            b"",
            b"GET",
            b"GET /",
            b"GET HTTP/1.1",
            b" GET / HTTP/1.1",
            b"G(T / HTTP/1.1",
            b"GET / HTTP/2.0",
            b"GET / HTTP/1.10",
            b"GET\t/ HTTP/1.1",
            b"GET / http/1.1",
        ];
        none.into_iter().for_each(|line| assert_eq!(read(line), None, "{}", line.escape_ascii()));
        let long = [b'A'; LONGEST_METHOD + 1];
        let none: [&[u8]; 4] = [b" ", b"G(", b"\x16\x03", &long];
        none.into_iter().for_each(|first| assert!(!may_become_request(first), "{}", first.escape_ascii()));
    }

    #[test]
    fn status_lines() {
        let read = |line: &[u8]| StatusLine::read(line).map(|it| (it.status, it.minor));
        for (line, status, minor) in [
            (&b"HTTP/1.1 200 OK"[..], 200, 1),
            (b"HTTP/1.0 404", 404, 0),
            (b"HTTP/1.1 999 caf\xe9 \0", 999, 1),
            (b"HTTP/1.1 100 ", 100, 1),
            (b"HTTP/1.1  503 No", 503, 1),
        ] {
            assert_eq!(read(line), Some((status, minor)), "{}", line.escape_ascii());
            for part in 0..line.len() {
                assert!(may_become_response(&line[..part]), "{}", line[..part].escape_ascii());
            }
        }
        let none: [&[u8]; 7] =
            [b"", b"HTTP/1.1", b"HTTP/1.1 20", b"HTTP/1.1 2000", b"HTTP/1.1 099 .", b"HTTP/2.0 200 OK", b"ICY 200 OK"];
        none.into_iter().for_each(|line| assert_eq!(read(line), None, "{}", line.escape_ascii()));
        let none: [&[u8]; 4] = [b"ICY", b"HTTP/2", b"HTTP/1.1\t", b"220 mail"];
        none.into_iter().for_each(|first| assert!(!may_become_response(first), "{}", first.escape_ascii()));
    }
}
