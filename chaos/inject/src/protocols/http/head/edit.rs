//! Fields of a head, set and taken away. All others stay as they came, byte for byte.

/// A head with a field set, or taken away where there is no value. It stands where the first of its name stood, else at
/// the end.
pub(crate) fn edited(head: &[u8], name: &str, value: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() + name.len() + value.map_or(0, str::len) + 4);
    let line_end = if head.ends_with(b"\r\n") { "\r\n" } else { "\n" };
    let mut new = value.map(|value| format!("{name}: {value}{line_end}"));
    let mut dropping = false;
    let mut first = true;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let is_empty = matches!(line, b"\r\n" | b"\n");
        if first {
            // Empty lines may come before a message.
            first = is_empty;
            out.extend_from_slice(line);
            continue;
        }
        if is_empty {
            out.extend(new.take().into_iter().flat_map(String::into_bytes));
            out.extend_from_slice(line);
            continue;
        }
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            let named = line.split(|byte| *byte == b':').next().unwrap_or_default();
            dropping = named.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes());
        }
        if dropping {
            out.extend(new.take().into_iter().flat_map(String::into_bytes));
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}

/// The values of the fields of this name, in order. One that goes over several lines is one value.
pub(crate) fn values(head: &[u8], name: &str) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = Vec::new();
    let mut named = false;
    // Empty lines may come before a message, and its first line is no field.
    let lines = head.split(|byte| *byte == b'\n').skip_while(|line| line.trim_ascii().is_empty()).skip(1);
    for line in lines {
        if let [b' ' | b'\t', ..] = line {
            let value = values.last_mut().filter(|_| named);
            value.into_iter().for_each(|value| value.extend([&b" "[..], line.trim_ascii()].concat()));
            continue;
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        named = parts.next().is_some_and(|it| it.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes()));
        values.extend(parts.next().filter(|_| named).map(|value| value.trim_ascii().to_vec()));
    }
    values
}

/// Tells whether a field is as it is to be already: it has this value and no other, or is not there.
pub(crate) fn is_so(head: &[u8], name: &str, value: Option<&str>) -> bool {
    let values = values(head, name);
    match value {
        Some(value) => values == [value.trim().as_bytes()],
        None => values.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_so, values};

    #[test]
    fn a_field_that_is_as_asked_needs_no_edit() {
        let head = b"\r\nHTTP/1.1 200 OK\r\nA:1\r\nX-B: 2 \r\nx-c: 3\r\n fold\r\nd: 4\r\nD: 4\r\ne:\r\n\r\n";
        let so = |name, value| is_so(head, name, value);
        assert!(so("a", Some("1")) && so("x-b", Some("2")) && so("y", None) && so("E", Some("")));
        assert!(!so("a", Some("2")) && !so("a", None) && !so("y", Some("1")));
        assert!(!so("x-c", Some("3")), "it goes on in the next line");
        assert!(!so("d", Some("4")), "it is there twice");
        assert!(!so("http/1.1 200 ok", Some("")) && so("HTTP/1.1 200 OK", None), "the first line is none");
    }

    fn edited(head: &str, value: Option<&str>) -> String {
        String::from_utf8(super::edited(head.as_bytes(), "x", value)).unwrap()
    }

    #[test]
    fn lines_end_as_those_that_came() {
        assert_eq!(edited("a\r\nx: 1\r\n\r\n", Some("2")), "a\r\nx: 2\r\n\r\n");
        assert_eq!(edited("a\nx: 1\n\n", Some("2")), "a\nx: 2\n\n");
        assert_eq!(edited("\na\ny: 1\n\n", Some("2")), "\na\ny: 1\nx: 2\n\n");
    }

    #[test]
    fn a_name_is_known_before_blanks_and_each_time() {
        assert_eq!(edited("a\r\nX : 1\r\n more\r\ny: 1\r\nx: 3\r\n\r\n", Some("2")), "a\r\nx: 2\r\ny: 1\r\n\r\n");
        assert_eq!(edited("a\r\nx\t: 1\r\nx: 1\r\n\r\n", None), "a\r\n\r\n");
    }

    #[test]
    fn values_are_those_of_the_name_alone() {
        let head = b"\r\nHTTP/1.1 200 a: b\r\nA: 1\r\nB: 2\r\n 3\r\nAB: 4\r\na:  5 ,\r\n\t6\r\nA:\r\n\r\n";
        let of = |name: &str| -> Vec<String> {
            values(head, name).into_iter().map(|value| String::from_utf8(value).unwrap()).collect()
        };
        assert_eq!(of("a"), ["1", "5 , 6", ""]);
        assert_eq!(of("b"), ["2 3"]);
        assert!(of("c").is_empty());
    }
}
