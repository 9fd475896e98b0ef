//! The schedule of arrivals: due times are computed from the start, so that nothing can shift them meanwhile.

use crate::draw;
use chaos_model::{Arrivals, Load, Rate};
use std::time::Duration;

/// The arrivals of a load by number, each with when it is due, in order, from the beginning of the warm-up.
#[derive(Clone, Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    rate: Rate,
    seed: u64,
    /// Nothing is due from here on.
    end: Duration,
    next: u64,
    /// Poisson only: when the last one was due. Whole nanoseconds, so that the sum is exact.
    last: Duration,
}

impl Schedule {
    /// All arrivals of `load` in a run with this seed.
    #[must_use]
    pub fn new(load: &Load, seed: u64) -> Self {
        let end = load.warmup + load.duration;
        Self { arrivals: load.arrivals, rate: load.rate, seed, end, next: 0, last: Duration::ZERO }
    }

    fn due(&self, n: u64) -> Option<Duration> {
        match self.arrivals {
            Arrivals::Constant => {
                // From the start, and not from the one before: sums of rounded gaps would drift.
                let nanos = u128::from(n) * self.rate.per.as_nanos() / u128::from(self.rate.times);
                u64::try_from(nanos).ok().map(Duration::from_nanos)
            }
            Arrivals::Poisson => {
                // Gaps between independent clients are distributed exponentially; the logarithm is that of (0, 1].
                let gap = -draw::unit(self.seed, b"gap", n).ln() / self.rate.per_second();
                self.last.checked_add(Duration::try_from_secs_f64(gap).ok()?)
            }
        }
    }
}

impl Iterator for Schedule {
    /// The number of the arrival and when it is due.
    type Item = (u64, Duration);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rate.times == 0 {
            return None;
        }
        let n = self.next;
        let due = self.due(n).filter(|due| *due < self.end)?;
        self.next += 1;
        self.last = due;
        Some((n, due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::load;

    fn schedule(arrivals: Arrivals, times: u64, per: Duration, seconds: u64, seed: u64) -> Vec<Duration> {
        let load = Load {
            rate: Rate { times, per },
            arrivals,
            warmup: Duration::from_secs(1),
            duration: Duration::from_secs(seconds - 1),
            ..load()
        };
        Schedule::new(&load, seed)
            .enumerate()
            .map(|(i, (n, due))| {
                assert_eq!(i as u64, n);
                due
            })
            .collect()
    }

    #[test]
    fn constant_arrivals_stand_where_they_belong_and_cover_the_warm_up() {
        let due = schedule(Arrivals::Constant, 3, Duration::from_secs(1), 7200, 0);
        assert_eq!(due.len(), 3 * 7200);
        assert_eq!(due[1], Duration::from_nanos(333_333_333));
        // No drift: two hours in, the error is still that of one rounding.
        assert_eq!(due[3 * 7000], Duration::from_secs(7000));
    }

    #[test]
    fn a_rate_by_the_minute() {
        let due = schedule(Arrivals::Constant, 30, Duration::from_secs(60), 10, 0);
        assert_eq!(due, [0, 2, 4, 6, 8].map(Duration::from_secs));
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let due = schedule(Arrivals::Poisson, 1000, Duration::from_secs(1), 100, 42);
        // 100,000 are expected, give or take four standard deviations (316 each).
        assert!(due.len().abs_diff(100_000) < 1265, "{}", due.len());
        let gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e3).collect();
        let count = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        assert!((mean - 1.0).abs() < 0.02, "mean of {mean} ms");
        // An exponential distribution's variance is the square of its mean.
        assert!((variance - 1.0).abs() < 0.05, "variance of {variance}");
        // Without memory: neighbouring gaps are independent.
        let covariance = gaps.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>() / count;
        assert!(covariance.abs() < 0.02, "covariance of {covariance}");
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals_and_another_seed_others() {
        let of = |seed| schedule(Arrivals::Poisson, 100, Duration::from_secs(1), 10, seed);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn a_longer_run_begins_like_a_shorter_one() {
        let of = |seconds| schedule(Arrivals::Poisson, 100, Duration::from_secs(1), seconds, 7);
        assert!(of(20).starts_with(&of(10)));
    }
}
