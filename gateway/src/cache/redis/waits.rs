//! Waits with jitter that grow, so that many gateways neither knock at once nor knock for ever at the same pace.

use host::Random;
use rand::RngExt as _;
use std::time::Duration;

/// Each wait is `base` and by chance up to `spread` more; then the spread doubles, up to `most`.
pub(super) struct Waits {
    random: Random,
    base: Duration,
    first: Duration,
    spread: Duration,
    most: Duration,
}

impl Waits {
    pub(super) fn new(random: Random, base: Duration, first: Duration, most: Duration) -> Self {
        Self { random, base, first, spread: first, most }
    }

    pub(super) fn next(&mut self) -> Duration {
        let spread = self.spread;
        self.spread = (spread * 2).min(self.most);
        self.base + spread.mul_f64(self.random.random_range(0.0..=1.0))
    }

    /// All was well: the next wait is the first again.
    pub(super) fn restart(&mut self) {
        self.spread = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_spread_up_to_the_most_and_start_anew() {
        let random = host::memory::MemoryNetwork::new(7).host("gateway").rng("waits");
        let millis = Duration::from_millis;
        let mut waits = Waits::new(random, millis(500), millis(125), millis(500));
        for spread in [125, 250, 500, 500] {
            let wait = waits.next();
            assert!(wait >= millis(500) && wait <= millis(500 + spread), "{wait:?}");
        }
        waits.restart();
        assert!(waits.next() <= millis(625));
    }
}
