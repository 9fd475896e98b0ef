//! Bodies of requests: a text (`body`), JSON written as TOML (`json`), the fields of a form (`form`), or a file (`body-file`).

use super::{
    braces,
    document::{Entry, Kind, Value},
    findings::{Findings, Wrong},
    outside::{BODY_FILE, DataFiles},
    reader::{Reader, Word, parse_word, text_of},
};
use crate::{
    Diagnostic, Text,
    load::{TextPiece, percent_encoded},
};

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) text: Text,
    /// The media type, where it is written in a way that says what it is.
    pub(crate) media_type: Option<&'static str>,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads the body of a table, if it has one.
pub(crate) fn read(reader: &mut Reader<'_>, vars: &[&str], files: &DataFiles, findings: &Findings) -> Option<Body> {
    let keys = ["body", "json", "form", BODY_FILE].map(|key| reader.entry(key));
    let given: Vec<&Entry> = keys.iter().copied().flatten().collect();
    if let [first, others @ ..] = &given[..] {
        for other in others {
            let twice = Diagnostic::new(other.key_span.clone(), "a request has one body, and here are two");
            findings.add(twice.advice(format!("take `{}` or `{}` away", first.key, other.key)));
        }
    }
    let of = |media_type| move |text| Body { text, media_type };
    match keys {
        [_, Some(json), ..] => read_json(json, vars, findings).map(of(Some(JSON))),
        [_, _, Some(form), _] => read_form(form, vars, findings).map(of(Some(FORM))),
        [.., Some(file)] => read_file(file, vars, files, findings).map(of(None)),
        [body, ..] => parse_word(written(body?, findings)?, |text| braces::body(text, vars), findings).map(of(None)),
    }
}

/// The body that a file has, in which variables stand as in `body`.
fn read_file(entry: &Entry, vars: &[&str], files: &DataFiles, findings: &Findings) -> Option<Text> {
    let word = text_of(entry, findings)?;
    let text = match files.get(word.text) {
        Ok(text) => text,
        Err(why) => {
            let wrong = Wrong::new(why).advice("the path is taken from the scenario's folder");
            findings.add(word.refuse(wrong));
            return None;
        }
    };
    let in_file = |wrong: Wrong| Wrong { message: format!("in `{}`, {}", word.text, wrong.message), at: None, ..wrong };
    braces::body(&text, vars).map_err(|wrong| findings.add(word.refuse(in_file(wrong)))).ok()
}

/// The fields of a form (WHATWG URL, 5.2), with a blank as `%20`, which all readers take.
fn read_form(entry: &Entry, vars: &[&str], findings: &Findings) -> Option<Text> {
    let example = "write it as `form = { user = \"{user}\" }`";
    let Kind::Table(table) = &entry.value.kind else {
        let message = format!("`form` is a table, and this is {}", entry.value.what());
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(example));
        return None;
    };
    let before = findings.len();
    let mut pieces = Vec::new();
    for field in &table.entries {
        let sign = if pieces.is_empty() { "" } else { "&" };
        pieces.push(TextPiece::Plain(format!("{sign}{}=", percent_encoded(&field.key))));
        match &field.value.kind {
            Kind::Text(text) => {
                let word = Word { text, span: &field.value.span };
                let Some(text) = parse_word(word, |text| braces::text(text, vars), findings) else { continue };
                pieces.extend(text.in_path().pieces.into_iter().map(|piece| match piece {
                    TextPiece::Plain(text) => TextPiece::Plain(percent_encoded(&text)),
                    piece => piece,
                }));
            }
            Kind::Other { raw, .. } => pieces.push(TextPiece::Plain(percent_encoded(raw))),
            Kind::Table(_) | Kind::List(_) => {
                let message = format!("a field of a form is a text, and this is {}", field.value.what());
                findings.add(Diagnostic::new(field.value.span.clone(), message).advice(example));
            }
        }
    }
    (findings.len() == before).then_some(Text { pieces })
}

/// `body`, which is a text. A table or a list there is JSON by the wrong name.
fn written<'a>(entry: &'a Entry, findings: &Findings) -> Option<Word<'a>> {
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
    fn made(lines: &str) -> Result<(String, Option<&'static str>), String> {
        let findings = Findings::default();
        let table = document::parse(lines, 0, &findings).unwrap_or_else(|| panic!("{lines} is TOML"));
        let mut reader = Reader::new(&table, "it", &findings);
        let body = read(&mut reader, &["id"], &DataFiles::default(), &findings);
        let vars = BTreeMap::from([("id".to_owned(), crate::Value::Number(7))]);
        match findings.into_sorted().into_iter().next() {
            Some(wrong) => Err(format!("{wrong:?}")),
            None => Ok(body.map(|body| (body.text.render(&vars), body.media_type)).unwrap_or_default()),
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
        assert_eq!(made("json = []"), Ok(("[]".to_owned(), Some(JSON))));
        assert_eq!(made("body = \"[]\""), Ok(("[]".to_owned(), None)));
    }

    #[test]
    fn a_form_has_its_fields_encoded() {
        let form = |written: &str| made(&format!("form = {written}"));
        let wanted = "user=7&q=a%20b%26c%3D%C3%A9&n=1.5&who%20is=user-7";
        let written = "{ user = \"{id}\", q = \"a b&c=é\", n = 1.5, \"who is\" = \"user-{id}\" }";
        assert_eq!(form(written), Ok((wanted.to_owned(), Some(FORM))));
        assert!(form("{ a = [1] }").is_err() && form("\"a=1\"").is_err() && form("{ a = \"{nobody}\" }").is_err());
        assert!(made("form = {}\njson = {}").unwrap_err().contains("one body"));
    }

    #[test]
    fn what_json_does_not_know_is_refused() {
        for written in ["{ at = 2026-01-01 }", "[inf]", "{ x = nan }", "{ user = \"{usr}\" }", "\"{id\""] {
            assert!(made(&format!("json = {written}")).is_err(), "{written}");
        }
        assert!(made("body = \"x\"\njson = {}").unwrap_err().contains("one body"));
    }
}
