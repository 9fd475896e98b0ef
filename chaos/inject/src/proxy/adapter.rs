//! The adapter between filter and pumps: bytes of a pump go through the filter, and its steps go to the pumps.

use super::pump::{Pump, ReadAlong};
use crate::{
    attribution::Attribution,
    interpreter::{Decider, Interpreter, Plan},
    link_tally::LinkTally,
    protocol::{Decide, Filter, Step, StreamId, Unreadable},
    protocols::filter_of,
    recognition::{Recognition, recognise},
};
use chaos_model::{Direction, Protocol};
use std::{task::Context, time::Duration};
use tokio::io::AsyncWrite;

/// A connection's filter, with what it has not used up.
pub(super) struct Adapter {
    protocol: Protocol,
    filter: Box<dyn Filter>,
    /// The client's first bytes are of the protocol, as far as can be seen.
    is_recognised: bool,
    /// A header of the PROXY protocol stood before them.
    has_header: bool,
    /// The reason for which the connection can't be read.
    unreadable: Option<Unreadable>,
    /// A side has ended its stream.
    has_ended: bool,
    up: Vec<u8>,
    down: Vec<u8>,
    steps: Vec<Step>,
    /// Something came.
    used: bool,
}

impl Adapter {
    /// The filter of a protocol; none where it has none.
    pub(super) fn of(protocol: Protocol) -> Option<Self> {
        let filter = filter_of(protocol)?;
        let (is_recognised, has_header, has_ended, used) = (false, false, false, false);
        let (up, down, steps) = (Vec::new(), Vec::new(), Vec::new());
        let unreadable = None;
        Some(Self { protocol, filter, is_recognised, has_header, unreadable, has_ended, up, down, steps, used })
    }

    /// Tells whether there is nothing more to read along: all passes as it comes.
    pub(super) fn is_over(&self) -> bool {
        self.filter.is_lost() && self.up.is_empty() && self.down.is_empty()
    }

    /// The reason for which the connection can't be read, where its bytes have shown one; and whether what showed it is
    /// counted already.
    pub(super) fn unreadable(&self) -> Option<(Unreadable, bool)> {
        self.unreadable.map(|why| (why, self.filter.has_counted()))
    }

    /// Looks at the client's first bytes; gives the length of what stands before those of the protocol, and `None` where more are
    /// needed. Those of something else are not read.
    fn recognise(&mut self, first: &[u8]) -> Option<usize> {
        if self.is_recognised {
            return Some(0);
        }
        match recognise(self.protocol, first) {
            Recognition::More => return None,
            Recognition::Header(length) if !self.has_header => {
                self.has_header = true;
                return Some(length);
            }
            Recognition::Own => {}
            Recognition::Header(_) => self.pass_all(Unreadable::ProxyProtocol),
            Recognition::Other(why) => self.pass_all(why),
        }
        self.is_recognised = true;
        Some(0)
    }

    /// Reads nothing, for this reason.
    fn pass_all(&mut self, why: Unreadable) {
        self.unreadable = Some(why);
        self.filter = Box::new(Passing);
    }

    /// Tells whether it can attribute the bytes that pass.
    pub(super) fn tells(&self) -> bool {
        !self.filter.is_lost()
    }

    /// The messages that are under way, as far as they can be told apart. None at all where nobody waits for anything;
    /// `None` where that can't be said: nothing came yet, or the filter is lost.
    pub(super) fn under_way(&self) -> Option<Vec<Attribution>> {
        let known = self.used && !self.filter.is_lost();
        let mut messages = self.filter.under_way();
        // One that has not come whole.
        messages.extend((!self.up.is_empty()).then(Attribution::default));
        known.then_some(messages)
    }

    fn left(&mut self, direction: Direction) -> &mut Vec<u8> {
        match direction {
            Direction::Upstream => &mut self.up,
            Direction::Downstream => &mut self.down,
        }
    }
}

/// A filter that is asked now, for bytes of one pump.
pub(super) struct Adapting<'a> {
    pub(super) adapter: &'a mut Adapter,
    /// The pump of the other way.
    pub(super) other: &'a mut Pump,
    pub(super) interpreter: &'a Interpreter,
    pub(super) tally: &'a LinkTally,
    /// Counted as the interpreter's times are.
    pub(super) now: Duration,
}

