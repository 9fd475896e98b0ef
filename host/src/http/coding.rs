//! Content codings (RFC 9110, 8.4): a body as its reader has it, in bounded memory.

use brotli_decompressor::Decompressor;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};
use std::{
    borrow::Cow,
    io::{self, Read},
};

/// The most codings on one body: each takes memory and time.
const MOST: usize = 3;
/// Bytes that brotli's decoder reads at once.
const BUFFER: usize = 4096;

/// The reason that a body can't be had without its codings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecoded {
    /// Nobody can read it.
    #[error("a body that says it is {0} and can't be decoded")]
    Wrong(String),
    /// It was not decoded here, though others may.
    #[error("a body of the content coding {0:?}, which is not known here")]
    Unknown(String),
    /// Nor was this.
    #[error("a body of more than {MOST} content codings")]
    TooMany,
    /// It would be longer than the limit.
    #[error("a body larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
}

/// The codings of a body, in the order in which they were applied, by the values of its fields `Content-Encoding`.
pub fn codings<V: AsRef<[u8]>>(fields: impl IntoIterator<Item = V>) -> Vec<String> {
    let listed = fields.into_iter().flat_map(|field| {
        let field = String::from_utf8_lossy(field.as_ref()).to_ascii_lowercase();
        field.split(',').map(|coding| coding.trim().to_owned()).collect::<Vec<_>>()
    });
    listed.filter(|coding| !coding.is_empty() && coding != "identity").collect()
}

/// A body without these codings, of at most `limit` bytes. No more is decoded than has to be to know that.
///
/// # Errors
/// Why it can't be had.
pub fn decode<'r>(raw: &'r [u8], codings: &[String], limit: usize) -> Result<Cow<'r, [u8]>, Undecoded> {
    if codings.len() > MOST {
        return Err(Undecoded::TooMany);
    }
    let mut body = Cow::Borrowed(raw);
    // The last that was applied is the first to be undone.
    for coding in codings.iter().rev() {
        let Some(mut coded) = decoder(coding, &body, limit) else { return Err(Undecoded::Unknown(coding.clone())) };
        let decoded = match within(limit, &mut coded) {
            Ok(Some(decoded)) => decoded,
            Ok(None) => return Err(Undecoded::TooLarge(limit)),
            Err(_) => return Err(Undecoded::Wrong(coding.clone())),
        };
        drop(coded);
        body = Cow::Owned(decoded);
    }
    Ok(body)
}

/// All that a decoder gives; none where that is too much.
fn within(limit: usize, decoder: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut decoded = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match decoder.take(most).read_to_end(&mut decoded) {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(None),
        Ok(_) if decoded.len() > limit => Ok(None),
        result => result.map(|_| Some(decoded)),
    }
}

/// A reader of the decoded body; none for a coding that is not known.
fn decoder<'b>(coding: &str, coded: &'b [u8], limit: usize) -> Option<Box<dyn Read + 'b>> {
    Some(match coding {
        "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(coded)),
        // It should be zlib's format, and some send it without; readers take both.
        "deflate" if is_zlib(coded) => Box::new(ZlibDecoder::new(coded)),
        "deflate" => Box::new(DeflateDecoder::new(coded)),
        "br" => Box::new(Decompressor::new(coded, BUFFER)),
        "zstd" => Box::new(Frames::new(coded, limit)),
        _ => return None,
    })
}

/// The first two bytes of zlib's format (RFC 1950, 2.2): the method, and a check.
fn is_zlib(coded: &[u8]) -> bool {
    matches!(coded, [method, flags, ..] if method & 15 == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

/// Zstandard's frames, one after the other (RFC 8878, 3).
struct Frames<'b> {
    coded: &'b [u8],
    decoder: FrameDecoder,
    /// A frame has begun and not ended.
    within: bool,
}

impl<'b> Frames<'b> {
    fn new(coded: &'b [u8], limit: usize) -> Self {
        let mut decoder = FrameDecoder::new();
        // What it keeps of what was decoded; over HTTP no more than 8 MB are allowed (RFC 9659, 3).
        decoder.set_max_window_size(u64::try_from(limit).unwrap_or(u64::MAX));
        Self { coded, decoder, within: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        match self.decoder.init(&mut self.coded) {
            Ok(()) => self.within = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                self.coded = self.coded.get(length..).ok_or(io::ErrorKind::UnexpectedEof)?;
            }
            Err(FrameDecoderError::WindowSizeTooBig { .. }) => return Err(io::ErrorKind::FileTooLarge.into()),
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.within = false;
        match self.decoder.get_checksum_from_data() {
            Some(sum) if self.decoder.get_calculated_checksum() != Some(sum) => Err(io::ErrorKind::InvalidData.into()),
            _ => Ok(()),
        }
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() && (self.within || !self.coded.is_empty()) {
            if !self.within {
                self.begin()?;
                continue;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.coded, one).map_err(io::Error::other)?;
            }
            match self.decoder.read(buffer)? {
                0 => self.end()?,
                count => return Ok(count),
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    /// A body without end, and how much of it was read.
    struct Counting(usize);

    impl Read for Counting {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(self.0 < 4 * LIMIT, "nobody stops reading");
            let some = buffer.len().min(4096);
            buffer[..some].fill(b'x');
            self.0 += some;
            Ok(some)
        }
    }

    // What each coding gives is tested where responses are judged.
    #[test]
    fn no_more_is_decoded_than_may_be() {
        let mut endless = Counting(0);
        assert_eq!(within(LIMIT, &mut endless).unwrap(), None);
        assert!(endless.0 <= LIMIT + (64 << 10), "{} bytes", endless.0);
    }

    #[test]
    fn codings_are_told_in_the_order_in_which_they_were_applied() {
        assert_eq!(codings(["Deflate, identity", ", GZIP"]), ["deflate", "gzip"]);
        assert_eq!(codings::<&str>([]), [""; 0]);
    }
}
