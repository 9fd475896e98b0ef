//! The documentation of all protocols, made of their rows.

use super::{ABSENT, Protocol, Row, Scheme, Transport};
use crate::effect::{Effect, Level};
use std::fmt::Write as _;

/// The documentation's page of these protocols, in Markdown.
#[must_use]
pub fn markdown(protocols: &[Protocol]) -> String {
    let mut text = String::from(
        "# Protocols\n\nWhat a service can speak (`protocol = \"redis\"`). This page is made from the code: a test compares \
         them, and\n`cargo run -p chaos-model --example protocols > docs/protocols.md` makes it anew.\n",
    );
    for protocol in protocols {
        one(protocol, &mut text);
    }
    let _ = write!(text, "\n## Others\n\n| looked for | use |\n|---|---|\n");
    for absent in &ABSENT {
        let _ = writeln!(text, "| {} | {} |", listed(absent.names), absent.instead);
    }
    text
}

fn one(row: &Row, text: &mut String) {
    let _ = write!(text, "\n## `{}`\n\n{}\n\n| | |\n|---|---|\n", row.name, sentence(row.about));
    let mut line = |title: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "| {title} | {} |", value.replace('|', "\\|"));
        }
    };
    line("usual port", row.usual_port.to_string());
    let url = |scheme: &Scheme| match scheme.transport {
        Transport::Plain => format!("`{}://`", scheme.name),
        Transport::Tls => format!("`{}://` (TLS)", scheme.name),
    };
    line("URLs", row.schemes.iter().map(url).collect::<Vec<_>>().join(", "));
    line("ready by", row.ready.words().to_owned());
    line(
        "messages",
        row.words.map(|words| format!("{}, each with a {}", words.messages, words.response)).unwrap_or_default(),
    );
    line("chosen by", row.only.iter().map(|key| format!("`only.{key}`")).collect::<Vec<_>>().join(", "));
    line("effects", effects(row));
    line("ALPN", listed(row.alpn));
    for (tool, word) in row.elsewhere {
        line(tool, (*word).to_owned());
    }
    if !row.limits.is_empty() {
        text.push_str("\n| not acted on, but counted (`spared`) | since |\n|---|---|\n");
        for (what, why) in row.limits {
            let _ = writeln!(text, "| {what} | {why} |");
        }
    }
}

/// The effects of all levels that act there.
fn effects(row: &Row) -> String {
    let acts = |level: &Level| row.levels.contains(level);
    let names: Vec<&str> = Effect::ALL.iter().filter(|facts| acts(&facts.level)).map(|facts| facts.name).collect();
    listed(&names)
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
