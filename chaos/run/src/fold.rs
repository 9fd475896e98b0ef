//! The fold of a run: everything that verdicts and figures are made of, kept up with outcomes as they come in.
//! Pure, and in bounded memory; it can be asked at any moment, for what is known by then.

mod cuts;
mod glimpse;
mod recovery;
mod selections;
mod slices;
mod stalls;
mod strain;
#[cfg(test)]
mod strain_tests;
mod tally;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use cuts::phase_edges;
pub(crate) use glimpse::Glimpse;
pub(crate) use tally::Tally;

use crate::{
    blame::{Baseline, Beyond, Blames},
    edges::{self, ends_in_order},
};
use chaos_load::Outcome;
use chaos_model::{
    CallReading, Expectation, Fault, Histogram, Phase, PhaseKind, Scenario, Scope, Share, Slice, SomeRequests,
    check::{CheckId, FaultSeen, Marked},
    event::PhaseFigures,
    ledger::Recovery,
    phase::BASELINE,
};
use glimpse::Glimpses;
use recovery::Recovering;
use selections::{ALL, Selections};
use slices::{Closed, Slices};
use stalls::Stalls;
use std::{collections::BTreeMap, time::Duration};
use tally::{Counted, Part, arrival, place};
use window::Window;

/// An arrival that starts so late counts as late. Latencies count from the intended start, so lateness flatters
/// nothing; but a generator that stands still for longer doesn't put the asked load on the system.
const LATE: Duration = Duration::from_millis(100);

/// Acknowledgements: by due moment, when its changes were in place; moments without changes are not there.
pub(crate) type Acknowledged = BTreeMap<Duration, Duration>;

/// The fold of a run.
pub(crate) struct Fold<'a> {
    scenario: &'a Scenario,
    counted: Vec<Counted>,
    selections: Selections,
    slices: Slices,
    stalls: Stalls,
    /// The end of the last slice that can't change any more: how far the timeline is known.
    known: Duration,
    /// Slices in which the harness or the machine was not what it should be, by their beginning, with their end.
    strained: Vec<(Duration, Duration)>,
    /// The longest that a request took in the baseline, whether the machine was pressed there or not.
    slowest_usual: Duration,
    acknowledged: Acknowledged,
    /// Outcomes that ended after an edge which has not been passed yet.
    waiting: Vec<Outcome>,
    /// By phase, in the order of the timeline.
    phases: Vec<Window>,
    /// By expectation.
    scopes: Vec<Judged>,
    /// By fault.
    faults: Vec<OfFault>,
    /// By selection of requests: the share of bad arrivals in the baseline.
    usual: Vec<Share>,
    /// Readings of calls, by the check that asks for them.
    calls: BTreeMap<CheckId, Vec<CallReading>>,
    load: LoadFigures,
    /// None where nothing is decided in mid-run.
    glimpses: Option<Glimpses>,
}

/// Arrivals that an expectation judges.
enum Judged {
    /// Requests of a window of the timeline.
    Window(Window),
    /// Requests that a fault finds under way.
    Across { fault: usize, selection: usize, tally: Tally },
}

/// Everything that is known of what a fault did to clients.
struct OfFault {
    /// The moment at which it finds requests under way, from the beginning of the warm-up; once it is there.
    moment: Option<Duration>,
    /// By selection of requests.
    clients: Vec<OfClients>,
}

/// The way in which a fault showed in the requests of a selection.
struct OfClients {
    after: Window,
    /// By the baseline's share of bad responses, as it was seen,
    recovering: Recovering,
    /// and by the most that it may be.
    at_least: Recovering,
    /// The same after it, from the first response there on.
    beyond: Option<Beyond>,
}

/// The load's own figures, on the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LoadFigures {
    /// Arrivals that were due.
    pub(crate) due: u64,
    /// Arrivals that were not made.
    pub(crate) missed: u64,
    /// Arrivals that were made too late.
    pub(crate) late: u64,
}

