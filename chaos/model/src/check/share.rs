//! Shares of arrivals: of all intended arrivals of a scope, those included that got no response. A client that
//! could not connect has seen no 200 either.

use super::{Evidence, Example, Finding, evidence::at};
use crate::{Comparison, Share, Verdict};

/// Judges the share of arrivals that have what the check counts.
pub(super) fn judge(evidence: &Evidence<'_>, bound: &Comparison<Share>) -> Finding {
    let whole = evidence.counts.due;
    if whole == 0 {
        return Finding::inconclusive("no requests", "no request belongs to this window");
    }
    let parts = evidence.marked.with;
    let share = Share { parts, whole };
    let seen = format!("{share} ({parts} of {whole})");
    Finding::of(bound.holds(&share), seen).explained(|| {
        let Example { arrival, saw, instance } = against(evidence, bound)?;
        let came = saw.as_ref().map_or_else(|| arrival.came(), |saw| format!("saw {saw}"));
        let from = instance.as_ref().map(|instance| format!(", from {instance}")).unwrap_or_default();
        Some(format!("the first, request {} {}, {came}{from}", arrival.n, at(arrival.at)))
    })
}

/// Judges a share of what only a response can show: where nobody got one, nobody saw what should not be seen, and that
/// proves nothing.
pub(super) fn judge_responses(evidence: &Evidence<'_>, bound: &Comparison<Share>) -> Finding {
    let finding = judge(evidence, bound);
    if finding.verdict == Verdict::Pass && evidence.counts.answered() == 0 {
        return Finding::inconclusive(finding.seen, "no request had a response");
    }
    finding
}

/// The first arrival that speaks against the comparison.
fn against<'a>(evidence: &Evidence<'a>, bound: &Comparison<Share>) -> Option<&'a Example> {
    // Where more is wanted, those without it speak against it; where less is, those with it.
    let marked = evidence.marked;
    if wants(bound) { marked.first_without.as_ref() } else { marked.first_with.as_ref() }
}

/// True if arrivals without it speak against the comparison, false if those with it do.
pub(crate) fn wants(bound: &Comparison<Share>) -> bool {
    bound.wants_more() || bound.holds(&Share::ALL)
}
