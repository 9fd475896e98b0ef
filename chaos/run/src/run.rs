//! One run, from the first event to the last.

mod early;
mod timeline;

use crate::{
    Events, TornDown, World, WorldError,
    blame::{self, Blames},
    edges::starts_services,
    fold::{Fold, LoadFigures},
    instances,
    judge::{DOUBTED, Known, NO_ROOM, judge},
    ledger::{self, Injections, Join},
    responses::Heard,
    shown::Requests,
    spared::{Weaker, not_given},
};
use chaos_model::{
    Calibration, Event, Fault, Nonce, Plan, RunKey, Scenario, Verdict,
    check::FaultSeen,
    event::{Begin, Cause, EarlyEnd, FORMAT, Judged},
    ledger::{FaultFigures, Injected, Joined},
    quantity::show_duration,
};
use futures_util::future::BoxFuture;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use timeline::{Observed, StartedAgain};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

/// Options of a run, beside its scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The command line, word by word, for the report.
    pub command: Vec<String>,
    /// The folder that the command was started in, for the report.
    pub folder: String,
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
    /// Hears each response of the load with its body, for whoever learns what this system responds.
    pub listener: Option<UnboundedSender<Heard>>,
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

/// More arrivals than this share too late or not made, and the load was not what the scenario asks. Fewer are weighed where they
/// are judged.
const LATE_SHARE: u64 = 100;

/// A fault that takes effect later than this after it was due acts in another phase than the scenario says.
const LATE_EDGE: Duration = Duration::from_millis(250);

/// A service that takes longer than this to be ready again, and twice as long as at first, may have met a machine that was busy.
const LATE_START: Duration = Duration::from_secs(1);

