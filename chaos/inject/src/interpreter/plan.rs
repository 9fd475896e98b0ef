//! The plan of the active faults for one connection.

use crate::{
    active::{Active, Chunk, Connection},
    attribution::Attribution,
    ledger::Delayed,
};
use chaos_model::{
    Direction,
    effect::{TlsAction, action::Slices},
};
use std::{sync::Arc, time::Duration};

/// Both directions, each at the place of its number.
const BOTH: [Direction; 2] = [Direction::Upstream, Direction::Downstream];

/// The plan of the active faults for one connection, until they change.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    connection: Connection,
    met: Vec<Arc<Active>>,
    up: Acts,
    down: Acts,
    opens: Option<Duration>,
    close_delays: [Duration; 2],
    /// Time of the reset, and the index of its fault among those met.
    reset: Option<(Duration, usize)>,
}

/// The effects of the active faults on all that goes one way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Acts {
    /// Nothing passes.
    pub(crate) holds: bool,
    /// Chunks arrive later, each by [`Plan::on_chunk`].
    pub(crate) delays: bool,
    /// The bytes that pass are counted ([`Active::cut`]).
    pub(crate) counts: bool,
    /// Bytes a second.
    pub(crate) rate: Option<u64>,
    /// Chunks are cut up.
    pub(crate) slices: Option<Slices>,
    /// The seed of the sizes of these.
    pub(crate) slice_seed: u64,
    /// Bytes are thrown away.
    pub(crate) discards: bool,
    /// Bytes that delays keep under way, the fewest that one of them says.
    pub(crate) in_flight: Option<u64>,
}

impl Acts {
    fn new(met: &[Arc<Active>], connection: Connection, direction: Direction) -> Self {
        let slices = met.iter().filter_map(|fault| fault.slices(direction));
        let finest = |one: Slices, other: Slices| {
            let finer = if other.size < one.size { other } else { one };
            Slices { gap: one.gap.max(other.gap), ..finer }
        };
        // Of the first that cuts up: one seed is as good as another, and it stays while that fault does.
        let slicing = met.iter().find(|fault| fault.slices(direction).is_some_and(|slices| slices.variation > 0));
        let slice_seed = |fault: &Arc<Active>| {
            fault.draws.hash(&[b"slice", &connection.nth.to_le_bytes(), direction.name().as_bytes()])
        };
        let counts = |fault: &Arc<Active>| fault.cut().is_some_and(|(_, directions, _)| directions.has(direction));
        Self {
            holds: met.iter().any(|fault| fault.holds(direction)),
            delays: met.iter().any(|fault| fault.spread(direction).is_some()),
            counts: met.iter().any(counts),
            rate: met.iter().filter_map(|fault| fault.rate(direction)).min(),
            slices: slices.reduce(finest),
            slice_seed: slicing.map_or(0, slice_seed),
            discards: met.iter().any(|fault| fault.discards(direction)),
            in_flight: met.iter().filter_map(|fault| fault.in_flight(direction)).min(),
        }
    }

    /// The bytes that may be under way, where delays are all that keeps them. What is held, or goes at a rate, is to
    /// press back on its sender, as a full network does.
    pub(crate) fn under_way(&self) -> Option<u64> {
        self.in_flight.filter(|_| !self.holds && self.rate.is_none() && self.slices.is_none())
    }

    fn is_clear(&self) -> bool {
        let passes = !self.holds && !self.delays && !self.counts && !self.discards;
        passes && self.rate.is_none() && self.slices.is_none()
    }
}

impl Plan {
    pub(super) fn new(connection: Connection, met: Vec<Arc<Active>>) -> Self {
        let sum = |of: &dyn Fn(&Active) -> Duration| {
            met.iter().fold(Duration::ZERO, |sum, fault| sum.saturating_add(of(fault)))
        };
        let dial_delay = sum(&|fault| fault.dial_delay(connection));
        let resets = met.iter().enumerate().filter_map(|(index, fault)| Some((fault.resets_at(connection)?, index)));
        Self {
            connection,
            up: Acts::new(&met, connection, Direction::Upstream),
            down: Acts::new(&met, connection, Direction::Downstream),
            opens: (!dial_delay.is_zero()).then(|| connection.accepted.saturating_add(dial_delay)),
            close_delays: BOTH.map(|direction| sum(&|fault| fault.close_delay(direction))),
            reset: resets.min(),
            met,
        }
    }