impl<'a> Fold<'a> {
    /// The fold of a scenario, before the first outcome. `bit` gives the bit of a check's test among the marks.
    pub(crate) fn new(scenario: &'a Scenario, seed: u64, bit: impl Fn(CheckId) -> Option<u32>) -> Self {
        let selections = Selections::new(scenario);
        let after = |fault: &Fault, within, selection| {
            Window::of(&scenario.timeline.after(fault, within, &scenario.faults), selection)
        };
        let of_clients = |fault: &Fault, selection| OfClients {
            after: after(fault, Duration::ZERO, selection),
            recovering: Recovering::default(),
            at_least: Recovering::default(),
            beyond: None,
        };
        let all = 0..selections.count();
        let of_fault = |fault: &Fault| OfFault {
            moment: None,
            clients: all.clone().map(|selection| of_clients(fault, selection)).collect(),
        };
        let known = |name: &str| scenario.faults.iter().position(|fault| fault.name == name);
        let nothing = || {
            Window::new(&Phase {
                name: String::new(),
                kind: PhaseKind::Window,
                from: Duration::ZERO,
                to: Duration::ZERO,
            })
        };
        // The language lets through no names but those that there are.
        let across = |fault, selection| Judged::Across { fault, selection, tally: Tally::default() };
        let judged = |expectation: &Expectation| {
            let selection = selections.of(expectation.of.as_ref());
            match &expectation.scope {
                Scope::During(name) => {
                    let phase = scenario.timeline.phase(name);
                    Judged::Window(phase.map_or_else(nothing, |phase| Window::of(phase, selection)))
                }
                Scope::Across(name) => {
                    known(name).map_or_else(|| Judged::Window(nothing()), |fault| across(fault, selection))
                }
                Scope::After { fault, within } => {
                    let fault = known(fault).map(|fault| after(&scenario.faults[fault], *within, selection));
                    Judged::Window(fault.unwrap_or_else(nothing))
                }
            }
        };
        Self {
            scenario,
            counted: Counted::all(scenario, bit),
            slices: Slices::new(scenario, seed, selections.clone(), edges::edges(scenario).into_keys()),
            stalls: Stalls::default(),
            known: Duration::ZERO,
            strained: Vec::new(),
            slowest_usual: Duration::ZERO,
            acknowledged: Acknowledged::new(),
            waiting: Vec::new(),
            phases: scenario.timeline.phases.iter().map(Window::new).collect(),
            scopes: scenario.expectations.iter().map(judged).collect(),
            faults: scenario.faults.iter().map(of_fault).collect(),
            usual: vec![Share { parts: 0, whole: 0 }; selections.count()],
            calls: BTreeMap::new(),
            selections,
            load: LoadFigures::default(),
            glimpses: None,
        }
    }

    /// Makes it keep what glimpses need, of the last `keep` of the timeline. Before the first outcome.
    pub(crate) fn keep_glimpses(&mut self, seed: u64, keep: Duration) {
        self.glimpses = Some(Glimpses::new(&self.scenario.load, seed, keep));
    }

    /// Takes note that everything due at an edge was done: the next one in order. `acknowledged` says when, where
    /// anything was to be changed there.
    pub(crate) fn pass(&mut self, edge: Duration, acknowledged: Option<Duration>) {
        self.acknowledged.extend(acknowledged.map(|at| (edge, at)));
        self.slices.pass(edge, acknowledged);
        for (fault, known) in self.scenario.faults.iter().zip(&mut self.faults).filter(|(fault, _)| fault.at == edge) {
            // Proxies act as soon as they hear of it, which is before all have acknowledged it; a service hears its
            // signal then.
            let at = acknowledged.filter(|_| ends_in_order(fault)).map_or(edge, |at| at.max(edge));
            known.moment = Some(self.scenario.load.warmup + at);
        }
        for outcome in std::mem::take(&mut self.waiting) {
            self.add(outcome);
        }
    }

    /// Takes note that the service of a fault is starting again, from an edge on that was not passed yet.
    pub(crate) fn restarts(&mut self, fault: usize, edge: Duration) {
        self.slices.restarts(&self.scenario.faults[fault].name, edge);
    }

    /// Takes note that a service is ready again at this moment of the timeline. Of a fault on several, that counts once none of
    /// them is away any more.
    pub(crate) fn is_back(&mut self, service: &str, is_away: impl Fn(&str) -> bool, at: Duration) {
        let of_service = |fault: &&Fault| {
            let services = fault.on.services();
            services.iter().any(|name| name == service) && !services.iter().any(|name| is_away(name))
        };
        let faults: Vec<&str> =
            self.scenario.faults.iter().filter(of_service).map(|fault| fault.name.as_str()).collect();
        self.slices.is_back(&faults, at);
    }

