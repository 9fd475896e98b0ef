use host::Random;
use rand::RngExt as _;

/// Count that a new key starts with, so that it isn't the first to go (`LFU_INIT_VAL`).
const START: u8 = 5;

/// The larger, the more uses a step takes (`lfu-log-factor`, 10 by default).
const LOG_FACTOR: f64 = 10.0;

const MINUTE_MS: i64 = 60_000;

/// Frequency of a key's use, as Redis counts it: each step takes more uses than the one before (a million come to 255),
/// and each minute takes one away.
#[derive(Clone, Copy)]
pub(super) struct Frequency {
    count: u8,
    /// Minutes since the Unix epoch when it last went down.
    minute: i64,
}

impl Default for Frequency {
    fn default() -> Self {
        Self { count: START, minute: i64::MAX }
    }
}

impl Frequency {
    /// The count that is left of it now.
    pub(super) fn count(self, now_ms: i64) -> u8 {
        let minutes = (now_ms / MINUTE_MS).saturating_sub(self.minute).max(0);
        self.count.saturating_sub(u8::try_from(minutes).unwrap_or(u8::MAX))
    }

    /// One more use.
    pub(super) fn count_use(&mut self, now_ms: i64, random: &mut Random) {
        let count = self.count(now_ms);
        let steps = f64::from(count.saturating_sub(START));
        let is_step = random.random::<f64>() < 1.0 / (steps * LOG_FACTOR + 1.0);
        *self = Self { count: count.saturating_add(u8::from(is_step)), minute: now_ms / MINUTE_MS };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn steps_become_rare_and_minutes_take_them_away() {
        let (mut random, mut frequency) = (Random::seed_from_u64(1), Frequency::default());
        assert_eq!(frequency.count(1_000_000_000), START);
        let mut after = |uses| {
            (0..uses).for_each(|_| frequency.count_use(0, &mut random));
            frequency.count(0)
        };
        let (few, more, many) = (after(100), after(900), after(9000));
        // The table in redis.conf says 10, 18 and 42 for these.
        assert!(
            (8..=14).contains(&few) && (15..=25).contains(&more) && (40..=60).contains(&many),
            "{few} {more} {many}"
        );
        assert_eq!(frequency.count(3 * MINUTE_MS), many - 3);
        assert_eq!(frequency.count(i64::MAX), 0);
        frequency.count_use(1000 * MINUTE_MS, &mut random);
        assert_eq!(frequency.count(1000 * MINUTE_MS), 1);
    }
}
