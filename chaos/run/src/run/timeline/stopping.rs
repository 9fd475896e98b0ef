//! Gates and aborts: expectations that are looked at while the run goes on, and end it before its time.

use crate::{fold::Fold, judge::Seen, observe::Scrapes};
use chaos_model::{
    Check, Expectation, Phase, Scenario, Scope, Share, Stops, Verdict,
    check::{CheckId, Finding},
    event::{EarlyEnd, EndedEarly, Probed},
    phase::BASELINE,
};
use std::{collections::BTreeMap, time::Duration};

/// The stretch that an abort looks at, one at a time.
const SECOND: Duration = Duration::from_secs(1);
/// Time between two looks: what is broken for as long as it may be is taken back within a second.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Time for which a machine may stand still that others use, too.
const STANDSTILL: Duration = Duration::from_millis(500);

/// The end of a run before its time, as an expectation decided.
#[derive(Clone, Debug)]
pub(in crate::run) struct Stopped {
    pub(in crate::run) early: EndedEarly,
    /// The moment of the timeline.
    pub(in crate::run) at: Duration,
    /// The expectation, by its place; none where it is no expectation's.
    pub(in crate::run) expectation: Option<usize>,
    /// Findings of its checks by then.
    pub(in crate::run) findings: BTreeMap<CheckId, Finding>,
}

/// Gates and aborts of a run.
pub(super) struct Stopping {
    gates: Vec<usize>,
    aborts: Vec<(usize, Duration)>,
    /// The system is others': where it is not well, it is not harmed, whether or not an expectation says so.
    careful: bool,
    /// The moment of the timeline from which on aborts are looked at again.
    next: Duration,
}

/// The readings and probes so far.
pub(super) struct Observations<'a> {
    pub(super) scrapes: &'a Scrapes,
    pub(super) probes: &'a BTreeMap<String, Vec<Probed>>,
}

impl Stopping {
    pub(super) fn new(scenario: &Scenario, careful: bool) -> Self {
        let expectations = || scenario.expectations.iter().enumerate();
        let gates = expectations().filter(|(_, one)| one.stops == Some(Stops::Gate)).map(|(index, _)| index);
        let aborts = expectations().filter_map(|(index, one)| match one.stops {
            Some(Stops::Abort(after)) => Some((index, after)),
            Some(Stops::Gate) | None => None,
        });
        Self { gates: gates.collect(), aborts: aborts.collect(), careful, next: Duration::ZERO }
    }

    /// The time for which the fold has to keep what these look at; none where there are none.
    pub(super) fn keeps(&self, scenario: &Scenario) -> Option<Duration> {
        // All of the baseline for gates; for aborts as long as they wait, and as long as a request may be under way.
        let longest = self.aborts.iter().map(|(_, after)| *after + scenario.load.timeout + 2 * SECOND).max();
        let baseline = scenario.timeline.phase(BASELINE).map(|phase| phase.to + SECOND);
        let gates = baseline.filter(|_| self.has_gates());
        longest.into_iter().chain(gates).max()
    }

    /// True where it is to be looked at the system before the first fault.
    pub(super) fn has_gates(&self) -> bool {
        self.careful || !self.gates.is_empty()
    }

