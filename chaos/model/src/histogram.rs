//! The histogram of latencies: one layout for judge, terminal, reports and recordings, in bounded memory.

use crate::event::LatencyFigures;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeStruct as _};
use std::{collections::BTreeMap, time::Duration};

/// The first number of microseconds with more digits than are kept.
const COARSE: u64 = 10_000;

/// A histogram of durations with three significant digits: each counts as the next longer one of at most four decimal
/// digits in microseconds (12.3451 ms as 12.35 ms), so that it is never below the truth and less than a thousandth
/// above. Sum and maximum are exact. It grows with the number of different latencies, some thousand at most, and
/// not with samples.
///
/// Recorded as `{"sum_us": …, "max_us": …, "us": [value, count, value, count, …]}`, the values ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By upper edge in microseconds.
    buckets: BTreeMap<u64, u64>,
    count: u64,
    sum: Duration,
    max: Duration,
}

impl Histogram {
    /// Counts a duration.
    pub fn record(&mut self, duration: Duration) {
        *self.buckets.entry(edge(duration)).or_default() += 1;
        self.count += 1;
        self.sum += duration;
        self.max = self.max.max(duration);
    }

    /// Counts everything that `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        for (edge, count) in &other.buckets {
            *self.buckets.entry(*edge).or_default() += count;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// The same with other samples in place of some of these. The longest is then known to the bucket that it is in.
    #[must_use]
    pub fn with(&self, others: &Self, in_place_of: &Self) -> Self {
        if in_place_of.is_empty() {
            return self.clone();
        }
        let mut buckets = self.buckets.clone();
        for (edge, count) in &in_place_of.buckets {
            if let Some(had) = buckets.get_mut(edge) {
                *had = had.saturating_sub(*count);
            }
        }
        buckets.retain(|_, count| *count > 0);
        let longest = buckets.last_key_value().map_or(Duration::ZERO, |(edge, _)| Duration::from_micros(*edge));
        let mut replaced = Self {
            count: buckets.values().sum(),
            buckets,
            sum: self.sum.saturating_sub(in_place_of.sum),
            max: longest.min(self.max),
        };
        replaced.merge(others);
        replaced
    }

    /// The same samples, each shorter by this time, but for those that would be below nothing.
    #[must_use]
    pub fn shorter_by(&self, time: Duration) -> Self {
        let mut shorter = Self::default();
        for (edge, count) in self.buckets() {
            let sample = edge.saturating_sub(time);
            *shorter.buckets.entry(self::edge(sample)).or_default() += count;
            shorter.count += count;
            shorter.sum += sample * u32::try_from(count).unwrap_or(u32::MAX);
            shorter.max = shorter.max.max(sample);
        }
        shorter
    }

    /// The number of samples counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// True if nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The longest duration, exactly; none if nothing was counted.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// The arithmetic mean, exactly; none if nothing was counted.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let nanos = self.sum.as_nanos().checked_div(u128::from(self.count))?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// The percentile by nearest rank, in thousandths of a percent (50 is 50,000); none if nothing was counted.
    #[must_use]
    pub fn percentile(&self, thousandths: u32) -> Option<Duration> {
        let rank = (u128::from(self.count) * u128::from(thousandths)).div_ceil(100_000).max(1);
        let mut below = 0_u128;
        let bucket = self.buckets.iter().find(|(_, count)| {
            below += u128::from(**count);
            below >= rank
        });
        // The longest is known exactly, so no percentile is told to be above it.
        bucket.map(|(edge, _)| Duration::from_micros(*edge).min(self.max))
    }

    /// The figures of a report; none if nothing was counted.
    #[must_use]
    pub fn figures(&self) -> Option<LatencyFigures> {
        Some(LatencyFigures {
            p50: self.percentile(50_000)?,
            p90: self.percentile(90_000)?,
            p99: self.percentile(99_000)?,
            p999: self.percentile(99_900)?,
            max: self.max()?,
        })
    }

    /// The buckets that are not empty, ascending: the upper edge of each, which belongs to it, and its count.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        self.buckets.iter().map(|(edge, count)| (Duration::from_micros(*edge), *count))
    }
}

/// The upper edge of a duration's bucket, in microseconds.
fn edge(duration: Duration) -> u64 {
    let micros = u64::try_from(duration.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX);
    let mut unit = 1;
    while micros / unit >= COARSE {
        unit *= 10;
    }
    micros.div_ceil(unit).saturating_mul(unit)
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let flat: Vec<u64> = self.buckets.iter().flat_map(|(edge, count)| [*edge, *count]).collect();
        let mut fields = to.serialize_struct("Histogram", 3)?;
        fields.serialize_field("sum_us", &micros(self.sum))?;
        fields.serialize_field("max_us", &micros(self.max))?;
        fields.serialize_field("us", &flat)?;
        fields.end()
    }
}

