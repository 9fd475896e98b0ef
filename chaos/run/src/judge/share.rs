//! Shares of arrivals: statuses, errors, partial and stale responses, body and header tests. Of all intended arrivals,
//! those included that got no response: a client that could not connect has seen no 200 either.

use super::{Finding, Window, at};
use crate::responses::{ResponseChecker, is_partial, is_stale};
use chaos_load::Outcome;
use chaos_model::{Comparison, Share, StatusPattern, Verdict};
use std::time::Duration;

/// `status.200 = ">= 99%"`.
pub(super) fn status(window: &Window<'_>, pattern: StatusPattern, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| outcome.result.as_ref().is_ok_and(|status| pattern.matches(*status));
    judge(window, bound, has).explained(|| example(window, bound, has))
}

/// `errors = "== 0%"`.
pub(super) fn errors(window: &Window<'_>, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| outcome.result.is_err();
    judge(window, bound, has).explained(|| example(window, bound, has))
}

/// `partial = "== 0%"`.
pub(super) fn partial(window: &Window<'_>, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| is_partial(outcome.marks);
    answers(window, bound, has).explained(|| example(window, bound, has))
}

/// `stale = "== 0%"`.
pub(super) fn stale(window: &Window<'_>, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| is_stale(outcome.marks);
    answers(window, bound, has).explained(|| example(window, bound, has))
}

/// The `nth` of the body and header checks.
pub(super) fn look(window: &Window<'_>, checker: &ResponseChecker, nth: usize, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| ResponseChecker::passed(outcome.marks, nth);
    answers(window, bound, has).explained(|| {
        let (moment, outcome) = against(window, bound, has)?;
        let saw = checker.saw(nth, outcome.n);
        saw.map(|saw| format!("the first, request {} {}, saw {saw}", outcome.n, at(*moment)))
            .or_else(|| example(window, bound, has))
    })
}

/// Judges a share of what only a response can show: where nobody got one, nobody saw what should not be seen, and
/// that proves nothing.
fn answers(window: &Window<'_>, bound: &Comparison<Share>, has: impl Fn(&Outcome) -> bool) -> Finding {
    let finding = judge(window, bound, has);
    let answered = window.arrivals.iter().any(|(_, outcome)| outcome.result.is_ok());
    if finding.verdict == Verdict::Pass && !answered {
        return Finding::inconclusive(finding.seen, "nobody was answered");
    }
    finding
}

fn judge(window: &Window<'_>, bound: &Comparison<Share>, has: impl Fn(&Outcome) -> bool) -> Finding {
    let whole = window.arrivals.len() as u64;
    if whole == 0 {
        return Finding::inconclusive("no requests", "no request belongs to this window");
    }
    let parts = window.arrivals.iter().filter(|(_, outcome)| has(outcome)).count() as u64;
    let share = Share { parts, whole };
    Finding::of(bound.holds(&share), format!("{share} ({parts} of {whole})"))
}

/// The first arrival that speaks against the comparison.
fn against<'s>(
    window: &'s Window<'_>,
    bound: &Comparison<Share>,
    has: impl Fn(&Outcome) -> bool,
) -> Option<&'s (Duration, &'s Outcome)> {
    // Where more is wanted, those without it speak against it; where less is, those with it.
    let wanted = bound.wants_more() || bound.holds(&Share::ALL);
    window.arrivals.iter().find(|(_, outcome)| has(outcome) != wanted)
}

fn example(window: &Window<'_>, bound: &Comparison<Share>, has: impl Fn(&Outcome) -> bool) -> Option<String> {
    let (moment, outcome) = against(window, bound, has)?;
    let came = match &outcome.result {
        Ok(status) => format!("was answered {status}"),
        Err(error) => format!("had no response: {error}"),
    };
    Some(format!("the first, request {} {}, {came}", outcome.n, at(*moment)))
}
