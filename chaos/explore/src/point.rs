//! Fault points: an effect at one of its strengths, on a link (or one kind of its messages) or on a service.

use crate::{
    toml_text,
    uses::{LinkUse, Uses},
};
use chaos_model::{
    Link, Protocol, System, calls,
    effect::{Effect, Explored, Facts, Ladder, Level},
    protocol::Transport,
};
use serde::Serialize;

/// Numbers of messages to which a fault on messages is narrowed when it is weakened: the first so many.
const FIRST: [u64; 2] = [5, 1];

/// An effect at a strength, and what it acts on.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// The link or the service, as written.
    pub(crate) on: String,
    /// The kind of messages that it is for, as proxies count them (`GET /users/*`, `SETEX`); none: all, or connections.
    pub(crate) kind: Option<String>,
    /// The protocol of the link.
    protocol: Option<Protocol>,
    /// The effect.
    pub(crate) effect: Facts,
    ladder: Ladder,
    /// The strength, by its place in the ladder: 0 is the strongest.
    step: usize,
    /// The messages of its kind that it is for, by their numbers.
    which: Which,
    /// True where clients meet it without the system having any part in it.
    pub(crate) at_the_door: bool,
}

/// Messages of a kind, by their numbers since the fault began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    /// The first so many.
    First(u64),
    /// The one with this number.
    Nth(u64),
}

/// Choices of single messages that are tried beside all of them: what a system gets over time and again, it may get over once
/// in another way.
const SOME: [Which; 2] = [Which::First(1), Which::Nth(4)];

impl Which {
    /// Fewer, and the same ones.
    fn fewer(self) -> Option<Self> {
        let is_fewer = |count: &u64| match self {
            Self::All => true,
            Self::First(now) => *count < now,
            Self::Nth(_) => false,
        };
        FIRST.iter().copied().find(is_fewer).map(Self::First)
    }

    /// The key that chooses them, with its value.
    fn key(self) -> Option<(&'static str, u64)> {
        match self {
            Self::All => None,
            Self::First(count) => Some(("only.first", count)),
            Self::Nth(number) => Some(("only.nth", number)),
        }
    }

    fn words(self) -> Option<String> {
        match self {
            Self::All => None,
            Self::First(1) => Some("the first alone".to_owned()),
            Self::First(count) => Some(format!("the first {count}")),
            Self::Nth(number) => Some(format!("number {number} alone")),
        }
    }
}

/// Something that is not tried, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotTried {
    /// An effect, a link or a kind of messages.
    pub what: String,
    /// The reason.
    pub why: String,
}

impl Point {
    /// The fault's table, under this name and with this time.
    pub(crate) fn text(&self, name: &str, at: &str, lasts: &str) -> String {
        let mut text = String::from("\n[[fault]]\n");
        let mut line = |key: &str, value: &str| text += &toml_text::line(key, value);
        line("name", name);
        line("on", &self.on);
        line("effect", self.effect.name);
        self.ladder[self.step].iter().for_each(|(key, value)| line(key, value));
        for (key, value) in self.only() {
            line(key, &value);
        }
        if let Some((key, number)) = self.which.key() {
            line(key, &number.to_string());
        }
        line("at", at);
        line("for", lasts);
        text
    }

    /// Keys that choose the kind of messages.
    fn only(&self) -> Vec<(&'static str, String)> {
        let Some((kind, protocol)) = self.kind.as_ref().zip(self.protocol) else { return Vec::new() };
        match kind.split_once(' ') {
            Some((method, path)) if protocol.only.contains(&"path") => {
                vec![("only.method", method.to_owned()), ("only.path", path.to_owned())]
            }
            None if protocol.only.contains(&"command") => vec![("only.command", kind.clone())],
            _ => Vec::new(),
        }
    }

    /// The effect with its strength, in a few words: `latency, delay 2s`.
    pub(crate) fn words(&self) -> String {
        let keys = self.ladder[self.step].iter().map(|(key, value)| format!("{key} {value}"));
        let words = std::iter::once(self.effect.name.to_owned()).chain(keys).chain(self.which.words());
        let words: Vec<String> = words.collect();
        words.join(", ")
    }

    /// The place at which it acts, in words: `gateway -> redis GET`.
    pub(crate) fn place(&self) -> String {
        self.kind.as_ref().map_or_else(|| self.on.clone(), |kind| format!("{} {kind}", self.on))
    }

    /// True where it is the strongest of its ladder, on all messages.
    pub(crate) fn is_strongest(&self) -> bool {
        self.step == 0 && self.which == Which::All
    }

