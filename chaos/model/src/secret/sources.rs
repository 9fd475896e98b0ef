//! Source texts, fit to be recorded: secrets are masked in their places, so that lines, columns and spans stay what they are.

use super::{URL_MARK, credentials, hidden, is_named, masked, masked_text};
use crate::{
    Source, Sources,
    language::{
        document::{self, Kind, Table, Value},
        findings::Findings,
    },
};
use std::ops::Range;

/// Tables in which keys that are called like secrets are none: `only.key` is a key of Redis, a variable called `token` says
/// how it is drawn or where it is captured, and what is expected stands in the report anyway.
const HARMLESS: [&str; 6] =
    ["expect", "fault", "guard.breaks", "guard.may-break", "load.journey.step.capture", "load.vars"];

/// The texts without the secrets in them, and the places of what was masked, as `system.toml:12: env.AUTH_KEY`.
///
/// A text keeps its length, its lines and its columns: a secret is masked character by character. Values are secrets by the
/// name of their key, words of commands by the option before them, credentials by the URL that they stand in, and parts of
/// a text (a path with a query, a body) by what stands before them there.
#[must_use]
pub fn masked_sources(sources: &Sources) -> (Sources, Vec<String>) {
    let mut named = Vec::new();
    let texts = sources.0.iter().enumerate().map(|(n, source)| {
        let (text, of_this) = covered(source, n);
        named.extend(of_this);
        Source { name: source.name.clone(), text: text.into() }
    });
    let texts = Sources(texts.collect());
    (texts, named)
}

/// The same for one text.
pub(super) fn covered(source: &Source, n: usize) -> (String, Vec<String>) {
    let mut found = secrets(&source.text, n);
    found.sort_by_key(|(range, _)| range.start);
    let (mut text, mut named) = (source.text.to_string(), Vec::new());
    for (range, name) in &found {
        let secret = hidden(&text[range.clone()]);
        if text[range.clone()] != secret {
            let line = source.text[..range.start].matches('\n').count() + 1;
            named.push(format!("{}:{line}: {name}", source.name));
            text.replace_range(range.clone(), &secret);
        }
    }
    (text, named)
}

/// Places of the secrets of a text, with the names by which they are known. They don't overlap.
pub(super) fn secrets(text: &str, source: usize) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    match document::parse(text, source, &Findings::default()) {
        Some(table) => in_table(&table, "", text, &mut found),
        // The text of `--set`.
        None => found.extend(in_setting(text, 0)),
    }
    found.extend(in_comments(text));
    let urls = in_urls(text);
    let is_new = |(range, _): &(Range<usize>, String)| {
        !found.iter().any(|(other, _)| other.start < range.end && range.start < other.end)
    };
    let urls: Vec<_> = urls.into_iter().filter(is_new).collect();
    found.extend(urls);
    found
}

fn in_table(table: &Table, path: &str, text: &str, found: &mut Vec<(Range<usize>, String)>) {
    for entry in &table.entries {
        let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        if !HARMLESS.contains(&path.as_str()) {
            in_value(&entry.value, &path, text, found);
        }
    }
}

fn in_value(value: &Value, path: &str, text: &str, found: &mut Vec<(Range<usize>, String)>) {
    // The last part alone: a service may be called `token-service`.
    let name = path.rsplit('.').next().unwrap_or(path);
    match &value.kind {
        Kind::Table(table) => in_table(table, path, text, found),
        Kind::List(items) => in_list(items, path, text, found),
        Kind::Text(written) if is_reference(written) => {}
        Kind::Text(_) | Kind::Other { .. } if is_named(name) || is_cookie(path) => {
            found.push((inner(text, value.span.range.clone()), path.to_owned()));
        }
        Kind::Text(_) => found.extend(in_text(text, inner(text, value.span.range.clone()), path)),
        Kind::Other { .. } => {}
    }
}

/// True for a cookie of the load's requests, or the field of all of them: it is mostly a session's.
fn is_cookie(path: &str) -> bool {
    let mut parts = path.rsplit('.');
    parts.next() == Some("cookie") || parts.next() == Some("cookies")
}