#[derive(Deserialize)]
struct Recorded {
    sum_us: u64,
    max_us: u64,
    us: Vec<u64>,
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Recorded { sum_us, max_us, us } = Recorded::deserialize(from)?;
        let (pairs, []) = us.as_chunks::<2>() else {
            return Err(D::Error::custom("a value without its count"));
        };
        let buckets: BTreeMap<u64, u64> = pairs.iter().map(|[edge, count]| (*edge, *count)).collect();
        let count = buckets.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
        Ok(Self { buckets, count, sum: Duration::from_micros(sum_us), max: Duration::from_micros(max_us) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(durations: impl IntoIterator<Item = Duration>) -> Histogram {
        let mut histogram = Histogram::default();
        durations.into_iter().for_each(|duration| histogram.record(duration));
        histogram
    }

    #[test]
    fn percentiles_are_by_nearest_rank_and_mean_and_maximum_exact() {
        let histogram = of((1..=200).map(Duration::from_millis));
        let ms = |thousandths| histogram.percentile(thousandths).unwrap().as_millis();
        assert_eq!((ms(50_000), ms(99_000), ms(99_900), ms(100_000), ms(0)), (100, 198, 200, 200, 1));
        assert_eq!(histogram.mean(), Some(Duration::from_micros(100_500)));
        assert_eq!(histogram.max(), Some(Duration::from_millis(200)));
    }

    #[test]
    fn nothing_has_no_figures() {
        let nothing = Histogram::default();
        assert_eq!((nothing.percentile(50_000), nothing.mean(), nothing.max()), (None, None, None));
        assert!(nothing.figures().is_none() && nothing.is_empty());
    }

    #[test]
    fn four_digits_are_exact_and_more_are_rounded_up() {
        for (nanos, micros) in
            [(0, 0), (1, 1), (1000, 1), (12_340_000, 12_340), (12_340_001, 12_350), (u64::MAX, 18_450_000_000_000_000)]
        {
            assert_eq!(edge(Duration::from_nanos(nanos)), micros, "{nanos}");
        }
    }

    #[test]
    fn samples_can_be_taken_out_and_made_shorter() {
        let ms = |all: &[u64]| of(all.iter().copied().map(Duration::from_millis));
        let some = ms(&[5, 400]);
        let shorter = some.shorter_by(Duration::from_millis(300));
        assert_eq!(shorter, ms(&[0, 100]));
        assert_eq!(ms(&[5, 7, 400, 400]).with(&shorter, &some), ms(&[0, 7, 100, 400]));
        assert_eq!(ms(&[5, 400]).with(&shorter, &some), shorter);
        assert_eq!(some.with(&shorter, &ms(&[])), some);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_a_thousandth_above_the_truth(
            nanos in proptest::collection::vec(0_u64..600_000_000_000, 1..200),
            split in 0_usize..200,
        ) {
            let durations: Vec<_> = nanos.iter().map(|nanos| Duration::from_nanos(*nanos)).collect();
            let (one, other) = durations.split_at(split.min(durations.len()));
            let mut histogram = of(one.iter().copied());
            histogram.merge(&of(other.iter().copied()));
            prop_assert_eq!(&histogram, &of(durations.iter().copied()));
            let mut sorted = durations;
            sorted.sort_unstable();
            for thousandths in [1, 50_000, 90_000, 99_000, 99_900] {
                let rank = (sorted.len() * thousandths as usize).div_ceil(100_000).max(1);
                let (truth, seen) = (sorted[rank - 1], histogram.percentile(thousandths).unwrap());
                prop_assert!(seen >= truth, "{:?} for {:?}", seen, truth);
                prop_assert!(seen <= truth.mul_f64(1.001) + Duration::from_micros(1), "{:?} for {:?}", seen, truth);
            }
        }

        #[test]
        fn recordings_keep_it_to_the_microsecond(micros in proptest::collection::vec(0_u64..60_000_000, 0..50)) {
            let histogram = of(micros.into_iter().map(Duration::from_micros));
            let text = serde_json::to_string(&histogram).unwrap();
            prop_assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), histogram);
        }
    }

    #[test]
    fn a_recording_is_small_and_says_what_is_wrong_with_it() {
        let text = serde_json::to_string(&of([12, 12, 40].map(Duration::from_millis))).unwrap();
        assert_eq!(text, r#"{"sum_us":64000,"max_us":40000,"us":[12000,2,40000,1]}"#);
        let error = serde_json::from_str::<Histogram>(r#"{"sum_us":1,"max_us":1,"us":[1]}"#).unwrap_err();
        assert!(error.to_string().contains("a value without its count"), "{error}");
    }
}