    /// True where it acts on messages, which can be counted.
    fn is_of_messages(&self) -> bool {
        self.effect.level != Level::Connections && self.effect.level != Level::Services
    }

    /// The next weaker ones.
    pub(crate) fn weaker(&self) -> Vec<Self> {
        let mut weaker = Vec::new();
        if self.step + 1 < self.ladder.len() {
            weaker.push(Self { step: self.step + 1, ..self.clone() });
        }
        if self.is_of_messages() {
            weaker.extend(self.which.fewer().map(|which| Self { which, ..self.clone() }));
        }
        weaker
    }
}

/// All points of a system, link by link and then service by service, and what is not among them.
pub(crate) fn all(system: &System, uses: &Uses) -> (Vec<Point>, Vec<NotTried>) {
    let (mut points, mut not_tried) = (Vec::new(), Vec::new());
    let has_tls = !system.encrypted.is_empty();
    for facts in Effect::ALL.iter().filter(|facts| has_tls || facts.level != Level::Tls) {
        if let Explored::Not(why) = facts.explored {
            not_tried.push(NotTried { what: facts.name.to_owned(), why: why.to_owned() });
        }
    }
    for link in &system.links {
        match uses.get(link) {
            Some(used) if used.connections > 0 => on_link(system, link, used, &mut points, &mut not_tried),
            _ => not_tried.push(NotTried {
                what: link.to_string(),
                why: "nothing used it in the healthy run, so no fault on it would be met".to_owned(),
            }),
        }
    }
    for (name, service) in &system.services {
        for facts in Effect::ALL.iter().filter(|facts| facts.level == Level::Services) {
            if facts.name == "flush" && service.protocol != Protocol::REDIS {
                continue;
            }
            let point = |ladder| Point {
                on: name.clone(),
                kind: None,
                protocol: None,
                effect: *facts,
                ladder,
                step: 0,
                which: Which::All,
                at_the_door: *name == system.entry,
            };
            points.extend(each(facts, &point));
        }
    }
    (points, not_tried)
}

fn on_link(system: &System, link: &Link, used: &LinkUse, points: &mut Vec<Point>, not_tried: &mut Vec<NotTried>) {
    let stack = system.stack(link);
    let at_the_door = link.from == chaos_model::Endpoint::Client;
    let point = |kind: Option<&String>, facts: &Facts, ladder| Point {
        on: link.to_string(),
        kind: kind.cloned(),
        protocol: Some(stack.protocol),
        effect: *facts,
        ladder,
        step: 0,
        which: Which::All,
        at_the_door,
    };
    for facts in Effect::ALL.iter().filter(|facts| facts.level == Level::Connections) {
        points.extend(each(facts, &|ladder| point(None, facts, ladder)));
    }
    if stack.transport == Transport::Tls {
        let why = "TLS is below its protocol, and no proxy can read its messages: connections alone are broken";
        not_tried.push(NotTried { what: format!("{link}: messages"), why: why.to_owned() });
        return;
    }
    let of_messages = |facts: &&Facts| {
        ![Level::Connections, Level::Tls, Level::Services].contains(&facts.level)
            && stack.protocol.levels.contains(&facts.level)
    };
    let (other, kinds): (Vec<&String>, Vec<&String>) = used.messages.keys().partition(|kind| *kind == calls::OTHER);
    not_tried.extend(other.iter().map(|_| NotTried {
        what: format!("{link}: messages of more kinds than are told apart"),
        why: "no fault can choose them".to_owned(),
    }));
    for kind in kinds {
        for facts in Effect::ALL.iter().filter(of_messages) {
            points.extend(each(facts, &|ladder| point(Some(kind), facts, ladder)));
        }
    }
    for kind in &used.only_at_the_start {
        let why = "it came at the start alone, and faults begin later";
        not_tried.push(NotTried { what: format!("{link} {kind}"), why: why.to_owned() });
    }
}

/// The points of an effect at all its strengths.
fn each(facts: &Facts, point: &dyn Fn(Ladder) -> Point) -> Vec<Point> {
    let Explored::By(ladders) = facts.explored else { return Vec::new() };
    let of = |ladder: &Ladder| {
        let whole = point(ladder);
        let some = SOME.iter().filter(|_| whole.is_of_messages()).map(|which| Point { which: *which, ..whole.clone() });
        let some: Vec<Point> = some.collect();
        (0..ladder.len()).map(|step| Point { step, ..whole.clone() }).chain(some).collect::<Vec<_>>()
    };
    ladders.iter().flat_map(of).collect()
}
