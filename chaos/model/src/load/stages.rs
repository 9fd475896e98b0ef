//! The rate of arrivals over the timeline: constant, or in stages that keep a rate or lead from one to another.

use crate::{Rate, quantity::show_duration};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A stage of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The time that it lasts.
    #[serde(rename = "lasts_us", with = "crate::micros")]
    pub lasts: Duration,
    /// The rate at its beginning,
    pub from: Rate,
    /// and at its end: in between, it changes evenly.
    pub to: Rate,
}

/// The rate of arrivals over the timeline: at least one stage, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stages(Vec<Stage>);

impl Stages {
    /// One rate, for so long.
    #[must_use]
    pub fn constant(rate: Rate, lasts: Duration) -> Self {
        Self(vec![Stage { lasts, from: rate, to: rate }])
    }

    /// These stages, one after the other; none where there are none.
    #[must_use]
    pub fn new(stages: Vec<Stage>) -> Option<Self> {
        (!stages.is_empty()).then_some(Self(stages))
    }

    /// The stages, in the order of time.
    #[must_use]
    pub fn all(&self) -> &[Stage] {
        &self.0
    }

    /// The time that all of them last.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.0.iter().map(|stage| stage.lasts).sum()
    }

    /// The rate, where it is always the same.
    #[must_use]
    pub fn only_rate(&self) -> Option<Rate> {
        let first = self.first();
        self.0.iter().all(|stage| (stage.from, stage.to) == (first, first)).then_some(first)
    }

    /// The rate at the beginning.
    #[must_use]
    pub fn first(&self) -> Rate {
        self.0.first().map_or(Rate { times: 0, per: Duration::from_secs(1) }, |stage| stage.from)
    }

    /// The number of arrivals that are due from one moment to another, on average, rounded down.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is no negative number, and far from 2^64"
    )]
    pub fn in_window(&self, from: Duration, to: Duration) -> u64 {
        if let Some(rate) = self.only_rate() {
            return rate.in_time(to.saturating_sub(from));
        }
        // What is a whole number shall not fall short of it by how it was added up.
        const NEARLY: f64 = 1e-6;
        (self.by(to) - self.by(from) + NEARLY).max(0.0) as u64
    }

    /// The number of arrivals that are due by a moment, on average.
    fn by(&self, moment: Duration) -> f64 {
        let mut left = moment;
        let mut sum = 0.0;
        for stage in &self.0 {
            let spent = left.min(stage.lasts);
            sum += stage.by(spent);
            left -= spent;
        }
        sum
    }
}

impl Stage {
    /// The number of arrivals that are due in this time from its beginning on, on average.
    #[must_use]
    pub fn by(&self, spent: Duration) -> f64 {
        let (from, to) = (self.from.per_second(), self.to.per_second());
        let (spent, lasts) = (spent.as_secs_f64(), self.lasts.as_secs_f64());
        if lasts <= 0.0 { 0.0 } else { from * spent + (to - from) * spent * spent / (2.0 * lasts) }
    }

    /// The time from its beginning by which so many arrivals are due; none where that is at its end or later. The inverse of
    /// [`Self::by`].
    #[must_use]
    pub fn until(&self, count: f64) -> Option<Duration> {
        if count >= self.by(self.lasts) {
            return None;
        }
        if count <= 0.0 {
            return Some(Duration::ZERO);
        }
        let (from, to) = (self.from.per_second(), self.to.per_second());
        let growth = (to - from) / self.lasts.as_secs_f64();
        // The root of a quadratic equation, in the form that loses no digits where the rate hardly changes.
        let root = (from * from + 2.0 * growth * count).max(0.0).sqrt();
        Duration::try_from_secs_f64(2.0 * count / (from + root)).ok().map(|time| time.min(self.lasts))
    }
}

/// `200/s`, or each stage with its time.
impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More would fill a line.
        const SHOWN: usize = 3;
        if let Some(rate) = self.only_rate() {
            return rate.fmt(f);
        }
        for (n, stage) in self.0.iter().take(SHOWN).enumerate() {
            let then = if n == 0 { "" } else { ", " };
            write!(f, "{then}{stage}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            1 => f.write_str(", and 1 more stage"),
            more => write!(f, ", and {more} more stages"),
        }
    }
}

/// `50/s..400/s in 10s`, or `50/s in 10s`.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lasts, from, to } = self;
        let lasts = show_duration(*lasts);
        if from == to { write!(f, "{from} in {lasts}") } else { write!(f, "{from}..{to} in {lasts}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_second(times: u64) -> Rate {
        Rate { times, per: Duration::from_secs(1) }
    }

    fn stage(seconds: u64, from: u64, to: u64) -> Stage {
        Stage { lasts: Duration::from_secs(seconds), from: a_second(from), to: a_second(to) }
    }

    #[test]
    fn windows_have_what_is_due_in_them() {
        let all = Stages::new(vec![stage(20, 50, 50), stage(10, 50, 400), stage(5, 0, 0), stage(5, 400, 0)]).unwrap();
        let seconds = Duration::from_secs;
        assert_eq!(all.lasts(), seconds(40));
        let due = |from, to| all.in_window(seconds(from), seconds(to));
        assert_eq!(due(0, 20), 1000);
        assert_eq!(due(20, 30), 2250);
        assert_eq!(due(20, 21), 67, "67.5");
        assert_eq!((due(30, 35), due(35, 40)), (0, 1000));
        assert_eq!(due(0, 40), 4250);
        assert_eq!(all.to_string(), "50/s in 20s, 50/s..400/s in 10s, 0/s in 5s, and 1 more stage");
        assert_eq!(Stages::constant(a_second(200), seconds(12)).to_string(), "200/s");
    }

    proptest! {
        #[test]
        fn the_time_until_so_many_are_due_is_when_they_are(
            seconds in 1_u64..3600, from in 0_u64..20_000, to in 0_u64..20_000, share in 0.0_f64..1.0,
        ) {
            let stage = stage(seconds, from, to);
            let count = stage.by(stage.lasts) * share;
            let until = stage.until(count).unwrap();
            // A nanosecond is the least that is told apart.
            let near = |other: f64| (other - count).abs() <= 1e-6 * count.max(1.0) + 2e-9 * (from.max(to) as f64);
            prop_assert!(near(stage.by(until)), "{} of {count}", stage.by(until));
            prop_assert_eq!(stage.until(stage.by(stage.lasts) + 1.0), None);
        }
    }
}
