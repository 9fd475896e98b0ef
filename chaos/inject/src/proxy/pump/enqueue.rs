//! The queue's entrance: bytes and marks of a filter, the end of the stream, each with the time at which it may be written.

use super::{
    Current, Pump, PumpState,
    item::{Content, Gate, Item},
};
use crate::{
    attribution::Attribution,
    ending::Ending,
    generated_body::GeneratedBody,
    interpreter::Plan,
    protocol::{Injected, Rate, StreamId, Wait},
};
use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;

impl Pump {
    /// Bytes that go this way, from a filter that reads the other.
    pub(in crate::proxy) fn insert(&mut self, stream: StreamId, bytes: &[u8], plan: &Plan) {
        if !bytes.is_empty() && self.state == PumpState::Open {
            self.chunks += 1;
            self.asked = true;
            self.push(stream, Content::bytes(bytes), self.chunks - 1, plan);
        }
    }

    /// The same with bytes that are made as they are written.
    pub(in crate::proxy) fn generate(&mut self, stream: StreamId, body: GeneratedBody, plan: &Plan) {
        if body.left() > 0 && self.state == PumpState::Open {
            self.chunks += 1;
            self.asked = true;
            self.push(stream, Content::Generated(body), self.chunks - 1, plan);
        }
    }

    /// Attributes what follows on this stream to a message; to none where nothing is known of it.
    pub(in crate::proxy) fn begin(&mut self, stream: StreamId, attribution: Attribution) {
        self.messages.retain(|current| current.stream != stream);
        self.messages.push(Current { stream, attribution, first: true });
    }

    /// Lets what follows on this stream wait.
    pub(in crate::proxy) fn wait(&mut self, stream: StreamId, wait: Wait, plan: &Plan) {
        self.asked = true;
        self.push(stream, Content::Gate(Gate { wait, notes: Vec::new() }), self.chunks, plan);
    }

    /// Sets the rate of what follows on this stream.
    pub(in crate::proxy) fn go_at(&mut self, stream: StreamId, rate: Option<Rate>, plan: &Plan) {
        self.asked = true;
        self.push(stream, Content::Rate(rate), self.chunks, plan);
    }

    /// Nothing more comes on this stream: what is known of it is let go of.
    pub(in crate::proxy) fn finish(&mut self, stream: StreamId, plan: &Plan) {
        self.messages.retain(|current| current.stream != stream);
        let is_rate = |item: &Item| item.stream == stream && matches!(item.content, Content::Rate(_));
        // Behind what waits: the rate is that of what came before.
        if self.rates.has(stream) || self.waiting.iter().any(is_rate) {
            self.go_at(stream, None, plan);
        }
    }

    /// After all that precedes it on this stream, the connection ends.
    pub(in crate::proxy) fn end_by(&mut self, stream: StreamId, ending: Ending, plan: &Plan) {
        // Other streams go on until then.
        self.reading &= stream != StreamId::CONNECTION;
        self.asked = true;
        self.push(stream, Content::Cut(ending), self.chunks, plan);
    }

    /// Leaves out what waits on this stream for something of its own, a wait or a rate: the rest of a frame that is
    /// written in part stays, and so do ends. What waits for nothing of its own is on its way, as on any network.
    pub(in crate::proxy) fn discard(&mut self, stream: StreamId, plan: &Plan) {
        let now = self.epoch.elapsed();
        let mut held = self.rates.has(stream);
        self.asked = true;
        for aside in [false, true] {
            for item in std::mem::take(self.items(aside)) {
                held |= item.stream == stream && item.content.is_mark();
                if item.stream != stream || !held || item.content.is_begun() || item.content.ends() {
                    self.items(aside).push_back(item);
                    continue;
                }
                self.room.give(item.content.cost());
                match item.content {
                    Content::Gate(gate) => {
                        self.gates -= 1;
                        gate.open(item.arrived, now);
                    }
                    // What comes next goes as if all that is left out had gone.
                    Content::Rate(rate) => self.rates.set(stream, rate, now),
                    _ => {}
                }
            }
        }
        self.set_shaper(plan);
    }

