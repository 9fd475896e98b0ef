//! Draws that don't depend on the order in which they are made.
//!
//! Each is a pure function of the seed, the fault's name, the link and what is decided about, and never the next number
//! of a stream. So equal keys decide alike in every world, whatever other faults there are.

use chaos_model::{Direction, Distribution, Share, Spread};
use host::Random;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Open01, StandardNormal};
use std::time::Duration;

/// The common part of all draws of one fault on one link: a hash of seed, fault and link.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    pub(crate) seed: u64,
    pub(crate) fault: String,
    pub(crate) link: String,
}

impl Draws {
    /// Decides whether the fault takes the nth connection (counted from 0). Exact, without floating point: the
    /// connection's hash is a number in [0, 1) and is below the share or not, which makes 10 % a subset of 20 %.
    pub(crate) fn takes(&self, share: Share, connection: u64) -> bool {
        self.takes_key(share, &[&connection.to_le_bytes()])
    }

    /// The same for whatever has this key.
    pub(crate) fn takes_key(&self, share: Share, key: &[&[u8]]) -> bool {
        let hash = self.hash(key);
        // hash / 2^64 < parts / whole; a share of nothing takes nothing.
        share.whole > 0 && u128::from(hash) * u128::from(share.whole) < u128::from(share.parts) << 64
    }

    /// The delay of the kth chunk (counted from 0) that goes this way on the nth connection. Never below 0.
    pub(crate) fn delay(&self, connection: u64, direction: Direction, kth: u64, spread: &Spread) -> Duration {
        self.delay_of(&[&connection.to_le_bytes(), direction.name().as_bytes(), &kth.to_le_bytes()], spread)
    }

