//! The room of a pump: what waits is kept in memory, and memory is bounded.
//!
//! Each pump has [`OWN`] to itself, so that none starves. Where nothing but delays keeps bytes waiting, more of them may, since
//! a delay is no rate: as many as the fault says. These come out of a pool that all connections of the link share, so that
//! many of them don't fill the machine.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The bytes that a pump keeps, whatever others do.
const OWN: usize = 256 * 1024;

/// All connections of a link keep so many times what one direction of one may keep for a delay.
const TOGETHER: usize = 4;

/// Bytes that the pumps of a link keep beyond what each has to itself.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Pool(AtomicUsize);

/// The room of one pump.
#[derive(Debug)]
pub(super) struct Room {
    /// Cost of what waits.
    used: usize,
    /// Bytes that may be under way, where delays are all that keeps them.
    under_way: Option<usize>,
    /// The part of it that is taken from the pool.
    borrowed: usize,
    pool: Arc<Pool>,
}

impl Room {
    pub(super) fn new(pool: &Arc<Pool>) -> Self {
        Self { used: 0, under_way: None, borrowed: 0, pool: Arc::clone(pool) }
    }

    /// Lets so much be under way from now on, where delays are all that keeps it.
    pub(super) fn set(&mut self, under_way: Option<u64>) {
        self.under_way = under_way.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// Something waits from now on.
    pub(super) fn take(&mut self, cost: usize) {
        self.settle(self.used.saturating_add(cost));
    }

    /// Something waits no more.
    pub(super) fn give(&mut self, cost: usize) {
        self.settle(self.used.saturating_sub(cost));
    }

    /// Nothing waits any more.
    pub(super) fn clear(&mut self) {
        self.settle(0);
    }

    fn settle(&mut self, used: usize) {
        self.used = used;
        let beyond = used.saturating_sub(OWN);
        if beyond > self.borrowed {
            self.pool.0.fetch_add(beyond - self.borrowed, Relaxed);
        } else if beyond < self.borrowed {
            self.pool.0.fetch_sub(self.borrowed - beyond, Relaxed);
        }
        self.borrowed = beyond;
    }

    /// Tells whether all is kept that should be.
    // One that is full for want of the pool needs nobody to wake it: what it keeps of its own comes due, and makes room.
    pub(super) fn is_full(&self) -> bool {
        let Some(bytes) = self.under_way else { return self.is_full_of_its_own() };
        let all = bytes.saturating_mul(TOGETHER);
        self.used >= bytes || (self.is_full_of_its_own() && self.pool.0.load(Relaxed) >= all)
    }

    /// Tells whether as much is kept as a pump has to itself.
    pub(super) fn is_full_of_its_own(&self) -> bool {
        self.used >= OWN
    }

    /// Tells whether it is full though nothing but delays keeps what waits.
    pub(super) fn throttles(&self) -> bool {
        self.under_way.is_some() && self.is_full()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_or_goes_at_a_rate_has_its_own_room_alone() {
        let mut room = Room::new(&Arc::default());
        room.take(OWN - 1);
        assert!(!room.is_full() && !room.throttles());
        room.take(1);
        assert!(room.is_full() && !room.throttles());
        room.give(1);
        assert!(!room.is_full());
    }

    #[test]
    fn a_delay_has_what_it_asks_for_be_that_more_or_less() {
        for bytes in [64 << 20, 1000] {
            let mut room = Room::new(&Arc::default());
            room.set(Some(bytes));
            let bytes = usize::try_from(bytes).unwrap();
            room.take(bytes - 1);
            assert!(!room.is_full());
            room.take(1);
            assert!(room.throttles());
        }
    }

    #[test]
    fn a_link_has_four_times_that_and_each_connection_its_own_all_the_same() {
        let pool = Arc::default();
        let [mut greedy, mut other] = [Room::new(&pool), Room::new(&pool)];
        greedy.set(Some(1 << 20));
        other.set(Some(1 << 20));
        // More than its bound: what comes in one read is kept.
        greedy.take((4 << 20) + OWN);
        other.take(OWN - 1);
        assert!(!other.is_full());
        other.take(1);
        assert!(other.throttles(), "the pool is empty");
        greedy.give(1);
        assert!(!other.is_full());
        greedy.take(1);
        assert!(other.is_full());
        drop(greedy);
        assert!(!other.is_full(), "what a connection kept is given back when it ends");
        other.clear();
        assert_eq!(pool.0.load(Relaxed), 0);
    }
}
