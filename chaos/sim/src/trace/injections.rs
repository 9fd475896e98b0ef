//! Injections in their places among all that was told: where one belongs is what its proxy told when it began, and what
//! came of it is in the ledger.

use super::{Fields, Observation, What, arrival, number, of};
use chaos_inject::WIRE;
use chaos_model::{
    Event, KeyKind, Record,
    ledger::{self, Joined},
};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Time that a proxy's time and the ledger's may be apart.
const CLOSE: Duration = Duration::from_millis(1);

/// An injection as its proxy told that it began.
pub(super) struct InjectionStart<'s> {
    pub(super) fault: &'s str,
    pub(super) link: &'s str,
    /// The message that it acts on, where it acts on one.
    pub(super) subject: Option<&'s str>,
    pub(super) arrival: Option<u64>,
    connection: Option<u64>,
    attempt: u64,
}

impl<'s> InjectionStart<'s> {
    /// None where the event tells of something else.
    pub(super) fn of(fields: &'s Fields) -> Option<Self> {
        Some(Self {
            fault: of(fields, "fault")?,
            link: of(fields, "link")?,
            subject: of(fields, "subject"),
            arrival: arrival(fields),
            connection: number(fields, "connection"),
            attempt: number(fields, "attempt")?,
        })
    }

    /// The identity by which the ledger calls it, but for the time.
    fn identity(&self) -> Identity<'s> {
        let subject = match (self.subject, self.connection) {
            (Some(subject), _) => Cow::Borrowed(subject),
            (None, nth) => Cow::Owned(nth.map(ledger::connection).unwrap_or_default()),
        };
        (self.fault, self.link, subject, self.arrival, self.attempt)
    }
}

/// Fault, link, subject, arrival and attempt: together with the time they tell injections apart.
type Identity<'s> = (&'s str, &'s str, Cow<'s, str>, Option<u64>, u64);

fn identity(Joined { injection, .. }: &Joined) -> Identity<'_> {
    let subject = Cow::Borrowed(injection.subject.as_str());
    (&injection.fault, &injection.link, subject, injection.arrival.map(|arrival| arrival.n), injection.attempt)
}

/// Injections of a run.
pub(super) struct Injections<'s> {
    /// By the place of what was told of them.
    pub(super) placed: BTreeMap<usize, &'s Joined>,
    /// Injections of which nothing was told.
    pub(super) untold: Vec<&'s Joined>,
}

impl<'s> Injections<'s> {
    /// Injections in the ledger, whose times count from `began`.
    pub(super) fn of(seen: &'s [Observation], records: &'s [Record], began: Instant) -> Self {
        let mut told: BTreeMap<Identity<'s>, Vec<(Instant, usize)>> = BTreeMap::new();
        for (place, one) in seen.iter().enumerate() {
            let What::Event { target: WIRE, fields, .. } = &one.what else { continue };
            if let Some(event) = InjectionStart::of(fields) {
                told.entry(event.identity()).or_default().push((one.at, place));
            }
        }
        let injections = records.iter().filter_map(|record| match &record.event {
            Event::Injected(injected) => Some(&injected.injections),
            _ => None,
        });
        let (mut placed, mut untold) = (BTreeMap::new(), Vec::new());
        for joined in injections.flatten() {
            let at = began + joined.injection.at;
            let alike = told.get(&identity(joined)).map(Vec::as_slice).unwrap_or_default();
            let near = alike.iter().skip(alike.partition_point(|(told, _)| *told + CLOSE < at));
            let near =
                near.take_while(|(told, _)| *told <= at + CLOSE).filter(|(_, place)| !placed.contains_key(place));
            match near.min_by_key(|(told, _)| (*told).max(at) - (*told).min(at)) {
                Some((_, place)) => drop(placed.insert(*place, joined)),
                // Each chunk of a message that is delayed is in the ledger, and the message is told of once.
                None if joined.injection.key == KeyKind::Connection && !alike.is_empty() => {}
                None => untold.push(joined),
            }
        }
        Self { placed, untold }
    }
}
