//! One direction of a connection: chunks are read, wait for as long as the plan says, and are written in order.
//!
//! Where nothing acts on it, bytes go from the reader to the writer through a buffer on the stack: no allocation, no
//! clock, no memory for a connection that idles. Only what can't be written at once is kept.
//!
//! While a fault acts, the reader runs ahead of the writer by up to [`LIMIT`], so that a delay costs latency and not one
//! delay per chunk. A chunk carries its time of arrival, so that waiting behind others doesn't add to its delay. When it
//! is ready it is written: whole, or piece by piece as the [`Shaper`] and the [`Budgets`] say.
//!
//! The end of a stream and a reset are passed on as chunks are: after what precedes them, as late as these, and not at
//! all while the direction is held. An end may be late beyond that, a reset is not.
//!
//! Times count from the proxy's epoch.

mod item;

use super::{budget::Budgets, shaper::Shaper};
use crate::{
    active::Active,
    attribution::Attribution,
    ending::Ending,
    generated_body::GeneratedBody,
    interpreter::{Acts, Plan},
    ledger::Delayed,
    protocol::{Injected, Rate, StreamId, Wait},
};
use chaos_model::Direction;
use item::{Content, Gate, Item};
use std::{
    collections::VecDeque,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// Bytes that may wait in one direction before its reader has to.
const LIMIT: usize = 256 * 1024;

/// The most that is read at a time.
const CHUNK: usize = 32 * 1024;

/// Chunks that are read in a turn, so that a connection which never runs dry learns soon enough that the faults have
/// changed, and leaves others their turns.
const TURN: usize = 16;

/// State of one direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PumpState {
    /// Bytes may still come.
    Open,
    /// The end of the stream has been passed on.
    Finished,
    /// The receiver has reset the connection.
    Broken,
    /// The sender has reset the connection, and all that it sent before has been passed on.
    Reset,
    /// A fault ends the connection, and all that precedes that has been passed on.
    Cut(Ending),
}

