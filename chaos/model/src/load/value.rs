//! Values of variables, and the ways in which they stand in requests.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::Arc,
};

use super::TextPiece;

/// Values of variables, by their names.
pub type Values = BTreeMap<String, Value>;

/// A value of a variable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(Arc<str>),
    /// Another value of JSON, as it came: `-1.5`, `true`, `{"a":1}`.
    Json(Arc<str>),
}

/// All but what stands for itself anywhere in a URI (RFC 3986, 2.3).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as a part of a URI: percent-encoded.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

impl Value {
    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) | Self::Json(text) => text.fmt(f),
        }
    }
}

/// As people write it: traces show it so.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Json(json) => json.fmt(f),
        }
    }
}

impl TextPiece {
    /// The variable that it is filled with, if it is.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::Variable(name) | Self::InPath(name) | Self::JsonValue(name) | Self::InJson(name) => Some(name),
        }
    }

    /// Adds it to a text, filled with these values; nothing for a variable that has none.
    pub fn render(&self, values: &Values, to: &mut String) {
        let Some(name) = self.variable() else {
            if let Self::Plain(plain) = self {
                to.push_str(plain);
            }
            return;
        };
        let Some(value) = values.get(name) else { return };
        // Writing to a string can't fail.
        let _ = match (self, value) {
            (_, Value::Number(number)) => write!(to, "{number}"),
            (Self::InPath(_), Value::Text(text) | Value::Json(text)) => {
                write!(to, "{}", utf8_percent_encode(text, &RESERVED))
            }
            (Self::JsonValue(_), Value::Text(text)) => write!(to, "{}", serde_json::Value::from(&**text)),
            (Self::InJson(_), Value::Text(text) | Value::Json(text)) => {
                let quoted = serde_json::Value::from(&**text).to_string();
                to.write_str(&quoted[1..quoted.len() - 1])
            }
            (Self::JsonValue(_), Value::Json(text))
            | (Self::Plain(_) | Self::Variable(_), Value::Text(text) | Value::Json(text)) => to.write_str(text),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stands_where_it_does_as_is_right_there() {
        let text = |text: &str| Value::Text(text.into());
        let rendered = |piece: fn(String) -> TextPiece, value: &Value| {
            let mut to = String::new();
            piece("it".to_owned()).render(&Values::from([("it".to_owned(), value.clone())]), &mut to);
            to
        };
        let odd = text("a b/\"c\"é");
        assert_eq!(rendered(TextPiece::Variable, &odd), "a b/\"c\"é");
        assert_eq!(rendered(TextPiece::InPath, &odd), "a%20b%2F%22c%22%C3%A9");
        assert_eq!(rendered(TextPiece::InJson, &odd), "a b/\\\"c\\\"é");
        assert_eq!(rendered(TextPiece::JsonValue, &odd), "\"a b/\\\"c\\\"é\"");
        for piece in [TextPiece::Variable, TextPiece::InPath, TextPiece::InJson, TextPiece::JsonValue] {
            assert_eq!(rendered(piece, &Value::Number(7)), "7");
        }
        assert_eq!(rendered(TextPiece::JsonValue, &text("7")), "\"7\"", "it keeps its type");
        let json = Value::Json("{\"a\": -1.5}".into());
        assert_eq!(rendered(TextPiece::JsonValue, &json), "{\"a\": -1.5}");
        assert_eq!(rendered(TextPiece::InJson, &json), "{\\\"a\\\": -1.5}");
        assert_eq!(rendered(TextPiece::InPath, &json), "%7B%22a%22%3A%20-1.5%7D");
    }
}
