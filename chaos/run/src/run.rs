//! One run, from the first event to the last.

mod timeline;

use crate::{
    Events, World, WorldError,
    edges::starts_services,
    judge::{Evidence, detected, figures, judge, recovery},
    ledger::{self, Injections, Join},
    responses::ResponseChecker,
};
use chaos_model::{
    Calibration, Event, Scenario, Verdict,
    event::{Begin, FORMAT, Judged},
    ledger::{FaultFigures, Joined},
    quantity::show_duration,
};
use futures_util::future::BoxFuture;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use timeline::Observed;
use tokio::time::Instant;

/// Options of a run, beside its scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The scenario's file, for the report.
    pub file: String,
    /// The seed of every draw.
    pub seed: u64,
    /// The protection that was taken away, where a guard is proven.
    pub without: Option<String>,
    /// Settings over the scenario, as `load.rate=500/s`, for the report.
    pub sets: Vec<String>,
    /// The expectations that were asked for, where not all of them are judged, for the report.
    pub only: Vec<String>,
    /// The expectations that this world leaves to others, for the report.
    pub elsewhere: Vec<String>,
    /// The control: leave the faults out, and judge as if they had been there.
    pub control: bool,
    /// The speed of this machine when it was last measured, for the report.
    pub calibration: Option<Calibration>,
    /// Leave the system up after the judgement, until the interrupt.
    pub hold: bool,
}

/// The ending of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The run was judged.
    Judged(Verdict, Vec<Judged>),
    /// The world could not do what the scenario asks.
    WorldFailed,
    /// The run was interrupted before the judgement.
    Interrupted,
}

/// More arrivals than this share late by more than [`LATE`], and the load was not what the scenario asks.
const LATE_SHARE: u64 = 100;
/// The lateness from which on an arrival counts as late. Latencies count from the intended start, so lateness flatters
/// nothing; but a generator that stands still for longer doesn't put the asked load on the system.
const LATE: Duration = Duration::from_millis(100);

/// A fault that takes effect later than this after it was due acts in another phase than the scenario says.
const LATE_EDGE: Duration = Duration::from_millis(250);

/// Runs a scenario in a world and takes the world down again, however it ends. `interrupt` resolves, with the name of
/// what came, when the run is to stop early.
pub async fn run(
    scenario: &Scenario,
    world: &mut dyn World,
    options: &Options,
    events: &Events,
    mut interrupt: BoxFuture<'_, String>,
) -> Ending {
    events.emit(Event::Begin(begin(scenario, world, options)));
    let ending = tokio::select! {
        biased;
        by = &mut interrupt => {
            events.emit(Event::Interrupted { by });
            Ending::Interrupted
        }
        result = provision_and_judge(scenario, world, options, events) => result.unwrap_or_else(|error| {
            fail(events, error)
        }),
    };
    if options.hold && matches!(&ending, Ending::Judged(_, judged) if !judged.is_empty()) {
        events.emit(Event::Held);
        interrupt.await;
    }
    // Logs explain what went wrong. What passed needs no explanation, what was interrupted wants none, and what a guard
    // breaks, or breaks without faults, is meant to.
    let explain = match &ending {
        Ending::Judged(verdict, _) => *verdict != Verdict::Pass && options.without.is_none() && !options.control,
        Ending::WorldFailed => true,
        Ending::Interrupted => false,
    };
    let stopping = Instant::now();
    let torn_down = world.stop(explain).await;
    events.emit(Event::TornDown { took: stopping.elapsed(), left: torn_down.left, logs: torn_down.logs });
    let verdict = match &ending {
        Ending::Judged(verdict, _) => Some(*verdict),
        Ending::WorldFailed | Ending::Interrupted => None,
    };
    events.emit(Event::End { verdict });
    ending
}

fn begin(scenario: &Scenario, world: &dyn World, options: &Options) -> Begin {
    Begin {
        format: FORMAT,
        file: options.file.clone(),
        title: scenario.title.clone(),
        world: world.name().to_owned(),
        seed: options.seed,
        unix_ms: u64::try_from(world.host().unix_now().as_millis()).unwrap_or(u64::MAX),
        rate: scenario.load.rate,
        warmup: scenario.load.warmup,
        phases: scenario.timeline.phases.clone(),
        faults: scenario.faults.clone(),
        without: options.without.clone(),
        sets: options.sets.clone(),
        only: options.only.clone(),
        elsewhere: options.elsewhere.clone(),
        control: options.control,
        calibration: options.calibration.clone(),
    }
}

fn fail(events: &Events, error: WorldError) -> Ending {
    if let WorldError::Lost(why) = error {
        events.emit(Event::Inconclusive { why });
        return Ending::Judged(Verdict::Inconclusive, Vec::new());
    }
    report_failure(events, error);
    Ending::WorldFailed
}

fn report_failure(events: &Events, error: WorldError) {
    let why = error.to_string();
    match error {
        WorldError::DiedStarting(death) => {
            let crate::Death { instance, how, last_lines } = death;
            events.emit(Event::ServiceDied { service: instance.to_string(), how, last_lines });
        }
        WorldError::NotReady { service, last_lines, .. } => {
            events.emit(Event::ServiceDied { service, how: "not ready, stopped".to_owned(), last_lines });
        }
        WorldError::Machine { .. } | WorldError::Lost(_) | WorldError::CannotGive(_) => {}
    }
    events.emit(Event::WorldFailed { why });
}

