//! What an answer says of itself: `partial`, and the states and ages of its `meta.parts`.
//!
//! Read in one pass that keeps nothing and converts nothing: answers are many, and most of what they say is not about
//! themselves. What is passed over is JSON as far as its brackets and strings have their ends. Of members that are there
//! twice, each counts.

use serde::de::IgnoredAny;
use std::{borrow::Cow, time::Duration};

/// What an answer says of itself, where it is a JSON object that does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// `"partial": true`.
    pub(super) partial: bool,
    /// One of `meta.parts` has `"state": "stale"`.
    pub(super) stale: bool,
    /// The largest `age_ms` of `meta.parts`.
    pub(super) age: Option<Duration>,
}

impl Said {
    /// Nothing where the body is no JSON, as far as that is looked at.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut said = Self::default();
        let mut json = Json { bytes: body, at: 0 };
        match said.answer(&mut json) {
            Some(()) if json.next().is_none() => said,
            _ => Self::default(),
        }
    }

    fn answer(&mut self, json: &mut Json<'_>) -> Option<()> {
        json.members(|json, name| match name {
            b"partial" => json.value().map(|value| self.partial |= value == b"true"),
            b"meta" => json.members(|json, name| match name {
                b"parts" => json.members(|json, _| json.members(|json, name| self.part(json, name))),
                _ => json.pass(),
            }),
            _ => json.pass(),
        })
    }

    /// Takes in one member of a part. What has another type than it should says nothing.
    fn part(&mut self, json: &mut Json<'_>, name: &[u8]) -> Option<()> {
        let value = json.value()?;
        match name {
            b"state" => self.stale |= value.starts_with(b"\"") && *unescaped(value) == *b"stale",
            b"age_ms" => self.age = self.age.max(serde_json::from_slice(value).ok().map(Duration::from_millis)),
            _ => {}
        }
        Some(())
    }
}

/// JSON (RFC 8259) that is read from its beginning to its end; `None` is no JSON.
struct Json<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Json<'b> {
    /// The next byte that is no white space, which is not passed.
    fn next(&mut self) -> Option<u8> {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// Hands out each member of an object by its name, with its value yet to be passed; passes whatever is no object.
    fn members(&mut self, mut member: impl FnMut(&mut Self, &[u8]) -> Option<()>) -> Option<()> {
        if self.next()? != b'{' {
            return self.pass();
        }
        self.at += 1;
        if self.next()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.next();
            let name = unescaped(self.string()?);
            self.expect(b':')?;
            member(self, &name)?;
            match self.next()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    fn pass(&mut self) -> Option<()> {
        self.value().map(|_| ())
    }

    /// Passes a value of any type, and gives it as it stands there.
    fn value(&mut self) -> Option<&'b [u8]> {
        let first = self.next()?;
        let from = self.at;
        match first {
            b'"' => self.string(),
            b'{' | b'[' => {
                let mut open = 0_usize;
                loop {
                    match self.bytes.get(self.at)? {
                        b'"' => {
                            self.string()?;
                            continue;
                        }
                        b'{' | b'[' => open += 1,
                        b'}' | b']' => open -= 1,
                        _ => {}
                    }
                    self.at += 1;
                    if open == 0 {
                        break self.bytes.get(from..self.at);
                    }
                }
            }
            _ => {
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                let rest = &self.bytes[from..];
                let word = rest.iter().position(ends).map_or(rest, |length| &rest[..length]);
                serde_json::from_slice::<IgnoredAny>(word).ok()?;
                self.at += word.len();
                Some(word)
            }
        }
    }

    /// Passes a string, and gives it with its quotes.
    fn string(&mut self) -> Option<&'b [u8]> {
        let from = self.at;
        if self.bytes.get(from) != Some(&b'"') {
            return None;
        }
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            self.at += length + 1;
            if rest[length] == b'"' {
                return self.bytes.get(from..self.at);
            }
            // Whatever is escaped does not end it.
            self.at += 1;
        }
    }
}

