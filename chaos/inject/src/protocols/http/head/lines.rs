//! The lines of a head, in each way in which readers tell them apart.

use memchr::{memchr, memchr_iter, memchr2, memmem};

/// The ways in which readers tell lines apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// LF ends a line, and CR before it belongs to the end (RFC 9112, 2.2).
    Lf,
    /// CR alone ends a line too.
    Any,
    /// CRLF alone ends a line.
    CrLf,
}

/// The lines of a head without their ends, each with the offset behind its end. What has no end is no line.
#[derive(Clone, Debug)]
pub(super) struct Lines<'a> {
    head: &'a [u8],
    ends: LineEnds,
    at: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(head: &'a [u8], ends: LineEnds) -> Self {
        Self { head, ends, at: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a [u8], usize);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.head[self.at..];
        let (length, end) = match self.ends {
            LineEnds::Lf => {
                let newline = memchr(b'\n', rest)?;
                (newline - usize::from(rest[..newline].ends_with(b"\r")), newline + 1)
            }
            LineEnds::Any => {
                let end = memchr2(b'\r', b'\n', rest)?;
                (end, end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 })
            }
            LineEnds::CrLf => {
                let end = memmem::find(rest, b"\r\n")?;
                (end, end + 2)
            }
        };
        self.at += end;
        Some((&rest[..length], self.at))
    }
}

/// The ways in which a head can be read, beside by [`LineEnds::Lf`], that may find other lines in it.
pub(super) fn other_ways(head: &[u8]) -> &'static [LineEnds] {
    let (mut newlines, mut pairs) = (0, 0);
    for newline in memchr_iter(b'\n', head) {
        newlines += 1;
        pairs += usize::from(head[..newline].ends_with(b"\r"));
    }
    let returns = memchr_iter(b'\r', head).count();
    match (newlines == pairs, returns == pairs) {
        (true, true) => &[],
        // Who waits for CRLF never comes to the end of it.
        (false, true) if pairs == 0 => &[],
        (false, false) if pairs == 0 => &[LineEnds::Any],
        _ => &[LineEnds::Any, LineEnds::CrLf],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(head: &str, ends: LineEnds) -> Vec<(&str, usize)> {
        Lines::of(head.as_bytes(), ends).map(|(line, end)| (std::str::from_utf8(line).unwrap(), end)).collect()
    }

    #[test]
    fn lines_end_where_a_reader_finds_it() {
        let head = "a\r\nb\nc\rd\r\r\n\r\n.";
        assert_eq!(lines(head, LineEnds::Lf), [("a", 3), ("b", 5), ("c\rd\r", 11), ("", 13)]);
        assert_eq!(lines(head, LineEnds::Any), [("a", 3), ("b", 5), ("c", 7), ("d", 9), ("", 11), ("", 13)]);
        assert_eq!(lines(head, LineEnds::CrLf), [("a", 3), ("b\nc\rd\r", 11), ("", 13)]);
    }

    #[test]
    fn a_head_whose_lines_end_alike_is_read_in_one_way() {
        use LineEnds::{Any, CrLf};
        let ways = |head: &str| other_ways(head.as_bytes()).to_vec();
        assert!(ways("a\r\nb\r\n\r\n").is_empty());
        assert!(ways("a\nb\n\n").is_empty());
        assert_eq!(ways("a\rb\n\n"), [Any]);
        assert_eq!(ways("a\nb\r\n\r\n"), [Any, CrLf]);
        assert_eq!(ways("a\rb\r\n\r\n"), [Any, CrLf]);
        assert_eq!(ways("a\rb\r\n\n"), [Any, CrLf]);
    }
}
