//! The timeline of a run: load from the first moment to the last, faults and scrapes at their edges.

mod counting;
mod disrupting;
mod ending_early;
mod probing;
mod stopping;
mod waiting;

use super::Options;
use crate::{
    Death, Events, InstanceId, World, WorldError,
    edges::{self, Edge},
    fold::Fold,
    ledger::Injections,
    observe::{Fetch, Scraper, Scrapes},
    responses::{ResponseChecker, Unseen},
};
use chaos_load::{Disruptions, Marks, Outcome, Plan, Summary};
use chaos_model::{
    Event, Fault, HttpProbe, Injection, RunKey, Scenario,
    carried::Carried,
    check::reading::ScrapeSide,
    event::{Fired, Probed},
    ledger::Removed,
};
use counting::Counting;
use disrupting::Disrupting;
use host::{Host, Task};
use probing::Probing;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
pub(super) use stopping::Stopped;
use stopping::Stopping;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// Requests in flight at which the generator gives up on further arrivals: what two seconds of 10,000/s leave behind.
const MAX_IN_FLIGHT: usize = 20_000;
/// The longest time that switching a fault may take; it takes milliseconds.
const SWITCHING: Duration = Duration::from_secs(10);
/// A scrape that takes longer says nothing about the moment it was asked for.
const SCRAPE: Duration = Duration::from_millis(500);
/// Time that something which is due waits for a scrape before it: less than an edge may be late.
const MOMENT: Duration = Duration::from_millis(100);
/// The time after which slices are looked at where nothing ends meanwhile: those of a second without requests.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The same where the machine tells how pressed it is, which takes samples. How late each is shows it, too.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// Everything that was observed.
pub(super) struct Observed<'a> {
    /// Verdicts and figures are made of it.
    pub(super) fold: Fold<'a>,
    /// By when they were due.
    pub(super) outcomes: Vec<Outcome>,
    pub(super) scrapes: Scrapes,
    /// Probes of services, by their name.
    pub(super) probes: BTreeMap<String, Vec<Probed>>,
    /// The end before its time, if an expectation decided so.
    pub(super) stopped: Option<Stopped>,
    /// Faults that were there, by their place in the scenario.
    pub(super) applied: BTreeSet<usize>,
    /// Markers that no response had anything of.
    pub(super) unseen: Unseen,
    /// By fault, over all times in which it was there.
    pub(super) fired: BTreeMap<String, Fired>,
    /// Counts of what their links carried in these times.
    pub(super) carried: Carried,
    /// By fault.
    pub(super) ledger: BTreeMap<String, Injections>,
    pub(super) deaths: Vec<Death>,
    pub(super) starts: Vec<StartedAgain>,
    /// Services that were not ready again when the run ended.
    pub(super) away: Vec<String>,
    /// Connections for which proxies had no room, by link.
    pub(super) turned_away: BTreeMap<String, u64>,
    /// Failures of the world itself, in words.
    pub(super) doubts: Vec<String>,
}

/// A service that a fault had ended, and that was ready again.
pub(super) struct StartedAgain {
    pub(super) instance: InstanceId,
    /// Time from its start until it was ready.
    pub(super) took: Duration,
    /// The same of its first start, where that was seen.
    pub(super) at_first: Option<Duration>,
}

