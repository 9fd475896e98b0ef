//! `age.max = "< 330s"`: how old the oldest answer was, by what answers say of their age.

use super::{Evidence, Finding, Stretch, at};
use chaos_model::{Comparison, quantity::show_duration};
use std::time::Duration;

/// Judges the oldest answer of a stretch.
pub(super) fn judge(evidence: &Evidence<'_>, stretch: &Stretch<'_>, bound: &Comparison<Duration>) -> Finding {
    let aged = stretch.arrivals.iter().filter_map(|(moment, outcome)| {
        let age = evidence.examiner.age(outcome.n)?;
        Some((age, *moment, outcome.n))
    });
    let Some((age, moment, n)) = aged.max_by_key(|(age, ..)| *age) else {
        return Finding::inconclusive("no age", "no answer says how old it is");
    };
    Finding::of(bound.holds(&age), show_duration(age))
        .explained(|| Some(format!("the oldest answered request {n} {}", at(moment))))
}
