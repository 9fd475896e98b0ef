//! The meaning of a head: its first line and fields.

use super::{
    fold::unfold,
    framing::{Announced, Framed, framed, words},
    lines::{LineEnds, Lines},
    scan::MessageKind,
    start::{RequestLine, StatusLine, is_token},
};
use crate::protocol::Unreadable;
use std::borrow::Cow;

/// A field: its name as sent, and its value without the blanks around it.
type Field<'a> = (&'a str, &'a [u8]);

/// A request's head.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    /// Target, as sent.
    pub(crate) target: &'a [u8],
    pub(crate) minor: u8,
    /// The fields that have a name, in order.
    pub(crate) fields: &'a [Field<'a>],
    pub(crate) announced: Announced,
    /// False where readers may find other fields in it, though they find the same end.
    pub(crate) is_sure: bool,
}

/// A response's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Framing of its body; `None` where readers differ on it.
    pub(crate) announced: Option<Announced>,
    /// False where readers may find other fields in it.
    pub(crate) is_sure: bool,
}

impl Ask<'_> {
    /// Tells whether the client waits to be told to send its body (RFC 9110, section 10.1.1).
    pub(crate) fn expects(&self) -> bool {
        self.minor > 0 && self.says("expect", b"100-continue")
    }

    /// Tells whether the connection ends behind the response.
    pub(crate) fn closes(&self) -> bool {
        self.minor == 0 || self.says("connection", b"close")
    }

    fn says(&self, name: &str, word: &[u8]) -> bool {
        let fields = self.fields.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
        fields.flat_map(|(_, value)| words(value)).any(|it| it.eq_ignore_ascii_case(word))
    }
}

/// Reads a complete head.
///
/// # Errors
/// It can't be read, or readers differ on where the request ends.
pub(crate) fn parse_ask<T>(head: &[u8], folded: bool, read: impl FnOnce(&Ask<'_>) -> T) -> Result<T, Unreadable> {
    let RequestLine { method, target, minor } =
        RequestLine::read(first_line(head)).ok_or(Unreadable::UnreadableHead)?;
    let Framed { announced, is_sure } = framed(head, MessageKind::Request, minor)?;
    let announced = announced.ok_or(Unreadable::AmbiguousLength)?;
    let flat = if folded { Cow::Owned(unfold(head)) } else { Cow::Borrowed(head) };
    let fields: Vec<_> = Lines::of(&flat, LineEnds::Lf).skip(1).filter_map(|(line, _)| field(line)).collect();
    Ok(read(&Ask { method, target, minor, fields: &fields, announced, is_sure }))
}

/// Reads a complete head.
///
/// # Errors
/// It can't be read, or readers differ on where it ends.
pub(crate) fn parse_reply(head: &[u8]) -> Result<Reply, Unreadable> {
    let StatusLine { status, minor } = StatusLine::read(first_line(head)).ok_or(Unreadable::UnreadableHead)?;
    let Framed { announced, is_sure } = framed(head, MessageKind::Response, minor)?;
    Ok(Reply { status, announced, is_sure })
}

fn first_line(head: &[u8]) -> &[u8] {
    Lines::of(head, LineEnds::Lf).next().map_or(&[], |(line, _)| line)
}

/// The field on a line. What has another name than a token has none to those who read on, and is left out.
fn field(line: &[u8]) -> Option<Field<'_>> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_name = !name.is_empty() && name.iter().all(|byte| is_token(*byte));
    let name = std::str::from_utf8(name).ok().filter(|_| is_name)?;
    Some((name, value.trim_ascii()))
}
