//! The interpreter: which faults act on a connection, and what they do to it.
//!
//! Pure and synchronous: it knows no clock and no socket. Times are counted by the caller, from whatever moment it likes.
//! A [`Plan`] says what holds for one connection until the faults change; then the caller asks for a new one.
//!
//! Several faults on one link: delays add up, holding wins over delays, a reset wins over all.
//!
//! `refuse` and `blackhole` are answers of the listener where they are for all ([`Interpreter::answer`]). With a share
//! below 100 % the listener has to accept, since it can't tell connections apart: then those that the draw takes are reset
//! as soon as they are accepted (`refuse`), or accepted and held (`blackhole`).

use crate::{draw::Draws, tally::Tally};
use chaos_model::{
    Direction, Fault, Link, Share, Spread,
    effect::action::{Cut, Listening, StreamAction},
};
use host::Answer;
use std::{sync::Arc, time::Duration};

/// The way that bytes go, seen from the side that connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the node that is used.
    Up,
    /// Back from it.
    Down,
}

impl Way {
    /// Part of the key of draws: never to be changed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Up => "upstream",
            Self::Down => "downstream",
        }
    }

    fn is_in(self, direction: Direction) -> bool {
        match direction {
            Direction::Upstream => self == Self::Up,
            Direction::Downstream => self == Self::Down,
            Direction::Both => true,
        }
    }
}

/// A fault that is on a link.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) fault: Fault,
    pub(crate) tally: Tally,
    pub(crate) action: StreamAction,
    draws: Draws,
    /// When it was applied.
    applied: Duration,
    /// The number of the first connection that was accepted after that; those before are the open ones.
    first_new: u64,
}

impl Active {
    pub(crate) fn new(fault: Fault, seed: u64, link: &Link, applied: Duration, first_new: u64) -> Self {
        let draws = Draws { seed, fault: fault.name.clone(), link: link.to_string() };
        let action = fault.effect.action().stream.unwrap_or_default();
        Self { fault, tally: Tally::default(), action, draws, applied, first_new }
    }

    /// How it makes a listener answer.
    fn answer(&self) -> Answer {
        match self.action.answer {
            Listening::Refuse if self.fault.share >= Share::ALL => Answer::Refuse,
            Listening::Blackhole if self.fault.share >= Share::ALL => Answer::Blackhole,
            _ => Answer::Accept,
        }
    }

    fn meets(&self, connection: Connection) -> bool {
        let spared = self.action.spares_open && connection.nth < self.first_new;
        !spared && self.draws.takes(self.fault.share, connection.nth)
    }

    fn resets_at(&self, connection: Connection) -> Option<Duration> {
        let since = if connection.nth < self.first_new { self.applied } else { connection.accepted };
        match self.action.cut {
            Some(Cut::ResetAfter(after)) => Some(since.saturating_add(after)),
            _ => None,
        }
    }

    fn holds(&self) -> bool {
        self.action.holds.is_some()
    }

    fn spread(&self, way: Way) -> Option<Spread> {
        self.action.delay.filter(|(_, direction)| way.is_in(*direction)).map(|(spread, _)| spread)
    }
}

/// A connection, as far as decisions go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    /// Its number on its link, counted from 0.
    pub(crate) nth: u64,
    /// When it was accepted.
    pub(crate) accepted: Duration,
}

/// The faults that are on a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interpreter {
    /// In the order in which they were applied.
    pub(crate) faults: Vec<Arc<Active>>,
}

impl Interpreter {
    /// How the listener answers. `refuse` wins over `blackhole`, as resets win over holding.
    pub(crate) fn answer(&self) -> Answer {
        let any = |answer| self.faults.iter().any(|fault| fault.answer() == answer);
        [Answer::Refuse, Answer::Blackhole].into_iter().find(|answer| any(*answer)).unwrap_or_default()
    }

    /// What these faults do to a connection. Asked when it is accepted, and again whenever the faults change.
    pub(crate) fn on_connection(&self, connection: Connection) -> Plan {
        let met = self.faults.iter().filter(|fault| fault.meets(connection)).cloned().collect::<Vec<_>>();
        let delays = |way| met.iter().any(|fault| fault.spread(way).is_some());
        let resets = met.iter().enumerate().filter_map(|(index, fault)| Some((fault.resets_at(connection)?, index)));
        Plan {
            connection,
            delays_up: delays(Way::Up),
            delays_down: delays(Way::Down),
            holds: met.iter().any(|fault| fault.holds()),
            reset: resets.min(),
            met,
        }
    }
}

/// What the active faults do to one connection.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    connection: Connection,
    met: Vec<Arc<Active>>,
    delays_up: bool,
    delays_down: bool,
    holds: bool,
    /// When, and by which of those met.
    reset: Option<(Duration, usize)>,
}

impl Plan {
    /// The faults that act on the connection.
    pub(crate) fn met(&self) -> &[Arc<Active>] {
        &self.met
    }

    /// Whether bytes that go this way pass untouched.
    pub(crate) fn is_clear(&self, way: Way) -> bool {
        !self.holds && !self.delays(way)
    }

    /// Whether nothing passes, either way.
    pub(crate) fn holds(&self) -> bool {
        self.holds
    }

    /// When the connection is reset, and by which fault. Those applied first win a tie.
    pub(crate) fn reset(&self) -> Option<(Duration, &Active)> {
        self.reset.map(|(at, index)| (at, &*self.met[index]))
    }

    /// How much later the kth chunk (counted from 0) that goes this way arrives, once nothing holds it.
    pub(crate) fn on_chunk(&self, way: Way, kth: u64) -> Duration {
        if !self.delays(way) {
            return Duration::ZERO;
        }
        let delay = |fault: &Arc<Active>| Some(fault.draws.delay(self.connection.nth, way, kth, &fault.spread(way)?));
        self.met.iter().filter_map(delay).fold(Duration::ZERO, Duration::saturating_add)
    }

    /// The faults that delay or hold each chunk that goes this way.
    pub(crate) fn acting(&self, way: Way) -> impl Iterator<Item = &Arc<Active>> {
        self.met.iter().filter(move |fault| fault.holds() || fault.spread(way).is_some())
    }

    fn delays(&self, way: Way) -> bool {
        match way {
            Way::Up => self.delays_up,
            Way::Down => self.delays_down,
        }
    }
}

#[cfg(test)]
mod tests;
