//! One direction of a connection: chunks are read, wait for as long as the plan says, and are written in order.
//!
//! Where nothing acts on it, bytes go from the reader to the writer through a buffer on the stack: no allocation, no
//! clock, no memory for a connection that idles. Only what can't be written at once is kept.
//!
//! While a fault acts, the reader runs ahead of the writer by as much as there is [`Room`] for, so that a delay costs latency
//! and not one delay per chunk. A chunk carries its time of arrival, so that waiting behind others doesn't add to its delay.
//! When it is ready it is written: whole, or piece by piece as the [`Shaper`] and the [`Budgets`] say.
//!
//! The end of a stream and a reset are passed on as chunks are: after what precedes them, as late as these, and not at
//! all while the direction is held. An end may be late beyond that, a reset is not.
//!
//! Times count from the proxy's epoch.

mod discard;
mod enqueue;
mod fired;
mod item;
mod rates;
mod room;
mod write;

pub(super) use discard::Discarding;
pub(super) use room::Pool;

use super::{budget::Budgets, bytes::ByteTally, met::Met, shaper::Shaper};
use crate::{
    active::Active,
    attribution::Attribution,
    ending::Ending,
    interpreter::{Acts, Plan},
    protocol::{Injected, StreamId},
};
use chaos_model::Direction;
use item::{Content, Item};
use rates::StreamRates;
use room::Room;
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

/// The most that is read at a time.
const CHUNK: usize = 32 * 1024;

/// Chunks that are read in a turn, so that a connection which never runs dry learns soon enough that the faults have
/// changed, and leaves others their turns.
const TURN: usize = 16;

/// Places that a queue keeps when nothing waits any more.
const PLACES: usize = 64;

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
    direction: Direction,
    epoch: Instant,
    tally: Arc<ByteTally>,
    state: PumpState,
    reading: bool,
    /// The sender is known to have reset the connection: its stream may show that as a plain end.
    cut: bool,
    /// Chunks read so far.
    chunks: u64,
    waiting: VecDeque<Item>,
    /// The messages that what comes belongs to, where a filter says so.
    messages: Vec<Current>,
    /// Gates among what waits.
    gates: usize,
    room: Room,
    /// It was full when last polled, though nothing but a delay kept what waits.
    pressed: bool,
    /// Faults that are known to have held up this way's sender so.
    throttled: Vec<Arc<Active>>,
    shaper: Shaper,
    /// The rates that messages go at, where faults ask for some.
    rates: StreamRates,
    /// Times of bytes since they are thrown away here; none where they are not.
    discarding: Option<Discarding>,
    /// Deeds of faults on a message, which happen with the bytes that come next.
    expected: Vec<Injected>,
    met: Met,
    /// Items that come behind those that are put in, while a stream is released.
    aside: VecDeque<Item>,
    /// All that waits is on streams that wait by themselves: what comes may overtake it.
    overtakes: bool,
    /// Something was put in since it was last polled.
    asked: bool,
    /// It has read no further, since the other direction was full.
    starved: bool,
    /// Time at which the last bytes that had waited were written.
    written: Duration,
    /// Time at which the first of those waiting may be written, where it may not yet.
    due: Option<Duration>,
}

/// The message that what comes on a stream belongs to.
struct Current {
    stream: StreamId,
    attribution: Attribution,
    /// True while nothing of it has waited yet.
    first: bool,
}

