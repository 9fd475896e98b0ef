//! Occurrences of keys, counted in bounded memory.

use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError};

/// Keys that are remembered at the least. Beyond it the oldest are forgotten, and count from 0 again.
const REMEMBERED: usize = 32 * 1024;

/// Counts keys. What it remembers is bounded, however many there are: two halves, of which the older one is dropped when
/// the newer one is full; what is asked for moves to the newer one.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    halves: Mutex<Halves>,
}

#[derive(Debug, Default)]
struct Halves {
    newer: BTreeMap<u64, u64>,
    older: BTreeMap<u64, u64>,
}

impl Counts {
    /// Counts an occurrence of the key, and gives the number of those before it.
    pub(crate) fn next(&self, key: u64) -> u64 {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = halves.newer.get_mut(&key) {
            *count += 1;
            return *count - 1;
        }
        let before = halves.older.remove(&key).unwrap_or(0);
        if halves.newer.len() >= REMEMBERED {
            halves.older = std::mem::take(&mut halves.newer);
        }
        halves.newer.insert(key, before + 1);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_each_for_itself() {
        let counts = Counts::default();
        let all: Vec<u64> = [7, 7, 8, 7, 8].map(|key| counts.next(key)).to_vec();
        assert_eq!(all, [0, 1, 0, 2, 1]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_in_use_is_not_forgotten() {
        let counts = Counts::default();
        for (nth, key) in (100..).take(10 * REMEMBERED).enumerate() {
            counts.next(key);
            assert_eq!(counts.next(1), nth as u64);
        }
        let halves = counts.halves.lock().unwrap();
        assert!(halves.newer.len() + halves.older.len() <= 2 * REMEMBERED);
        drop(halves);
        // One that was not seen for long begins anew.
        assert_eq!(counts.next(100), 0);
    }
}
