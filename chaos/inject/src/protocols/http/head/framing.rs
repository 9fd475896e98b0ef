//! The framing that a head announces (RFC 9112, 6.3), where all readers find the same.

use super::{
    lines::{LineEnds, Lines, other_ways},
    scan::MessageKind,
    start::is_token,
};
use crate::protocol::Unreadable;

/// The framing that a head announces for its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announced {
    Nothing,
    Length(u64),
    Chunked,
}

/// The framing of a message, as far as it is sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framed {
    /// Framing of its body; `None` where readers differ on it.
    pub(super) announced: Option<Announced>,
    /// True where the rest of the head can be read in one way alone, too.
    pub(super) is_sure: bool,
}

/// The framing that a whole head announces, the first line included, of HTTP/1 of this minor version.
///
/// # Errors
/// Readers differ on where the head ends.
pub(super) fn framed(head: &[u8], kind: MessageKind, minor: u8) -> Result<Framed, Unreadable> {
    let announced = announced(head, LineEnds::Lf, kind, minor)?;
    let others = other_ways(head);
    for ends in others {
        if self::announced(head, *ends, kind, minor)? != announced {
            return Ok(Framed { announced: None, is_sure: false });
        }
    }
    Ok(Framed { announced, is_sure: others.is_empty() })
}

/// The framing as a reader finds it that tells lines apart like this; `None` for all that has been used to make two of them
/// see two messages.
fn announced(head: &[u8], ends: LineEnds, kind: MessageKind, minor: u8) -> Result<Option<Announced>, Unreadable> {
    let mut found = Fields { kind, minor, length: Said::Nothing, is_chunked: false, is_clear: true };
    let (mut frames, mut any) = (false, false);
    let mut lines = Lines::of(head, ends);
    lines.next();
    for (line, end) in lines {
        if line.is_empty() {
            return if end == head.len() { Ok(found.announced()) } else { Err(Unreadable::AmbiguousLength) };
        }
        if matches!(line[0], b' ' | b'\t') {
            // An empty line to some.
            if line.trim_ascii().is_empty() {
                return Err(Unreadable::AmbiguousLength);
            }
            // More of the value before it, or a field to some.
            found.is_clear &= any && !frames && !found.may_frame(line.trim_ascii_start());
            continue;
        }
        any = true;
        frames = found.take(line).unwrap_or_else(|| {
            found.is_clear = false;
            true
        });
    }
    Err(Unreadable::AmbiguousLength)
}

/// The length that fields say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Length(u64),
    /// None that all readers find.
    Unclear,
}

/// The fields that say where a message ends.
struct Fields {
    kind: MessageKind,
    minor: u8,
    length: Said,
    is_chunked: bool,
    is_clear: bool,
}

impl Fields {
    /// Takes a field; tells whether it is one of these. `None` where that isn't clear.
    fn take(&mut self, line: &[u8]) -> Option<bool> {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
        // User agents don't mind blanks there; servers do in several ways (RFC 9112, 5.1).
        let name = if self.kind == MessageKind::Response { name.trim_ascii_end() } else { name };
        if is_called(name, b"content-length") {
            self.length = match (self.length, one_length(value)) {
                (Said::Nothing, Some(length)) => Said::Length(length),
                (Said::Length(before), Some(length)) if before == length => Said::Length(length),
                _ => Said::Unclear,
            };
        } else if is_called(name, b"transfer-encoding") {
            let twice = std::mem::replace(&mut self.is_chunked, true);
            self.is_clear &= !twice && is_chunked(value) && (self.minor > 0 || self.kind == MessageKind::Response);
        } else {
            return (!resembles(name)).then_some(false);
        }
        Some(true)
    }

    /// Tells whether a line that goes on with the one before may be one of these to a server that takes each line for a field.
    /// User agents don't: they go on.
    fn may_frame(&self, line: &[u8]) -> bool {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        self.kind == MessageKind::Request && resembles(name)
    }

    fn announced(&self) -> Option<Announced> {
        match (self.is_chunked, self.length) {
            _ if !self.is_clear => None,
            // RFC 9112, 6.3: the coding holds. Of requests it is how others are smuggled.
            (true, Said::Length(_) | Said::Unclear) if self.kind == MessageKind::Request => None,
            (true, _) => Some(Announced::Chunked),
            (false, Said::Length(length)) => Some(Announced::Length(length)),
            (false, Said::Nothing) => Some(Announced::Nothing),
            (false, Said::Unclear) => None,
        }
    }
}

fn is_called(name: &[u8], expected: &[u8]) -> bool {
    name.len() == expected.len() && name.eq_ignore_ascii_case(expected)
}

/// Tells whether some reader may take it for the name of one of these fields.
fn resembles(name: &[u8]) -> bool {
    is_like(name, b"content-length") || is_like(name, b"transfer-encoding")
}