/// Puts the load on the world and does what is due at each edge.
pub(super) async fn drive<'a>(
    scenario: &'a Scenario,
    world: &mut dyn World,
    (options, key): (&Options, RunKey),
    events: &Events,
) -> Result<Observed<'a>, WorldError> {
    let (sender, outcomes) = mpsc::unbounded_channel();
    let entry = world.entry();
    let plan = Plan {
        load: scenario.load.clone(),
        host: entry.host,
        port: entry.port,
        seed: key.seed,
        nonce: key.nonce,
        max_in_flight: MAX_IN_FLIGHT,
        disruptions: Disruptions::default(),
    };
    let disrupting = Disrupting::new(scenario, plan.disruptions.clone());
    let scraper = scraper(scenario, world);
    let probing = Probing::new(scenario, world.host());
    let stop = CancellationToken::new();
    let stopping = Stopping::new(scenario, world.is_careful());
    // Whatever ends this future early ends the load with it.
    let _stop_load = stop.clone().drop_guard();
    let checker = Arc::new(ResponseChecker::new(scenario).told_to(options.listener.clone()));
    let mut fold = Fold::new(scenario, key.seed, |check| checker.bit(check));
    if let Some(keep) = stopping.keeps(scenario) {
        fold.keep_glimpses(key.seed, keep);
    }
    let looks = Arc::clone(&checker);
    let host = clients_host(scenario, world);
    let load = Load { warmup: scenario.load.warmup, host, plan, checker: looks, sender, stop: stop.clone() };
    let mut drive = Drive {
        scenario,
        world,
        events,
        control: options.control,
        zero: None,
        applied: BTreeMap::new(),
        active: BTreeSet::new(),
        stop,
        stopping,
        stopped: None,
        gate_passed: false,
        given_up: 0,
        fired: BTreeMap::new(),
        ledger: BTreeMap::new(),
        outcomes,
        received: Vec::new(),
        fold,
        counting: Counting::new(scenario),
        disrupting,
        scraper,
        probing,
        deaf: BTreeMap::new(),
        look_every: LOOK_EVERY,
        next_look: Instant::now() + LOOK_EVERY,
        next_count: Instant::now() + LOOK_EVERY,
        deaths: Vec::new(),
        starts: Vec::new(),
        away: Vec::new(),
    };
    let load = drive.edges(load).await?;
    Box::pin(drive.finish(load, &checker)).await
}

/// A fault that can't be switched must not keep a run, and what it broke, for ever.
async fn in_time<T>(
    what: &str,
    fault: &Fault,
    change: impl Future<Output = Result<T, WorldError>>,
) -> Result<T, WorldError> {
    let late = |_| WorldError::CannotGive(format!("the fault `{}` could not be {what} in 10 s", fault.name));
    tokio::time::timeout(SWITCHING, change).await.map_err(late)?
}

/// The machine of the load's clients, who speak TLS where the entry does.
fn clients_host(scenario: &Scenario, world: &dyn World) -> Host {
    let entry = scenario.system.services.get(&scenario.system.entry).filter(|entry| entry.speaks_tls);
    let secured = entry.and_then(|entry| world.secured(&entry.name));
    secured.unwrap_or_else(|| world.host().clone())
}

fn scraper(scenario: &Scenario, world: &dyn World) -> Scraper {
    let selectors: Vec<_> = edges::scrapes(scenario)
        .map(|(check, service, selectors)| (check, service.to_owned(), selectors.into_iter().cloned().collect()))
        .collect();
    let fetch = |(_, name, _): &(_, String, Vec<_>)| {
        let HttpProbe { port, path, is_tls } = scenario.system.services.get(name)?.metrics.clone()?;
        let secured = world.secured(name).filter(|_| is_tls);
        Some((name.clone(), Fetch { address: world.service(name, port.as_deref())?, path, secured }))
    };
    let services = selectors.iter().filter_map(fetch).collect();
    Scraper::new(world.host(), services, selectors)
}

/// The load, before it begins.
struct Load {
    warmup: Duration,
    host: Host,
    plan: Plan,
    checker: Arc<ResponseChecker>,
    sender: mpsc::UnboundedSender<Outcome>,
    stop: CancellationToken,
}

impl Load {
    /// Begins with the first arrival, and gives when the timeline begins: after the warm-up.
    fn start(self) -> (Task<Summary>, Instant) {
        let Self { warmup, host, plan, checker, sender, stop } = self;
        let began = Instant::now();
        let own = host.clone();
        let load = async move { chaos_load::run(&own, plan, began, checker, sender, stop).await };
        (host.spawn(load), began + warmup)
    }
}

struct Drive<'a, 'w> {
    scenario: &'a Scenario,
    world: &'w mut dyn World,
    events: &'w Events,
    /// The faults are left out.
    // A control runs the whole scenario, since a baseline alone has colder caches and a shorter load.
    control: bool,
    /// The beginning of the timeline, once that is known.
    zero: Option<Instant>,
    /// The moment at which each fault was last applied, by its place in the scenario.
    applied: BTreeMap<usize, Instant>,
    /// The faults that are there now.
    active: BTreeSet<usize>,
    /// Ends the load.
    stop: CancellationToken,
    stopping: Stopping,
    /// The end before its time, once an expectation has decided so.
    stopped: Option<Stopped>,
    gate_passed: bool,
    /// Requests that were under way when the load was ended before its time.
    given_up: u64,
    fired: BTreeMap<String, Fired>,
    ledger: BTreeMap<String, Injections>,
    outcomes: mpsc::UnboundedReceiver<Outcome>,
    received: Vec<Outcome>,
    fold: Fold<'a>,
    counting: Counting,
    disrupting: Disrupting,
    scraper: Scraper,
    probing: Probing,
    /// Services that are not asked for metrics, since a fault of ours keeps them from responding, with why.
    deaf: BTreeMap<String, String>,
    look_every: Duration,
    next_look: Instant,
    next_count: Instant,
    deaths: Vec<Death>,
    starts: Vec<StartedAgain>,
    away: Vec<String>,
}

