//! From evidence to verdicts. Pure: everything that was seen goes in, what came of each expectation comes out.

mod age;
mod amplification;
mod detect;
mod herd;
mod latency;
mod metric;
mod recovery;
mod share;
mod window;

pub(crate) use latency::{percentile, sorted};
pub(crate) use recovery::{detected, recovery};
pub(crate) use window::{Acknowledged, Window, figures};

use crate::{
    observe::{Reading, Scrapes},
    responses::ResponseChecker,
};
use chaos_load::Outcome;
use chaos_model::{
    Check, Expectation, Fault, Scenario, Scope, Subject, Verdict,
    event::{Judged, JudgedCheck},
    phase::BASELINE,
    quantity::show_duration,
};
use std::{collections::BTreeMap, time::Duration};

/// Everything that was seen in a run.
pub(crate) struct Evidence<'a> {
    pub(crate) scenario: &'a Scenario,
    /// By arrival; times count from the start of the warm-up.
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) checker: &'a ResponseChecker,
    /// By metric check, in the order of the scenario.
    pub(crate) scrapes: &'a Scrapes,
    /// The moments at which changes of faults were acknowledged.
    pub(crate) acknowledged: &'a Acknowledged,
}

/// The result of one comparison, before it is put in words.
pub(crate) struct Finding {
    pub(crate) seen: String,
    pub(crate) verdict: Verdict,
    pub(crate) note: Option<String>,
}

impl Finding {
    pub(crate) fn inconclusive(seen: impl Into<String>, why: impl Into<String>) -> Self {
        Self { seen: seen.into(), verdict: Verdict::Inconclusive, note: Some(why.into()) }
    }

    pub(crate) fn of(holds: bool, seen: String) -> Self {
        Self { seen, verdict: if holds { Verdict::Pass } else { Verdict::Fail }, note: None }
    }

    /// The same with an explanation where it did not hold.
    pub(crate) fn explained(mut self, why: impl FnOnce() -> Option<String>) -> Self {
        if self.verdict == Verdict::Fail {
            self.note = why();
        }
        self
    }
}

/// Judges every expectation, in the order of the scenario.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Vec<Judged> {
    let mut counters = Counters::default();
    let expectations = evidence.scenario.expectations.iter().enumerate();
    expectations.map(|(index, expectation)| judge_one(evidence, &mut counters, index, expectation)).collect()
}

/// Counters that number body and header checks, and metric checks, through the scenario.
#[derive(Default)]
struct Counters {
    looks: usize,
    metrics: usize,
}

fn judge_one(evidence: &Evidence<'_>, counters: &mut Counters, index: usize, expectation: &Expectation) -> Judged {
    let window = Window::of(evidence, &expectation.scope);
    let checks: Vec<JudgedCheck> =
        expectation.checks.iter().map(|check| judge_check(evidence, counters, &window, expectation, check)).collect();
    let when = match &expectation.scope {
        Scope::During(phase) => phase.clone(),
        Scope::Across(fault) => format!("across {fault}"),
        Scope::After { fault, within } if within.is_zero() => format!("after {fault}"),
        Scope::After { fault, within } => format!("within {} after {fault}", show_duration(*within)),
    };
    let verdict = Verdict::of_all(checks.iter().map(|check| check.verdict));
    Judged { index, that: expectation.that.clone(), when, verdict, checks }
}

fn judge_check(
    evidence: &Evidence<'_>,
    counters: &mut Counters,
    window: &Window<'_>,
    expectation: &Expectation,
    check: &Check,
) -> JudgedCheck {
    let finding = match &check.subject {
        Subject::Status(pattern, bound) => share::status(window, *pattern, bound),
        Subject::Errors(bound) => share::errors(window, bound),
        Subject::Partial(bound) => share::partial(window, bound),
        Subject::Stale(bound) => share::stale(window, bound),
        Subject::Body { share: bound, .. } | Subject::Header { share: bound, .. } => {
            let nth = counters.looks;
            counters.looks += 1;
            share::look(window, evidence.checker, nth, bound)
        }
        Subject::Latency(quantile, bound) => latency::judge(window, *quantile, bound, evidence.scenario.load.timeout),
        Subject::Age(bound) => age::judge(evidence, window, bound),
        subject => {
            let scraped = Scraped::next(evidence, counters, subject);
            let fault = fault_of(evidence.scenario, &expectation.scope);
            of_fault_or_metric(evidence, &scraped, fault, window, subject)
        }
    };
    let (file, line, _) = evidence.scenario.sources.position(&check.span);
    JudgedCheck {
        asked: check.subject.to_string(),
        seen: finding.seen,
        verdict: finding.verdict,
        note: finding.note,
        file: file.to_owned(),
        line,
        span: check.span.clone(),
    }
}

/// The readings of a check's selectors, and what its service has besides.
struct Scraped<'a> {
    readings: &'a [Vec<Reading>],
    seen: Option<&'a BTreeMap<String, ()>>,
}

impl<'a> Scraped<'a> {
    fn next(evidence: &Evidence<'a>, counters: &mut Counters, subject: &Subject) -> Self {
        let (service, count) =
            subject.scraped().map_or((None, 0), |(service, selectors)| (Some(service), selectors.len()));
        let first = counters.metrics;
        counters.metrics += count;
        let readings = &evidence.scrapes.readings[first..first + count];
        Self { readings, seen: service.and_then(|service| evidence.scrapes.seen.get(service)) }
    }
}

/// The fault that a scope is about.
fn fault_of<'a>(scenario: &'a Scenario, scope: &Scope) -> Option<&'a Fault> {
    let (Scope::During(name) | Scope::Across(name) | Scope::After { fault: name, .. }) = scope;
    scenario.faults.iter().find(|fault| fault.name == *name)
}

/// Checks of a fault's times, and those that scrapes answer.
fn of_fault_or_metric(
    evidence: &Evidence<'_>,
    scraped: &Scraped<'_>,
    fault: Option<&Fault>,
    window: &Window<'_>,
    subject: &Subject,
) -> Finding {
    let seen = scraped.seen;
    let range = (window.from, window.to);
    match (subject, scraped.readings, fault) {
        (Subject::Metric { selector, bound, .. }, [readings], _) => {
            metric::judge(readings, window, selector, bound, seen)
        }
        (Subject::Amplification { calls, first, bound, .. }, [all, firsts], _) => {
            amplification::judge([all, firsts], [calls, first], seen, range, bound)
        }
        (Subject::Herd { selector, bound, .. }, [readings], _) => {
            let baseline = evidence.scenario.timeline.phase(BASELINE);
            let baseline = baseline.map_or_else(Default::default, |phase| (phase.from, phase.to));
            herd::judge(readings, selector, seen, [baseline, range], bound)
        }
        (Subject::Detection(bound), _, Some(fault)) => recovery::judge_detected(evidence, fault, bound),
        (Subject::DetectionBy { selector, bound, .. }, [readings], Some(fault)) => {
            detect::judge(readings, selector, seen, fault, bound)
        }
        (Subject::Recovery(bound), _, Some(fault)) => recovery::judge_recovery(evidence, fault, bound),
        // The language lets no other through.
        _ => Finding::inconclusive("unknown", "this can't be judged"),
    }
}

/// A moment of the timeline in words: `at 4.31s`.
fn at(moment: Duration) -> String {
    format!("at {:.2}s", moment.as_secs_f64())
}
