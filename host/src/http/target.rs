//! Targets of requests that have a fragment, which no target has (RFC 9112, 3.2).

// hyper cuts it off unseen, so it has to be found before.

/// Where the next byte of a line is, as far as it can be one of a request's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In a method, or before it.
    #[default]
    Method,
    /// In a target.
    Target,
    /// Where no target is.
    Elsewhere,
}

/// A reader along on the bytes that a client sends, which spoils targets with a fragment: what is put in place of its `#`
/// is in no target, so that the parser refuses it.
///
/// It goes by lines: one that begins with a word and a blank is taken for a request's. A header is none, for it has its colon
/// before any blank; a line of a body may be, and is changed too.
#[derive(Debug, Default)]
pub(super) struct Targets {
    place: Place,
}

/// No byte of a target, nor of anything else in a head.
const SPOILT: u8 = 0;

impl Targets {
    /// Reads on, with the bytes that came.
    pub(super) fn spoil_fragments(&mut self, bytes: &mut [u8]) {
        // Nearly always there is none: then the last line decides where the next bytes are.
        let from = if bytes.contains(&b'#') { 0 } else { bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0) };
        for byte in bytes.iter_mut().skip(from) {
            if *byte == b'#' && self.place == Place::Target {
                *byte = SPOILT;
            }
            self.place = self.place.after(*byte);
        }
    }
}

impl Place {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (_, b'\n') => Self::Method,
            (Self::Method, b' ') => Self::Target,
            (Self::Method, byte) if is_of_method(byte) => Self::Method,
            (Self::Target, byte) if byte != b' ' => Self::Target,
            _ => Self::Elsewhere,
        }
    }
}

/// Tells if the byte is one of a method (RFC 9110, 5.6.2), or of an empty line before it (RFC 9112, 2.2).
fn is_of_method(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~\r".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes after they were read in pieces of so many.
    fn read(text: &str, piece: usize) -> String {
        let mut targets = Targets::default();
        let mut bytes = text.as_bytes().to_vec();
        bytes.chunks_mut(piece).for_each(|piece| targets.spoil_fragments(piece));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn fragments_of_targets_are_spoilt_however_they_come() {
        let host = "\r\nhost: a\r\n\r\n";
        for target in ["/#", "/a#b", "/a?b#c", "http://a/b#c", "*#", "#", "/a#b#c"] {
            let first = format!("GET {target} HTTP/1.1{host}");
            for before in [String::new(), "\r\n".to_owned(), format!("GET /x HTTP/1.1{host}")] {
                let text = format!("{before}{first}{before}");
                for piece in 1..text.len() {
                    let spoilt = read(&text, piece);
                    assert_eq!(spoilt, text.replace('#', "\0"), "{text:?} in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for text in [
            "GET /a%23b HTTP/1.1\r\nhost: a\r\nx: #\r\nx-y:#1 #2\r\ncookie: a#b\r\n\r\n",
            "GET /a HTTP/1.1#\r\n\r\n",
            "#GET /a HTTP/1.1\r\n\r\n",
            "GET /a HTTP/1.1\r\nhost: a\r\nx: 1\r\n folded #\r\n\r\n",
            "\u{16}\u{3}\u{1} #",
        ] {
            for piece in 1..text.len() {
                assert_eq!(read(text, piece), text, "in pieces of {piece}");
            }
        }
    }
}
