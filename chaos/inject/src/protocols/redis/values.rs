//! Values that a fault remembers: those that were read under it, on all connections of its link.

use super::VALUE_BYTES;
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Bytes that replies and what they are replies to may take.
const BYTES: usize = 16 * 1024 * 1024;

/// Cost of an entry beyond its bytes, so that many small ones don't take far more than [`BYTES`].
const ENTRY_BYTES: usize = 128;

/// Replies by what was asked for, within 16 MiB: what no longer fits, or is longer than 1 MiB, isn't remembered.
#[derive(Debug, Default)]
pub(crate) struct Values {
    // Shared by all connections of a link: what a stale or wrong value is made of belongs to the fault.
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The first that was seen of each.
    first: BTreeMap<Vec<u8>, Bytes>,
    bytes: usize,
    /// The last two that were seen, of two different ones; the later is the first here.
    last: [Option<(Vec<u8>, Bytes)>; 2],
}

impl Values {
    /// The first reply to `what`. If there was none yet, it is this one from now on, and nothing is given.
    pub(super) fn first(&self, what: &[u8], reply: Option<&[u8]>) -> Option<Bytes> {
        let mut inner = self.inner();
        if let Some(first) = inner.first.get(what) {
            return Some(first.clone());
        }
        let reply = reply.filter(|reply| reply.len() <= VALUE_BYTES)?;
        let bytes = inner.bytes + what.len() + reply.len() + ENTRY_BYTES;
        if bytes <= BYTES {
            inner.bytes = bytes;
            inner.first.insert(what.to_vec(), Bytes::copy_from_slice(reply));
        }
        None
    }

    /// The reply to something else that was seen last. `reply`, to `what`, is now the last one itself.
    pub(super) fn other(&self, what: &[u8], reply: Option<&[u8]>) -> Option<Bytes> {
        let mut inner = self.inner();
        let other = inner.last.iter().flatten().find(|(other, _)| other != what).cloned();
        if let Some(reply) = reply.filter(|reply| reply.len() <= VALUE_BYTES) {
            inner.last = [Some((what.to_vec(), Bytes::copy_from_slice(reply))), other.clone()];
        }
        other.map(|(_, reply)| reply)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that holds this lock can panic halfway through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: Option<Bytes>) -> Option<String> {
        reply.map(|reply| String::from_utf8(reply.to_vec()).unwrap())
    }

    #[test]
    fn the_first_stays_the_first() {
        let values = Values::default();
        assert_eq!(text(values.first(b"a", Some(b"1"))), None);
        assert_eq!(text(values.first(b"a", Some(b"2"))), Some("1".to_owned()));
        assert_eq!(text(values.first(b"a", None)), Some("1".to_owned()));
        assert_eq!(text(values.first(b"b", None)), None);
        assert_eq!(text(values.first(b"b", Some(b"3"))), None);
    }

    #[test]
    fn the_other_is_never_its_own() {
        let values = Values::default();
        assert_eq!(text(values.other(b"a", Some(b"1"))), None);
        assert_eq!(text(values.other(b"a", Some(b"2"))), None);
        assert_eq!(text(values.other(b"b", Some(b"3"))), Some("2".to_owned()));
        assert_eq!(text(values.other(b"b", Some(b"4"))), Some("2".to_owned()));
        assert_eq!(text(values.other(b"a", Some(b"5"))), Some("4".to_owned()));
        assert_eq!(text(values.other(b"c", None)), Some("5".to_owned()));
    }

    #[test]
    fn memory_is_bounded_in_bytes_and_entries() {
        let values = Values::default();
        let long = vec![b'x'; VALUE_BYTES];
        (0..40_u32).for_each(|key| drop(values.first(&key.to_le_bytes(), Some(&long))));
        let inner = values.inner();
        assert_eq!(inner.first.len(), 15, "{}", inner.bytes);
        drop(inner);
        let values = Values::default();
        (0..200_000_u32).for_each(|key| drop(values.first(&key.to_le_bytes(), Some(b"1"))));
        let inner = values.inner();
        assert!(inner.first.len() < 130_000 && inner.bytes <= BYTES, "{} {}", inner.first.len(), inner.bytes);
        drop(inner);
        let too_long = vec![b'x'; VALUE_BYTES + 1];
        assert_eq!(Values::default().first(b"a", Some(&too_long)), None);
    }
}
