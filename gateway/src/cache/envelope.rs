//! Cache entries: a profile with its own absolute times, and the user that it belongs to.
//!
//! In Redis it is a line and JSON:
//!
//! ```text
//! gateway-profile/2 <checksum, 16 hex digits> <user id> <stored at, ms> <fresh until, ms> <stale until, ms>\n{…}
//! ```
//!
//! The checksum (XXH3, 64 bit) covers everything after it. It finds truncation and garbage; it is no signature: whoever
//! may write to Redis may write profiles.

use super::Profile;
use crate::{labels::Miss, user_id::UserId};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Raised when the format changes: entries of other versions are misses.
const VERSION: &str = "gateway-profile/2";
const FORMAT: &str = "gateway-profile/";

/// Bytes that an entry in memory takes beside its JSON, roughly.
const OVERHEAD: usize = 256;

/// A stored profile.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The profile's owner: a reply for another key is found out by it.
    pub(crate) user: UserId,
    stored_at_ms: u64,
    fresh_until_ms: u64,
    stale_until_ms: u64,
    pub(crate) profile: Profile,
    /// The checksum of the text that the entry was first written to, or read from.
    checksum: OnceLock<u64>,
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn checksum(rest: &str) -> u64 {
    host::hash(0, &[rest.as_bytes()])
}

impl Entry {
    /// A profile gathered at `now` (since the Unix epoch), fresh for `fresh`, and of use in need for `stale` after that.
    pub(super) fn new(user: UserId, now: Duration, fresh: Duration, stale: Duration, profile: Profile) -> Self {
        let fresh_until = now.saturating_add(fresh);
        let stale_until_ms = millis(fresh_until.saturating_add(stale));
        let (stored_at_ms, fresh_until_ms) = (millis(now), millis(fresh_until));
        Self { user, stored_at_ms, fresh_until_ms, stale_until_ms, profile, checksum: OnceLock::new() }
    }

    /// The time at which the profile was gathered, since the Unix epoch.
    pub(crate) fn stored_at(&self) -> Duration {
        Duration::from_millis(self.stored_at_ms)
    }

    /// Until when it may be shown as fresh, since the Unix epoch.
    pub(crate) fn fresh_until(&self) -> Duration {
        Duration::from_millis(self.fresh_until_ms)
    }

    /// Until when it may be shown where nothing better can be had, since the Unix epoch.
    pub(crate) fn stale_until(&self) -> Duration {
        Duration::from_millis(self.stale_until_ms)
    }

    /// The same profile with other times to come: for a mistake that was planted.
    pub(super) fn with_a_new_life(&self, now: Duration, fresh: Duration, stale: Duration) -> Self {
        let anew = Self::new(self.user, now, fresh, stale, self.profile.clone());
        Self { stored_at_ms: self.stored_at_ms, ..anew }
    }

    /// Bytes that it takes in memory, roughly.
    pub(super) fn weight(&self) -> usize {
        let Profile { user, orders, products, gone } = &self.profile;
        let json = user.get().len() + orders.get().len() + products.get().len();
        json + gone.iter().map(|id| id.len() + size_of::<String>()).sum::<usize>() + OVERHEAD
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let profile = serde_json::to_string(&self.profile).expect("checked JSON and strings are JSON");
        let Self { user, stored_at_ms, fresh_until_ms, stale_until_ms, .. } = self;
        let rest = format!("{user} {stored_at_ms} {fresh_until_ms} {stale_until_ms}\n{profile}");
        let checksum = checksum(&rest);
        // What was read may have been written in another way.
        let _ = self.checksum.set(checksum);
        format!("{VERSION} {checksum:016x} {rest}").into_bytes()
    }