    /// True where aborts are due to be looked at.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        !self.aborts.is_empty() && now >= self.next
    }

    /// True where the run may be ended while there are faults.
    pub(super) fn has_aborts(&self) -> bool {
        !self.aborts.is_empty()
    }

    /// Looks at the system before the first fault, which is due at this moment of the timeline: gives why none may begin, if so.
    pub(super) fn gate<'a>(
        &self,
        (scenario, fold): (&'a Scenario, &mut Fold<'a>),
        observed: &Observations<'_>,
        (at, now): (Duration, Duration),
    ) -> Option<Stopped> {
        let baseline = scenario.timeline.phase(BASELINE)?;
        let stretch = ((Duration::ZERO, at), now);
        let usual = usual_wait(fold, baseline, stretch);
        for index in &self.gates {
            let expectation = &scenario.expectations[*index];
            let findings = look((scenario, fold), observed, (expectation, baseline), (stretch, usual));
            let broken = expectation.checks.iter().find(|check| findings[&check.id].verdict != Verdict::Pass);
            if let Some(check) = broken {
                let seen = words(check, &findings[&check.id]);
                return Some(stopped(EarlyEnd::Gate, Some((*index, expectation)), seen, at, findings));
            }
        }
        let seen = self.careful.then(|| unwell(fold, baseline, (stretch, usual)))??;
        Some(stopped(EarlyEnd::Gate, None, seen, at, BTreeMap::new()))
    }

    /// Looks whether an expectation was broken for as long as it may be, at this moment of the timeline.
    pub(super) fn abort<'a>(
        &mut self,
        (scenario, fold): (&'a Scenario, &mut Fold<'a>),
        observed: &Observations<'_>,
        now: Duration,
    ) -> Option<Stopped> {
        self.next = now + LOOK_EVERY;
        for (index, after) in &self.aborts {
            let expectation = &scenario.expectations[*index];
            let Scope::During(phase) = &expectation.scope else { continue };
            let Some(phase) = scenario.timeline.phase(phase) else { continue };
            let mut broken = Duration::ZERO;
            let mut last = None;
            for stretch in seconds((phase.from, phase.to.min(now)), *after + scenario.load.timeout) {
                let findings = look((scenario, fold), observed, (expectation, phase), ((stretch, now), Duration::ZERO));
                match Verdict::of_all(findings.values().map(|finding| finding.verdict)) {
                    Verdict::Fail => {
                        broken += stretch.1 - stretch.0;
                        last.get_or_insert(findings);
                    }
                    Verdict::Pass => break,
                    // As long as nobody knows, it is neither broken nor well again.
                    Verdict::Inconclusive => {}
                }
                if broken >= *after {
                    break;
                }
            }
            if let Some(findings) = last.filter(|_| broken >= *after) {
                let check = expectation.checks.iter().find(|check| findings[&check.id].verdict == Verdict::Fail)?;
                let seen = words(check, &findings[&check.id]);
                return Some(stopped(EarlyEnd::Abort, Some((*index, expectation)), seen, now, findings));
            }
        }
        None
    }
}

/// The whole seconds of a window, the last first, as far back as `most`; the first may be shorter.
fn seconds((from, to): (Duration, Duration), most: Duration) -> impl Iterator<Item = (Duration, Duration)> {
    let last = Duration::from_secs(to.as_secs());
    let begins = from.max(last.saturating_sub(most));
    let mut end = last;
    std::iter::from_fn(move || {
        let to = end;
        let from = to.checked_sub(SECOND)?.max(begins);
        end = from;
        (from < to).then_some((from, to))
    })
}

/// The findings of all checks of an expectation in a stretch of its phase.
fn look<'a>(
    (scenario, fold): (&'a Scenario, &mut Fold<'a>),
    observed: &Observations<'_>,
    (expectation, phase): (&Expectation, &Phase),
    (moments, usual): (((Duration, Duration), Duration), Duration),
) -> BTreeMap<CheckId, Finding> {
    let stretch = moments.0;
    let glimpse = fold.glimpse((expectation.of.as_ref(), phase), moments, usual);
    let seen = Seen { scenario, fold, scrapes: observed.scrapes, probes: observed.probes };
    expectation.checks.iter().map(|check| (check.id, seen.find(check, stretch, &glimpse))).collect()
}

/// The time that a request may wait without a sign that it hangs: as long as any of the baseline did that has ended, and as a busy
/// machine may stand still.
fn usual_wait(fold: &mut Fold<'_>, baseline: &Phase, moments: ((Duration, Duration), Duration)) -> Duration {
    let ended = fold.glimpse((None, baseline), moments, Duration::MAX).tally;
    ended.slowest.map_or(STANDSTILL, |slowest| slowest.latency.max(STANDSTILL))
}

/// The reason in words for which a system that is others' had better not be harmed; none where it is well.
fn unwell(
    fold: &mut Fold<'_>,
    baseline: &Phase,
    (moments, usual): (((Duration, Duration), Duration), Duration),
) -> Option<String> {
    let counts = fold.glimpse((None, baseline), moments, usual).tally.counts;
    let ended = Share { parts: counts.good, whole: counts.sent };
    let hang = fold.hang((moments.0.1, moments.1), usual);
    if ended.whole == 0 {
        return Some("no request of the baseline has had a response".to_owned());
    }
    if ended.parts * 100 < ended.whole * 99 {
        return Some(format!("{ended} of the requests were served"));
    }
    // A few wait for longer than all others did.
    (hang * 100 > ended.whole)
        .then(|| format!("{hang} requests have waited longer for a response than any of the others did"))
}

fn words(check: &Check, finding: &Finding) -> String {
    format!("{}, and it was {}", check.subject.words(), finding.seen)
}

fn stopped(
    by: EarlyEnd,
    expectation: Option<(usize, &Expectation)>,
    seen: String,
    at: Duration,
    findings: BTreeMap<CheckId, Finding>,
) -> Stopped {
    let that = expectation.map(|(_, one)| one.that.clone());
    Stopped { early: EndedEarly { by, that, seen }, at, expectation: expectation.map(|(index, _)| index), findings }
}
