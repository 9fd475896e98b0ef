//! Shares of arrivals: statuses, errors, partial and stale answers, body and header tests. Of all intended arrivals,
//! those included that got no answer: a client that could not connect has seen no 200 either.

use super::{Finding, Stretch, at};
use crate::examine::{Examiner, is_partial, is_stale};
use chaos_load::Outcome;
use chaos_model::{Comparison, Share, StatusPattern};

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
    judge(stretch, bound, has).explained(|| example(stretch, bound, has))
}

/// `stale = "== 0%"`.
pub(super) fn stale(stretch: &Stretch<'_>, bound: &Comparison<Share>) -> Finding {
    let has = |outcome: &Outcome| is_stale(outcome.marks);
    judge(stretch, bound, has).explained(|| example(stretch, bound, has))
}

/// The `nth` of the body and header checks.
pub(super) fn look(stretch: &Stretch<'_>, examiner: &Examiner, nth: usize, bound: &Comparison<Share>) -> Finding {
    judge(stretch, bound, |outcome| Examiner::passed(outcome.marks, nth)).explained(|| examiner.example(nth))
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
fn example(stretch: &Stretch<'_>, bound: &Comparison<Share>, has: impl Fn(&Outcome) -> bool) -> Option<String> {
    // Where more is wanted, those without it speak against it; where less is, those with it.
    let wanted = bound.wants_more() || bound.holds(&Share::ALL);
    let (moment, outcome) = stretch.arrivals.iter().find(|(_, outcome)| has(outcome) != wanted)?;
    let came = match &outcome.result {
        Ok(status) => format!("was answered {status}"),
        Err(error) => format!("had no answer: {error}"),
    };
    Some(format!("the first, request {} {}, {came}", outcome.n, at(*moment)))
}
