//! The chunked coding (RFC 9112, section 7.1), read as it streams by.

/// Where in a chunked body we are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunked {
    state: State,
    /// The size of the chunk that is read, or whose size is.
    size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    Size,
    /// Behind a digit of a size.
    Digits,
    /// Behind a size, before an extension or the end of the line.
    Space,
    /// In an extension.
    Extension,
    /// Behind the CR of a size's line.
    SizeEnd,
    /// In a chunk, with so many bytes to come.
    Data(u64),
    /// Behind a chunk.
    DataCr,
    DataLf,
    /// At the beginning of a line of the trailer section.
    Trailer,
    /// In such a line.
    Line,
    /// Behind its CR.
    LineEnd,
    /// Behind the CR of the line that ends it all.
    LastEnd,
    Over,
}

/// Bytes of one kind, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Sizes, extensions, the ends of lines.
    Framing(usize),
    /// Of a chunk.
    Data(usize),
    /// Of the trailer section, the empty line at its end included.
    Trailer(usize),
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self { state: State::Size, size: 0 }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// The size of the chunk that was begun last.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// What the first of these bytes are; there is at least one. `None` where they are not what they should be.
    pub(super) fn run(&mut self, bytes: &[u8]) -> Option<Run> {
        if let State::Data(left) = self.state {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let left = left - count as u64;
            self.state = if left == 0 { State::DataCr } else { State::Data(left) };
            return Some(Run::Data(count));
        }
        let in_trailer = self.in_trailer();
        let mut count = 0;
        while count < bytes.len() && self.in_trailer() == in_trailer && !self.stops() {
            self.state = self.step(bytes[count])?;
            count += 1;
        }
        Some(if in_trailer { Run::Trailer(count) } else { Run::Framing(count) })
    }

    fn stops(&self) -> bool {
        matches!(self.state, State::Data(_) | State::Over)
    }

    fn in_trailer(&self) -> bool {
        matches!(self.state, State::Trailer | State::Line | State::LineEnd | State::LastEnd | State::Over)
    }

    fn step(&mut self, byte: u8) -> Option<State> {
        Some(match (self.state, byte) {
            (State::Size, _) => {
                self.size = digit(byte)?;
                State::Digits
            }
            (State::Digits, b'\r') | (State::Space | State::Extension, b'\r') => State::SizeEnd,
            (State::Digits | State::Space, b';') => State::Extension,
            (State::Digits | State::Space, b' ' | b'\t') => State::Space,
            (State::Digits, _) => {
                self.size = self.size.checked_mul(16)?.checked_add(digit(byte)?)?;
                State::Digits
            }
            (State::Extension, _) if is_text(byte) => State::Extension,
            (State::SizeEnd, b'\n') if self.size == 0 => State::Trailer,
            (State::SizeEnd, b'\n') => State::Data(self.size),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::Trailer, b'\r') => State::LastEnd,
            (State::Line, b'\r') => State::LineEnd,
            (State::Trailer | State::Line, _) if is_text(byte) => State::Line,
            (State::LineEnd, b'\n') => State::Trailer,
            (State::LastEnd, b'\n') => State::Over,
            _ => return None,
        })
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

/// No control character: among these are CR and LF, which some take for the end of a line and others don't.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
