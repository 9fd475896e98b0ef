//! The last calls to a service, and whether they speak against it. Pure: it is told what time it is.

use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// Limits beyond which a service counts as ill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The number of last calls that are looked at.
    pub(crate) calls: usize,
    /// Calls that ended longer ago are not.
    pub(crate) age: Duration,
    /// Fewer calls than these say nothing.
    pub(crate) minimum: usize,
    /// So many of a hundred failed: ill.
    pub(crate) failures_percent: usize,
    /// So many of a hundred were slow: ill.
    pub(crate) slow_percent: usize,
}

/// A call's word on its service. A call can be both slow and failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) failed: bool,
    pub(crate) slow: bool,
}

/// The sliding window.
pub(super) struct Window {
    limits: Limits,
    /// Oldest first.
    calls: VecDeque<(Instant, Outcome)>,
    failed: usize,
    slow: usize,
}

impl Window {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, calls: VecDeque::with_capacity(limits.calls), failed: 0, slow: 0 }
    }

    /// A call ended `now`.
    pub(super) fn record(&mut self, now: Instant, outcome: Outcome) {
        while self.calls.front().is_some_and(|(ended, _)| now.duration_since(*ended) > self.limits.age) {
            self.forget_oldest();
        }
        if self.calls.len() >= self.limits.calls {
            self.forget_oldest();
        }
        self.failed += usize::from(outcome.failed);
        self.slow += usize::from(outcome.slow);
        self.calls.push_back((now, outcome));
    }

    fn forget_oldest(&mut self) {
        if let Some((_, outcome)) = self.calls.pop_front() {
            self.failed -= usize::from(outcome.failed);
            self.slow -= usize::from(outcome.slow);
        }
    }

    /// Tells if there are enough calls, and too many of them failed or were slow.
    pub(super) fn is_ill(&self) -> bool {
        let calls = self.calls.len();
        let too_many = |count: usize, percent: usize| count * 100 >= percent * calls;
        calls >= self.limits.minimum
            && (too_many(self.failed, self.limits.failures_percent) || too_many(self.slow, self.limits.slow_percent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Outcome = Outcome { failed: false, slow: false };
    const FAILED: Outcome = Outcome { failed: true, slow: false };
    const SLOW: Outcome = Outcome { failed: false, slow: true };
    const LIMITS: Limits =
        Limits { calls: 10, age: Duration::from_secs(10), minimum: 4, failures_percent: 50, slow_percent: 80 };

    fn after(outcomes: &[Outcome]) -> bool {
        let mut window = Window::new(LIMITS);
        let now = Instant::now();
        outcomes.iter().for_each(|outcome| window.record(now, *outcome));
        window.is_ill()
    }

    #[test]
    fn few_calls_say_nothing() {
        assert!(!after(&[FAILED; 3]));
        assert!(after(&[FAILED; 4]));
    }

    #[test]
    fn failures_and_slow_calls_have_limits_of_their_own() {
        assert!(after(&[GOOD, GOOD, FAILED, FAILED]));
        assert!(!after(&[GOOD, GOOD, GOOD, FAILED, FAILED]));
        assert!(after(&[SLOW, SLOW, GOOD, SLOW, SLOW]));
        assert!(!after(&[SLOW, GOOD, SLOW, SLOW]));
    }

    #[test]
    fn only_the_last_calls_count() {
        assert!(!after(&[[FAILED; 3].as_slice(), &[GOOD; 8], &[FAILED; 3]].concat()));
        assert!(after(&[[GOOD; 10].as_slice(), &[FAILED; 5]].concat()));
    }

    #[test]
    fn old_calls_do_not_count() {
        let mut window = Window::new(LIMITS);
        let then = Instant::now();
        (0..20).for_each(|_| window.record(then, GOOD));
        let later = then + LIMITS.age + Duration::from_millis(1);
        (0..3).for_each(|_| window.record(later, FAILED));
        assert!(!window.is_ill());
        window.record(later, FAILED);
        assert!(window.is_ill());
    }
}
