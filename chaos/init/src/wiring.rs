//! The wiring of commands: a port that one listens at and another is told of is a link, and so is an address that nobody here
//! listens at: what runs already.
//!
//! In the draft the world gives ports, so that runs stand beside what runs already and beside each other.

mod address;

use crate::{
    command::{Command, CommandError},
    draft::{Draft, Runs, ServiceDraft},
};
use address::{Address, addresses};
use std::collections::{BTreeMap, BTreeSet};

/// Options that are followed by the port or the address at which a program listens.
const LISTENS: [&str; 11] =
    ["port", "p", "listen", "l", "bind", "b", "addr", "address", "http-port", "server-port", "listen-address"];

/// Variables that say where a program listens. Others' ports are in variables, too (`DB_PORT`).
const LISTENS_BY: [&str; 12] = [
    "PORT",
    "HTTP_PORT",
    "SERVER_PORT",
    "APP_PORT",
    "LISTEN_PORT",
    "LISTEN",
    "BIND",
    "LISTEN_ADDR",
    "BIND_ADDR",
    "HTTP_ADDR",
    "SERVER_ADDR",
    "LISTEN_ADDRESS",
];

/// Names of services by the ports that are known for them.
const KNOWN_PORTS: [(u16, &str); 12] = [
    (3306, "mysql"),
    (4222, "nats"),
    (5432, "postgres"),
    (5672, "rabbitmq"),
    (6379, "redis"),
    (8086, "influxdb"),
    (9000, "minio"),
    (9042, "cassandra"),
    (9092, "kafka"),
    (9200, "elasticsearch"),
    (11211, "memcached"),
    (27017, "mongodb"),
];

/// A text of a command.
struct Text<'a> {
    text: &'a str,
    /// True where it says at which port or address its program listens.
    listens: bool,
    /// The number that it is, where nothing says that it is something else than the program's port.
    lone: Option<u16>,
}

/// The texts of a command: values of its settings, then its words.
fn texts(command: &Command) -> Vec<Text<'_>> {
    let env = command.env.iter().map(|(name, value)| {
        let listens = LISTENS_BY.contains(&name.as_str());
        Text { text: value, listens, lone: None }
    });
    let (mut after_option, mut after_any) = (false, false);
    let words = command.words.iter().map(|word| {
        let (option, value) =
            word.split_once('=').map_or((word.as_str(), None), |(option, value)| (option, Some(value)));
        let is_option = option.starts_with('-') && LISTENS.contains(&option.trim_start_matches('-'));
        let listens = (is_option && value.is_some()) || after_option;
        // A number behind another option may be seconds, or workers.
        let lone = word.parse().ok().filter(|port: &u16| *port > 0 && !after_any);
        after_option = is_option && value.is_none();
        after_any = option.starts_with('-') && value.is_none();
        Text { text: word, listens, lone }
    });
    env.chain(words).collect()
}

/// The number that a text is, or that is behind its `=`.
fn number(text: &str) -> Option<u16> {
    let digits = text.rsplit_once('=').map_or(text, |(_, value)| value);
    digits.parse().ok().filter(|port| *port > 0)
}

/// The system of these commands. The entry is the one that is named, or else the one that nobody uses.
///
/// # Errors
/// [`CommandError`], where they make no system.
pub fn draft(commands: &[Command], entry: Option<&str>) -> Result<Draft, CommandError> {
    let mut names = BTreeSet::new();
    for command in commands {
        if !names.insert(command.name.as_str()) {
            return Err(CommandError::Twice(command.name.clone()));
        }
    }
    let ports = ports(commands)?;
    let mut wiring = Wiring { commands, ports, others: BTreeMap::new(), uses: Vec::new() };
    let own: Vec<ServiceDraft> = (0..commands.len()).map(|nth| wiring.service(nth)).collect();
    let entry = match entry {
        Some(entry) if names.contains(entry) => entry.to_owned(),
        Some(entry) => return Err(CommandError::NoEntry(entry.to_owned(), list(commands.iter().map(|one| &one.name)))),
        None => wiring.entry()?,
    };
    let others = wiring.others.into_iter().map(|(address, name)| ServiceDraft::new(name, Runs::Already(address)));
    Ok(Draft { services: others.chain(own).collect(), ..Draft::new(entry) })
}

