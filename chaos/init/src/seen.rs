//! The fold over a run's events that says what was seen: what links carried, what clients saw, why it could not be run.

use chaos_model::{
    Event, Protocol, Record, Verdict,
    event::{Judged, LinkCounts, PhaseFigures, ProxyCounts},
    phase::RUN,
};
use std::collections::BTreeMap;

/// The name that proxies give what they don't know.
const UNKNOWN: &str = "unknown";

/// All that a run showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Counts of what links carried, by their names as written.
    pub links: BTreeMap<String, LinkCounts>,
    /// The protocols of links, as their system's file has them.
    pub(crate) protocols: BTreeMap<String, String>,
    /// Figures of all that clients saw.
    pub run: Option<PhaseFigures>,
    /// Judgements of its expectations, in their order.
    pub judged: Vec<Judged>,
    /// The reason why there was no run, or no whole one.
    pub failed: Option<String>,
    /// True where it was interrupted.
    pub interrupted: bool,
    /// Reasons for which nothing can be said of it as a whole.
    pub inconclusive: Vec<String>,
}

/// The protocol that is spoken on links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken(String);

impl Spoken {
    /// HTTP, which clients speak.
    pub(crate) fn http() -> Self {
        Self(Protocol::HTTP.name.to_owned())
    }

    /// The protocol in the language of scenarios: of what no proxy reads, `tcp`.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        let known = Protocol::ALL.iter().find(|protocol| protocol.name == self.0);
        known.unwrap_or(&Protocol::TCP).name
    }

    /// The protocol by its name, as people write it.
    #[must_use]
    pub fn words(&self) -> &str {
        match self.0.as_str() {
            "tls" => "TLS",
            "http" => "HTTP",
            "http/2" => "HTTP/2",
            "redis" => "RESP (Redis)",
            "postgresql" => "PostgreSQL",
            "amqp" => "AMQP",
            "mongodb" => "MongoDB",
            "kafka" => "Kafka",
            "mysql" => "MySQL",
            "nats" => "NATS",
            "ssh" => "SSH",
            "tcp" | UNKNOWN => "an unknown protocol",
            other => other,
        }
    }

    /// A remark on what no proxy reads.
    pub(crate) fn remark(&self) -> String {
        match self.words() {
            "TLS" => "TLS by its first bytes: effects on connections act on it".to_owned(),
            "an unknown protocol" => "its first bytes are of no protocol that `chaos` knows".to_owned(),
            name => format!("{name} by its first bytes: effects on connections act on it"),
        }
    }
}

impl Seen {
    /// Folds these events.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let (mut seen, mut counts, mut ended) = (Self::default(), ProxyCounts::default(), false);
        for Record { event, .. } in records {
            match event {
                Event::Begin(begin) => {
                    let links = begin.plan.system.links.iter();
                    let protocols = links.filter_map(|link| Some((link.link.clone(), link.protocol.clone()?)));
                    seen.protocols = protocols.collect();
                }
                Event::Counted(counted) => counts.update(&counted.counts),
                Event::Phase(figures) if figures.phase == RUN => seen.run = Some(figures.clone()),
                Event::Judged(judged) => seen.judged.push(judged.clone()),
                Event::WorldFailed { why } => drop(seen.failed.get_or_insert_with(|| why.clone())),
                Event::Inconclusive { why, .. } => seen.inconclusive.push(why.clone()),
                Event::Interrupted { .. } => seen.interrupted = true,
                Event::End { .. } => ended = true,
                _ => {}
            }
        }
        if !ended && seen.failed.is_none() {
            seen.failed = Some("the run ended before its end".to_owned());
        }
        Self { links: counts.links, ..seen }
    }

    /// The links that were used, in order: those between services, without that of the clients.
    pub fn used(&self) -> impl Iterator<Item = &str> {
        let is_used = |counts: &LinkCounts| counts.connections > 0 || !counts.messages.is_empty();
        let used = self.links.iter().filter(move |(_, counts)| is_used(counts)).map(|(link, _)| link.as_str());
        used.filter(|link| !link.starts_with("client -> "))
    }

    /// The protocol that is spoken with a service, as most of the connections to it show; none where there were none.
    #[must_use]
    pub fn spoken_with(&self, service: &str) -> Option<Spoken> {
        let mut names: BTreeMap<String, u64> = BTreeMap::new();
        for (link, counts) in self.links.iter().filter(|(link, _)| leads_to(link, service)) {
            for (name, count) in &counts.begins {
                *names.entry(name.clone()).or_default() += count;
            }
            // What a proxy reads, it knows.
            let protocol = self.protocols.get(link).filter(|_| !counts.messages.is_empty());
            if let Some(protocol) = protocol {
                *names.entry(protocol.clone()).or_default() += counts.connections;
            }
        }
        // Of two that are as many, the one that is known.
        let most = names.into_iter().max_by_key(|(name, count)| (*count, name != UNKNOWN));
        most.map(|(name, _)| Spoken(name))
    }

    /// The verdict of the expectation at this place.
    #[must_use]
    pub fn verdict(&self, place: usize) -> Option<Verdict> {
        self.judged.iter().find(|judged| judged.index == place).map(|judged| judged.verdict)
    }
}

