//! Takes a table apart: "the key of this name and type", and at the end every key that nobody asked for is unknown.

use super::{
    document::{Entry, Kind, Table, Value, parse_value},
    findings::{Findings, Wrong},
    nearest::{list, nearest},
};
use crate::{Diagnostic, Span};
use std::{borrow::Cow, collections::BTreeSet, ops::Range};

/// Reads one table.
pub(crate) struct Reader<'a> {
    table: &'a Table,
    /// The table's name for people: "`[load]`", "this fault".
    place: String,
    findings: &'a Findings,
    asked: Vec<&'static str>,
    /// Keys that belong to something else, and are refused elsewhere.
    foreign: Vec<&'static str>,
    /// Keys that are missing, with what is said of them.
    missing: Vec<(String, Diagnostic)>,
}

/// A string and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: &'a Span,
}

impl Word<'_> {
    /// A diagnostic about it. Only the whole is pointed at: the text's bytes are not the file's where it has escapes.
    pub(crate) fn refuse(self, wrong: Wrong) -> Diagnostic {
        let inner = wrong.at.clone().and_then(|range| self.within(&range));
        wrong.diagnostic(inner.unwrap_or_else(|| self.span.clone()))
    }

    /// The place of some bytes of the text, where the file has the text as it is.
    fn within(self, range: &Range<usize>) -> Option<Span> {
        let quotes = (self.span.range.len().checked_sub(self.text.len())?) / 2;
        let exact = self.span.range.len() == self.text.len() + 2 * quotes && quotes <= 1;
        let start = self.span.range.start + quotes;
        let inside = !range.is_empty() && range.end <= self.text.len();
        (exact && inside).then(|| Span { source: self.span.source, range: start + range.start..start + range.end })
    }
}

impl<'a> Reader<'a> {
    /// Begins to read `table`, which people know as `place`.
    pub(crate) fn new(table: &'a Table, place: impl Into<String>, findings: &'a Findings) -> Self {
        Self { table, place: place.into(), findings, asked: Vec::new(), foreign: Vec::new(), missing: Vec::new() }
    }

    /// The place of the table.
    pub(crate) fn span(&self) -> &'a Span {
        &self.table.span
    }

    /// The entry of this key, whatever its type.
    pub(crate) fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// The entry of a key that belongs to something else: `finish` does not count it as one of these.
    pub(crate) fn foreign(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.foreign.push(key);
        self.table.get(key)
    }

    /// The string of this key.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Word<'a>> {
        let entry = self.entry(key)?;
        text_of(entry, self.findings)
    }

    /// The string of this key, which must be there, as in `example`.
    pub(crate) fn needed_text(&mut self, key: &'static str, example: &str) -> Option<Word<'a>> {
        let Some(entry) = self.entry(key) else {
            self.lacks(key, example);
            return None;
        };
        text_like(entry, example, self.findings)
    }

    /// The value that `parse` makes of the string of this key.
    pub(crate) fn parse<T>(&mut self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let word = self.text(key)?;
        parse_word(word, parse, self.findings)
    }

    /// The value that `parse` makes of the string of this key, which must be there, as in `example`.
    pub(crate) fn needed<T>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let word = self.needed_text(key, example)?;
        parse_word(word, parse, self.findings)
    }

    /// The flag of this key: `true` or `false`.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let entry = self.entry(key)?;
        // A setting's text, or a string as people write it who have met no flag in this language.
        let flag = entry.value.raw().or_else(|| entry.value.text()).and_then(|text| text.trim().parse().ok());
        if flag.is_none() {
            self.findings.add(wrong_type(entry, "a flag", format!("write `{key} = true`, without quotes")));
        }
        flag
    }

    /// The table of this key.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<&'a Table> {
        let entry = self.entry(key)?;
        let table = entry.value.table();
        if table.is_none() {
            self.findings.add(wrong_type(entry, "a table", format!("write `[{key}]` above its keys")));
        }
        table
    }

    /// The tables of a list of tables, as far as they are some: nothing is said of the others.
    pub(crate) fn peek(&self, key: &str) -> impl Iterator<Item = &'a Table> {
        let items = match self.table.get(key).map(|entry| &entry.value.kind) {
            Some(Kind::List(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(Value::table)
    }

    /// The tables of a list of tables, `[[key]]`.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<&'a Table> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let advice = || format!("write `[[{key}]]`, with two brackets, above each");
        let Kind::List(items) = &entry.value.kind else {
            self.findings.add(wrong_type(entry, "a list of tables", advice()));
            // Read as its only one, so that what refers to it is not refused too.
            return entry.value.table().into_iter().collect();
        };
        if items.iter().any(|item| item.table().is_none()) {
            self.findings.add(wrong_type(entry, "a list of tables", advice()));
        }
        items.iter().filter_map(Value::table).collect()
    }

    /// Says that a key is missing.
    pub(crate) fn lacks(&mut self, key: &str, example: &str) {
        let message = format!("{} lacks `{key}`", self.place);
        let diagnostic = Diagnostic::new(self.table.span.clone(), message).advice(format!("add `{example}`"));
        self.missing.push((key.to_owned(), diagnostic));
    }

    /// Says that every key which nobody asked for is unknown, and what is missing: unless one was meant by the other.
    pub(crate) fn finish(self) {
        self.finish_or(|_| None);
    }

    /// The same, with advice on words that mean something elsewhere.
    pub(crate) fn finish_or(self, elsewhere: impl Fn(&str) -> Option<String>) {
        let known: BTreeSet<&str> = self.asked.iter().copied().collect();
        let is_known = |key: &str| known.contains(key) || self.foreign.contains(&key);
        let unknown: Vec<&Entry> = self.table.entries.iter().filter(|entry| !is_known(&entry.key)).collect();
        for entry in &unknown {
            let message = format!("unknown key `{}` in {}", entry.key, self.place);
            let near = nearest(&entry.key, known.iter().copied());
            // What the word means where it comes from says more than where else it would be right.
            let advice = match (elsewhere(&entry.key), near, home(&entry.key)) {
                (Some(instead), ..) => instead,
                (None, Some(near), _) => format!("did you mean `{near}`?"),
                (None, None, Some(home)) => format!("`{}` belongs in `{home}`", entry.key),
                (None, None, None) => format!("its keys are {}", list(known.iter().copied())),
            };
            self.findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        }
        for (key, diagnostic) in self.missing {
            if unknown.iter().all(|entry| nearest(&entry.key, [key.as_str()]).is_none()) {
                self.findings.add(diagnostic);
            }
        }
    }
}

