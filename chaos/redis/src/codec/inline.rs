//! Requests as a person types them: words, with quotes where needed (`sdssplitargs` of Redis).

/// Splits a line into words. `"…"` knows `\n \r \t \b \a`, `\xHH` and `\` before anything else; `'…'` knows `\'` alone.
/// `None` where quotes don't balance, or a closing one is followed by anything but space.
pub(super) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = vec![];
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let (word, behind) = word(rest)?;
        words.push(word);
        rest = behind.trim_ascii_start();
    }
    Some(words)
}

fn word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = vec![];
    loop {
        rest = match rest {
            [] => return Some((word, rest)),
            [space, ..] if space.is_ascii_whitespace() => return Some((word, rest)),
            [quote @ (b'"' | b'\''), behind @ ..] => {
                let behind = quoted(*quote, behind, &mut word)?;
                return behind.first().is_none_or(u8::is_ascii_whitespace).then_some((word, behind));
            }
            [byte, behind @ ..] => {
                word.push(*byte);
                behind
            }
        };
    }
}

fn quoted<'a>(quote: u8, mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, behind) = match rest {
            [] => return None,
            [byte, behind @ ..] if *byte == quote => return Some(behind),
            [b'\\', b'\'', behind @ ..] if quote == b'\'' => (b'\'', behind),
            [b'\\', b'x', high, low, behind @ ..] if quote == b'"' && hex(*high, *low).is_some() => {
                (hex(*high, *low)?, behind)
            }
            [b'\\', escaped, behind @ ..] if quote == b'"' => (unescaped(*escaped), behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        word.push(byte);
        rest = behind;
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_quotes() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            ("  GET  a ", &["GET", "a"]),
            (r#"SET a "x y""#, &["SET", "a", "x y"]),
            (r#"SET a "x\n\x41\"""#, &["SET", "a", "x\nA\""]),
            (r"SET a 'x\'y\n'", &["SET", "a", r"x'y\n"]),
            (r#"foo "" ''"#, &["foo", "", ""]),
            (r#"a"b c""#, &["ab c"]),
        ];
        for (line, words) in cases {
            let expected = words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
            assert_eq!(split(line.as_bytes()), Some(expected), "{line}");
        }
    }

    #[test]
    fn quotes_that_do_not_balance() {
        for line in [r#"GET "a"#, r#"GET "a"b"#, r#"GET "\"#, "GET 'a\"", "'"] {
            assert_eq!(split(line.as_bytes()), None, "{line}");
        }
    }
}
