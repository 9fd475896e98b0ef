//! Where a filter reads along: bytes of a lane go through it, and its steps go to the lanes.

use super::lane::Lane;
use crate::{
    filter::{Filter, Injected, Step, Whose},
    http::HttpFilter,
    interpreter::{Active, Decider, Interpreter, Plan, Way},
    redis::RedisFilter,
};
use chaos_model::Protocol;
use std::{sync::Arc, task::Context, time::Duration};
use tokio::io::AsyncWrite;

/// A connection's filter, with what it has not used up.
pub(super) struct Tap {
    filter: Box<dyn Filter>,
    up: Vec<u8>,
    down: Vec<u8>,
    steps: Vec<Step>,
    /// The faults that acted on this connection's messages: it counts once for each.
    met: Vec<Arc<Active>>,
    /// Something came.
    used: bool,
}

impl Tap {
    /// The filter of a protocol; none where it has none.
    pub(super) fn of(protocol: Protocol) -> Option<Self> {
        let filter: Box<dyn Filter> = match protocol {
            Protocol::Http => Box::new(HttpFilter::new()),
            Protocol::Redis => Box::new(RedisFilter::default()),
            Protocol::Tcp => return None,
        };
        Some(Self { filter, up: Vec::new(), down: Vec::new(), steps: Vec::new(), met: Vec::new(), used: false })
    }

    /// Whether there is nothing more to read along: all passes as it comes.
    pub(super) fn is_over(&self) -> bool {
        self.filter.is_lost() && self.up.is_empty() && self.down.is_empty()
    }

    /// The faults have changed: those that are gone are let go of.
    pub(super) fn forget(&mut self, interpreter: &Interpreter) {
        self.met.retain(|fault| interpreter.faults.iter().any(|other| Arc::ptr_eq(fault, other)));
    }

    /// Whether it can say whose bytes pass.
    pub(super) fn tells(&self) -> bool {
        !self.filter.is_lost()
    }

    /// The messages that are under way, as far as they can be told apart. None at all where nobody waits for anything;
    /// `None` where that can't be said: nothing came yet, or the filter is lost.
    pub(super) fn under_way(&self) -> Option<Vec<Whose>> {
        let known = self.used && !self.filter.is_lost();
        let mut messages = self.filter.under_way();
        // One that has not come whole.
        messages.extend((!self.up.is_empty()).then(Whose::default));
        known.then_some(messages)
    }

    fn left(&mut self, way: Way) -> &mut Vec<u8> {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    fn count(&mut self, injected: &Injected) {
        if !self.met.iter().any(|fault| Arc::ptr_eq(fault, &injected.fault)) {
            injected.fault.tally.connection();
            self.met.push(Arc::clone(&injected.fault));
        }
        injected.fault.tally.message(injected.bystanders);
    }
}

/// A filter that is asked now, for bytes of one lane.
pub(super) struct Tapped<'a> {
    pub(super) tap: &'a mut Tap,
    /// The lane of the other way.
    pub(super) other: &'a mut Lane,
    pub(super) interpreter: &'a Interpreter,
    /// Counted as the interpreter's times are.
    pub(super) now: Duration,
}

impl Tapped<'_> {
    /// Bytes came on `lane`.
    pub(super) fn bytes<W>(
        &mut self,
        lane: &mut Lane,
        cx: &mut Context<'_>,
        bytes: &[u8],
        to: Option<&mut W>,
        plan: &Plan,
    ) where
        W: AsyncWrite + Unpin,
    {
        let way = lane.way();
        self.tap.used = true;
        let mut kept = std::mem::take(self.tap.left(way));
        let all = if kept.is_empty() {
            bytes
        } else {
            kept.extend_from_slice(bytes);
            kept.as_slice()
        };
        let mut steps = std::mem::take(&mut self.tap.steps);
        let mut decider = Decider { interpreter: self.interpreter, now: self.now };
        self.tap.filter.on_bytes(way, all, &mut decider, &mut steps);
        let used = self.carry_out(lane, cx, all, to, plan, &mut steps);
        if used < all.len() {
            *self.tap.left(way) = all[used..].to_vec();
        }
        self.tap.steps = steps;
        if self.tap.filter.is_lost() {
            // Nobody will ask for what was kept of the other way.
            let kept = std::mem::take(self.tap.left(self.other.way()));
            self.other.insert(&kept, plan);
        }
    }

    /// `lane`'s sender has ended its stream: what the filter has kept of it goes on.
    pub(super) fn end<W>(&mut self, lane: &mut Lane, cx: &mut Context<'_>, to: Option<&mut W>, plan: &Plan)
    where
        W: AsyncWrite + Unpin,
    {
        let way = lane.way();
        let kept = std::mem::take(self.tap.left(way));
        let mut steps = std::mem::take(&mut self.tap.steps);
        let mut decider = Decider { interpreter: self.interpreter, now: self.now };
        self.tap.filter.on_end(way, &kept, &mut decider, &mut steps);
        let mut to = to;
        let used = self.carry_out(lane, cx, &kept, to.as_deref_mut(), plan, &mut steps);
        if used < kept.len() {
            lane.pass(cx, &kept[used..], to, plan);
        }
        self.tap.steps = steps;
    }

    /// Does what the steps say; gives how many of the bytes they used up.
    fn carry_out<W>(
        &mut self,
        lane: &mut Lane,
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
                Step::Pass(_, count) => {
                    lane.pass(cx, &bytes[used..used + count], to.as_deref_mut(), plan);
                    used += count;
                }
                Step::Skip(_, count) => used += count,
                Step::Insert(way, bytes) if way == lane.way() => lane.pass(cx, &bytes, to.as_deref_mut(), plan),
                Step::Insert(_, bytes) => self.other.insert(&bytes, plan),
                Step::Fill(way, fill) => self.lane(lane, way).fill(fill, plan),
                Step::Wait(way, wait) => self.lane(lane, way).wait(wait, plan),
                Step::Rate(way, rate) => self.lane(lane, way).go_at(rate, plan),
                Step::About(way, whose) => self.lane(lane, way).begin(whose),
                Step::End(way, ending) => self.lane(lane, way).end_by(ending, plan),
                Step::Fired(injected) => {
                    self.tap.count(&injected);
                    let own = lane.way();
                    let on_gate = self.lane(lane, Way::Down).note(&injected) || self.lane(lane, own).note(&injected);
                    if on_gate {
                        injected.fault.ledger.tell_message(&injected);
                    } else {
                        let at = self.now.saturating_sub(injected.fault.applied);
                        injected.fault.ledger.message(at, &injected, None);
                    }
                }
            }
        }
        used
    }

    fn lane<'l>(&'l mut self, own: &'l mut Lane, way: Way) -> &'l mut Lane {
        if own.way() == way { own } else { self.other }
    }
}