    /// Counts an outcome. Every arrival that was due has to come here once.
    pub(crate) fn add(&mut self, outcome: Outcome) {
        if let Some(glimpses) = &mut self.glimpses {
            glimpses.ended(&outcome);
        }
        if !self.slices.can_take(outcome.ended) {
            self.waiting.push(outcome);
            return;
        }
        let warmup = self.scenario.load.warmup;
        let arrival = arrival(&outcome, warmup, self.scenario.load.timeout);
        self.slices.add(&outcome, arrival, &self.counted);
        for scope in &mut self.scopes {
            let Judged::Across { fault, selection, tally } = scope else { continue };
            let met = self.faults[*fault].moment.is_some_and(|at| outcome.intended < at && outcome.ended >= at);
            if met && self.selections.has(*selection, outcome.request) {
                tally.add(&outcome, arrival, &self.counted);
            }
        }
        if outcome.intended < warmup {
            return;
        }
        self.load.due += 1;
        self.load.missed += u64::from(outcome.started.is_none());
        self.load.late += u64::from(outcome.started.is_some_and(|at| at > outcome.intended + LATE));
    }

    /// The next slice that can't change any more, at this moment of the timeline.
    pub(crate) fn next(&mut self, now: Duration) -> Option<Slice> {
        let mut closed = self.slices.next(now)?;
        let (from, to) = (closed.slice.from, closed.slice.to);
        self.known = to;
        closed.slice.cpu_stalled = self.stalls.within(from, to);
        let usual = strain::Usual { is_bad: self.usual[ALL].parts > 0, slowest: self.slowest_usual };
        let is_strained = closed.weigh(&self.selections, self.scenario.load.timeout, usual);
        if is_strained {
            self.strained.push((from, to));
        }
        if let Some(glimpses) = &mut self.glimpses {
            glimpses.keep(&closed, is_strained);
        }
        let scopes = self.scopes.iter_mut().filter_map(|scope| match scope {
            Judged::Window(window) => Some(window),
            Judged::Across { .. } => None,
        });
        self.phases.iter_mut().chain(scopes).for_each(|window| window.add(&closed));
        self.add_usual(&closed);
        for known in &mut self.faults {
            for ((known, part), usual) in known.clients.iter_mut().zip(&closed.parts).zip(&self.usual) {
                known.after.add(&closed);
                if known.after.phase.judges(&closed.slice) {
                    let usual = Baseline::of(*usual);
                    part.arrivals.iter().for_each(|(at, _, bad)| known.add_after(*at, *bad, usual));
                }
            }
        }
        Some(closed.slice)
    }

    /// Takes note of what the machine tells at a moment of the timeline: how late the runner was for it, and the time so far in
    /// which tasks waited for a processor.
    pub(crate) fn note_machine(&mut self, at: Duration, late: Duration, stalled: Option<Duration>) {
        self.slices.note_late(at, late);
        if let Some(total) = stalled {
            self.stalls.add(at, total);
        }
    }

    /// True where the timeline is not known beyond this moment yet.
    pub(crate) fn is_to_come(&self, moment: Duration) -> bool {
        self.known <= moment && self.known < self.scenario.timeline.duration
    }

    /// Takes a reading of the calls that a check asks for. In the order of time.
    pub(crate) fn note_calls(&mut self, check: CheckId, reading: CallReading) {
        self.calls.entry(check).or_default().push(reading);
    }

    /// The readings of the calls that a check asks for.
    pub(crate) fn calls(&self, check: CheckId) -> &[CallReading] {
        self.calls.get(&check).map(Vec::as_slice).unwrap_or_default()
    }

    /// The arrivals of an expectation that were made in its time, those included that are counted apart.
    pub(crate) fn made(&self, expectation: usize) -> u64 {
        match &self.scopes[expectation] {
            Judged::Window(window) => window.made(),
            Judged::Across { tally, .. } => tally.counts.sent,
        }
    }

