//! Values that go over several lines, as RFC 7230 still allowed.

/// The head with its folds made spaces, as RFC 9112 (section 5.2) says: no byte moves.
pub(super) fn unfold(head: &[u8]) -> Vec<u8> {
    let mut flat = head.to_vec();
    let mut at = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if at > 0 && matches!(line.first(), Some(b' ' | b'\t')) {
            let end = if head[..at].ends_with(b"\r\n") { 2 } else { 1 };
            flat[at - end..at].fill(b' ');
        }
        at += line.len();
    }
    flat
}

#[cfg(test)]
mod tests {
    #[test]
    fn folds_become_spaces() {
        let flat = |head: &str| String::from_utf8(super::unfold(head.as_bytes())).unwrap();
        assert_eq!(flat("a\r\nx: a\r\n b\r\n\tc\r\ny: d\r\n\r\n"), "a\r\nx: a   b  \tc\r\ny: d\r\n\r\n");
        assert_eq!(flat("a\nx: a\n b\n\n"), "a\nx: a  b\n\n");
    }
}