/// Tells whether some reader may take it for this name: without what is in no name, and with `_` for `-`, as in the
/// environment of CGI.
fn is_like(name: &[u8], expected: &[u8]) -> bool {
    let letters = name.iter().filter(|byte| is_token(**byte));
    let letters = letters.map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() });
    letters.eq(expected.iter().copied())
}

/// A length, which may be said several times (RFC 9110, 8.6).
fn one_length(value: &[u8]) -> Option<u64> {
    let mut lengths = words(value).map(length);
    let first = lengths.next()??;
    lengths.all(|length| length == Some(first)).then_some(first)
}

fn length(word: &[u8]) -> Option<u64> {
    // Without this, `+5` would be read as 5.
    let digits = word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok()?.parse().ok().filter(|_| digits)
}

/// Tells whether the last coding is `chunked`, and no other.
fn is_chunked(value: &[u8]) -> bool {
    let is_chunked = |word: &&[u8]| word.eq_ignore_ascii_case(b"chunked");
    words(value).last().is_some_and(|last| is_chunked(&last)) && words(value).filter(is_chunked).count() == 1
}

/// The members of a list. Blanks and tabs alone may stand around them.
pub(super) fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    value.split(|byte| *byte == b',').map(move |word| {
        let start = word.iter().position(|byte| !is_blank(byte)).unwrap_or(word.len());
        let end = word.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
        &word[start..end]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Announced::{Chunked, Length, Nothing};

    fn of(kind: MessageKind, minor: u8, fields: &str) -> Result<Framed, Unreadable> {
        framed(format!("first line\r\n{fields}\r\n\r\n").as_bytes(), kind, minor)
    }

    fn sure(announced: Option<Announced>) -> Result<Framed, Unreadable> {
        Ok(Framed { announced, is_sure: true })
    }

    #[test]
    fn what_is_said_once_or_alike_is_clear_to_all() {
        for (fields, announced) in [
            ("x: 5", Nothing),
            ("Content-Length:  5\t", Length(5)),
            ("content-length: 5\r\ncontent-length: 5", Length(5)),
            ("content-length: 5, 5 ,5", Length(5)),
            ("transfer-encoding: gzip, Chunked", Chunked),
            ("x: a\r\n b: 7\r\nx-content-length: 6\r\ncontent-lengthy: 5", Nothing),
            ("no field\r\n: x\r\nx : y\r\nx: \0", Nothing),
        ] {
            for kind in [MessageKind::Request, MessageKind::Response] {
                assert_eq!(of(kind, 1, fields), sure(Some(announced)), "{fields:?}");
            }
        }
    }

    #[test]
    fn user_agents_read_more_than_servers() {
        for (minor, fields, announced) in [
            (1, "content-length: 5\r\ntransfer-encoding: chunked", Chunked),
            (1, "content-length: 5\r\ncontent-length: +6\r\ntransfer-encoding: chunked", Chunked),
            (1, "content-length : 5", Length(5)),
            (1, "transfer-encoding \t: chunked", Chunked),
            (0, "transfer-encoding: chunked", Chunked),
            (1, "x: a\r\n content-length: 7", Nothing),
            (1, "x: a\r\n\ttransfer-encoding\t: chunked\r\ncontent-length: 5", Length(5)),
        ] {
            assert_eq!(of(MessageKind::Response, minor, fields), sure(Some(announced)), "{fields:?}");
            assert_eq!(of(MessageKind::Request, minor, fields), sure(None), "{fields:?}");
        }
    }

    #[test]
    fn lines_that_some_end_elsewhere_are_sure_where_that_makes_no_difference() {
        let framed = |head: &str| framed(head.as_bytes(), MessageKind::Request, 1);
        let apart = |announced| Ok(Framed { announced, is_sure: false });
        assert_eq!(framed("a\ncontent-length: 5\n\n"), sure(Some(Length(5))));
        assert_eq!(framed("a\r\nx: a\rb\r\ncontent-length: 5\r\n\r\n"), apart(Some(Length(5))));
        assert_eq!(framed("a\r\nx: a\nb: c\r\ncontent-length: 5\r\n\r\n"), apart(Some(Length(5))));
        assert_eq!(framed("a\r\nx: a\ncontent-length: 5\r\n\r\n"), apart(None));
        assert_eq!(framed("a\r\nx: a\rcontent-length: 5\r\n\r\n"), apart(None));
        for head in ["a\r\nx: a\r\r\n\r\n", "a\r\nx: a\r\n\n", "a\r\nx: a\n\r\n", "a\r\nx: a\r\n \r\n\r\n"] {
            assert_eq!(framed(head), Err(Unreadable::AmbiguousLength), "{head:?}");
        }
    }
}
