//! Bad responses beyond the baseline: what its share of bad ones can't explain by chance.
//!
//! Of a share that was seen in some hundred responses the true one is not known. The most that it may be is the upper end of
//! its score interval at 99 % (Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22,
//! 1927): 0 of 800 may be 0.8 %, and 0 of 20 may be 25 %. Bad responses are beyond the baseline where a cumulative sum of
//! log-likelihood ratios against that share (Page, "Continuous inspection schemes", Biometrika 41, 1954) rises so high that
//! chance alone brings it there in one of a hundred runs. It rises from where the bad ones began to be more, so it tells that
//! moment too.

use chaos_model::Share;
use std::time::Duration;

/// The quantile of the normal distribution for an interval at 99 %, two-sided.
const Z: f64 = 2.575_829;

/// Shares that are told from the baseline's: the odds of each are twice those of the one before.
const LARGER: usize = 10;

/// The chance that a sum comes to its height though nothing changed, as one in so many.
const ONE_IN: f64 = 100.0;

/// Parts of a whole by which the most that a share may be is rounded up.
const FINE: u64 = 1_000_000;

/// The share of bad responses in the baseline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Baseline {
    /// The share that was seen.
    pub(crate) share: Share,
    /// The most that the true share may be.
    pub(crate) most: Share,
}

impl Baseline {
    /// The baseline in which this share was seen.
    pub(crate) fn of(share: Share) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1")]
        let parts = (upper_end(share) * 1e6).ceil() as u64;
        Self { share, most: Share { parts: parts.min(FINE), whole: FINE } }
    }
}

/// The upper end of Wilson's score interval; 1 where nothing was seen.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn upper_end(share: Share) -> f64 {
    if share.whole == 0 {
        return 1.0;
    }
    let (seen, n) = (share.as_f64(), share.whole as f64);
    let spread = Z * (seen * (1.0 - seen) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((seen + Z * Z / (2.0 * n) + spread) / (1.0 + Z * Z / n)).min(1.0)
}

/// Responses in the order of time, and the stretches of them in which more are bad than in the baseline.
#[derive(Clone, Debug)]
pub(crate) struct Beyond {
    sums: Vec<Sum>,
    count: u64,
    began: Option<Duration>,
    /// The first response behind the last stretch, once there is one; the outer is none where there was no stretch.
    rest: Option<Option<Duration>>,
}

/// The sum by which one larger share is told from the baseline's.
#[derive(Clone, Copy, Debug)]
struct Sum {
    bad: f64,
    good: f64,
    level: f64,
    /// The bad response from which on it is above 0.
    since: Option<Duration>,
}

impl Sum {
    fn new(usual: f64, larger: f64) -> Self {
        let (bad, good) = ((larger / usual).ln(), ((1.0 - larger) / (1.0 - usual)).ln());
        Self { bad, good, level: 0.0, since: None }
    }
}

impl Beyond {
    /// Nothing seen yet, to be told from this baseline. Of one that may be anything, nothing can be told.
    pub(crate) fn new(baseline: Baseline) -> Self {
        let usual = baseline.most.as_f64();
        let odds = usual / (1.0 - usual);
        let larger = (1..=LARGER).scan(odds, |odds, _| {
            *odds *= 2.0;
            Some(*odds / (1.0 + *odds))
        });
        let sums = if usual < 1.0 { larger.map(|larger| Sum::new(usual, larger)).collect() } else { Vec::new() };
        Self { sums, count: 0, began: None, rest: None }
    }