impl ReadAlong for Adapting<'_> {
    fn bytes<W>(&mut self, pump: &mut Pump, cx: &mut Context<'_>, bytes: &[u8], mut to: Option<&mut W>, plan: &Plan)
    where
        W: AsyncWrite + Unpin,
    {
        let direction = pump.direction();
        self.adapter.used = true;
        let mut kept = std::mem::take(self.adapter.left(direction));
        let is_first = kept.is_empty();
        if !is_first {
            kept.extend_from_slice(bytes);
        }
        let all = if is_first { bytes } else { kept.as_slice() };
        let was_readable = self.adapter.unreadable.is_none();
        if direction == Direction::Upstream {
            let Some(header) = self.adapter.recognise(all) else {
                *self.adapter.left(direction) = if is_first { bytes.to_vec() } else { kept };
                return;
            };
            if header > 0 {
                pump.pass(cx, StreamId::CONNECTION, &all[..header], to.as_deref_mut(), plan);
                if header < all.len() {
                    let behind = all[header..].to_vec();
                    self.bytes(pump, cx, &behind, to, plan);
                }
                return;
            }
        }
        if was_readable && self.adapter.unreadable.is_some() {
            self.tally.unread();
        }
        let mut steps = std::mem::take(&mut self.adapter.steps);
        let mut decider = self.decider();
        self.adapter.filter.on_bytes(direction, all, &mut decider, &mut steps);
        let used = self.carry_out(pump, cx, all, to, plan, &mut steps);
        // What is left may be long and come in small pieces: it is not copied for each.
        if is_first {
            *self.adapter.left(direction) = bytes[used..].to_vec();
        } else {
            kept.drain(..used);
            *self.adapter.left(direction) = kept;
        }
        self.adapter.steps = steps;
        self.let_go_if_lost(plan);
    }

    fn end<W>(&mut self, pump: &mut Pump, cx: &mut Context<'_>, to: Option<&mut W>, plan: &Plan)
    where
        W: AsyncWrite + Unpin,
    {
        let direction = pump.direction();
        self.adapter.has_ended = true;
        let kept = std::mem::take(self.adapter.left(direction));
        let mut steps = std::mem::take(&mut self.adapter.steps);
        let mut decider = self.decider();
        self.adapter.filter.on_end(direction, &kept, &mut decider, &mut steps);
        let mut to = to;
        let used = self.carry_out(pump, cx, &kept, to.as_deref_mut(), plan, &mut steps);
        if used < kept.len() {
            pump.pass(cx, StreamId::CONNECTION, &kept[used..], to, plan);
        }
        self.adapter.steps = steps;
        self.let_go_if_lost(plan);
    }

    fn released<W>(&mut self, pump: &mut Pump, cx: &mut Context<'_>, stream: StreamId, to: &mut W, plan: &Plan)
    where
        W: AsyncWrite + Unpin,
    {
        let direction = pump.direction();
        self.ask_again(pump, cx, Some(to), plan, |filter, left, decide, steps| {
            filter.on_released(direction, stream, left, decide, steps);
        });
    }

    fn has_room(&self) -> bool {
        !self.other.is_full()
    }
}

/// Reads nothing: what passes is of another protocol.
struct Passing;

impl Filter for Passing {
    fn on_bytes(&mut self, direction: Direction, bytes: &[u8], _: &mut dyn Decide, steps: &mut Vec<Step>) {
        steps.push(Step::Pass(direction, StreamId::CONNECTION, bytes.len()));
    }

    fn on_end(&mut self, _: Direction, _: &[u8], _: &mut dyn Decide, _: &mut Vec<Step>) {}

    fn under_way(&self) -> Vec<Attribution> {
        Vec::new()
    }

    fn is_lost(&self) -> bool {
        true
    }

    fn words(&self, _: &[u8]) -> String {
        String::new()
    }
}

impl<'a> Adapting<'a> {
    fn decider(&self) -> Decider<'a> {
        Decider { interpreter: self.interpreter, tally: self.tally, now: self.now }
    }

    /// The faults have changed: the filter lets go of what it held for those that are gone.
    pub(super) fn changed(&mut self, pump: &mut Pump, cx: &mut Context<'_>, plan: &Plan) {
        let direction = pump.direction();
        // Bytes that nobody has recognised are none of the filter's yet.
        let is_its_own = direction == Direction::Downstream || self.adapter.is_recognised;
        if is_its_own && !self.adapter.filter.is_lost() {
            self.ask_again(pump, cx, None::<&mut tokio::io::Empty>, plan, |filter, left, decide, steps| {
                filter.on_change(direction, left, decide, steps);
            });
        }
    }

    /// Asks the filter about bytes that it has left, though no others have come, and does what it says.
    fn ask_again<W>(
        &mut self,
        pump: &mut Pump,
        cx: &mut Context<'_>,
        to: Option<&mut W>,
        plan: &Plan,
        ask: impl FnOnce(&mut dyn Filter, &[u8], &mut dyn Decide, &mut Vec<Step>),
    ) where
        W: AsyncWrite + Unpin,
    {
        let direction = pump.direction();
        let mut kept = std::mem::take(self.adapter.left(direction));
        let mut steps = std::mem::take(&mut self.adapter.steps);
        let mut decider = self.decider();
        ask(&mut *self.adapter.filter, &kept, &mut decider, &mut steps);
        let used = self.carry_out(pump, cx, &kept, to, plan, &mut steps);
        kept.drain(..used);
        *self.adapter.left(direction) = kept;
        self.adapter.steps = steps;
        self.let_go_if_lost(plan);
    }

    /// Nobody asks a lost filter for what was kept of the other direction.
    fn let_go_if_lost(&mut self, plan: &Plan) {
        // Behind an end, a filter that follows no more has nothing left to read.
        if self.adapter.filter.is_lost() && self.adapter.unreadable.is_none() && !self.adapter.has_ended {
            self.adapter.unreadable = Some(self.adapter.filter.unreadable());
        }
        if self.adapter.filter.is_lost() {
            let kept = std::mem::take(self.adapter.left(self.other.direction()));
            self.other.insert(StreamId::CONNECTION, &kept, plan);
        }
    }

    /// Does what the steps say; gives how many of the bytes they used up. What a fault makes of a message has happened when
    /// the client is sent the first of it.
    fn carry_out<W>(
        &mut self,
        pump: &mut Pump,
        cx: &mut Context<'_>,
        bytes: &[u8],
        mut to: Option<&mut W>,
        plan: &Plan,
        steps: &mut Vec<Step>,
    ) -> usize
    where
        W: AsyncWrite + Unpin,
    {
        let mut used = 0;
        for step in steps.drain(..) {
            match step {
                Step::Pass(_, stream, count) => {
                    pump.pass(cx, stream, &bytes[used..used + count], to.as_deref_mut(), plan);
                    used += count;
                }
                Step::Skip(_, count) => used += count,
                Step::Insert(direction, stream, bytes) if direction == pump.direction() => {
                    pump.pass(cx, stream, &bytes, to.as_deref_mut(), plan);
                }
                // The other direction has room: a pump with a filter reads no further while its counterpart is full.
                Step::Insert(_, stream, bytes) => self.other.insert(stream, &bytes, plan),
                Step::Generated(direction, stream, body) => self.pump(pump, direction).generate(stream, body, plan),
                // Decided when the message came: its faults may be gone by now.
                Step::Wait(direction, stream, wait) => {
                    let wait = wait.of(&self.interpreter.faults);
                    self.pump(pump, direction).wait(stream, wait, plan);
                }
                Step::Rate(direction, stream, rate) => {
                    let rate = rate.filter(|rate| rate.under(&self.interpreter.faults).is_some());
                    self.pump(pump, direction).go_at(stream, rate, plan);
                }
                Step::Discard(direction, stream) => self.pump(pump, direction).discard(stream, plan),
                Step::Finish(direction, stream) => self.pump(pump, direction).finish(stream, plan),
                Step::About(direction, stream, about) => self.pump(pump, direction).begin(stream, about),
                Step::End(direction, stream, ending) => self.pump(pump, direction).end_by(stream, ending, plan),
                Step::Spared(injected, why) => injected.fault.tally.spare_messages(why, 1),
                Step::Fired(injected) => {
                    injected.fault.ledger.tell_message(&injected.entry);
                    let own = pump.direction();
                    if self.pump(pump, Direction::Downstream).note(&injected) || self.pump(pump, own).note(&injected) {
                        // It acts as long as what waits for it does.
                        self.pump(pump, Direction::Downstream).count(&injected);
                    } else {
                        self.pump(pump, Direction::Downstream).expect(injected);
                    }
                }
            }
        }
        self.pump(pump, Direction::Downstream).fire_expected();
        used
    }

    fn pump<'l>(&'l mut self, own: &'l mut Pump, direction: Direction) -> &'l mut Pump {
        if own.direction() == direction { own } else { self.other }
    }
}