/// Homes of keys that people put elsewhere: in TOML, a key after a header is the header's.
const HOMES: &[(&str, &str)] = &[
    ("request", "[load]"),
    ("rate", "[load]"),
    ("duration", "[load]"),
    ("arrivals", "[load]"),
    ("warmup", "[load]"),
    ("timeout", "[load]"),
    ("vars", "[load]"),
    ("on", "[[fault]]"),
    ("effect", "[[fault]]"),
    ("at", "[[fault]]"),
    ("for", "[[fault]]"),
    ("delay", "[[fault]]"),
    ("that", "[[expect]]"),
    ("during", "[[expect]]"),
    ("gate", "[[expect]]"),
    ("abort", "[[expect]]"),
    ("within", "[[expect]]"),
    ("status", "[[expect]]"),
    ("availability", "[[expect]]"),
    ("unanswered", "[[expect]]"),
    ("latency", "[[expect]]"),
    ("metric", "[[expect]]"),
    ("step", "[[load.journey]]"),
    ("journey", "[load]"),
    ("capture", "[[load.journey.step]]"),
    ("think", "[[load.journey.step]]"),
    ("headers", "[load]"),
    ("cookies", "[load]"),
    ("json", "[load]"),
    ("form", "[load]"),
    ("without", "[[guard]]"),
    ("breaks", "[[guard]]"),
    ("may-break", "[[guard]]"),
    ("responses", "the system's file"),
    ("good", "[responses]"),
    ("partial", "[[expect]]"),
    ("stale", "[[expect]]"),
    ("program", "[service.NAME]"),
    ("image", "[service.NAME]"),
    ("env", "[service.NAME]"),
    ("title", "the top of the file"),
    ("system", "the top of the file"),
    ("set", "[[guard]] or [set]"),
];

/// The table in which a key belongs, if it is one that people put elsewhere.
pub(crate) fn home(key: &str) -> Option<&'static str> {
    HOMES.iter().find(|(known, _)| *known == key).map(|(_, home)| *home)
}

/// The string of an entry, or a finding.
pub(crate) fn text_of<'a>(entry: &'a Entry, findings: &Findings) -> Option<Word<'a>> {
    text_like(entry, "", findings)
}

/// The string of an entry that is a comparison, or a finding.
pub(crate) fn comparison_of<'a>(entry: &'a Entry, findings: &Findings) -> Option<Word<'a>> {
    match &entry.value.kind {
        Kind::Other { raw, .. } if raw.parse::<f64>().is_ok() && form_of(&entry.key).is_none() => {
            let advice = format!("put it in quotes, with how it compares: `{} = \"== {raw}\"`", entry.key);
            findings.add(wrong_type(entry, "a string", advice));
            None
        }
        _ => text_of(entry, findings),
    }
}