/// Whoever reads along on a pump, and says what becomes of its bytes.
pub(super) trait ReadAlong {
    /// Bytes came on `pump`.
    fn bytes<W>(&mut self, pump: &mut Pump, cx: &mut Context<'_>, bytes: &[u8], to: Option<&mut W>, plan: &Plan)
    where
        W: AsyncWrite + Unpin;

    /// `pump`'s sender has ended its stream.
    fn end<W>(&mut self, pump: &mut Pump, cx: &mut Context<'_>, to: Option<&mut W>, plan: &Plan)
    where
        W: AsyncWrite + Unpin;

    /// A wait of a stream on `pump` is over.
    fn released<W>(&mut self, pump: &mut Pump, cx: &mut Context<'_>, stream: StreamId, to: &mut W, plan: &Plan)
    where
        W: AsyncWrite + Unpin;

    /// Tells whether there is room for what it may put into the other direction.
    fn has_room(&self) -> bool;
}

/// One direction.
pub(super) struct Pump {
    way: Direction,
    epoch: Instant,
    state: PumpState,
    reading: bool,
    /// The sender is known to have reset the connection: its stream may show that as a plain end.
    cut: bool,
    /// Chunks read so far.
    chunks: u64,
    waiting: VecDeque<Item>,
    /// The messages that what comes belongs to, where a filter says so.
    messages: Vec<Current>,
    /// Cost of the waiting items, of [`LIMIT`].
    cost: usize,
    shaper: Shaper,
    /// The rates that messages go at, where faults ask for some.
    rates: Vec<(StreamId, Rate)>,
    /// Place among the waiting items at which more are put, while a stream is released; else behind all.
    place: Option<usize>,
    /// Time at which the last bytes that had waited were written.
    written: Duration,
    /// Time at which the first of those waiting may be written, where it may not yet.
    due: Option<Duration>,
}

/// The outcome of an attempt to write an item.
enum Written {
    /// Something was written or done: there may be more to do at its place.
    Some,
    /// Its stream waits.
    Gated,
    /// Its stream has waited long enough.
    Released,
    /// Nothing more can be done now.
    Blocked,
}

/// The message that what comes on a stream belongs to.
struct Current {
    stream: StreamId,
    attribution: Attribution,
    /// True while nothing of it has waited yet.
    first: bool,
}

impl Pump {
    pub(super) fn new(way: Direction, epoch: Instant) -> Self {
        Self {
            way,
            epoch,
            state: PumpState::Open,
            reading: true,
            cut: false,
            chunks: 0,
            waiting: VecDeque::new(),
            messages: Vec::new(),
            cost: 0,
            shaper: Shaper::default(),
            rates: Vec::new(),
            place: None,
            written: Duration::ZERO,
            due: None,
        }
    }

    /// The state that it is in.
    pub(super) fn state(&self) -> PumpState {
        self.state
    }

    /// The latest time at which it must be polled again, as of the last poll.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Ends the stream with a reset once it is read to its end: what this pump's sender receives could not be written.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    /// The way that its bytes go.
    pub(super) fn way(&self) -> Direction {
        self.way
    }

    /// The messages whose bytes wait.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Attribution> {
        let bytes =
            self.waiting.iter().filter(|item| matches!(item.content, Content::Bytes { .. } | Content::Generated(_)));
        bytes.map(|item| &item.attribution)
    }

    /// Tells whether something waits to be written.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Tells whether it has all that it should keep.
    pub(super) fn is_full(&self) -> bool {
        self.cost >= LIMIT
    }

    /// Goes by another plan from now on, and judges by it what waits. Faults that act anew have met all of it.
    pub(super) fn judge(&mut self, before: &Plan, now: &Plan, faults: &[Arc<Active>]) {
        self.rates.retain(|(_, rate)| rate.under(faults).is_some());
        self.set_shaper(now);
        let is_new = |fault: &Arc<Active>| !before.met().iter().any(|old| Arc::ptr_eq(old, fault));
        for item in &mut self.waiting {
            item.due = item.due(self.way, now, faults);
            let chunk = item.chunk(self.way);
            match item.content {
                Content::Bytes { .. } | Content::Generated(_) => {
                    for fault in now.acting(chunk).filter(|fault| is_new(fault)) {
                        fault.tally.chunk();
                        if item.first {
                            now.note_message(fault, &item.attribution, self.epoch.elapsed());
                        }
                    }
                }
                Content::End => now.acting_on_end().filter(|fault| is_new(fault)).for_each(|fault| fault.tally.chunk()),
                Content::Gate(_) | Content::Rate(_) | Content::Reset | Content::Cut(_) => {}
            }
        }
    }

    /// Goes at the lowest of the plan's rate and the messages'.
    fn set_shaper(&mut self, plan: &Plan) {
        let mut acts: Acts = *plan.on(self.way);
        let own = self.rates.iter().map(|(_, rate)| rate.throughput.bytes_per_second).min();
        acts.rate = [acts.rate, own].into_iter().flatten().min();
        self.shaper.set(&acts, self.epoch.elapsed());
    }

    /// Moves what can be moved.
    pub(super) fn poll<R, W, A>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
        plan: &Plan,
        budgets: &mut Budgets,
        mut adapting: Option<&mut A>,
    ) where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
        A: ReadAlong,
    {
        for _ in 0..TURN {
            self.write(cx, to, plan, budgets, adapting.as_deref_mut());
            let clear = plan.is_clear(self.way) && self.rates.is_empty();
            let room = if clear { self.waiting.is_empty() } else { !self.is_full() };
            // A filter may answer in the other's place: it has to have room for that.
            let room = room && adapting.as_ref().is_none_or(|adapting| adapting.has_room());
            if self.state != PumpState::Open || !self.reading || !room {
                return;
            }
            if self.read(cx, from, Some(to), plan, adapting.as_deref_mut()).is_pending() {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Reads ahead while there is nowhere to write to. Says whether the sender has gone: reset the connection, or closed
    /// it and sent nothing. One that sent something and closed its half may wait for an answer.
    pub(super) fn poll_ahead<R: AsyncRead + Unpin, A: ReadAlong>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        plan: &Plan,
        mut adapting: Option<&mut A>,
    ) -> bool {
        while self.reading && !self.is_full() {
            if self.read(cx, from, None::<&mut tokio::io::Empty>, plan, adapting.as_deref_mut()).is_pending() {
                return false;
            }
        }
        match self.waiting.back().map(|last| &last.content) {
            Some(Content::Reset) => true,
            Some(Content::End) => self.chunks == 0,
            _ => false,
        }
    }

    /// Reads once.
    fn read<R, W, A>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: Option<&mut W>,
        plan: &Plan,
        adapting: Option<&mut A>,
    ) -> Poll<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
        A: ReadAlong,
    {
        let mut buffer = [const { MaybeUninit::uninit() }; CHUNK];
        let mut buffer = ReadBuf::uninit(&mut buffer);
        let result = std::task::ready!(Pin::new(from).poll_read(cx, &mut buffer));
        match (result, buffer.filled(), adapting) {
            (Ok(()), [], adapting) if !self.cut => {
                if let Some(adapting) = adapting {
                    adapting.end(self, cx, to, plan);
                }
                self.end(Content::End, plan);
            }
            (Ok(()), [], _) | (Err(_), _, _) => self.end(Content::Reset, plan),
            (Ok(()), bytes, Some(adapting)) => adapting.bytes(self, cx, bytes, to, plan),
            (Ok(()), bytes, None) => self.pass(cx, StreamId::CONNECTION, bytes, to, plan),
        }
        Poll::Ready(())
    }

    /// Bytes that go this way, from a filter that reads the other.
    pub(super) fn insert(&mut self, stream: StreamId, bytes: &[u8], plan: &Plan) {
        if !bytes.is_empty() && self.state == PumpState::Open {
            self.chunks += 1;
            self.push(stream, Content::Bytes { bytes: bytes.into(), written: 0 }, self.chunks - 1, plan);
        }
    }

    /// The same with bytes that are made as they are written.
    pub(super) fn generate(&mut self, stream: StreamId, body: GeneratedBody, plan: &Plan) {
        if body.left() > 0 && self.state == PumpState::Open {
            self.chunks += 1;
            self.push(stream, Content::Generated(body), self.chunks - 1, plan);
        }
    }

    /// Attributes what follows on this stream to a message; to none where nothing is known of it.
    pub(super) fn begin(&mut self, stream: StreamId, attribution: Attribution) {
        self.messages.retain(|current| current.stream != stream);
        self.messages.push(Current { stream, attribution, first: true });
    }

    /// Lets what follows on this stream wait.
    pub(super) fn wait(&mut self, stream: StreamId, wait: Wait, plan: &Plan) {
        self.push(stream, Content::Gate(Gate { wait, notes: Vec::new() }), self.chunks, plan);
    }

    /// Sets the rate of what follows on this stream.
    pub(super) fn go_at(&mut self, stream: StreamId, rate: Option<Rate>, plan: &Plan) {
        self.push(stream, Content::Rate(rate), self.chunks, plan);
    }

    /// After all that precedes it, the connection ends.
    pub(super) fn end_by(&mut self, stream: StreamId, ending: Ending, plan: &Plan) {
        self.reading = false;
        self.push(stream, Content::Cut(ending), self.chunks, plan);
    }

    /// Leaves out all that waits on this stream, but for what has been written in part.
    pub(super) fn discard(&mut self, stream: StreamId) {
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
    pub(super) fn note(&mut self, injected: &Injected) -> bool {
        let gates = self.waiting.iter_mut().rev().filter_map(|item| match &mut item.content {
            Content::Gate(gate) => Some(gate),
            _ => None,
        });
        let gate = gates.take(1).find(|gate| gate.wait.is_of(injected));
        gate.map(|gate| gate.notes.push(injected.clone())).is_some()
    }

    /// Writes a chunk at once where it may, and keeps the rest.
    pub(super) fn pass<W>(
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

    fn end(&mut self, content: Content, plan: &Plan) {
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

    /// Writes what may be written. Content that waits on a stream is overtaken by that of other streams, and by none of
    /// its own; what all bytes wait for (a rate, a delay of connections) holds up all that is behind.
    fn write<W, A>(
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
        self.due = None;
        let (mut at, mut gated) = (0, Vec::new());
        while let Some(item) = self.waiting.get(at) {
            if plan.on(self.way).holds {
                return self.shaper.stall();
            }
            let stream = item.stream;
            if gated.contains(&stream) {
                at += 1;
                continue;
            }
            // The end of all waits for all.
            if !gated.is_empty() && matches!(item.content, Content::End | Content::Reset | Content::Cut(_)) {
                return;
            }
            match self.write_at(at, cx, to, plan, budgets) {
                Written::Some if at == 0 => {}
                Written::Some => {
                    at = 0;
                    gated.clear();
                }
                Written::Gated if stream == StreamId::CONNECTION => return,
                Written::Gated => {
                    gated.push(stream);
                    at += 1;
                }
                Written::Released => {
                    self.place = Some(at);
                    if let Some(adapting) = adapting.as_deref_mut() {
                        adapting.released(self, cx, stream, to, plan);
                    }
                    self.place = None;
                }
                Written::Blocked => return,
            }
        }
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
                let stream = item.stream;
                match body.take(CHUNK) {
                    Some(bytes) => {
                        let content = Content::Bytes { bytes: Vec::from(bytes).into(), written: 0 };
                        self.cost += content.cost();
                        self.waiting.insert(at, Item { stream, content, attribution, first: false, kth, arrived, due });
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
                let ending = *ending;
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
                self.rates.retain(|(other, _)| *other != stream);
                self.rates.extend(rate.map(|rate| (stream, rate)));
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
        let Some(item) = self.waiting.get_mut(at) else { return Written::Blocked };
        let chunk = item.chunk(self.way);
        let (arrived, due, attribution) = (item.arrived, item.due, &item.attribution);
        let Content::Bytes { bytes, written } = &mut item.content else { return Written::Blocked };
        let mut piece = self.shaper.piece(bytes.len() - *written, ready);
        if piece.at > now {
            self.due = Some(self.due.map_or(piece.at, |due| due.min(piece.at)));
            return Written::Blocked;
        }
        piece.bytes = piece.bytes.min(budgets.left(self.way));
        if piece.bytes == 0 {
            return Written::Blocked;
        }
        match Pin::new(to).poll_write(cx, &bytes[*written..][..piece.bytes]) {
            Poll::Ready(Ok(count)) if count > 0 => {
                if *written == 0 && due > arrived {
                    plan.note_delay(
                        chunk,
                        attribution,
                        Delayed { asked: due - arrived, achieved: now.saturating_sub(arrived) },
                    );
                }
                *written += count;
                budgets.spend(self.way, count);
                self.shaper.wrote(piece, count, bytes.len() - *written, now);
                self.written = now;
            }
            Poll::Ready(_) => {
                self.stop(PumpState::Broken);
                return Written::Blocked;
            }
            Poll::Pending => {
                self.shaper.stall();
                return Written::Blocked;
            }
        }
        if *written == bytes.len() {
            drop(self.take(at));
        } else if at > 0 {
            // Nothing comes between the parts of a frame.
            let begun = self.waiting.remove(at);
            begun.into_iter().for_each(|item| self.waiting.push_front(item));
        }
        Written::Some
    }

    fn write_end<W>(&mut self, cx: &mut Context<'_>, to: &mut W, plan: &Plan, (ready, now): (Duration, Duration))
    where
        W: AsyncWrite + Unpin,
    {
        let at = ready.max(self.written).saturating_add(plan.close_delay());
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
        self.cost -= item.content.cost();
        Some(item)
    }

    /// Nothing more is done.
    fn stop(&mut self, state: PumpState) {
        self.state = state;
        self.reading = false;
        let now = self.epoch.elapsed();
        for item in self.waiting.drain(..) {
            if let Content::Gate(gate) = item.content {
                gate.open(item.arrived, now);
            }
        }
        self.cost = 0;
    }
}