/// True for `{env:NAME}`: it says where the secret is, and is none.
fn is_reference(text: &str) -> bool {
    let name = text.strip_prefix("{env:").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// Secrets within a text, but for the credentials of URLs, which are found by themselves.
fn in_text(text: &str, range: Range<usize>, path: &str) -> Vec<(Range<usize>, String)> {
    let written = &text[range.clone()];
    let (without_urls, shown) = (masked(written), masked_text(written));
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    for ((at, before), after) in without_urls.char_indices().zip(shown.chars()) {
        let (at, end) = (range.start + at, range.start + at + before.len_utf8());
        match found.last_mut() {
            _ if before == after => {}
            Some((last, _)) if last.end == at => last.end = end,
            _ => found.push((at..end, path.to_owned())),
        }
    }
    found
}

/// Words of a command hide what follows `--password`, or stands behind it after `=`.
fn in_list(items: &[Value], path: &str, text: &str, found: &mut Vec<(Range<usize>, String)>) {
    let is_option = |word: &str| word.starts_with('-') && is_named(word);
    let mut after = None;
    for item in items {
        let range = || inner(text, item.span.range.clone());
        match (item.text(), after.take()) {
            (Some(word), Some(option)) if !word.starts_with('-') => found.push((range(), format!("{path} {option}"))),
            (Some(word), _) => match word.split_once('=') {
                Some((option, _)) if is_option(option) => {
                    let range = range();
                    let behind = text[range.clone()].find('=').map_or(range.start, |at| range.start + at + 1);
                    found.push((behind..range.end, format!("{path} {option}")));
                }
                None if is_option(word) => after = Some(word.to_owned()),
                _ => found.extend(in_text(text, range(), path)),
            },
            _ => in_value(item, path, text, found),
        }
    }
}

/// The value of `NAME=VALUE`, if its name says that it is a secret.
fn in_setting(text: &str, start: usize) -> Option<(Range<usize>, String)> {
    let (name, value) = text.split_once('=')?;
    let behind = start + name.len() + 1;
    let (name, lead) = (name.trim(), value.len() - value.trim_start().len());
    let value = value.trim();
    (is_named(name) && !value.is_empty()).then(|| (behind + lead..behind + lead + value.len(), name.to_owned()))
}

/// Settings that were commented out, and may be real all the same.
fn in_comments(text: &str) -> Vec<(Range<usize>, String)> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let comment = line.trim_start();
        if let Some(setting) = comment.strip_prefix('#') {
            let (setting, start) = (setting.trim_end(), at + line.len() - setting.len());
            match in_setting(setting, start) {
                Some(secret) => found.push(secret),
                None => found.extend(in_text(text, start..start + setting.len(), "comment")),
            }
        }
        at += line.len();
    }
    found
}

fn in_urls(text: &str) -> Vec<(Range<usize>, String)> {
    let marks = text.match_indices(URL_MARK).map(|(at, mark)| at + mark.len());
    let credentials = marks.filter_map(|at| credentials(&text[at..]).map(|length| at..at + length));
    // A URL within what was found already is no other secret.
    let mut end = 0;
    let mut found = Vec::new();
    for range in credentials {
        if range.start >= end && !range.is_empty() {
            end = range.end;
            found.push((range, "credentials of a URL".to_owned()));
        }
    }
    found
}

/// The part of a value's text between its quotes.
fn inner(text: &str, range: Range<usize>) -> Range<usize> {
    let value = text.get(range.clone()).unwrap_or_default();
    let quote =
        ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| value.starts_with(quote) && value.ends_with(quote));
    let quote = quote.map_or(0, str::len);
    if value.len() < 2 * quote { range } else { range.start + quote..range.end - quote }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SYSTEM: &str = r#"entry = "token-service"

[service.token-service]
command = ["./serve", "--port", "{self.port}", "--password", "hünter2", "--api-key=abc", "--verbose"]
# AUTH_KEY = "an old one"
env.AUTH_KEY = 'open sesame'
env.REDIS_URL = "redis://:pw@{redis}/0"
env.NAME = "plain"

[fault]
only.key = "profile:*"

[load]
headers.authorization = """
Bearer
 abc"""
