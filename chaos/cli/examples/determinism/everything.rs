//! A scenario with every effect that a simulation gives, many of them at once.

use chaos_model::{
    Effect,
    effect::{Facts, Level},
};
use std::{fmt::Write as _, path::Path};

/// How long each fault lasts, and how long after one begins the next does, in milliseconds: some fifteen act at once.
const LASTS: usize = 3000;
const STEP: usize = 200;
/// Nodes take turns: a node that is gone can't be frozen.
const NODE_LASTS: usize = 900;
const NODE_STEP: usize = 1500;

/// What no simulation gives.
const IN_CONTAINERS_ALONE: [&str; 2] = ["cpu", "memory"];

/// The scenario's text.
pub(crate) fn scenario(system: &Path) -> String {
    let all = Effect::ALL.iter().filter(|facts| !IN_CONTAINERS_ALONE.contains(&facts.name));
    let (nodes, links): (Vec<_>, Vec<_>) = all.partition(|facts| facts.level == Level::Nodes);
    let ends = (links.len() * STEP + LASTS).max(nodes.len() * NODE_STEP) + 3000;
    let mut text = format!(
        "title = \"every effect, many at once\"\nsystem = {system:?}\n\
         [load]\nrequest = \"GET /api/profile/{{user}}\"\nrate = \"100/s\"\nduration = \"{ends}ms\"\n\
         vars.user = \"zipf 1..300\"\ntimeout = \"2s\"\n\
         [[expect]]\nthat = \"some are served\"\nduring = \"run\"\nerrors = \"< 99%\"\n"
    );
    for (n, facts) in links.iter().enumerate() {
        fault(&mut text, facts, link(facts, n), (1000 + n * STEP, LASTS));
    }
    for (n, facts) in nodes.iter().enumerate() {
        let node = ["redis", "product-service"][if facts.name == "flush" { 0 } else { n % 2 }];
        fault(&mut text, facts, node, (1000 + n * NODE_STEP, NODE_LASTS));
    }
    text
}

fn link(facts: &Facts, n: usize) -> &'static str {
    match facts.level {
        Level::Connections => {
            ["gateway -> order-service", "gateway -> user-service", "gateway -> redis", "client -> gateway"][n % 4]
        }
        Level::Messages | Level::Commands | Level::Nodes => "gateway -> redis",
        Level::Requests => ["gateway -> product-service", "gateway -> user-service"][n % 2],
    }
}

fn fault(text: &mut String, facts: &Facts, on: &str, (at, lasts): (usize, usize)) {
    let Facts { name, example, level, .. } = facts;
    let _ =
        write!(text, "[[fault]]\nname = \"a-{name}\"\non = {on:?}\n{example}\nat = \"{at}ms\"\nfor = \"{lasts}ms\"\n");
    // What takes a whole port can't be shared out.
    if *level != Level::Nodes && !["refuse", "hang", "blackhole"].contains(name) {
        text.push_str("share = \"20%\"\n");
    }
}
