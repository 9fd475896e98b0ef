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
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;

impl Pump {
    /// Bytes that go this way, from a filter that reads the other.
    pub(in crate::proxy) fn insert(&mut self, stream: StreamId, bytes: &[u8], plan: &Plan) {
        if !bytes.is_empty() && self.state == PumpState::Open {
            self.chunks += 1;
            self.push(stream, Content::Bytes { bytes: bytes.into(), written: 0 }, self.chunks - 1, plan);
        }
    }

    /// The same with bytes that are made as they are written.
    pub(in crate::proxy) fn generate(&mut self, stream: StreamId, body: GeneratedBody, plan: &Plan) {
        if body.left() > 0 && self.state == PumpState::Open {
            self.chunks += 1;
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
        self.push(stream, Content::Gate(Gate { wait, notes: Vec::new() }), self.chunks, plan);
    }

    /// Sets the rate of what follows on this stream.
    pub(in crate::proxy) fn go_at(&mut self, stream: StreamId, rate: Option<Rate>, plan: &Plan) {
        self.push(stream, Content::Rate(rate), self.chunks, plan);
    }

    /// After all that precedes it, the connection ends.
    pub(in crate::proxy) fn end_by(&mut self, stream: StreamId, ending: Ending, plan: &Plan) {
        self.reading = false;
        self.push(stream, Content::Cut(ending), self.chunks, plan);
    }

    /// Leaves out all that waits on this stream, but for what has been written in part.
    pub(in crate::proxy) fn discard(&mut self, stream: StreamId) {
        let now = self.epoch.elapsed();
        for item in std::mem::take(&mut self.waiting) {
            let begun = matches!(item.content, Content::Bytes { written: 1.., .. });
            if item.stream != stream || begun {
                self.waiting.push_back(item);
                continue;
            }
            self.cost -= item.content.cost();
            if let Content::Gate(gate) = item.content {
                gate.open(item.arrived, now);
            }
        }
    }

    /// Takes a note for the ledger, to be written down when what waits for its fault goes on; `false` where nothing
    /// does.
    pub(in crate::proxy) fn note(&mut self, injected: &Injected) -> bool {
        let gates = self.waiting.iter_mut().rev().filter_map(|item| match &mut item.content {
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
        if let Some(to) = to
            && plan.is_clear(self.way)
            && self.rates.is_empty()
            && self.waiting.is_empty()
        {
            while !bytes.is_empty() {
                match Pin::new(&mut *to).poll_write(cx, bytes) {
                    Poll::Ready(Ok(count)) if count > 0 => bytes = &bytes[count..],
                    Poll::Ready(_) => return self.stop(PumpState::Broken),
                    Poll::Pending => break,
                }
            }
        }
        if !bytes.is_empty() {
            self.push(stream, Content::Bytes { bytes: bytes.into(), written: 0 }, kth, plan);
        }
    }

    pub(super) fn end(&mut self, content: Content, plan: &Plan) {
        self.reading = false;
        if let Content::End = content {
            plan.acting_on_end().for_each(|fault| fault.tally.chunk());
        }
        self.push(StreamId::CONNECTION, content, self.chunks, plan);
    }

    fn push(&mut self, stream: StreamId, content: Content, kth: u64, plan: &Plan) {
        let arrived = self.epoch.elapsed();
        self.cost += content.cost();
        let is_bytes = matches!(content, Content::Bytes { .. } | Content::Generated(_));
        let mut current = self.messages.iter_mut().find(|current| is_bytes && current.stream == stream);
        let first = current.as_ref().is_some_and(|current| current.first);
        let attribution = current.as_ref().map(|current| current.attribution.clone()).unwrap_or_default();
        let mut item = Item { stream, content, attribution, first, kth, arrived, due: arrived };
        let chunk = item.chunk(self.way);
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
        match &mut self.place {
            Some(place) => {
                self.waiting.insert(*place, item);
                *place += 1;
            }
            None => self.waiting.push_back(item),
        }
    }
}