    /// The faults that act on the connection.
    pub(crate) fn met(&self) -> &[Arc<Active>] {
        &self.met
    }

    /// The effects of the active faults on all that goes this way.
    pub(crate) fn on(&self, direction: Direction) -> &Acts {
        match direction {
            Direction::Upstream => &self.up,
            Direction::Downstream => &self.down,
        }
    }

    /// Tells whether all that goes this way passes untouched.
    pub(crate) fn is_clear(&self, direction: Direction) -> bool {
        self.on(direction).is_clear() && self.opens.is_none() && self.close_delay(direction).is_zero()
    }

    /// Before when nothing passes, either way.
    pub(crate) fn opens(&self) -> Option<Duration> {
        self.opens
    }

    /// The delay of this way's end behind what precedes it.
    pub(crate) fn close_delay(&self, direction: Direction) -> Duration {
        self.close_delays[direction as usize]
    }

    /// The time at which the connection is reset, and the fault that does it. Those applied first win a tie.
    pub(crate) fn reset(&self) -> Option<(Duration, &Active)> {
        self.reset.map(|(at, index)| (at, &*self.met[index]))
    }

    /// The line by which the client is turned away, and the fault that does it.
    pub(crate) fn turns_away(&self) -> Option<(&'static str, &Active)> {
        self.met.iter().find_map(|fault| Some((fault.stream.turns_away?, &**fault)))
    }

    /// The delay of this chunk, once nothing holds it.
    pub(crate) fn on_chunk(&self, chunk: Chunk) -> Duration {
        if !self.on(chunk.direction).delays {
            return Duration::ZERO;
        }
        let delays = self.met.iter().map(|fault| fault.delay(self.connection.nth, chunk));
        delays.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// A chunk was late as asked: for the ledgers of the faults that delay it.
    pub(crate) fn note_delay(&self, chunk: Chunk, attribution: &Attribution, delayed: Delayed) {
        let nth = self.connection.nth;
        for fault in &self.met {
            let own = fault.delay(nth, chunk);
            if !own.is_zero() {
                let at = chunk.arrived.saturating_sub(fault.applied);
                fault.ledger.bytes(at, nth, attribution, Some(delayed.share(own)));
            }
        }
    }

    /// The delays that held up this way's sender, though they are no rate.
    pub(crate) fn throttling(&self, direction: Direction) -> impl Iterator<Item = &Arc<Active>> {
        self.met.iter().filter(move |fault| fault.in_flight(direction).is_some())
    }

    /// A message has met what this fault does to its bytes; delays are written down when they are over, and told now.
    pub(crate) fn note_message(&self, fault: &Active, attribution: &Attribution, now: Duration) {
        let nth = self.connection.nth;
        if fault.stream.delay.is_none() {
            fault.ledger.bytes(now.saturating_sub(fault.applied), nth, attribution, None);
        } else {
            fault.ledger.tell_bytes(nth, attribution);
        }
    }

    /// The faults that delay, hold or cut up this chunk.
    pub(crate) fn acting(&self, chunk: Chunk) -> impl Iterator<Item = &Arc<Active>> {
        let direction = chunk.direction;
        let early = self.opens.is_some_and(|opens| chunk.arrived < opens);
        self.met.iter().filter(move |fault| {
            fault.holds(direction)
                || fault.spread(direction).is_some()
                || fault.discards(direction)
                || fault.rate(direction).is_some()
                || fault.slices(direction).is_some_and(|slices| slices.size - slices.variation < chunk.bytes)
                || (early && !fault.stream.dial_delay.is_zero())
        })
    }

    /// The faults that delay this way's end.
    pub(crate) fn acting_on_end(&self, direction: Direction) -> impl Iterator<Item = &Arc<Active>> {
        self.met.iter().filter(move |fault| !fault.close_delay(direction).is_zero())
    }

    /// The faults' action on TLS with the client, of several the first.
    pub(crate) fn tls(&self) -> TlsAction {
        self.met.iter().fold(TlsAction::default(), |all, fault| all.then(fault.stream.tls))
    }

    /// The faults that act while hands are shaken.
    pub(crate) fn on_handshakes(&self) -> impl Iterator<Item = &Arc<Active>> {
        self.met.iter().filter(|fault| fault.stream.tls.is_of_handshakes())
    }

    /// The faults that throw bytes away, either way.
    pub(crate) fn discarding(&self) -> impl Iterator<Item = &Arc<Active>> {
        self.met.iter().filter(|fault| fault.stream.discards.is_some())
    }
}