    /// Adds the next response.
    pub(crate) fn add(&mut self, at: Duration, bad: bool) {
        self.count += 1;
        if let Some(rest @ None) = &mut self.rest {
            *rest = Some(at);
        }
        if !bad {
            for sum in &mut self.sums {
                sum.level += sum.good;
                if sum.level <= 0.0 {
                    (sum.level, sum.since) = (0.0, None);
                }
            }
            return;
        }
        let height = self.height();
        let mut since = None;
        for sum in &mut self.sums {
            // No higher, so that it falls as soon as it is over.
            sum.level = (sum.level + sum.bad).min(height);
            let began = *sum.since.get_or_insert(at);
            if sum.level >= height {
                since = Some(since.map_or(began, |since: Duration| since.min(began)));
            }
        }
        if let Some(since) = since {
            self.began.get_or_insert(since);
            self.rest = Some(None);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn height(&self) -> f64 {
        (ONE_IN * LARGER as f64 * self.count as f64).ln()
    }

    /// The first bad response of the first stretch.
    pub(crate) fn began(&self) -> Option<Duration> {
        self.began
    }

    /// The first response behind the last stretch: none within where that is not over, and none at all where there was none.
    pub(crate) fn rest(&self) -> Option<Option<Duration>> {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(parts: u64, whole: u64) -> f64 {
        (Baseline::of(Share { parts, whole }).most.as_f64() * 1e4).round() / 1e4
    }

    #[test]
    fn the_fewer_were_seen_the_more_it_may_be() {
        assert_eq!([most(0, 800), most(0, 20), most(8, 400), most(0, 0)], [0.0082, 0.2491, 0.0474, 1.0]);
    }

    /// The stretches of these responses, one each 10 ms.
    fn beyond(baseline: Share, responses: impl IntoIterator<Item = bool>) -> Beyond {
        let mut beyond = Beyond::new(Baseline::of(baseline));
        let at = (0..).map(|n| Duration::from_millis(10 * n));
        at.zip(responses).for_each(|(at, bad)| beyond.add(at, bad));
        beyond
    }

    const CLEAN: Share = Share { parts: 0, whole: 400 };
    const NOISY: Share = Share { parts: 8, whole: 400 };

    #[test]
    fn where_all_are_bad_it_begins_with_the_first_and_ends_with_the_last() {
        let all = [[false; 50], [true; 50], [false; 50]].concat();
        for baseline in [CLEAN, NOISY] {
            let beyond = beyond(baseline, all.clone());
            assert_eq!(beyond.began(), Some(Duration::from_millis(500)));
            assert_eq!(beyond.rest(), Some(Some(Duration::from_secs(1))));
        }
        assert_eq!(beyond(CLEAN, [true; 50]).rest(), Some(None), "it is not over");
    }

    #[test]
    fn one_bad_response_may_be_chance_and_without_a_baseline_any_number() {
        let mut one = [false; 400];
        one[200] = true;
        assert_eq!(beyond(CLEAN, one).began(), None);
        assert_eq!(beyond(Share { parts: 0, whole: 0 }, [true; 400]).began(), None);
        assert_eq!(beyond(Share { parts: 0, whole: 5 }, [true; 9]).began(), None, "so few may be bad by chance");
        assert!(beyond(CLEAN, [true; 9]).began().is_some());
    }

    fn drawn(seed: u64, percent: u64, count: u64) -> Vec<bool> {
        (0..count).map(|n| host::hash(seed, &[&n.to_le_bytes()]) % 100 < percent).collect()
    }

    fn share(of: &[bool]) -> Share {
        Share { parts: of.iter().filter(|bad| **bad).count() as u64, whole: of.len() as u64 }
    }

    #[test]
    fn a_share_that_stays_what_it_was_is_taken_for_more_in_less_than_one_of_a_hundred() {
        let wrong = (0..500).filter(|seed| {
            let all = drawn(*seed, 2, 1200);
            beyond(share(&all[..400]), all[400..].iter().copied()).began().is_some()
        });
        assert!(wrong.count() < 5);
    }

    #[test]
    fn a_share_that_grows_is_seen_soon_after_it_has() {
        for seed in 0..50 {
            let all = [drawn(seed, 2, 800), drawn(seed + 1000, 30, 400)].concat();
            let began = beyond(share(&all[..400]), all[400..].iter().copied()).began();
            let late = began.map(|began| began.as_millis().cast_signed() - 4000);
            assert!(late.is_some_and(|late| (-700..700).contains(&late)), "{seed}: {late:?}");
        }
    }
}
