//! The queue's exit: what may be written now is written, in order within each stream.

use super::super::{budget::Budgets, shaper::Piece};
use super::{
    CHUNK, PLACES, Pump, PumpState, ReadAlong,
    item::{Content, Item},
};
use crate::{interpreter::Plan, ledger::Delayed, protocol::StreamId};
use std::{
    collections::{BTreeSet, VecDeque},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::AsyncWrite;

/// The outcome of an attempt to write an item.
enum Written {
    /// Something was written or done: there may be more to do at its place.
    Some,
    /// A part was written, and the rest stands before all now.
    Begun,
    /// Its stream waits.
    Gated,
    /// Its stream has waited long enough.
    Released,
    /// Nothing more can be done now.
    Blocked,
}

impl Pump {
    /// Writes what may be written. Content that waits on a stream is overtaken by that of other streams, and by none of
    /// its own; what all bytes wait for (a rate, a delay of connections) holds up all that is behind.
    pub(super) fn write<W, A>(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut W,
        plan: &Plan,
        budgets: &mut Budgets,
        adapting: Option<&mut A>,
    ) where
        W: AsyncWrite + Unpin,
        A: ReadAlong,
    {
        self.write_waiting(cx, to, plan, budgets, adapting);
        // A layer may hold some of what it took before; TCP holds nothing.
        if self.state == PumpState::Open {
            let _ = Pin::new(to).poll_flush(cx);
        }
        // A connection that idles takes no memory.
        if self.waiting.is_empty() && self.waiting.capacity() > PLACES {
            self.waiting = VecDeque::new();
        }
    }

    fn write_waiting<W, A>(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut W,
        plan: &Plan,
        budgets: &mut Budgets,
        mut adapting: Option<&mut A>,
    ) where
        W: AsyncWrite + Unpin,
        A: ReadAlong,
    {
        (self.due, self.overtakes) = (None, false);
        let (mut at, mut gated) = (0, BTreeSet::new());
        while let Some(item) = self.waiting.get(at) {
            if plan.on(self.direction).holds {
                return self.shaper.stall();
            }
            if plan.on(self.direction).discards {
                return self.discard_waiting();
            }
            let stream = item.stream;
            if gated.contains(&stream) {
                at += 1;
                continue;
            }
            // The end of all waits for all; that which a stream brings waits for its own.
            if !gated.is_empty() && stream == StreamId::CONNECTION && item.content.ends() {
                return;
            }
            match self.write_at(at, cx, to, plan, budgets) {
                Written::Some => {}
                Written::Begun => {
                    at = 0;
                    gated.clear();
                }
                Written::Gated if stream == StreamId::CONNECTION => return,
                Written::Gated => {
                    gated.insert(stream);
                    at += 1;
                }
                Written::Released => {
                    self.set_aside(at, stream);
                    if let Some(adapting) = adapting.as_deref_mut() {
                        adapting.released(self, cx, stream, to, plan);
                    }
                    self.take_back();
                }
                Written::Blocked => return,
            }
        }
        self.overtakes = !gated.is_empty();
    }

    /// Sets aside what a filter's steps come before when its stream is released: what is behind the wait on this stream,
    /// and the end of all. They come behind all else, since that was said before them: a filter that compresses or
    /// numbers what it says relies on that order.
    fn set_aside(&mut self, at: usize, stream: StreamId) {
        let behind = self.waiting.split_off(at);
        let all = stream == StreamId::CONNECTION;
        for item in behind {
            let is_last = item.stream == StreamId::CONNECTION && item.content.ends();
            let list = if all || is_last || item.stream == stream { &mut self.aside } else { &mut self.waiting };
            list.push_back(item);
        }
    }

    fn take_back(&mut self) {
        let mut aside = std::mem::take(&mut self.aside);
        self.waiting.append(&mut aside);
    }

    /// Writes of the item at a place what may be written.
    fn write_at<W>(
        &mut self,
        at: usize,
        cx: &mut Context<'_>,
        to: &mut W,
        plan: &Plan,
        budgets: &mut Budgets,
    ) -> Written
    where
        W: AsyncWrite + Unpin,
    {
        let Some(item) = self.waiting.get_mut(at) else { return Written::Blocked };
        let now = self.epoch.elapsed();
        let ready = item.due.max(plan.opens().unwrap_or_default());
        match &mut item.content {
            Content::Bytes { .. } => self.write_bytes(at, cx, to, plan, budgets, (ready, now)),
            Content::Generated(body) => {
                let (attribution, kth, arrived, due) = (item.attribution.clone(), item.kth, item.arrived, item.due);
                let (stream, notes) = (item.stream, std::mem::take(&mut item.notes));
                match body.take(CHUNK) {
                    Some(bytes) => {
                        let content = Content::bytes(Vec::from(bytes));
                        self.room.take(content.cost());
                        let first = false;
                        let item = Item { stream, content, attribution, first, kth, arrived, due, notes };
                        self.waiting.insert(at, item);
                    }
                    None => drop(self.take(at)),
                }
                Written::Some
            }
            Content::Gate(_) | Content::Reset | Content::Cut(_) if ready > now => {
                self.due = Some(self.due.map_or(ready, |due| due.min(ready)));
                if matches!(item.content, Content::Gate(_)) { Written::Gated } else { Written::Blocked }
            }
            Content::Gate(_) | Content::Rate(_) => self.pass_mark(at, plan, now),
            Content::End => {
                self.write_end(cx, to, plan, (ready, now));
                Written::Blocked
            }
            Content::Reset => {
                self.stop(PumpState::Reset);
                Written::Blocked
            }
            Content::Cut(ending) => {
                let (ending, notes) = (*ending, std::mem::take(&mut item.notes));
                self.fire(notes);
                self.stop(PumpState::Cut(ending));
                Written::Blocked
            }
        }
    }

    /// Opens a gate, or goes at another rate from here on.
    fn pass_mark(&mut self, at: usize, plan: &Plan, now: Duration) -> Written {
        match self.take(at) {
            Some(Item { content: Content::Gate(gate), arrived, .. }) => {
                gate.open(arrived, now);
                return Written::Released;
            }
            Some(Item { content: Content::Rate(rate), stream, .. }) => {
                self.rates.set(stream, rate, now);
                self.set_shaper(plan);
            }
            _ => {}
        }
        Written::Some
    }

    fn write_bytes<W>(
        &mut self,
        at: usize,
        cx: &mut Context<'_>,
        to: &mut W,
        plan: &Plan,
        budgets: &mut Budgets,
        (ready, now): (Duration, Duration),
    ) -> Written
    where
        W: AsyncWrite + Unpin,
    {
        let (piece, paced) = match self.next_piece(at, budgets, (ready, now)) {
            Ok(next) => next,
            Err(why) => return why,
        };
        let Some(Item { content: Content::Bytes { bytes, written, .. }, .. }) = self.waiting.get(at) else {
            return Written::Blocked;
        };
        match Pin::new(to).poll_write(cx, &bytes[*written..][..piece.bytes]) {
            Poll::Ready(Ok(count)) if count > 0 => {
                budgets.spend(self.direction, count);
                self.tally.send(self.direction, count);
                self.wrote(at, plan, (piece, count), (paced, now))
            }
            Poll::Ready(_) => {
                self.stop(PumpState::Broken);
                Written::Blocked
            }
            Poll::Pending => {
                self.shaper.stall();
                Written::Blocked
            }
        }
    }

    /// The piece of the bytes at a place that may be written now, and when all of them may go on their stream; else why none may.
    fn next_piece(
        &mut self,
        at: usize,
        budgets: &Budgets,
        (ready, now): (Duration, Duration),
    ) -> Result<(Piece, Duration), Written> {
        let Some(Item { content: Content::Bytes { bytes, written, begun }, stream, .. }) = self.waiting.get(at) else {
            return Err(Written::Blocked);
        };
        let paced = if *begun { ready } else { self.rates.ready(*stream, bytes.len(), ready) };
        if ready <= now && paced > now {
            self.due = Some(self.due.map_or(paced, |due| due.min(paced)));
            return Err(Written::Gated);
        }
        let ready = if paced > now { ready } else { paced };
        let mut piece = self.shaper.piece(bytes.len() - *written, ready);
        if piece.at > now {
            self.due = Some(self.due.map_or(piece.at, |due| due.min(piece.at)));
            return Err(Written::Blocked);
        }
        piece.bytes = piece.bytes.min(budgets.left(self.direction));
        if piece.bytes == 0 { Err(Written::Blocked) } else { Ok((piece, paced)) }
    }

    /// So many bytes of this piece of what is at a place have been written.
    fn wrote(
        &mut self,
        at: usize,
        plan: &Plan,
        (piece, count): (Piece, usize),
        (paced, now): (Duration, Duration),
    ) -> Written {
        let Some(item) = self.waiting.get_mut(at) else { return Written::Blocked };
        let (chunk, arrived, due) = (item.chunk(self.direction), item.arrived, item.due);
        let Content::Bytes { bytes, written, begun } = &mut item.content else { return Written::Blocked };
        if *written == 0 && due > arrived {
            let delayed = Delayed { asked: due - arrived, achieved: now.saturating_sub(arrived) };
            plan.note_delay(chunk, &item.attribution, delayed);
        }
        if !std::mem::replace(begun, true) {
            let went = if self.shaper.is_stalled() { now } else { paced };
            self.rates.wrote(item.stream, bytes.len(), went);
        }
        *written += count;
        let rest = bytes.len() - *written;
        self.shaper.wrote(piece, count, rest, now);
        self.written = now;
        let happened = std::mem::take(&mut item.notes);
        self.fire(happened);
        if rest == 0 {
            drop(self.take(at));
        } else if at > 0 {
            // Nothing comes between the parts of a frame.
            let begun = self.waiting.remove(at);
            begun.into_iter().for_each(|item| self.waiting.push_front(item));
            return Written::Begun;
        }
        Written::Some
    }

    fn write_end<W>(&mut self, cx: &mut Context<'_>, to: &mut W, plan: &Plan, (ready, now): (Duration, Duration))
    where
        W: AsyncWrite + Unpin,
    {
        let at = ready.max(self.written).saturating_add(plan.close_delay(self.direction));
        if at > now {
            self.due = Some(at);
            return;
        }
        match Pin::new(to).poll_shutdown(cx) {
            Poll::Ready(Ok(())) => self.stop(PumpState::Finished),
            Poll::Ready(Err(_)) => self.stop(PumpState::Broken),
            Poll::Pending => {}
        }
    }

    fn take(&mut self, at: usize) -> Option<Item> {
        let item = self.waiting.remove(at)?;
        self.room.give(item.content.cost());
        self.gates -= usize::from(matches!(item.content, Content::Gate(_)));
        Some(item)
    }
}
