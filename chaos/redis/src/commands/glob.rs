/// Matches a key against a pattern (`stringmatchlen` of Redis): `*` is any text, `?` any byte, `[ab]`, `[^ab]` and
/// `[a-c]` are some bytes, and a backslash takes the meaning from what follows.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // Where to go on from when what follows the last `*` doesn't fit here.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            pattern = rest;
            retry = Some((rest, text));
            continue;
        }
        let step = match (pattern, text) {
            ([], []) => return true,
            ([], _) | (_, []) => None,
            (pattern, [byte, behind @ ..]) => one(pattern, *byte).map(|rest| (rest, behind)),
        };
        match (step, retry) {
            (Some(next), _) => (pattern, text) = next,
            (None, Some((after_star, [_, behind @ ..]))) => {
                (pattern, text) = (after_star, behind);
                retry = Some((after_star, behind));
            }
            (None, _) => return false,
        }
    }
}

/// The rest of the pattern once its first element has matched `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte),
        [b'\\', escaped, rest @ ..] => (*escaped == byte).then_some(rest),
        [expected, rest @ ..] => (*expected == byte).then_some(rest),
        [] => None,
    }
}

/// The pattern is behind the `[`. A class that isn't closed ends with the pattern.
fn class(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (mut rest, is_negated) = match pattern {
        [b'^', rest @ ..] => (rest, true),
        rest => (rest, false),
    };
    let mut found = false;
    loop {
        rest = match rest {
            [b'\\', escaped, rest @ ..] => {
                found |= *escaped == byte;
                rest
            }
            [b']', rest @ ..] => return (found != is_negated).then_some(rest),
            [] => return (found != is_negated).then_some(rest),
            [from, b'-', to, rest @ ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                rest
            }
            [one, rest @ ..] => {
                found |= *one == byte;
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("maxmemory", "maxmemory", true),
            ("maxmemory", "maxmemory-policy", false),
            ("max*", "maxmemory-policy", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("s?ve", "save", true),
            ("*x", "save", false),
            ("*a*b", "aab", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*ab", "aab", true),
            ("h[ae]llo", "hello", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a-", "h-", true),
            ("h[ab", "hb", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[\\]]", "]", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!matches(
            "a*".repeat(50).as_bytes(),
            &[b'a'; 200].iter().chain(b"b").copied().rev().collect::<Vec<_>>()
        ));
    }
}
