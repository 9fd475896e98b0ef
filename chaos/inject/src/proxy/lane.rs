//! One direction of a connection: chunks are read, wait for as long as the plan says, and are written in order.
//!
//! Where nothing acts on it, bytes go from the reader to the writer through a buffer on the stack: no allocation, no
//! clock, no memory for a connection that idles. Only what can't be written at once is kept.
//!
//! While a fault acts, the reader runs ahead of the writer by up to [`LIMIT`], so that a delay costs latency and not one
//! delay per chunk. A chunk carries its time of arrival, so that waiting behind others doesn't add to its delay. When it
//! is ready it is written: whole, or piece by piece as the [`Pace`] and the [`Budgets`] say.
//!
//! The end of a stream and a reset are passed on as chunks are: after what precedes them, as late as these, and not at all
//! while the direction is held. An end may be late beyond that, a reset is not.
//!
//! Times count from the proxy's epoch.

mod item;

use super::{budget::Budgets, pace::Pace, tap::Tapped};
use crate::{
    filter::{Ending, Injected, Rate, Wait, Whose},
    http::Fill,
    interpreter::{Active, Acts, Plan, Way},
    ledger::Delayed,
};
use item::{Gate, Item, What};
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

/// How many chunks are read in a turn, so that a connection which never runs dry learns soon enough that the faults have
/// changed, and leaves others their turns.
const TURN: usize = 16;

/// How far a direction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
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

/// One direction.
pub(super) struct Lane {
    way: Way,
    epoch: Instant,
    flow: Flow,
    reading: bool,
    /// The sender is known to have reset the connection: its stream may show that as a plain end.
    cut: bool,
    /// Chunks read so far.
    chunks: u64,
    waiting: VecDeque<Item>,
    /// The message that what comes belongs to, where a filter says so; and whether nothing of it has waited yet.
    whose: Option<Whose>,
    first: bool,
    /// What those waiting cost of [`LIMIT`].
    cost: usize,
    pace: Pace,
    /// The rate that a message goes at, where a fault asks for one.
    rate: Option<Rate>,
    /// When the last bytes that had waited were written.
    written: Duration,
    /// When the first of those waiting may be written, where it isn't yet.
    due: Option<Duration>,
}

impl Lane {
    pub(super) fn new(way: Way, epoch: Instant) -> Self {
        Self {
            way,
            epoch,
            flow: Flow::Open,
            reading: true,
            cut: false,
            chunks: 0,
            waiting: VecDeque::new(),
            whose: None,
            first: false,
            cost: 0,
            pace: Pace::default(),
            rate: None,
            written: Duration::ZERO,
            due: None,
        }
    }

    /// How far it has come.
    pub(super) fn flow(&self) -> Flow {
        self.flow
    }

    /// When it must be polled again at the latest, as of the last poll.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// What this lane's sender receives could not be written: its stream, once read to the end, ends with a reset.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    /// The way that its bytes go.
    pub(super) fn way(&self) -> Way {
        self.way
    }

