//! `age.max = "< 330s"`: how old the oldest response was, by what responses say of their age.

use super::{Evidence, Finding, Window, at};
use chaos_model::{Comparison, quantity::show_duration};
use std::time::Duration;

/// Judges the oldest response of a window.
pub(super) fn judge(evidence: &Evidence<'_>, window: &Window<'_>, bound: &Comparison<Duration>) -> Finding {
    let aged = window.arrivals.iter().filter_map(|(moment, outcome)| {
        let age = evidence.checker.age(outcome.n)?;
        Some((age, *moment, outcome.n))
    });
    let Some((age, moment, n)) = aged.max_by_key(|(age, ..)| *age) else {
        return Finding::inconclusive("no age", "no response says how old it is");
    };
    Finding::of(bound.holds(&age), show_duration(age))
        .explained(|| Some(format!("the oldest answered request {n} {}", at(moment))))
}
