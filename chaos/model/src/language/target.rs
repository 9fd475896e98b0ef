//! `on = "gateway -> redis"` or `on = "redis"`: where a fault acts, and for which requests or commands.

use super::{address, braces::known_service, findings::Wrong, nearest::list};
use crate::{
    Effect, Endpoint, Link, Protocol, System, Target,
    effect::{Level, action::ServiceAction},
    system::CLIENT,
};

/// The link or service that is meant, which must be one that the system has.
pub(crate) fn read(text: &str, system: &System) -> Result<Target, Wrong> {
    let name = text.trim();
    if system.services.contains_key(name) {
        return Ok(Target::Service(name.to_owned()));
    }
    link(text, system).map(Target::Link)
}

/// The link that is meant, which must be one of those that proxies stand on.
pub(crate) fn proxied(text: &str, system: &System) -> Result<Target, Wrong> {
    let link = address::link(text.trim())?;
    if system.links.contains(&link) {
        return Ok(Target::Link(link));
    }
    Err(Wrong::new(format!("no proxy stands on `{link}`")).advice(format!("they do on {}", links(system))))
}

/// The refusal of an effect on services where there are only proxies.
pub(crate) fn no_service(effect: &Effect, on: &Target, system: &System) -> Wrong {
    let wrong = Wrong::new(format!("`{}` acts on a service, and proxies stand on links", effect.name()));
    let act = effects(|level| match on {
        Target::Link(link) => system.stack(link).protocol.has(level),
        Target::Service(_) => false,
    });
    wrong.advice(format!("on this link, {act} act"))
}

/// Refuses an effect that can't act there.
pub(crate) fn fits(on: &Target, effect: &Effect, system: &System) -> Result<(), Wrong> {
    let (name, level) = (effect.name(), effect.facts().level);
    match on {
        Target::Link(link) if level == Level::Services => {
            let wrong = Wrong::new(format!("`{name}` acts on a service, and `{link}` is a link"));
            let act = effects(|level| system.services[&link.to].protocol.has(level));
            Err(wrong.advice(format!("name the service: `{}`; on this link, {act} act", link.to)))
        }
        Target::Link(link) => {
            let protocol = system.services[&link.to].protocol;
            if protocol.has(level) {
                return Ok(());
            }
            let wrong = Wrong::new(format!("`{name}` can't act on `{link}`, which speaks {protocol}"));
            let act = effects(|level| protocol.has(level));
            Err(wrong.advice(format!("there, {act} act; what a service speaks is said by its `protocol`")))
        }
        Target::Service(service) if level != Level::Services => {
            let to_it: Vec<String> =
                system.links.iter().filter(|link| link.to == *service).map(Link::to_string).collect();
            let all = if to_it.is_empty() { links(system) } else { list(to_it.iter().map(String::as_str)) };
            let wrong = Wrong::new(format!("`{name}` acts on a link, and `{service}` is a service"));
            let act = effects(|level| level == Level::Services);
            Err(wrong.advice(format!("name a link, as {all}; on a service, {act} act")))
        }
        Target::Service(service) => {
            let is_redis = system.services[service].protocol == Protocol::REDIS;
            if is_redis || effect.action().service != Some(ServiceAction::Flush) {
                return Ok(());
            }
            let wrong = Wrong::new(format!("`flush` makes a Redis forget, and `{service}` is none"));
            Err(wrong.advice("name a service with `protocol = \"redis\"`"))
        }
    }
}

/// The effects of some levels.
pub(crate) fn effects(which: impl Fn(Level) -> bool) -> String {
    list(Effect::ALL.iter().filter(|facts| which(facts.level)).map(|facts| facts.name))
}

fn link(text: &str, system: &System) -> Result<Link, Wrong> {
    let mut services: Vec<&str> = system.services.keys().map(String::as_str).collect();
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
    known_service(to, &services).map_err(|wrong| wrong.at(range(to)))?;
    services.push(CLIENT);
    known_service(from, &services).map_err(|wrong| wrong.at(range(from)))?;
    let end = if from == CLIENT { Endpoint::Client } else { Endpoint::Service(from.to_owned()) };
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
    Wrong::new(format!("`{}` is no link and no service", text.trim()))
        .advice(format!("write it as `gateway -> redis`; the links are {}", links(system)))
}

fn links(system: &System) -> String {
    let links: Vec<String> = system.links.iter().map(Link::to_string).collect();
    list(links.iter().map(String::as_str))
}
