//! Values that were found in a response, and whether they pass a test. JSON stays as it came, so that its numbers are
//! compared as they are written.

use super::decimal::Decimal;
use chaos_model::{Text, ValueTest, Values};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap};

/// A value that stands at a place of a response.
#[derive(Clone, Debug)]
pub(super) enum Found<'v> {
    /// JSON, as it came.
    Json(&'v RawValue),
    /// The text of a header field, or of the status.
    Text(Cow<'v, str>),
}

impl Found<'_> {
    fn is_null(&self) -> bool {
        matches!(self, Self::Json(raw) if raw.get() == "null")
    }

    /// The text that it is: a header field, or a JSON string.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Json(raw) => serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned),
        }
    }

    /// The text of the number that it is, or says as a text.
    fn written(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Json(raw) if raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Some(Cow::Borrowed(raw.get()))
            }
            _ => self.text().map(|text| Cow::Owned(text.trim().to_owned())),
        }
    }

    /// The number that it is, or says as a text, as near as a float comes to it.
    pub(super) fn number(&self) -> Option<f64> {
        self.written()?.parse().ok()
    }

    /// The value in words: as JSON.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Json(raw) => raw.get().to_owned(),
            Self::Text(text) => format!("{text:?}"),
        }
    }

    /// Equal as JSON, or as text: a header knows only strings, and ids are strings here and numbers there.
    fn equals(&self, wanted: &str) -> bool {
        match (self.text(), self) {
            (Some(text), _) => {
                text == wanted || serde_json::from_str::<String>(wanted).is_ok_and(|wanted| wanted == text)
            }
            (None, Self::Json(raw)) => serde_json::from_str::<&RawValue>(wanted).is_ok_and(|wanted| same(wanted, raw)),
            (None, Self::Text(_)) => false,
        }
    }
}

/// The same JSON: numbers however they are written, members in any order.
fn same(one: &RawValue, other: &RawValue) -> bool {
    type Members<'v> = BTreeMap<String, &'v RawValue>;
    let (a, b) = (one.get(), other.get());
    let both = |first: char| a.starts_with(first) && b.starts_with(first);
    if both('{') {
        let members = (serde_json::from_str::<Members<'_>>(a), serde_json::from_str::<Members<'_>>(b));
        let (Ok(a), Ok(b)) = members else { return false };
        return a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)));
    }
    if both('[') {
        let values = (serde_json::from_str::<Vec<&RawValue>>(a), serde_json::from_str::<Vec<&RawValue>>(b));
        let (Ok(a), Ok(b)) = values else { return false };
        return a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    }
    if both('"') {
        let texts = (serde_json::from_str::<String>(a), serde_json::from_str::<String>(b));
        return matches!(texts, (Ok(a), Ok(b)) if a == b);
    }
    a == b || Decimal::parse(a).zip(Decimal::parse(b)).is_some_and(|(a, b)| a == b)
}

/// True if a test holds for what stands at a place: for every value, and at least for one, but for `missing`.
pub(super) fn holds(test: &ValueTest, seen: &[Found<'_>], vars: &Values) -> bool {
    let there = seen.iter().any(|value| !value.is_null());
    let all = |test: &dyn Fn(&Found<'_>) -> bool| !seen.is_empty() && seen.iter().all(test);
    let equals = |value: &Found<'_>, text: &Text| value.equals(&text.render(vars));
    match test {
        ValueTest::Exists => there,
        ValueTest::Missing => !there,
        ValueTest::Equal(text) => all(&|value| equals(value, text)),
        ValueTest::Different(text) => all(&|value| !equals(value, text)),
        ValueTest::Number(bound) => {
            let bound = bound.map(Decimal::of);
            all(&|value| {
                value.written().is_some_and(|text| Decimal::parse(&text).is_some_and(|n| bound.holds(&Some(n))))
            })
        }
    }
}
