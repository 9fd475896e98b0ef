//! Lessons of healthy runs: which links it uses for which kinds of messages, what its responses have, what is normal.

use crate::{
    bodies::{Bodies, RequestLearnt},
    error::Error,
    lab::{Job, Lab},
    point::NotTried,
    seen::Seen,
    shape::Shape,
    subject::Subject,
    uses::{LinkUse, Uses},
};
use chaos_model::{Endpoint, Event, Link, Protocol, Record, Scenario, Slice, event::ProxyCounts, responses::Marker};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::sync::mpsc;

/// Healthy runs, each with a seed of its own.
pub(crate) const HEALTHY_RUNS: u64 = 4;

/// Time over which calls are put against requests.
const FEW_SECONDS: Duration = Duration::from_secs(3);

/// The most that any healthy run showed of what faults bring about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Healthy {
    /// Requests without a good response.
    pub(crate) bad: u64,
    /// Responses that said that they are partial.
    pub(crate) partial: u64,
    /// Responses that said that they are old.
    pub(crate) stale: u64,
    /// The slowest response.
    pub(crate) slowest: Duration,
    /// Statuses of responses.
    pub(crate) statuses: BTreeSet<u16>,
}

impl Healthy {
    fn of(seen: &[Seen]) -> Self {
        let most = |of: &dyn Fn(&Seen) -> u64| seen.iter().map(of).max().unwrap_or_default();
        Self {
            bad: most(&Seen::bad),
            partial: most(&|seen| seen.run.partial.unwrap_or_default()),
            stale: most(&|seen| seen.run.stale.unwrap_or_default()),
            slowest: seen.iter().map(Seen::slowest).max().unwrap_or_default(),
            statuses: seen.iter().flat_map(|seen| seen.run.statuses.keys().copied()).collect(),
        }
    }
}

/// Knowledge of a healthy system.
#[derive(Clone, Debug)]
pub(crate) struct Learnt {
    pub(crate) scenario: Scenario,
    pub(crate) uses: Uses,
    /// The likeness of the responses to each request.
    pub(crate) requests: Vec<RequestLearnt>,
    /// The most that healthy runs showed.
    pub(crate) healthy: Healthy,
    /// Places in bodies that are not looked at.
    pub(crate) not_looked_at: Vec<NotTried>,
    /// Calls on each link that speaks HTTP, per request of the load, in the second that had the most.
    pub(crate) calls: BTreeMap<Link, f64>,
    /// A client's patience.
    pub(crate) timeout: Duration,
    /// Responses can say that they are partial, or stale.
    pub(crate) has_partial: bool,
    pub(crate) has_stale: bool,
}

/// Runs the healthy system, and learns.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::Unwell`]: a system that isn't well without faults can't be explored.
pub(crate) fn learn(lab: &Lab<'_>, subject: &Subject, shape: Shape, seed: u64) -> Result<Learnt, Error> {
    let text = healthy(subject, shape);
    let job = |seed| Job { text: text.clone(), seed, control: false };
    let (sender, mut heard) = mpsc::unbounded_channel();
    let ears = std::iter::once(Some(sender)).chain(std::iter::repeat_with(|| None));
    let jobs: Vec<_> = (0..HEALTHY_RUNS).map(|nth| job(seed.wrapping_add(nth))).zip(ears).collect();
    let all: Result<Vec<(Scenario, Vec<Record>)>, Error> = std::thread::scope(|scope| {
        let begun: Vec<_> = jobs.into_iter().map(|(job, ear)| scope.spawn(move || lab.events(&job, ear))).collect();
        let lost = || Error::Unwell("its simulation panicked".to_owned());
        begun.into_iter().map(|run| run.join().map_err(|_| lost())?).collect()
    });
    let (mut scenarios, runs): (Vec<Scenario>, Vec<Vec<Record>>) = all?.into_iter().unzip();
    let scenario = scenarios.swap_remove(0);
    let seen: Vec<Seen> = runs.iter().map(|records| Seen::of(records)).collect();
    seen.iter().try_for_each(well)?;
    let mut bodies = Bodies::new(&scenario);
    while let Ok(response) = heard.try_recv() {
        bodies.hear(&response);
    }
    let (requests, not_looked_at) = bodies.learnt();
    let mut calls = BTreeMap::new();
    for records in &runs {
        most_calls(&scenario, records, &mut calls);
    }
    let declared = scenario.system.responses.markers();
    Ok(Learnt {
        uses: uses(&scenario, &runs[0]),
        requests,
        healthy: Healthy::of(&seen),
        not_looked_at,
        calls,
        timeout: scenario.load.timeout,
        has_partial: declared.contains(&Marker::Partial),
        has_stale: declared.contains(&Marker::Stale),
        scenario,
    })
}

