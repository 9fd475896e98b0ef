//! Shares of arrivals: statuses, errors, partial and stale answers, body and header tests. Of all intended arrivals,
//! those included that got no answer: a client that could not connect has seen no 200 either.

use super::{Finding, Stretch, at};
use crate::examine::{Examiner, is_partial, is_stale};
use chaos_load::Outcome;
use chaos_model::{Comparison, Share, StatusPattern, Verdict};
use std::time::Duration;

/// `status.200 = ">= 99%"`.
pub(super) fn status(stretch: &Stretch<'_>, pattern: StatusPattern, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| outcome.result.as_ref().is_ok_and(|status| pattern.matches(*status));
    judge(stretch, bound, has).explained(|| example(stretch, bound, has))
}

/// `errors = "== 0%"`.
pub(super) fn errors(stretch: &Stretch<'_>, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| outcome.result.is_err();
    judge(stretch, bound, has).explained(|| example(stretch, bound, has))
}

/// `partial = "== 0%"`.
pub(super) fn partial(stretch: &Stretch<'_>, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| is_partial(outcome.marks);
    answers(stretch, bound, has).explained(|| example(stretch, bound, has))
}

/// `stale = "== 0%"`.
pub(super) fn stale(stretch: &Stretch<'_>, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| is_stale(outcome.marks);
    answers(stretch, bound, has).explained(|| example(stretch, bound, has))
}

/// The `nth` of the body and header checks.
pub(super) fn look(stretch: &Stretch<'_>, examiner: &Examiner, nth: usize, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| Examiner::passed(outcome.marks, nth);
    answers(stretch, bound, has).explained(|| {
        let (moment, outcome) = against(stretch, bound, has)?;
        let saw = examiner.saw(nth, outcome.n);
        saw.map(|saw| format!("the first, request {} {}, saw {saw}", outcome.n, at(*moment)))
            .or_else(|| example(stretch, bound, has))
    })
}

/// As [`judge`], of what only an answer can show: where nobody was answered, nobody saw what should not be seen, and that
/// proves nothing.
fn answers(stretch: &Stretch<'_>, bound: &Comparison<Share>, has: impl Fn(&Outcome) -> bool) -> Finding {
    let finding = judge(stretch, bound, has);
    let answered = stretch.arrivals.iter().any(|(_, outcome)| outcome.result.is_ok());
    if finding.verdict == Verdict::Pass && !answered {
        return Finding::inconclusive(finding.seen, "nobody was answered");
    }
    finding
}

fn judge(stretch: &Stretch<'_>, bound: &Comparison<Share>, has: impl Fn(&Outcome) -> bool) -> Finding {
    let whole = stretch.arrivals.len() as u64;
    if whole == 0 {
        return Finding::inconclusive("no requests", "no request belongs to this stretch");
    }
    let parts = stretch.arrivals.iter().filter(|(_, outcome)| has(outcome)).count() as u64;
    let share = Share { parts, whole };
    Finding::of(bound.holds(&share), format!("{share} ({parts} of {whole})"))
}

/// The first arrival that speaks against the comparison.
fn against<'s>(
    stretch: &'s Stretch<'_>,
    bound: &Comparison<Share>,
    has: impl Fn(&Outcome) -> bool,
) -> Option<&'s (Duration, &'s Outcome)> {
    // Where more is wanted, those without it speak against it; where less is, those with it.
    let wanted = bound.wants_more() || bound.holds(&Share::ALL);
    stretch.arrivals.iter().find(|(_, outcome)| has(outcome) != wanted)
}

fn example(stretch: &Stretch<'_>, bound: &Comparison<Share>, has: impl Fn(&Outcome) -> bool) -> Option<String> {
    let (moment, outcome) = against(stretch, bound, has)?;
    let came = match &outcome.result {
        Ok(status) => format!("was answered {status}"),
        Err(error) => format!("had no answer: {error}"),
    };
    Some(format!("the first, request {} {}, {came}", outcome.n, at(*moment)))
}