/// True for links to a service, or to a replica of it.
fn leads_to(link: &str, service: &str) -> bool {
    let to = link.split_once(" -> ").map_or(link, |(_, to)| to);
    let to = to.split_once('#').map_or(to, |(to, _)| to);
    let is_replica = |rest: &str| rest.strip_prefix('.').is_some_and(|number| number.parse::<u32>().is_ok());
    to.strip_prefix(service).is_some_and(|rest| rest.is_empty() || is_replica(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{
        event::{Begin, Counted},
        plan::{Plan, PlannedLink},
    };

    fn record(event: Event) -> Record {
        Record { at_us: 0, event }
    }

    type Link<'a> = (&'a str, &'a [(&'a str, u64)], u64);

    fn counted(links: &[Link<'_>]) -> Record {
        let link = |(link, begins, messages): &Link<'_>| {
            let begins: BTreeMap<String, u64> =
                begins.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
            let connections = begins.values().sum::<u64>() + u64::from(*messages > 0);
            let messages = (*messages > 0).then(|| ("GET".to_owned(), *messages)).into_iter().collect();
            ((*link).to_owned(), LinkCounts { connections, begins, messages, ..LinkCounts::default() })
        };
        let links = links.iter().map(link).collect();
        let counts = ProxyCounts { links, ..ProxyCounts::default() };
        record(Event::Counted(Counted { counts, ..Counted::default() }))
    }

    #[test]
    fn links_that_carried_something_were_used() {
        let seen = Seen::of(&[
            counted(&[("client -> a", &[("http", 1)], 0), ("a -> b", &[("redis", 2), ("unknown", 2)], 0)]),
            counted(&[("a -> b", &[("redis", 3)], 0), ("a -> c", &[], 0), ("b -> d.2#5", &[("tls", 1)], 0)]),
            record(Event::End { verdict: None }),
        ]);
        assert_eq!(seen.used().collect::<Vec<_>>(), ["a -> b", "b -> d.2#5"]);
        let spoken =
            |service| seen.spoken_with(service).map(|spoken| spoken.protocol().to_owned() + ", " + spoken.words());
        assert_eq!(spoken("b").as_deref(), Some("redis, RESP (Redis)"));
        assert_eq!(spoken("d").as_deref(), Some("tcp, TLS"));
        assert_eq!(spoken("c"), None);
        assert_eq!(spoken("a").as_deref(), Some("http, HTTP"));
        assert_eq!(seen.failed, None);
    }

    #[test]
    fn what_a_proxy_reads_is_what_the_file_says() {
        let link =
            PlannedLink { link: "a -> b".to_owned(), protocol: Some("redis".to_owned()), transport: <_>::default() };
        let mut plan = Plan::default();
        plan.system.links = vec![link];
        let begin = Event::Begin(Begin { plan: plan.into(), ..Begin::default() });
        let seen = Seen::of(&[record(begin), counted(&[("a -> b", &[], 7)])]);
        assert_eq!(seen.spoken_with("b"), Some(Spoken("redis".to_owned())));
        assert_eq!(seen.failed.as_deref(), Some("the run ended before its end"));
    }
}
