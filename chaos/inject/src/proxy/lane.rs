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

use super::{budget::Budgets, pace::Pace};
use crate::interpreter::{Active, Chunk, Plan, Way};
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

/// What a small chunk costs of [`LIMIT`], so that many of them don't take far more memory than they carry.
const SMALLEST: usize = 128;

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
    /// What those waiting cost of [`LIMIT`].
    cost: usize,
    pace: Pace,
    /// When the last bytes that had waited were written.
    written: Duration,
    /// When the first of those waiting may be written, where it isn't yet.
    due: Option<Duration>,
}

struct Item {
    what: What,
    kth: u64,
    arrived: Duration,
    due: Duration,
}

enum What {
    Bytes { bytes: Box<[u8]>, written: usize },
    End,
    Reset,
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
            cost: 0,
            pace: Pace::default(),
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

    /// Goes by another plan from now on, and judges by it what waits. Faults that act anew have met all of it.
    pub(super) fn judge(&mut self, before: &Plan, now: &Plan) {
        self.pace.set(now.on(self.way), self.epoch.elapsed());
        let is_new = |fault: &Arc<Active>| !before.met().iter().any(|old| Arc::ptr_eq(old, fault));
        for item in &mut self.waiting {
            let chunk = item.chunk(self.way);
            item.due = item.arrived.saturating_add(now.on_chunk(chunk));
            match item.what {
                What::Bytes { .. } => {
                    now.acting(chunk).filter(|fault| is_new(fault)).for_each(|fault| fault.tally.chunk())
                }
                What::End => now.acting_on_end().filter(|fault| is_new(fault)).for_each(|fault| fault.tally.chunk()),
                What::Reset => {}
            }
        }
    }

    /// Moves what can be moved.
    pub(super) fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        to: &mut W,
        plan: &Plan,
        budgets: &mut Budgets,
    ) where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        for _ in 0..TURN {
            self.write(cx, to, plan, budgets);
            let room = if plan.is_clear(self.way) { self.waiting.is_empty() } else { self.cost < LIMIT };
            if self.flow != Flow::Open || !self.reading || !room || self.read(cx, from, Some(to), plan).is_pending() {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Reads ahead while there is nowhere to write to. Says whether the sender has gone: reset the connection, or closed
    /// it and sent nothing. One that sent something and closed its half may wait for an answer.
    pub(super) fn poll_ahead<R: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, from: &mut R, plan: &Plan) -> bool {
        while self.reading && self.cost < LIMIT {
            if self.read(cx, from, None::<&mut tokio::io::Empty>, plan).is_pending() {
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
    fn read<R, W>(&mut self, cx: &mut Context<'_>, from: &mut R, to: Option<&mut W>, plan: &Plan) -> Poll<()>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut buffer = [const { MaybeUninit::uninit() }; CHUNK];
        let mut buffer = ReadBuf::uninit(&mut buffer);
        let result = std::task::ready!(Pin::new(from).poll_read(cx, &mut buffer));
        match (result, buffer.filled()) {
            (Ok(()), []) if !self.cut => self.end(What::End, plan),
            (Ok(()), []) | (Err(_), _) => self.end(What::Reset, plan),
            (Ok(()), bytes) => self.pass(cx, bytes, to, plan),
        }
        Poll::Ready(())
    }

    /// Writes a chunk at once where it may, and keeps the rest.
    fn pass<W>(&mut self, cx: &mut Context<'_>, mut bytes: &[u8], to: Option<&mut W>, plan: &Plan)
    where
        W: AsyncWrite + Unpin,
    {
        let kth = self.chunks;
        self.chunks += 1;
        if let Some(to) = to
            && plan.is_clear(self.way)
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
            let item = self.push(What::Bytes { bytes: bytes.into(), written: 0 }, kth, plan);
            plan.acting(item).for_each(|fault| fault.tally.chunk());
        }
    }

    fn end(&mut self, what: What, plan: &Plan) {
        self.reading = false;
        if let What::End = what {
            plan.acting_on_end().for_each(|fault| fault.tally.chunk());
        }
        self.push(what, self.chunks, plan);
    }

    fn push(&mut self, what: What, kth: u64, plan: &Plan) -> Chunk {
        let arrived = self.epoch.elapsed();
        self.cost += what.cost();
        let mut item = Item { what, kth, arrived, due: arrived };
        let chunk = item.chunk(self.way);
        item.due = arrived.saturating_add(plan.on_chunk(chunk));
        self.waiting.push_back(item);
        chunk
    }

    /// Writes what may be written. What waits behind others never overtakes them.
    fn write<W: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, to: &mut W, plan: &Plan, budgets: &mut Budgets) {
        self.due = None;
        while let Some(item) = self.waiting.front_mut() {
            if plan.on(self.way).holds {
                return self.pace.stall();
            }
            let now = self.epoch.elapsed();
            let ready = item.due.max(plan.opens().unwrap_or_default());
            match &mut item.what {
                What::Bytes { bytes, written } => {
                    let mut piece = self.pace.piece(bytes.len() - *written, ready);
                    if piece.at > now {
                        return self.due = Some(piece.at);
                    }
                    piece.bytes = piece.bytes.min(budgets.left(self.way));
                    if piece.bytes == 0 {
                        return;
                    }
                    match Pin::new(&mut *to).poll_write(cx, &bytes[*written..][..piece.bytes]) {
                        Poll::Ready(Ok(count)) if count > 0 => {
                            *written += count;
                            budgets.spend(self.way, count);
                            self.pace.wrote(piece, count, bytes.len() - *written, now);
                            self.written = now;
                        }
                        Poll::Ready(_) => return self.stop(Flow::Broken),
                        Poll::Pending => return self.pace.stall(),
                    }
                    if *written == bytes.len() {
                        self.cost -= item.what.cost();
                        self.waiting.pop_front();
                    }
                }
                What::End => {
                    let at = ready.max(self.written).saturating_add(plan.close_delay());
                    if at > now {
                        return self.due = Some(at);
                    }
                    match Pin::new(&mut *to).poll_shutdown(cx) {
                        Poll::Ready(Ok(())) => return self.stop(Flow::Finished),
                        Poll::Ready(Err(_)) => return self.stop(Flow::Broken),
                        Poll::Pending => return,
                    }
                }
                What::Reset if ready > now => return self.due = Some(ready),
                What::Reset => return self.stop(Flow::Reset),
            }
        }
    }

    fn stop(&mut self, flow: Flow) {
        self.flow = flow;
        self.reading = false;
        self.waiting.clear();
        self.cost = 0;
    }
}

impl Item {
    fn chunk(&self, way: Way) -> Chunk {
        let bytes = match &self.what {
            What::Bytes { bytes, .. } => bytes.len(),
            What::End | What::Reset => 0,
        };
        Chunk { way, kth: self.kth, bytes, arrived: self.arrived }
    }
}

impl What {
    fn cost(&self) -> usize {
        match self {
            Self::Bytes { bytes, .. } => bytes.len().max(SMALLEST),
            Self::End | Self::Reset => 0,
        }
    }
}
