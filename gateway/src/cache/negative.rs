//! Users that don't exist, for some seconds each, so that asking for them again and again costs the services little.
//!
//! They have room of their own, bounded by their number: whoever tries all ids pushes no profile out.

use super::memory::{Hasher, options};
use crate::user_id::UserId;
use std::time::Duration;

/// Ids that are remembered.
const ROOM: usize = 16_384;

pub(super) struct Negative {
    /// Until when it is believed, since the Unix epoch.
    ends: quick_cache::sync::Cache<UserId, Duration, quick_cache::UnitWeighter, Hasher>,
    lasts: Duration,
}

impl Negative {
    pub(super) fn new(lasts: Duration) -> Self {
        let ends = quick_cache::sync::Cache::with_options(
            options(ROOM, ROOM as u64),
            quick_cache::UnitWeighter,
            Hasher::default(),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        Self { ends, lasts }
    }

    /// The time for which the user is still believed not to exist; `None` where nothing is known.
    pub(super) fn left(&self, user: UserId, now: Duration) -> Option<Duration> {
        self.ends.get(&user)?.checked_sub(now).filter(|left| !left.is_zero())
    }

    pub(super) fn put(&self, user: UserId, now: Duration) {
        if !self.lasts.is_zero() {
            self.ends.insert(user, now.saturating_add(self.lasts));
        }
    }

    pub(super) fn remove(&self, user: UserId) {
        self.ends.remove(&user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_and_is_bounded() {
        let second = Duration::from_secs(1);
        let negative = Negative::new(second * 5);
        let user = |number: u64| -> UserId { number.to_string().parse().unwrap() };
        negative.put(user(1), second);
        assert_eq!(negative.left(user(1), second * 4), Some(second * 2));
        assert_eq!(negative.left(user(1), second * 6), None);
        negative.remove(user(1));
        assert_eq!(negative.left(user(1), second), None);
        (1..=100_000).for_each(|number| negative.put(user(number), second));
        assert!(negative.ends.len() <= ROOM);
        let off = Negative::new(Duration::ZERO);
        off.put(user(1), second);
        assert_eq!(off.left(user(1), second), None);
    }
}