async fn provision_and_judge(
    scenario: &Scenario,
    world: &mut dyn World,
    options: &Options,
    events: &Events,
) -> Result<Ending, WorldError> {
    world.take_run_lock(events).await?;
    let starting = Instant::now();
    world.start(&scenario.system, options.seed, events).await?;
    events.emit(Event::Ready { took: starting.elapsed() });
    let checker = Arc::new(ResponseChecker::new(&scenario.expectations));
    let mut observed = timeline::drive(scenario, world, options, events, &checker).await?;
    let ledger = std::mem::take(&mut observed.ledger);
    let evidence = Evidence {
        scenario,
        outcomes: &observed.outcomes,
        checker: &checker,
        scrapes: &observed.scrapes,
        acknowledged: &observed.acknowledged,
    };
    for phase in &scenario.timeline.phases {
        events.emit(Event::Phase(figures(&evidence, phase)));
    }
    if !options.control {
        close_ledger(&evidence, options.seed, ledger, events);
    }
    let judged = judge(&evidence);
    for one in &judged {
        events.emit(Event::Judged(one.clone()));
    }
    let mut reasons = inconclusive_reasons(scenario, options.control, &observed, &evidence);
    reasons.extend(late_edges(scenario, &observed, world.starting_takes()));
    for why in &reasons {
        events.emit(Event::Inconclusive { why: why.clone() });
    }
    let reason = if reasons.is_empty() { Verdict::Pass } else { Verdict::Inconclusive };
    let verdict = Verdict::of_all(judged.iter().map(|judged| judged.verdict).chain([reason]));
    Ok(Ending::Judged(verdict, judged))
}

/// Injections that go into one event.
const BATCH: usize = 500;

/// Tells each injection with the request that met it, and the sums of each fault.
fn close_ledger(evidence: &Evidence<'_>, seed: u64, ledger: BTreeMap<String, Injections>, events: &Events) {
    let left_out: BTreeMap<String, u64> = ledger.iter().map(|(fault, one)| (fault.clone(), one.left_out)).collect();
    let all = ledger.into_values().flat_map(|injections| injections.list).collect();
    let mut of_faults: BTreeMap<String, Vec<Joined>> = BTreeMap::new();
    for joined in Join::new(evidence, seed).join(all) {
        of_faults.entry(joined.injection.fault.clone()).or_default().push(joined);
    }
    for fault in &evidence.scenario.faults {
        let joined = of_faults.remove(&fault.name).unwrap_or_default();
        let left_out = left_out.get(&fault.name).copied().unwrap_or_default();
        let sums = ledger::sums(&fault.name, &joined, left_out);
        for injections in joined.chunks(BATCH) {
            events.emit(Event::Injected { injections: injections.to_vec() });
        }
        events.emit(Event::FaultFigures(FaultFigures {
            detected: detected(evidence, fault),
            recovery: recovery(evidence, fault),
            ..sums
        }));
    }
}

/// Changes so late that phases are not what they say. Where a service is started, that takes its time.
fn late_edges(scenario: &Scenario, observed: &Observed, starting: Duration) -> Vec<String> {
    let too_late = |(due, done): &(Duration, Duration)| {
        let late = done.saturating_sub(*due);
        let allowed = if starts_services(scenario, *due) { LATE_EDGE + starting } else { LATE_EDGE };
        let (due, shown) = (show_duration(*due), show_duration(late));
        let reason = format!("what was due at {due} was done {shown} late, so the phases are not what they say");
        (late > allowed).then_some(reason)
    };
    observed.acknowledged.iter().filter_map(|(due, done)| too_late(&(*due, *done))).collect()
}

/// Reasons that make the run as a whole inconclusive.
fn inconclusive_reasons(
    scenario: &Scenario,
    control: bool,
    observed: &Observed,
    evidence: &Evidence<'_>,
) -> Vec<String> {
    let mut reasons = Vec::new();
    // A pass would be worth nothing: what never happened can't have been survived.
    for fault in scenario.faults.iter().filter(|_| !control) {
        if observed.fired.get(&fault.name).is_none_or(|fired| !fired.any()) {
            reasons
                .push(format!("the fault `{}` never fired: nothing used {} while it was there", fault.name, fault.on));
        }
    }
    // What no load put on the system says nothing of how the system takes it.
    let warmup = scenario.load.warmup;
    let judged: Vec<_> = evidence.outcomes.iter().filter(|outcome| outcome.intended >= warmup).collect();
    let missed = judged.iter().filter(|outcome| outcome.started.is_none()).count();
    if missed > 0 {
        reasons.push(format!("the load was not reached: {missed} of {} arrivals were not made", judged.len()));
    }
    let late = |outcome: &&&chaos_load::Outcome| outcome.started.is_some_and(|at| at > outcome.intended + LATE);
    let late = judged.iter().filter(late).count() as u64;
    if late * LATE_SHARE > judged.len() as u64 {
        let all = judged.len();
        reasons.push(format!("the load was not reached: {late} of {all} arrivals started more than 100ms late"));
    }
    if let Some(phase) = scenario.timeline.phase(chaos_model::phase::BASELINE) {
        let figures = figures(evidence, phase);
        let availability = figures.availability();
        if figures.arrivals > 0 && availability.parts * 100 < availability.whole * 99 {
            // What was broken before the first fault may not be the faults' doing.
            reasons.push(format!("the system was not well before the first fault: {availability} were served"));
        }
    }
    // Whether a service that ends by itself comes back is up to whoever runs the system; nothing here starts it again.
    for death in &observed.deaths {
        reasons.push(format!("{} ended during the run ({})", death.instance, death.how));
    }
    reasons
}
