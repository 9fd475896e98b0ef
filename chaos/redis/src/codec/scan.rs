use super::{DecodeError, Limits, number::parse_integer};

/// A line (type, length, number or simple string) may have this many bytes, as in Redis.
const LINE_BYTES: usize = 64 * 1024;

/// A length or count has fewer bytes than this.
const LENGTH_BYTES: usize = 24;

/// Finds where frames end, without building them and without keeping their bytes: it takes bytes as they come, each
/// once, so that a string of any size passes by. One a connection and direction.
#[derive(Debug, Default)]
pub struct Scanner {
    limits: Limits,
    attributes: bool,
    state: ScanState,
    /// The length or count in the line that is being read.
    length: Vec<u8>,
    /// The aggregates that are open, outermost first.
    open: Vec<Level>,
    elements: u64,
    /// Bytes of the frame so far.
    bytes: usize,
    kind: Option<u8>,
    whole: bool,
}

/// The progress of [`Scanner::scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Bytes that belong to the frame.
    pub bytes: usize,
    /// True where the frame ends with them.
    pub whole: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum ScanState {
    #[default]
    Start,
    Line {
        kind: u8,
        bytes: usize,
    },
    LineFeed {
        kind: u8,
    },
    Text {
        left: usize,
    },
    TextEnd {
        feed: bool,
    },
}

#[derive(Debug)]
struct Level {
    /// Frames that are still to come in it.
    left: u64,
    /// True for what is no frame of its own, but belongs to the one that follows.
    is_attribute: bool,
}

impl Scanner {
    /// A scanner with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes attributes (`|`) for a part of the frame that follows them; else they are an unknown type.
    #[must_use]
    pub fn with_attributes(self) -> Self {
        Self { attributes: true, ..self }
    }

    /// The mark of the frame's type, once it has come, and until the next frame begins. That of attributes doesn't
    /// count.
    #[must_use]
    pub fn kind(&self) -> Option<u8> {
        self.kind
    }

    /// The least size of the frame in bytes, by what has come of it: exactly as many as it has once the length of a
    /// string has come.
    #[must_use]
    pub fn at_least(&self) -> usize {
        match self.state {
            ScanState::Text { left } => self.bytes.saturating_add(left).saturating_add(2),
            _ => self.bytes,
        }
    }