/// What a string with its quotes says; a string that has no such meaning stays as it is.
fn unescaped(string: &[u8]) -> Cow<'_, [u8]> {
    let inside = string.get(1..string.len().saturating_sub(1)).unwrap_or_default();
    if !inside.contains(&b'\\') {
        return inside.into();
    }
    serde_json::from_slice::<String>(string).map_or(inside.into(), |text| text.into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn said(body: &str) -> Said {
        Said::read(body.as_bytes())
    }

    #[test]
    fn an_answer_says_what_it_lacks() {
        let body = r#"{"user": {"partial": true, "state": "stale"}, "partial": true, "meta": {"request_id": "1", "parts": {
            "user": {"state": "fresh", "age_ms": 20}, "orders": {"state": "stale", "age_ms": 7000, "why": null}}}}"#;
        assert_eq!(said(body), Said { partial: true, stale: true, age: Some(Duration::from_secs(7)) });
    }

    #[test]
    fn what_others_say_elsewhere_is_not_about_the_answer() {
        for body in [
            r#"{"partial": false, "meta": {"state": "stale", "age_ms": 3}}"#,
            r#"{"data": {"partial": true, "meta": {"parts": {"user": {"state": "stale", "age_ms": 3}}}}}"#,
            r#"{"parts": {"user": {"state": "stale", "age_ms": 3}}}"#,
            r#"{"meta": {"parts": {"user": {"inner": {"state": "stale", "age_ms": 3}}}}}"#,
            r#"[{"partial": true}]"#,
            r#"[true, {"parts": {"user": {"state": "stale"}}}]"#,
        ] {
            assert_eq!(said(body), Said::default(), "{body}");
        }
    }

    #[test]
    fn other_types_say_nothing() {
        for body in [
            r#"{"partial": "true", "meta": {"parts": {"user": {"state": ["stale"], "age_ms": "3"}}}}"#,
            r#"{"partial": 1, "meta": {"parts": {"user": {"state": {"state": "stale"}, "age_ms": -3}}}}"#,
            r#"{"partial": null, "meta": {"parts": {"user": {"state": null, "age_ms": 3.5}}}}"#,
            r#"{"partial": [true], "meta": [{"parts": {"user": {"state": "stale"}}}]}"#,
            r#"{"partial": {"partial": true}, "meta": {"parts": [{"state": "stale"}, {"age_ms": 3}]}}"#,
            r#"{"meta": {"parts": "stale"}}"#,
            "true",
            r#""stale""#,
            "7",
        ] {
            assert_eq!(said(body), Said::default(), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_says_nothing() {
        for body in [
            "",
            "partial",
            r#"{"partial": true"#,
            r#"{"partial": true} and more"#,
            r#"{"partial": true, }"#,
            r#"{"partial": true, "name": tru}"#,
            r#"{"partial": true, "name": "with no end}"#,
            r#"{"partial": true, "list": [1, 2}"#,
            r#"{"partial": true, "meta": {"parts": {"user"}}}"#,
            r#"{"partial": true "meta": {}}"#,
            r#"{partial: true}"#,
            "{\"partial\": true, \"list\": [\"\\",
        ] {
            assert_eq!(said(body), Said::default(), "{body}");
        }
    }

    #[test]
    fn what_is_passed_over_has_brackets_and_strings_that_end() {
        for passed in ["[1 2 nope}", "{1}", "[]", r#"["]", "\\", "\""]"#, r#""}""#, "-1.5e3", "null"] {
            let body = format!(r#"{{"x": {passed}, "partial": true}}"#);
            assert!(said(&body).partial, "{body}");
        }
    }

    #[test]
    fn names_and_states_mean_what_they_say_however_they_are_written() {
        let body =
            r#"{"\u0070artial": true, "a\"b\\": "\"}", "meta": {"parts": {"user": {"st\u0061te": "st\u0061le"}}}}"#;
        assert_eq!(said(body), Said { partial: true, stale: true, age: None });
    }

    /// The same, slowly.
    fn looked_up(body: &Value) -> Said {
        let parts = body["meta"]["parts"].as_object().into_iter().flat_map(|parts| parts.values());
        let ages = parts.clone().filter_map(|part| part["age_ms"].as_u64().map(Duration::from_millis));
        Said {
            partial: body["partial"] == true,
            stale: parts.clone().any(|part| part["state"] == "stale"),
            age: ages.max(),
        }
    }

    /// JSON with the names and words that matter, in the right places often enough.
    fn json() -> impl Strategy<Value = Value> {
        let word = prop::sample::select(vec!["stale", "fresh", "partial", "\"", "\\", "é{\n", ""]);
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            word.prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(6, 64, 5, |inner| {
            let name = prop::sample::select(vec!["meta", "parts", "partial", "state", "age_ms", "user", "\"}"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.prop_map(str::to_owned), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_says_what_is_found_by_looking_it_up(parts: Vec<bool>, meta in json(), part in json(), partial in json()) {
            let parts: BTreeMap<String, Value> = parts.iter().enumerate().map(|(n, is)| {
                (n.to_string(), if *is { part.clone() } else { serde_json::json!({ "state": part, "age_ms": meta }) })
            }).collect();
            for body in [
                meta.clone(),
                serde_json::json!({ "meta": meta, "partial": partial }),
                serde_json::json!({ "user": meta, "meta": { "parts": parts, "more": part }, "partial": partial }),
            ] {
                for text in [serde_json::to_string(&body).unwrap(), serde_json::to_string_pretty(&body).unwrap()] {
                    prop_assert_eq!(said(&text), looked_up(&body), "{}", text);
                    let whole = if text.starts_with('{') { text.len() } else { 0 };
                    for cut in (0..whole).step_by(1 + whole / 40) {
                        prop_assert_eq!(Said::read(&text.as_bytes()[..cut]), Said::default(), "{} of {}", cut, text);
                    }
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, quoted in "[{}\\[\\]\",:\\\\a1 ]{0,60}") {
            Said::read(&bytes);
            Said::read(quoted.as_bytes());
        }
    }
}