    /// True if the harness or the machine was not what it should be at some time from one moment to another, both included.
    pub(crate) fn is_strained(&self, begin: Duration, end: Duration) -> bool {
        self.strained.iter().any(|(from, to)| *from <= end && begin < *to)
    }

    /// The arrivals of a stretch of a phase, of some requests or all, by what is known of them at a moment of the timeline:
    /// those of slices that are kept, of those that can change, and those that have waited for longer than `usual`, which count as
    /// not made.
    pub(crate) fn glimpse(
        &mut self,
        (of, phase): (Option<&SomeRequests>, &Phase),
        ((from, to), now): ((Duration, Duration), Duration),
        usual: Duration,
    ) -> Glimpse {
        let mut glimpse = Glimpse::default();
        let selection = self.selections.of(of);
        let Some(glimpses) = &mut self.glimpses else { return glimpse };
        let within = (phase, (from, to));
        for (closed, is_strained) in glimpses.over() {
            glimpse.add(within, selection, closed, *is_strained);
        }
        let load = &self.scenario.load;
        let strain = strain::Usual { is_bad: self.usual[ALL].parts > 0, slowest: self.slowest_usual };
        for mut open in self.slices.open(now) {
            open.slice.cpu_stalled = self.stalls.so_far(open.slice.from, open.slice.to);
            let is_strained = open.weigh(&self.selections, load.timeout, strain);
            glimpse.add(within, selection, &open, is_strained);
        }
        let is_within = |outcome: &&Outcome| (load.warmup + from..load.warmup + to).contains(&outcome.intended);
        for outcome in self.waiting.iter().filter(is_within) {
            let selection = (&self.selections, selection);
            glimpse.add_outcome(outcome, selection, (load.warmup, load.timeout), &self.counted);
        }
        glimpses.add_under_way(&mut glimpse.tally, ((from, to), now), usual, &self.counted);
        glimpse
    }

    /// The number of requests that were due by a moment of the timeline, and have waited for longer than `usual` now.
    pub(crate) fn hang(&mut self, moments: (Duration, Duration), usual: Duration) -> u64 {
        self.glimpses.as_mut().map_or(0, |glimpses| glimpses.hang(moments, usual))
    }

    /// Takes note of an arrival that was given up, since the run ends: it is counted nowhere.
    pub(crate) fn give_up(&mut self, outcome: &Outcome) {
        self.slices.give_up(outcome);
    }

    /// Adds the arrivals of a slice to what is known of the baseline: the shares of bad ones, and the slowest.
    fn add_usual(&mut self, closed: &Closed) {
        if self.phase(BASELINE).is_none_or(|window| !window.phase.judges(&closed.slice)) {
            return;
        }
        for (usual, Part { plain, .. }) in self.usual.iter_mut().zip(&closed.parts) {
            *usual = Share { parts: usual.parts + plain.bad, whole: usual.whole + plain.counts.due };
            self.slowest_usual = self.slowest_usual.max(plain.counts.latency.max().unwrap_or_default());
        }
    }

    /// The share of bad arrivals in the baseline, of a selection of requests; a share of nothing where there is none.
    pub(crate) fn usual(&self, selection: usize) -> Baseline {
        Baseline::of(self.usual[selection])
    }

    /// The selections of requests that are judged by themselves.
    pub(crate) fn selections(&self) -> &Selections {
        &self.selections
    }

    fn phase(&self, name: &str) -> Option<&Window> {
        self.phases.iter().find(|window| window.phase.name == name)
    }

