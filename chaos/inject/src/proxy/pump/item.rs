//! The items that wait in a pump.

use crate::{
    active::{Active, Chunk},
    attribution::Attribution,
    ending::Ending,
    generated_body::GeneratedBody,
    interpreter::Plan,
    ledger::Delayed,
    protocol::{Injected, Rate, StreamId, Wait},
};
use chaos_model::Direction;
use std::{sync::Arc, time::Duration};

/// The cost of an item beside its bytes: its place in the queue, which grows by doubling, and what the allocator adds.
const PLACE: usize = 2 * size_of::<Item>() + 32;

/// Something that waits its turn.
pub(super) struct Item {
    /// The stream that it is on.
    pub(super) stream: StreamId,
    pub(super) content: Content,
    /// The message that its bytes belong to.
    pub(super) attribution: Attribution,
    /// True for the beginning of its message, as far as it waits.
    pub(super) first: bool,
    pub(super) kth: u64,
    pub(super) arrived: Duration,
    pub(super) due: Duration,
    /// Deeds of faults on a message, which have happened once the first of this is written.
    pub(super) notes: Vec<Injected>,
}

/// The content of an item.
pub(super) enum Content {
    /// Bytes, and how many of them are written.
    Bytes {
        bytes: Box<[u8]>,
        written: usize,
        /// True for the rest of a frame that is written in part: it has to follow.
        begun: bool,
    },
    /// Bytes that are made as they are written.
    Generated(GeneratedBody),
    /// Nothing passes before it opens.
    Gate(Gate),
    /// From here on another rate holds, or none.
    Rate(Option<Rate>),
    /// The sender has ended its stream.
    End,
    /// The sender has reset the connection.
    Reset,
    /// A fault ends the connection.
    Cut(Ending),
}

/// The gate that a message waits for.
pub(super) struct Gate {
    pub(super) wait: Wait,
    /// For the ledger, once it opens.
    pub(super) notes: Vec<Injected>,
}

impl Gate {
    /// Opens it, or the connection ends: what was asked and what was achieved is written down.
    pub(super) fn open(self, arrived: Duration, now: Duration) {
        let delayed = Delayed { asked: self.wait.whole(), achieved: now.saturating_sub(arrived) };
        for note in self.notes {
            let own = delayed.share(self.wait.asked_by(&note.fault));
            note.fault.ledger.message(arrived.saturating_sub(note.fault.applied), &note.entry, Some(own));
        }
    }
}

impl Item {
    /// The item as a chunk, for decisions.
    pub(super) fn chunk(&self, direction: Direction) -> Chunk {
        let bytes = match &self.content {
            Content::Bytes { bytes, .. } => bytes.len(),
            Content::Generated(fill) => usize::try_from(fill.left()).unwrap_or(usize::MAX),
            Content::Gate(_) | Content::Rate(_) | Content::End | Content::Reset | Content::Cut(_) => 0,
        };
        Chunk { direction, kth: self.kth, bytes, arrived: self.arrived }
    }

    /// The time at which it is due while these faults are there.
    pub(super) fn due(&self, direction: Direction, plan: &Plan, faults: &[Arc<Active>]) -> Duration {
        let delay = match &self.content {
            Content::Gate(gate) => gate.wait.under(faults),
            Content::Rate(_) => Duration::ZERO,
            _ => plan.on_chunk(self.chunk(direction)),
        };
        self.arrived.saturating_add(delay)
    }
}

impl Content {
    /// Bytes of which none is written.
    pub(super) fn bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self::Bytes { bytes: bytes.into(), written: 0, begun: false }
    }

    /// Tells whether it is the rest of a frame.
    pub(super) fn is_begun(&self) -> bool {
        matches!(self, Self::Bytes { begun: true, .. })
    }

    /// Tells whether what follows on its stream waits for it.
    pub(super) fn is_mark(&self) -> bool {
        matches!(self, Self::Gate(_) | Self::Rate(_))
    }

    /// Tells whether it ends the connection or its direction.
    pub(super) fn ends(&self) -> bool {
        matches!(self, Self::End | Self::Reset | Self::Cut(_))
    }

    /// The cost of the content, of the pump's room: the memory that it takes to keep it.
    pub(super) fn cost(&self) -> usize {
        match self {
            Self::Bytes { bytes, .. } => bytes.len() + PLACE,
            Self::Generated(_) | Self::Gate(_) | Self::Rate(_) => PLACE,
            Self::End | Self::Reset | Self::Cut(_) => 0,
        }
    }
}
