//! The scanner that finds the end of a head.

use super::start::{RequestLine, StatusLine, may_become_request, may_become_response};
use crate::protocol::Unreadable;
use memchr::memchr_iter;

/// The longest head that is read, in bytes: user agents read no more of a response's.
const LIMIT: usize = 256 * 1024;

/// The sender of a head: client or service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Request,
    Response,
}

/// Looks for the end of a head, in bytes that grow: no byte is looked at twice but for the line that is not complete
/// yet.
///
/// What can't become a head is told as soon as its first line shows it: whoever waits for a response to something else
/// than HTTP must not wait for the rest of a head. Behind such a line, whatever comes is a head's.
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
    /// No head can come of this, for this reason.
    Nothing(Unreadable),
}

impl Scan {
    pub(crate) fn new(side: MessageKind) -> Self {
        Self { side, at: 0, start: 0, line: 0, folded: false }
    }

    /// Looks at all that came since the last head: what it was shown before, and more. Begins anew behind a head.
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Found {
        let begin = self.at;
        for index in memchr_iter(b'\n', &bytes[begin..]) {
            let newline = begin + index;
            if newline >= LIMIT {
                return Found::Nothing(Unreadable::LongHead);
            }
            let line = &bytes[self.line..newline];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                if self.line > self.start {
                    let found = Found::Head { start: self.start, end: newline + 1, folded: self.folded };
                    *self = Self::new(self.side);
                    return found;
                }
                self.start = newline + 1;
            } else if self.line == self.start {
                if !self.is_first_line(line) {
                    return Found::Nothing(Unreadable::UnreadableHead);
                }
            } else {
                self.folded |= matches!(line[0], b' ' | b'\t');
            }
            self.line = newline + 1;
        }
        self.at = bytes.len();
        if self.line == self.start && !self.may_become_first_line(&bytes[self.line..]) {
            return Found::Nothing(Unreadable::UnreadableHead);
        }
        if bytes.len() > LIMIT { Found::Nothing(Unreadable::LongHead) } else { Found::Part }
    }

    fn is_first_line(&self, line: &[u8]) -> bool {
        match self.side {
            MessageKind::Request => RequestLine::read(line).is_some(),
            MessageKind::Response => StatusLine::read(line).is_some(),
        }
    }

    fn may_become_first_line(&self, line: &[u8]) -> bool {
        match self.side {
            MessageKind::Request => may_become_request(line),
            MessageKind::Response => may_become_response(line),
        }
    }
}
