//! Bytes that are made as they are written, so that a body of any size takes no memory.

use crate::noise::Noise;
use bytes::Bytes;

/// Very many of the same byte, some of them perhaps garbled.
#[derive(Clone, Debug)]
pub struct GeneratedBody {
    byte: u8,
    left: u64,
    noise: Vec<Noise>,
}

impl GeneratedBody {
    pub(crate) fn new(byte: u8, count: u64) -> Self {
        Self { byte, left: count, noise: Vec::new() }
    }

    /// The count of bytes that are left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next of them, up to `most`; `None` where there are no more.
    pub(crate) fn take(&mut self, most: usize) -> Option<Bytes> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(most);
        if count == 0 {
            return None;
        }
        self.left -= count as u64;
        let mut bytes = vec![self.byte; count];
        self.noise.iter_mut().for_each(|noise| noise.garble(&mut bytes));
        Some(Bytes::from(bytes))
    }

    /// Leaves out all but the first so many.
    pub(crate) fn shorten(&mut self, count: u64) {
        self.left = self.left.min(count);
    }

    /// Garbles them, from where this noise has come to.
    pub(crate) fn garble(&mut self, noise: Noise) {
        self.noise.push(noise);
    }
}
