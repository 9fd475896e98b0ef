//! Masking of secrets: values that are named like secrets, and credentials in URLs. Events, and with them recordings
//! and reports, hold neither.

mod restored;
mod sources;
mod text;

pub use restored::{restored, secret_names};
pub use sources::masked_sources;
pub use text::masked_text;

/// Words of a name that make its value a secret, wherever they stand in it.
const WORDS: [&str; 11] = [
    "apikey",
    "authorization",
    "credential",
    "credentials",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "token",
];

/// True where a setting of this name holds a secret, as `service.gateway.env.GATEWAY_AUTH_KEY` does.
#[must_use]
pub fn is_named(name: &str) -> bool {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(humps).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    // A key is one at the end of a name: `KEY_PREFIX` is not.
    let is_key = words.last().is_some_and(|word| word == "key" || word == "keys");
    is_key
        || words.iter().any(|word| WORDS.contains(&word.strip_suffix('s').unwrap_or(word)) || WORDS.contains(&&**word))
}

/// The words of `camelCase`.
fn humps(word: &str) -> Vec<&str> {
    let bytes = word.as_bytes();
    let starts = (1..bytes.len()).filter(|at| bytes[*at - 1].is_ascii_lowercase() && bytes[*at].is_ascii_uppercase());
    let ends: Vec<usize> = [0].into_iter().chain(starts).chain([bytes.len()]).collect();
    ends.windows(2).map(|ends| &word[ends[0]..ends[1]]).collect()
}

/// A secret's stand-in, of the same length in bytes, characters and lines, so that what stands behind it keeps its place.
#[must_use]
pub fn hidden(secret: &str) -> String {
    let masked = |c: char| match c.len_utf8() {
        _ if c == '\n' || c == '\r' => c,
        1 => '*',
        2 => '·',
        3 => '…',
        _ => '𝟎',
    };
    secret.chars().map(masked).collect()
}

/// A setting as it was set, `name=value`, fit to be shown.
#[must_use]
pub fn masked_setting(setting: &str) -> String {
    match setting.split_once('=') {
        Some((name, value)) if is_named(name) => format!("{name}={}", hidden(value)),
        _ => masked_text(setting),
    }
}

/// The words of a command line, fit to be shown: without the values of options and settings that are named like secrets, and
/// without the credentials of URLs.
#[must_use]
pub fn masked_command(words: &[String]) -> Vec<String> {
    let mut after_secret = false;
    let shown = words.iter().map(|word| {
        let is_value =
            std::mem::replace(&mut after_secret, word.starts_with("--") && !word.contains('=') && is_named(word));
        if is_value && !word.starts_with('-') { hidden(word) } else { masked_setting(word) }
    });
    shown.collect()
}

/// A text, fit to be shown: without the credentials of the URLs in it (RFC 3986, 3.2.1).
#[must_use]
pub fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(URL_MARK) {
        let (before, after) = rest.split_at(at + URL_MARK.len());
        shown.push_str(before);
        let after = credentials(after).map_or(after, |length| {
            shown.push_str(&hidden(&after[..length]));
            &after[length..]
        });
        rest = after;
    }
    shown + rest
}

/// The sign between the scheme of a URL and what may hold credentials.
const URL_MARK: &str = "://";

/// The number of bytes that are credentials at the beginning of what follows the scheme of a URL.
fn credentials(text: &str) -> Option<usize> {
    let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let url = &text[..text.find(ends).unwrap_or(text.len())];
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // A password with one of these in it, as nobody should write it: what precedes is neither a port nor an address.
    let (_, port) = authority.split_once(':').filter(|_| !authority.starts_with('['))?;
    // Masking too much is a nuisance, masking too little a leak: what looks like both is taken for a secret.
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    url.rfind('@').filter(|_| !is_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "service.gateway.env.GATEWAY_AUTH_KEY",
            "API-KEYS",
            "db.Password",
            "TOKENS",
            "a_secret_b",
            "apiKey",
            "accessTokenOf",
        ] {
            assert!(is_named(name), "{name}");
        }
        for name in ["load.rate", "KEY_PREFIX", "service.redis.env.KEYSPACE", "TOKENIZER", "", "service.monkey.env.A"] {
            assert!(!is_named(name), "{name}");
        }
    }

    #[test]
    fn settings_are_shown_without_what_they_hide() {
        for (set, shown) in [
            ("service.a.env.AUTH_KEY=abc=def", "service.a.env.AUTH_KEY=*******"),
            ("service.a.env.AUTH_KEY=", "service.a.env.AUTH_KEY="),
            ("load.rate=500/s", "load.rate=500/s"),
            ("service.a.env.REDIS_URL=redis://:pw@{redis}/0", "service.a.env.REDIS_URL=redis://***@{redis}/0"),
            ("no value", "no value"),
            ("load.request=GET /u?token=abc", "load.request=GET /u?token=***"),
        ] {
            assert_eq!(masked_setting(set), shown);
        }
    }

    #[test]
    fn credentials_are_taken_out_of_urls() {
        for (text, shown) in [
            ("redis://user:pw@cache:6379/0", "redis://*******@cache:6379/0"),
            ("at http://a:b@c, then \"https://d@e/f\" and x", "at http://***@c, then \"https://*@e/f\" and x"),
            ("redis://:p/w?#@cache", "redis://******@cache"),
            ("http://a:80/mail?to=b@c", "http://a:80/mail?to=b@c"),
            ("http://a/b@c http://[::1]:80/d@e", "http://a/b@c http://[::1]:80/d@e"),
            ("a@b :// no://", "a@b :// no://"),
            ("http://ü:ß@ä", "http://·*·@ä"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    proptest! {
        #[test]
        fn no_password_is_left(before in ".{0,20}", user in "[a-z]{0,5}", password in "[A-Z0-9!$&*+,;=:%-]{1,12}", after in ".{0,20}") {
            let text = format!("{before} http://{user}:#{password}#@host {after}");
            let secret = format!("#{password}#");
            prop_assert!(!masked(&text).contains(&secret), "{}", masked(&text));
            prop_assert_eq!(masked(&masked(&text)), masked(&text), "masking twice changes nothing");
        }
    }
}
