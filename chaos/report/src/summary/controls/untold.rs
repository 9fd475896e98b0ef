//! Faults of which the ledger does not tell whether they met requests of the load.

use crate::words::{self, count};
use chaos_model::{
    Effect, Event, Fault, Impact, Link, Plan, Record, Target,
    carried::{Came, Carried},
    event::{Fired, ProxyCounts},
};
use std::collections::BTreeMap;

/// A fault that did something of which the ledger does not tell whom it met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// The fault's name.
    pub fault: String,
    /// Counts of what it did, in words.
    pub did: String,
    /// The place that it was on.
    pub on: String,
    /// Messages, or connections, that went there at that time in the run without it; none where nobody counted.
    pub went: Option<Went>,
    /// True where what it did may have been to anybody's: attempts to connect that were refused, all that a service was
    /// asked. False where it is injections that can't be joined.
    pub is_whole: bool,
}

/// A number of things that went somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// Messages, of what is read.
    Messages(u64),
    /// Connections that were opened.
    Connections(u64),
}

impl Untold {
    /// True where it kept what goes there from passing as it does without it.
    #[must_use]
    pub fn stood_in_the_way(&self) -> bool {
        self.is_whole && self.went.is_some_and(|went| went.number() > 0)
    }

    /// True where it can't be said whether it met anybody.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.is_whole || self.went.is_none()
    }
}

impl Went {
    fn number(self) -> u64 {
        let (Self::Messages(number) | Self::Connections(number)) = self;
        number
    }
}

/// The faults of a run, compared with its control, of which the ledger does not tell all.
pub(super) fn of(run: &[Record], control: &[Record]) -> Vec<Untold> {
    let begin = run.iter().find_map(|record| match &record.event {
        Event::Begin(begin) => Some(begin),
        _ => None,
    });
    let Some(begin) = begin else { return Vec::new() };
    let carried = carried(&begin.faults, &begin.plan, control);
    let mut fired: BTreeMap<&str, Fired> = BTreeMap::new();
    let mut open: BTreeMap<&str, u64> = BTreeMap::new();
    for record in run {
        match &record.event {
            Event::FaultRemoved { fault, fired: some, .. } => *fired.entry(fault).or_default() += *some,
            Event::FaultFigures(figures) => {
                let unknown = figures.impacts.get(&Impact::Unknown).copied().unwrap_or_default();
                open.insert(&figures.fault, unknown + figures.left_out);
            }
            _ => {}
        }
    }
    let untold = |fault: &Fault| {
        let fired = fired.get(fault.name.as_str()).copied().unwrap_or_default();
        let is_whole = fired.refused + fired.dropped + fired.services > 0;
        let is_open = open.get(fault.name.as_str()).is_some_and(|open| *open > 0);
        (is_whole || is_open).then(|| Untold {
            fault: fault.name.clone(),
            did: words::fired(&fault.effect, &fired).unwrap_or_default(),
            on: fault.on.to_string(),
            went: carried.of(&fault.name).map(|came| went(&fault.effect, came)),
            is_whole,
        })
    };
    begin.faults.iter().filter_map(untold).collect()
}

/// Counts of what went where each fault is, while it would have been there.
fn carried(faults: &[Fault], plan: &Plan, control: &[Record]) -> Carried {
    let links = |fault: &Fault| match &fault.on {
        Target::Service(_) | Target::Services(_) => {
            let links = plan.system.links.iter().map(|link| &link.link);
            links.filter(|link| fault.on.services().iter().any(|service| leads_to(link) == service)).cloned().collect()
        }
        links => links.links().iter().map(Link::to_string).collect(),
    };
    let mut carried = Carried::new(faults, links);
    let mut counts = ProxyCounts::default();
    for record in control {
        if let Event::Counted(counted) = &record.event {
            counts.update(&counted.counts);
            carried.on(counted.at, &counts);
        }
    }
    carried
}

/// The service at the end of a link, as it is written: `gateway -> redis#cache`.
fn leads_to(link: &str) -> &str {
    let to = link.rsplit(" -> ").next().unwrap_or(link);
    to.split('#').next().unwrap_or(to)
}

fn went(effect: &Effect, came: Came) -> Went {
    let stream = effect.action().stream.unwrap_or_default();
    // Where nobody reads along, connections are all that is counted; and some faults are for new ones alone.
    if stream.spares_open || came.messages == 0 {
        Went::Connections(came.connections)
    } else {
        Went::Messages(came.messages)
    }
}

/// Words for what is known of requests that faults met, where the ledger has none.
pub(super) fn words(untold: &[Untold]) -> String {
    if let Some(one) = untold.iter().find(|one| one.stood_in_the_way()) {
        let went = match one.went {
            Some(Went::Connections(number)) => format!("{} would have been opened", count(number, "connection")),
            Some(Went::Messages(number)) => format!("{} would have come", count(number, "message")),
            None => String::new(),
        };
        return format!("without `{}` ({}), {went} on {} at that time", one.fault, one.did, one.on);
    }
    match untold.iter().find(|one| one.is_open()) {
        Some(one) if one.is_whole => {
            format!(
                "whether `{}` ({}) met anybody can't be said: nobody counts what uses {}",
                one.fault, one.did, one.on
            )
        }
        Some(one) => format!("whether `{}` ({}) met a request of the load can't be said", one.fault, one.did),
        None => "no injection met a request of the load".to_owned(),
    }
}