    fn items(&mut self, aside: bool) -> &mut VecDeque<Item> {
        if aside { &mut self.aside } else { &mut self.waiting }
    }

    /// Takes a note for the ledger, to be written down when what waits for its fault goes on; `false` where nothing
    /// does.
    pub(in crate::proxy) fn note(&mut self, injected: &Injected) -> bool {
        // Many may wait, and most of the time for nothing but a delay of the connection.
        if self.gates == 0 {
            return false;
        }
        let all = self.waiting.iter_mut().chain(&mut self.aside);
        let gates = all.rev().filter_map(|item| match &mut item.content {
            Content::Gate(gate) => Some(gate),
            _ => None,
        });
        let gate = gates.take(1).find(|gate| gate.wait.is_of(injected));
        gate.map(|gate| gate.notes.push(injected.clone())).is_some()
    }

    /// Writes a chunk at once where it may, and keeps the rest.
    pub(in crate::proxy) fn pass<W>(
        &mut self,
        cx: &mut Context<'_>,
        stream: StreamId,
        mut bytes: &[u8],
        to: Option<&mut W>,
        plan: &Plan,
    ) where
        W: AsyncWrite + Unpin,
    {
        if bytes.is_empty() || self.state != PumpState::Open {
            return;
        }
        let kth = self.chunks;
        self.chunks += 1;
        let mut begun = false;
        if let Some(to) = to
            && plan.is_clear(self.direction)
            && self.rates.is_empty()
            && self.waiting.is_empty()
        {
            while !bytes.is_empty() {
                match Pin::new(&mut *to).poll_write(cx, bytes) {
                    Poll::Ready(Ok(count)) if count > 0 => {
                        self.tally.send(self.direction, count);
                        (bytes, begun) = (&bytes[count..], true);
                    }
                    Poll::Ready(_) => return self.stop(PumpState::Broken),
                    Poll::Pending => break,
                }
            }
            if begun {
                self.fire_expected();
            }
        }
        if !bytes.is_empty() {
            self.push(stream, Content::Bytes { bytes: bytes.into(), written: 0, begun }, kth, plan);
        }
    }

    pub(super) fn end(&mut self, content: Content, plan: &Plan) {
        self.reading = false;
        if let Content::End = content {
            plan.acting_on_end(self.direction).for_each(|fault| fault.tally.chunk());
        }
        self.push(StreamId::CONNECTION, content, self.chunks, plan);
    }

    fn push(&mut self, stream: StreamId, content: Content, kth: u64, plan: &Plan) {
        let arrived = self.epoch.elapsed();
        self.room.take(content.cost());
        self.gates += usize::from(matches!(content, Content::Gate(_)));
        let is_bytes = matches!(content, Content::Bytes { .. } | Content::Generated(_));
        let mut current = self.messages.iter_mut().find(|current| is_bytes && current.stream == stream);
        let first = current.as_ref().is_some_and(|current| current.first);
        let attribution = current.as_ref().map(|current| current.attribution.clone()).unwrap_or_default();
        let shows = is_bytes || matches!(content, Content::Cut(_));
        let notes = if shows { std::mem::take(&mut self.expected) } else { Vec::new() };
        let mut item = Item { stream, content, attribution, first, kth, arrived, due: arrived, notes };
        let chunk = item.chunk(self.direction);
        if is_bytes {
            for fault in plan.acting(chunk) {
                fault.tally.chunk();
                if let Some(current) = &mut current {
                    current.first = false;
                }
                if first {
                    plan.note_message(fault, &item.attribution, arrived);
                }
            }
        }
        item.due = match &item.content {
            Content::Gate(gate) => arrived.saturating_add(gate.wait.whole()),
            Content::Rate(_) => arrived,
            _ => arrived.saturating_add(plan.on_chunk(chunk)),
        };
        self.waiting.push_back(item);
    }
}
