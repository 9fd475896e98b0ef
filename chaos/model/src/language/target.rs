//! `on = "gateway -> redis"`: where a fault acts.

use super::{braces::known_node, effect, findings::Wrong, nearest::list};
use crate::{Endpoint, Link, System, system::CLIENT};

/// The link that is meant, which must be one that the system has.
pub(crate) fn read(text: &str, system: &System) -> Result<Link, Wrong> {
    let mut nodes: Vec<&str> = system.nodes.keys().map(String::as_str).collect();
    let Some((from, to)) = text.split_once("->") else { return Err(no_link(text, &nodes, system)) };
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

fn no_link(text: &str, nodes: &[&str], system: &System) -> Wrong {
    let name = text.trim();
    if nodes.contains(&name) {
        let to_it: Vec<String> = system.links.iter().filter(|link| link.to == name).map(Link::to_string).collect();
        let effects = list(effect::names());
        let wrong = Wrong::new(format!("`{name}` is a node, and faults act on links so far"));
        return match to_it.is_empty() {
            false => wrong
                .advice(format!("name a link, as {}; there, {effects} act", list(to_it.iter().map(String::as_str)))),
            true => wrong.advice(format!("name a link: {}; there, {effects} act", links(system))),
        };
    }
    Wrong::new(format!("`{name}` is no link"))
        .advice(format!("write it as `gateway -> redis`; the links are {}", links(system)))
}

fn links(system: &System) -> String {
    let links: Vec<String> = system.links.iter().map(Link::to_string).collect();
    list(links.iter().map(String::as_str))
}
