//! Finds where a frame ends, without building it.

use super::{DecodeError, Limits, number::parse_integer};

/// A line (type, length, number or simple string) may have this many bytes, as in Redis.
const LINE_BYTES: usize = 64 * 1024;

/// How far a frame has been looked through. It holds no bytes: the caller keeps them, and comes back when there are more.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Everything before is known to belong to the frame.
    at: usize,
    /// Where the search for the end of the line at `at` goes on.
    searched: usize,
    /// Frames that are still to come in each open aggregate, outermost first.
    open: Vec<u64>,
    elements: u64,
}

impl Scanner {
    /// The length of the frame at the start of `bytes`, or `None` if its end has not come yet. `bytes` must begin with
    /// what was there at the last call.
    pub(super) fn find_end(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, DecodeError> {
        loop {
            let Some(line_end) = self.line_end(bytes)? else { return Ok(None) };
            let line = &bytes[self.at..line_end];
            let next = line_end + 2;
            let Some((&kind, rest)) = line.split_first() else { return Err(DecodeError::EmptyLine) };
            let children = match kind {
                b'+' | b'-' | b':' | b',' | b'#' | b'(' | b'_' => {
                    self.enter(next, limits)?;
                    0
                }
                b'$' | b'=' | b'!' => {
                    let length = length(kind, rest)?;
                    let end = length.map_or(next, |length| next.saturating_add(length).saturating_add(2));
                    if end > limits.bytes {
                        return Err(DecodeError::TooManyBytes { limit: limits.bytes });
                    }
                    if bytes.len() < end {
                        return Ok(None);
                    }
                    if length.is_some() && &bytes[end - 2..end] != b"\r\n" {
                        return Err(DecodeError::BadLineEnd);
                    }
                    self.enter(end, limits)?;
                    0
                }
                b'*' | b'~' | b'>' | b'%' => {
                    let count = length(kind, rest)?.unwrap_or(0) as u64;
                    self.enter(next, limits)?;
                    if kind == b'%' { count.saturating_mul(2) } else { count }
                }
                other => return Err(DecodeError::UnknownType(other)),
            };
            if self.close(children, limits)? {
                return Ok(Some(self.at));
            }
        }
    }

    /// Starts anew, for the next frame.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    fn line_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, DecodeError> {
        let from = self.searched.max(self.at);
        let found = bytes[from..].iter().position(|byte| matches!(byte, b'\r' | b'\n')).map(|found| from + found);
        let known = found.unwrap_or(bytes.len());
        if known - self.at > LINE_BYTES {
            return Err(DecodeError::LineTooLong);
        }
        self.searched = known;
        let Some(end) = found else { return Ok(None) };
        match (bytes[end], bytes.get(end + 1)) {
            (b'\r', None) => Ok(None),
            (b'\r', Some(b'\n')) => Ok(Some(end)),
            _ => Err(DecodeError::BadLineEnd),
        }
    }

    /// Counts one frame (or the head of an aggregate) that ends at `end`.
    fn enter(&mut self, end: usize, limits: &Limits) -> Result<(), DecodeError> {
        if end > limits.bytes {
            return Err(DecodeError::TooManyBytes { limit: limits.bytes });
        }
        self.at = end;
        Ok(())
    }

    /// Opens an aggregate of `children`, or closes those that are now complete. True at the end of the whole frame.
    fn close(&mut self, children: u64, limits: &Limits) -> Result<bool, DecodeError> {
        if children > 0 {
            self.elements = self.elements.saturating_add(children);
            if self.elements > limits.elements {
                return Err(DecodeError::TooManyElements { limit: limits.elements });
            }
            if self.open.len() >= limits.depth {
                return Err(DecodeError::TooDeep { limit: limits.depth });
            }
            self.open.push(children);
            return Ok(false);
        }
        while let Some(remaining) = self.open.last_mut() {
            *remaining -= 1;
            if *remaining > 0 {
                return Ok(false);
            }
            self.open.pop();
        }
        Ok(true)
    }
}

/// A length or count; `None` is a null of RESP2.
pub(super) fn length(kind: u8, text: &[u8]) -> Result<Option<usize>, DecodeError> {
    match parse_integer(text) {
        Some(-1) if matches!(kind, b'$' | b'*') => Ok(None),
        Some(length) => usize::try_from(length).map(Some).map_err(|_| DecodeError::BadLength),
        None => Err(DecodeError::BadLength),
    }
}
