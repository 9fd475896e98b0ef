//! Counts of what a fault did.

use super::Spared;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
use std::ops::AddAssign;

/// Counts of what a fault did while it was in place, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fired {
    /// Connections that it met.
    pub connections: u64,
    /// Chunks of bytes that it delayed, held or cut up; the ends of streams that it delayed.
    pub chunks: u64,
    /// Connections that it reset.
    pub resets: u64,
    /// Connections that it closed in an orderly way.
    pub closes: u64,
    /// Attempts to connect that were refused (where the system can't count them by socket: at most).
    pub refused: u64,
    /// Attempts to connect that were dropped, resent ones included.
    pub dropped: u64,
    /// Requests, commands or handshakes that it acted on.
    pub messages: u64,
    /// Requests or commands that waited behind one of these, on its connection.
    pub bystanders: u64,
    /// Connections, in each direction for itself, on which a delay held up the sender too, since as much was under way as may
    /// be: what came beyond that came slower than the delay alone would have it.
    pub throttled: u64,
    /// Times that a service was stopped, killed, frozen, restarted or flushed.
    pub services: u64,
    /// Connections and messages that it could not act on.
    #[serde(skip_serializing_if = "Spared::is_none")]
    pub spared: Spared,
}

impl Fired {
    /// True where the fault did anything at all; that it met a connection is not enough.
    #[must_use]
    pub fn any(&self) -> bool {
        // Connections alone don't count: to meet one and let it pass is nothing that anybody could have noticed.
        self.chunks + self.resets + self.closes + self.refused + self.dropped + self.messages + self.services > 0
    }

    /// The counts that are others than they were before; the others are 0.
    pub(super) fn changes_since(self, before: Self) -> Self {
        self.with(before, |now, before| if now == before { 0 } else { now })
    }

    /// The larger of each two counts: those that have grown.
    pub(super) fn grown(self, later: Self) -> Self {
        self.with(later, u64::max)
    }

    /// Each count made of those of two.
    fn with(self, other: Self, make: impl Fn(u64, u64) -> u64) -> Self {
        let Self {
            connections,
            chunks,
            resets,
            closes,
            refused,
            dropped,
            messages,
            bystanders,
            throttled,
            services,
            spared,
        } = other;
        Self {
            connections: make(self.connections, connections),
            chunks: make(self.chunks, chunks),
            resets: make(self.resets, resets),
            closes: make(self.closes, closes),
            refused: make(self.refused, refused),
            dropped: make(self.dropped, dropped),
            messages: make(self.messages, messages),
            bystanders: make(self.bystanders, bystanders),
            throttled: make(self.throttled, throttled),
            services: make(self.services, services),
            spared: self.spared.combined(spared, make),
        }
    }
}

/// Sums over the times that a fault was in place: a connection that it met in each is counted in each.
impl AddAssign for Fired {
    fn add_assign(&mut self, other: Self) {
        *self = self.with(other, |sum, more| sum + more);
    }
}

/// Counts without those that are zero: most of them are, and they are told again and again.
// In recordings alone: whoever asks a proxy over HTTP sees each count that there is.
struct Sparse<'a>(&'a Fired);

impl Serialize for Sparse<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Fired {
            connections,
            chunks,
            resets,
            closes,
            refused,
            dropped,
            messages,
            bystanders,
            throttled,
            services,
            spared,
        } = self.0;
        let all = [
            ("connections", connections),
            ("chunks", chunks),
            ("resets", resets),
            ("closes", closes),
            ("refused", refused),
            ("dropped", dropped),
            ("messages", messages),
            ("bystanders", bystanders),
            ("throttled", throttled),
            ("services", services),
        ];
        let mut map = to.serialize_map(None)?;
        for (name, count) in all.into_iter().filter(|(_, count)| **count > 0) {
            map.serialize_entry(name, count)?;
        }
        if !spared.is_none() {
            map.serialize_entry("spared", spared)?;
        }
        map.end()
    }
}

/// Counts of one fault without those that are zero.
pub(super) mod sparse {
    use super::{Fired, Sparse};
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(in crate::event) fn serialize<S: Serializer>(fired: &Fired, to: S) -> Result<S::Ok, S::Error> {
        Sparse(fired).serialize(to)
    }

    pub(in crate::event) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Fired, D::Error> {
        Fired::deserialize(from)
    }
}

/// Counts of several faults without those that are zero.
pub(super) mod sparse_map {
    use super::{Fired, Sparse};
    use serde::{Deserialize as _, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub(in crate::event) fn serialize<S: Serializer>(all: &BTreeMap<String, Fired>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(all.iter().map(|(fault, fired)| (fault, Sparse(fired))))
    }

    pub(in crate::event) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<String, Fired>, D::Error> {
        BTreeMap::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Unreadable;
    use std::collections::BTreeMap;

    #[test]
    fn each_count_has_its_own_name() {
        // Told apart by their values: a name that stands for another count would give that one back.
        let fired = Fired {
            connections: 1,
            chunks: 2,
            resets: 3,
            closes: 4,
            refused: 5,
            dropped: 6,
            messages: 7,
            bystanders: 8,
            services: 9,
            throttled: 13,
            spared: Spared::default().with(Unreadable::Tls, 11).with_messages(Unreadable::LongHead, 12),
        };
        let all = BTreeMap::from([("slow".to_owned(), fired)]);
        let text = sparse_map::serialize(&all, serde_json::value::Serializer).unwrap();
        assert_eq!(serde_json::from_value::<BTreeMap<String, Fired>>(text).unwrap(), all);
    }
}
