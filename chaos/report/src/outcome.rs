//! Outcomes of runs: a verdict, or the reason why there is none.

use chaos_model::{Event, Record, Verdict};
use serde::{Deserialize, Serialize};

/// Outcome of a run as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The run came to a verdict.
    Verdict(Verdict),
    /// The scenario is invalid, so that nothing was started.
    Invalid,
    /// The world could not do what the scenario asks.
    WorldFailed,
    /// The run was interrupted, or its recording ends before it does.
    Interrupted,
}

impl Outcome {
    /// Outcome of the run with these events. The first thing that stopped it counts: services that die of the same
    /// Ctrl-C, or a Ctrl-C while a failed world is taken down, change nothing.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut fold = Fold::default();
        records.into_iter().for_each(|record| fold.on(&record.event));
        fold.outcome()
    }

    /// Outcome of several runs together: the worst of them (interrupted, invalid, world failed, fail, inconclusive,
    /// pass).
    pub fn worst(outcomes: impl IntoIterator<Item = Self>) -> Self {
        outcomes.into_iter().max_by_key(|outcome| outcome.badness()).unwrap_or(Self::Verdict(Verdict::Pass))
    }

    /// The outcome in a word, as documents have it: `pass`, `fail`, `inconclusive`, `invalid`, `world_failed`, `interrupted`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Verdict(Verdict::Pass) => "pass",
            Self::Verdict(Verdict::Fail) => "fail",
            Self::Verdict(Verdict::Inconclusive) => "inconclusive",
            Self::Invalid => "invalid",
            Self::WorldFailed => "world_failed",
            Self::Interrupted => "interrupted",
        }
    }

    fn badness(self) -> u8 {
        match self {
            Self::Verdict(Verdict::Pass) => 0,
            Self::Verdict(Verdict::Inconclusive) => 1,
            Self::Verdict(Verdict::Fail) => 2,
            Self::WorldFailed => 3,
            Self::Invalid => 4,
            Self::Interrupted => 5,
        }
    }
}

/// The fold behind [`Outcome::of`], for whoever sees one event at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fold {
    stopped: Option<Outcome>,
    end: Option<Option<Verdict>>,
}

impl Fold {
    pub(crate) fn on(&mut self, event: &Event) {
        match event {
            Event::Begin(_) => *self = Self::default(),
            Event::Interrupted { .. } => self.stopped = self.stopped.or(Some(Outcome::Interrupted)),
            Event::WorldFailed { .. } => self.stopped = self.stopped.or(Some(Outcome::WorldFailed)),
            Event::End { verdict } => self.end = Some(*verdict),
            _ => {}
        }
    }

    /// Tells whether the run has told its end.
    pub(crate) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match (self.stopped, self.end) {
            (Some(stopped), _) => stopped,
            (None, Some(Some(verdict))) => Outcome::Verdict(verdict),
            // An end without a verdict that nothing explains: nobody interrupted it, so that the world must have
            // failed.
            (None, Some(None)) => Outcome::WorldFailed,
            (None, None) => Outcome::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(events: Vec<Event>) -> Outcome {
        let records: Vec<_> = events.into_iter().map(|event| Record { at_us: 0, event }).collect();
        Outcome::of(&records)
    }

    #[test]
    fn what_stopped_a_run_first_counts() {
        let interrupted = || Event::Interrupted { by: "SIGINT".to_owned() };
        let failed = || Event::WorldFailed { why: "a service died".to_owned() };
        let end = |verdict| Event::End { verdict };
        assert_eq!(of(vec![end(Some(Verdict::Fail))]), Outcome::Verdict(Verdict::Fail));
        assert_eq!(of(vec![interrupted(), failed(), end(None)]), Outcome::Interrupted);
        assert_eq!(of(vec![failed(), interrupted(), end(None)]), Outcome::WorldFailed);
        assert_eq!(of(vec![end(None)]), Outcome::WorldFailed);
        assert_eq!(of(vec![Event::TimelineBegan]), Outcome::Interrupted, "the recording is cut off");
    }

    #[test]
    fn the_worst_of_several() {
        let all = [
            Outcome::Verdict(Verdict::Pass),
            Outcome::Verdict(Verdict::Inconclusive),
            Outcome::Verdict(Verdict::Fail),
            Outcome::WorldFailed,
            Outcome::Invalid,
        ];
        for (n, worst) in all.iter().enumerate() {
            assert_eq!(Outcome::worst(all[..=n].iter().copied()), *worst);
            assert_eq!(Outcome::worst(all[..=n].iter().rev().copied()), *worst);
        }
    }
}
