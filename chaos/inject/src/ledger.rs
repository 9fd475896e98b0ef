//! The ledger of a fault on its link: each injection, with what was asked and what was achieved. Bounded.
//!
//! An injection is told to whoever listens to [`WIRE`](crate::WIRE) when it begins, so that its place among what passes
//! is known; a delay is written down when it is over.

use crate::{attribution::Attribution, events::WIRE};
use chaos_model::{
    ArrivalId, Fault, Injection, KeyKind, Link,
    ledger::{self, MOST_INJECTIONS},
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tracing::field::display;

/// The record of what a fault did on its link.
#[derive(Debug)]
pub(crate) struct Ledger {
    fault: String,
    link: String,
    kept: Mutex<Kept>,
}

/// Lines of a piece.
const PIECE: usize = 250;
const _: () = assert!(MOST_INJECTIONS.is_multiple_of(PIECE), "the last piece is full when there is no more room");

/// Lines in pieces of equal length: where one vector grew, requests would wait for the lock while it is copied.
#[derive(Debug, Default)]
struct Kept {
    pieces: Vec<Vec<Line>>,
    left_out: u64,
}

/// An injection without the names of its fault and link, which all have in common.
#[derive(Debug)]
struct Line {
    at: Duration,
    key: KeyKind,
    subject: String,
    arrival: Option<ArrivalId>,
    idle: bool,
    attempt: u64,
    delayed: Option<Delayed>,
    bystanders: u64,
}

/// A delay: what was asked and what was achieved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delayed {
    pub(crate) asked: Duration,
    pub(crate) achieved: Duration,
}

impl Delayed {
    /// The share of one fault, that asked for `own`, in a wait of several: what was achieved beyond all that was asked is each
    /// one's, and where less was, each had its own time as far as that went.
    pub(crate) fn share(self, own: Duration) -> Self {
        let beyond = self.achieved.saturating_sub(self.asked);
        Self { asked: own, achieved: own.min(self.achieved) + beyond }
    }
}

/// An injection into a message, as the ledger keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The kind of key that it was drawn by.
    pub(crate) key: KeyKind,
    /// Subject of the message, for people: `GET /users/7`, `GET gateway:profile:7`.
    pub(crate) subject: String,
    /// The arrival that it belongs to, where it says so: of whatever run.
    pub(crate) arrival: Option<ArrivalId>,
    /// Number of earlier messages that were the same to the fault.
    pub(crate) attempt: u64,
    /// Messages that wait behind it on its connection.
    pub(crate) bystanders: u64,
}

impl Ledger {
    pub(crate) fn new(fault: &Fault, link: &Link) -> Self {
        Self { fault: fault.name.clone(), link: link.to_string(), kept: Mutex::default() }
    }

    /// A connection was met, or a chunk of its bytes: `at` counts from when the fault was applied.
    pub(crate) fn connection(&self, at: Duration, nth: u64, delayed: Option<Delayed>) {
        self.bytes(at, nth, &Attribution::default(), delayed);
    }

    /// The bytes of a message were met on a connection.
    pub(crate) fn bytes(&self, at: Duration, nth: u64, attribution: &Attribution, delayed: Option<Delayed>) {
        if delayed.is_none() {
            self.tell_bytes(nth, attribution);
        }
        self.add(|| Line {
            subject: attribution.subject.as_deref().map_or_else(|| ledger::connection(nth), str::to_owned),
            arrival: attribution.arrival,
            ..Line::new(at, KeyKind::Connection, delayed)
        });
    }

    /// A connection on which no message was under way was met.
    pub(crate) fn idle(&self, at: Duration, nth: u64) {
        self.tell_bytes(nth, &Attribution::default());
        self.add(|| Line { subject: ledger::connection(nth), idle: true, ..Line::new(at, KeyKind::Connection, None) });
    }

