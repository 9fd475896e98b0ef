//! Bodies of requests: a text (`body`), or JSON written as TOML (`json`).

use super::{
    braces,
    document::{Entry, Kind, Value},
    findings::Findings,
    reader::{Reader, Word, parse_word, text_of},
};
use crate::{Diagnostic, Text, load::TextPiece};

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) text: Text,
    /// Written as `json`, so that it says what it is.
    pub(crate) is_json: bool,
}

/// Reads the body of a table, if it has one.
pub(crate) fn read(reader: &mut Reader<'_>, vars: &[&str], findings: &Findings) -> Option<Body> {
    let (body, json) = (written(reader, findings), reader.entry("json"));
    if let (Some(_), Some(json)) = (body, json) {
        let twice = Diagnostic::new(json.key_span.clone(), "a request has one body, and here are two");
        findings.add(twice.advice("take `body` or `json` away"));
    }
    match json {
        Some(entry) => read_json(entry, vars, findings).map(|text| Body { text, is_json: true }),
        None => parse_word(body?, |text| braces::body(text, vars), findings).map(|text| Body { text, is_json: false }),
    }
}

/// `body`, which is a text. A table or a list there is JSON by the wrong name.
fn written<'a>(reader: &mut Reader<'a>, findings: &Findings) -> Option<Word<'a>> {
    let entry = reader.entry("body")?;
    if let Kind::Table(_) | Kind::List(_) = entry.value.kind {
        let wrong =
            Diagnostic::new(entry.value.span.clone(), format!("`body` is a text, and this is {}", entry.value.what()));
        findings.add(wrong.advice("JSON is written as `json = { ... }`"));
        return None;
    }
    text_of(entry, findings)
}

/// The JSON that a value of TOML is.
fn read_json(entry: &Entry, vars: &[&str], findings: &Findings) -> Option<Text> {
    let is_json = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object() || value.is_array())
    };
    if entry.value.text().is_some_and(is_json) {
        let message = "this is JSON in a text, which would be sent as a string of JSON";
        let advice = "write it as TOML, `json = { user = 7 }`, or send the text by `body`";
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
        return None;
    }
    let before = findings.len();
    let mut json = Json { pieces: Vec::new(), vars, findings };
    json.value(&entry.value);
    (findings.len() == before).then_some(Text { pieces: json.pieces })
}

/// JSON so far.
struct Json<'a> {
    pieces: Vec<TextPiece>,
    vars: &'a [&'a str],
    findings: &'a Findings,
}

impl Json<'_> {
    fn plain(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(TextPiece::Plain(last)) => last.push_str(text),
            _ => self.pieces.push(TextPiece::Plain(text.to_owned())),
        }
    }

    fn value(&mut self, value: &Value) {
        match &value.kind {
            Kind::Text(text) => self.text(Word { text, span: &value.span }),
            Kind::List(values) => {
                self.plain("[");
                for (n, value) in values.iter().enumerate() {
                    self.plain(if n == 0 { "" } else { "," });
                    self.value(value);
                }
                self.plain("]");
            }
            Kind::Table(table) => {
                self.plain("{");
                for (n, entry) in table.entries.iter().enumerate() {
                    let comma = if n == 0 { "" } else { "," };
                    self.plain(&format!("{comma}\"{}\":", escaped(&entry.key)));
                    self.value(&entry.value);
                }
                self.plain("}");
            }
            Kind::Other { what, raw } => match number(raw) {
                Some(number) => self.plain(&number),
                None => {
                    let wrong = Diagnostic::new(value.span.clone(), format!("JSON doesn't know {what} like `{raw}`"));
                    self.findings.add(wrong.advice(format!("write it as a string: \"{raw}\"")));
                }
            },
        }
    }

    /// A string; one that is nothing but a variable has the type of its value.
    fn text(&mut self, word: Word<'_>) {
        let Some(text) = parse_word(word, |text| braces::text(text, self.vars), self.findings) else { return };
        if let [TextPiece::Variable(name)] = text.pieces.as_slice() {
            self.pieces.push(TextPiece::JsonValue(name.clone()));
            return;
        }
        self.plain("\"");
        for piece in text.pieces {
            match piece {
                TextPiece::Plain(text) => self.plain(&escaped(&text)),
                TextPiece::Variable(name) => self.pieces.push(TextPiece::InJson(name)),
                piece => self.pieces.push(piece),
            }
        }
        self.plain("\"");
    }
}

/// The inside of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A flag or a number of TOML as JSON writes it; none for what JSON doesn't know.
fn number(raw: &str) -> Option<String> {
    let plain = raw.replace('_', "");
    let plain = plain.strip_prefix('+').unwrap_or(&plain);
    let of_base = |base| i64::from_str_radix(plain.get(2..)?, base).ok().map(|number| number.to_string());
    match plain.get(..2) {
        Some("0x") => of_base(16),
        Some("0o") => of_base(8),
        Some("0b") => of_base(2),
        _ => serde_json::from_str::<serde_json::Value>(plain).is_ok().then(|| plain.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::document;
    use std::collections::BTreeMap;

    /// The body that these lines of a request make, with 7 for its variable, or what is wrong with them.
    fn made(lines: &str) -> Result<(String, bool), String> {
        let findings = Findings::default();
        let table = document::parse(lines, 0, &findings).unwrap_or_else(|| panic!("{lines} is TOML"));
        let mut reader = Reader::new(&table, "it", &findings);
        let body = read(&mut reader, &["id"], &findings);
        let vars = BTreeMap::from([("id".to_owned(), crate::Value::Number(7))]);
        match findings.into_sorted().into_iter().next() {
            Some(wrong) => Err(format!("{wrong:?}")),
            None => Ok(body.map(|body| (body.text.render(&vars), body.is_json)).unwrap_or_default()),
        }
    }

    #[test]
    fn json_is_written_as_toml() {
        let json = |written: &str| made(&format!("json = {written}")).map(|(text, _)| text);
        for (written, wanted) in [
            ("{ id = \"{id}\", name = \"user {id}\" }", "{\"id\":7,\"name\":\"user 7\"}"),
            ("{ a = [1, 2.50, true, \"x\"], \"b c\" = {} }", "{\"a\":[1,2.50,true,\"x\"],\"b c\":{}}"),
            ("[[], { deep = { deeper = [\"{id}\"] } }]", "[[],{\"deep\":{\"deeper\":[7]}}]"),
            ("{ n = [1_000, +5, -0.0, 0xff, 0b11, 1e5] }", "{\"n\":[1000,5,-0.0,255,3,1e5]}"),
            ("'q\"\\n{{id}}'", "\"q\\\"\\\\n{id}\""),
            ("\"é\\u0001\"", "\"é\\u0001\""),
        ] {
            assert_eq!(json(written).as_deref(), Ok(wanted), "{written}");
            serde_json::from_str::<serde_json::Value>(wanted).unwrap();
        }
        assert_eq!(made("json = []"), Ok(("[]".to_owned(), true)));
        assert_eq!(made("body = \"[]\""), Ok(("[]".to_owned(), false)));
    }

    #[test]
    fn what_json_does_not_know_is_refused() {
        for written in ["{ at = 2026-01-01 }", "[inf]", "{ x = nan }", "{ user = \"{usr}\" }", "\"{id\""] {
            assert!(made(&format!("json = {written}")).is_err(), "{written}");
        }
        assert!(made("body = \"x\"\njson = {}").unwrap_err().contains("one body"));
    }
}
