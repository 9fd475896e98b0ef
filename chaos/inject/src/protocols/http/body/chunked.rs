//! The chunked coding (RFC 9112, section 7.1), read as it streams by.

/// The place in a chunked body that has been read up to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunked {
    state: ChunkedState,
    /// The size of the chunk that is read, or whose size is.
    size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChunkedState {
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
pub(crate) enum Run {
    /// Sizes, extensions, the ends of lines.
    Framing(usize),
    /// Data of a chunk.
    Data(usize),
    /// The trailer section, the empty line at its end included.
    Trailer(usize),
}

impl Chunked {
    pub(super) fn new() -> Self {
        Self { state: ChunkedState::Size, size: 0 }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == ChunkedState::Over
    }

    /// The size of the chunk that was begun last.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The kind and length of the run that these bytes begin with; there is at least one byte. `None` where they are
    /// not what they should be.
    pub(super) fn run(&mut self, bytes: &[u8]) -> Option<Run> {
        if let ChunkedState::Data(left) = self.state {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let left = left - count as u64;
            self.state = if left == 0 { ChunkedState::DataCr } else { ChunkedState::Data(left) };
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
        matches!(self.state, ChunkedState::Data(_) | ChunkedState::Over)
    }

    fn in_trailer(&self) -> bool {
        matches!(
            self.state,
            ChunkedState::Trailer
                | ChunkedState::Line
                | ChunkedState::LineEnd
                | ChunkedState::LastEnd
                | ChunkedState::Over
        )
    }

    fn step(&mut self, byte: u8) -> Option<ChunkedState> {
        Some(match (self.state, byte) {
            (ChunkedState::Size, _) => {
                self.size = digit(byte)?;
                ChunkedState::Digits
            }
            (ChunkedState::Digits, b'\r') | (ChunkedState::Space | ChunkedState::Extension, b'\r') => {
                ChunkedState::SizeEnd
            }
            (ChunkedState::Digits | ChunkedState::Space, b';') => ChunkedState::Extension,
            (ChunkedState::Digits | ChunkedState::Space, b' ' | b'\t') => ChunkedState::Space,
            (ChunkedState::Digits, _) => {
                self.size = self.size.checked_mul(16)?.checked_add(digit(byte)?)?;
                ChunkedState::Digits
            }
            (ChunkedState::Extension, _) if is_text(byte) => ChunkedState::Extension,
            (ChunkedState::SizeEnd, b'\n') if self.size == 0 => ChunkedState::Trailer,
            (ChunkedState::SizeEnd, b'\n') => ChunkedState::Data(self.size),
            (ChunkedState::DataCr, b'\r') => ChunkedState::DataLf,
            (ChunkedState::DataLf, b'\n') => ChunkedState::Size,
            (ChunkedState::Trailer, b'\r') => ChunkedState::LastEnd,
            (ChunkedState::Line, b'\r') => ChunkedState::LineEnd,
            (ChunkedState::Trailer | ChunkedState::Line, _) if is_text(byte) => ChunkedState::Line,
            (ChunkedState::LineEnd, b'\n') => ChunkedState::Trailer,
            (ChunkedState::LastEnd, b'\n') => ChunkedState::Over,
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
