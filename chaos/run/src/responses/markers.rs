//! Markers in a body that say something of the response: `partial`, and the states and ages of its `meta.parts`.
//!
//! Read in one pass that keeps nothing: responses are many, and most of a body is not about itself. Of members that
//! are there twice, each counts.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{fmt, time::Duration};

/// Markers of a body, where it is a JSON object that has any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Markers {
    /// `"partial": true`.
    pub(super) partial: bool,
    /// One of `meta.parts` has `"state": "stale"`.
    pub(super) stale: bool,
    /// The largest `age_ms` of `meta.parts`.
    pub(super) age: Option<Duration>,
}

impl Markers {
    /// Nothing where the body is no JSON.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut markers = Self::default();
        let mut json = serde_json::Deserializer::from_slice(body);
        match (Look { at: JsonPosition::Top, markers: &mut markers }).deserialize(&mut json).and_then(|()| json.end()) {
            Ok(()) => markers,
            Err(_) => Self::default(),
        }
    }
}

/// The position of a value in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JsonPosition {
    Top,
    Partial,
    Meta,
    Parts,
    Part,
    State,
    Age,
    /// Anywhere else.
    Elsewhere,
}

impl JsonPosition {
    fn member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Top, "partial") => Self::Partial,
            (Self::Top, "meta") => Self::Meta,
            (Self::Meta, "parts") => Self::Parts,
            (Self::Parts, _) => Self::Part,
            (Self::Part, "state") => Self::State,
            (Self::Part, "age_ms") => Self::Age,
            _ => Self::Elsewhere,
        }
    }
}

/// A value to be read.
struct Look<'s> {
    at: JsonPosition,
    markers: &'s mut Markers,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self.at {
            JsonPosition::Elsewhere => IgnoredAny::deserialize(json).map(|_| ()),
            _ => json.deserialize_any(self),
        }
    }
}

/// Whatever has another type than it should says nothing.
impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(at) = members.next_key_seed(Member(self.at))? {
            members.next_value_seed(Look { at, markers: self.markers })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.markers.partial |= self.at == JsonPosition::Partial && value;
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.markers.stale |= self.at == JsonPosition::State && value == "stale";
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        if self.at == JsonPosition::Age {
            self.markers.age = self.markers.age.max(Some(Duration::from_millis(value)));
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The name of a member of what stands here.
struct Member(JsonPosition);

impl<'de> DeserializeSeed<'de> for Member {
    type Value = JsonPosition;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<JsonPosition, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Member {
    type Value = JsonPosition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<JsonPosition, E> {
        Ok(self.0.member(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn markers(body: &str) -> Markers {
        Markers::read(body.as_bytes())
    }

    #[test]
    fn a_response_says_what_it_lacks() {
        let body = r#"{"user": {"partial": true, "state": "stale"}, "partial": true, "meta": {"request_id": "1", "parts": {
            "user": {"state": "fresh", "age_ms": 20}, "orders": {"state": "stale", "age_ms": 7000, "why": null}}}}"#;
        assert_eq!(markers(body), Markers { partial: true, stale: true, age: Some(Duration::from_secs(7)) });
    }

    #[test]
    fn what_others_say_elsewhere_is_not_about_the_response() {
        for body in [
            r#"{"partial": false, "meta": {"state": "stale", "age_ms": 3}}"#,
            r#"{"data": {"partial": true, "meta": {"parts": {"user": {"state": "stale", "age_ms": 3}}}}}"#,
            r#"{"parts": {"user": {"state": "stale", "age_ms": 3}}}"#,
            r#"{"meta": {"parts": {"user": {"inner": {"state": "stale", "age_ms": 3}}}}}"#,
            r#"[{"partial": true}]"#,
            r#"[true, {"parts": {"user": {"state": "stale"}}}]"#,
        ] {
            assert_eq!(markers(body), Markers::default(), "{body}");
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
            assert_eq!(markers(body), Markers::default(), "{body}");
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
            r#"{"partial": true, "list": [1 2 nope]}"#,
            r#"{"partial": true, "user": {1}}"#,
            r#"{"partial": true, "meta": {"parts": {"user"}}}"#,
            r#"{"partial": true "meta": {}}"#,
            r#"{partial: true}"#,
            "{\"partial\": true, \"list\": [\"\\",
        ] {
            assert_eq!(markers(body), Markers::default(), "{body}");
        }
    }

    #[test]
    fn names_and_states_mean_what_they_say_however_they_are_written() {
        let body =
            r#"{"\u0070artial": true, "a\"b\\": "\"}", "meta": {"parts": {"user": {"st\u0061te": "st\u0061le"}}}}"#;
        assert_eq!(markers(body), Markers { partial: true, stale: true, age: None });
    }

    /// The same, slowly.
    fn looked_up(body: &Value) -> Markers {
        let parts = body["meta"]["parts"].as_object().into_iter().flat_map(|parts| parts.values());
        let ages = parts.clone().filter_map(|part| part["age_ms"].as_u64().map(Duration::from_millis));
        Markers {
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
                    prop_assert_eq!(markers(&text), looked_up(&body), "{}", text);
                    let whole = if text.starts_with('{') { text.len() } else { 0 };
                    for cut in (0..whole).step_by(1 + whole / 40) {
                        prop_assert_eq!(Markers::read(&text.as_bytes()[..cut]), Markers::default(), "{} of {}", cut, text);
                    }
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, quoted in "[{}\\[\\]\",:\\\\a1 ]{0,60}") {
            Markers::read(&bytes);
            Markers::read(quoted.as_bytes());
        }
    }
}
