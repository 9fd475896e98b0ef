//! What an answer says of itself: `partial`, and the states and ages of its `meta.parts`.
//!
//! Read in one pass that keeps nothing: answers are many, and most of what they say is not about themselves. Of members that
//! are there twice, each counts.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::{fmt, time::Duration};

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
    /// Nothing where the body is no JSON.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut said = Self::default();
        let mut json = serde_json::Deserializer::from_slice(body);
        match (Look { at: Place::Top, said: &mut said }).deserialize(&mut json).and_then(|()| json.end()) {
            Ok(()) => said,
            Err(_) => Self::default(),
        }
    }
}

/// Where in the answer a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
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

impl Place {
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
    at: Place,
    said: &'s mut Said,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self.at {
            Place::Elsewhere => IgnoredAny::deserialize(json).map(|_| ()),
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
            members.next_value_seed(Look { at, said: self.said })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.said.partial |= self.at == Place::Partial && value;
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.said.stale |= self.at == Place::State && value == "stale";
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        if self.at == Place::Age {
            self.said.age = self.said.age.max(Some(Duration::from_millis(value)));
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
struct Member(Place);

impl<'de> DeserializeSeed<'de> for Member {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Place, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Member {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Place, E> {
        Ok(self.0.member(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for body in ["", "partial", r#"{"partial": true"#, r#"{"partial": true} and more"#, r#"{"partial": true, }"#] {
            assert_eq!(said(body), Said::default(), "{body}");
        }
    }
}