/// The string of an entry which is written as in `example`, or a finding.
fn text_like<'a>(entry: &'a Entry, example: &str, findings: &Findings) -> Option<Word<'a>> {
    let Some(text) = entry.value.text() else {
        let advice = match &entry.value.kind {
            Kind::Other { raw, .. } => quoted(&entry.key, raw, example),
            _ => format!("write it as `{} = \"…\"`", entry.key).replace('…', "..."),
        };
        findings.add(wrong_type(entry, "a string", advice));
        return None;
    };
    Some(Word { text, span: &entry.value.span })
}

/// A number in quotes, with what its key wants besides.
fn quoted(key: &str, raw: &str, example: &str) -> String {
    let form = unit_of(example).map(|unit| ("", unit)).or_else(|| form_of(key));
    let Some((prefix, unit)) = form else { return format!("put it in quotes: `{key} = \"{raw}\"`") };
    // A share that is written as a part of 1.
    let part = raw.parse::<f64>().ok().filter(|part| unit == "%" && *part > 0.0 && *part < 1.0);
    if let Some(part) = part {
        let percent = (part * 1e6).round() / 1e4;
        return format!("shares are in per cent, and in quotes: `{key} = \"{prefix}{percent}%\"`");
    }
    let wants = if prefix.is_empty() { "its unit" } else { "how it compares" };
    format!("put it in quotes, with {wants}: `{key} = \"{prefix}{raw}{unit}\"`")
}

/// The sign before a number and the unit behind it that a key wants, where that is known.
fn form_of(key: &str) -> Option<(&'static str, &'static str)> {
    Some(match key {
        "at" | "for" | "within" | "abort" | "duration" | "warmup" | "timeout" | "delay" | "jitter" | "after"
        | "ramp" | "gap" | "start-timeout" | "stop-grace" | "setup-timeout" => ("", "s"),
        "rate" => ("", "/s"),
        "share" => ("", "%"),
        "mean" | "max" => ("< ", "ms"),
        "partial" | "stale" | "any" => ("<= ", "%"),
        "availability" => (">= ", "%"),
        percentile if percentile.starts_with('p') && percentile[1..].parse::<f64>().is_ok() => ("< ", "ms"),
        status if status.parse::<u16>().is_ok() || status.ends_with("xx") => (">= ", "%"),
        _ => return None,
    })
}

/// The unit of a number in an example, as `s` in `for = "4s"`.
fn unit_of(example: &str) -> Option<&str> {
    let (_, value) = example.split_once(" = \"")?;
    let value = value.strip_suffix('"')?;
    let unit = value.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == '.');
    (unit.len() < value.len() && !unit.is_empty()).then_some(unit)
}

/// The strings of an entry that is a list, or findings.
pub(crate) fn texts_of<'a>(entry: &'a Entry, findings: &Findings) -> Vec<(Cow<'a, str>, Span)> {
    let parsed = match &entry.value {
        Value { kind: Kind::Text(text), span, loose: true } => parse_value(text, span).map(Cow::Owned),
        _ => None,
    };
    let value = parsed.unwrap_or(Cow::Borrowed(&entry.value));
    let advice = || format!("write it as `{} = [\"a\", \"b\"]`", entry.key);
    let Kind::List(items) = &value.kind else {
        findings.add(wrong_type(entry, "a list of strings", advice()));
        return Vec::new();
    };
    if items.iter().any(|item| item.text().is_none()) {
        findings.add(wrong_type(entry, "a list of strings", advice()));
    }
    let texts = items.iter().filter_map(|item| Some((item.text()?.to_owned(), item.span.clone())));
    texts.map(|(text, span)| (Cow::Owned(text), span)).collect()
}

/// The value that `parse` makes of a string, or a finding.
pub(crate) fn parse_word<'a, T>(
    word: Word<'a>,
    parse: impl FnOnce(&'a str) -> Result<T, Wrong>,
    findings: &Findings,
) -> Option<T> {
    parse(word.text).map_err(|wrong| findings.add(word.refuse(wrong))).ok()
}

/// A diagnostic about a value of the wrong type.
pub(crate) fn wrong_type(entry: &Entry, wanted: &str, advice: String) -> Diagnostic {
    let message = format!("`{}` must be {wanted}, and this is {}", entry.key, entry.value.what());
    Diagnostic::new(entry.value.span.clone(), message).advice(advice)
}