impl<'a> Drive<'a, '_> {
    /// Waits for the rest of the load, and gives everything that was observed.
    async fn finish(mut self, load: Task<Summary>, checker: &ResponseChecker) -> Result<Observed<'a>, WorldError> {
        // The load ends when its last request was answered or timed out.
        let summary =
            load.await.map_err(|_| WorldError::CannotGive("the load generator ended in mid-run".to_owned()))?;
        self.drain();
        // By now all have ended, and so has the last slice.
        self.tell_slices();
        let late = self.counting.late();
        self.tell_counted(late);
        let (scrapes, untold) = self.scraper.finish();
        let probes = self.probing.finish();
        untold.into_iter().map(Event::Scraped).for_each(|event| self.events.emit(event));
        let told = self.received.len() as u64 + self.given_up;
        if told != summary.due {
            let due = summary.due;
            return Err(WorldError::CannotGive(format!(
                "the load generator lost arrivals: {due} were due, {told} are known"
            )));
        }
        let Drive {
            fold,
            received: mut outcomes,
            counting,
            fired,
            ledger,
            deaths,
            starts,
            away,
            stopped,
            applied,
            world,
            ..
        } = self;
        let (applied, doubts) = (applied.into_keys().collect(), world.doubts());
        outcomes.sort_unstable_by_key(|outcome| (outcome.intended, outcome.id()));
        let (turned_away, unseen) = (counting.turned_away(), checker.unseen());
        let carried = counting.carried();
        Ok(Observed {
            fold,
            outcomes,
            scrapes,
            probes,
            stopped,
            applied,
            unseen,
            fired,
            carried,
            ledger,
            deaths,
            starts,
            away,
            turned_away,
            doubts,
        })
    }
}

impl Drive<'_, '_> {
    async fn edges(&mut self, load: Load) -> Result<Task<Summary>, WorldError> {
        let mut edges = edges::edges(self.scenario).into_iter().peekable();
        // What is due at the very beginning holds before the first request, so that none gets past it.
        if load.warmup.is_zero()
            && let Some((at, edge)) = edges.next_if(|(at, _)| at.is_zero())
        {
            self.events.emit(Event::TimelineBegan);
            self.edge(at, &edge).await?;
        }
        let (load, zero) = load.start();
        self.zero = Some(zero);
        if self.world.host().cpu_stalled().is_some() || self.stopping.has_aborts() {
            self.look_every = SAMPLE_EVERY;
        }
        self.next_look = zero + self.look_every;
        self.next_count = zero + LOOK_EVERY;
        // What most runs never do is kept apart: it would make each run's future as large as if it did.
        while let Some((at, edge)) = edges.next() {
            self.wait_until(zero + at).await?;
            if at.is_zero() {
                self.events.emit(Event::TimelineBegan);
            }
            if !edge.apply.is_empty() && self.stopping.has_gates() && !std::mem::replace(&mut self.gate_passed, true) {
                Box::pin(self.look_at_gates(at)).await?;
            }
            if self.stopped.is_some() {
                Box::pin(self.end_early(std::iter::once(at).chain(edges.map(|(at, _)| at)))).await?;
                return Ok(load);
            }
            self.edge(at, &edge).await?;
        }
        let end = self.scenario.timeline.duration;
        self.wait_until(zero + end).await?;
        if self.stopped.is_some() {
            Box::pin(self.end_early(std::iter::empty())).await?;
            return Ok(load);
        }
        self.count(end);
        self.wait_for_load().await?;
        self.ask(end, ScrapeSide::Both);
        let told = self.scraper.rest().await;
        self.tell(told.into_iter().map(Event::Scraped));
        self.rest_of_probes().await?;
        self.count(self.now());
        // One that pulses may be off by then.
        let is_there = |fault: &Fault| fault.windows().last().is_some_and(|(_, to)| to >= end);
        let last = self.scenario.faults.iter().enumerate().filter(|(_, fault)| is_there(fault));
        let remove = last.map(|(index, _)| index).collect();
        self.change(&Edge { remove, apply: Vec::new() }).await?;
        self.away = self.until_all_are_back().await?;
        Ok(load)
    }

