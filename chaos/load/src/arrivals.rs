//! The schedule of arrivals: due times are computed from the start, so that nothing can shift them meanwhile.

use crate::draw;
use chaos_model::{Arrivals, Load, Rate, Stage};
use std::time::Duration;

/// The arrivals of a load by number, each with when it is due, in order, from the beginning of the warm-up.
#[derive(Clone, Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    rates: Rates,
    seed: u64,
    /// Nothing is due from here on.
    end: Duration,
    next: u64,
    /// Poisson only: when the last one was due. Whole nanoseconds, so that the sum is exact.
    last: Duration,
}

/// The rate over time, the warm-up included.
#[derive(Clone, Debug)]
enum Rates {
    /// Always the same.
    Constant(Rate),
    Stages {
        /// Those that are not over, the next one last.
        left: Vec<Stage>,
        /// The time before that,
        began: Duration,
        /// and the arrivals that are due in it.
        before: f64,
        /// Poisson only: the sum of the gaps so far, at a rate of one.
        sum: f64,
    },
}

impl Schedule {
    /// All arrivals of `load` in a run with this seed.
    #[must_use]
    pub fn new(load: &Load, seed: u64) -> Self {
        let end = load.warmup + load.duration();
        let first = load.stages.first();
        let warmup = Stage { lasts: load.warmup, from: first, to: first };
        let in_stages = || {
            let mut left: Vec<Stage> = std::iter::once(warmup).chain(load.stages.all().iter().copied()).collect();
            left.reverse();
            Rates::Stages { left, began: Duration::ZERO, before: 0.0, sum: 0.0 }
        };
        let rates = load.stages.only_rate().map_or_else(in_stages, Rates::Constant);
        Self { arrivals: load.arrivals, rates, seed, end, next: 0, last: Duration::ZERO }
    }

    fn due(&mut self, n: u64) -> Option<Duration> {
        match (&mut self.rates, self.arrivals) {
            (Rates::Constant(rate), _) if rate.times == 0 => None,
            (Rates::Constant(rate), Arrivals::Constant) => {
                // From the start, and not from the one before: sums of rounded gaps would drift.
                let nanos = u128::from(n) * rate.per.as_nanos() / u128::from(rate.times);
                u64::try_from(nanos).ok().map(Duration::from_nanos)
            }
            (Rates::Constant(rate), Arrivals::Poisson) => {
                // Gaps between independent clients are distributed exponentially.
                let gap = unit_gap(self.seed, n) / rate.per_second();
                self.last.checked_add(Duration::try_from_secs_f64(gap).ok()?)
            }
            (Rates::Stages { left, began, before, sum }, arrivals) => {
                // The time by which so many are due on average (of a Poisson process of a rate that changes: its time is that of
                // one of rate 1, rescaled; Çinlar 1975, Introduction to Stochastic Processes, 4.7).
                let count = match arrivals {
                    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52")]
                    Arrivals::Constant => n as f64,
                    Arrivals::Poisson => {
                        *sum += unit_gap(self.seed, n);
                        *sum
                    }
                };
                loop {
                    let stage = left.last()?;
                    if let Some(time) = stage.until(count - *before) {
                        return Some(*began + time);
                    }
                    *began += stage.lasts;
                    *before += stage.by(stage.lasts);
                    left.pop();
                }
            }
        }
    }
}

/// The gap before arrival `n` of a Poisson process of rate 1.
fn unit_gap(seed: u64, n: u64) -> f64 {
    // The logarithm is that of (0, 1].
    -draw::unit(seed, b"gap", n).ln()
}

impl Iterator for Schedule {
    /// The number of the arrival and when it is due.
    type Item = (u64, Duration);

    fn next(&mut self) -> Option<Self::Item> {
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
    use chaos_model::Stages;

    fn schedule(arrivals: Arrivals, times: u64, per: Duration, seconds: u64, seed: u64) -> Vec<Duration> {
        let load = Load {
            stages: Stages::constant(Rate { times, per }, Duration::from_secs(seconds - 1)),
            arrivals,
            warmup: Duration::from_secs(1),
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

    fn a_second(times: u64) -> Rate {
        Rate { times, per: Duration::from_secs(1) }
    }

    /// 50/s for 20 s after a second of warm-up, from there to 500/s in 10 s, a pause of 5 s, and down to nothing in 5 s.
    fn staged(arrivals: Arrivals, seed: u64) -> Vec<Duration> {
        let stage =
            |seconds, from, to| Stage { lasts: Duration::from_secs(seconds), from: a_second(from), to: a_second(to) };
        let stages =
            Stages::new(vec![stage(20, 50, 50), stage(10, 50, 500), stage(5, 0, 0), stage(5, 400, 0)]).unwrap();
        let load = Load { stages, arrivals, warmup: Duration::from_secs(1), ..load() };
        Schedule::new(&load, seed).map(|(_, due)| due).collect()
    }

    /// The arrivals of each second.
    fn by_second(due: &[Duration]) -> Vec<f64> {
        let mut seconds = vec![0.0; 41];
        due.iter().for_each(|due| seconds[usize::try_from(due.as_secs()).unwrap()] += 1.0);
        seconds
    }

    /// The same as it is asked: the rate in the middle of each second.
    fn asked() -> Vec<f64> {
        let ramp = (0..10).map(|n| 50.0 + 45.0 * (f64::from(n) + 0.5));
        let down = (0..5).map(|n| 400.0 - 80.0 * (f64::from(n) + 0.5));
        std::iter::repeat_n(50.0, 21).chain(ramp).chain([0.0; 5]).chain(down).collect()
    }

    #[test]
    fn stages_have_as_many_arrivals_in_each_second_as_is_asked() {
        let due = staged(Arrivals::Constant, 1);
        assert!(due.is_sorted());
        assert_eq!(due.len(), 21 * 50 + 2750 + 1000);
        for (n, (came, asked)) in by_second(&due).into_iter().zip(asked()).enumerate() {
            assert!((came - asked).abs() <= 1.0, "{came} of {asked} in second {n}");
        }
        assert_eq!(due[50], Duration::from_secs(1), "the warm-up has the rate of the first stage");
    }

    #[test]
    fn independent_clients_come_by_chance_at_rates_that_change() {
        // Of 400 runs together, each second has four standard deviations of room.
        let runs = 400;
        let mut sums = vec![0.0; 41];
        for seed in 0..runs {
            let due = staged(Arrivals::Poisson, seed);
            assert!(due.is_sorted());
            sums.iter_mut().zip(by_second(&due)).for_each(|(sum, came)| *sum += came);
        }
        for (n, (came, asked)) in sums.into_iter().zip(asked()).enumerate() {
            let asked = asked * runs as f64;
            assert!((came - asked).abs() <= 4.0 * asked.sqrt(), "{came} of {asked} in second {n}");
        }
        assert_eq!(staged(Arrivals::Poisson, 3), staged(Arrivals::Poisson, 3));
    }

    #[test]
    fn stages_of_one_rate_are_that_rate() {
        let stage = Stage { lasts: Duration::from_secs(5), from: a_second(100), to: a_second(100) };
        let of = |stages: Vec<Stage>, arrivals| {
            let stages = Stages::new(stages).unwrap();
            Schedule::new(&Load { stages, arrivals, ..load() }, 7).collect::<Vec<_>>()
        };
        for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
            let whole = Stage { lasts: Duration::from_secs(10), ..stage };
            assert_eq!(of(vec![stage, stage], arrivals), of(vec![whole], arrivals));
        }
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
