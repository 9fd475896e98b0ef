//! Durations in bounded memory.

use chaos_model::event::LatencyFigures;
use std::{fmt, time::Duration};

/// Finer differences are of no interest.
const LOWEST: Duration = Duration::from_nanos(100);
/// Longer ones count as this.
const HIGHEST: Duration = Duration::from_secs(600);

/// A histogram of durations: 3 significant digits from 100 ns to 10 minutes, in some 190 kB. A quantile is the upper
/// edge of its bucket, so it is never below the truth and at most 0.1 % above; the maximum is exact.
#[derive(Clone)]
pub struct Histogram {
    buckets: hdrhistogram::Histogram<u64>,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = hdrhistogram::Histogram::new_with_bounds(nanos(LOWEST), nanos(HIGHEST), 3);
        Self { buckets: buckets.expect("the bounds are in order"), max: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        self.buckets.saturating_record(nanos(duration));
        self.max = self.max.max(duration);
    }

    /// Counts everything that `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        let added = self.buckets.add(&other.buckets);
        debug_assert!(added.is_ok(), "all have the same bounds");
        self.max = self.max.max(other.max);
    }

    /// The number of samples counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.len()
    }

    /// The duration that a share of `quantile` (0 to 1) doesn't exceed; none if nothing was counted.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let value = Duration::from_nanos(self.buckets.value_at_quantile(quantile));
        (self.count() > 0).then(|| value.min(self.max))
    }

    /// The figures of a report; none if nothing was counted.
    #[must_use]
    pub fn figures(&self) -> Option<LatencyFigures> {
        Some(LatencyFigures {
            p50: self.quantile(0.5)?,
            p90: self.quantile(0.9)?,
            p99: self.quantile(0.99)?,
            p999: self.quantile(0.999)?,
            max: self.max,
        })
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Histogram({} counted, {:?})", self.count(), self.figures())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_no_figures() {
        assert_eq!(Histogram::default().figures(), None);
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    #[test]
    fn longer_than_the_range_is_counted_and_its_maximum_is_exact() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_secs(3600));
        let figures = histogram.figures().unwrap();
        assert_eq!(figures.max, Duration::from_secs(3600));
        assert!(figures.p50 >= HIGHEST, "{figures:?}");
    }

    proptest! {
        #[test]
        fn quantiles_are_within_a_thousandth_above_the_truth(
            micros in proptest::collection::vec(0_u64..600_000_000, 1..200),
            split in 0_usize..200,
        ) {
            let (mut one, mut other) = (Histogram::default(), Histogram::default());
            for (i, micros) in micros.iter().enumerate() {
                let half = if i < split { &mut one } else { &mut other };
                half.record(Duration::from_micros(*micros));
            }
            one.merge(&other);
            prop_assert_eq!(one.count(), micros.len() as u64);
            let mut sorted = micros;
            sorted.sort_unstable();
            for (quantile, parts) in [(0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999)] {
                let rank = (sorted.len() * parts).div_ceil(1000).max(1);
                let truth = Duration::from_micros(sorted[rank - 1]);
                let seen = one.quantile(quantile).unwrap();
                prop_assert!(seen >= truth && seen <= truth.mul_f64(1.001) + LOWEST, "{:?} for {:?}", seen, truth);
            }
            prop_assert_eq!(one.figures().unwrap().max, Duration::from_micros(sorted[sorted.len() - 1]));
        }
    }
}
