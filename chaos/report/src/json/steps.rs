//! Steps of a recording: what goes on throughout a run is written as it comes while the recording keeps to its budget, and else
//! held back and put together. Sums stay what they are; it is told less finely when what came about.

use super::{budget::Budget, scrapes};
use chaos_model::{
    Event, Fault, Record, Slice,
    event::{Begin, Counted, Fired, Scraped},
    slice::PartCounts,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The least time of a step, in microseconds.
const STEP: u64 = 1_000_000;
/// Pulses of all faults that are written one by one, and starts of services. They come evenly, so the first ones say what the
/// others are like; where one does more than others, its injections say so.
const ONE_BY_ONE: u64 = 100;

/// The events of a recording on their way to be written.
#[derive(Debug, Default)]
pub(super) struct Steps {
    budget: Budget,
    /// By fault, of those that come and go.
    pulses: BTreeMap<String, Pulses>,
    starts: u64,
    /// The moment of the oldest event that is held back, in microseconds.
    since: Option<u64>,
    held: Held,
    parts: Parts,
}

/// Events that are held back.
#[derive(Debug, Default)]
struct Held {
    counted: Option<Counted>,
    /// By service.
    scraped: BTreeMap<String, Scraped>,
    /// By service: how often it was ready again, and the longest time that it took.
    back: BTreeMap<String, (u64, Duration)>,
}

/// Pulses of a fault.
#[derive(Debug)]
struct Pulses {
    planned: u64,
    one_by_one: u64,
    begun: u64,
    /// Those that are held back: how many there are, all that they did, and on each of several links.
    held: (u64, Fired, BTreeMap<String, Fired>),
}

impl Pulses {
    fn of(fault: &Fault, one_by_one: u64) -> Self {
        Self {
            planned: fault.windows().count() as u64,
            one_by_one,
            begun: 0,
            held: (0, Fired::default(), BTreeMap::new()),
        }
    }

    /// True if the pulse that began last is put together with others.
    fn is_held(&self) -> bool {
        self.begun > self.one_by_one
    }

    /// The event of those that are held back, if there are any.
    fn take(&mut self, fault: &str) -> Option<Event> {
        let (times, fired, links) = std::mem::take(&mut self.held);
        (times > 0).then(|| Event::FaultRemoved { fault: fault.to_owned(), fired, times, links })
    }
}

/// Counts by name that are held back.
#[derive(Debug, Default)]
struct Parts {
    /// Moments at which phases begin and end.
    edges: BTreeSet<Duration>,
    end: Duration,
    /// The beginning of what is held.
    from: Option<Duration>,
    requests: BTreeMap<String, PartCounts>,
    instances: BTreeMap<String, PartCounts>,
}

impl Steps {
    fn new(begin: &Begin) -> Self {
        let pulsing = || begin.faults.iter().filter(|fault| fault.pulse.is_some());
        let one_by_one = ONE_BY_ONE / (pulsing().count() as u64).max(1);
        let edges: BTreeSet<_> = begin.phases.iter().flat_map(|phase| [phase.from, phase.to]).collect();
        let end = edges.last().copied().unwrap_or_default();
        Self {
            pulses: pulsing().map(|fault| (fault.name.clone(), Pulses::of(fault, one_by_one))).collect(),
            parts: Parts { edges, end, ..Parts::default() },
            ..Self::default()
        }
    }

    /// Takes an event in; gives those that are to be written now.
    pub(super) fn on<'r>(&mut self, record: &'r Record) -> Vec<Cow<'r, Record>> {
        let at_us = record.at_us;
        match &record.event {
            Event::Begin(begin) => *self = Self::new(begin),
            Event::TimelineBegan => self.budget.begin_timeline(at_us),
            _ => {}
        }
        let is_over = self.since.is_some_and(|since| at_us >= since + STEP && !self.budget.is_ahead(at_us));
        let mut due = if is_over || is_after_all(&record.event) { self.take(at_us) } else { Vec::new() };
        due.extend(self.pass(record));
        due
    }

    /// Takes note of an event that has been written, in so many bytes.
    pub(super) fn wrote(&mut self, event: &Event, bytes: usize) {
        // Its length depends on where a run is made, and what is put together must not.
        if !matches!(event, Event::Begin(_)) {
            self.budget.add(bytes);
        }
    }

    /// The event as it is to be written; none where it is held back.
    fn pass<'r>(&mut self, record: &'r Record) -> Option<Cow<'r, Record>> {
        let at_us = record.at_us;
        let whole = Some(Cow::Borrowed(record));
        let passed = match &record.event {
            Event::FaultApplied { fault } => {
                let Some(pulses) = self.pulses.get_mut(fault) else { return whole };
                pulses.begun += 1;
                return if pulses.is_held() { None } else { whole };
            }
            Event::FaultRemoved { fault, fired, times, links } => {
                let Some(pulses) = self.pulses.get_mut(fault).filter(|pulses| pulses.is_held()) else { return whole };
                pulses.held.0 += times;
                pulses.held.1 += *fired;
                links.iter().for_each(|(link, fired)| *pulses.held.2.entry(link.clone()).or_default() += *fired);
                // The last one is told when it happens.
                let last = if pulses.begun >= pulses.planned { pulses.take(fault) } else { None };
                last.map(|event| Cow::Owned(Record { at_us, event }))
            }
            Event::ServiceBack { service, took, times } => {
                self.starts += times;
                if self.starts <= ONE_BY_ONE {
                    return whole;
                }
                let (all, longest) = self.held.back.entry(service.clone()).or_default();
                *all += times;
                *longest = (*longest).max(*took);
                None
            }
            Event::Counted(counted) if self.budget.is_ahead(at_us) || self.held.counted.is_some() => {
                let held = self.held.counted.get_or_insert_default();
                held.at = counted.at;
                held.counts.update(&counted.counts);
                None
            }
            Event::Scraped(scraped)
                if self.budget.is_ahead(at_us) || self.held.scraped.contains_key(&scraped.service) =>
            {
                let none = || Scraped { scrapes: Vec::new(), ..scraped.clone() };
                let held = self.held.scraped.entry(scraped.service.clone()).or_insert_with(none);
                scrapes::put_together(held, scraped);
                None
            }
            Event::Slice(slice) => return Some(self.parts.pass(&self.budget, record, slice)),
            _ => return whole,
        };
        if passed.is_none() {
            self.since.get_or_insert(at_us);
        }
        passed
    }

    /// The events that are held back, to be written now.
    fn take(&mut self, at_us: u64) -> Vec<Cow<'static, Record>> {
        self.since = None;
        let Held { counted, scraped, back } = std::mem::take(&mut self.held);
        let pulses = self.pulses.iter_mut().filter_map(|(fault, pulses)| pulses.take(fault));
        let back = back.into_iter().map(|(service, (times, took))| Event::ServiceBack { service, took, times });
        let told = counted.map(Event::Counted).into_iter().chain(scraped.into_values().map(Event::Scraped));
        pulses.chain(back).chain(told).map(|event| Cow::Owned(Record { at_us, event })).collect()
    }
}

