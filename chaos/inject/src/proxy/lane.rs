//! One direction of a connection: chunks are read, wait for as long as the plan says, and are written in order.
//!
//! Where nothing acts on it, bytes go from the reader to the writer through a buffer on the stack: no allocation, no
//! clock, no memory for a connection that idles. Only what can't be written at once is kept.
//!
//! While a fault acts, the reader runs ahead of the writer by up to [`LIMIT`], so that a delay costs latency and not one
//! delay per chunk. A chunk carries its time of arrival, so that waiting behind others doesn't add to its delay.
//!
//! The end of a stream and a reset are passed on as chunks are: after what precedes them, as late as these, and not at all
//! while the connection is held.

use crate::interpreter::{Plan, Way};
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
    flow: Flow,
    reading: bool,
    /// The sender is known to have reset the connection: its stream may show that as a plain end.
    cut: bool,
    /// Chunks read so far.
    chunks: u64,
    waiting: VecDeque<Item>,
    /// What those waiting cost of [`LIMIT`].
    cost: usize,
    /// When the first of those waiting is due, where it isn't yet.
    due: Option<Instant>,
}

struct Item {
    what: What,
    kth: u64,
    arrived: Instant,
    due: Instant,
}

enum What {
    Bytes { bytes: Box<[u8]>, written: usize },
    End,
    Reset,
}

impl Lane {
    pub(super) fn new(way: Way) -> Self {
        let waiting = VecDeque::new();
        Self { way, flow: Flow::Open, reading: true, cut: false, chunks: 0, waiting, cost: 0, due: None }
    }

    /// How far it has come.
    pub(super) fn flow(&self) -> Flow {
        self.flow
    }

    /// When it must be polled again at the latest, as of the last poll.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What this lane's sender receives could not be written: its stream, once read to the end, ends with a reset.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    /// Judges again what waits: the faults have changed. Those that act anew have met all of it.
    pub(super) fn judge(&mut self, before: &Plan, now: &Plan) {
        for item in &mut self.waiting {
            item.due = due(item.arrived, now.on_chunk(self.way, item.kth));
        }
        let bytes = self.waiting.iter().filter(|item| matches!(item.what, What::Bytes { .. })).count();
        for fault in now.acting(self.way).filter(|fault| !before.met().iter().any(|old| Arc::ptr_eq(old, fault))) {
            fault.tally.chunks(bytes);
        }
    }

    /// Moves what can be moved.
    pub(super) fn poll<R, W>(&mut self, cx: &mut Context<'_>, from: &mut R, to: &mut W, plan: &Plan)
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            self.write(cx, to, plan);
            let room = if plan.is_clear(self.way) { self.waiting.is_empty() } else { self.cost < LIMIT };
            if self.flow != Flow::Open || !self.reading || !room || self.read(cx, from, Some(to), plan).is_pending() {
                return;
            }
        }
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
        if !plan.is_clear(self.way) {
            plan.acting(self.way).for_each(|fault| fault.tally.chunks(1));
        } else if let Some(to) = to
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
        self.push(what, self.chunks, plan);
    }

    fn push(&mut self, what: What, kth: u64, plan: &Plan) {
        let arrived = Instant::now();
        self.cost += what.cost();
        self.waiting.push_back(Item { what, kth, arrived, due: due(arrived, plan.on_chunk(self.way, kth)) });
    }

    /// Writes what is due. What waits behind others never overtakes them.
    fn write<W: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, to: &mut W, plan: &Plan) {
        self.due = None;
        while let Some(item) = self.waiting.front_mut() {
            if plan.holds() {
                return;
            }
            if !plan.is_clear(self.way) && item.due > Instant::now() {
                self.due = Some(item.due);
                return;
            }
            match &mut item.what {
                What::Bytes { bytes, written } => match Pin::new(&mut *to).poll_write(cx, &bytes[*written..]) {
                    Poll::Ready(Ok(count)) if count > 0 => *written += count,
                    Poll::Ready(_) => return self.stop(Flow::Broken),
                    Poll::Pending => return,
                },
                What::End => match Pin::new(&mut *to).poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => return self.stop(Flow::Finished),
                    Poll::Ready(Err(_)) => return self.stop(Flow::Broken),
                    Poll::Pending => return,
                },
                What::Reset => return self.stop(Flow::Reset),
            }
            if let What::Bytes { bytes, written } = &item.what
                && *written == bytes.len()
            {
                self.cost -= item.what.cost();
                self.waiting.pop_front();
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

impl What {
    fn cost(&self) -> usize {
        match self {
            Self::Bytes { bytes, .. } => bytes.len().max(SMALLEST),
            Self::End | Self::Reset => 0,
        }
    }
}

/// `delay` after `arrived`, or never where that is beyond what the clock can say.
fn due(arrived: Instant, delay: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    arrived + delay.min(NEVER)
}