    /// The figures of each phase, in the order of the timeline.
    pub(crate) fn figures(&self) -> impl Iterator<Item = PhaseFigures> + '_ {
        let markers = self.scenario.system.responses.markers();
        let is_told = |window: &&Window| window.phase.is_told(window.tally.counts.due);
        self.phases.iter().filter(is_told).map(move |window| window.figures(&markers))
    }

    /// The figures of the baseline, if there is one.
    pub(crate) fn baseline(&self) -> Option<PhaseFigures> {
        self.phase(BASELINE).map(|window| window.figures(&self.scenario.system.responses.markers()))
    }

    /// The latencies of the baseline, if there is one.
    pub(crate) fn baseline_latency(&self) -> Option<&Histogram> {
        self.phase(BASELINE).map(|window| &window.tally.counts.latency)
    }

    /// The load's own figures.
    pub(crate) fn load(&self) -> LoadFigures {
        self.load
    }

    /// The acknowledgements so far.
    pub(crate) fn acknowledged(&self) -> &Acknowledged {
        &self.acknowledged
    }

    /// The arrivals that an expectation judges: the window's beginning and end, and their tally; none where its phase never
    /// was.
    pub(crate) fn scope(&self, expectation: usize) -> Option<(Duration, Duration, &Tally)> {
        match &self.scopes[expectation] {
            Judged::Window(window) => window.span().map(|(from, to)| (from, to, &window.tally)),
            Judged::Across { fault, tally, .. } => {
                let at = self.scenario.faults[*fault].at;
                Some((at, at, tally))
            }
        }
    }

    /// The arrivals of a tally that have what a check counts.
    pub(crate) fn marked<'t>(&self, tally: &'t Tally, id: CheckId) -> Option<&'t Marked> {
        tally.marked.get(place(&self.counted, id)?)
    }

    /// A fault, by its place in the scenario, and what became of the system by it. `blames` says what each is charged with.
    pub(crate) fn fault(&self, index: usize, blames: &Blames) -> FaultSeen<'a> {
        self.fault_among(index, ALL, blames)
    }

    /// The same as far as the requests show it that an expectation judges.
    pub(crate) fn fault_of(&self, index: usize, expectation: usize, blames: &Blames) -> FaultSeen<'a> {
        let of = self.scenario.expectations[expectation].of.as_ref();
        self.fault_among(index, self.selections.of(of), blames)
    }

    fn fault_among(&self, index: usize, selection: usize, blames: &Blames) -> FaultSeen<'a> {
        let (fault, known) = (&self.scenario.faults[index], &self.faults[index].clients[selection]);
        let blame = blames.of(selection, index);
        let acknowledged = |at: Duration| self.acknowledged.get(&at).copied().unwrap_or(at).max(at);
        let applied = acknowledged(fault.at);
        FaultSeen {
            fault,
            detected: blame.first_bad.map(|ended| ended.saturating_sub(applied)),
            uncharged: blame.uncharged,
            // From the end that the scenario gave: that a service takes its time to start is a part of it.
            recovery: known.recovery(known.after.phase.from, blame.first_bad.is_some()),
            at_least: known.at_least(known.after.phase.from),
            last_bad: known.after.tally.last_bad,
        }
    }
}

impl OfClients {
    /// Adds the next response after it.
    fn add_after(&mut self, at: Duration, bad: bool, usual: Baseline) {
        self.recovering.add(at, bad, usual.share);
        self.at_least.add(at, bad, usual.most);
        self.beyond.get_or_insert_with(|| Beyond::new(usual)).add(at, bad);
    }

    /// The recovery from a fault that was to be taken back at a moment of the timeline; `noticed` by clients while it was there.
    fn recovery(&self, removed: Duration, noticed: bool) -> Recovery {
        let Some((first, last)) = self.recovering.ends() else { return Recovery::NoRequests };
        let noticed_after = self.beyond.as_ref().is_some_and(|beyond| beyond.rest().is_some());
        if !noticed && !noticed_after {
            return Recovery::Unnoticed;
        }
        match self.recovering.good_from() {
            Some(due) if due == first => Recovery::After { took: Duration::ZERO },
            Some(due) => Recovery::After { took: due.saturating_sub(removed) },
            None => Recovery::NotWithin { left: last.saturating_sub(removed) },
        }
    }

    /// The time that the recovery took at the least: what is bad later may be so by chance, as in the baseline. None where it
    /// is more than that to the end.
    fn at_least(&self, removed: Duration) -> Option<Duration> {
        let good_from = self.at_least.good_from()?;
        let rest = match self.beyond.as_ref().and_then(Beyond::rest) {
            Some(rest) => rest?,
            None => good_from,
        };
        let from = good_from.max(rest);
        let is_first = self.at_least.ends().is_some_and(|(first, _)| first == from);
        Some(if is_first { Duration::ZERO } else { from.saturating_sub(removed) })
    }
}
