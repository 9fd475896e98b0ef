//! Stalls of the machine: in how much of a slice some task waited for a processor.

use std::{collections::VecDeque, time::Duration};

/// Samples of the time in which tasks waited so far, by moment of the timeline.
#[derive(Debug, Default)]
pub(super) struct Stalls(VecDeque<(Duration, Duration)>);

impl Stalls {
    /// Adds a sample, which is later than those before.
    pub(super) fn add(&mut self, at: Duration, total: Duration) {
        self.0.push_back((at, total));
    }

    /// The time from one moment to another in which tasks waited, and forgets what lies before. None where samples cover less
    /// than half of it; of the rest, what they cover is taken for the whole.
    pub(super) fn within(&mut self, from: Duration, to: Duration) -> Option<Duration> {
        while self.0.get(1).is_some_and(|(at, _)| *at <= from) {
            self.0.pop_front();
        }
        self.so_far(from, to)
    }

    /// The same of what is known so far, and forgets nothing.
    pub(super) fn so_far(&self, from: Duration, to: Duration) -> Option<Duration> {
        let (first, last) = (self.0.front()?.0.max(from), self.0.back()?.0.min(to));
        let covered = last.checked_sub(first)?;
        if covered * 2 < to.saturating_sub(from) || covered.is_zero() {
            return None;
        }
        let stalled = self.total(last)?.saturating_sub(self.total(first)?);
        Some(stalled.mul_f64(to.saturating_sub(from).div_duration_f64(covered)))
    }

    /// The total at a moment, by the samples around it.
    fn total(&self, at: Duration) -> Option<Duration> {
        let after = self.0.partition_point(|(sample, _)| *sample < at);
        let &(end, most) = self.0.get(after).or(self.0.back())?;
        let Some(&(begin, least)) = after.checked_sub(1).and_then(|before| self.0.get(before)) else {
            return Some(most);
        };
        let lasts = end.saturating_sub(begin);
        if lasts.is_zero() {
            return Some(most);
        }
        let share = at.saturating_sub(begin).div_duration_f64(lasts).min(1.0);
        Some(least + most.saturating_sub(least).mul_f64(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn stalls() -> Stalls {
        let mut stalls = Stalls::default();
        for (at, total) in [(0, 7000), (1000, 7100), (2000, 8000), (2500, 8500)] {
            stalls.add(ms(at), ms(total));
        }
        stalls
    }

    #[test]
    fn a_slice_has_what_was_stalled_in_it() {
        let mut stalls = stalls();
        assert_eq!(stalls.within(ms(0), ms(1000)), Some(ms(100)));
        assert_eq!(stalls.within(ms(1000), ms(1500)), Some(ms(450)), "samples are taken as even in between");
        assert_eq!(stalls.within(ms(1500), ms(2000)), Some(ms(450)));
        assert_eq!(stalls.within(ms(2000), ms(3000)), Some(ms(1000)), "half of it is known, and taken for the whole");
        assert_eq!(stalls.0.len(), 2, "what lies before is forgotten");
    }

    #[test]
    fn what_no_sample_covers_is_not_known() {
        assert_eq!(stalls().within(ms(2001), ms(3000)), None);
        assert_eq!(stalls().within(ms(4000), ms(5000)), None);
        assert_eq!(Stalls::default().within(ms(0), ms(1000)), None);
    }
}
