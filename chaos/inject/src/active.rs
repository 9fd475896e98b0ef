//! A fault on its link, with all that is counted, drawn and written down of it; and the connections and chunks that it
//! meets.

use crate::{counts::Counts, draw::Draws, ending::Ending, ledger::Ledger, tally::Tally};
use chaos_model::{
    Direction, Directions, Fault, Link, Only, Share, Spread,
    effect::{
        Action,
        action::{Accepting, Cut, DiscardEnd, IN_FLIGHT, Slices, StreamAction},
    },
};
use host::ListenMode;
use std::{
    any::Any,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// A fault that is on a link.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) fault: Fault,
    pub(crate) tally: Arc<Tally>,
    pub(crate) ledger: Arc<Ledger>,
    /// The action of its effect: filters do of it what is on messages.
    pub(crate) action: Action,
    /// Action on connections.
    pub(crate) stream: StreamAction,
    pub(crate) draws: Draws,
    /// Occurrences of each message that it was for.
    // Counted for each fault since it began, and not for the link: then no fault changes what another one decides, and a
    // link without faults counts nothing.
    pub(crate) counts: Arc<Counts>,
    matches: Arc<Matches>,
    /// Memory of the protocol's filters, on all connections of the link.
    memory: OnceLock<Arc<dyn Any + Send + Sync>>,
    /// Time at which it was applied.
    pub(crate) applied: Duration,
    /// The number of the first connection that was accepted after that; those before are the open ones.
    first_new: u64,
    /// Connections that were open then.
    open_then: u64,
}

/// Numbers of messages.
#[derive(Debug, Default)]
struct Matches {
    /// Messages that the fault was for,
    own: AtomicU64,
    /// and those that its exception is about.
    excepted: AtomicU64,
}

impl Active {
    /// A fault that is put on a link now: `first_new` is the number of the next connection.
    pub(crate) fn new(fault: Fault, seed: u64, link: &Link, applied: Duration, first_new: u64) -> Self {
        // A draw hashes names and never a position, so adding or removing a fault leaves the draws of all others as
        // they were.
        let draws = Draws { seed, fault: fault.name.clone(), link: link.to_string() };
        // Actions are data that an effect gives; a new effect that combines known actions touches nothing here.
        let action = fault.effect.action();
        let (tally, counts, memory) = (<Arc<Tally>>::default(), <Arc<Counts>>::default(), OnceLock::new());
        let (matches, open_then) = (<Arc<Matches>>::default(), 0);
        let (ledger, stream) = (Arc::new(Ledger::new(&fault, link)), action.stream.clone().unwrap_or_default());
        Self { fault, tally, ledger, action, stream, draws, counts, matches, memory, applied, first_new, open_then }
    }

    /// The same with so many connections open when it was put there.
    pub(crate) fn over(self, open: usize) -> Self {
        Self { open_then: open as u64, ..self }
    }

    /// The fault with other settings, and all that was counted, drawn and written down of it so far.
    pub(crate) fn changed(&self, fault: Fault) -> Self {
        let action = fault.effect.action();
        Self {
            stream: action.stream.clone().unwrap_or_default(),
            fault,
            action,
            tally: Arc::clone(&self.tally),
            ledger: Arc::clone(&self.ledger),
            draws: self.draws.clone(),
            counts: Arc::clone(&self.counts),
            matches: Arc::clone(&self.matches),
            memory: self.memory.clone(),
            ..*self
        }
    }

