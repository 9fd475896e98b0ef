//! `on = "gateway -> redis"`, `on = "redis"`, `on = ["a -> db", "b -> db"]` or `on = "* -> db"`: where a fault acts.

use super::{
    address,
    braces::known_service,
    document::{Entry, Kind},
    findings::{Findings, Wrong},
    nearest::list,
    reader::{Word, parse_word, text_of},
};
use crate::{
    Effect, Endpoint, Link, Pattern, Protocol, Start, System, Target,
    effect::{Level, action::ServiceAction},
    system::CLIENT,
};

/// The place that an entry means: a link or a service, or several links.
pub(crate) fn read(entry: &Entry, system: &System, findings: &Findings) -> Option<Target> {
    let Kind::List(items) = &entry.value.kind else {
        let word = text_of(entry, findings)?;
        return parse_word(word, |text| one(text, system), findings);
    };
    let before = findings.len();
    if items.is_empty() {
        let wrong = Wrong::new("this names no link").advice(format!("the links are {}", links(system)));
        findings.add(wrong.diagnostic(entry.value.span.clone()));
    }
    let mut all: Vec<Link> = Vec::new();
    for item in items {
        let Some(text) = item.text() else {
            let wrong = Wrong::new(format!("a link is a string, and this is {}", item.what()));
            findings.add(wrong.advice("write it as `\"gateway -> redis\"`").diagnostic(item.span.clone()));
            continue;
        };
        let word = Word { text, span: &item.span };
        if let Some(found) = parse_word(word, |text| more(text, &all, system), findings) {
            all.extend(found);
        }
    }
    (findings.len() == before).then(|| Target::of_links(all))
}

/// The links of a list's item that are not in it yet.
fn more(text: &str, all: &[Link], system: &System) -> Result<Vec<Link>, Wrong> {
    let name = text.trim();
    if system.names().contains(&name) {
        let wrong = Wrong::new(format!("a fault on several places is on links, and `{name}` is a service"));
        return Err(wrong.advice(format!("name its links: `* -> {name}` is all that lead to it")));
    }
    let found: Vec<Link> = matching(text, system)?.into_iter().filter(|link| !all.contains(link)).collect();
    if found.is_empty() {
        return Err(Wrong::new(format!("`{name}` is in the list already")).advice("take it away"));
    }
    Ok(found)
}

/// The links that a text means: one, or those that are like `* -> db`.
fn matching(text: &str, system: &System) -> Result<Vec<Link>, Wrong> {
    let Some((from, to)) = text.split_once("->") else { return link(text, system).map(|link| vec![link]) };
    let (to, label) = to.split_once('#').map_or((to, None), |(to, label)| (to, Some(label.trim())));
    let (from, to) = (from.trim(), to.trim());
    // Of a service with several replicas, all are meant.
    let is_several = |name: &str| system.replicas(name).next().is_some();
    if !text.contains('*') && !is_several(from) && !is_several(to) {
        return link(text, system).map(|link| vec![link]);
    }
    let mut services = system.names();
    if !to.contains('*') {
        known_service(to, &services)?;
    }
    services.push(CLIENT);
    if !from.contains('*') {
        known_service(from, &services)?;
    }
    let like = |pattern: &str, text: &str| Pattern(pattern.to_owned()).matches(text.as_bytes());
    let replica_of = |name: &str| system.services.get(name).and_then(|service| service.replica_of.as_deref());
    let means = |pattern: &str, name: &str| like(pattern, name) || replica_of(name).is_some_and(|of| like(pattern, of));
    let fits = |link: &&Link| {
        // Where a label is not asked for by a pattern, a link without one is meant, as it is of a service that is one.
        let labelled = match label {
            None => text.contains('*') || link.label.is_none(),
            Some(label) => like(label, link.label.as_deref().unwrap_or_default()),
        };
        means(from, &link.from.to_string()) && means(to, &link.to) && labelled
    };
    let found: Vec<Link> = system.links.iter().filter(fits).cloned().collect();
    if found.is_empty() {
        let wrong = Wrong::new(format!("no link is like `{}`", text.trim()));
        return Err(wrong.advice(format!("the links are {}", links(system))));
    }
    Ok(found)
}

