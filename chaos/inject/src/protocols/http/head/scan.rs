//! The scanner that finds the end of a head.

use memchr::memchr_iter;

/// The longest head that is read.
const LIMIT: usize = 64 * 1024;

/// The sender of a head: client or service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Request,
    Response,
}

/// Looks for the end of a head, in bytes that grow: no byte is looked at twice but for the line that is not complete
/// yet.
///
/// It is stricter than it need be. A line that ends with LF alone is the end of a line to some and to others not, and
/// so is no head here. And what can't become a head is told as soon as it shows: whoever waits for a response to
/// something else than HTTP must not wait for the rest of a head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan {
    side: MessageKind,
    /// Up to here it has been looked at.
    at: usize,
    /// Behind the empty lines that some send before a message.
    start: usize,
    /// Offset of the line that is not complete yet.
    line: usize,
    folded: bool,
}

/// The result of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The end has not come yet.
    Part,
    /// A head.
    Head {
        /// Offset of the head, behind empty lines.
        start: usize,
        /// Offset of the head's end.
        end: usize,
        /// True where a value goes over several lines.
        folded: bool,
    },
    /// No head can come of this.
    Nothing,
}

impl Scan {
    pub(crate) fn new(side: MessageKind) -> Self {
        Self { side, at: 0, start: 0, line: 0, folded: false }
    }

    /// Looks at all that came since the last head: what it was shown before, and more. Begins anew behind a head.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Found {
        let begin = self.at;
        let mut checked = self.line;
        for index in memchr_iter(b'\n', &bytes[begin..]) {
            let newline = begin + index;
            if newline.checked_sub(1).is_none_or(|before| bytes[before] != b'\r') || newline >= LIMIT {
                return Found::Nothing;
            }
            if newline == self.line + 1 {
                if self.line > self.start {
                    let found = Found::Head { start: self.start, end: newline + 1, folded: self.folded };
                    *self = Self::new(self.side);
                    return found;
                }
                self.start = newline + 1;
                checked = self.start;
            }
            self.folded |= self.line > self.start && is_blank(bytes[self.line]);
            self.line = newline + 1;
        }
        self.at = bytes.len();
        let hopeless = bytes.len() > LIMIT || !self.may_become(bytes, checked);
        if hopeless { Found::Nothing } else { Found::Part }
    }

    /// Tells whether what has come may be the beginning of a head, where that is known up to the line at `checked`.
    fn may_become(&self, bytes: &[u8], checked: usize) -> bool {
        let mut lines = bytes[checked..].split_inclusive(|byte| *byte == b'\n');
        if checked == self.start {
            let first = lines.next().unwrap_or_default();
            let mut none = [];
            let parsed = match self.side {
                MessageKind::Request => httparse::Request::new(&mut none).parse(first),
                MessageKind::Response => httparse::Response::new(&mut none).parse(first),
            };
            if parsed.is_err() {
                return false;
            }
        }
        lines.all(may_become_field)
    }
}

/// Tells whether this may be the beginning of a line behind the first: a name up to its colon, or more of a value.
fn may_become_field(line: &[u8]) -> bool {
    match line {
        [b'\r'] => true,
        [first, ..] if is_blank(*first) => true,
        [b':', ..] => false,
        _ => line.iter().take_while(|byte| **byte != b':').all(|byte| is_token(*byte)),
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// RFC 9110, section 5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
