//! Time to recover, from the responses after a fault: the earliest moment from which on the share of bad ones is at
//! most the baseline's.

use chaos_model::Share;
use std::time::Duration;

/// Moments that are kept; of more, every second one is.
const MOST: usize = 10_000;

/// The arrivals after a fault so far, as far as it takes to find that moment.
///
/// Each bad arrival lifts a level by the share of good ones in the baseline, and each other one lowers it by the
/// share of bad ones; so from a moment on there are no more bad ones than in the baseline if the level then was at
/// least what it is at the end. The first such moment is one at which the level was higher than ever before: those
/// are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recovering {
    level: i128,
    /// Levels that were higher than any before, with the moments of the arrivals that came next.
    peaks: Vec<(i128, Duration)>,
    first: Option<Duration>,
    last: Duration,
}

impl Recovering {
    /// Adds the next arrival: when it was due, and whether it was bad. `usual` is the baseline's share of bad ones.
    pub(crate) fn add(&mut self, at: Duration, bad: bool, usual: Share) {
        if self.peaks.last().is_none_or(|(highest, _)| self.level > *highest) {
            self.peaks.push((self.level, at));
            self.thin_out();
        }
        self.first.get_or_insert(at);
        self.last = at;
        // A share of nothing counts as none.
        let (parts, whole) = (i128::from(usual.parts), i128::from(usual.whole.max(1)));
        self.level += if bad { whole - parts } else { -parts };
    }

    /// The moments at which the first and the last arrival were due.
    pub(crate) fn ends(&self) -> Option<(Duration, Duration)> {
        self.first.map(|first| (first, self.last))
    }

    /// The moment from which on arrivals were as good as in the baseline, if there is one.
    pub(crate) fn good_from(&self) -> Option<Duration> {
        let first = self.peaks.partition_point(|(level, _)| *level < self.level);
        self.peaks.get(first).map(|(_, at)| *at)
    }

    /// Memory stays bounded where all is bad for hours: the moment is then known to within two bad arrivals.
    fn thin_out(&mut self) {
        if self.peaks.len() > MOST {
            let mut n = 0;
            self.peaks.retain(|_| {
                n += 1;
                n % 2 == 1
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As it is said: over all ends of the sequence.
    fn by_definition(bad: &[bool], usual: Share) -> Option<usize> {
        let as_good = |from: &usize| {
            let rest = &bad[*from..];
            let parts = rest.iter().filter(|bad| **bad).count() as u64;
            Share { parts, whole: rest.len() as u64 } <= usual
        };
        (0..bad.len()).find(as_good)
    }

    fn folded(bad: &[bool], usual: Share) -> Option<usize> {
        let mut recovering = Recovering::default();
        for (n, bad) in bad.iter().enumerate() {
            recovering.add(Duration::from_millis(n as u64), *bad, usual);
        }
        recovering.good_from().map(|at| usize::try_from(at.as_millis()).unwrap())
    }

    proptest! {
        #[test]
        fn the_fold_finds_what_the_definition_says(
            bad in proptest::collection::vec(any::<bool>(), 0..60),
            parts in 0_u64..5,
            whole in 5_u64..20,
        ) {
            let usual = Share { parts, whole };
            prop_assert_eq!(folded(&bad, usual), by_definition(&bad, usual));
        }
    }

    #[test]
    fn hours_of_failures_are_kept_in_bounded_memory() {
        let mut recovering = Recovering::default();
        let none = Share { parts: 0, whole: 0 };
        for n in 0..100_000 {
            recovering.add(Duration::from_millis(n), true, none);
        }
        assert!(recovering.peaks.len() <= MOST + 1);
        assert_eq!(recovering.good_from(), None);
        (100_000..100_010).for_each(|n| recovering.add(Duration::from_millis(n), false, none));
        assert_eq!(recovering.good_from(), Some(Duration::from_millis(100_000)));
    }
}