/// Runs a scenario in a world and takes the world down again, however it ends. `interrupt` resolves, with the name of
/// what came, when the run is to stop early.
pub async fn run(
    scenario: &Scenario,
    world: &mut dyn World,
    options: &Options,
    events: &Events,
    mut interrupt: BoxFuture<'_, String>,
) -> Ending {
    let drawn = instances::drawn(scenario, options.seed);
    let scenario = &*drawn;
    let nonce = world.host().entropy().map(Nonce::of_seed);
    events.emit(Event::Begin(begin(scenario, world, options, nonce.as_ref().ok().copied())));
    let ending = tokio::select! {
        biased;
        by = &mut interrupt => {
            events.emit(Event::Interrupted { by });
            Ending::Interrupted
        }
        result = provision_and_judge(scenario, world, options, nonce, events) => result.unwrap_or_else(|error| {
            fail(scenario, events, error)
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
    let TornDown { left, unseen, logs } = torn_down;
    events.emit(Event::TornDown { took: stopping.elapsed(), left, unseen, logs });
    let verdict = match &ending {
        Ending::Judged(verdict, _) => Some(*verdict),
        Ending::WorldFailed | Ending::Interrupted => None,
    };
    events.emit(Event::End { verdict });
    ending
}

fn begin(scenario: &Scenario, world: &dyn World, options: &Options, nonce: Option<Nonce>) -> Begin {
    let unix_ms = u64::try_from(world.host().unix_now().as_millis()).unwrap_or(u64::MAX);
    Begin {
        format: FORMAT,
        run: run_id(world.name(), options, unix_ms),
        nonce,
        chaos: env!("CARGO_PKG_VERSION").to_owned(),
        command: options.command.clone(),
        folder: options.folder.clone(),
        file: options.file.clone(),
        title: scenario.title.clone(),
        world: world.name().to_owned(),
        seed: options.seed,
        unix_ms,
        plan: Arc::new(Plan::of(scenario)),
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

/// An id that no other run has, and that a simulation has again where it is made again: its clock begins anew each time.
fn run_id(world: &str, options: &Options, unix_ms: u64) -> String {
    let Options { file, without, control, .. } = options;
    let without = without.as_deref().unwrap_or_default();
    let time = unix_ms.to_le_bytes();
    let parts =
        [b"run".as_slice(), world.as_bytes(), file.as_bytes(), without.as_bytes(), &[u8::from(*control)], &time];
    format!("{:016x}", host::hash(options.seed, &parts))
}

fn fail(scenario: &Scenario, events: &Events, error: WorldError) -> Ending {
    if let WorldError::Lost(why) = error {
        events.emit(Event::Inconclusive { why, cause: Cause::Other });
        return Ending::Judged(Verdict::Inconclusive, Vec::new());
    }
    report_failure(scenario, events, error);
    Ending::WorldFailed
}

fn report_failure(scenario: &Scenario, events: &Events, error: WorldError) {
    let mut why = error.to_string();
    match error {
        WorldError::DiedStarting(death) => {
            let crate::Death { instance, how, last_lines, .. } = death;
            events.emit(Event::ServiceDied { service: instance.to_string(), how, last_lines });
        }
        WorldError::NotReady { service, last_lines, .. } => {
            events.emit(Event::ServiceDied { service, how: "not ready, stopped".to_owned(), last_lines });
        }
        WorldError::NotSetUp { service, how, last_lines, .. } => {
            events.emit(Event::ServiceDied { service, how: format!("its setup {how}"), last_lines });
        }
        WorldError::NotStarted { service, .. } => {
            // The file says what to start.
            if let Some(service) = scenario.system.services.get(&service) {
                let (file, line, _) = scenario.sources.position(&service.start_span);
                why += &format!(" ({file}:{line})");
            }
        }
        WorldError::Machine { .. } | WorldError::Lost(_) | WorldError::CannotGive(_) => {}
    }
    events.emit(Event::WorldFailed { why });
}

async fn provision_and_judge(
    scenario: &Scenario,
    world: &mut dyn World,
    options: &Options,
    nonce: std::io::Result<Nonce>,
    events: &Events,
) -> Result<Ending, WorldError> {
    if let Some(why) = secret_is_missing(scenario) {
        return Err(WorldError::CannotGive(why));
    }
    // Drawn by the machine: with one that a stranger knows, what he sends would count.
    let nonce = nonce.map_err(WorldError::machine("drawing the run's nonce"))?;
    let key = RunKey { seed: options.seed, nonce };
    world.take_run_lock(events).await?;
    let starting = Instant::now();
    world.start(&scenario.system, key, events).await?;
    events.emit(Event::Ready { took: starting.elapsed() });
    let mut observed = timeline::drive(scenario, world, (options, key), events).await?;
    let ledger = std::mem::take(&mut observed.ledger);
    let fold = &observed.fold;
    let ended = observed.stopped.as_ref().map(|stopped| stopped.at);
    let began = |name: &str| scenario.timeline.phase(name).is_none_or(|phase| ended.is_none_or(|at| phase.from < at));
    for figures in fold.figures().filter(|figures| began(&figures.phase)) {
        events.emit(Event::Phase(figures));
    }
    let left_out: BTreeMap<String, u64> = ledger.iter().map(|(fault, one)| (fault.clone(), one.left_out)).collect();
    let weaker = if options.control { Vec::new() } else { weaker(scenario, &observed, &ledger) };
    let injections = ledger.into_values().flat_map(|injections| injections.list).collect();
    let joined = Join::new(scenario, &observed.outcomes, fold.baseline_latency(), key).join(injections);
    let cut_off = left_out.iter().filter(|(_, count)| **count > 0).map(|(fault, _)| fault.clone()).collect();
    let blames = blames(scenario, &observed, &joined, &cut_off);
    let requests = Requests::new(&scenario.load, key.seed, &joined);
    let Observed { scrapes, probes, unseen, turned_away, doubts, .. } = &observed;
    let no_room = (!turned_away.is_empty()).then_some(NO_ROOM);
    let kept_away = no_room.or((!doubts.is_empty()).then_some(DOUBTED));
    let (blames, requests, weaker) = (&blames, &requests, &weaker);
    let judged = judge(&Known { scenario, fold, scrapes, probes, unseen, blames, requests, kept_away, weaker });
    let judged = match &observed.stopped {
        Some(stopped) => judged.into_iter().map(|one| early::cut_short(scenario, stopped, one)).collect(),
        None => judged,
    };
    if !options.control {
        // Where the run ended before its time, some faults never were.
        let was_there = |index: usize| observed.stopped.is_none() || observed.applied.contains(&index);
        close_ledger((scenario, &was_there), fold, blames, (joined, left_out), events);
    }
    for one in &judged {
        events.emit(Event::Judged(one.clone()));
    }
    let mut reasons = inconclusive_reasons(scenario, options.control, &observed);
    let late = late_edges(scenario, &observed, world.starting_takes());
    reasons.extend(late.into_iter().map(|why| (Cause::Other, why)));
    for (cause, why) in &reasons {
        events.emit(Event::Inconclusive { why: why.clone(), cause: *cause });
    }
    let reason = if reasons.is_empty() { Verdict::Pass } else { Verdict::Inconclusive };
    let verdict = Verdict::of_all(judged.iter().map(|judged| judged.verdict).chain([reason]));
    Ok(Ending::Judged(verdict, judged))
}

/// The reason why the load can't be made, where it names a secret that is nowhere.
fn secret_is_missing(scenario: &Scenario) -> Option<String> {
    let (name, span) = scenario.load.secrets.missing().next()?;
    let (file, line, _) = scenario.sources.position(span);
    let variable = name.strip_prefix("env:").unwrap_or(name);
    Some(format!("the environment variable {variable} that the load names is not set ({file}:{line})"))
}

/// The blame of each fault, by each selection of requests that is judged.
fn blames(scenario: &Scenario, observed: &Observed<'_>, joined: &[Joined], cut_off: &BTreeSet<String>) -> Blames {
    let Observed { fold, outcomes, fired, .. } = observed;
    let of = |selection| {
        let evidence = blame::Evidence {
            faults: &scenario.faults,
            outcomes,
            warmup: scenario.load.warmup,
            has: &|request| fold.selections().has(selection, request),
            joined,
            fired,
            cut_off,
            baseline: fold.usual(selection),
        };
        evidence.blame()
    };
    Blames((0..fold.selections().count()).map(of).collect())
}

/// Tells each injection with the request that met it, and the sums of each fault.
fn close_ledger(
    (scenario, was_there): (&Scenario, &dyn Fn(usize) -> bool),
    fold: &Fold<'_>,
    blames: &Blames,
    (joined, left_out): (Vec<Joined>, BTreeMap<String, u64>),
    events: &Events,
) {
    let mut of_faults: BTreeMap<String, Vec<Joined>> = BTreeMap::new();
    for joined in joined {
        of_faults.entry(joined.injection.fault.clone()).or_default().push(joined);
    }
    for (index, fault) in scenario.faults.iter().enumerate().filter(|(index, _)| was_there(*index)) {
        let joined = of_faults.remove(&fault.name).unwrap_or_default();
        let left_out = left_out.get(&fault.name).copied().unwrap_or_default();
        let sums = ledger::sums(&fault.name, &joined, left_out);
        let mut of_links: BTreeMap<String, Vec<Joined>> = BTreeMap::new();
        for one in joined {
            of_links.entry(one.injection.link.clone()).or_default().push(one);
        }
        for (link, injections) in of_links {
            let fault = fault.name.clone();
            events.emit(Event::Injected(Injected { fault, link, injections, rest: BTreeMap::new() }));
        }
        let FaultSeen { detected, uncharged, recovery, .. } = fold.fault(index, blames);
        events.emit(Event::FaultFigures(FaultFigures { detected, uncharged, recovery, ..sums }));
    }
}

/// Changes so late that phases are not what they say. Where a service is started, that takes its time.
fn late_edges(scenario: &Scenario, observed: &Observed<'_>, starting: Duration) -> Vec<String> {
    let too_late = |(due, done): &(Duration, Duration)| {
        let late = done.saturating_sub(*due);
        let allowed = if starts_services(scenario, *due) { LATE_EDGE + starting } else { LATE_EDGE };
        let (due, shown) = (show_duration(*due), show_duration(late));
        let reason = format!("what was due at {due} was done {shown} late, so the phases are not what they say");
        (late > allowed).then_some(reason)
    };
    observed.fold.acknowledged().iter().filter_map(|(due, done)| too_late(&(*due, *done))).collect()
}

/// The faults that did less than was asked for.
fn weaker<'a>(
    scenario: &'a Scenario,
    observed: &Observed<'_>,
    ledger: &BTreeMap<String, Injections>,
) -> Vec<Weaker<'a>> {
    let weaker = |fault: &'a Fault| {
        let fired = observed.fired.get(&fault.name).copied().unwrap_or_default();
        let injections = ledger.get(&fault.name).map(|one| one.list.as_slice()).unwrap_or_default();
        Weaker::spared(fault, &fired).or_else(|| Weaker::cut_short(fault, injections))
    };
    scenario.faults.iter().filter_map(weaker).collect()
}

/// Reasons that make the run as a whole inconclusive.
fn inconclusive_reasons(scenario: &Scenario, control: bool, observed: &Observed<'_>) -> Vec<(Cause, String)> {
    let mut reasons = Vec::new();
    // A pass would be worth nothing: what never happened can't have been survived.
    let faults = scenario.faults.iter().enumerate();
    // Where the run ended before its time, some never were.
    let was_there = |index: &usize| observed.stopped.is_none() || observed.applied.contains(index);
    for (_, fault) in faults.filter(|(index, _)| !control && was_there(index)) {
        let fired = observed.fired.get(&fault.name).copied().unwrap_or_default();
        reasons.extend(not_given(fault, &fired, observed.carried.of(&fault.name)));
    }
    let mut reason = |why| reasons.push((Cause::Other, why));
    if let Some(stopped) = &observed.stopped
        && stopped.early.by == EarlyEnd::Gate
    {
        reason(stopped.early.words());
        // All else would be said of a run that was none.
        return reasons;
    }
    // What no load put on the system says nothing of how the system takes it.
    let LoadFigures { due, missed, late } = observed.fold.load();
    if missed * LATE_SHARE > due {
        let why = "raise `ulimit -n`, or lower the rate";
        reason(format!("the load was not reached: {missed} of {due} arrivals were not made: {why}"));
    }
    if late * LATE_SHARE > due {
        reason(format!(
            "the load was not reached: {late} of {due} arrivals started more than 100ms late: a lower rate or a quieter machine helps"
        ));
    }
    if let Some(figures) = observed.fold.baseline() {
        let availability = figures.availability();
        if figures.arrivals > 0 && availability.parts * 100 < availability.whole * 99 {
            // What was broken before the first fault may not be the faults' doing.
            reason(format!("the system was not well before the first fault: {availability} were served"));
        }
    }
    // Whether a service that ends by itself comes back is up to whoever runs the system; nothing here starts it again.
    for death in &observed.deaths {
        reason(format!("{} ended during the run ({})", death.instance, death.how));
    }
    // A request that met this says nothing of the system.
    for (link, count) in &observed.turned_away {
        let connections = if *count == 1 { "1 connection".to_owned() } else { format!("{count} connections") };
        let why = "raise `ulimit -n`, or its `max-connections`, or lower the rate";
        reason(format!("the proxy of {link} had no room for {connections}: {why}"));
    }
    observed.doubts.iter().cloned().for_each(&mut reason);
    for service in &observed.away {
        reason(format!("{service} was not ready again when the run ended"));
    }
    for StartedAgain { instance, took, at_first } in &observed.starts {
        let Some(at_first) = at_first else { continue };
        if *took > LATE_START.max(*at_first * 2) {
            let (took, at_first) = (show_duration(*took), show_duration(*at_first));
            reason(format!("{instance} took {took} to start again, and {at_first} at first"));
        }
    }
    reasons
}