    /// Reads an entry of `user`. What is `known` of them already is given back where this is the same one: most of the
    /// time it is, and nothing need be read twice.
    pub(super) fn decode(bytes: &[u8], user: UserId, known: Option<Arc<Self>>) -> Result<Arc<Self>, Miss> {
        let text = std::str::from_utf8(bytes).map_err(|_| Miss::Corrupt)?;
        let (version, text) = text.split_once(' ').ok_or(Miss::Corrupt)?;
        if version != VERSION {
            return Err(if version.starts_with(FORMAT) { Miss::Version } else { Miss::Corrupt });
        }
        let (sum, rest) = text.split_once(' ').ok_or(Miss::Corrupt)?;
        let checksum = checksum(rest);
        if sum != format!("{checksum:016x}") {
            return Err(Miss::Corrupt);
        }
        if let Some(known) = known
            && known.checksum.get() == Some(&checksum)
            && known.user == user
        {
            return Ok(known);
        }
        let (line, profile) = rest.split_once('\n').ok_or(Miss::Corrupt)?;
        let fields: Vec<&str> = line.split(' ').collect();
        let [owner, stored_at, fresh_until, stale_until] = fields[..] else { return Err(Miss::Corrupt) };
        if owner.parse() != Ok(user) {
            return Err(Miss::WrongKey);
        }
        let number = |text: &str| text.parse().map_err(|_| Miss::Corrupt);
        Ok(Arc::new(Self {
            user,
            stored_at_ms: number(stored_at)?,
            fresh_until_ms: number(fresh_until)?,
            stale_until_ms: number(stale_until)?,
            profile: serde_json::from_str(profile).map_err(|_| Miss::Corrupt)?,
            checksum: OnceLock::from(checksum),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};
    use serde_json::value::to_raw_value;

    fn user(number: u64) -> UserId {
        number.to_string().parse().unwrap()
    }

    fn entry(number: u64, name: &str, gone: Vec<String>, now: u64, ttl: u64) -> Entry {
        let json = |value: serde_json::Value| to_raw_value(&value).unwrap().into();
        let profile = Profile {
            user: json(serde_json::json!({ "id": number.to_string(), "name": name })),
            orders: json(serde_json::json!([])),
            products: json(serde_json::json!([{ "id": name }])),
            gone,
        };
        let (now, ttl) = (Duration::from_millis(now), Duration::from_millis(ttl));
        Entry::new(user(number), now, ttl, ttl / 2, profile)
    }

    fn read(bytes: &[u8], number: u64) -> Result<Arc<Entry>, Miss> {
        Entry::decode(bytes, user(number), None)
    }

    #[test]
    fn what_is_known_is_not_read_again() {
        let known = Arc::new(entry(42, "Ada", Vec::new(), 0, 1));
        let bytes = known.encode();
        let again = Entry::decode(&bytes, user(42), Some(Arc::clone(&known))).unwrap();
        assert!(Arc::ptr_eq(&again, &known));
        let first = read(&bytes, 42).unwrap();
        assert!(Arc::ptr_eq(&Entry::decode(&bytes, user(42), Some(Arc::clone(&first))).unwrap(), &first));
        // Nobody else's, nor an older one of theirs, nor one of which it isn't known how it is written.
        assert_eq!(Entry::decode(&bytes, user(43), Some(Arc::clone(&known))).unwrap_err(), Miss::WrongKey);
        let newer = entry(42, "Ada", Vec::new(), 1, 1).encode();
        let read = Entry::decode(&newer, user(42), Some(Arc::clone(&known))).unwrap();
        assert_eq!((read.stored_at(), read.encode()), (Duration::from_millis(1), newer));
        let never_written = Arc::new(entry(42, "Ada", Vec::new(), 0, 1));
        let again = Entry::decode(&bytes, user(42), Some(Arc::clone(&never_written))).unwrap();
        assert!(!Arc::ptr_eq(&again, &never_written));
        // And what is broken stays broken.
        assert_eq!(Entry::decode(&bytes[..bytes.len() - 1], user(42), Some(known)).unwrap_err(), Miss::Corrupt);
    }

    #[test]
    fn what_others_write_in_another_way_is_written_in_ours() {
        let rest = "42 007 8 9\n{ \"gone\": [], \"user\": {}, \"orders\": [], \"products\": [], \"more\": 1 }";
        let theirs = format!("{VERSION} {:016x} {rest}", checksum(rest));
        let entry = read(theirs.as_bytes(), 42).unwrap();
        let ours = entry.encode();
        assert_ne!(ours, theirs.into_bytes());
        assert_eq!(read(&ours, 42).unwrap().encode(), ours);
    }

    #[test]
    fn another_users_entry_is_a_wrong_key() {
        let bytes = entry(42, "Ada", Vec::new(), 0, 1).encode();
        assert_eq!(read(&bytes, 43).unwrap_err(), Miss::WrongKey);
    }

    #[test]
    fn other_versions_and_other_things_are_told_apart() {
        let text = String::from_utf8(entry(42, "Ada", Vec::new(), 0, 1).encode()).unwrap();
        let newer = text.replacen("/2", "/3", 1);
        assert_eq!(read(newer.as_bytes(), 42).unwrap_err(), Miss::Version);
        for other in ["", "OK", "{}", "\u{0}"] {
            assert_eq!(read(other.as_bytes(), 42).unwrap_err(), Miss::Corrupt);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            number in 1..=u64::MAX, name in any::<String>(), gone in prop::collection::vec(any::<String>(), 0..4),
            now in 0..u64::MAX / 4, ttl in 0..u64::MAX / 4,
        ) {
            let entry = entry(number, &name, gone, now, ttl);
            let bytes = entry.encode();
            let read = read(&bytes, number).unwrap();
            assert_eq!(read.encode(), bytes);
            assert_eq!((read.stored_at(), read.fresh_until()), (entry.stored_at(), entry.fresh_until()));
            assert_eq!(read.stale_until(), entry.stale_until());
            assert_eq!(read.profile.gone, entry.profile.gone);
        }

        #[test]
        fn no_corrupted_byte_gets_through(name in "[a-z]{0,20}", place in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = entry(42, &name, Vec::new(), 1, 2).encode();
            let place = place.index(bytes.len());
            let before = std::mem::replace(&mut bytes[place], byte);
            assert_eq!(read(&bytes, 42).is_ok(), before == byte);
        }

        #[test]
        fn no_truncation_gets_through(keep in any::<prop::sample::Index>()) {
            let bytes = entry(42, "Ada", Vec::new(), 1, 2).encode();
            assert!(read(&bytes[..keep.index(bytes.len())], 42).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            assert!(read(&bytes, 42).is_err());
        }
    }
}
