//! Time to detect and time to recover, as clients see them: from the responses. A response is bad if it failed (none,
//! or from 500 on), was partial or stale.

use super::{Evidence, Finding, Window, at};
use crate::responses::{is_partial, is_stale};
use chaos_load::Outcome;
use chaos_model::{Comparison, Fault, Scope, Share, ledger::Recovery, phase::BASELINE, quantity::show_duration};
use std::time::Duration;

fn is_bad(outcome: &Outcome) -> bool {
    let failed = outcome.result.as_ref().map_or(true, |status| *status >= 500);
    failed || is_partial(outcome.marks) || is_stale(outcome.marks)
}

/// From when a fault took effect to the first bad response, requests included that it met under way. None where no
/// response was bad.
pub(crate) fn detected(evidence: &Evidence<'_>, fault: &Fault) -> Option<Duration> {
    let warmup = evidence.scenario.load.warmup;
    let applied = evidence.acknowledged.get(&fault.at).copied().unwrap_or(fault.at).max(fault.at);
    let due_in_time = |outcome: &&Outcome| {
        let due = outcome.intended.saturating_sub(warmup);
        outcome.intended >= warmup && due < fault.ends()
    };
    let ended = |outcome: &Outcome| outcome.ended.saturating_sub(warmup);
    let bad = evidence.outcomes.iter().filter(due_in_time).filter(|outcome| is_bad(outcome)).map(ended);
    // It acts on what is under way before all have acknowledged it.
    bad.filter(|ended| *ended >= fault.at).min().map(|ended| ended.saturating_sub(applied))
}

/// From when a fault was taken back until responses were, and stayed until the next fault or the end, as good as in the
/// baseline: the earliest moment from which on the share of bad ones is at most the baseline's.
pub(crate) fn recovery(evidence: &Evidence<'_>, fault: &Fault) -> Recovery {
    let scope = Scope::After { fault: fault.name.clone(), within: Duration::ZERO };
    let after = Window::of(evidence, &scope);
    let (Some((last, _)), Some((first, _))) = (after.arrivals.last(), after.arrivals.first()) else {
        return Recovery::NoRequests;
    };
    let baseline = evidence.scenario.timeline.phase(BASELINE).map_or(Share { parts: 0, whole: 1 }, |phase| {
        let arrivals = Window::phase(evidence, phase).arrivals;
        let parts = arrivals.iter().filter(|(_, outcome)| is_bad(outcome)).count() as u64;
        Share { parts, whole: arrivals.len() as u64 }
    });
    if detected(evidence, fault).is_none() && after.arrivals.iter().all(|(_, outcome)| !is_bad(outcome)) {
        return Recovery::Unnoticed;
    }
    let removed = evidence.acknowledged.get(&fault.ends()).copied().unwrap_or(after.from).max(after.from);
    let (mut bad, mut all, mut good_from) = (0, 0, None);
    for (due, outcome) in after.arrivals.iter().rev() {
        all += 1;
        bad += u64::from(is_bad(outcome));
        if (Share { parts: bad, whole: all }) <= baseline {
            good_from = Some(*due);
        }
    }
    match good_from {
        Some(due) if due == *first => Recovery::After { took: Duration::ZERO },
        Some(due) => Recovery::After { took: due.saturating_sub(removed) },
        None => Recovery::NotWithin { left: last.saturating_sub(removed) },
    }
}

/// `detect.time = "< 1s"`.
pub(super) fn judge_detected(evidence: &Evidence<'_>, fault: &Fault, bound: &Comparison<Duration>) -> Finding {
    match detected(evidence, fault) {
        Some(took) => Finding::of(bound.holds(&took), show_duration(took)),
        None => Finding::of(false, format!("no bad response in {}", show_duration(fault.lasts))),
    }
}

/// `recovery.time = "< 2s"`.
pub(super) fn judge_recovery(evidence: &Evidence<'_>, fault: &Fault, bound: &Comparison<Duration>) -> Finding {
    match recovery(evidence, fault) {
        Recovery::After { took } => {
            Finding::of(bound.holds(&took), show_duration(took)).explained(|| last_bad(evidence, fault))
        }
        Recovery::NotWithin { left } => {
            let seen = format!("not in the {} that were left", show_duration(left));
            Finding::of(false, seen).explained(|| last_bad(evidence, fault))
        }
        Recovery::Unnoticed => {
            let why = format!("no response failed, was partial or stale because of `{}`", fault.name);
            Finding::inconclusive("nothing to recover from", why)
        }
        Recovery::NoRequests => Finding::inconclusive("no requests", "no request belongs to this window"),
    }
}

fn last_bad(evidence: &Evidence<'_>, fault: &Fault) -> Option<String> {
    let after = Window::of(evidence, &Scope::After { fault: fault.name.clone(), within: Duration::ZERO });
    let (moment, outcome) = after.arrivals.iter().rfind(|(_, outcome)| is_bad(outcome))?;
    let came = match &outcome.result {
        Ok(status) if *status >= 500 => format!("was answered {status}"),
        Ok(_) if is_partial(outcome.marks) => "was answered in part".to_owned(),
        Ok(_) => "was given an old part".to_owned(),
        Err(error) => format!("had no response: {error}"),
    };
    Some(format!("the last, request {} {}, {came}", outcome.n, at(*moment)))
}