    /// Looks at bytes that follow those of the last call, up to the end of the frame. Behind that, the next one begins.
    ///
    /// # Errors
    /// Where the bytes are no frame, or one beyond the limits. There is no way on from there.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Scanned, DecodeError> {
        let mut at = 0;
        while at < bytes.len() {
            if self.whole {
                self.reset();
            }
            let (taken, whole) = self.step(&bytes[at..])?;
            at += taken;
            if whole {
                self.whole = true;
                return Ok(Scanned { bytes: at, whole });
            }
        }
        Ok(Scanned { bytes: at, whole: false })
    }

    /// Starts anew, for the next frame.
    fn reset(&mut self) {
        (self.state, self.elements, self.bytes) = (ScanState::Start, 0, 0);
        (self.kind, self.whole) = (None, false);
        self.open.clear();
    }

    /// Takes at least one of `bytes`, which are some; says how many, and whether they end the frame.
    fn step(&mut self, bytes: &[u8]) -> Result<(usize, bool), DecodeError> {
        let first = bytes[0];
        let (taken, state) = match self.state {
            ScanState::Start => (1, self.start(first)?),
            ScanState::Line { kind, bytes: before } => {
                let found = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                let taken = found.unwrap_or(bytes.len());
                let all = before + taken;
                self.line(kind, &bytes[..taken], all)?;
                match found.map(|at| bytes[at]) {
                    None => (taken, ScanState::Line { kind, bytes: all }),
                    Some(b'\r') => (taken + 1, ScanState::LineFeed { kind }),
                    Some(_) => return Err(DecodeError::BadLineEnd),
                }
            }
            ScanState::LineFeed { .. } if first != b'\n' => return Err(DecodeError::BadLineEnd),
            ScanState::LineFeed { kind } => {
                self.count(1)?;
                return Ok((1, self.end_of_line(kind)?));
            }
            ScanState::Text { left } if left > 0 => {
                let taken = left.min(bytes.len());
                (taken, ScanState::Text { left: left - taken })
            }
            ScanState::Text { .. } if first == b'\r' => (1, ScanState::TextEnd { feed: true }),
            ScanState::TextEnd { feed: true } if first == b'\n' => {
                self.count(1)?;
                return Ok((1, self.close(0, false)?));
            }
            ScanState::Text { .. } | ScanState::TextEnd { .. } => return Err(DecodeError::BadLineEnd),
        };
        self.state = state;
        self.count(taken)?;
        Ok((taken, false))
    }

    fn start(&mut self, kind: u8) -> Result<ScanState, DecodeError> {
        match kind {
            b'+' | b'-' | b':' | b',' | b'#' | b'(' | b'_' | b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' => {}
            b'|' if self.attributes => {}
            b'\r' => return Err(DecodeError::EmptyLine),
            b'\n' => return Err(DecodeError::BadLineEnd),
            other => return Err(DecodeError::UnknownType(other)),
        }
        if self.open.is_empty() && kind != b'|' {
            self.kind = Some(kind);
        }
        self.length.clear();
        Ok(ScanState::Line { kind, bytes: 0 })
    }

    fn line(&mut self, kind: u8, part: &[u8], all: usize) -> Result<(), DecodeError> {
        if all > LINE_BYTES {
            return Err(DecodeError::LineTooLong);
        }
        if has_length(kind) {
            if all > LENGTH_BYTES {
                return Err(DecodeError::BadLength);
            }
            self.length.extend_from_slice(part);
        }
        Ok(())
    }

    /// Ends a line. Tells whether the frame ends with it.
    fn end_of_line(&mut self, kind: u8) -> Result<bool, DecodeError> {
        let length = if has_length(kind) { length(kind, &self.length)? } else { None };
        match (kind, length) {
            (b'$' | b'=' | b'!', Some(length)) => {
                if self.bytes.saturating_add(length).saturating_add(2) > self.limits.bytes {
                    return Err(DecodeError::TooManyBytes { limit: self.limits.bytes });
                }
                self.state = ScanState::Text { left: length };
                Ok(false)
            }
            (b'%' | b'|', count) => self.close((count.unwrap_or(0) as u64).saturating_mul(2), kind == b'|'),
            (b'*' | b'~' | b'>', count) => self.close(count.unwrap_or(0) as u64, false),
            _ => self.close(0, false),
        }
    }

    fn count(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.bytes {
            return Err(DecodeError::TooManyBytes { limit: self.limits.bytes });
        }
        Ok(())
    }

    /// Opens an aggregate of `children`, or closes those that are now complete. True at the end of the whole frame.
    fn close(&mut self, children: u64, is_attribute: bool) -> Result<bool, DecodeError> {
        self.state = ScanState::Start;
        if children > 0 {
            self.elements = self.elements.saturating_add(children);
            if self.elements > self.limits.elements {
                return Err(DecodeError::TooManyElements { limit: self.limits.elements });
            }
            if self.open.len() >= self.limits.depth {
                return Err(DecodeError::TooDeep { limit: self.limits.depth });
            }
            self.open.push(Level { left: children, is_attribute });
            return Ok(false);
        }
        if is_attribute {
            return Ok(false);
        }
        while let Some(level) = self.open.last_mut() {
            level.left -= 1;
            if level.left > 0 {
                return Ok(false);
            }
            let complete = self.open.pop();
            if complete.is_some_and(|level| level.is_attribute) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn has_length(kind: u8) -> bool {
    matches!(kind, b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' | b'|')
}

/// A length or count; `None` is a null of RESP2.
pub(super) fn length(kind: u8, text: &[u8]) -> Result<Option<usize>, DecodeError> {
    match parse_integer(text) {
        Some(-1) if matches!(kind, b'$' | b'*') => Ok(None),
        Some(length) => usize::try_from(length).map(Some).map_err(|_| DecodeError::BadLength),
        None => Err(DecodeError::BadLength),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Result<Scanned, DecodeError> {
        Scanner::default().with_attributes().scan(bytes)
    }

    #[test]
    fn attributes_belong_to_what_follows_them() {
        for (bytes, length) in [
            (&b"|1\r\n+k\r\n+v\r\n:1\r\n:2\r\n"[..], 16),
            (b"|0\r\n:1\r\n:2\r\n", 8),
            (b"*2\r\n|1\r\n+k\r\n*0\r\n:1\r\n:2\r\n:3\r\n", 24),
        ] {
            let expected = Scanned { bytes: length, whole: true };
            assert_eq!(whole(bytes), Ok(expected), "{}", bytes.escape_ascii());
        }
        let mut scanner = Scanner::default().with_attributes();
        scanner.scan(b"|1\r\n+k\r\n+v\r\n").unwrap();
        assert_eq!(scanner.kind(), None);
        scanner.scan(b"$-1\r\n").unwrap();
        assert_eq!(scanner.kind(), Some(b'$'));
    }

    #[test]
    fn the_length_of_a_string_is_known_before_its_bytes() {
        let mut scanner = Scanner::default();
        scanner.scan(b"$1000\r\nab").unwrap();
        assert_eq!(scanner.at_least(), 1009);
        scanner.scan(&[b'x'; 998]).unwrap();
        assert_eq!(scanner.at_least(), 1009);
        assert_eq!(scanner.scan(b"\r\n+OK"), Ok(Scanned { bytes: 2, whole: true }));
        assert_eq!(scanner.at_least(), 1009);
    }
}