/// The link or service that is meant, which must be one that the system has; or the links that are like it.
fn one(text: &str, system: &System) -> Result<Target, Wrong> {
    let name = text.trim();
    if system.services.contains_key(name) {
        return Ok(Target::Service(name.to_owned()));
    }
    let replicas: Vec<_> = system.replicas(name).map(|service| service.name.clone()).collect();
    if !replicas.is_empty() {
        return Ok(Target::of_services(replicas));
    }
    matching(text, system).map(Target::of_links)
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
        Target::Service(_) | Target::Services(_) | Target::Links(_) => false,
    });
    wrong.advice(format!("on this link, {act} act"))
}

/// Refuses an effect that can't act there.
pub(crate) fn fits(on: &Target, effect: &Effect, system: &System) -> Result<(), Wrong> {
    let (name, level) = (effect.name(), effect.facts().level);
    match on {
        Target::Links(links) => links.iter().try_for_each(|link| fits(&Target::Link(link.clone()), effect, system)),
        Target::Link(link) if level == Level::Services => {
            let wrong = Wrong::new(format!("`{name}` acts on a service, and `{link}` is a link"));
            let act = effects(|level| system.services[&link.to].protocol.has(level));
            Err(wrong.advice(format!("name the service: `{}`; on this link, {act} act", link.to)))
        }
        Target::Link(link) if level == Level::Tls => no_tls(name, link, system).map_or(Ok(()), Err),
        Target::Link(link) => {
            let protocol = system.services[&link.to].protocol;
            if protocol.has(level) {
                return Ok(());
            }
            let wrong = Wrong::new(format!("`{name}` can't act on `{link}`, which speaks {protocol}"));
            let act = effects(|level| protocol.has(level));
            Err(wrong.advice(format!("there, {act} act; what a service speaks is said by its `protocol`")))
        }
        Target::Service(_) | Target::Services(_) if level != Level::Services => {
            let (of, service) = (on.services(), on);
            let to_it: Vec<String> =
                system.links.iter().filter(|link| of.contains(&link.to)).map(Link::to_string).collect();
            let all = if to_it.is_empty() { links(system) } else { list(to_it.iter().map(String::as_str)) };
            let wrong = Wrong::new(format!("`{name}` acts on a link, and `{service}` is a service"));
            let act = effects(|level| level == Level::Services);
            Err(wrong.advice(format!("name a link, as {all}; on a service, {act} act")))
        }
        Target::Service(name) if matches!(system.services[name].start, Start::Address(_)) => {
            let what = effect.name();
            let wrong = Wrong::new(format!("`{what}` acts on the service, and `{on}` runs already, at its `address`"));
            Err(wrong.advice(format!("what a run doesn't start it doesn't break; its links can be: `* -> {on}`")))
        }
        Target::Service(_) | Target::Services(_) => {
            let is_redis = |name: &String| system.services[name].protocol == Protocol::REDIS;
            if on.services().iter().all(is_redis) || effect.action().service != Some(ServiceAction::Flush) {
                return Ok(());
            }
            let wrong = Wrong::new(format!("`flush` makes a Redis forget, and `{on}` is none"));
            Err(wrong.advice("name a service with `protocol = \"redis\"`"))
        }
    }
}

/// The refusal of an effect on TLS where none ends.
fn no_tls(effect: &str, link: &Link, system: &System) -> Option<Wrong> {
    let to = &link.to;
    if system.passes_tls(link) {
        let wrong =
            Wrong::new(format!("`{effect}` acts on TLS that ends on its link, and on `{link}` it passes as bytes"));
        return Some(wrong.advice(format!("take `tls = \"pass\"` from `{to}`")));
    }
    let wrong = Wrong::new(format!("`{effect}` acts on TLS, and on `{link}` there is none"));
    let advice = format!(
        "a setting asks for it by its URL, as `https://{{{to}}}`, or `{to}` says that it speaks it: `tls = true`"
    );
    (!system.ends_tls(link)).then(|| wrong.advice(advice))
}

/// The effects of some levels.
pub(crate) fn effects(which: impl Fn(Level) -> bool) -> String {
    list(Effect::ALL.iter().filter(|facts| which(facts.level)).map(|facts| facts.name))
}

/// The link of a system that is meant.
pub(crate) fn link(text: &str, system: &System) -> Result<Link, Wrong> {
    let mut services = system.names();
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
    if let Some(several) = [from, to].into_iter().find(|name| system.replicas(name).next().is_some()) {
        let wrong = Wrong::new(format!("`{several}` has replicas, and each has links of its own"));
        return Err(wrong.advice(format!("name one, as `{several}.1`; the links are {}", links(system))));
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
