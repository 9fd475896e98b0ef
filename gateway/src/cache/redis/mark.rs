//! The mark: a small value of this gateway's own in Redis. That it is gone tells that Redis came back without its data,
//! was flushed, or evicts what it was given: single keys that are absent can't tell that.

use host::Random;
use rand::Rng as _;
use std::time::Duration;

/// The time for which Redis keeps the mark: longer than the outages that it is to tell of.
pub(super) const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The mark of one gateway; others have their own, so that nobody's writing hides what another one should see.
pub(super) struct Mark {
    pub(super) key: String,
    /// Until when it must be there, since the Unix epoch.
    expected_until: Option<Duration>,
}

impl Mark {
    pub(super) fn new(random: &mut Random) -> Self {
        // Redis's run id would tell of a restart, and not of a flush.
        Self { key: format!("gateway:mark:{:016x}", random.next_u64()), expected_until: None }
    }

    /// Redis has taken it.
    pub(super) fn written(&mut self, now: Duration) {
        self.expected_until = Some(now.saturating_add(LIFE));
    }

    /// Tells if Redis has no mark, as far as is known.
    pub(super) fn is_missing(&self) -> bool {
        self.expected_until.is_none()
    }

    /// Tells if it is time to write the mark again: half of its life is over.
    pub(super) fn is_aging(&self, now: Duration) -> bool {
        self.expected_until.is_some_and(|until| now.saturating_add(LIFE / 2) >= until)
    }

    /// Redis says that it is not there: whether it should be. It isn't missed twice.
    pub(super) fn is_missed(&mut self, now: Duration) -> bool {
        self.expected_until.take().is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::memory::MemoryNetwork;

    #[test]
    fn it_is_missed_once_and_only_where_it_was_written() {
        let mut random = MemoryNetwork::new(1).host("gateway").rng("redis mark");
        let mut mark = Mark::new(&mut random);
        assert_ne!(mark.key, Mark::new(&mut random).key);
        let now = Duration::from_secs(1);
        assert!(!mark.is_missed(now) && !mark.is_aging(now));
        mark.written(now);
        assert!(!mark.is_aging(LIFE / 2) && mark.is_aging(now + LIFE / 2));
        assert!(mark.is_missed(LIFE) && !mark.is_missed(LIFE));
        mark.written(now);
        // Its own end is no loss.
        assert!(!mark.is_missed(now + LIFE));
    }
}
