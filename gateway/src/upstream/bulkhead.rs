//! The bulkhead of one service: calls to it that are under way at once are limited, so that a service that hangs can't
//! take all of the gateway with it. There is no queue: who waits for a place waits for a service that has none to give.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A limit on calls under way.
pub(crate) struct Bulkhead {
    limit: usize,
    taken: AtomicUsize,
}

/// A place, taken for as long as this lives.
#[must_use = "the place is free again as soon as this is dropped"]
pub(crate) struct Slot<'a>(&'a Bulkhead);

impl Bulkhead {
    /// So many places; 0: any number.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit: if limit == 0 { usize::MAX } else { limit }, taken: AtomicUsize::new(0) }
    }

    /// A place, if one is free.
    pub(crate) fn enter(&self) -> Option<Slot<'_>> {
        let more = |taken: usize| (taken < self.limit).then(|| taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Slot(self))
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_come_back() {
        let bulkhead = Bulkhead::new(2);
        let (first, _second) = (bulkhead.enter().unwrap(), bulkhead.enter().unwrap());
        assert!(bulkhead.enter().is_none());
        drop(first);
        let _third = bulkhead.enter().unwrap();
        assert!(bulkhead.enter().is_none());
    }

    #[test]
    fn zero_is_no_limit() {
        let bulkhead = Bulkhead::new(0);
        let places: Vec<_> = (0..10_000).filter_map(|_| bulkhead.enter()).collect();
        assert_eq!(places.len(), 10_000);
    }
}
