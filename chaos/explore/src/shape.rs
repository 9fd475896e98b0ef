//! The shape of a case: how long before, during and after its faults, and how many requests.

use serde::Serialize;
use std::time::Duration;

/// The moment at which faults come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// While caches are warm, and connections there.
    Warm,
    /// With the first requests.
    Cold,
    /// Once warm, and once more while the system recovers from that.
    Twice,
}

impl Moment {
    /// The moment in a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
            Self::Twice => "twice",
        }
    }
}

/// The timeline of a case: a time before its faults, their time, and the time after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Requests begun a second.
    pub(crate) rate: u32,
    pub(crate) before: Duration,
    pub(crate) during: Duration,
    pub(crate) after: Duration,
    /// The time after which the faults come again, for as long: while the system recovers. None where they come once.
    pub(crate) again: Option<Duration>,
}

/// Time after the end of a fault in which a system has to recover.
pub(crate) const RECOVERS_WITHIN: Duration = Duration::from_secs(3);

/// Time before a fault that comes while caches and connections are cold.
const COLD: Duration = Duration::from_millis(100);

/// Time between faults that come twice: that of a system which has begun to recover and is not done.
const RELAPSE: Duration = Duration::from_secs(1);

/// Time of each of two that come one after the other.
const EACH: Duration = Duration::from_millis(1500);

/// The least that a time is shortened to.
const SHORTEST: Duration = Duration::from_millis(500);

impl Shape {
    /// The shape with which an exploration begins.
    pub(crate) fn usual(rate: u32) -> Self {
        let seconds = Duration::from_secs;
        Self { rate, before: seconds(1), during: seconds(3), after: seconds(5), again: None }
    }

    /// The whole of it.
    pub(crate) fn lasts(self) -> Duration {
        self.before + self.during + self.again.map_or(Duration::ZERO, |gap| gap + self.during) + self.after
    }

    /// The time at which the faults begin for the last time.
    pub(crate) fn last(self) -> Duration {
        self.before + self.again.map_or(Duration::ZERO, |gap| self.during + gap)
    }

    /// The moment at which its faults come.
    pub(crate) fn moment(self) -> Moment {
        match self {
            Self { again: Some(_), .. } => Moment::Twice,
            Self { before, .. } if before <= COLD => Moment::Cold,
            _ => Moment::Warm,
        }
    }

    /// The same whose faults come while everything is cold.
    pub(crate) fn cold(self) -> Self {
        Self { before: COLD, ..self }
    }

    /// The same whose faults come twice, for the second time while the system recovers.
    pub(crate) fn again(self) -> Self {
        Self { during: EACH, again: Some(RELAPSE), ..self }
    }

    /// Shorter ones, and one with fewer requests.
    pub(crate) fn smaller(self) -> Vec<Self> {
        let half = |time: Duration| Some(time / 2).filter(|half| *half >= SHORTEST);
        let once = self.again.map(|_| Self { again: None, ..self });
        let shorter = [
            half(self.during).map(|during| Self { during, ..self }),
            half(self.after).map(|after| Self { after, ..self }),
            half(self.before).map(|before| Self { before, ..self }),
        ];
        let fewer = (self.rate >= 4).then_some(Self { rate: self.rate / 2, ..self });
        once.into_iter().chain(shorter.into_iter().flatten()).chain(fewer).collect()
    }
}
