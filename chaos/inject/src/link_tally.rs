//! The tally of a link: the messages that its callers sent, by kind, whether a fault acts on them or not. Bounded.

use chaos_model::{calls::OTHER, event::LinkCounts};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Kinds that are told apart on a link. What comes beyond is counted as [`OTHER`].
const MOST_KINDS: usize = 64;

/// The longest kind. A longer one is told by nobody's expectation, and would stand in every recording.
const LONGEST_KIND: usize = 100;

/// Counts messages of many connections at once.
#[derive(Debug, Default)]
pub(crate) struct LinkTally {
    messages: Mutex<BTreeMap<String, u64>>,
    begins: Mutex<BTreeMap<&'static str, u64>>,
    unread: AtomicU64,
    turned_away: AtomicU64,
}

impl LinkTally {
    /// A message of this kind came.
    pub(crate) fn message(&self, kind: &str) {
        let mut messages = self.lock();
        if let Some(count) = messages.get_mut(kind) {
            *count += 1;
            return;
        }
        // Whoever calls chooses the words, so neither their number nor their length is theirs to choose.
        let has_room = messages.len() < MOST_KINDS && kind.len() <= LONGEST_KIND;
        let kind = if has_room { kind } else { OTHER };
        *messages.entry(kind.to_owned()).or_default() += 1;
    }

    /// A connection began with words of this protocol.
    pub(crate) fn begins(&self, name: &'static str) {
        *self.begins.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
    }

    /// Something came on a connection that could not be made sense of.
    pub(crate) fn unread(&self) {
        self.unread.fetch_add(1, Relaxed);
    }

    /// A connection was reset, since the proxy had no room for it.
    pub(crate) fn turn_away(&self) {
        self.turned_away.fetch_add(1, Relaxed);
    }

    /// The counts so far, on so many connections.
    pub(crate) fn read(&self, connections: u64) -> LinkCounts {
        let (unread, turned_away) = (self.unread.load(Relaxed), self.turned_away.load(Relaxed));
        let begins = self.begins.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = begins.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        LinkCounts { connections, unread, turned_away, begins, messages: self.lock().clone() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_neither_many_nor_long_ones_take_room() {
        let tally = LinkTally::default();
        tally.message("GET /");
        tally.message(&"x".repeat(LONGEST_KIND + 1));
        (0..2 * MOST_KINDS).for_each(|n| tally.message(&format!("GET /{n}")));
        tally.message("GET /");
        let counts = tally.read(1).messages;
        assert_eq!((counts["GET /"], counts["GET /0"]), (2, 1));
        assert!(counts.len() <= MOST_KINDS + 1, "{} kinds", counts.len());
        assert_eq!(counts.values().sum::<u64>(), 3 + 2 * MOST_KINDS as u64, "none is lost");
    }
}