/// The ports at which commands listen, each with the place of its command.
fn ports(commands: &[Command]) -> Result<BTreeMap<u16, usize>, CommandError> {
    let mut ports = BTreeMap::new();
    let mut add = |port: u16, nth: usize| match ports.insert(port, nth) {
        Some(other) if other != nth => {
            Err(CommandError::SamePort(commands[other].name.clone(), commands[nth].name.clone(), port))
        }
        _ => Ok(()),
    };
    let all: Vec<Vec<Text<'_>>> = commands.iter().map(texts).collect();
    let mut has_own = vec![false; commands.len()];
    for (nth, texts) in all.iter().enumerate() {
        for text in texts.iter().filter(|text| text.listens) {
            let named = addresses(text.text).into_iter().map(|address| address.port).chain(number(text.text));
            for port in named {
                add(port, nth)?;
                has_own[nth] = true;
            }
        }
    }
    // A number by itself that is in an address, or the only one that can be a port.
    let used: Vec<u16> =
        all.iter().flatten().flat_map(|text| addresses(text.text)).map(|address| address.port).collect();
    for (nth, texts) in all.iter().enumerate().filter(|(nth, _)| !has_own[*nth]) {
        let numbers: Vec<u16> = texts.iter().filter_map(|text| text.lone).collect();
        let may_be: Vec<u16> = numbers.iter().copied().filter(|port| *port >= 1024).collect();
        let known = numbers.iter().copied().find(|port| used.contains(port));
        let lone = Some(&may_be).filter(|may_be| may_be.len() == 1).map(|may_be| may_be[0]);
        if let Some(port) = known.or(lone) {
            add(port, nth)?;
        }
    }
    Ok(ports)
}

struct Wiring<'a> {
    commands: &'a [Command],
    ports: BTreeMap<u16, usize>,
    /// Addresses at which nobody here listens, with the names of what is there.
    others: BTreeMap<String, String>,
    /// Uses: the places of the user and of the used.
    uses: Vec<(usize, usize)>,
}

impl Wiring<'_> {
    fn service(&mut self, nth: usize) -> ServiceDraft {
        let command = &self.commands[nth];
        let mut env: Vec<(String, String)> =
            command.env.iter().map(|(name, value)| (name.clone(), self.text(nth, value))).collect();
        let words: Vec<String> = command.words.iter().map(|word| self.text(nth, word)).collect();
        let takes_port = env.iter().map(|(_, value)| value).chain(&words).any(|text| text.contains("{self.port}"));
        if !takes_port {
            env.retain(|(name, _)| name != "PORT");
            env.push(("PORT".to_owned(), "{self.port}".to_owned()));
        }
        ServiceDraft::new(command.name.clone(), Runs::Command { env, words })
    }

    /// The text with places in braces where addresses and the command's own port were.
    fn text(&mut self, nth: usize, text: &str) -> String {
        let own = |port: &u16| self.ports.get(port) == Some(&nth);
        if let Some(port) = number(text).filter(own) {
            return format!("{}{{self.port}}", text.strip_suffix(&port.to_string()).unwrap_or_default());
        }
        let (mut written, mut at) = (String::new(), 0);
        for Address { range, host, port } in addresses(text) {
            written += &self.plain(nth, &text[at..range.start]);
            at = range.end;
            written += &match self.ports.get(&port) {
                Some(owner) if *owner == nth => format!("{host}:{{self.port}}"),
                Some(owner) => {
                    self.uses.push((nth, *owner));
                    format!("{{{}}}", self.commands[*owner].name)
                }
                None => format!("{{{}}}", self.other(&format!("{host}:{port}"), port)),
            };
        }
        written + &self.plain(nth, &text[at..])
    }

    /// The name of what is at an address at which nobody here listens.
    fn other(&mut self, address: &str, port: u16) -> String {
        let address = address.replace("0.0.0.0", "127.0.0.1");
        if let Some(name) = self.others.get(&address) {
            return name.clone();
        }
        let known = KNOWN_PORTS.iter().find(|(known, _)| *known == port).map(|(_, name)| (*name).to_owned());
        let name = known.unwrap_or_else(|| format!("port-{port}"));
        let is_taken = |name: &String| {
            self.commands.iter().any(|command| command.name == *name) || self.others.values().any(|other| other == name)
        };
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let name = std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default();
        self.others.insert(address, name.clone());
        name
    }

    /// The text with braces doubled, but for places that were written as such.
    fn plain(&mut self, nth: usize, text: &str) -> String {
        let (mut written, mut rest) = (String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            written += before;
            let place = from.strip_prefix('{').and_then(|inner| inner.split_once('}')).map(|(place, _)| place);
            let service = |place: &str| self.commands.iter().position(|command| command.name == place);
            match place.map(|place| (place, service(place))) {
                Some((place, found)) if found.is_some() || place == "self.port" => {
                    self.uses.extend(found.map(|owner| (nth, owner)));
                    written += &format!("{{{place}}}");
                    rest = &from[place.len() + 2..];
                }
                _ => {
                    written += &from[..1].repeat(2);
                    rest = &from[1..];
                }
            }
        }
        written + rest
    }

    /// The service that nobody uses; of several, the one that is called `web`, as Procfiles call it.
    fn entry(&self) -> Result<String, CommandError> {
        let is_used = |nth: usize| self.uses.iter().any(|(from, to)| *to == nth && *from != nth);
        let free: Vec<&String> =
            self.commands.iter().enumerate().filter(|(nth, _)| !is_used(*nth)).map(|(_, one)| &one.name).collect();
        let web = free.iter().find(|name| **name == "web");
        match free.as_slice() {
            [only] => Ok((*only).clone()),
            _ => web.map(|name| (*name).clone()).ok_or_else(|| CommandError::Entry(list(free))),
        }
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
