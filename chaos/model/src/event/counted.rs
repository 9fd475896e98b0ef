//! Counts of proxies: what each link carried and each fault did, up to some moment.

use super::Fired;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Counts of proxies at a moment of the timeline: at each second, and where a phase begins or ends, before what changes
/// there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The moment at which they were asked for.
    #[serde(rename = "counted_us", with = "crate::micros")]
    pub at: Duration,
    /// The counts; those that are not there are as they were in the event before.
    #[serde(flatten)]
    pub counts: ProxyCounts,
}

/// Counts of proxies since the run began. They only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyCounts {
    /// By link, as written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, LinkCounts>,
    /// By fault: what it did so far, in all the times in which it was there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "super::fired::sparse_map")]
    pub faults: BTreeMap<String, Fired>,
}

/// Counts of what came to a link from its callers, whether a fault acted on it or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCounts {
    /// Connections that were accepted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub connections: u64,
    /// Connections on which something came that its protocol's reader did not understand: what else came on them is not
    /// among the messages.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread: u64,
    /// Connections that were reset since the proxy had no room for them: at its bound, or out of descriptors.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub turned_away: u64,
    /// Connections by what their first bytes are of, as `tls` or `postgresql`, or `unknown`; on links on which nothing is read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub begins: BTreeMap<String, u64>,
    /// Requests and commands by their kind: `GET /users/*`, `SETEX`. None where what is spoken there isn't read. Each is counted
    /// when its head has come, or all of a command, whatever faults then do to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<String, u64>,
}

/// Counts by their kind.
type Counts = BTreeMap<String, u64>;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ProxyCounts {
    /// Adds what faults did on one more link.
    pub fn add_fired(&mut self, fired: impl IntoIterator<Item = (String, Fired)>) {
        for (fault, fired) in fired {
            *self.faults.entry(fault).or_default() += fired;
        }
    }

    /// True if nothing was counted, or nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.links.is_empty() && self.faults.is_empty()
    }

    /// The counts that are others than they were before.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Self {
        let links = self.links.iter().filter(|(link, counts)| before.links.get(*link) != Some(*counts));
        let links = links.map(|(link, counts)| {
            let changes = before.links.get(link).map_or_else(|| counts.clone(), |before| counts.changes_since(before));
            (link.clone(), changes)
        });
        let faults = self.faults.iter().filter(|(fault, fired)| before.faults.get(*fault) != Some(*fired));
        let faults = faults.map(|(fault, fired)| {
            let before = before.faults.get(fault).copied().unwrap_or_default();
            (fault.clone(), fired.changes_since(before))
        });
        Self { links: links.collect(), faults: faults.collect() }
    }

    /// Takes later counts in, or what has changed until then.
    pub fn update(&mut self, later: &Self) {
        for (link, counts) in &later.links {
            self.links.entry(link.clone()).or_default().update(counts);
        }
        for (fault, fired) in &later.faults {
            let known = self.faults.entry(fault.clone()).or_default();
            *known = known.grown(*fired);
        }
    }
}

impl LinkCounts {
    fn changes_since(&self, before: &Self) -> Self {
        let changed = |now: &Counts, before: &Counts| {
            let changed = now.iter().filter(|(kind, count)| before.get(*kind) != Some(*count));
            changed.map(|(kind, count)| (kind.clone(), *count)).collect()
        };
        Self {
            connections: if self.connections == before.connections { 0 } else { self.connections },
            unread: if self.unread == before.unread { 0 } else { self.unread },
            turned_away: if self.turned_away == before.turned_away { 0 } else { self.turned_away },
            begins: changed(&self.begins, &before.begins),
            messages: changed(&self.messages, &before.messages),
        }
    }

    fn update(&mut self, later: &Self) {
        self.connections = self.connections.max(later.connections);
        self.unread = self.unread.max(later.unread);
        self.turned_away = self.turned_away.max(later.turned_away);
        self.begins.extend(later.begins.iter().map(|(kind, count)| (kind.clone(), *count)));
        self.messages.extend(later.messages.iter().map(|(kind, count)| (kind.clone(), *count)));
    }

    /// The counts without those that others had made before: of a proxy that outlives runs.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let since = |now: &Counts, before: &Counts| {
            let since = now.iter().map(|(kind, count)| {
                let before = before.get(kind).copied().unwrap_or_default();
                (kind.clone(), count.saturating_sub(before))
            });
            since.filter(|(_, count)| *count > 0).collect()
        };
        Self {
            connections: self.connections.saturating_sub(before.connections),
            unread: self.unread.saturating_sub(before.unread),
            turned_away: self.turned_away.saturating_sub(before.turned_away),
            begins: since(&self.begins, &before.begins),
            messages: since(&self.messages, &before.messages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Record};

    fn link(connections: u64, messages: &[(&str, u64)]) -> LinkCounts {
        let messages: Counts = messages.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        let begins = [("tls".to_owned(), connections), ("unknown".to_owned(), 1)].into();
        LinkCounts { connections, unread: connections / 2, turned_away: connections / 3, begins, messages }
    }

    fn counts(links: &[(&str, LinkCounts)], fired: u64) -> ProxyCounts {
        let fired = Fired { messages: fired, ..Fired::default() };
        ProxyCounts {
            links: links.iter().map(|(name, counts)| ((*name).to_owned(), counts.clone())).collect(),
            faults: BTreeMap::from([("slow".to_owned(), fired)]),
        }
    }

    #[test]
    fn changes_make_up_the_whole() {
        let steps = [
            counts(&[("a -> b", link(1, &[("GET /", 2)]))], 0),
            counts(&[("a -> b", link(1, &[("GET /", 3), ("PUT /", 1)])), ("a -> c", link(1, &[]))], 0),
            counts(&[("a -> b", link(2, &[("GET /", 3), ("PUT /", 1)])), ("a -> c", link(1, &[]))], 4),
        ];
        let (mut before, mut folded) = (ProxyCounts::default(), ProxyCounts::default());
        for step in &steps {
            folded.update(&step.changes_since(&before));
            assert_eq!(folded, *step);
            before.clone_from(step);
        }
        assert!(steps[2].changes_since(&steps[2]).is_empty());
        let mut changes = counts(&[("a -> b", link(2, &[]))], 4);
        changes.links.values_mut().for_each(|link| link.begins = [("tls".to_owned(), 2)].into());
        assert_eq!(steps[2].changes_since(&steps[1]), changes, "and nothing that was told before");
    }

    #[test]
    fn counts_of_a_proxy_that_was_there_before_begin_with_the_run() {
        let (now, before) = (link(5, &[("GET", 7), ("SET", 2)]), link(3, &[("GET", 7), ("SET", 1)]));
        let since = LinkCounts { begins: [("tls".to_owned(), 2)].into(), ..link(2, &[("SET", 1)]) };
        assert_eq!(now.since(&before), since);
    }

    #[test]
    fn counts_survive_a_recording_without_what_is_zero() {
        let counts = counts(&[("gateway -> redis", link(1, &[("GET", 7)]))], 3);
        let record = Record { at_us: 1, event: Event::Counted(Counted { at: Duration::from_secs(2), counts }) };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record, "{text}");
        let expected = r#""counted_us":2000000,"links":{"gateway -> redis":{"connections":1,"begins":{"tls":1,"unknown":1},"messages":{"GET":7}}},"faults":{"slow":{"messages":3}}}"#;
        assert!(text.ends_with(expected), "{text}");
    }
}