    /// A message was acted on, which has been told ([`Ledger::tell_message`]).
    pub(crate) fn message(&self, at: Duration, injected: &Entry, delayed: Option<Delayed>) {
        self.add(|| Line {
            subject: injected.subject.clone(),
            arrival: injected.arrival,
            attempt: injected.attempt,
            bystanders: injected.bystanders,
            ..Line::new(at, injected.key, delayed)
        });
    }

    /// Tells that the bytes of a message are met now. Those that write a delay down later tell it themselves.
    pub(crate) fn tell_bytes(&self, nth: u64, attribution: &Attribution) {
        let (link, fault, subject) = (self.link.as_str(), self.fault.as_str(), attribution.subject.as_deref());
        let arrival = attribution.arrival.map(display);
        tracing::trace!(target: WIRE, link, fault, connection = nth, subject, arrival, attempt = 0, "acts");
    }

    /// Tells that a message is acted on from now on: what its client sees of it comes next.
    pub(crate) fn tell_message(&self, injected: &Entry) {
        let Entry { subject, arrival, attempt, .. } = injected;
        let (link, fault, subject) = (self.link.as_str(), self.fault.as_str(), subject.as_str());
        let arrival = arrival.map(display);
        tracing::trace!(target: WIRE, link, fault, subject, arrival, attempt, "acts");
    }

    /// All that there is, and how many there was no room for.
    pub(crate) fn read(&self) -> (Vec<Injection>, u64) {
        let kept = self.kept();
        (kept.pieces.iter().flatten().map(|line| self.injection(line)).collect(), kept.left_out)
    }

    fn injection(&self, line: &Line) -> Injection {
        Injection {
            fault: self.fault.clone(),
            link: self.link.clone(),
            at: line.at,
            key: line.key,
            subject: line.subject.clone(),
            arrival: line.arrival,
            idle: line.idle,
            attempt: line.attempt,
            asked: line.delayed.map(|delayed| delayed.asked),
            achieved: line.delayed.map(|delayed| delayed.achieved),
            bystanders: line.bystanders,
        }
    }

    fn add(&self, line: impl FnOnce() -> Line) {
        let mut kept = self.kept();
        let last = kept.pieces.last().map_or(PIECE, Vec::len);
        if last == PIECE && kept.pieces.len() * PIECE >= MOST_INJECTIONS {
            kept.left_out += 1;
            return;
        }
        if last == PIECE {
            kept.pieces.push(Vec::with_capacity(PIECE));
        }
        if let Some(piece) = kept.pieces.last_mut() {
            piece.push(line());
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn new(at: Duration, key: KeyKind, delayed: Option<Delayed>) -> Self {
        Self { at, key, subject: String::new(), arrival: None, idle: false, attempt: 0, delayed, bystanders: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{Endpoint, Target, effect::Hang};

    #[test]
    fn each_of_several_delays_is_told_its_own() {
        let ms = Duration::from_millis;
        let share = |asked, achieved, own| {
            let Delayed { asked, achieved } = Delayed { asked: ms(asked), achieved: ms(achieved) }.share(ms(own));
            (asked.as_millis(), achieved.as_millis())
        };
        assert_eq!([share(150, 153, 100), share(150, 153, 50)], [(100, 103), (50, 53)]);
        assert_eq!(share(150, 150, 150), (150, 150));
        assert_eq!([share(150, 70, 100), share(150, 70, 50)], [(100, 70), (50, 50)], "one was taken back");
    }

    #[test]
    fn what_is_beyond_its_room_is_counted() {
        let link = Link { from: Endpoint::Client, to: "gateway".to_owned(), label: None };
        let ledger = Ledger::new(&Fault::new("hang", Target::Link(link.clone()), Hang {}), &link);
        for nth in 0..MOST_INJECTIONS as u64 + 3 {
            ledger.connection(Duration::from_millis(nth), nth, None);
        }
        let (injections, left_out) = ledger.read();
        assert_eq!((injections.len(), left_out), (MOST_INJECTIONS, 3));
        assert_eq!(
            (injections[7].subject.as_str(), injections[7].link.as_str()),
            ("connection 7", "client -> gateway")
        );
    }
}
