//! Requests: arrays of bulk strings, or words on a line. Read as Redis reads them, which is laxer than a [`Frame`] in
//! one place (what stands for CR LF behind a string isn't looked at) and stricter in all others.
//!
//! [`Frame`]: super::Frame

use super::{
    encode::{bulk, count},
    inline, parse_integer,
};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// A line may have this many bytes (`PROTO_INLINE_MAX_SIZE`).
pub(super) const LINE_BYTES: usize = 64 * 1024;

/// Limits of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// The command's name and its arguments.
    pub arguments: i64,
    /// Bytes of one argument.
    pub argument_bytes: i64,
    /// Bytes of the whole request, as written.
    pub bytes: usize,
    /// Tells requests that are too large for a client which has not authenticated; only the texts differ.
    pub unauthenticated: bool,
}

impl Default for RequestLimits {
    /// Redis's own by default: arguments of 512 MiB, 1 GiB in all; a million arguments, where Redis has no limit.
    fn default() -> Self {
        let (arguments, argument_bytes) = (1024 * 1024, 512 * 1024 * 1024);
        Self { arguments, argument_bytes, bytes: 1024 * 1024 * 1024, unauthenticated: false }
    }
}

impl RequestLimits {
    /// The limits that Redis sets a client which has yet to authenticate.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self { arguments: 10, argument_bytes: 16 * 1024, unauthenticated: true, ..Self::default() }
    }
}

/// Bytes that are no request, in the words of Redis. It says so to the client (behind `ERR `) and closes the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Protocol error: {0}")]
pub struct ProtocolError(String);

/// The request of a client: one command with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The command's name and its arguments; never empty. They share memory with `raw`, unless the request was a line.
    pub arguments: Vec<Bytes>,
    /// The bytes that came.
    pub raw: Bytes,
}

impl Request {
    /// Appends a request of these arguments.
    pub fn encode<A: AsRef<[u8]>>(arguments: &[A], out: &mut BytesMut) {
        count(out, b'*', arguments.len());
        for argument in arguments {
            bulk(out, b'$', argument.as_ref());
        }
    }
}

/// Cuts requests from a stream of bytes, however they arrive. One a connection.
#[derive(Debug, Default)]
pub struct RequestDecoder {
    /// Everything before is known to belong to the request.
    at: usize,
    /// Offset at which the search for the end of the line at `at` goes on.
    searched: usize,
    /// Arguments that are still to come; `None` before the request's first line.
    missing: Option<i64>,
    arguments: Vec<Range<usize>>,
}

impl RequestDecoder {
    /// Cuts the next whole request from the start of `buffer`; `None` until there is one. The caller appends to
    /// `buffer`, and takes nothing from it. Empty requests are skipped.
    ///
    /// # Errors
    /// Where the bytes are no request, or one beyond the limits.
    pub fn decode(&mut self, buffer: &mut BytesMut, limits: &RequestLimits) -> Result<Option<Request>, ProtocolError> {
        loop {
            if self.at > limits.bytes {
                return Err(error("too big request"));
            }
            let taken = match self.missing {
                Some(0) => return Ok(Some(self.finish(buffer))),
                Some(missing) => self.argument(buffer, missing, limits)?,
                None if buffer.first().is_some_and(|first| *first != b'*') => match self.inline(buffer)? {
                    Some(request) if request.arguments.is_empty() => true,
                    request => return Ok(request),
                },
                None => self.count(buffer, limits)?,
            };
            if !taken {
                return Ok(None);
            }
        }
    }

    fn finish(&mut self, buffer: &mut BytesMut) -> Request {
        let raw = buffer.split_to(self.at.min(buffer.len())).freeze();
        // The list keeps its memory for the next request.
        let arguments = self.arguments.drain(..).map(|range| raw.slice(range)).collect();
        (self.at, self.searched, self.missing) = (0, 0, None);
        Request { arguments, raw }
    }

    /// The first line, `*` and the number of arguments. Zero and less are an empty request.
    fn count(&mut self, buffer: &mut BytesMut, limits: &RequestLimits) -> Result<bool, ProtocolError> {
        let Some(end) = self.line_end(buffer, "too big mbulk count string")? else { return Ok(false) };
        let count = buffer.get(1..end).and_then(parse_integer);
        let count = count.filter(|count| *count <= i64::from(i32::MAX));
        let count = count.ok_or_else(|| error("invalid multibulk length"))?;
        if count > limits.arguments {
            let text =
                if limits.unauthenticated { "unauthenticated multibulk length" } else { "invalid multibulk length" };
            return Err(error(text));
        }
        if count > 0 {
            self.missing = Some(count);
            self.at = end + 2;
        } else {
            let _ = buffer.split_to(end + 2);
            *self = Self::default();
        }
        Ok(true)
    }

    fn argument(&mut self, buffer: &[u8], missing: i64, limits: &RequestLimits) -> Result<bool, ProtocolError> {
        let Some(end) = self.line_end(buffer, "too big bulk count string")? else { return Ok(false) };
        let line = &buffer[self.at..end];
        if line.first() != Some(&b'$') {
            // With an empty line it is the CR itself that stands there.
            let found = char::from(buffer[self.at]);
            return Err(error(&format!("expected '$', got '{found}'")));
        }
        let length = parse_integer(&line[1..]).filter(|length| *length >= 0);
        let length = length.ok_or_else(|| error("invalid bulk length"))?;
        if length > limits.argument_bytes {
            let text = if limits.unauthenticated { "unauthenticated bulk length" } else { "invalid bulk length" };
            return Err(error(text));
        }
        let start = end + 2;
        let argument = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let argument_end = argument.filter(|end| *end <= limits.bytes).ok_or_else(|| error("too big request"))?;
        if buffer.len() < argument_end + 2 {
            return Ok(false);
        }
        self.arguments.push(start..argument_end);
        self.at = argument_end + 2;
        self.missing = Some(missing - 1);
        Ok(true)
    }

    /// The place of the CR that ends the line at `at`, once the byte behind it is there.
    fn line_end(&mut self, buffer: &[u8], too_long: &str) -> Result<Option<usize>, ProtocolError> {
        let from = self.searched.max(self.at);
        let found = buffer[from..].iter().position(|byte| *byte == b'\r').map(|found| from + found);
        let known = found.unwrap_or(buffer.len());
        if known - self.at > LINE_BYTES {
            return Err(error(too_long));
        }
        self.searched = known;
        Ok(found.filter(|end| end + 1 < buffer.len()))
    }

    fn inline(&mut self, buffer: &mut BytesMut) -> Result<Option<Request>, ProtocolError> {
        let found = buffer[self.searched..].iter().position(|byte| *byte == b'\n').map(|found| self.searched + found);
        let known = found.unwrap_or(buffer.len());
        if known > LINE_BYTES {
            return Err(error("too big inline request"));
        }
        self.searched = known;
        let Some(end) = found else { return Ok(None) };
        let raw = buffer.split_to(end + 1).freeze();
        *self = Self::default();
        let line = raw[..end].strip_suffix(b"\r").unwrap_or(&raw[..end]);
        let words = inline::split(line).ok_or_else(|| error("unbalanced quotes in request"))?;
        Ok(Some(Request { arguments: words.into_iter().map(Bytes::from).collect(), raw }))
    }
}

pub(super) fn error(text: &str) -> ProtocolError {
    ProtocolError(text.to_owned())
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
