//! Schemas of the closed sets of words, for the document.

use std::fmt::Write as _;
use utoipa::openapi::{
    RefOr, Schema,
    schema::{ObjectBuilder, Type},
};

/// The schema of a closed set: what it is, and each word with its meaning, which may be empty.
pub(crate) fn words(what: &str, meanings: &[(&str, &str)]) -> RefOr<Schema> {
    let mut description = what.trim().to_owned();
    for (word, meaning) in meanings.iter().filter(|(_, meaning)| !meaning.is_empty()) {
        // Writing to a string can't fail.
        let _ = write!(description, "\n- `{word}`: {}", meaning.trim());
    }
    let words = meanings.iter().map(|(word, _)| *word);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).description(Some(description)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_with_their_meanings() {
        let schema = serde_json::to_value(words(" Which.", &[("a", " The first."), ("b", "")])).unwrap();
        let wanted = serde_json::json!({
            "type": "string", "enum": ["a", "b"], "description": "Which.\n- `a`: The first.",
        });
        assert_eq!(schema, wanted);
    }
}