impl Parts {
    /// The slice as it is to be written: with what is counted by name, that of slices before it included, or without.
    fn pass<'r>(&mut self, budget: &Budget, record: &'r Record, slice: &'r Slice) -> Cow<'r, Record> {
        let is_due = if slice.to >= self.end {
            true
        } else if self.edges.contains(&slice.to) {
            !budget.is_ahead_at_phase(record.at_us)
        } else {
            !budget.is_ahead(record.at_us)
        };
        let has_none = slice.requests.is_empty() && slice.instances.is_empty();
        if self.from.is_none() && (is_due || has_none) {
            return Cow::Borrowed(record);
        }
        let from = *self.from.get_or_insert(slice.from);
        for (sums, parts) in [(&mut self.requests, &slice.requests), (&mut self.instances, &slice.instances)] {
            parts.iter().for_each(|(name, counts)| sums.entry(name.clone()).or_default().add(counts));
        }
        let mut slice = Slice { requests: BTreeMap::new(), instances: BTreeMap::new(), ..slice.clone() };
        if is_due {
            self.from = None;
            slice.requests = std::mem::take(&mut self.requests);
            slice.instances = std::mem::take(&mut self.instances);
            slice.parts_from = Some(from);
        }
        Cow::Owned(Record { at_us: record.at_us, event: Event::Slice(slice) })
    }
}

/// True for what comes when the timeline is over, or is not gone on with.
fn is_after_all(event: &Event) -> bool {
    matches!(
        event,
        Event::Phase(_)
            | Event::Injected(_)
            | Event::FaultFigures(_)
            | Event::Judged(_)
            | Event::Inconclusive { .. }
            | Event::EndedEarly(_)
            | Event::Held
            | Event::Interrupted { .. }
            | Event::WorldFailed { .. }
            | Event::TornDown { .. }
            | Event::End { .. }
    )
}
