use rand::SeedableRng as _;
use xxhash_rust::xxh3::Xxh3;

/// The random generator of every stream: `ChaCha` with 8 rounds, whose output is the same on every machine.
pub type Random = rand_chacha::ChaCha8Rng;

/// One number from a seed and some keys, for decisions that must not depend on the order in which they are made: the same
/// keys give the same number in every world. Keys are told apart by their lengths, so `["ab", "c"]` is not `["a", "bc"]`.
///
/// The function is XXH3 (64 bit) with the seed; it is part of what makes a recorded seed mean the same tomorrow.
#[must_use]
pub fn hash(seed: u64, keys: &[&[u8]]) -> u64 {
    let mut state = Xxh3::with_seed(seed);
    for key in keys {
        state.update(&(key.len() as u64).to_le_bytes());
        state.update(key);
    }
    state.digest()
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
}
