//! What a fault does, and which keys belong to it.

use super::{
    findings::{Findings, Wrong},
    nearest::{advise, list},
    quantity,
    reader::{Reader, parse_word},
};
use crate::{Diagnostic, Direction, Distribution, Effect, OpenConnections, quantity::show_duration};
use std::time::Duration;

/// The effects, with the keys that belong to each.
const EFFECTS: [(&str, &[&str]); 10] = [
    ("latency", &["delay", "jitter", "distribution", "direction"]),
    ("refuse", &["open"]),
    ("hang", &[]),
    ("blackhole", &[]),
    ("reset", &["after"]),
    ("stop", &[]),
    ("kill", &[]),
    ("pause", &[]),
    ("restart", &[]),
    ("flush", &[]),
];

/// Where the effects of nodes begin.
const OF_NODES: usize = 5;

/// The effects on links.
pub(crate) fn of_links() -> impl Iterator<Item = &'static str> + Clone {
    names().take(OF_NODES)
}

/// The effects on nodes.
pub(crate) fn of_nodes() -> impl Iterator<Item = &'static str> + Clone {
    names().skip(OF_NODES)
}

/// The names of the effects.
fn names() -> impl Iterator<Item = &'static str> + Clone {
    EFFECTS.into_iter().map(|(name, _)| name)
}

/// Reads `effect` and the keys that belong to it, for a fault that lasts so long.
pub(crate) fn read(reader: &mut Reader<'_>, lasts: Option<Duration>, findings: &Findings) -> Option<Effect> {
    let word = reader.needed_text("effect", "effect = \"refuse\"");
    let known = word.and_then(|word| {
        let find = |text: &str| {
            EFFECTS.into_iter().find(|(name, _)| *name == text).ok_or_else(|| {
                let wrong = Wrong::new(format!("there is no effect called `{text}`"));
                wrong.advice(advise(text, names(), "the effects are"))
            })
        };
        parse_word(word, find, findings)
    });
    for (other, keys) in EFFECTS {
        for key in keys.iter().filter(|key| known.is_none_or(|(_, own)| !own.contains(key))) {
            let (Some(entry), Some((name, own))) = (reader.foreign(key), known) else { continue };
            let message = format!("`{key}` belongs to `{other}`, and this is `{name}`");
            let advice = if own.is_empty() {
                format!("`{name}` has no keys of its own")
            } else {
                format!("`{name}` has {}", list(own.iter().copied()))
            };
            findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
        }
    }
    match known?.0 {
        "latency" => latency(reader, findings),
        "refuse" => Some(Effect::Refuse { open: reader.parse("open", open).unwrap_or_default() }),
        "hang" => Some(Effect::Hang),
        "blackhole" => Some(Effect::Blackhole),
        "stop" => Some(Effect::Stop),
        "kill" => Some(Effect::Kill),
        "pause" => Some(Effect::Pause),
        "restart" => Some(Effect::Restart),
        "flush" => Some(Effect::Flush),
        _ => reset(reader, lasts, findings),
    }
}

fn latency(reader: &mut Reader<'_>, findings: &Findings) -> Option<Effect> {
    let delay = reader.needed("delay", "delay = \"200ms\"", quantity::duration);
    let delay_entry = reader.entry("delay");
    let jitter_entry = reader.entry("jitter");
    let jitter = if jitter_entry.is_some() { reader.parse("jitter", quantity::duration)? } else { Duration::ZERO };
    let distribution = reader.parse("distribution", distribution).unwrap_or_default();
    let direction = reader.parse("direction", direction).unwrap_or_default();
    let delay = delay?;
    if delay.is_zero() && jitter.is_zero() {
        let span = delay_entry.map_or_else(|| reader.span().clone(), |entry| entry.value.span.clone());
        findings.add(Diagnostic::new(span, "a delay of 0s does nothing").advice("write it as `200ms`"));
    }
    if let Some(entry) = jitter_entry.filter(|_| jitter > delay && distribution == Distribution::Uniform) {
        let message = format!("a jitter of {} around {} goes below 0s", show_duration(jitter), show_duration(delay));
        let advice = format!("write `{}` at most, or `distribution = \"normal\"`", show_duration(delay));
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
    }
    if let Some(entry) = reader.entry("distribution").filter(|_| jitter.is_zero()) {
        let message = "without jitter there is nothing to distribute";
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("add `jitter = \"50ms\"`"));
    }
    Some(Effect::Latency { delay, jitter, distribution, direction })
}

fn reset(reader: &mut Reader<'_>, lasts: Option<Duration>, findings: &Findings) -> Option<Effect> {
    let entry = reader.entry("after");
    let after = if entry.is_some() { reader.parse("after", quantity::duration)? } else { Duration::ZERO };
    if let (Some(entry), Some(lasts)) = (entry, lasts.filter(|lasts| after >= *lasts)) {
        let message = format!("the fault lasts {}, so that nothing is reset", show_duration(lasts));
        let advice = "reset sooner, or make it last longer by `for`";
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
    }
    Some(Effect::Reset { after })
}

fn one_of<T: Copy>(text: &str, what: &str, all: &[(&'static str, T)]) -> Result<T, Wrong> {
    let found = all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let wrong = Wrong::new(format!("{what} can't be `{text}`"));
        wrong.advice(advise(text, all.iter().map(|(name, _)| *name), "it is one of"))
    })
}

fn distribution(text: &str) -> Result<Distribution, Wrong> {
    one_of(text, "the distribution", &[("uniform", Distribution::Uniform), ("normal", Distribution::Normal)])
}

fn direction(text: &str) -> Result<Direction, Wrong> {
    let all = [("upstream", Direction::Upstream), ("downstream", Direction::Downstream), ("both", Direction::Both)];
    one_of(text, "the direction", &all)
}

fn open(text: &str) -> Result<OpenConnections, Wrong> {
    one_of(text, "`open`", &[("reset", OpenConnections::Reset), ("keep", OpenConnections::Keep)])
}