"#;

    fn masked(text: &str) -> (String, Vec<String>) {
        let sources = Sources(vec![Source { name: "system.toml".to_owned(), text: text.into() }]);
        let (texts, named) = masked_sources(&sources);
        (texts.0[0].text.to_string(), named)
    }

    #[test]
    fn secrets_are_masked_in_their_places_and_named() {
        let (text, named) = masked(SYSTEM);
        let wanted = r#"entry = "token-service"

[service.token-service]
command = ["./serve", "--port", "{self.port}", "--password", "*·*****", "--api-key=***", "--verbose"]
# AUTH_KEY = ************
env.AUTH_KEY = '***********'
env.REDIS_URL = "redis://***@{redis}/0"
env.NAME = "plain"

[fault]
only.key = "profile:*"

[load]
headers.authorization = """
******
****"""
"#;
        assert_eq!(text, wanted);
        let wanted = [
            "system.toml:4: service.token-service.command --password",
            "system.toml:4: service.token-service.command --api-key",
            "system.toml:5: AUTH_KEY",
            "system.toml:6: service.token-service.env.AUTH_KEY",
            "system.toml:7: credentials of a URL",
            "system.toml:14: load.headers.authorization",
        ];
        assert_eq!(named, wanted);
        assert_eq!(masked(&text), (text.clone(), Vec::new()), "what is masked is no secret any more");
    }

    #[test]
    fn the_place_of_a_secret_is_none() {
        let text = "[service.redis]\npassword = \"{env:REDIS_PASSWORD}\"\n";
        assert_eq!(masked(text), (text.to_owned(), Vec::new()));
        assert_eq!(masked("[service.redis]\npassword = \"{env:a}b\"\n").1.len(), 1);
    }

    #[test]
    fn secrets_of_requests_are_masked() {
        let text = r#"
[load]
rate = "1/s"
headers.cookie = "session=abc"
headers.x-auth = "Bearer abc.def"
# request = "GET /b?api_key=abc"
vars.token = "sequence 1..9"
[[load.request]]
request = "POST /login"
body = '{"user":"me","password":"hunter2"}'
headers = { authorization = "Basic abc", accept = "a/b" }
[[load.request]]
request = "GET /pay?page=2&token=abc&next=1"
json = { card = { secret = "1234" }, note = "the token is gone" }
[service.a]
command = ["sh", "-c", "curl -H 'Authorization: Bearer abc' http://b"]
[[expect]]
of = "GET /a"
body."$.token" = "== abc"
"#;
        let (shown, named) = masked(text);
        let wanted = text
            .replace("token=abc", "token=***")
            .replace("session=abc", "***********")
            .replace("x-auth = \"Bearer abc.def\"", "x-auth = \"Bearer *******\"")
            .replace("api_key=abc", "api_key=***")
            .replace("\"hunter2\"", "*********")
            .replace("Basic abc", "*********")
            .replace("\"1234\"", "\"****\"")
            .replace("Authorization: Bearer abc", "Authorization: **********");
        assert_eq!(shown, wanted);
        let wanted = [
            "system.toml:4: load.headers.cookie",
            "system.toml:5: load.headers.x-auth",
            "system.toml:6: comment",
            "system.toml:10: load.request.body",
            "system.toml:11: load.request.headers.authorization",
            "system.toml:13: load.request.request",
            "system.toml:14: load.request.json.card.secret",
            "system.toml:16: service.a.command",
        ];
        assert_eq!(named, wanted);
    }

    #[test]
    fn a_setting_of_the_command_line_is_masked_too() {
        assert_eq!(masked("service.a.env.AUTH_KEY=abc").0, "service.a.env.AUTH_KEY=***");
        assert_eq!(masked("load.rate=500/s"), ("load.rate=500/s".to_owned(), Vec::new()));
    }

    proptest! {
        #[test]
        fn a_text_keeps_its_length_and_its_lines(text in "([a-z_]{0,8}(key|token)? ?= ?['\"]?[a-zäß€𝄞/:@# ]{0,12}['\"]?\n){0,6}|.{0,60}") {
            let (shown, _) = masked(&text);
            prop_assert_eq!(shown.len(), text.len());
            prop_assert_eq!(shown.chars().count(), text.chars().count());
            let ends = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
            prop_assert_eq!(ends(&shown), ends(&text));
        }
    }
}
