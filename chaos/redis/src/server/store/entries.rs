//! Entries, keys with their values: slots, found by a hash of the key, and chained by when they were used last.
//!
//! An entry keeps its slot for as long as it lives. So a scan is a walk over the slots, whose cursor is a slot's
//! number, and the order of everything depends on nothing but the requests that came. What is used, set and removed is
//! in constant time.

use super::frequency::Frequency;
use bytes::Bytes;
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// No slot.
const NONE: u32 = u32::MAX;

/// A key with its value.
pub(crate) struct Entry {
    pub(crate) database: u8,
    pub(crate) key: Box<[u8]>,
    pub(crate) value: Bytes,
    /// In milliseconds since the Unix epoch.
    pub(crate) deadline_ms: Option<i64>,
    pub(super) frequency: Frequency,
    /// Grows with each use of any entry.
    used: u64,
    older: u32,
    newer: u32,
}

impl Entry {
    pub(super) fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }
}

/// Entries by when they were used last.
struct Chain {
    oldest: u32,
    newest: u32,
}

impl Chain {
    const EMPTY: Self = Self { oldest: NONE, newest: NONE };
}

pub(super) struct Entries {
    /// Slots by the hash of their key. Nothing walks over it, so its order can't show.
    table: HashTable<u32>,
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// Entries without a deadline, and those with one.
    chains: [Chain; 2],
    uses: u64,
}

impl Default for Entries {
    fn default() -> Self {
        let chains = [Chain::EMPTY, Chain::EMPTY];
        Self { table: HashTable::new(), slots: vec![], free: vec![], chains, uses: 0 }
    }
}

impl Entries {
    /// All that was ever in use at once; slots are numbered below.
    pub(super) fn slots(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(NONE)
    }

    pub(super) fn find(&self, database: u8, key: &[u8]) -> Option<u32> {
        let is_it = |slot: &u32| self.get(*slot).is_some_and(|entry| *entry.key == *key && entry.database == database);
        self.table.find(hash(database, key), is_it).copied()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// For what is no part of the order: not the key, and the deadline through [`Entries::set_deadline`].
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Adds a key that isn't there, as the one used last.
    pub(super) fn insert(&mut self, database: u8, key: &[u8], value: Bytes, deadline_ms: Option<i64>) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots() - 1
        });
        let (key, frequency) = (Box::from(key), Frequency::default());
        let hash_of_key = hash(database, &key);
        let entry = Entry { database, key, value, deadline_ms, frequency, used: 0, older: NONE, newer: NONE };
        self.slots[slot as usize] = Some(entry);
        let slots = &self.slots;
        self.table.insert_unique(hash_of_key, slot, |slot| {
            slots[*slot as usize].as_ref().map_or(0, |entry| hash(entry.database, &entry.key))
        });
        self.link(slot);
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Entry> {
        self.unlink(slot);
        let entry = self.slots.get_mut(slot as usize)?.take()?;
        if let Ok(found) = self.table.find_entry(hash(entry.database, &entry.key), |found| *found == slot) {
            found.remove();
        }
        if self.table.is_empty() {
            // The memory of the slots goes back too.
            *self = Self { uses: self.uses, ..Self::default() };
        } else {
            self.free.push(slot);
        }
        Some(entry)
    }

    /// The deadline also says which chain an entry is in.
    pub(super) fn set_deadline(&mut self, slot: u32, deadline_ms: Option<i64>) {
        self.unlink(slot);
        if let Some(entry) = self.get_mut(slot) {
            entry.deadline_ms = deadline_ms;
        }
        self.link(slot);
    }

    /// Makes an entry the one used last.
    pub(super) fn touch(&mut self, slot: u32) {
        let is_newest = |entry: &Entry| self.chains[chain_of(entry)].newest == slot;
        if self.get(slot).is_some_and(is_newest) {
            // Only its age against the other chain changes.
            self.uses += 1;
            let uses = self.uses;
            if let Some(entry) = self.get_mut(slot) {
                entry.used = uses;
            }
        } else {
            self.unlink(slot);
            self.link(slot);
        }
    }

    /// The entry that has not been used for longest, of all or of those with a deadline.
    pub(super) fn oldest(&self, only_with_deadline: bool) -> Option<u32> {
        let [without, with] = [self.chains[0].oldest, self.chains[1].oldest];
        let used = |slot| self.get(slot).map(|entry| entry.used);
        match (used(without), used(with)) {
            (Some(without_used), with_used)
                if !only_with_deadline && with_used.is_none_or(|used| without_used < used) =>
            {
                Some(without)
            }
            (_, Some(_)) => Some(with),
            _ => None,
        }
    }

    pub(super) fn used(&self, slot: u32) -> u64 {
        self.get(slot).map_or(0, |entry| entry.used)
    }

    /// Whatever entry is at this slot or the next one that has any, from the start again behind the last.
    pub(super) fn next_from(&self, start: u32, is_wanted: impl Fn(&Entry) -> bool) -> Option<u32> {
        let is_right = |slot: &u32| self.get(*slot).is_some_and(&is_wanted);
        (start..self.slots()).find(is_right).or_else(|| (0..start.min(self.slots())).find(is_right))
    }

    fn link(&mut self, slot: u32) {
        self.uses += 1;
        let uses = self.uses;
        let Some(which) = self.get(slot).map(chain_of) else { return };
        let newest = self.chains[which].newest;
        if let Some(entry) = self.get_mut(slot) {
            (entry.used, entry.older, entry.newer) = (uses, newest, NONE);
        }
        match self.get_mut(newest) {
            Some(before) => before.newer = slot,
            None => self.chains[which].oldest = slot,
        }
        self.chains[which].newest = slot;
    }

    fn unlink(&mut self, slot: u32) {
        let Some(entry) = self.get(slot) else { return };
        let (which, older, newer) = (chain_of(entry), entry.older, entry.newer);
        match self.get_mut(older) {
            Some(before) => before.newer = newer,
            None => self.chains[which].oldest = newer,
        }
        match self.get_mut(newer) {
            Some(behind) => behind.older = older,
            None => self.chains[which].newest = older,
        }
    }
}

fn chain_of(entry: &Entry) -> usize {
    usize::from(entry.deadline_ms.is_some())
}

/// The same in every run: what a hash of a secret would protect from (keys chosen to collide) isn't met here.
fn hash(database: u8, key: &[u8]) -> u64 {
    xxh3_64_with_seed(key, u64::from(database))
}