    /// The messages whose bytes wait.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Whose> {
        let bytes = self.waiting.iter().filter(|item| matches!(item.what, What::Bytes { .. } | What::Fill(_)));
        bytes.map(|item| &item.whose)
    }

    /// Whether something waits to be written.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether it has all that it should keep.
    pub(super) fn is_full(&self) -> bool {
        self.cost >= LIMIT
    }

    /// Goes by another plan from now on, and judges by it what waits. Faults that act anew have met all of it.
    pub(super) fn judge(&mut self, before: &Plan, now: &Plan, faults: &[Arc<Active>]) {
        self.rate = self.rate.take().filter(|rate| rate.under(faults).is_some());
        self.set_pace(now);
        let is_new = |fault: &Arc<Active>| !before.met().iter().any(|old| Arc::ptr_eq(old, fault));
        for item in &mut self.waiting {
            item.due = item.due(self.way, now, faults);
            let chunk = item.chunk(self.way);
            match item.what {
                What::Bytes { .. } | What::Fill(_) => {
                    for fault in now.acting(chunk).filter(|fault| is_new(fault)) {
                        fault.tally.chunk();
                        if item.first {
                            now.note_message(fault, &item.whose, self.epoch.elapsed());
                        }
                    }
                }
                What::End => now.acting_on_end().filter(|fault| is_new(fault)).for_each(|fault| fault.tally.chunk()),
                What::Gate(_) | What::Rate(_) | What::Reset | What::Cut(_) => {}
            }
        }
    }

    /// Goes at the lower of the plan's rate and the message's.
    fn set_pace(&mut self, plan: &Plan) {
        let mut acts: Acts = *plan.on(self.way);
        let own = self.rate.as_ref().map(|rate| rate.throughput.bytes_per_second);
        acts.rate = [acts.rate, own].into_iter().flatten().min();
        self.pace.set(&acts, self.epoch.elapsed());
    }

    /// Moves what can be moved.
    pub(super) fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
        plan: &Plan,
        budgets: &mut Budgets,
        mut tapped: Option<&mut Tapped<'_>>,
    ) where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        for _ in 0..TURN {
            self.write(cx, to, plan, budgets);
            let clear = plan.is_clear(self.way) && self.rate.is_none();
            let room = if clear { self.waiting.is_empty() } else { !self.is_full() };
            // A filter may answer in the other's place: it has to have room for that.
            let room = room && tapped.as_ref().is_none_or(|tapped| !tapped.other.is_full());
            if self.flow != Flow::Open || !self.reading || !room {
                return;
            }
            if self.read(cx, from, Some(to), plan, tapped.as_deref_mut()).is_pending() {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Reads ahead while there is nowhere to write to. Says whether the sender has gone: reset the connection, or closed
    /// it and sent nothing. One that sent something and closed its half may wait for an answer.
    pub(super) fn poll_ahead<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        plan: &Plan,
        mut tapped: Option<&mut Tapped<'_>>,
    ) -> bool {
        while self.reading && !self.is_full() {
            if self.read(cx, from, None::<&mut tokio::io::Empty>, plan, tapped.as_deref_mut()).is_pending() {
                return false;
            }
        }
        match self.waiting.back().map(|last| &last.what) {
            Some(What::Reset) => true,
            Some(What::End) => self.chunks == 0,
            _ => false,
        }
    }

    /// Reads once.
    fn read<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: Option<&mut W>,
        plan: &Plan,
        tapped: Option<&mut Tapped<'_>>,
    ) -> Poll<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut buffer = [const { MaybeUninit::uninit() }; CHUNK];
        let mut buffer = ReadBuf::uninit(&mut buffer);
        let result = std::task::ready!(Pin::new(from).poll_read(cx, &mut buffer));
        match (result, buffer.filled(), tapped) {
            (Ok(()), [], tapped) if !self.cut => {
                if let Some(tapped) = tapped {
                    tapped.end(self, cx, to, plan);
                }
                self.end(What::End, plan);
            }
            (Ok(()), [], _) | (Err(_), _, _) => self.end(What::Reset, plan),
            (Ok(()), bytes, Some(tapped)) => tapped.bytes(self, cx, bytes, to, plan),
            (Ok(()), bytes, None) => self.pass(cx, bytes, to, plan),
        }
        Poll::Ready(())
    }

    /// Bytes that go this way, from a filter that reads the other.
    pub(super) fn insert(&mut self, bytes: &[u8], plan: &Plan) {
        if !bytes.is_empty() && self.flow == Flow::Open {
            self.chunks += 1;
            self.push(What::Bytes { bytes: bytes.into(), written: 0 }, self.chunks - 1, plan);
        }
    }

    /// The same with bytes that are made as they are written.
    pub(super) fn fill(&mut self, fill: Fill, plan: &Plan) {
        if fill.left() > 0 && self.flow == Flow::Open {
            self.chunks += 1;
            self.push(What::Fill(fill), self.chunks - 1, plan);
        }
    }

    /// What follows belongs to this message.
    pub(super) fn begin(&mut self, whose: Whose) {
        self.whose = Some(whose);
        self.first = true;
    }

    /// What follows waits.
    pub(super) fn wait(&mut self, wait: Wait, plan: &Plan) {
        let due = wait.whole();
        self.push(What::Gate(Gate { wait, notes: Vec::new() }), self.chunks, plan);
        if let Some(item) = self.waiting.back_mut() {
            item.due = item.arrived.saturating_add(due);
        }
    }

    /// What follows goes at this rate.
    pub(super) fn go_at(&mut self, rate: Option<Rate>, plan: &Plan) {
        self.push(What::Rate(rate), self.chunks, plan);
    }

    /// After all that precedes it, the connection ends.
    pub(super) fn end_by(&mut self, ending: Ending, plan: &Plan) {
        self.reading = false;
        self.push(What::Cut(ending), self.chunks, plan);
    }

    /// Takes a note for the ledger, to be written down when what waits for its fault goes on; `false` where nothing does.
    pub(super) fn note(&mut self, injected: &Injected) -> bool {
        let gates = self.waiting.iter_mut().rev().filter_map(|item| match &mut item.what {
            What::Gate(gate) => Some(gate),
            _ => None,
        });
        let gate = gates.take(1).find(|gate| gate.wait.is_of(&injected.fault));
        gate.map(|gate| gate.notes.push(injected.clone())).is_some()
    }

    /// Writes a chunk at once where it may, and keeps the rest.
    pub(super) fn pass<W>(&mut self, cx: &mut Context<'_>, mut bytes: &[u8], to: Option<&mut W>, plan: &Plan)
    where
        W: AsyncWrite + Unpin,
    {
        if bytes.is_empty() || self.flow != Flow::Open {
            return;
        }
        let kth = self.chunks;
        self.chunks += 1;
        if let Some(to) = to
            && plan.is_clear(self.way)
            && self.rate.is_none()
            && self.waiting.is_empty()
        {
            while !bytes.is_empty() {
                match Pin::new(&mut *to).poll_write(cx, bytes) {
                    Poll::Ready(Ok(count)) if count > 0 => bytes = &bytes[count..],
                    Poll::Ready(_) => return self.stop(Flow::Broken),
                    Poll::Pending => break,
                }
            }
        }
        if !bytes.is_empty() {
            self.push(What::Bytes { bytes: bytes.into(), written: 0 }, kth, plan);
        }
    }

    fn end(&mut self, what: What, plan: &Plan) {
        self.reading = false;
        if let What::End = what {
            plan.acting_on_end().for_each(|fault| fault.tally.chunk());
        }
        self.push(what, self.chunks, plan);
    }

    fn push(&mut self, what: What, kth: u64, plan: &Plan) {
        let arrived = self.epoch.elapsed();
        self.cost += what.cost();
        let is_bytes = matches!(what, What::Bytes { .. } | What::Fill(_));
        let first = is_bytes && self.first;
        let whose = self.whose.as_ref().filter(|_| is_bytes).cloned().unwrap_or_default();
        let mut item = Item { what, whose, first, kth, arrived, due: arrived };
        let chunk = item.chunk(self.way);
        if is_bytes {
            for fault in plan.acting(chunk) {
                fault.tally.chunk();
                self.first = false;
                if first {
                    plan.note_message(fault, &item.whose, arrived);
                }
            }
        }
        if !matches!(item.what, What::Gate(_) | What::Rate(_)) {
            item.due = arrived.saturating_add(plan.on_chunk(chunk));
        }
        self.waiting.push_back(item);
    }

    /// Writes what may be written. What waits behind others never overtakes them.
    fn write<W: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, to: &mut W, plan: &Plan, budgets: &mut Budgets) {
        self.due = None;
        while !self.waiting.is_empty() {
            if plan.on(self.way).holds {
                return self.pace.stall();
            }
            if !self.write_first(cx, to, plan, budgets) {
                return;
            }
        }
    }

    /// Writes of the first that waits what may be written; says whether there may be more to do.
    fn write_first<W>(&mut self, cx: &mut Context<'_>, to: &mut W, plan: &Plan, budgets: &mut Budgets) -> bool
    where
        W: AsyncWrite + Unpin,
    {
        let Some(item) = self.waiting.front_mut() else { return false };
        let now = self.epoch.elapsed();
        let ready = item.due.max(plan.opens().unwrap_or_default());
        match &mut item.what {
            What::Bytes { .. } => self.write_bytes(cx, to, plan, budgets, (ready, now)),
            What::Fill(fill) => {
                let (whose, kth, arrived, due) = (item.whose.clone(), item.kth, item.arrived, item.due);
                match fill.take(CHUNK) {
                    Some(bytes) => {
                        let what = What::Bytes { bytes: Vec::from(bytes).into(), written: 0 };
                        self.cost += what.cost();
                        self.waiting.push_front(Item { what, whose, first: false, kth, arrived, due });
                    }
                    None => drop(self.pop()),
                }
                true
            }
            What::Gate(_) | What::Reset | What::Cut(_) if ready > now => {
                self.due = Some(ready);
                false
            }
            What::Gate(_) | What::Rate(_) => {
                match self.pop() {
                    Some(Item { what: What::Gate(gate), arrived, .. }) => gate.open(arrived, now),
                    Some(Item { what: What::Rate(rate), .. }) => {
                        self.rate = rate;
                        self.set_pace(plan);
                    }
                    _ => {}
                }
                true
            }
            What::End => {
                self.write_end(cx, to, plan, (ready, now));
                false
            }
            What::Reset => {
                self.stop(Flow::Reset);
                false
            }
            What::Cut(ending) => {
                let ending = *ending;
                self.stop(Flow::Cut(ending));
                false
            }
        }
    }

    fn write_bytes<W>(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut W,
        plan: &Plan,
        budgets: &mut Budgets,
        (ready, now): (Duration, Duration),
    ) -> bool
    where
        W: AsyncWrite + Unpin,
    {
        let Some(item) = self.waiting.front_mut() else { return false };
        let chunk = item.chunk(self.way);
        let (arrived, due, whose) = (item.arrived, item.due, &item.whose);
        let What::Bytes { bytes, written } = &mut item.what else { return false };
        let mut piece = self.pace.piece(bytes.len() - *written, ready);
        if piece.at > now {
            self.due = Some(piece.at);
            return false;
        }
        piece.bytes = piece.bytes.min(budgets.left(self.way));
        if piece.bytes == 0 {
            return false;
        }
        match Pin::new(to).poll_write(cx, &bytes[*written..][..piece.bytes]) {
            Poll::Ready(Ok(count)) if count > 0 => {
                if *written == 0 && due > arrived {
                    plan.note_delay(
                        chunk,
                        whose,
                        Delayed { asked: due - arrived, achieved: now.saturating_sub(arrived) },
                    );
                }
                *written += count;
                budgets.spend(self.way, count);
                self.pace.wrote(piece, count, bytes.len() - *written, now);
                self.written = now;
            }
            Poll::Ready(_) => {
                self.stop(Flow::Broken);
                return false;
            }
            Poll::Pending => {
                self.pace.stall();
                return false;
            }
        }
        if *written == bytes.len() {
            self.pop();
        }
        true
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
            Poll::Ready(Ok(())) => self.stop(Flow::Finished),
            Poll::Ready(Err(_)) => self.stop(Flow::Broken),
            Poll::Pending => {}
        }
    }

    fn pop(&mut self) -> Option<Item> {
        let item = self.waiting.pop_front()?;
        self.cost -= item.what.cost();
        Some(item)
    }

    /// Nothing more is done.
    fn stop(&mut self, flow: Flow) {
        self.flow = flow;
        self.reading = false;
        let now = self.epoch.elapsed();
        for item in self.waiting.drain(..) {
            if let What::Gate(gate) = item.what {
                gate.open(item.arrived, now);
            }
        }
        self.cost = 0;
    }
}
