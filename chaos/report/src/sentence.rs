//! The outcome of a run and why, in a sentence.

use crate::{Outcome, words::count};
use chaos_model::{Verdict, event::Judged, quantity::show_duration};
use std::time::Duration;

/// All that the sentence is made of.
pub(crate) struct Ended<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
    pub(crate) judged: &'a [Judged],
    /// Reasons for which the run as a whole is inconclusive.
    pub(crate) inconclusive: &'a [String],
    /// Faults that came and went, and met nobody.
    pub(crate) never_fired: Vec<&'a str>,
    /// The reason why the world failed, or the signal that interrupted the run.
    pub(crate) stopped_by: Option<&'a str>,
}

impl Ended<'_> {
    /// `in 12.8s: all 3 expectations held`
    pub(crate) fn sentence(&self) -> String {
        let took = show_duration(self.took);
        match self.outcome {
            Outcome::Verdict(Verdict::Pass) => format!("in {took}: {}", self.held()),
            Outcome::Verdict(Verdict::Fail) => format!("in {took}: {}", self.failed()),
            Outcome::Verdict(Verdict::Inconclusive) => format!("in {took}: {}", self.unsure()),
            Outcome::Invalid | Outcome::WorldFailed | Outcome::Interrupted => {
                let why = self.stopped_by.unwrap_or("it ended without a verdict");
                let link = if self.outcome == Outcome::Interrupted { " by " } else { ": " };
                format!("after {took}{link}{why}")
            }
        }
    }

    fn of(&self, verdict: Verdict) -> usize {
        self.judged.iter().filter(|judged| judged.verdict == verdict).count()
    }

    fn held(&self) -> String {
        match self.judged.len() {
            0 => "there was nothing to expect".to_owned(),
            1 => "what was expected held".to_owned(),
            2 => "both expectations held".to_owned(),
            n => format!("all {n} expectations held"),
        }
    }

    fn failed(&self) -> String {
        let unsure = match self.of(Verdict::Inconclusive) {
            0 => String::new(),
            n => format!(", {n} can't be judged"),
        };
        let expectations = count(u64::try_from(self.judged.len()).unwrap_or(u64::MAX), "expectation");
        format!("{} of {expectations} did not hold{unsure}", self.of(Verdict::Fail))
    }

    /// The reasons why there is no verdict, the first one in full.
    fn unsure(&self) -> String {
        match self.reasons().as_slice() {
            [] => "it can't be said whether what was expected held".to_owned(),
            [one] => one.clone(),
            [first, rest @ ..] => {
                let more = count(u64::try_from(rest.len()).unwrap_or(u64::MAX), "more reason");
                format!("{first} (and {more} above)")
            }
        }
    }

    /// The reasons why there is no verdict: those of the run as a whole, or else of its comparisons.
    fn reasons(&self) -> Vec<String> {
        if !self.inconclusive.is_empty() {
            return self.inconclusive.to_vec();
        }
        if !self.never_fired.is_empty() {
            return self.never_fired.iter().map(|name| format!("the fault `{name}` never fired")).collect();
        }
        let checks = self.judged.iter().flat_map(|judged| &judged.checks);
        let checks = checks.filter(|check| check.verdict == Verdict::Inconclusive);
        let note = |check: &chaos_model::event::JudgedCheck| {
            check.note.clone().unwrap_or_else(|| format!("{} can't be judged", check.expected))
        };
        let mut reasons: Vec<_> = checks.map(note).collect();
        reasons.dedup();
        reasons
    }
}
