//! `on = "gateway -> redis"` or `on = "redis"`: where a fault acts, and for which requests or commands.

use super::{braces::known_node, findings::Wrong, nearest::list};
use crate::{
    Effect, Endpoint, Link, Protocol, System, Target,
    effect::{Level, action::NodeAction},
    system::CLIENT,
};

/// The link or node that is meant, which must be one that the system has.
pub(crate) fn read(text: &str, system: &System) -> Result<Target, Wrong> {
    let name = text.trim();
    if system.nodes.contains_key(name) {
        return Ok(Target::Node(name.to_owned()));
    }
    link(text, system).map(Target::Link)
}

/// Whether an effect can act there.
pub(crate) fn fits(on: &Target, effect: &Effect, system: &System) -> Result<(), Wrong> {
    let (name, level) = (effect.name(), effect.facts().level);
    match on {
        Target::Link(link) if level == Level::Nodes => {
            let wrong = Wrong::new(format!("`{name}` acts on a node, and `{link}` is a link"));
            let act = effects(|level| level.fits(system.nodes[&link.to].protocol));
            Err(wrong.advice(format!("name the node: `{}`; on this link, {act} act", link.to)))
        }
        Target::Link(link) => {
            let protocol = system.nodes[&link.to].protocol;
            if level.fits(protocol) {
                return Ok(());
            }
            let wrong = Wrong::new(format!("`{name}` can't act on `{link}`, which speaks {protocol}"));
            let act = effects(|level| level.fits(protocol));
            Err(wrong.advice(format!("there, {act} act; what a node speaks is said by its `protocol`")))
        }
        Target::Node(node) if level != Level::Nodes => {
            let to_it: Vec<String> = system.links.iter().filter(|link| link.to == *node).map(Link::to_string).collect();
            let all = if to_it.is_empty() { links(system) } else { list(to_it.iter().map(String::as_str)) };
            let wrong = Wrong::new(format!("`{name}` acts on a link, and `{node}` is a node"));
            let act = effects(|level| level == Level::Nodes);
            Err(wrong.advice(format!("name a link, as {all}; on a node, {act} act")))
        }
        Target::Node(node) => {
            let is_redis = system.nodes[node].protocol == Protocol::Redis;
            if is_redis || effect.action().node != Some(NodeAction::Flush) {
                return Ok(());
            }
            let wrong = Wrong::new(format!("`flush` makes a Redis forget, and `{node}` is none"));
            Err(wrong.advice("name a node with `protocol = \"redis\"`"))
        }
    }
}

/// The effects of some levels.
fn effects(which: impl Fn(Level) -> bool) -> String {
    list(Effect::ALL.iter().filter(|facts| which(facts.level)).map(|facts| facts.name))
}

fn link(text: &str, system: &System) -> Result<Link, Wrong> {
    let mut nodes: Vec<&str> = system.nodes.keys().map(String::as_str).collect();
    let Some((from, to)) = text.split_once("->") else { return Err(no_link(text, system)) };
    let range = |part: &str| {
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        start..start + part.len()
    };
    let from = from.trim();
    let (to, label) = match to.split_once('#') {
        Some((to, label)) => (to.trim(), Some(label.trim().to_owned())),
        None => (to.trim(), None),
    };
    known_node(to, &nodes).map_err(|wrong| wrong.at(range(to)))?;
    nodes.push(CLIENT);
    known_node(from, &nodes).map_err(|wrong| wrong.at(range(from)))?;
    let end = if from == CLIENT { Endpoint::Client } else { Endpoint::Node(from.to_owned()) };
    let link = Link { from: end, to: to.to_owned(), label };
    if system.links.contains(&link) {
        return Ok(link);
    }
    let wrong = Wrong::new(format!("no setting of `{from}` makes the link `{link}`"));
    let reversed = |other: &&Link| other.from.to_string() == link.to && other.to == from;
    let advice = match system.links.iter().find(reversed) {
        Some(reversed) => format!("did you mean `{reversed}`? A link goes from the user to the used"),
        None => format!("the links are {}", links(system)),
    };
    Err(wrong.advice(advice))
}

fn no_link(text: &str, system: &System) -> Wrong {
    Wrong::new(format!("`{}` is no link and no node", text.trim()))
        .advice(format!("write it as `gateway -> redis`; the links are {}", links(system)))
}

fn links(system: &System) -> String {
    let links: Vec<String> = system.links.iter().map(Link::to_string).collect();
    list(links.iter().map(String::as_str))
}
