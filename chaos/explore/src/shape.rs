//! The shape of a case: how long before, during and after its faults, and how many requests.

use std::time::Duration;

/// The timeline of a case: a time before its faults, their time, and the time after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Requests begun a second.
    pub(crate) rate: u32,
    pub(crate) before: Duration,
    pub(crate) during: Duration,
    pub(crate) after: Duration,
}

/// Time after the end of a fault in which a system has to recover.
pub(crate) const RECOVERS_WITHIN: Duration = Duration::from_secs(3);

/// Time before a fault that comes while caches and connections are cold.
const COLD: Duration = Duration::from_millis(100);

/// The least that a time is shortened to.
const SHORTEST: Duration = Duration::from_millis(500);

impl Shape {
    /// The shape with which an exploration begins.
    pub(crate) fn usual(rate: u32) -> Self {
        let seconds = Duration::from_secs;
        Self { rate, before: seconds(1), during: seconds(3), after: seconds(5) }
    }

    /// The whole of it.
    pub(crate) fn lasts(self) -> Duration {
        self.before + self.during + self.after
    }

    /// The same whose faults come while everything is cold.
    pub(crate) fn cold(self) -> Self {
        Self { before: COLD, ..self }
    }

    /// Shorter ones, and one with fewer requests.
    pub(crate) fn smaller(self) -> Vec<Self> {
        let half = |time: Duration| Some(time / 2).filter(|half| *half >= SHORTEST);
        let shorter = [
            half(self.during).map(|during| Self { during, ..self }),
            half(self.after).map(|after| Self { after, ..self }),
            half(self.before).map(|before| Self { before, ..self }),
        ];
        let fewer = (self.rate >= 4).then_some(Self { rate: self.rate / 2, ..self });
        shorter.into_iter().flatten().chain(fewer).collect()
    }
}
