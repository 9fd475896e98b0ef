//! Texts of others (bodies, paths with queries), fit to be shown: values that stand behind a name of a secret are masked,
//! whatever the format, what follows the name of an authentication scheme, and cookies, which are mostly a session's.

use super::{hidden, is_named, masked};

/// Authentication schemes (RFC 9110, 11.1) whose credentials are one word.
const SCHEMES: [&str; 2] = ["bearer", "basic"];

/// A text without the secrets in it. It may be cut off anywhere, and keeps its length.
#[must_use]
pub fn masked_text(text: &str) -> String {
    let text = masked(text);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(is_of_word) {
        let word = rest[start..].find(|c| !is_of_word(c)).map_or(&rest[start..], |end| &rest[start..start + end]);
        let end = start + word.len();
        shown.push_str(&rest[..end]);
        rest = &rest[end..];
        if let Some((gap, length)) = secret_behind(word, rest) {
            shown.push_str(&rest[..gap]);
            shown.push_str(&hidden(&rest[gap..gap + length]));
            rest = &rest[gap + length..];
        }
    }
    shown + rest
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The place of a secret behind a word: the bytes before it, and its length.
fn secret_behind(word: &str, rest: &str) -> Option<(usize, usize)> {
    if is_scheme(word) {
        let gap = rest.len() - rest.trim_start_matches([' ', '+']).len();
        return (gap > 0).then(|| (gap, word_length(&rest[gap..])));
    }
    let is_cookie = is_cookie(word);
    if !is_cookie && !is_named(word) {
        return None;
    }
    // The end of a quoted name, and what parts a name from its value: `"token": `, `token=`, `\"token\":`.
    let sign = rest.trim_start_matches(['\\', '"', '\'', ' ', ']']);
    let value = sign.strip_prefix([':', '=']).or_else(|| sign.strip_prefix("%3D"))?.trim_start();
    let gap = rest.len() - value.len();
    let length = if is_cookie { cookies_length(value) } else { value_length(value) };
    (length > 0).then_some((gap, length))
}

/// The number of bytes of a value, its quotes and brackets included.
fn value_length(value: &str) -> usize {
    let opening = value.trim_start_matches('\\');
    let escapes = value.len() - opening.len();
    match opening.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            // Of a text within a text, the quotes are escaped on both ends.
            let end = format!("{}{quote}", "\\".repeat(escapes));
            closing(&value[escapes + 1..], &end).map_or(value.len(), |at| escapes + 1 + at + end.len())
        }
        Some('[' | '{') => bracketed(value),
        _ => {
            let first = word_length(value);
            // Of `Authorization: Bearer abc`, all of it.
            let gap = value[first..].len() - value[first..].trim_start_matches(' ').len();
            if is_scheme(&value[..first]) && gap > 0 { first + gap + word_length(&value[first + gap..]) } else { first }
        }
    }
}

/// The number of bytes of cookies (RFC 6265, 4.2.1): pairs with semicolons between them, attributes included.
fn cookies_length(value: &str) -> usize {
    let mut length = value_length(value);
    while let Some(next) = value[length..].strip_prefix(';') {
        let next = next.trim_start_matches(' ');
        let more = word_length(next);
        if more == 0 {
            break;
        }
        length = value.len() - next.len() + more;
    }
    length
}

fn word_length(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '&' | ';' | '}' | ']' | '<' | '"' | '\'' | '\\');
    text.find(ends).unwrap_or(text.len())
}

/// True for the name of a header or a member that holds cookies: `Cookie`, `Set-Cookie`, `session_cookie`.
fn is_cookie(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.ends_with("cookie") || word.ends_with("cookies")
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// The place of the end of a quoted text, which is escaped nowhere before.
fn closing(text: &str, end: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(end)?;
        let escapes = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if escapes % 2 == 0 {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The number of bytes up to the bracket that closes the first, or all of them.
fn bracketed(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' if depth <= 1 => return at + 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_behind_a_secrets_name_are_masked_in_any_format() {
        for (text, shown) in [
            (r#"{"user":7,"token":"ab\"c","x":"y"}"#, r#"{"user":7,"token":*******,"x":"y"}"#),
            (
                r#"{"accessToken": 12, "passwords": ["a", {"b": 1}], "n": 1}"#,
                r#"{"accessToken": **, "passwords": ***************, "n": 1}"#,
            ),
            (r#"{"error":"{\"api_key\":\"abc\",\"id\":1}"}"#, r#"{"error":"{\"api_key\":*******,\"id\":1}"}"#),
            (r#"{"secret":"cut o"#, r#"{"secret":******"#),
            ("/login?user=me&token=abc&next=/", "/login?user=me&token=***&next=/"),
            ("password: hunter2\nname: x", "password: *******\nname: x"),
            (
                "Authorization: Bearer abc.def, and Basic dXNlcg==.",
                "Authorization: **************, and Basic *********",
            ),
            ("at redis://:pw@cache/0", "at redis://***@cache/0"),
            ("Set-Cookie: sid=abc; Path=/\nDate: x", "Set-Cookie: ***************\nDate: x"),
            (r#"{"cookie":"a=1; b=2","n":1}"#, r#"{"cookie":**********,"n":1}"#),
            ("cookie=a=1; b=2; user 7", "cookie=************** 7"),
            ("cookies are set; no more", "cookies are set; no more"),
            ("the token is gone; keys matter", "the token is gone; keys matter"),
            ("", ""),
        ] {
            assert_eq!(masked_text(text), shown);
        }
    }

    proptest! {
        #[test]
        fn it_ends_keeps_the_length_and_leaves_no_secret(text in ".{0,40}", secret in "[a-z0-9]{8,12}", after in ".{0,20}") {
            let all = format!("{text} \"token\": \"{secret}\"{after}");
            let shown = masked_text(&all);
            prop_assert_eq!(shown.len(), all.len());
            prop_assert!(!shown.contains(&format!("\"{secret}\"")), "{}", shown);
        }
    }
}
