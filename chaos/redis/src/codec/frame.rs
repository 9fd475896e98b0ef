use bytes::Bytes;

/// The version of the protocol that a connection speaks. Every connection starts with 2; `HELLO 3` switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// RESP2: strings, errors, integers, arrays and two kinds of null.
    #[default]
    Resp2,
    /// RESP3: the types of version 2 and those that are named below.
    Resp3,
}

impl Protocol {
    /// The version's number, as `HELLO` says it.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Resp2 => 2,
            Self::Resp3 => 3,
        }
    }
}

/// A value of RESP. Strings share the buffer that they were read from.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// `+`: a short text without line breaks.
    Simple(Bytes),
    /// `-`: an error's text, whose first word is its code.
    Error(Bytes),
    /// `:`
    Integer(i64),
    /// `$`: any bytes.
    Bulk(Bytes),
    /// `_`; in RESP2 `$-1`. The null array of RESP2, `*-1`, is read as this too.
    Null,
    /// `*`
    Array(Vec<Frame>),
    /// `%`: pairs in the order in which they came; a flat array in RESP2.
    Map(Vec<(Frame, Frame)>),
    /// `~`; an array in RESP2.
    Set(Vec<Frame>),
    /// `>`: not the reply to a request; an array in RESP2.
    Push(Vec<Frame>),
    /// `,`; a bulk string in RESP2.
    Double(f64),
    /// `#`; 1 or 0 in RESP2.
    Boolean(bool),
    /// `(`: decimal digits, perhaps with a sign; a bulk string in RESP2.
    BigNumber(Bytes),
    /// `=`: a text with its format (`txt`, `mkd`); a bulk string of the text in RESP2.
    Verbatim {
        /// Three characters.
        format: [u8; 3],
        /// The text.
        text: Bytes,
    },
    /// `!`: an error that may have line breaks; a plain error in RESP2.
    BlobError(Bytes),
}

impl Frame {
    /// The usual reply to what has no other.
    pub const OK: Self = Self::Simple(Bytes::from_static(b"OK"));

    /// An error with this text, its code included (`ERR syntax error`).
    #[must_use]
    pub fn error(text: &str) -> Self {
        Self::Error(Bytes::copy_from_slice(text.as_bytes()))
    }

    /// A bulk string of these bytes, copied.
    #[must_use]
    pub fn bulk(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bulk(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// A count as an integer. Counts beyond `i64` don't fit into memory.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The text of an error, of either kind.
    #[must_use]
    pub fn as_error(&self) -> Option<&Bytes> {
        match self {
            Self::Error(text) | Self::BlobError(text) => Some(text),
            _ => None,
        }
    }
}
