//! Secrets of a load: what its requests take from the environment and from files. They stand in no event.

use super::{Text, TextPiece};
use crate::Span;
use std::{collections::BTreeMap, fmt};

/// Secrets by their names in texts: `env:API_TOKEN`, `file:token.txt`.
#[derive(Clone, Default, PartialEq)]
pub struct Secrets {
    values: BTreeMap<String, String>,
    missing: Vec<(String, Span)>,
}

/// Names alone.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing.iter().map(|(name, _)| name);
        f.debug_struct("Secrets")
            .field("known", &self.values.keys().collect::<Vec<_>>())
            .field("missing", &missing.collect::<Vec<_>>())
            .finish()
    }
}

impl Secrets {
    /// Adds one.
    pub(crate) fn put(&mut self, name: &str, value: String) {
        self.values.insert(name.to_owned(), value);
    }

    /// Takes note of one that is nowhere, and is named at this place.
    pub(crate) fn miss(&mut self, name: &str, span: Span) {
        self.missing.push((name.to_owned(), span));
    }

    /// Names that have no value, each with its place.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &Span)> {
        self.missing.iter().map(|(name, span)| (name.as_str(), span))
    }

    /// A text with its secrets filled in, as far as they are known.
    #[must_use]
    pub fn fill(&self, text: &Text) -> Text {
        let piece = |piece: &TextPiece| match piece.variable().and_then(|name| self.values.get(name)) {
            Some(value) => TextPiece::Plain(value.clone()),
            None => piece.clone(),
        };
        Text { pieces: text.pieces.iter().map(piece).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_filled_in_and_shown_nowhere() {
        let mut secrets = Secrets::default();
        secrets.put("env:TOKEN", "hunter2".to_owned());
        secrets.miss("env:OTHER", Span::default());
        let text = Text { pieces: vec![TextPiece::Variable("env:TOKEN".into()), TextPiece::Variable("user".into())] };
        let filled = secrets.fill(&text);
        assert_eq!(filled.pieces, [TextPiece::Plain("hunter2".into()), TextPiece::Variable("user".into())]);
        let shown = format!("{secrets:?} {text}");
        assert!(shown.contains("env:OTHER") && shown.contains("{env:TOKEN}") && !shown.contains("hunter2"), "{shown}");
        assert_eq!(secrets.missing().map(|(name, _)| name).collect::<Vec<_>>(), ["env:OTHER"]);
    }
}