    /// Does what is due at a time.
    async fn edge(&mut self, at: Duration, edge: &Edge) -> Result<(), WorldError> {
        // Before the changes: what was counted by then belongs to the phase that ends here.
        if self.counting.is_edge(at) {
            self.count(at);
        }
        let acknowledged = self.switch(at, edge).await?;
        self.note_restarting(at, edge);
        self.fold.pass(at, acknowledged);
        self.tell_slices();
        Ok(())
    }

    /// Scrapes, and changes faults in between. Gives when that was acknowledged, where anything was to be changed.
    async fn switch(&mut self, at: Duration, edge: &Edge) -> Result<Option<Duration>, WorldError> {
        if *edge == Edge::default() {
            self.ask(at, ScrapeSide::Both);
            return Ok(None);
        }
        self.scrape(at, ScrapeSide::Before).await;
        let (ending, apply): (Vec<usize>, Vec<usize>) =
            edge.apply.iter().partition(|index| edges::ends_in_order(&self.scenario.faults[**index]));
        self.change(&Edge { remove: edge.remove.clone(), apply }).await?;
        let mut acknowledged = self.now();
        // A service that is asked to end is ending from then on: how it does that, and how long it takes, is what is to be
        // seen, and an operator who stops it sees it too. A kill leaves it nothing to do, so that begins when it has
        // happened, as faults on links do. What opens there is read before.
        let ending = if self.control { Vec::new() } else { ending };
        if ending.is_empty() {
            self.ask(at, ScrapeSide::After);
        } else {
            self.scrape(at, ScrapeSide::After).await;
        }
        for index in ending {
            acknowledged = self.now();
            self.tell_applied(index);
            self.apply(index).await?;
        }
        Ok(Some(acknowledged))
    }

    /// The moment on the timeline; its beginning until that has come.
    fn now(&self) -> Duration {
        self.zero.map_or(Duration::ZERO, |zero| zero.elapsed())
    }

    /// Asks for metrics, and doesn't wait for them.
    fn ask(&mut self, at: Duration, side: ScrapeSide) {
        self.scraper.ask((at, self.now(), side), SCRAPE, &self.deaf);
    }

    /// Asks for metrics, and waits until they are there, for a moment: what is due now is not held up by a service that takes
    /// its time. Its reading is missing then.
    async fn scrape(&mut self, at: Duration, side: ScrapeSide) {
        self.scraper.ask((at, self.now(), side), MOMENT, &self.deaf);
        self.scraper.last_arrived().await;
    }

    /// Tells of a probe that has ended, or begins the next ones.
    fn probe(&mut self, probed: Option<Probed>) {
        match probed {
            Some(probed) => self.events.emit(Event::Probed(probed)),
            None => self.probing.begin(self.now(), &*self.world),
        }
    }

