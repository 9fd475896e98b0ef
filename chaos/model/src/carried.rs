//! Counts of what links carried while faults were there, as their proxies tell.

mod unfired;

use crate::{Fault, event::ProxyCounts};
use std::time::Duration;

/// Counts that are asked for at an edge of the timeline come so much later at most: what is later counts as after it.
const LATE: Duration = Duration::from_millis(100);

/// Counts of what came on a fault's links while it was there, whatever it did to that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// Connections that were accepted.
    pub connections: u64,
    /// Messages, as far as what is spoken there is read.
    pub messages: u64,
}

/// Counts by fault: a fold over those that proxies tell.
#[derive(Clone, Debug, Default)]
pub struct Carried(Vec<Watched>);

#[derive(Clone, Debug)]
struct Watched {
    fault: String,
    links: Vec<String>,
    from: Duration,
    to: Duration,
    /// The counts when it began,
    before: Came,
    /// and the last ones while it was there; none where nobody counts.
    last: Option<Came>,
}

impl Carried {
    /// For these faults, each on the links that `links` gives, as written.
    pub fn new(faults: &[Fault], links: impl Fn(&Fault) -> Vec<String>) -> Self {
        let watched = |fault: &Fault| Watched {
            fault: fault.name.clone(),
            links: links(fault),
            from: fault.at + LATE,
            to: fault.ends() + LATE,
            before: Came::default(),
            last: None,
        };
        Self(faults.iter().map(watched).collect())
    }

    /// Takes in all that proxies had counted at a moment of the timeline. Moments come in order.
    pub fn on(&mut self, at: Duration, counts: &ProxyCounts) {
        for watched in self.0.iter_mut().filter(|watched| at <= watched.to) {
            let mut links = watched.links.iter().map(|link| counts.links.get(link));
            let sum = links.try_fold(Came::default(), |sum, link| {
                let link = link?;
                let messages = sum.messages + link.messages.values().sum::<u64>();
                Some(Came { connections: sum.connections + link.connections, messages })
            });
            if at <= watched.from {
                watched.before = sum.unwrap_or_default();
            }
            watched.last = sum.filter(|_| !watched.links.is_empty());
        }
    }

    /// The counts of what came while this fault was there; none where nobody counted.
    #[must_use]
    pub fn of(&self, fault: &str) -> Option<Came> {
        let Watched { before, last, .. } = self.0.iter().find(|watched| watched.fault == fault)?;
        let last = (*last)?;
        Some(Came {
            connections: last.connections.saturating_sub(before.connections),
            messages: last.messages.saturating_sub(before.messages),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, Link, Target, effect::Hang, event::LinkCounts};

    fn link(from: &str) -> Link {
        Link { from: Endpoint::Service(from.to_owned()), to: "db".to_owned(), label: None }
    }

    fn counts(all: &[(&str, u64, u64)]) -> ProxyCounts {
        let links = all.iter().map(|(from, connections, messages)| {
            let messages = [("GET /".to_owned(), *messages), ("PUT /".to_owned(), 1)].into();
            (link(from).to_string(), LinkCounts { connections: *connections, messages, ..LinkCounts::default() })
        });
        ProxyCounts { links: links.collect(), ..ProxyCounts::default() }
    }

    #[test]
    fn what_came_before_and_after_is_left_out() {
        let seconds = Duration::from_secs;
        let on = Target::of_links(vec![link("a"), link("b")]);
        let fault = Fault { at: seconds(4), lasts: seconds(2), ..Fault::new("f", on, Hang {}) };
        let links = |fault: &Fault| fault.on.links().iter().map(Link::to_string).collect();
        let mut carried = Carried::new(&[fault], links);
        assert_eq!(carried.of("f"), None, "nobody has counted");
        carried.on(seconds(3), &counts(&[("a", 1, 10), ("b", 0, 0)]));
        carried.on(seconds(4), &counts(&[("a", 2, 20), ("b", 1, 5)]));
        assert_eq!(carried.of("f"), Some(Came::default()), "and then nothing came");
        carried.on(seconds(5), &counts(&[("a", 2, 25), ("b", 2, 5)]));
        let late = seconds(6) + Duration::from_millis(3);
        carried.on(late, &counts(&[("a", 2, 28), ("b", 2, 6)]));
        carried.on(seconds(7), &counts(&[("a", 9, 99), ("b", 9, 9)]));
        assert_eq!(carried.of("f"), Some(Came { connections: 1, messages: 9 }));
        assert_eq!(carried.of("another"), None);
    }

    #[test]
    fn a_link_that_nobody_counts_is_not_known_to_be_idle() {
        let fault = Fault { lasts: Duration::from_secs(1), ..Fault::new("f", Target::Link(link("a")), Hang {}) };
        let mut carried = Carried::new(std::slice::from_ref(&fault), |_| vec![link("a").to_string()]);
        carried.on(Duration::ZERO, &counts(&[("b", 1, 1)]));
        assert_eq!(carried.of("f"), None);
        let mut nowhere = Carried::new(&[fault], |_| Vec::new());
        nowhere.on(Duration::ZERO, &counts(&[("b", 1, 1)]));
        assert_eq!(nowhere.of("f"), None);
    }
}
