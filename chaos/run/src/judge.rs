//! From evidence to verdicts. Pure: everything that was seen goes in, what came of each expectation comes out.

mod latency;
mod metric;
mod share;
mod stretch;

pub(crate) use stretch::{Acknowledged, Stretch, figures};

use crate::{examine::Examiner, observe::Scrapes};
use chaos_load::Outcome;
use chaos_model::{
    Check, Expectation, Scenario, Scope, Subject, Verdict,
    event::{Judged, JudgedCheck},
    quantity::show_duration,
};
use std::time::Duration;

/// Everything that was seen in a run.
pub(crate) struct Evidence<'a> {
    pub(crate) scenario: &'a Scenario,
    /// By arrival; times count from the start of the warm-up.
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) examiner: &'a Examiner,
    /// By metric check, in the order of the scenario.
    pub(crate) scrapes: &'a Scrapes,
    /// When changes of faults were acknowledged.
    pub(crate) acknowledged: &'a Acknowledged,
}

/// What came of one comparison, before it is put in words.
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

/// Which body or header check, and which metric check, comes next: they are numbered through the scenario.
#[derive(Default)]
struct Counters {
    looks: usize,
    metrics: usize,
}

fn judge_one(evidence: &Evidence<'_>, counters: &mut Counters, index: usize, expectation: &Expectation) -> Judged {
    let stretch = Stretch::of(evidence, &expectation.scope);
    let checks: Vec<JudgedCheck> =
        expectation.checks.iter().map(|check| judge_check(evidence, counters, &stretch, check)).collect();
    let when = match &expectation.scope {
        Scope::During(phase) => phase.clone(),
        Scope::After { fault, within } => format!("within {} after {fault}", show_duration(*within)),
    };
    let verdict = Verdict::of_all(checks.iter().map(|check| check.verdict));
    Judged { index, that: expectation.that.clone(), when, verdict, checks }
}

fn judge_check(evidence: &Evidence<'_>, counters: &mut Counters, stretch: &Stretch<'_>, check: &Check) -> JudgedCheck {
    let finding = match &check.subject {
        Subject::Status(pattern, bound) => share::status(stretch, *pattern, bound),
        Subject::Errors(bound) => share::errors(stretch, bound),
        Subject::Partial(bound) => share::partial(stretch, bound),
        Subject::Stale(bound) => share::stale(stretch, bound),
        Subject::Body { share: bound, .. } | Subject::Header { share: bound, .. } => {
            let nth = counters.looks;
            counters.looks += 1;
            share::look(stretch, evidence.examiner, nth, bound)
        }
        Subject::Latency(quantile, bound) => latency::judge(stretch, *quantile, bound, evidence.scenario.load.timeout),
        Subject::Metric { node, selector, bound } => {
            let nth = counters.metrics;
            counters.metrics += 1;
            let seen = evidence.scrapes.seen.get(node);
            metric::judge(&evidence.scrapes.readings[nth], stretch, selector, bound, seen)
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

/// A moment of the timeline in words: `at 4.31s`.
fn at(moment: Duration) -> String {
    format!("at {:.2}s", moment.as_secs_f64())
}
