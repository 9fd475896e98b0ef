//! Content codings (RFC 9110, 8.4): the body as its reader has it, in bounded memory.

use brotli_decompressor::Decompressor;
use chaos_load::{BODY_LIMIT, Response};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header::CONTENT_ENCODING};
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

/// A body, decoded.
#[derive(Debug)]
pub(super) enum Body<'r> {
    /// It could be read.
    Read(Cow<'r, [u8]>),
    /// Nobody can read it; the reason in words.
    Wrong(String),
    /// It was not read here, though others may; the reason in words.
    Unknown(String),
}

impl Default for Body<'_> {
    fn default() -> Self {
        Self::Read(Cow::Borrowed(&[]))
    }
}

impl<'r> Body<'r> {
    /// The body of a response.
    pub(super) fn of(response: &Response<'r>) -> Self {
        let Some(raw) = response.body else { return Self::too_large() };
        // A response without a body may still say how it would be coded, as those to HEAD do.
        let codings = if raw.is_empty() { Vec::new() } else { codings(response.headers) };
        if codings.len() > MOST {
            return Self::Unknown(format!("a body of more than {MOST} content codings"));
        }
        let mut body = Cow::Borrowed(raw);
        // The last that was applied is the first to be undone.
        for coding in codings.iter().rev() {
            let Some(mut coded) = decoder(coding, &body) else {
                return Self::Unknown(format!("a body of the content coding {coding:?}, which is not known here"));
            };
            let decoded = match within_limit(&mut coded) {
                Ok(Some(decoded)) => decoded,
                Ok(None) => return Self::too_large(),
                Err(_) => return Self::Wrong(format!("a body that says it is {coding} and can't be decoded")),
            };
            drop(coded);
            body = Cow::Owned(decoded);
        }
        Self::Read(body)
    }

    fn too_large() -> Self {
        Self::Unknown(format!("a body larger than {} MiB", BODY_LIMIT >> 20))
    }
}

/// All that a decoder gives; none where that is too much. No more is read than has to be to know that.
fn within_limit(decoder: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut decoded = Vec::new();
    let limit = u64::try_from(BODY_LIMIT).unwrap_or(u64::MAX) + 1;
    match decoder.take(limit).read_to_end(&mut decoded) {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(None),
        Ok(_) if decoded.len() > BODY_LIMIT => Ok(None),
        result => result.map(|_| Some(decoded)),
    }
}

/// The codings of a body, in the order in which they were applied.
fn codings(headers: &HeaderMap) -> Vec<String> {
    let fields = headers.get_all(CONTENT_ENCODING).into_iter();
    let listed = fields.flat_map(|field| {
        let field = String::from_utf8_lossy(field.as_bytes()).to_ascii_lowercase();
        field.split(',').map(|coding| coding.trim().to_owned()).collect::<Vec<_>>()
    });
    listed.filter(|coding| !coding.is_empty() && coding != "identity").collect()
}

/// A reader of the decoded body; none for a coding that is not known.
fn decoder<'b>(coding: &str, coded: &'b [u8]) -> Option<Box<dyn Read + 'b>> {
    Some(match coding {
        "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(coded)),
        // It should be zlib's format, and some send it without; readers take both.
        "deflate" if is_zlib(coded) => Box::new(ZlibDecoder::new(coded)),
        "deflate" => Box::new(DeflateDecoder::new(coded)),
        "br" => Box::new(Decompressor::new(coded, BUFFER)),
        "zstd" => Box::new(Frames::new(coded)),
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
    fn new(coded: &'b [u8]) -> Self {
        let mut decoder = FrameDecoder::new();
        // What it keeps of what was decoded; over HTTP no more than 8 MB are allowed (RFC 9659, 3).
        decoder.set_max_window_size(u64::try_from(BODY_LIMIT).unwrap_or(u64::MAX));
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
mod tests;
