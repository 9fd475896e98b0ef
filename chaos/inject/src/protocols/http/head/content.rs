//! Fields that are about a content, where that becomes another.

use super::{edited, values};

/// Fields that are about the content that came, and of none that is made of it: its coding (RFC 9110, 8.4), its validator (8.8.3),
/// and digests (RFC 9530, RFC 3230, RFC 1864).
const OF_THE_CONTENT: [&str; 6] =
    ["content-encoding", "etag", "content-digest", "repr-digest", "digest", "content-md5"];

/// A head, or a trailer section behind the line before it, without what is about another content.
pub(crate) fn without_validators(head: &[u8]) -> Vec<u8> {
    OF_THE_CONTENT.iter().fold(head.to_vec(), |head, name| edited(&head, name, None))
}

/// The head of a response whose content is another now, and so long, where that is known.
pub(crate) fn put_right(head: &[u8], length: Option<u64>) -> Vec<u8> {
    let head = without_validators(head);
    match values(&head, "content-range").first() {
        Some(range) => match of_length(range, length) {
            Range::Right => head,
            Range::New(range) => edited(&head, "content-range", Some(&range)),
            Range::None => edited(&head, "content-range", None),
        },
        None => head,
    }
}

/// A range that a content has.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// That which it had.
    Right,
    New(String),
    /// None can be said.
    None,
}

/// The range (RFC 9110, 14.4) of a content from the same place on that is so long.
fn of_length(range: &[u8], length: Option<u64>) -> Range {
    let Some((first, last, total)) = std::str::from_utf8(range).ok().and_then(parsed) else { return Range::Right };
    match length {
        Some(0) | None => Range::None,
        Some(length) if last.checked_sub(first) == Some(length - 1) => Range::Right,
        Some(length) => {
            let last = first.saturating_add(length - 1);
            // It may go beyond what there is of the content.
            let total = total.filter(|total| last < *total).map_or("*".to_owned(), |total| total.to_string());
            Range::New(format!("bytes {first}-{last}/{total}"))
        }
    }
}

/// The first and the last place, and how many there are, of `bytes 0-99/1000`.
fn parsed(range: &str) -> Option<(u64, u64, Option<u64>)> {
    let (unit, range) = range.trim().split_once(' ')?;
    let (places, total) = range.split_once('/')?;
    let (first, last) = places.split_once('-')?;
    unit.eq_ignore_ascii_case("bytes").then_some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_as_long_as_what_comes() {
        let new = |range: &str| Range::New(range.to_owned());
        for (range, length, becomes) in [
            ("bytes 100-199/1000", Some(100), Range::Right),
            ("bytes 100-199/1000", Some(20), new("bytes 100-119/1000")),
            ("bytes 100-199/*", Some(20), new("bytes 100-119/*")),
            ("Bytes 100-199/1000", Some(900), new("bytes 100-999/1000")),
            ("bytes 100-199/1000", Some(901), new("bytes 100-1000/*")),
            ("bytes 100-199/1000", Some(0), Range::None),
            ("bytes 100-199/1000", None, Range::None),
            ("bytes */1000", Some(5), Range::Right),
            ("lines 1-2/3", Some(5), Range::Right),
        ] {
            assert_eq!(of_length(range.as_bytes(), length), becomes, "{range} of {length:?}");
        }
    }

    #[test]
    fn what_is_about_the_content_that_came_goes_and_the_rest_stays() {
        let head = b"HTTP/1.1 206 OK\r\nETag: \"a\"\r\nVary: x\r\nContent-Encoding: gzip,\r\n br\r\nContent-Range: bytes 0-9/20\r\n\
            Repr-Digest: a=:b:\r\nLast-Modified: then\r\ndigest: c\r\n\r\n";
        let becomes = "HTTP/1.1 206 OK\r\nVary: x\r\ncontent-range: bytes 0-4/20\r\nLast-Modified: then\r\n\r\n";
        assert_eq!(String::from_utf8(put_right(head, Some(5))).unwrap(), becomes);
    }
}
