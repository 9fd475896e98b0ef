//! What waits in a lane.

use crate::{
    filter::{Ending, Injected, Rate, Wait, Whose},
    http::Fill,
    interpreter::{Active, Chunk, Plan, Way},
    ledger::Delayed,
};
use std::{sync::Arc, time::Duration};

/// What a small chunk costs of the limit, so that many of them don't take far more memory than they carry.
const SMALLEST: usize = 128;

/// Something that waits its turn.
pub(super) struct Item {
    pub(super) what: What,
    /// The message that its bytes belong to.
    pub(super) whose: Whose,
    /// It is the beginning of that, as far as it waits.
    pub(super) first: bool,
    pub(super) kth: u64,
    pub(super) arrived: Duration,
    pub(super) due: Duration,
}

/// What it is.
pub(super) enum What {
    /// Bytes, and how many of them are written.
    Bytes { bytes: Box<[u8]>, written: usize },
    /// Bytes that are made as they are written.
    Fill(Fill),
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

/// What a message waits for.
pub(super) struct Gate {
    pub(super) wait: Wait,
    /// For the ledger, once it opens.
    pub(super) notes: Vec<Injected>,
}

impl Gate {
    /// It opens, or the connection ends: what was asked and what was achieved is written down.
    pub(super) fn open(self, arrived: Duration, now: Duration) {
        let delayed = Delayed { asked: self.wait.whole(), achieved: now.saturating_sub(arrived) };
        for note in self.notes {
            note.fault.ledger.message(arrived.saturating_sub(note.fault.applied), &note, Some(delayed));
        }
    }
}

impl Item {
    /// It as a chunk, for decisions.
    pub(super) fn chunk(&self, way: Way) -> Chunk {
        let bytes = match &self.what {
            What::Bytes { bytes, .. } => bytes.len(),
            What::Fill(fill) => usize::try_from(fill.left()).unwrap_or(usize::MAX),
            What::Gate(_) | What::Rate(_) | What::End | What::Reset | What::Cut(_) => 0,
        };
        Chunk { way, kth: self.kth, bytes, arrived: self.arrived }
    }

    /// When it is due while these faults are there.
    pub(super) fn due(&self, way: Way, plan: &Plan, faults: &[Arc<Active>]) -> Duration {
        let delay = match &self.what {
            What::Gate(gate) => gate.wait.under(faults),
            What::Rate(_) => Duration::ZERO,
            _ => plan.on_chunk(self.chunk(way)),
        };
        self.arrived.saturating_add(delay)
    }
}

impl What {
    /// What it costs of the limit.
    pub(super) fn cost(&self) -> usize {
        match self {
            Self::Bytes { bytes, .. } => bytes.len().max(SMALLEST),
            Self::Fill(_) | Self::Gate(_) | Self::Rate(_) => SMALLEST,
            Self::End | Self::Reset | Self::Cut(_) => 0,
        }
    }
}
