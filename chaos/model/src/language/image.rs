//! References of container images: `redis:7.2`, `registry.example.com:5000/team/app@sha256:…`. The grammar is that of
//! the Distribution project (<https://distribution.github.io/reference/>), which the engines share.

use super::findings::Wrong;
use std::ops::Range;

/// The most bytes of a name without tag and digest.
const LONGEST_NAME: usize = 255;
/// The most bytes of a tag.
const LONGEST_TAG: usize = 128;
/// The fewest hexadecimal digits of a digest; those of SHA-256 have 64.
const SHORTEST_DIGEST: usize = 32;
/// The hexadecimal digits of an image's id.
const ID: usize = 64;

const FORM: &str = "write it as `redis:7.2` or `registry.example.com/team/app:1.4`";

/// An image's reference, as it was written.
pub(crate) fn reference(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(Wrong::new(format!("`{text}` is no image")).advice(FORM));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let wrong = Wrong::new("an image's reference has no scheme").at(0..scheme.len() + 3);
        return Err(wrong.advice(if rest.is_empty() { FORM.to_owned() } else { format!("write it as `{rest}`") }));
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
        let wrong = Wrong::new(format!("`{digest}` is no digest")).at(place(text, digest));
        return Err(wrong.advice("as in `redis@sha256:` and 64 hexadecimal digits"));
    }
    // A colon before the last slash is of a registry's port.
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        let wrong = Wrong::new(format!("`{tag}` can't be an image's tag")).at(place(text, tag));
        return Err(wrong.advice("a tag has letters, digits, `_`, `.` and `-`, as in `redis:7.2`"));
    }
    check_name(name).map_err(|wrong| wrong.at(place(text, name)))?;
    Ok(text.to_owned())
}

/// The bytes of a part of a text.
fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}

fn check_name(name: &str) -> Result<(), Wrong> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if name.len() == ID && is_hex(name) {
        let wrong = Wrong::new("this is an image's id, and no name of one");
        return Err(wrong.advice("name it by a tag, or by its digest as `NAME@sha256:...`"));
    }
    let path = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => rest,
        _ => name,
    };
    if name.len() <= LONGEST_NAME && path.split('/').all(is_component) {
        return Ok(());
    }
    let wrong = Wrong::new(format!("`{name}` can't be an image's name"));
    let lower = path.to_ascii_lowercase();
    if lower != path && lower.split('/').all(is_component) {
        return Err(wrong.advice(format!("names are in lower case: `{}{lower}`", &name[..name.len() - path.len()])));
    }
    Err(wrong.advice(FORM))
}

/// True if the part before the first slash names a registry: only such have dots, ports, or are this machine.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    (host.contains('.') || host == "localhost" || port.is_some())
        && host.split('.').all(is_label)
        && port.is_none_or(is_port)
}

/// Lower-case letters and digits, set apart by `.`, `_`, `__` or dashes.
fn is_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_well = text.bytes().next().is_some_and(is_word) && text.bytes().next_back().is_some_and(is_word);
    let is_separator = |run: &str| matches!(run, "" | "." | "_" | "__") || run.bytes().all(|byte| byte == b'-');
    ends_well && text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).all(is_separator)
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= LONGEST_TAG
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, digits)) = text.split_once(':') else { return false };
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let length = if algorithm == "sha256" { digits.len() == ID } else { digits.len() >= SHORTEST_DIGEST };
    algorithm.split(['+', '.', '-', '_']).all(is_word) && length && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn takes_what_engines_take() {
        let with_digest = [format!("redis@{DIGEST}"), format!("localhost:5000/a/redis:7@{DIGEST}")];
        let plain = "redis redis:7.2 redis:7.2-bookworm library/redis a/b/c:_x registry:5000/redis localhost/redis \
                     Registry.Example.com/team/app:1.4 my_app my__app my---app 1.2/a a.b-c_d:V1";
        for text in plain.split(' ').chain(with_digest.iter().map(String::as_str)) {
            assert_eq!(reference(text).unwrap(), text);
        }
    }

    #[test]
    fn refuses_what_they_refuse() {
        let long = format!("{}:1", "a/".repeat(127) + "aa");
        let id = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let plain = "Redis redis: redis:-1 redis:a/b :7 /redis redis/ a//b a___b -a a. .a a.-b re$dis a@b \
                     redis@sha256:12 redis@:12 registry:0/redis registry:x/redis -.x/redis é redis:é https://redis";
        for text in plain.split(' ').chain(["", " ", "a b", id, &long]) {
            let wrong = reference(text).unwrap_err();
            assert!(wrong.advice.is_some(), "{text}");
        }
        assert_eq!(reference("team/Redis:7").unwrap_err().advice.unwrap(), "names are in lower case: `team/redis`");
        assert_eq!(reference("redis:7+1").unwrap_err().at, Some(6..9));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in "[a-zA-Zé0-9./:@_ -]{0,20}") {
            if let Err(wrong) = reference(&text) {
                let at = wrong.at.unwrap_or(0..text.len());
                prop_assert!(text.get(at).is_some());
            }
        }
    }
}
