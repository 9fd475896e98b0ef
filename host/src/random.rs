use rand::SeedableRng as _;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

/// The random generator of every stream: `ChaCha` with 8 rounds, whose output is the same on every machine.
pub type Random = rand_chacha::ChaCha8Rng;

/// Most keys are a few words. In one piece they are hashed in less time than a state takes to be set up. XXH3 itself is
/// simpler up to this length.
const TOGETHER: usize = 240;

/// One number from a seed and some keys, for decisions that must not depend on the order in which they are made: the
/// same keys give the same number in every world. Keys are told apart by their lengths, so `["ab", "c"]` is not `["a",
/// "bc"]`.
///
/// The function is XXH3 (64 bit) with the seed; it is part of what makes a recorded seed mean the same tomorrow.
#[must_use]
pub fn hash(seed: u64, keys: &[&[u8]]) -> u64 {
    let length = keys.iter().map(|key| size_of::<u64>() + key.len()).sum::<usize>();
    if length > TOGETHER {
        let mut state = Xxh3::with_seed(seed);
        each_part(keys, |part| state.update(part));
        return state.digest();
    }
    let (mut together, mut at) = ([0; TOGETHER], 0);
    each_part(keys, |part| {
        together[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    });
    xxh3_64_with_seed(&together[..length], seed)
}

/// Parts that are hashed: each key after its length.
fn each_part(keys: &[&[u8]], mut take: impl FnMut(&[u8])) {
    for key in keys {
        take(&(key.len() as u64).to_le_bytes());
        take(key);
    }
}

pub(crate) fn stream(seed: u64, node: &str, name: &str) -> Random {
    Random::seed_from_u64(hash(seed, &[b"stream", node.as_bytes(), name.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn streams_repeat_and_differ_by_seed_node_and_name() {
        let first = |seed, node, name| stream(seed, node, name).next_u64();
        assert_eq!(first(1, "a", "x"), first(1, "a", "x"));
        let all = [first(1, "a", "x"), first(2, "a", "x"), first(1, "b", "x"), first(1, "a", "y")];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| other != one), "{all:?}");
        }
    }

    #[test]
    fn keys_are_told_apart_by_their_lengths() {
        assert_ne!(hash(0, &[b"ab", b"c"]), hash(0, &[b"a", b"bc"]));
        assert_ne!(hash(0, &[b"a"]), hash(1, &[b"a"]));
    }

    #[test]
    fn the_hash_is_pinned() {
        // A recorded seed must mean the same after an update of the library.
        assert_eq!(hash(42, &[b"outage", b"gateway -> redis", b"7"]), 12_313_116_878_157_818_236);
    }

    #[test]
    fn keys_of_every_length_are_hashed_alike() {
        let key = [7; 2 * TOGETHER];
        for (length, seed) in (0..key.len()).flat_map(|length| [0, 3, u64::MAX].map(|seed| (length, seed))) {
            let mut state = Xxh3::with_seed(seed);
            each_part(&[&key[..length], b"x"], |part| state.update(part));
            assert_eq!(hash(seed, &[&key[..length], b"x"]), state.digest(), "{length} bytes");
        }
    }
}
