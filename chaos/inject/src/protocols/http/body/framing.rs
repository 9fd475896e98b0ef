//! The end of a body (RFC 9112, section 6.3).

use super::chunked::{Chunked, Run};

/// A body that is read along.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// So many bytes are to come.
    Length(u64),
    /// Chunks.
    Chunked(Chunked),
    /// All up to the end of the stream.
    UntilClose,
}

impl Body {
    /// In chunks.
    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunked::new())
    }

    /// The body's length in bytes, where it is known.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Tells whether all of it has come.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunked) => chunked.is_over(),
            Self::UntilClose => false,
        }
    }

    /// The count of these bytes that are of this body. `None` where its framing is broken.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut count = 0;
        while count < bytes.len() && !self.is_over() {
            count += match self.run(&bytes[count..])? {
                Run::Framing(count) | Run::Data(count) | Run::Trailer(count) => count,
            };
        }
        Some(count)
    }

    /// The run that these bytes begin with; there is at least one byte, and the body is not over.
    pub(crate) fn run(&mut self, bytes: &[u8]) -> Option<Run> {
        match self {
            Self::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= count as u64;
                Some(Run::Data(count))
            }
            Self::Chunked(chunked) => chunked.run(bytes),
            Self::UntilClose => Some(Run::Data(bytes.len())),
        }
    }
}
