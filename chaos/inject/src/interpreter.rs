//! The interpreter: which faults act on a connection, and what they do to it.
//!
//! Pure and synchronous: it knows no clock and no socket. Times are counted by the caller, from whatever moment it
//! likes. A [`Plan`] says what holds for one connection until the faults change; then the caller asks for a new one.
//!
//! Several faults on one link: delays add up (of chunks, of the first bytes, of the end), the lowest rate holds, pieces
//! are the smallest with the longest gap, holding wins over delays, a reset wins over all.
//!
//! `refuse` and `blackhole` are answers of the listener where they are for all ([`Interpreter::answer`]). With a share
//! below 100 % the listener has to accept, since it can't tell connections apart: then those that the draw takes are
//! reset as soon as they are accepted (`refuse`), or accepted and held (`blackhole`).

mod messages;
mod plan;

pub(crate) use messages::{Decider, command_subject, request_subject};
pub(crate) use plan::{Acts, Plan};

use crate::{counts::Counts, draw::Draws, filter::Ending, ledger::Ledger, redis::Values, tally::Tally};
use chaos_model::{
    Direction, Fault, Link, Share, Spread,
    effect::{
        Action,
        action::{Accepting, Cut, HttpAction, RedisAction, Slices, StreamAction},
    },
};
use host::ListenMode;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// The way that bytes go, seen from the side that connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the service that is used.
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

    pub(crate) fn is_in(self, direction: Direction) -> bool {
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
    pub(crate) ledger: Ledger,
    pub(crate) action: StreamAction,
    /// Action on requests.
    pub(crate) http: Option<HttpAction>,
    /// Action on commands.
    pub(crate) redis: Option<RedisAction>,
    draws: Draws,
    /// Occurrences of each message that it was for.
    // Counted for each fault since it began, and not for the link: then no fault changes what another one decides, and a
    // link without faults counts nothing.
    counts: Counts,
    /// Messages that it was for.
    matches: AtomicU64,
    /// Replies that were read under it.
    values: Arc<Values>,
    /// Time at which it was applied.
    pub(crate) applied: Duration,
    /// The number of the first connection that was accepted after that; those before are the open ones.
    first_new: u64,
}

impl Active {
    pub(crate) fn new(fault: Fault, seed: u64, link: &Link, applied: Duration, first_new: u64) -> Self {
        // A draw hashes names and never a position, so adding or removing a fault leaves the draws of all others as
        // they were.
        let draws = Draws { seed, fault: fault.name.clone(), link: link.to_string() };
        // Actions are data that an effect gives; a new effect that combines known actions touches nothing here.
        let Action { stream, http, redis, .. } = fault.effect.action();
        let (tally, counts, matches, values) = (Tally::default(), Counts::default(), AtomicU64::new(0), Arc::default());
        let (ledger, action) = (Ledger::new(&fault, link), stream.unwrap_or_default());
        Self { fault, tally, ledger, action, http, redis, draws, counts, matches, values, applied, first_new }
    }

    /// Tells whether it acts on requests or commands.
    fn is_of_messages(&self) -> bool {
        self.http.is_some() || self.redis.is_some()
    }

    /// The number of one more message that it is for, from 1.
    fn count_match(&self) -> u64 {
        self.matches.fetch_add(1, Relaxed) + 1
    }

    /// The delay of messages, if that is what it does.
    fn message_delay(&self) -> Option<&Spread> {
        let http = self.http.as_ref().and_then(|action| action.delay.as_ref());
        http.or_else(|| self.redis.as_ref().and_then(|action| action.delay.as_ref()))
    }

    /// The way in which it makes a listener treat new connections.
    fn answer(&self) -> ListenMode {
        match self.action.accepting {
            Accepting::Refuse if self.fault.share >= Share::ALL => ListenMode::Refuse,
            Accepting::Blackhole if self.fault.share >= Share::ALL => ListenMode::Blackhole,
            _ => ListenMode::Accept,
        }
    }

    fn meets(&self, connection: Connection) -> bool {
        if self.is_of_messages() {
            return false;
        }
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

    /// After how many bytes in which direction it ends a connection, and how.
    pub(crate) fn cut(&self) -> Option<(u64, Direction, Ending)> {
        match self.action.cut {
            Some(Cut::ResetAfterBytes(bytes, direction)) => Some((bytes, direction, Ending::Reset)),
            Some(Cut::CloseAfterBytes(bytes, direction)) => Some((bytes, direction, Ending::Close)),
            Some(Cut::ResetAfter(_)) | None => None,
        }
    }

    fn holds(&self, way: Way) -> bool {
        self.action.holds.is_some_and(|direction| way.is_in(direction))
    }

    fn spread(&self, way: Way) -> Option<Spread> {
        self.action.delay.filter(|(_, direction)| way.is_in(*direction)).map(|(spread, _)| spread)
    }

    fn rate(&self, way: Way) -> Option<u64> {
        self.action.rate.filter(|(_, direction)| way.is_in(*direction)).map(|(rate, _)| rate.bytes_per_second)
    }

    fn slices(&self, way: Way) -> Option<Slices> {
        self.action.slices.filter(|(_, direction)| way.is_in(*direction)).map(|(slices, _)| slices)
    }

    /// The time in which nothing passes on this connection from when it was accepted; by when that was, under a ramp.
    fn dial_delay(&self, connection: Connection) -> Duration {
        self.grown(self.action.dial_delay, connection.accepted)
    }

    /// The part of this delay that is there at a moment.
    fn grown(&self, whole: Duration, at: Duration) -> Duration {
        if self.fault.ramp.is_zero() {
            return whole;
        }
        let strength = self.fault.strength(at.saturating_sub(self.applied));
        Duration::from_nanos_u128(whole.as_nanos() * u128::from(strength) / 1_000_000)
    }

    /// The delay of this chunk of the nth connection. A ramp counts from when the fault was applied to when the
    /// chunk arrived.
    fn delay(&self, nth: u64, chunk: Chunk) -> Duration {
        let Some(spread) = self.spread(chunk.way) else { return Duration::ZERO };
        self.grown(self.draws.delay(nth, chunk.way, chunk.kth, &spread), chunk.arrived)
    }
}

/// A connection, as far as decisions go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    /// Number of the connection on its link, counted from 0.
    pub(crate) nth: u64,
    /// Time at which it was accepted.
    pub(crate) accepted: Duration,
}

/// A chunk of bytes, as far as decisions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The way that it goes.
    pub(crate) way: Way,
    /// Number of the chunk among those that go this way, counted from 0.
    pub(crate) kth: u64,
    /// Size in bytes.
    pub(crate) bytes: usize,
    /// Time at which it arrived.
    pub(crate) arrived: Duration,
}

/// The faults that are on a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interpreter {
    /// In the order in which they were applied.
    pub(crate) faults: Vec<Arc<Active>>,
}

impl Interpreter {
    /// The way in which the listener treats new connections. `refuse` wins over `blackhole`, as resets win over
    /// holding.
    pub(crate) fn answer(&self) -> ListenMode {
        let any = |answer| self.faults.iter().any(|fault| fault.answer() == answer);
        [ListenMode::Refuse, ListenMode::Blackhole].into_iter().find(|answer| any(*answer)).unwrap_or_default()
    }

    /// Plans what these faults do to a connection. Asked when it is accepted, and again whenever the faults change.
    pub(crate) fn on_connection(&self, connection: Connection) -> Plan {
        Plan::new(connection, self.faults.iter().filter(|fault| fault.meets(connection)).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