    /// Tells whether it is that fault, perhaps with other settings ([`Active::changed`]).
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tally, &other.tally)
    }

    /// The number of connections or messages that it is for, those included that its share leaves out; `accepted` is that of
    /// all connections that there have been.
    pub(crate) fn matched(&self, accepted: u64) -> u64 {
        if self.is_of_messages() {
            return self.matches.own.load(Relaxed);
        }
        let open = if self.stream.spares_open { 0 } else { self.open_then };
        open + accepted.saturating_sub(self.first_new)
    }

    /// A fault with another action than its effect's, and a memory, for tests of filters.
    #[cfg(test)]
    pub(crate) fn doing(name: &str, action: Action, memory: Option<Arc<dyn Any + Send + Sync>>) -> Arc<Self> {
        use chaos_model::{Endpoint, Target, effect::Hang};
        let link = Link { from: Endpoint::Service("gateway".to_owned()), to: "service".to_owned(), label: None };
        let fault = Fault::new(name, Target::Link(link.clone()), Hang {});
        let mut active = Self::new(fault, 1, &link, Duration::ZERO, 0);
        active.action = action;
        memory.into_iter().for_each(|memory| drop(active.memory.set(memory)));
        Arc::new(active)
    }

    /// Tells whether it acts on messages.
    pub(crate) fn is_of_messages(&self) -> bool {
        self.action.is_of_messages()
    }

    /// The memory of filters, made when it is asked for first. A link has one protocol, which asks for one type.
    pub(crate) fn memory<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let memory = Arc::clone(self.memory.get_or_init(|| Arc::new(T::default())));
        memory.downcast().unwrap_or_default()
    }

    /// Tells whether it is for a message, but for its number among those; `matches` says whether a filter is for
    /// that. Asked once for each message: those are counted that its exception is about.
    pub(crate) fn is_for(&self, matches: impl Fn(&Action, &Only) -> bool) -> bool {
        let matches = |only: &Only| matches(&self.action, only);
        if !self.is_of_messages() || !matches(&self.fault.only) {
            return false;
        }
        let Some(except) = self.fault.except.as_ref().filter(|except| matches(except)) else { return true };
        let number = self.matches.excepted.fetch_add(1, Relaxed) + 1;
        except.nth.is_some_and(|nth| !nth.has(number))
    }

    /// Tells whether it might be for a message that nothing can be done to, for which its numbers don't count.
    pub(crate) fn might_be_for(&self, matches: impl Fn(&Action, &Only) -> bool) -> bool {
        let matches = |only: &Only| matches(&self.action, only);
        let excepted = |except: &Only| except.nth.is_none() && matches(except);
        self.is_of_messages() && matches(&self.fault.only) && !self.fault.except.as_ref().is_some_and(excepted)
    }

    /// The number of one more message that it is for, from 1.
    pub(crate) fn count_match(&self) -> u64 {
        self.matches.own.fetch_add(1, Relaxed) + 1
    }

    /// The delay of messages, if that is what it does.
    pub(crate) fn message_delay(&self) -> Option<&Spread> {
        self.action.message.as_ref().and_then(|action| action.delay.as_ref())
    }

    /// The way in which it makes a listener treat new connections.
    pub(crate) fn listen_mode(&self) -> ListenMode {
        match self.stream.accepting {
            Accepting::Refuse if self.fault.share >= Share::ALL => ListenMode::Refuse,
            Accepting::Blackhole if self.fault.share >= Share::ALL => ListenMode::Blackhole,
            _ => ListenMode::Accept,
        }
    }

    pub(crate) fn meets(&self, connection: Connection) -> bool {
        if self.is_of_messages() {
            return false;
        }
        let spared = self.stream.spares_open && connection.nth < self.first_new;
        !spared && self.draws.takes(self.fault.share, connection.nth)
    }

    pub(crate) fn resets_at(&self, connection: Connection) -> Option<Duration> {
        let since = if connection.nth < self.first_new { self.applied } else { connection.accepted };
        match self.stream.cut {
            Some(Cut::ResetAfter(after)) => Some(since.saturating_add(after)),
            _ => None,
        }
    }

    /// After how many bytes in which direction it ends a connection, and how.
    pub(crate) fn cut(&self) -> Option<(u64, Directions, Ending)> {
        match self.stream.cut {
            Some(Cut::ResetAfterBytes(bytes, direction)) => Some((bytes, direction, Ending::Reset)),
            Some(Cut::CloseAfterBytes(bytes, direction)) => Some((bytes, direction, Ending::Close)),
            Some(Cut::ResetAfter(_)) | None => None,
        }
    }

    pub(crate) fn holds(&self, direction: Direction) -> bool {
        self.stream.holds.is_some_and(|directions| directions.has(direction))
    }

    pub(crate) fn spread(&self, direction: Direction) -> Option<Spread> {
        self.stream.delay.filter(|(_, directions)| directions.has(direction)).map(|(spread, _)| spread)
    }

    /// The bytes that its delay keeps under way in a direction, where it has one there.
    pub(crate) fn in_flight(&self, direction: Direction) -> Option<u64> {
        self.spread(direction).map(|_| self.stream.in_flight.unwrap_or(IN_FLIGHT))
    }

    pub(crate) fn rate(&self, direction: Direction) -> Option<u64> {
        self.stream.rate.filter(|(_, directions)| directions.has(direction)).map(|(rate, _)| rate.bytes_per_second)
    }

    pub(crate) fn slices(&self, direction: Direction) -> Option<Slices> {
        self.stream.slices.filter(|(_, directions)| directions.has(direction)).map(|(slices, _)| slices)
    }

    /// Tells whether it throws away what goes this way.
    pub(crate) fn discards(&self, direction: Direction) -> bool {
        self.stream.discards.is_some_and(|discards| discards.directions.has(direction))
    }

    /// The end that a connection comes to by its bytes being thrown away, and the directions of those.
    pub(crate) fn discard_end(&self) -> Option<(DiscardEnd, Directions)> {
        let discards = self.stream.discards?;
        Some((discards.then?, discards.directions))
    }

    /// The delay of a stream's end in this direction.
    pub(crate) fn close_delay(&self, direction: Direction) -> Duration {
        let delay = self.stream.close_delay.filter(|(_, directions)| directions.has(direction));
        delay.map_or(Duration::ZERO, |(delay, _)| delay)
    }

    /// The time in which nothing passes on this connection from when it was accepted; by when that was, under a ramp.
    pub(crate) fn dial_delay(&self, connection: Connection) -> Duration {
        self.grown(self.stream.dial_delay, connection.accepted)
    }

    /// The part of this delay that is there at a moment.
    pub(crate) fn grown(&self, whole: Duration, at: Duration) -> Duration {
        if self.fault.ramp.is_zero() {
            return whole;
        }
        let strength = self.fault.strength(at.saturating_sub(self.applied));
        Duration::from_nanos_u128(whole.as_nanos() * u128::from(strength) / 1_000_000)
    }

    /// The delay of this chunk of the nth connection. A ramp counts from when the fault was applied to when the
    /// chunk arrived.
    pub(crate) fn delay(&self, nth: u64, chunk: Chunk) -> Duration {
        let Some(spread) = self.spread(chunk.direction) else { return Duration::ZERO };
        self.grown(self.draws.delay(nth, chunk.direction, chunk.kth, &spread), chunk.arrived)
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
    /// The direction that it goes in.
    pub(crate) direction: Direction,
    /// Number of the chunk among those that go this way, counted from 0.
    pub(crate) kth: u64,
    /// Size in bytes.
    pub(crate) bytes: usize,
    /// Time at which it arrived.
    pub(crate) arrived: Duration,
}
