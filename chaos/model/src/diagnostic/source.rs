use std::{ops::Range, sync::Arc};

/// A text that a scenario was read from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// The source's name for people: the path as given, or `--set`.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// The texts of one scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Sources(pub Vec<Source>);

/// A place in one of the [`Sources`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// The source's index in [`Sources`].
    pub source: usize,
    /// The bytes of the source's text.
    pub range: Range<usize>,
}

impl Sources {
    /// The file's name and the line (from 1) and column (from 1, in characters) of a place.
    #[must_use]
    pub fn position(&self, span: &Span) -> (&str, usize, usize) {
        let Some(source) = self.0.get(span.source) else { return ("", 0, 0) };
        // A span that is not of this text (a recording's, of a file that was changed since) must not panic.
        let before = source.text.get(..span.range.start).unwrap_or(&source.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (&source.name, before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}