/// A scenario without a fault.
fn healthy(subject: &Subject, shape: Shape) -> String {
    let all: Vec<usize> = (0..subject.requests()).collect();
    let duration = chaos_model::quantity::show_duration(shape.lasts());
    let expectation = "\n[[expect]]\nthat = \"the system is well\"\nduring = \"run\"\navailability = \">= 99%\"\n";
    format!("title = \"a healthy run\"\n{}{expectation}", subject.text(&all, shape.rate, &duration, None))
}

fn well(seen: &Seen) -> Result<(), Error> {
    if let Some(why) = &seen.broken {
        return Err(Error::Unwell(why.clone()));
    }
    if seen.fails(0) || seen.judged.is_empty() {
        let share = seen.run.availability();
        let bad = seen.shape();
        return Err(Error::Unwell(format!("{share} of its requests got a good response, without any fault ({bad})")));
    }
    Ok(())
}

/// The counts of links: when the timeline began, and at the end.
fn counts(records: &[Record]) -> (ProxyCounts, ProxyCounts) {
    let (mut first, mut sum) = (None, ProxyCounts::default());
    for record in records {
        if let Event::Counted(counted) = &record.event {
            sum.update(&counted.counts);
            first.get_or_insert_with(|| sum.clone());
        }
    }
    (first.unwrap_or_default(), sum)
}

fn uses(scenario: &Scenario, records: &[Record]) -> Uses {
    let (first, sum) = counts(records);
    let used = |link: &Link| {
        let (before, after) = (first.links.get(&link.to_string()), sum.links.get(&link.to_string())?);
        let came_later = |kind: &String, count: u64| {
            count > before.and_then(|before| before.messages.get(kind)).copied().unwrap_or_default()
        };
        let (messages, start): (BTreeMap<_, _>, BTreeMap<_, _>) =
            after.messages.clone().into_iter().partition(|(kind, count)| came_later(kind, *count));
        let only_at_the_start = start.into_keys().collect();
        Some((link.clone(), LinkUse { connections: after.connections, messages, only_at_the_start }))
    };
    scenario.system.links.iter().filter_map(used).collect()
}

/// The most calls per request that healthy requests made in any few seconds, on each link between services that speaks HTTP.
fn most_calls(scenario: &Scenario, records: &[Record], most: &mut BTreeMap<Link, f64>) {
    let slices: Vec<&Slice> = records.iter().filter_map(slice).collect();
    let due = |from: Duration, to: Duration| -> u64 {
        let within = slices.iter().filter(|slice| from <= slice.from && slice.to <= to);
        within.map(|slice| slice.counts.due + slice.straddled.due).sum()
    };
    let http = |link: &&Link| link.from != Endpoint::Client && scenario.system.stack(link).protocol == Protocol::HTTP;
    for link in scenario.system.links.iter().filter(http) {
        let mut sum = ProxyCounts::default();
        let mut last: Option<(Duration, u64)> = None;
        for record in records {
            let Event::Counted(counted) = &record.event else { continue };
            sum.update(&counted.counts);
            let calls =
                sum.links.get(&link.to_string()).map(|counts| counts.messages.values().sum()).unwrap_or_default();
            let (at, before) = *last.get_or_insert((counted.at, calls));
            let requests = due(at, counted.at);
            // Those of a second alone are few, and some are counted in the next one.
            if counted.at < at + FEW_SECONDS || requests == 0 {
                continue;
            }
            let per_request = share(calls.saturating_sub(before), requests);
            let known = most.entry(link.clone()).or_insert(per_request);
            *known = known.max(per_request);
            last = Some((counted.at, calls));
        }
    }
}

fn slice(record: &Record) -> Option<&Slice> {
    match &record.event {
        Event::Slice(slice) => Some(slice),
        _ => None,
    }
}

fn share(parts: u64, whole: u64) -> f64 {
    let number = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(parts) / number(whole.max(1))
}
