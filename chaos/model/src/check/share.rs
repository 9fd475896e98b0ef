//! Shares of arrivals: of all intended arrivals of a scope, those included that got no response. A client that
//! could not connect has seen no 200 either.

use super::{Evidence, Example, Finding, Marked, evidence::at};
use crate::{Comparison, Share, Verdict};
use std::time::Duration;

/// Judges the share of arrivals that have what the check counts. Where that can't be said of all, it is judged by every
/// share that may be the true one.
pub(super) fn judge(evidence: &Evidence<'_>, bound: &Comparison<Share>) -> Finding {
    let whole = evidence.counts.due;
    if whole == 0 {
        return Finding::inconclusive("no requests", "no request belongs to this window");
    }
    let Marked { with, unknown, mut excused_with, mut excused_without, pressed_with, pressed_without, .. } =
        *evidence.marked;
    if evidence.unknown.usual || !bound.holds(&Share { parts: with, whole }) {
        excused_with += pressed_with;
        excused_without += pressed_without;
    }
    // Of some it can't be said what they have; others might have come out otherwise.
    let (least, most) = (with.saturating_sub(excused_with), (with + unknown + excused_without).min(whole));
    let share = |parts| Share { parts, whole };
    let seen = if least == most {
        format!("{} ({least} of {whole})", share(least))
    } else {
        format!("{} to {} ({least} to {most} of {whole})", share(least), share(most))
    };
    let why = || match (unknown > 0, excused_with + excused_without > 0) {
        (true, true) => format!("{}; {}", self::unknown(evidence), evidence.unknown.why(whole)),
        (true, false) => self::unknown(evidence),
        (false, _) => evidence.unknown.why(whole),
    };
    Finding::between(bound, (&share(least), &share(most)), seen, why).explained(|| {
        let Example { arrival, saw, instance, uncaptured, .. } = against(evidence, bound)?;
        let came = saw.as_ref().map_or_else(|| arrival.came(), |saw| format!("saw {saw}"));
        let came = uncaptured.as_ref().map_or_else(|| came.clone(), |why| format!("{came}, and {why}"));
        let from = instance.as_ref().map(|instance| format!(", from {instance}")).unwrap_or_default();
        Some(format!("the first, request {} {}, {came}{from}", arrival.request(), at(arrival.at)))
    })
}

/// The responses of which it can't be said, in words.
pub(super) fn unknown(evidence: &Evidence<'_>) -> String {
    let count = evidence.marked.unknown;
    let of = if count == 1 { "one response".to_owned() } else { format!("{count} responses") };
    let first = evidence.marked.first_unknown.as_ref().map(|Example { arrival, saw, .. }| {
        let had = saw.as_deref().unwrap_or("a body that could not be looked into");
        format!(": the first, to request {} {}, had {had}", arrival.request(), at(arrival.at))
    });
    format!("of {of} it can't be said{}", first.unwrap_or_default())
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

impl Comparison<Share> {
    /// The weight of an arrival that speaks against it, none where it doesn't; `has` says whether it has what is counted.
    #[must_use]
    pub fn against(&self, has: bool) -> Option<Duration> {
        (wants(self) != has).then_some(Duration::ZERO)
    }
}

/// True if arrivals without it speak against the comparison, false if those with it do.
pub(crate) fn wants(bound: &Comparison<Share>) -> bool {
    bound.wants_more() || bound.holds(&Share::ALL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::{Arrival, Marked, Unknowns, reading::Readings},
        slice::Counts,
    };
    use std::collections::BTreeMap;

    /// The finding where so many of 100 have it, and of so many it can't be said.
    fn finding(bound: Comparison<Share>, with: u64, unknown: u64) -> Finding {
        let counts = Counts { due: 100, statuses: BTreeMap::from([(200, 100)]), ..Counts::default() };
        let arrival = Arrival {
            n: 12,
            step: 0,
            at: Duration::from_millis(4310),
            result: Ok(200),
            latency: Duration::ZERO,
            good: true,
            partial: false,
            stale: false,
            age: None,
            passed: false,
        };
        let first_unknown = (unknown > 0).then(|| Example {
            arrival,
            saw: Some("a large body".to_owned()),
            instance: None,
            excerpt: None,
            uncaptured: None,
        });
        let marked = Marked { with, unknown, first_unknown, ..Marked::default() };
        judge_responses(
            &Evidence {
                from: Duration::ZERO,
                to: Duration::from_secs(9),
                within: None,
                baseline: (Duration::ZERO, Duration::ZERO),
                made: 100,
                counts: &counts,
                unknown: &Unknowns::default(),
                strained: None,
                slowest: None,
                oldest: None,
                marked: &marked,
                probes: &[],
                readings: Readings::default(),
                calls: &[],
                fault: None,
                markers: &[],
            },
            &bound,
        )
    }

    const fn percent(parts: u64) -> Share {
        Share { parts, whole: 100 }
    }

    #[test]
    fn what_cannot_be_said_decides_nothing_by_itself() {
        use Comparison::{AtLeast, AtMost, Between, Different, Equal};
        use Verdict::{Fail, Inconclusive, Pass};
        for (bound, with, unknown, verdict) in [
            (AtLeast(percent(90)), 95, 5, Pass),
            (AtLeast(percent(90)), 89, 1, Inconclusive),
            (AtLeast(percent(90)), 80, 9, Fail),
            (AtMost(percent(5)), 3, 2, Pass),
            (AtMost(percent(5)), 3, 3, Inconclusive),
            (AtMost(percent(5)), 6, 90, Fail),
            (Equal(percent(0)), 0, 1, Inconclusive),
            (Equal(percent(0)), 1, 1, Fail),
            // The one share that would hold lies between the two ends.
            (Equal(percent(50)), 40, 20, Inconclusive),
            (Between(percent(49), percent(51)), 40, 20, Inconclusive),
            (Different(percent(50)), 40, 20, Inconclusive),
            (Different(percent(50)), 40, 9, Pass),
        ] {
            assert_eq!(finding(bound, with, unknown).verdict, verdict, "{bound:?} of {with} and {unknown}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_told_with_its_reason() {
        let finding = finding(Comparison::AtLeast(percent(99)), 97, 3);
        assert_eq!(finding.seen, "97% to 100% (97 to 100 of 100)");
        let note = "of 3 responses it can't be said: the first, to request 12 at 4.31s, had a large body";
        assert_eq!(finding.note.as_deref(), Some(note));
    }
}
