//! Judgements of a run that ended before its time.

use super::timeline::Stopped;
use chaos_model::{
    Scenario, Verdict,
    check::Finding,
    event::{EarlyEnd, Judged, JudgedCheck},
};

const SHORTER: &str = "the run ended before its time";

/// The judgement as far as it can be said of a run that an expectation has ended: that one is broken, or was a gate that did not
/// hold; nothing else passes, since its time was not all there.
pub(super) fn cut_short(scenario: &Scenario, stopped: &Stopped, judged: Judged) -> Judged {
    let decided = stopped.expectation == Some(judged.index);
    let checks = scenario.expectations.get(judged.index).map(|one| one.checks.as_slice()).unwrap_or_default();
    let finding = |place: usize| stopped.findings.get(&checks.get(place)?.id).filter(|_| decided);
    let one = |(place, check): (usize, JudgedCheck)| match (stopped.early.by, finding(place)) {
        (EarlyEnd::Abort, Some(Finding { seen, verdict: Verdict::Fail, .. })) => JudgedCheck {
            seen: seen.clone(),
            verdict: Verdict::Fail,
            note: Some("in the last second, and as long before as it may be: all faults were taken back".to_owned()),
            ..check
        },
        (EarlyEnd::Gate, Some(Finding { seen, verdict: Verdict::Fail | Verdict::Inconclusive, .. })) => JudgedCheck {
            seen: seen.clone(),
            verdict: Verdict::Inconclusive,
            note: Some("the system was not well before the first fault, so none began".to_owned()),
            ..check
        },
        // What was broken in the time that there was is broken.
        (EarlyEnd::Abort, None) if check.verdict == Verdict::Fail => check,
        (EarlyEnd::Abort | EarlyEnd::Gate, _) => {
            JudgedCheck { verdict: Verdict::Inconclusive, note: Some(SHORTER.to_owned()), ..check }
        }
    };
    let checks: Vec<JudgedCheck> = judged.checks.into_iter().enumerate().map(one).collect();
    let verdict = Verdict::of_all(checks.iter().map(|check| check.verdict));
    Judged { verdict, checks, ..judged }
}
