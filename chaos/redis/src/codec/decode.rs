use super::{
    Frame,
    scan::{Scanner, length},
};
use bytes::{Bytes, BytesMut};

/// Limits of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole frame, as written.
    pub bytes: usize,
    /// Frames within it, on all levels.
    pub elements: u64,
    /// Aggregates within each other.
    pub depth: usize,
}

impl Default for Limits {
    /// 512 MiB (the largest string of Redis), a million elements, 32 levels.
    fn default() -> Self {
        Self { bytes: 512 * 1024 * 1024, elements: 1024 * 1024, depth: 32 }
    }
}

/// Bytes that are no frame, or one beyond the limits. Nothing behind them can be understood: close the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No type has this mark.
    #[error("`{}` starts no frame", .0.escape_ascii())]
    UnknownType(u8),
    /// A line without a type.
    #[error("an empty line starts no frame")]
    EmptyLine,
    /// A line doesn't end with CR LF, or a string is longer than it said.
    #[error("expected CR LF")]
    BadLineEnd,
    /// A line is longer than 64 KiB.
    #[error("a line has more than 64 KiB")]
    LineTooLong,
    /// A length or count that is none.
    #[error("expected a length")]
    BadLength,
    /// A number, double, boolean, null or verbatim string that is none.
    #[error("expected a value of type `{}`", .0.escape_ascii())]
    BadValue(u8),
    /// See [`Limits::bytes`].
    #[error("the frame has more than {limit} bytes")]
    TooManyBytes {
        /// Bytes that are allowed.
        limit: usize,
    },
    /// See [`Limits::elements`].
    #[error("the frame has more than {limit} elements")]
    TooManyElements {
        /// Elements that are allowed.
        limit: u64,
    },
    /// See [`Limits::depth`].
    #[error("the frame is nested more than {limit} deep")]
    TooDeep {
        /// Depth that is allowed.
        limit: usize,
    },
    /// There are bytes behind the one frame that was expected, or it isn't whole.
    #[error("expected exactly one frame")]
    NotOneFrame,
}

/// Cuts frames from a stream of bytes, however they arrive. One a connection and direction.
#[derive(Debug, Default)]
pub struct Decoder {
    scanner: Scanner,
    /// Bytes of the buffer that have been looked at.
    seen: usize,
}

impl Decoder {
    /// A decoder with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { scanner: Scanner::new(limits), seen: 0 }
    }

    /// Cuts the next whole frame from the start of `buffer` as the bytes that came; `None` until there is one. The
    /// caller appends to `buffer`, and takes nothing from it. [`Frame::parse`] reads what this returns.
    ///
    /// # Errors
    /// Where the bytes are no frame, or one beyond the limits.
    pub fn decode_raw(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, DecodeError> {
        let scanned = self.scanner.scan(&buffer[self.seen..])?;
        self.seen += scanned.bytes;
        if !scanned.whole {
            return Ok(None);
        }
        Ok(Some(buffer.split_to(std::mem::take(&mut self.seen)).freeze()))
    }

    /// Cuts the next whole frame from the start of `buffer`; `None` until there is one.
    ///
    /// # Errors
    /// Where the bytes are no frame, or one beyond the limits.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        // What it cut is within the limits.
        self.decode_raw(buffer)?.map(|raw| Cursor { raw: &raw, at: 0 }.frame()).transpose()
    }
}

impl Frame {
    /// Reads one frame that is there as a whole, within the default limits. Its strings share `raw`'s memory.
    ///
    /// # Errors
    /// Where the bytes are no frame, more than one, or one beyond the limits.
    pub fn parse(raw: &Bytes) -> Result<Self, DecodeError> {
        let scanned = Scanner::default().scan(raw)?;
        if scanned.whole && scanned.bytes == raw.len() {
            Cursor { raw, at: 0 }.frame()
        } else {
            Err(DecodeError::NotOneFrame)
        }
    }
}

/// Reads bytes that the scanner has found to be one frame, so that it can't run out, nor recurse too deeply.
struct Cursor<'a> {
    raw: &'a Bytes,
    at: usize,
}

impl Cursor<'_> {
    fn frame(&mut self) -> Result<Frame, DecodeError> {
        let line = self.line()?;
        let Some(&kind) = line.first() else { return Err(DecodeError::EmptyLine) };
        let rest = line.slice(1..);
        Ok(match kind {
            b'+' => Frame::Simple(rest),
            b'-' => Frame::Error(rest),
            b':' => Frame::Integer(value(kind, &rest)?),
            b',' => Frame::Double(value(kind, &rest)?),
            b'(' if is_big_number(&rest) => Frame::BigNumber(rest),
            b'#' if rest == b"t"[..] => Frame::Boolean(true),
            b'#' if rest == b"f"[..] => Frame::Boolean(false),
            b'_' if rest.is_empty() => Frame::Null,
            b'$' => self.string(kind, &rest)?.map_or(Frame::Null, Frame::Bulk),
            b'!' => Frame::BlobError(self.string(kind, &rest)?.ok_or(DecodeError::BadLength)?),
            b'=' => {
                let whole = self.string(kind, &rest)?.ok_or(DecodeError::BadLength)?;
                match whole[..] {
                    [a, b, c, b':', ..] => Frame::Verbatim { format: [a, b, c], text: whole.slice(4..) },
                    _ => return Err(DecodeError::BadValue(kind)),
                }
            }
            b'*' => match length(kind, &rest)? {
                Some(count) => Frame::Array(self.frames(count)?),
                None => Frame::Null,
            },
            b'~' => Frame::Set(self.counted(kind, &rest)?),
            b'>' => Frame::Push(self.counted(kind, &rest)?),
            b'%' => {
                let count = length(kind, &rest)?.ok_or(DecodeError::BadLength)?;
                (0..count).map(|_| Ok((self.frame()?, self.frame()?))).collect::<Result<_, _>>().map(Frame::Map)?
            }
            b'(' | b'#' | b'_' => return Err(DecodeError::BadValue(kind)),
            other => return Err(DecodeError::UnknownType(other)),
        })
    }

    fn line(&mut self) -> Result<Bytes, DecodeError> {
        let from = self.at;
        let length = self.raw[from..].iter().position(|byte| *byte == b'\r').ok_or(DecodeError::BadLineEnd)?;
        self.at = (from + length + 2).min(self.raw.len());
        Ok(self.raw.slice(from..from + length))
    }

    fn string(&mut self, kind: u8, rest: &[u8]) -> Result<Option<Bytes>, DecodeError> {
        let Some(length) = length(kind, rest)? else { return Ok(None) };
        let from = self.at;
        let end = from.checked_add(length).filter(|end| *end <= self.raw.len()).ok_or(DecodeError::BadLength)?;
        self.at = (end + 2).min(self.raw.len());
        Ok(Some(self.raw.slice(from..end)))
    }

    fn counted(&mut self, kind: u8, rest: &[u8]) -> Result<Vec<Frame>, DecodeError> {
        let count = length(kind, rest)?.ok_or(DecodeError::BadLength)?;
        self.frames(count)
    }

    fn frames(&mut self, count: usize) -> Result<Vec<Frame>, DecodeError> {
        (0..count).map(|_| self.frame()).collect()
    }
}

fn value<T: std::str::FromStr>(kind: u8, text: &[u8]) -> Result<T, DecodeError> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(DecodeError::BadValue(kind))
}

fn is_big_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
