//! Keys without being asked for one by one.

use super::Store;
use rand::RngExt as _;

impl Store {
    /// Walks over the keys of a database from `cursor` on, 0 being the start, until it has met `most`; the cursor to go
    /// on with, 0 at the end. Keys that are there all the while are met exactly once, whatever happens between two
    /// calls.
    pub(crate) fn scan(&self, database: u8, cursor: u64, most: usize, now_ms: i64, mut meet: impl FnMut(&[u8])) -> u64 {
        let mut met = 0;
        for slot in u32::try_from(cursor).unwrap_or(u32::MAX)..self.entries.slots() {
            if met == most {
                return u64::from(slot);
            }
            let entry = self.entries.get(slot).filter(|entry| entry.database == database);
            if let Some(entry) = entry {
                met += 1;
                if entry.deadline_ms.is_none_or(|at| at >= now_ms) {
                    meet(&entry.key);
                }
            }
        }
        0
    }

    /// A key of a database by chance.
    pub(crate) fn random_key(&mut self, database: u8, now_ms: i64) -> Option<&[u8]> {
        let start = self.random.random_range(0..self.entries.slots().max(1));
        let is_live = |at: Option<i64>| at.is_none_or(|at| at >= now_ms);
        let slot = self.entries.next_from(start, |entry| entry.database == database && is_live(entry.deadline_ms))?;
        self.entries.get(slot).map(|entry| &*entry.key)
    }
}
