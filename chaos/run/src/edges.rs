//! Edges of the timeline: faults to apply and to take back, scrapes to take.

use chaos_model::{Expectation, Fault, Scenario, Scope, Selector, check::CheckId, effect::action::ServiceAction};
use std::{collections::BTreeMap, time::Duration};

/// Changes at one moment of the timeline. In this order: a scrape that closes what ends here, faults taken back,
/// faults applied, a scrape that opens what begins here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    /// Faults to take back, by their place in the scenario.
    pub(crate) remove: Vec<usize>,
    /// Faults to apply.
    pub(crate) apply: Vec<usize>,
}

/// The time between two looks at gauges, between the edges.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);

/// The time between two looks where it matters when they change.
const WATCH_EVERY: Duration = Duration::from_millis(100);

/// The moments of a scenario at which something has to be done, in order. The end is not among them: it waits for the
/// requests in flight.
pub(crate) fn edges(scenario: &Scenario) -> BTreeMap<Duration, Edge> {
    let end = scenario.timeline.duration;
    let mut edges = BTreeMap::<Duration, Edge>::new();
    for (index, fault) in scenario.faults.iter().enumerate() {
        for (from, to) in fault.windows() {
            edges.entry(from).or_default().apply.push(index);
            edges.entry(to).or_default().remove.push(index);
        }
    }
    for phase in &scenario.timeline.phases {
        edges.entry(phase.from).or_default();
        edges.entry(phase.to).or_default();
    }
    for expectation in &scenario.expectations {
        if let Scope::After { fault, within } = &expectation.scope
            && let Some(fault) = scenario.faults.iter().find(|other| other.name == *fault)
        {
            edges.entry(fault.ends() + *within).or_default();
        }
    }
    // Between the edges too, since a gauge must hold in every scrape of its scope.
    if scrapes(scenario).next().is_some() {
        scrape_each(&mut edges, SCRAPE_EVERY, (Duration::ZERO, end));
    }
    for window in watched(scenario) {
        scrape_each(&mut edges, WATCH_EVERY, window);
    }
    // A fault that lasts to the end is taken back there, by the run itself.
    edges.retain(|at, _| *at < end);
    edges
}

/// True if a service that was ended is started at this moment.
pub(crate) fn starts_services(scenario: &Scenario, at: Duration) -> bool {
    let ended =
        |fault: &Fault| matches!(fault.effect.action().service, Some(ServiceAction::Stop | ServiceAction::Kill));
    let mut faults = scenario.faults.iter().filter(|fault| ended(fault));
    faults.any(|fault| fault.windows().any(|(_, to)| to == at))
}

/// True for faults that ask a service to end, which it may take its time for.
pub(crate) fn ends_in_order(fault: &Fault) -> bool {
    match fault.effect.action().service {
        Some(ServiceAction::Stop | ServiceAction::Restart) => true,
        Some(ServiceAction::Kill | ServiceAction::Pause | ServiceAction::Flush | ServiceAction::Limit(_)) | None => {
            false
        }
    }
}

/// The times of faults whose detection is judged by a metric.
fn watched(scenario: &Scenario) -> impl Iterator<Item = (Duration, Duration)> {
    let watches = |expectation: &Expectation, fault: &Fault| {
        let watched = expectation.checks.iter().any(|check| check.subject.watches());
        expectation.scope == Scope::During(fault.name.clone()) && watched
    };
    let watched = move |fault: &&Fault| scenario.expectations.iter().any(|expectation| watches(expectation, fault));
    scenario.faults.iter().filter(watched).map(|fault| (fault.at, fault.ends()))
}

fn scrape_each(edges: &mut BTreeMap<Duration, Edge>, every: Duration, (from, to): (Duration, Duration)) {
    let mut at = from;
    while at < to {
        edges.entry(at).or_default();
        at += every;
    }
}

/// Series that checks read from scrapes: by check, the service and the selectors.
pub(crate) fn scrapes(scenario: &Scenario) -> impl Iterator<Item = (CheckId, &str, Vec<&Selector>)> {
    let checks = scenario.expectations.iter().flat_map(|expectation| &expectation.checks);
    checks.filter_map(|check| check.subject.scrapes().map(|(service, selectors)| (check.id, service, selectors)))
}
