//! Windows: the requests, and the scrapes, that a scope means.

use super::Evidence;
use crate::{
    edges::ends_in_order,
    responses::{is_partial, is_stale},
};
use chaos_load::Outcome;
use chaos_model::{
    Fault, Phase, PhaseKind, Scenario, Scope,
    event::{LatencyFigures, PhaseFigures},
};
use std::{collections::BTreeMap, time::Duration};

/// Acknowledgements: by due moment, when its changes were in place; moments without changes are not there.
pub(crate) type Acknowledged = BTreeMap<Duration, Duration>;

/// A window of the timeline and the arrivals in it.
#[derive(Default)]
pub(crate) struct Window<'a> {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    /// For `after`: how soon something must be reached, counted from the fault's end, which is `from` less this.
    pub(crate) within: Option<Duration>,
    /// Arrivals that belong to it, with their intended start on the timeline.
    pub(crate) arrivals: Vec<(Duration, &'a Outcome)>,
    /// Arrivals that are counted apart.
    pub(crate) straddled: u64,
}

impl<'a> Window<'a> {
    /// The window that a scope means.
    pub(crate) fn of(evidence: &Evidence<'a>, scope: &Scope) -> Self {
        let scenario = evidence.scenario;
        match scope {
            Scope::During(name) => {
                let phase = scenario.timeline.phase(name);
                // The language lets no other name through.
                let (from, to, kind) = phase.map_or_else(Default::default, |p| (p.from, p.to, Some(p.kind)));
                Self::collect(evidence, from, to, kind.unwrap_or(PhaseKind::Window), None)
            }
            Scope::Across(fault) => {
                let fault = scenario.faults.iter().find(|other| other.name == *fault);
                // The language lets no other name through.
                fault.map_or_else(Self::default, |fault| Self::under_way(evidence, fault))
            }
            Scope::After { fault, within } => {
                let fault = scenario.faults.iter().find(|other| other.name == *fault);
                let phase = fault.map(|fault| scenario.timeline.after(fault, *within, &scenario.faults));
                let (from, to) = phase.map_or_else(Default::default, |phase| (phase.from, phase.to));
                Self::collect(evidence, from, to, PhaseKind::After, Some(*within))
            }
        }
    }

    /// The window of a phase.
    pub(crate) fn phase(evidence: &Evidence<'a>, phase: &Phase) -> Self {
        Self::collect(evidence, phase.from, phase.to, phase.kind, None)
    }

    /// Requests that were due before a fault began and not over by then.
    fn under_way(evidence: &Evidence<'a>, fault: &Fault) -> Self {
        let warmup = evidence.scenario.load.warmup;
        // Proxies act as soon as they hear of it, which is before all have acknowledged it; a service hears its signal
        // then.
        let acknowledged = evidence.acknowledged.get(&fault.at).copied().filter(|_| ends_in_order(fault));
        let moment = warmup + acknowledged.map_or(fault.at, |at| at.max(fault.at));
        let met = |outcome: &&Outcome| outcome.intended < moment && outcome.ended >= moment;
        let arrivals = evidence.outcomes.iter().filter(met);
        let arrivals = arrivals.map(|outcome| (outcome.intended.saturating_sub(warmup), outcome));
        Self { from: fault.at, to: fault.at, arrivals: arrivals.collect(), ..Self::default() }
    }

    fn collect(
        evidence: &Evidence<'a>,
        from: Duration,
        to: Duration,
        kind: PhaseKind,
        within: Option<Duration>,
    ) -> Self {
        let warmup = evidence.scenario.load.warmup;
        // A phase begins when what makes it was acknowledged; what arrived in between met neither.
        let began = evidence.acknowledged.get(&from).copied().unwrap_or(from).max(from);
        let mut window = Self { from, to, within, arrivals: Vec::new(), straddled: 0 };
        for outcome in evidence.outcomes {
            let Some(at) = outcome.intended.checked_sub(warmup) else { continue };
            if at < from || at >= to {
                continue;
            }
            let apart = match kind {
                PhaseKind::Run => false,
                // What began within a fault belongs to it however long it lasts, else a hang would leave nothing to
                // judge.
                PhaseKind::Fault => at < began,
                // What began before a fault and ended within it met neither in full, so it is counted apart.
                PhaseKind::Baseline | PhaseKind::Recovery | PhaseKind::Window | PhaseKind::After => {
                    at < began || straddles(evidence.scenario, at, outcome.ended.saturating_sub(warmup))
                }
            };
            if apart {
                window.straddled += 1;
            } else {
                window.arrivals.push((at, outcome));
            }
        }
        window
    }
}

/// True if a request began before a fault and ended within it: what it met belongs to neither.
// One that began within a fault and ended after it is the fault's: else a hang would leave nothing to judge.
fn straddles(scenario: &Scenario, began: Duration, ended: Duration) -> bool {
    let meets = |fault: &Fault| began < fault.at && ended >= fault.at;
    let inside = scenario.faults.iter().any(|fault| fault.at <= began && began < fault.ends());
    !inside && scenario.faults.iter().any(meets)
}

/// Figures of what clients saw in a phase.
pub(crate) fn figures(evidence: &Evidence<'_>, phase: &Phase) -> PhaseFigures {
    let window = Window::phase(evidence, phase);
    let mut figures = PhaseFigures {
        phase: phase.name.clone(),
        arrivals: window.arrivals.len() as u64,
        straddled: window.straddled,
        ..PhaseFigures::default()
    };
    for (_, outcome) in &window.arrivals {
        match &outcome.result {
            Ok(status) => *figures.statuses.entry(*status).or_default() += 1,
            Err(error) => *figures.errors.entry(error.to_string()).or_default() += 1,
        }
        figures.missed += u64::from(outcome.started.is_none());
        figures.partial += u64::from(is_partial(outcome.marks));
        figures.stale += u64::from(is_stale(outcome.marks));
        figures.oldest = figures.oldest.max(evidence.checker.age(outcome.n));
    }
    let latencies = super::latency::sorted(&window, evidence.scenario.load.timeout);
    figures.latency = latencies.last().map(|&max| {
        let quantile = |thousandths| super::latency::percentile(&latencies, thousandths).unwrap_or(max);
        LatencyFigures {
            p50: quantile(50_000),
            p90: quantile(90_000),
            p99: quantile(99_000),
            p999: quantile(99_900),
            max,
        }
    });
    figures
}
