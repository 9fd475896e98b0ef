//! `only.…` and `except.…`: the requests or commands that a fault is for, and those of them that it is not for.

use super::{
    document::Kind,
    findings::{Findings, Wrong},
    reader::Reader,
};
use crate::{Diagnostic, Nth, Only, Pattern};

/// Reads the table `only` of a fault.
pub(crate) fn read(fault: &mut Reader<'_>, findings: &Findings) -> Option<Only> {
    read_key("only", fault, findings).map(Option::unwrap_or_default)
}

/// Reads the table `except` of a fault, which is for what `only` chooses.
pub(crate) fn read_except(fault: &mut Reader<'_>, only: Option<&Only>, findings: &Findings) -> Option<Option<Only>> {
    let except = read_key("except", fault, findings)?;
    if let (Some(except), Some(only), Some(entry)) = (&except, only, fault.entry("except"))
        && except.is_part_of(only)
    {
        let message = "`except` takes away all that `only` chooses";
        let advice = "write into `except` what tells those apart that are to be spared";
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
    }
    Some(except)
}

/// The filter under a key, if that is there; nothing where it is wrong.
fn read_key(name: &'static str, fault: &mut Reader<'_>, findings: &Findings) -> Option<Option<Only>> {
    let Some(table) = fault.table(name) else { return fault.entry(name).is_none().then_some(None) };
    let before = findings.len();
    let mut reader = Reader::new(table, format!("`{name}`"), findings);
    let methods = reader.parse("method", words(is_method, "a method", "GET|POST")).unwrap_or_default();
    let path = reader.parse("path", |text| path(text, name));
    let query = reader.parse("query", |text| query(text, name));
    let headers = patterns(&mut reader, (name, "header"), findings);
    let baggage = patterns(&mut reader, (name, "baggage"), findings);
    let commands = reader.parse("command", words(is_command, "a command", "GET|MGET")).unwrap_or_default();
    let key = reader.parse("key", pattern);
    let nth = nth(&mut reader, findings);
    reader.finish();
    if table.entries.is_empty() {
        let advice = format!("take it away, or write `{name}.path = \"...\"`");
        findings.add(Diagnostic::new(table.span.clone(), format!("`{name}` says nothing")).advice(advice));
    }
    let headers = headers.into_iter().map(|(name, pattern)| (name.to_lowercase(), pattern)).collect();
    (findings.len() == before).then_some(Some(Only { methods, path, query, headers, baggage, commands, key, nth }))
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

fn is_command(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// `GET|POST`, in upper case.
fn words(right: fn(&str) -> bool, what: &str, example: &str) -> impl Fn(&str) -> Result<Vec<String>, Wrong> {
    move |text| {
        let words: Vec<String> = text.split('|').map(|word| word.trim().to_uppercase()).collect();
        match words.iter().find(|word| !right(word)) {
            None => Ok(words),
            Some(_) if text.contains(',') => {
                Err(Wrong::new("several are set apart by `|`").advice(format!("write it as `{example}`")))
            }
            Some(word) => Err(Wrong::new(format!("`{word}` is not {what}")).advice(format!("write it as `{example}`"))),
        }
    }
}

/// A path, under this name.
fn path(text: &str, name: &str) -> Result<Pattern, Wrong> {
    if let Some((path, query)) = text.split_once('?') {
        let wrong = Wrong::new("a path is without its query");
        return Err(wrong.advice(match (path, query) {
            (_, "" | "*") => format!("write it as `{path}`: the query may be any"),
            ("" | "*", _) => format!("say `{name}.query = \"{query}\"`"),
            _ => format!("say `{name}.path = \"{path}\"` and `{name}.query = \"{query}\"`"),
        }));
    }
    if text.starts_with(['/', '*']) {
        return pattern(text);
    }
    Err(Wrong::new("a path begins with `/`").advice(format!("write it as `/{text}` or `*{text}`")))
}

/// A query, under this name.
fn query(text: &str, name: &str) -> Result<Pattern, Wrong> {
    match text.strip_prefix('?') {
        Some(query) => {
            Err(Wrong::new("a query is without its `?`").advice(format!("say `{name}.query = \"{query}\"`")))
        }
        None => pattern(text),
    }
}

fn pattern(text: &str) -> Result<Pattern, Wrong> {
    if text.is_empty() {
        return Err(Wrong::new("nothing is like an empty pattern").advice("write it as `/orders/*`; `*` is anything"));
    }
    Ok(Pattern(text.to_owned()))
}

/// `only.header.x-tenant = "blue*"`
fn patterns(reader: &mut Reader<'_>, (name, key): (&str, &'static str), findings: &Findings) -> Vec<(String, Pattern)> {
    let Some(table) = reader.table(key) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in &table.entries {
        match &entry.value.kind {
            Kind::Text(text) => all.push((entry.key.clone(), Pattern(text.clone()))),
            _ => {
                let message = format!("`{}` must be a string, and this is {}", entry.key, entry.value.what());
                let advice = format!("write it as `{name}.{key}.{} = \"blue*\"`", entry.key);
                findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
            }
        }
    }
    all
}

fn nth(reader: &mut Reader<'_>, findings: &Findings) -> Option<Nth> {
    let mut found = None;
    for key in ["nth", "first", "every"] {
        let Some(entry) = reader.entry(key) else { continue };
        let number = reader.parse(key, number);
        if found.is_some() {
            let message = "only one of `nth`, `first` and `every` can be said";
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take one away"));
        }
        found = found.or(number.map(|number| match key {
            "nth" => Nth::Only(number),
            "first" => Nth::First(number),
            _ => Nth::Every(number),
        }));
    }
    found
}

fn number(text: &str) -> Result<u64, Wrong> {
    let number = text.trim().parse::<u64>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Wrong::new(format!("`{text}` is no number from 1 on")).advice("write it as `3`"))
}
