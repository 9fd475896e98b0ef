//! Values that go over several lines, as RFC 7230 still allowed.

/// The head with its folds made spaces, as RFC 9112 (section 5.2) says: no byte moves. `None` where it isn't sure that
/// everyone reads it alike: a fold before the first field, one with nothing on it, one in a field that says where the
/// message ends.
pub(super) fn unfold(head: &[u8]) -> Option<Vec<u8>> {
    let mut flat = head.to_vec();
    let mut field: &[u8] = &[];
    let mut at = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if at > 0 && matches!(line.first(), Some(b' ' | b'\t')) {
            let name = field.split(|byte| *byte == b':').next().unwrap_or_default();
            let frames = [&b"content-length"[..], b"transfer-encoding"].iter().any(|it| name.eq_ignore_ascii_case(it));
            if field.is_empty() || frames || line.trim_ascii().is_empty() {
                return None;
            }
            flat[at - 2..at].fill(b' ');
        } else {
            // The first line is no field.
            field = if at == 0 { &[] } else { line };
        }
        at += line.len();
    }
    Some(flat)
}
