//! Reads the effect of a fault, and the keys that belong to it.

use super::{
    findings::{Findings, Wrong},
    nearest::{advise, list},
    reader::{Reader, parse_word},
};
use crate::{
    Diagnostic, Effect,
    effect::{Facts, Keys, instead_of},
};
use std::time::Duration;

/// The names of all effects.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    Effect::ALL.iter().map(|facts| facts.name)
}

/// Reads `effect` and the keys that belong to it, for a fault that lasts so long.
pub(crate) fn read(reader: &mut Reader<'_>, lasts: Option<Duration>, findings: &Findings) -> Option<Effect> {
    let word = reader.needed_text("effect", "effect = \"refuse\"");
    let known = word.and_then(|word| {
        let find = |text: &str| {
            Effect::ALL.iter().find(|facts| facts.name == text).ok_or_else(|| {
                let wrong = Wrong::new(format!("there is no effect called `{text}`"));
                wrong.advice(instead_of(text).unwrap_or_else(|| advise(text, names(), "the effects are")))
            })
        };
        parse_word(word, find, findings)
    });
    foreign_keys(reader, known, findings);
    let facts = known?;
    Effect::read(facts.name, &mut Keys { reader, findings, lasts })
}

/// Keys of other effects are refused as such.
fn foreign_keys(reader: &mut Reader<'_>, known: Option<&'static Facts>, findings: &Findings) {
    let own = |name: &str| known.is_some_and(|facts| facts.keys.iter().any(|key| key.name == name));
    let mut told = Vec::new();
    for (other, key) in Effect::ALL.iter().flat_map(|facts| facts.keys.iter().map(move |key| (facts.name, key.name))) {
        if own(key) || told.contains(&key) {
            continue;
        }
        told.push(key);
        let (Some(entry), Some(facts)) = (reader.foreign(key), known) else { continue };
        let message = format!("`{key}` belongs to `{other}`, and this is `{}`", facts.name);
        let advice = if facts.keys.is_empty() {
            format!("`{}` has no keys of its own", facts.name)
        } else {
            format!("`{}` has {}", facts.name, list(facts.keys.iter().map(|key| key.name)))
        };
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
    }
}