impl Pump {
    pub(super) fn new(direction: Direction, epoch: Instant, pool: &Arc<Pool>, tally: &Arc<ByteTally>) -> Self {
        Self {
            direction,
            epoch,
            tally: Arc::clone(tally),
            state: PumpState::Open,
            reading: true,
            cut: false,
            chunks: 0,
            waiting: VecDeque::new(),
            messages: Vec::new(),
            gates: 0,
            room: Room::new(pool),
            pressed: false,
            throttled: Vec::new(),
            shaper: Shaper::default(),
            rates: StreamRates::default(),
            discarding: None,
            expected: Vec::new(),
            met: Met::default(),
            aside: VecDeque::new(),
            overtakes: false,
            asked: false,
            starved: false,
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

    /// The direction that its bytes go in.
    pub(super) fn direction(&self) -> Direction {
        self.direction
    }

    /// The messages whose bytes wait.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Attribution> {
        let bytes =
            self.waiting.iter().filter(|item| matches!(item.content, Content::Bytes { .. } | Content::Generated(_)));
        bytes.map(|item| &item.attribution)
    }

    /// Tells whether it has something to do that it had not when it was last polled, by what the other direction's filter
    /// put in or by the room that is there now.
    pub(super) fn is_asked(&self, other: &Self) -> bool {
        self.state == PumpState::Open && (self.asked || (self.starved && !other.is_full()))
    }

    /// Tells whether a message waits that its filter is to be told of.
    pub(super) fn has_gates(&self) -> bool {
        self.gates > 0
    }

    /// The number of chunks that have come or were put in so far.
    pub(super) fn chunks(&self) -> u64 {
        self.chunks
    }

    /// Tells whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Tells whether bytes wait.
    pub(super) fn has_bytes(&self) -> bool {
        self.waiting.iter().any(|item| matches!(item.content, Content::Bytes { .. } | Content::Generated(_)))
    }

    /// Tells whether its sender has ended its stream.
    pub(super) fn has_end(&self) -> bool {
        self.waiting.back().is_some_and(|last| matches!(last.content, Content::End))
    }

    /// Tells whether it has all that it should keep.
    pub(super) fn is_full(&self) -> bool {
        self.room.is_full()
    }

    /// Goes by another plan from now on, and judges by it what waits. Faults that act anew have met all of it.
    pub(super) fn judge(&mut self, before: &Plan, now: &Plan, faults: &[Arc<Active>]) {
        self.rates.keep(faults);
        self.fire_those_gone(faults);
        self.set_shaper(now);
        self.throttled.retain(|fault| now.met().iter().any(|other| fault.is(other)));
        // Nobody says any more whose bytes come: what comes later is not of the one that was told last.
        if faults.iter().all(|fault| fault.is_of_messages()) {
            self.messages.clear();
        }
        self.note_discarding(now);
        let is_new = |fault: &Arc<Active>| !before.met().iter().any(|old| old.is(fault));
        for item in &mut self.waiting {
            item.due = item.due(self.direction, now, faults);
            let chunk = item.chunk(self.direction);
            match item.content {
                Content::Bytes { .. } | Content::Generated(_) => {
                    for fault in now.acting(chunk).filter(|fault| is_new(fault)) {
                        fault.tally.chunk();
                        if item.first {
                            now.note_message(fault, &item.attribution, self.epoch.elapsed());
                        }
                    }
                }
                Content::End => {
                    let late = now.acting_on_end(self.direction);
                    late.filter(|fault| is_new(fault)).for_each(|fault| fault.tally.chunk());
                }
                Content::Gate(_) | Content::Rate(_) | Content::Reset | Content::Cut(_) => {}
            }
        }
    }

    /// Goes at the lower of the plan's rate and that of messages that have the connection to themselves; where there is
    /// neither, more may be under way.
    fn set_shaper(&mut self, plan: &Plan) {
        let mut acts: Acts = *plan.on(self.direction);
        acts.rate = [acts.rate, self.rates.of_connection()].into_iter().flatten().min();
        self.shaper.set(&acts, self.epoch.elapsed());
        self.room.set(acts.under_way().filter(|_| self.rates.is_empty()));
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
        self.starved = false;
        for _ in 0..TURN {
            self.asked = false;
            self.write(cx, to, plan, budgets, adapting.as_deref_mut());
            let clear = plan.is_clear(self.direction) && self.rates.is_empty();
            let room = self.waiting.is_empty() || ((!clear || self.overtakes) && !self.is_full());
            if self.state != PumpState::Open || !self.reading || !room {
                self.pressed = self.due.is_some() && self.room.throttles();
                return;
            }
            // A filter may answer in the other's place: it has to have room for that.
            if !adapting.as_ref().is_none_or(|adapting| adapting.has_room()) {
                self.starved = true;
                return;
            }
            if self.read(cx, from, Some(to), plan, adapting.as_deref_mut()).is_pending() {
                return;
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Writes what can be written, while there is nowhere to read from.
    pub(super) fn poll_out<W, A>(
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
        self.asked = false;
        self.write(cx, to, plan, budgets, adapting);
    }

    /// Reads ahead while there is nowhere to write to. Says whether the sender has reset the connection. One that has closed its
    /// half may wait for what comes, whether it sent something or not.
    pub(super) fn poll_ahead<R: AsyncRead + Unpin, A: ReadAlong>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        plan: &Plan,
        mut adapting: Option<&mut A>,
    ) -> bool {
        // What waits for a connection waits for no delay.
        while self.reading
            && !self.room.is_full_of_its_own()
            && adapting.as_ref().is_none_or(|adapting| adapting.has_room())
        {
            if self.read(cx, from, None::<&mut tokio::io::Empty>, plan, adapting.as_deref_mut()).is_pending() {
                return false;
            }
        }
        self.waiting.back().is_some_and(|last| matches!(last.content, Content::Reset))
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
        let result = Pin::new(from).poll_read(cx, &mut buffer);
        // Nothing there, now that there is room again: nobody had to wait.
        let pressed = std::mem::take(&mut self.pressed);
        let result = std::task::ready!(result);
        if pressed && !buffer.filled().is_empty() {
            self.note_throttling(plan);
        }
        if !buffer.filled().is_empty() {
            self.note_bytes(buffer.filled().len());
        }
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

    /// The sender had more than may be under way: each delay that made it wait counts the connection once.
    fn note_throttling(&mut self, plan: &Plan) {
        for fault in plan.throttling(self.direction) {
            if !self.throttled.iter().any(|known| known.is(fault)) {
                fault.tally.throttle();
                self.throttled.push(Arc::clone(fault));
            }
        }
    }

    /// Nothing more is done.
    fn stop(&mut self, state: PumpState) {
        self.state = state;
        self.reading = false;
        let now = self.epoch.elapsed();
        for item in self.waiting.drain(..).chain(self.aside.drain(..)) {
            if let Content::Gate(gate) = item.content {
                gate.open(item.arrived, now);
            }
        }
        (self.waiting, self.aside, self.gates) = <_>::default();
        self.room.clear();
    }
}