    /// The delay of whatever has this key. Never below 0.
    pub(crate) fn delay_of(&self, key: &[&[u8]], spread: &Spread) -> Duration {
        if spread.jitter.is_zero() {
            return spread.mean;
        }
        let mut random = Random::seed_from_u64(self.hash(key));
        let (mean, jitter) = (spread.mean.as_secs_f64(), spread.jitter.as_secs_f64());
        let seconds = match spread.distribution {
            Distribution::Uniform => mean + jitter * random.random_range(-1.0..=1.0),
            Distribution::Normal => mean + jitter * random.sample::<f64, _>(StandardNormal),
            Distribution::Lognormal => lognormal(mean, jitter, random.sample(StandardNormal)),
            Distribution::Pareto => pareto(mean, jitter, random.sample(Open01)),
        };
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// A hash of the key that is this fault's alone. A key has four parts at the most.
    pub(crate) fn hash(&self, keys: &[&[u8]]) -> u64 {
        let mut all = [self.fault.as_bytes(), self.link.as_bytes(), &[], &[], &[], &[]];
        let length = 2 + keys.len();
        all[2..length].copy_from_slice(keys);
        host::hash(self.seed, &all[..length])
    }
}

/// The value that a standard normal deviate stands for, of a log-normal distribution with this mean and standard
/// deviation.
fn lognormal(mean: f64, deviation: f64, normal: f64) -> f64 {
    let variance = (deviation / mean).powi(2).ln_1p();
    (mean.ln() - variance / 2.0 + variance.sqrt() * normal).exp()
}

/// The value that a share in (0, 1) stands for, of a Pareto distribution with this mean and standard deviation: its
/// shape a solves `deviation² / mean² = 1 / (a (a - 2))`, its scale is `mean (a - 1) / a`.
fn pareto(mean: f64, deviation: f64, share: f64) -> f64 {
    let shape = 1.0 + (1.0 + (mean / deviation).powi(2)).sqrt();
    mean * (shape - 1.0) / shape * share.powf(-1.0 / shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draws(seed: u64) -> Draws {
        Draws { seed, fault: "slow".to_owned(), link: "gateway -> redis".to_owned() }
    }

    fn percent(parts: u64) -> Share {
        Share { parts, whole: 100 }
    }

    proptest! {
        #[test]
        fn a_share_is_a_subset_of_a_larger_one(seed: u64, nth: u64, small in 0..=100_u64, more in 0..=100_u64) {
            let large = (small + more).min(100);
            prop_assert!(!draws(seed).takes(percent(small), nth) || draws(seed).takes(percent(large), nth));
        }

        #[test]
        fn all_is_all_and_nothing_is_nothing(seed: u64, nth: u64, whole in 1..u64::MAX) {
            let takes = |parts, whole| draws(seed).takes(Share { parts, whole }, nth);
            prop_assert!(takes(whole, whole) && !takes(0, whole) && !takes(0, 0));
        }

        #[test]
        fn equal_shares_take_the_same(seed: u64, nth: u64, parts in 0..1000_u64, times in 1..1000_u64) {
            let whole = 1000;
            let (one, other) = (Share { parts, whole }, Share { parts: parts * times, whole: whole * times });
            prop_assert_eq!(draws(seed).takes(one, nth), draws(seed).takes(other, nth));
        }
    }

    #[test]
    fn a_share_is_met_for_every_seed() {
        for seed in 0..20 {
            let taken = (0..10_000).filter(|nth| draws(seed).takes(percent(10), *nth)).count();
            // The 99.99 % interval of a binomial distribution: 1000 ± 3.89 · 30.
            assert!((884..=1116).contains(&taken), "{taken} with seed {seed}");
        }
    }

    /// Many delays, in milliseconds, in order.
    fn delays(seed: u64, spread: &Spread) -> Vec<f64> {
        let delay =
            |kth: u64| draws(seed).delay(kth / 100, Direction::Downstream, kth % 100, spread).as_secs_f64() * 1e3;
        let mut all = (0..20_000).map(delay).collect::<Vec<_>>();
        all.sort_by(f64::total_cmp);
        all
    }

    fn moments(all: &[f64]) -> (f64, f64) {
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|delay| (delay - mean).powi(2)).sum::<f64>() / all.len() as f64;
        (mean, variance.sqrt())
    }

    #[test]
    fn delays_have_the_mean_and_the_spread_that_were_asked_for() {
        let (mean, jitter) = (Duration::from_millis(100), Duration::from_millis(20));
        for seed in 0..4 {
            for distribution in Distribution::ALL {
                // The deviation of a uniform distribution is its half width / √3. That of a sample varies the more the
                // heavier the tail is.
                let (expected, tolerance) = match distribution {
                    Distribution::Uniform => (20.0 / 3.0_f64.sqrt(), 0.02),
                    Distribution::Normal => (20.0, 0.02),
                    Distribution::Lognormal => (20.0, 0.03),
                    Distribution::Pareto => (20.0, 0.15),
                };
                let (mean, deviation) = moments(&delays(seed, &Spread { mean, jitter, distribution }));
                let words = format!("mean {mean}, deviation {deviation} of {distribution:?} with seed {seed}");
                assert!((mean - 100.0).abs() < 0.6, "{words}");
                assert!((deviation - expected).abs() < tolerance * expected, "{words}");
            }
        }
    }

    #[test]
    fn skewed_delays_have_the_quantiles_of_their_distributions() {
        let (mean, jitter) = (Duration::from_millis(100), Duration::from_millis(50));
        let near = |seen: f64, expected: f64| assert!((seen / expected - 1.0).abs() < 0.03, "{seen}, not {expected}");
        let quantile = |all: &[f64], percent: usize| all[all.len() * percent / 100];
        for seed in 0..5 {
            // ln X is N(μ, σ) with σ² = ln(1 + (50/100)²) and μ = ln 100 - σ²/2; 1.2816 and 2.3263 are the standard
            // normal's 90 % and 99 % quantiles.
            let lognormal = delays(seed, &Spread { mean, jitter, distribution: Distribution::Lognormal });
            let (median, sigma) = (100.0 / 1.25_f64.sqrt(), 1.25_f64.ln().sqrt());
            near(quantile(&lognormal, 50), median);
            near(quantile(&lognormal, 90), median * (1.2816 * sigma).exp());
            near(quantile(&lognormal, 99), median * (2.3263 * sigma).exp());
            // The shape is 1 + √(1 + (100/50)²) = 1 + √5, the scale 100 · √5 / (1 + √5), P(X > x) = (scale / x)^shape.
            let pareto = delays(seed, &Spread { mean, jitter, distribution: Distribution::Pareto });
            let (shape, scale) = (1.0 + 5.0_f64.sqrt(), 100.0 * 5.0_f64.sqrt() / (1.0 + 5.0_f64.sqrt()));
            near(pareto[0], scale);
            assert!(pareto[0] >= scale - 1e-6, "no delay is below the scale");
            near(quantile(&pareto, 50), scale * 0.5_f64.powf(-1.0 / shape));
            near(quantile(&pareto, 90), scale * 0.1_f64.powf(-1.0 / shape));
            near(quantile(&pareto, 99), scale * 0.01_f64.powf(-1.0 / shape));
        }
    }

    #[test]
    fn a_normal_delay_is_cut_off_at_nothing() {
        let spread = Spread {
            mean: Duration::from_millis(10),
            jitter: Duration::from_millis(30),
            distribution: Distribution::Normal,
        };
        let delays = (0..1000).map(|kth| draws(1).delay(0, Direction::Upstream, kth, &spread)).collect::<Vec<_>>();
        let none = delays.iter().filter(|delay| delay.is_zero()).count();
        // P(X < 0) for N(10, 30) is 36.9 %.
        assert!((300..=440).contains(&none), "{none}");
    }

    #[test]
    fn draws_differ_by_connection_way_chunk_fault_and_link() {
        let spread = Spread {
            mean: Duration::from_secs(1),
            jitter: Duration::from_secs(1),
            distribution: Distribution::Uniform,
        };
        let other = |fault: &str, link: &str| Draws { seed: 1, fault: fault.to_owned(), link: link.to_owned() };
        let mut all = vec![
            draws(1).delay(0, Direction::Upstream, 0, &spread),
            draws(1).delay(1, Direction::Upstream, 0, &spread),
            draws(1).delay(0, Direction::Downstream, 0, &spread),
            draws(1).delay(0, Direction::Upstream, 1, &spread),
            draws(2).delay(0, Direction::Upstream, 0, &spread),
            other("fast", "gateway -> redis").delay(0, Direction::Upstream, 0, &spread),
            other("slow", "gateway -> redis#sessions").delay(0, Direction::Upstream, 0, &spread),
        ];
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 7);
    }

    #[test]
    fn draws_are_pinned() {
        // A recorded seed must mean the same tomorrow.
        let taken = (0..40).filter(|nth| draws(42).takes(percent(20), *nth)).collect::<Vec<_>>();
        assert_eq!(taken, [3, 4, 8, 12, 13, 19, 25, 26, 29, 36, 38]);
        let spread = Spread {
            mean: Duration::from_millis(50),
            jitter: Duration::from_millis(20),
            distribution: Distribution::Uniform,
        };
        assert_eq!(draws(42).delay(3, Direction::Downstream, 5, &spread), Duration::from_nanos(35_427_115));
    }
}
