use super::*;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::HeaderMap;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write as _;

const TEXT: &[u8] = br#"{"user": {"id": 7, "name": "seven"}, "again": "seven seven seven seven"}"#;

/// `TEXT` as Zstandard's own tool codes it, with a checksum (`zstd -19`).
const ZSTD: &[u8] = include_bytes!("text.zst");

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn brotli(body: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    encoder.write_all(body).unwrap();
    encoder.into_inner()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    compress_to_vec(body, CompressionLevel::Fastest)
}

/// The body that is read where it has these fields of `content-encoding`.
fn read(codings: &[&'static str], body: &[u8]) -> Result<Vec<u8>, String> {
    let mut headers = HeaderMap::new();
    for coding in codings {
        headers.append(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    match Body::of(&Response { status: 200, headers: &headers, latency: std::time::Duration::ZERO, body: Some(body) }) {
        Body::Read(body) => Ok(body.into_owned()),
        Body::Wrong(why) => Err(format!("wrong: {why}")),
        Body::Unknown(why) => Err(format!("unknown: {why}")),
    }
}

#[test]
fn each_coding_is_undone() {
    let of =
        |codings: &[&'static str], body: &[u8]| assert_eq!(read(codings, body).as_deref(), Ok(TEXT), "{codings:?}");
    of(&[], TEXT);
    of(&["identity"], TEXT);
    of(&["gzip"], &gzip(TEXT));
    of(&["X-GZip"], &gzip(TEXT));
    // Of several members, and from an encoder that split them.
    of(&["gzip"], &[gzip(&TEXT[..20]), gzip(&TEXT[20..])].concat());
    of(&["deflate"], &zlib(TEXT));
    of(&["deflate"], &raw_deflate(TEXT));
    of(&["br"], &brotli(TEXT));
    of(&["zstd"], ZSTD);
    of(&["zstd"], &zstd(TEXT));
    // Several frames, one of them to be skipped (RFC 8878, 3.1.2).
    let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    of(&["zstd"], &[&zstd(&TEXT[..9]), &skipped[..], &zstd(&TEXT[9..])].concat());
}

#[test]
fn several_codings_are_undone_from_the_last_to_the_first() {
    let twice = gzip(&zlib(TEXT));
    assert_eq!(read(&["deflate, gzip"], &twice).as_deref(), Ok(TEXT));
    assert_eq!(read(&["deflate", "identity", "gzip"], &twice).as_deref(), Ok(TEXT));
    assert!(read(&["gzip, deflate"], &twice).unwrap_err().starts_with("wrong"), "in this order it is none");
    assert!(read(&["gzip, gzip, gzip, gzip"], &twice).unwrap_err().starts_with("unknown: a body of more than 3"));
}

#[test]
fn a_body_that_is_not_there_needs_no_decoding() {
    assert_eq!(read(&["br"], b"").as_deref(), Ok(&[][..]));
    assert_eq!(read(&["dcz"], b"").as_deref(), Ok(&[][..]));
}

#[test]
fn what_cannot_be_decoded_is_told_as_what_it_is() {
    assert_eq!(
        read(&["dcb"], TEXT).unwrap_err(),
        "unknown: a body of the content coding \"dcb\", which is not known here"
    );
    for (coding, coded) in [
        ("gzip", gzip(TEXT)),
        ("deflate", zlib(TEXT)),
        ("br", brotli(TEXT)),
        ("zstd", ZSTD.to_vec()),
        ("zstd", zstd(TEXT)),
    ] {
        let wrong = format!("wrong: a body that says it is {coding} and can't be decoded");
        assert_eq!(read(&[coding], &coded[..coded.len() - 5]), Err(wrong.clone()), "{coding} that is cut off");
        assert_eq!(read(&[coding], b"{\"plain\": true}"), Err(wrong.clone()), "no {coding} at all");
        let mut garbled = coded.clone();
        garbled[coded.len() - 2] ^= 0x55;
        assert_ne!(read(&[coding], &garbled).as_deref(), Ok(TEXT), "garbled {coding}");
    }
}

#[test]
fn a_small_body_that_becomes_a_large_one_takes_no_memory_and_is_not_judged() {
    const BOMB: usize = 24 << 20;
    let zeros = vec![0; BOMB];
    let large = Err("unknown: a body larger than 8 MiB".to_owned());
    for (coding, coded) in
        [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("br", brotli(&zeros)), ("zstd", zstd(&zeros))]
    {
        assert!(coded.len() < BOMB / 50, "{coding}: {}", coded.len());
        assert_eq!(read(&[coding], &coded), large, "{coding}");
    }
    // A bomb in a bomb, and a frame that asks for a window of a gigabyte.
    assert_eq!(read(&["gzip, gzip"], &gzip(&gzip(&zeros))), large);
    assert_eq!(read(&["zstd"], &[0x28, 0xb5, 0x2f, 0xfd, 0, 0xa0, 1, 0, 0]), large);
    let exact = vec![b'x'; BODY_LIMIT];
    assert_eq!(read(&["gzip"], &gzip(&exact)).map(|body| body.len()), Ok(BODY_LIMIT));
}

#[test]
fn what_was_not_kept_is_not_known() {
    let headers = HeaderMap::new();
    let body = Body::of(&Response { status: 200, headers: &headers, latency: std::time::Duration::ZERO, body: None });
    assert!(matches!(body, Body::Unknown(why) if why == "a body larger than 8 MiB"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, at in 0_usize..60, with: u8) {
        let mut coded = [ZSTD.to_vec(), brotli(TEXT), gzip(TEXT), zlib(TEXT)];
        for coded in &mut coded {
            let place = at % coded.len();
            coded[place] = with;
        }
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let _ = read(&[coding], &bytes);
            for coded in &coded {
                let _ = read(&[coding], coded);
            }
        }
    }
}
