//! Times in which requests with a value were made.

use super::super::SLACK;
use std::time::Duration;

/// The time that work for a request may go on after it began, be it answered by then or not: what is renewed in the
/// background.
const LINGERS: Duration = Duration::from_secs(1);

/// Readings of when a request is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// While it is under way.
    UnderWay,
    /// And for a time after it began, where it is answered sooner.
    Lingering,
}

impl Reading {
    pub(super) const ALL: [Self; 2] = [Self::UnderWay, Self::Lingering];
}

/// The times in which requests with one value were there, by reading: stretches in order, without overlaps.
#[derive(Debug)]
pub(super) struct Times([Vec<(Duration, Duration)>; 2]);

impl Times {
    /// The times of requests that were under way in these stretches, at least one, in any order.
    pub(super) fn new(mut spans: Vec<(Duration, Duration)>) -> Self {
        spans.sort_unstable();
        let lingering = spans.iter().map(|(begin, end)| (*begin, (*end).max(*begin + LINGERS)));
        Self([united(spans.iter().copied()), united(lingering)])
    }

    fn of(&self, reading: Reading) -> &[(Duration, Duration)] {
        &self.0[reading as usize]
    }

    /// True if a request was there at this moment; a proxy's clock may be a little late or early.
    pub(super) fn has(&self, reading: Reading, at: Duration) -> bool {
        let spans = self.of(reading);
        let begun = spans.partition_point(|(begin, _)| *begin <= at + SLACK);
        begun > 0 && at <= spans[begun - 1].1 + SLACK
    }

    /// The time between two moments in which one was under way.
    pub(super) fn under_way(&self, (from, to): (Duration, Duration)) -> Duration {
        let spans = self.of(Reading::UnderWay).iter();
        spans.map(|(begin, end)| (*end).min(to).saturating_sub((*begin).max(from))).sum()
    }

    /// True if the first of them had begun by then.
    pub(super) fn begin_by(&self, at: Duration) -> bool {
        self.of(Reading::UnderWay).first().is_some_and(|(begin, _)| *begin <= at)
    }
}

/// Stretches in the order of their beginnings, made into ones that do not overlap.
fn united(spans: impl Iterator<Item = (Duration, Duration)>) -> Vec<(Duration, Duration)> {
    let mut all: Vec<(Duration, Duration)> = Vec::new();
    for (begin, end) in spans {
        match all.last_mut() {
            Some(last) if begin <= last.1 => last.1 = last.1.max(end),
            _ => all.push((begin, end)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn stretches_are_counted_once() {
        let times = Times::new(vec![(ms(5000), ms(5100)), (ms(100), ms(300)), (ms(200), ms(250))]);
        let has = |reading, at| times.has(reading, ms(at));
        assert!(has(Reading::UnderWay, 280) && has(Reading::UnderWay, 309) && !has(Reading::UnderWay, 320));
        assert!(has(Reading::UnderWay, 95) && !has(Reading::UnderWay, 80), "clocks differ");
        assert!(has(Reading::Lingering, 1150) && !has(Reading::Lingering, 1300));
        assert_eq!(times.under_way((ms(150), ms(5050))), ms(200));
        assert!(times.begin_by(ms(100)) && !times.begin_by(ms(99)));
    }
}
