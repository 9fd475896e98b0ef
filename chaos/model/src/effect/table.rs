//! The documentation of all effects, made of what they say of themselves.

use super::{Effect, Facts, Level, Term, elsewhere::MISSING};
use std::fmt::Write as _;

/// The documentation's page of effects, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Effects\n\nWhat a fault can do, by what it acts on. This page is made from the code: a test compares them, and\n\
         `cargo run -p chaos-model --example effects > docs/effects.md` makes it anew.\n",
    );
    for (level, title, about) in LEVELS {
        let _ = write!(
            text,
            "\n## {title}\n\n{about}\n\n| effect | what it does | keys | elsewhere |\n|---|---|---|---|\n"
        );
        for facts in Effect::ALL.iter().filter(|facts| facts.level == level) {
            let (name, about) = (facts.name, facts.about);
            let _ = writeln!(text, "| `{name}` | {about} | {} | {} |", keys(facts), terms(facts.others));
        }
    }
    text.push_str("\n## Words that are not here\n\n| word | effects to use | why |\n|---|---|---|\n");
    for missing in MISSING {
        let targets: Vec<String> = missing.targets.iter().map(|name| format!("`{name}`")).collect();
        let (words, why) = (terms(missing.words), missing.instead.replace('|', "\\|"));
        let _ = writeln!(text, "| {words} | {} | {why} |", targets.join(", "));
    }
    text
}

const LEVELS: [(Level, &str, &str); 6] = [
    (
        Level::Connections,
        "On connections",
        "On any link, on open connections as well as on new ones, whatever they carry, TLS too. `share` is of connections. \
         Under a `ramp`, which begins anew in each pulse, the delay of `latency` and `dial-delay` grows; the others are there or \
         not.",
    ),
    (
        Level::Messages,
        "On requests and commands",
        "On links whose service speaks HTTP or Redis. `share` is of requests or commands, and `only` chooses among them. \
         Under a `ramp`, the delay of `delay` grows; of the others, and of those below, the share does.",
    ),
    (
        Level::Requests,
        "On requests",
        "On links whose service speaks HTTP. `share` is of requests, and `only` chooses among them.",
    ),
    (
        Level::Commands,
        "On commands",
        "On links whose service speaks Redis. `share` is of commands, and `only` chooses among them.",
    ),
    (
        Level::Tls,
        "On TLS",
        "On links whose TLS ends there, in the world `local` ([worlds.md](worlds.md#tls)): on that with the client; with the service \
         all is as ever. But for the last, they meet connections that begin while they are there. `share` is of connections.",
    ),
    (
        Level::Services,
        "On services",
        "On a service, as in `on = \"redis\"`. All of them need `for`: it is the time that is judged as the fault's, also of \
         `restart` and `flush`, which are done at once.\n\nWhile a service is down, the proxies on the links to it still listen: its \
         callers' new connections are accepted and then reset, where without a proxy they would be refused. Where that makes a \
         difference to them, put `refuse` on these links at the same time (`on = \"* -> redis\"`).",
    ),
];

fn keys(facts: &Facts) -> String {
    // A bar would end the table's cell, also within a code span.
    let all = facts.keys.iter().map(|key| format!("`{}`: {}", key.name, key.about));
    all.collect::<Vec<_>>().join("<br>").replace('|', "\\|")
}

fn terms(terms: &[Term]) -> String {
    terms.iter().map(|term| format!("{}: `{}`", term.tool, term.word)).collect::<Vec<_>>().join("<br>")
}
