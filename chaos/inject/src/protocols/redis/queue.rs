//! The commands that await their replies, in order.

use super::{awaits::Awaits, miss::Nothing, planned::Planned};
use crate::protocol::{Attribution, Injected, Wait};
use bytes::{BufMut as _, Bytes, BytesMut};
use chaos_redis::codec::{Frame, Protocol};
use std::collections::VecDeque;

/// More entries than this are not kept: some 50 MiB, which no pipeline needs that its client and its server can hold. Commands that
/// nothing is to happen to share one.
const ENTRIES: usize = 128 * 1024;

/// The queue of replies to come, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    /// Commands that await a reply.
    waiting: u64,
}

#[derive(Debug)]
pub(super) enum Entry {
    /// So many replies that nothing is to happen to.
    Plain(u64),
    /// A reply of the server, or several.
    Reply(Awaits, Option<Box<Planned>>),
    /// A reply in the server's place.
    Local(Box<LocalReply>),
}

/// A reply in the server's place.
#[derive(Debug)]
pub(super) struct LocalReply {
    pub(super) attribution: Attribution,
    pub(super) delay: Option<Wait>,
    /// Injections of the faults that delay it.
    pub(super) delayed: Vec<Injected>,
    pub(super) content: ReplyContent,
    /// Injections of the faults that it is by.
    pub(super) injected: Vec<Injected>,
}

#[derive(Debug)]
pub(super) enum ReplyContent {
    Error(String),
    Nothing(Nothing),
}

impl Queue {
    /// Adds to it, where there is room; says whether there was.
    pub(super) fn push(&mut self, entry: Entry) -> bool {
        let has_room = self.has_room();
        match (&entry, self.entries.back_mut()) {
            // Replies that nothing happens to are one entry, whose size depends on no pipeline's length.
            (Entry::Plain(more), Some(Entry::Plain(count))) => *count += more,
            // One more at most: behind it there are no others.
            (Entry::Plain(_), _) => self.entries.push_back(entry),
            _ if !has_room => return false,
            _ => self.entries.push_back(entry),
        }
        self.waiting += 1;
        true
    }

    /// Tells whether anything can be added.
    pub(super) fn has_room(&self) -> bool {
        self.entries.len() < ENTRIES
    }

    /// Adds the end of what can be followed.
    pub(super) fn end(&mut self) {
        self.entries.push_back(Entry::Reply(Awaits::Anything, None));
    }

    pub(super) fn front(&mut self) -> Option<&mut Entry> {
        self.entries.front_mut()
    }

    /// Takes the first reply from it.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = match self.entries.front_mut()? {
            Entry::Plain(count) if *count > 1 => {
                *count -= 1;
                Entry::Plain(1)
            }
            _ => self.entries.pop_front()?,
        };
        self.waiting = self.waiting.saturating_sub(1);
        Some(entry)
    }

    /// The commands that await a reply; those that nothing is known of are one.
    pub(super) fn under_way(&self) -> Vec<Attribution> {
        let attribution = |entry: &Entry| match entry {
            Entry::Plain(_) | Entry::Reply(_, None) => Attribution::default(),
            Entry::Reply(_, Some(planned)) => planned.attribution.clone(),
            Entry::Local(local) => local.attribution.clone(),
        };
        self.entries.iter().map(attribution).collect()
    }

    /// The count of commands that await a reply.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    /// The faults have changed: what those that `is_there` says no more of were to do to replies of the server is left out.
    pub(super) fn forget(&mut self, is_there: &dyn Fn(&Injected) -> bool) {
        for entry in &mut self.entries {
            if let Entry::Reply(_, planned) = entry {
                planned.iter_mut().for_each(|planned| planned.forget(is_there));
                planned.take_if(|planned| planned.is_clear());
            }
        }
    }

    /// Forgets all; the injections into replies that were awaited.
    pub(super) fn clear(&mut self) -> Vec<Injected> {
        let injections = |entry: Entry| match entry {
            Entry::Plain(_) | Entry::Reply(_, None) => Vec::new(),
            Entry::Reply(_, Some(planned)) => planned.injections().collect(),
            Entry::Local(local) => [local.delayed, local.injected].concat(),
        };
        std::mem::take(self).entries.into_iter().flat_map(injections).collect()
    }
}

impl ReplyContent {
    /// The reply in this version of the protocol.
    pub(super) fn bytes(&self, protocol: Protocol) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Self::Error(text) => Frame::error(text).encode(protocol, &mut out),
            Self::Nothing(nothing) => out.put_slice(&nothing.bytes(protocol)),
        }
        out.freeze()
    }
}
