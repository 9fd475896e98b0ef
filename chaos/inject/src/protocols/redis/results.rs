//! Edits of the results of queued commands, which come within the reply to `EXEC`: each at the place of its command.

use super::{
    edit::{Edit, Outcome},
    fire, reply_scanner, spare,
};
use crate::protocol::{Injected, Unreadable};
use crate::protocols::steps::Steps;
use bytes::{Bytes, BytesMut};
use chaos_redis::codec::{Protocol, parse_integer};

/// Edits of the results of one transaction.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// Commands that are queued, each of which has a result.
    pub(super) queued: u64,
    edits: Vec<ResultEdit>,
}

/// An edit of one result.
#[derive(Debug)]
struct ResultEdit {
    /// Commands that were queued before.
    place: u64,
    edit: Edit,
    injected: Vec<Injected>,
}

impl Results {
    /// Edits the result of the command that is queued next.
    pub(super) fn edit_next(&mut self, edit: Edit, injected: Vec<Injected>) {
        self.edits.push(ResultEdit { place: self.queued, edit, injected });
    }

    /// Tells whether all results stay as they are.
    pub(super) fn is_clear(&self) -> bool {
        self.edits.is_empty()
    }

    /// The faults have changed: edits of those that `is_there` says no more of are left out.
    pub(super) fn forget(&mut self, is_there: &dyn Fn(&Injected) -> bool) {
        self.edits.retain(|one| one.injected.iter().all(is_there));
    }

    /// The injections that there would have been.
    pub(super) fn injections(self) -> impl Iterator<Item = Injected> {
        self.edits.into_iter().flat_map(|one| one.injected)
    }

    /// Says that nothing becomes of any of it.
    pub(super) fn spare(self, steps: Steps<'_>) {
        spare(self.injections().collect(), Unreadable::Transaction, steps);
    }

    /// The reply to `EXEC` with the edits in it; nothing where it stays as it is.
    pub(super) fn put_into(self, reply: &[u8], protocol: Protocol, steps: Steps<'_>) -> Option<Bytes> {
        // It was refused, or what was watched has changed.
        let Some(results) = split(reply, self.queued) else {
            self.spare(steps);
            return None;
        };
        let (mut out, mut used, mut fired) = (BytesMut::new(), 0, vec![]);
        for ResultEdit { place, edit, injected } in self.edits {
            let place = usize::try_from(place).ok().and_then(|place| results.get(place).cloned());
            let Some(place) = place else { continue };
            let mut scanner = reply_scanner();
            let result = &reply[place.clone()];
            // It has been read as a frame before.
            let _ = scanner.scan(result);
            if let Some(Outcome::Other(other)) = edit.outcome(result, true, &scanner, protocol) {
                out.extend_from_slice(&reply[used..place.start]);
                out.extend_from_slice(&other);
                used = place.end;
                fired.extend(injected);
            }
        }
        if fired.is_empty() {
            return None;
        }
        fire(steps, fired);
        out.extend_from_slice(&reply[used..]);
        Some(out.freeze())
    }
}

/// The places of so many results in the reply to `EXEC`; none where it is another.
fn split(reply: &[u8], queued: u64) -> Option<Vec<std::ops::Range<usize>>> {
    let end = reply.iter().position(|byte| *byte == b'\n')?;
    let count = reply[..end].strip_prefix(b"*")?.strip_suffix(b"\r").and_then(parse_integer)?;
    if u64::try_from(count).ok()? != queued {
        return None;
    }
    let (mut places, mut at) = (vec![], end + 1);
    for _ in 0..queued {
        let scanned = reply_scanner().scan(reply.get(at..)?).ok().filter(|scanned| scanned.whole)?;
        places.push(at..at + scanned.bytes);
        at += scanned.bytes;
    }
    Some(places)
}