    fn tell(&self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| self.events.emit(event));
    }

    /// Asks for counts that were due at a moment, and tells them if they are there.
    fn count(&mut self, due: Duration) {
        let counted = self.counting.ask((due, self.now()), self.world.count(), &self.fired);
        self.tell_counted(counted);
    }

    fn tell_counted(&mut self, counted: Option<Event>) {
        for (check, reading) in self.counting.readings() {
            self.fold.note_calls(check, reading);
        }
        self.tell(counted);
    }

    async fn change(&mut self, edge: &Edge) -> Result<(), WorldError> {
        if self.control {
            return Ok(());
        }
        for index in &edge.remove {
            let fault = &self.scenario.faults[*index];
            let (removed, links) = self.take_back(fault).await?;
            let is_restarting = fault.on.services().iter().any(|service| self.world.is_restarting(service));
            self.active.remove(index);
            self.disrupting.end(*index, is_restarting);
            self.hears(fault);
            self.events.emit(Event::FaultRemoved { fault: fault.name.clone(), fired: removed.fired, times: 1, links });
            self.enter(*index, removed);
        }
        for index in &edge.apply {
            self.apply(*index).await?;
            self.tell_applied(*index);
        }
        Ok(())
    }

    async fn apply(&mut self, index: usize) -> Result<(), WorldError> {
        let fault = &self.scenario.faults[index];
        for service in fault.on.services().iter().filter(|_| fault.silences_service()) {
            self.deaf.insert(service.clone(), format!("`{}` keeps {service} from responding", fault.name));
        }
        // A proxy puts it on its link as soon as it hears of it; what is acknowledged later is that all know.
        self.applied.insert(index, Instant::now());
        self.active.insert(index);
        self.disrupting.begin(index);
        for part in fault.parts() {
            in_time("applied", fault, self.world.apply(&part)).await?;
        }
        Ok(())
    }

    /// Takes a fault back, from each link that it is on; gives what came of it, in sum and by link where there are several.
    async fn take_back(&mut self, fault: &Fault) -> Result<(Removed, BTreeMap<String, Fired>), WorldError> {
        let (mut sum, mut links) = (Removed::of(Fired::default()), BTreeMap::new());
        for part in fault.parts() {
            let Removed { fired, injections, left_out } =
                in_time("taken back", fault, self.world.remove(&part)).await?;
            links.insert(part.on.to_string(), fired);
            sum.fired += fired;
            sum.injections.extend(injections);
            sum.left_out += left_out;
        }
        if fault.on.links().len() < 2 {
            return Ok((sum, BTreeMap::new()));
        }
        sum.injections.sort_by_key(|injection| injection.at);
        Ok((sum, links))
    }

    /// Takes note that a fault keeps its service from responding no longer.
    fn hears(&mut self, fault: &Fault) {
        for service in fault.on.services().iter().filter(|_| fault.silences_service()) {
            self.deaf.remove(service);
        }
    }

    fn tell_applied(&self, index: usize) {
        self.events.emit(Event::FaultApplied { fault: self.scenario.faults[index].name.clone() });
    }

    /// Enters what came of a fault in the ledger.
    fn enter(&mut self, index: usize, removed: Removed) {
        let name = &self.scenario.faults[index].name;
        let zero = self.zero.unwrap_or_else(Instant::now);
        let applied = self.applied.get(&index).copied().unwrap_or(zero);
        *self.fired.entry(name.clone()).or_default() += removed.fired;
        let entered = removed.injections.into_iter();
        // Proxies share no clock with the runner: they tell the time since the fault was put on their link.
        let on_timeline = |at| (applied + at).saturating_duration_since(zero);
        let entered = entered.map(|injection| Injection { at: on_timeline(injection.at), ..injection });
        let ledger = self.ledger.entry(name.clone()).or_default();
        ledger.list.extend(entered);
        ledger.left_out += removed.left_out;
    }

    fn drain(&mut self) {
        while let Ok(outcome) = self.outcomes.try_recv() {
            self.take(outcome);
        }
    }

    /// Takes an outcome in, and tells of the slices that can't change any more by that.
    fn take(&mut self, outcome: Outcome) {
        if outcome.result == Err(chaos_load::Error::Stopped) {
            self.given_up += 1;
            self.fold.give_up(&outcome);
            return;
        }
        // Which request met an injection is found when all is known; what was noted of its response is in the fold.
        let Marks { bits, unknown, age, failed, .. } = outcome.marks;
        let marks = Marks { bits, unknown, age, failed, ..Marks::default() };
        self.received.push(Outcome { marks, ..outcome });
        self.fold.add(outcome);
        self.tell_slices();
    }

    fn look(&mut self) {
        let stalled = self.world.host().cpu_stalled();
        let late = Instant::now().saturating_duration_since(self.next_look);
        self.fold.note_machine(self.now(), late, stalled);
        self.next_look += self.look_every;
        if Instant::now() >= self.next_count {
            self.next_count += LOOK_EVERY;
            if self.counting.is_due(self.now()) {
                self.count(self.now());
            }
        }
        self.tell_slices();
    }

    fn tell_slices(&mut self) {
        let now = self.now();
        while let Some(slice) = self.zero.and_then(|_| self.fold.next(now)) {
            self.events.emit(Event::Slice(slice));
        }
    }
}
