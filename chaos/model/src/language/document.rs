//! The text as a tree that keeps its places. It owns what TOML gives us, in the order of the file, so that settings can
//! be laid over it; what the keys mean is the business of the readers.

use super::findings::Findings;
use crate::{Diagnostic, Span};
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
    /// True for bare text of `--set` or a guard: if no string is wanted, it is read as TOML.
    pub(crate) loose: bool,
}

/// The type of a value, with the value.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Value>),
    /// A table.
    Table(Table),
    /// A number, a flag or a date, as written: the language has little use for them.
    Other { what: &'static str, raw: String },
}

/// A table, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) span: Span,
    pub(crate) entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Value,
}

impl Table {
    /// The entry of this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The keys, in the order of the file.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> + Clone {
        self.entries.iter().map(|entry| entry.key.as_str())
    }
}

impl Value {
    /// The string, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// The table, if it is one.
    pub(crate) fn table(&self) -> Option<&Table> {
        if let Kind::Table(table) = &self.kind { Some(table) } else { None }
    }

    /// The text as written of a value that is neither string nor container; or a setting's text.
    pub(crate) fn raw(&self) -> Option<&str> {
        match &self.kind {
            Kind::Other { raw, .. } => Some(raw),
            Kind::Text(text) if self.loose => Some(text),
            _ => None,
        }
    }

    /// The type's name, with its article.
    pub(crate) fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Text(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Table(_) => "a table",
            Kind::Other { what, .. } => what,
        }
    }
}

/// Reads a whole text, the `source`-th. What is not TOML becomes findings; then there is nothing to go on with.
pub(crate) fn parse(text: &str, source: usize, findings: &Findings) -> Option<Table> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut last_line = None;
    for error in &errors {
        let range = error.span().unwrap_or_default();
        // A mistake is often reported again by what comes after it in the line.
        let line = text.get(..range.start).map(|before| before.matches('\n').count());
        if last_line.replace(line) != Some(line) {
            findings.add(syntax(error.message(), Span { source, range }, text));
        }
    }
    errors.is_empty().then(|| convert_table(table.get_ref(), Span { source, range: table.span() }, text))
}

/// Reads a value that came as bare text; everything in it stands at `span`.
pub(crate) fn parse_value(raw: &str, span: &Span) -> Option<Value> {
    let value = DeValue::parse(raw).ok()?;
    let mut value = convert(value.get_ref(), Span { source: span.source, range: value.span() }, raw);
    place_at(&mut value, span);
    Some(value)
}

fn syntax(message: &str, span: Span, text: &str) -> Diagnostic {
    let (message, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let advice = match message {
        _ if is_typographic(text, &span) => "these quotes are not TOML's: write `\"` on both sides".to_owned(),
        "string values must be quoted" => "values of this language are strings: put it in quotes".to_owned(),
        "duplicate key" => {
            "a key stands once in its table; `[[fault]]`, `[[expect]]` and `[[guard]]` begin another".to_owned()
        }
        _ if is_yaml(text, &span) => "TOML has `=` where YAML has `:`, as in `at = \"4s\"`".to_owned(),
        _ if message.starts_with("cannot extend value of type string") => {
            "quote what has a dot in it: `latency.\"p99.9\"` beside `latency.p99`".to_owned()
        }
        _ if expected.is_empty() => "tables begin with `[name]` or `[[name]]`, keys are `name = \"value\"`".to_owned(),
        // Of a key: these are what people write without quotes.
        _ if expected.contains('=') || expected.contains("letters") => {
            "a key with signs in it is quoted, as `metric.'x{tier=\"a\"}'` or `body.\"$.user.id\"`".to_owned()
        }
        _ => format!("what could stand here: {expected}"),
    };
    Diagnostic::new(span, format!("this is not TOML: {message}")).advice(advice)
}

/// True where a mistake is at a quote as word processors write it, or at a value that begins with one.
fn is_typographic(text: &str, span: &Span) -> bool {
    const QUOTES: [char; 6] = ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}'];
    let from = text.get(..span.range.start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let line = text.get(from..).unwrap_or_default().lines().next().unwrap_or_default();
    let value = line.split_once('=').map_or("", |(_, value)| value.trim_start());
    let at = text.get(span.range.start..).unwrap_or_default();
    value.starts_with(QUOTES) || at.starts_with(QUOTES)
}

/// Whether the line on which a mistake is begins as one of YAML does, `key: value`.
fn is_yaml(text: &str, span: &Span) -> bool {
    let from = text.get(..span.range.start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let line = text.get(from..).unwrap_or_default().lines().next().unwrap_or_default().trim_start();
    let line = line.strip_prefix("- ").unwrap_or(line);
    let key = line.split_once(':').map(|(key, _)| key.trim_end());
    key.is_some_and(|key| {
        !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter))
    })
}

fn convert_table(table: &DeTable<'_>, span: Span, text: &str) -> Table {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let key: &toml::Spanned<std::borrow::Cow<'_, str>> = key;
        Entry {
            key: key.get_ref().to_string(),
            key_span: Span { source: span.source, range: key.span() },
            value: convert(value.get_ref(), Span { source: span.source, range: value.span() }, text),
        }
    };
    let mut entries: Vec<Entry> = table.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.key_span.range.start);
    Table { span, entries }
}

fn convert(value: &DeValue<'_>, span: Span, text: &str) -> Value {
    let raw = || text.get(span.range.clone()).unwrap_or_default().to_owned();
    let kind = match value {
        DeValue::String(string) => Kind::Text(string.to_string()),
        DeValue::Integer(_) => Kind::Other { what: "a number", raw: raw() },
        DeValue::Float(_) => Kind::Other { what: "a decimal number", raw: raw() },
        DeValue::Boolean(_) => Kind::Other { what: "a flag", raw: raw() },
        DeValue::Datetime(_) => Kind::Other { what: "a date", raw: raw() },
        DeValue::Array(list) => {
            let item = |item: &toml::Spanned<DeValue<'_>>| {
                convert(item.get_ref(), Span { source: span.source, range: item.span() }, text)
            };
            Kind::List(list.iter().map(item).collect())
        }
        DeValue::Table(table) => Kind::Table(convert_table(table, span.clone(), text)),
    };
    Value { span, kind, loose: false }
}

fn place_at(value: &mut Value, span: &Span) {
    value.span = span.clone();
    match &mut value.kind {
        Kind::List(list) => list.iter_mut().for_each(|item| place_at(item, span)),
        Kind::Table(table) => {
            table.span = span.clone();
            for entry in &mut table.entries {
                entry.key_span = span.clone();
                place_at(&mut entry.value, span);
            }
        }
        Kind::Text(_) | Kind::Other { .. } => {}
    }
}
