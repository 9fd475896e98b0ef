//! Fields of a head, set and taken away. All others stay as they came, byte for byte.

/// A head with a field set, or taken away where there is no value. It stands where the first of its name stood, else at
/// the end.
pub(crate) fn edited(head: &[u8], name: &str, value: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() + name.len() + value.map_or(0, str::len) + 4);
    let mut new = value.map(|value| format!("{name}: {value}\r\n"));
    let mut dropping = false;
    let mut first = true;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if first {
            // Empty lines may come before a message.
            first = line == b"\r\n";
            out.extend_from_slice(line);
            continue;
        }
        if line == b"\r\n" {
            out.extend(new.take().into_iter().flat_map(String::into_bytes));
            out.extend_from_slice(line);
            continue;
        }
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            let named = line.split(|byte| *byte == b':').next().unwrap_or_default();
            dropping = named.eq_ignore_ascii_case(name.as_bytes());
        }
        if dropping {
            out.extend(new.take().into_iter().flat_map(String::into_bytes));
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}
