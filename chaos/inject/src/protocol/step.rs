//! Steps: what a filter says.

use crate::{active::Active, attribution::Attribution, generated_body::GeneratedBody, ledger::Entry};
use bytes::Bytes;
use chaos_model::{Direction, effect::action::Throughput, event::Unreadable};
use std::{sync::Arc, time::Duration};

pub use crate::ending::Ending;

/// A stream within a direction of a connection: what waits on one holds up none of the others, as long as no more waits
/// than a proxy keeps (256 KiB a direction; for delays of connections as much as they ask for). A protocol that has one message at a time uses [`StreamId::CONNECTION`] alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u32);

impl StreamId {
    /// The stream of what belongs to the connection as a whole: what waits on it holds up all that is behind it, and a rate
    /// of it is the direction's.
    pub const CONNECTION: Self = Self(0);
}

/// A step: what becomes of bytes, in order. Bytes that came are used up by `Pass` and `Skip`, in the order in which
/// they came; a filter that needs more before it can say leaves them for the next call.
#[derive(Clone, Debug)]
pub enum Step {
    /// So many of the bytes that came go on, on this stream. Of a protocol with several, a whole frame at a time.
    Pass(Direction, StreamId, usize),
    /// So many of the bytes that came are left out.
    Skip(Direction, usize),
    /// Bytes that go in this direction too, where the step stands among what goes there on this stream.
    Insert(Direction, StreamId, Bytes),
    /// Bytes that go there too and are made as they are written: there may be more of them than fit into memory. Bytes of
    /// other streams may come between them, so they are for protocols with one.
    Generated(Direction, StreamId, GeneratedBody),
    /// The rate of what follows on this stream, up to the next step of this kind; `None` lifts it. Of several streams each
    /// goes at its own, in whole frames: what is one `Pass` or `Insert` goes when the last of its bytes may. Others
    /// overtake it until then, so what depends on the order on the wire (a compressed head) has to precede the rate.
    Rate(Direction, StreamId, Option<Rate>),
    /// All that follows on this stream goes later by this much, counted from now; [`Filter::on_released`] is told when.
    /// What follows on others goes by.
    ///
    /// [`Filter::on_released`]: super::Filter::on_released
    Wait(Direction, StreamId, Wait),
    /// A message was given up: all that waits on this stream for a wait or a rate of its own is left out, but for a frame
    /// that is written in part. Bytes that wait for neither are on their way.
    Discard(Direction, StreamId),
    /// Nothing more of this message comes on this stream: the proxy forgets what it knows of it (rate, attribution). Said
    /// where a connection has many streams, one after the other.
    Finish(Direction, StreamId),
    /// After all that precedes it on this stream, the connection ends, both ways.
    End(Direction, StreamId, Ending),
    /// A fault did what it does to a message: for the ledger.
    Fired(Injected),
    /// A fault was to do something to a message, and can't, for this reason.
    Spared(Injected, Unreadable),
    /// The message that what follows on this stream belongs to, up to the next step of this kind. Said where
    /// [`Decide::traces`].
    ///
    /// [`Decide::traces`]: super::Decide::traces
    About(Direction, StreamId, Attribution),
}

/// A wait that faults ask for: the sum of what each asks, for as long as it is there.
#[derive(Clone, Debug, Default)]
pub struct Wait {
    /// Faults that ask for it, each once, with its share of the time.
    // A transaction of Redis adds up what each of its commands asks for, and there may be very many.
    pub(crate) parts: Vec<(Arc<Active>, Duration)>,
}

impl Wait {
    /// Adds what a fault asks for.
    pub(crate) fn add(&mut self, fault: &Arc<Active>, delay: Duration) {
        match self.parts.iter_mut().find(|(other, _)| Arc::ptr_eq(fault, other)) {
            Some((_, asked)) => *asked = asked.saturating_add(delay),
            None => self.parts.push((Arc::clone(fault), delay)),
        }
    }

    /// Adds another wait to it.
    pub fn extend(&mut self, other: Self) {
        other.parts.into_iter().for_each(|(fault, delay)| self.add(&fault, delay));
    }

    /// The part of it that these faults ask for.
    pub(crate) fn of(mut self, faults: &[Arc<Active>]) -> Self {
        self.parts.retain(|(fault, _)| faults.iter().any(|other| Arc::ptr_eq(fault, other)));
        self
    }

    /// The length that this fault asks for.
    pub(crate) fn asked_by(&self, fault: &Arc<Active>) -> Duration {
        let own = self.parts.iter().find(|(other, _)| Arc::ptr_eq(fault, other));
        own.map(|(_, delay)| *delay).unwrap_or_default()
    }

    /// Tells whether the fault of this injection asks for some of it.
    #[must_use]
    pub fn is_of(&self, injected: &Injected) -> bool {
        self.parts.iter().any(|(other, _)| Arc::ptr_eq(&injected.fault, other))
    }

    /// The wait's length while these faults are there.
    pub(crate) fn under(&self, faults: &[Arc<Active>]) -> Duration {
        let there = |fault: &Arc<Active>| faults.iter().any(|other| Arc::ptr_eq(other, fault));
        let asked = self.parts.iter().filter(|(fault, _)| there(fault)).map(|(_, delay)| *delay);
        asked.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// The wait's length with all of its faults.
    #[must_use]
    pub fn whole(&self) -> Duration {
        self.parts.iter().map(|(_, delay)| *delay).fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// A rate that faults ask for.
#[derive(Clone, Debug)]
pub struct Rate {
    /// Bytes that go in a second.
    pub(crate) throughput: Throughput,
    /// Faults that ask for it: when all of these are gone, so is the rate.
    pub(crate) faults: Vec<Arc<Active>>,
}

impl Rate {
    /// The rate in bytes a second while these faults are there, if it is.
    pub(crate) fn under(&self, faults: &[Arc<Active>]) -> Option<u64> {
        let there = |fault: &Arc<Active>| faults.iter().any(|other| Arc::ptr_eq(other, fault));
        self.faults.iter().any(there).then_some(self.throughput.bytes_per_second)
    }
}

/// An injection into a message.
#[derive(Clone, Debug)]
pub struct Injected {
    /// The fault.
    pub(crate) fault: Arc<Active>,
    /// The line of its ledger.
    pub(crate) entry: Entry,
}

impl Injected {
    /// The same, with so many messages that wait behind the one it is into.
    #[must_use]
    pub fn with_bystanders(mut self, count: u64) -> Self {
        self.entry.bystanders = count;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::effect::Action;

    #[test]
    fn a_wait_of_very_many_messages_is_as_long_as_all_and_as_large_as_one() {
        let [slow, slower] = ["slow", "slower"].map(|name| Active::doing(name, Action::default(), None));
        let one = |fault: &Arc<Active>, ms| {
            let mut wait = Wait::default();
            wait.add(fault, Duration::from_millis(ms));
            wait
        };
        let mut all = one(&slow, 0);
        for _ in 0..100_000 {
            all.extend(one(&slow, 1));
            all.extend(one(&slower, 2));
        }
        let seconds = Duration::from_secs;
        assert_eq!((all.parts.len(), all.whole()), (2, seconds(300)));
        assert_eq!((all.asked_by(&slow), all.asked_by(&slower)), (seconds(100), seconds(200)));
        assert_eq!(all.under(std::slice::from_ref(&slower)), seconds(200));
        assert_eq!(all.of(&[slow]).whole(), seconds(100), "the other is gone");
    }
}
