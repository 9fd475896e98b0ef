use super::{
    super::{
        OVERHEAD_BYTES, cost,
        tests::{keys, limited},
    },
    *,
};
use host::Random;
use proptest::prelude::*;
use rand::SeedableRng as _;

#[test]
fn room_is_what_the_limit_leaves() {
    let mut store = limited(1000, Policy::Noeviction);
    assert!(store.make_room(1000 - OVERHEAD_BYTES, 0));
    assert!(!store.make_room(1001 - OVERHEAD_BYTES, 0));
    store.set(0, b"k", &[0; 499], Some(10));
    assert!(store.make_room(1000 - 500 - 2 * OVERHEAD_BYTES, 0));
    assert!(!store.make_room(1001 - 500 - 2 * OVERHEAD_BYTES, 0));
    // What has expired makes room without any policy.
    assert!(store.make_room(1000 - OVERHEAD_BYTES, 11));
    assert_eq!((store.expired, store.evicted), (1, 0));
}

/// A store with room for four keys of one byte and no value, and keys `a`, `b` (until 20), `c` (until 10), `d`.
fn full(policy: Policy) -> Store {
    let mut store = limited(4 * cost(1), policy);
    for (key, deadline_ms) in [(b"a", None), (b"b", Some(20)), (b"c", Some(10)), (b"d", None)] {
        assert!(store.make_room(1, 0));
        store.set(0, key, b"", deadline_ms);
    }
    store
}

#[test]
fn each_policy_evicts_what_it_should() {
    for (policy, read, gone) in [
        (Policy::AllkeysLru, "", "a"),
        (Policy::AllkeysLru, "a", "b"),
        (Policy::AllkeysLru, "abc", "d"),
        (Policy::VolatileLru, "", "b"),
        (Policy::VolatileLru, "b", "c"),
        (Policy::VolatileTtl, "c", "c"),
        (Policy::AllkeysLfu, "aaaaaaabbbbbbbddddddd", "c"),
        (Policy::VolatileLfu, "ccccccc", "b"),
    ] {
        let mut store = full(policy);
        for key in read.bytes() {
            assert!(store.get(0, &[key], 0).is_some());
        }
        assert!(store.make_room(1, 0), "{policy}");
        let left = b"abcd".iter().filter(|key| **key != gone.as_bytes()[0]).map(|key| vec![*key]).collect::<Vec<_>>();
        assert_eq!(keys(&store), left, "{policy} after {read:?}");
        assert_eq!(store.evicted, 1);
    }
}

#[test]
fn where_nothing_may_go_there_is_no_room() {
    assert!(!full(Policy::Noeviction).make_room(1, 0));
    for policy in [Policy::VolatileLru, Policy::VolatileLfu, Policy::VolatileRandom, Policy::VolatileTtl] {
        let mut store = full(policy);
        assert!(store.make_room(1 + OVERHEAD_BYTES, 0), "{policy}");
        assert_eq!(keys(&store), [b"a", b"d"], "{policy}");
        store.set(0, b"e", &[0; OVERHEAD_BYTES], None);
        assert!(!store.make_room(1, 0), "{policy}");
    }
    // What could never fit drives nobody out.
    let mut store = full(Policy::AllkeysLru);
    assert!(!store.make_room(4 * (1 + OVERHEAD_BYTES), 0));
    assert_eq!(store.len(0), 4);
}

#[test]
fn a_lower_limit_evicts_at_once() {
    let mut store = full(Policy::AllkeysLru);
    store.set_max_bytes(2 * cost(1), 0);
    assert_eq!(keys(&store), [b"c", b"d"]);
    let mut store = full(Policy::Noeviction);
    store.set_max_bytes(2 * cost(1), 0);
    assert_eq!((store.len(0), store.make_room(0, 0)), (4, false));
}

#[test]
fn chance_repeats_with_the_seed() {
    let drawn = |seed| {
        let mut store = Store::new(50 * cost(2), Policy::AllkeysRandom, Random::seed_from_u64(seed)).0;
        for n in 0..500_u16 {
            assert!(store.make_room(2, 0));
            store.set(0, &n.to_be_bytes(), b"", None);
        }
        let random = (0..20).map(|_| store.random_key(0, 0).map(<[u8]>::to_vec)).collect::<Vec<_>>();
        (keys(&store), random)
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

proptest! {
    #[test]
    fn the_key_that_goes_is_always_the_one_that_was_not_used_for_longest(
        uses in proptest::collection::vec((0..12_u8, any::<bool>(), any::<bool>()), 1..200),
    ) {
        let mut store = limited(8 * cost(1), Policy::AllkeysLru);
        // Keys as they were used, the last one at the end.
        let mut model: Vec<u8> = vec![];
        for (key, writes, expires) in uses {
            let is_there = model.contains(&key);
            if !writes {
                prop_assert_eq!(store.get(0, &[key], 0).is_some(), is_there);
            } else {
                prop_assert!(store.make_room(1, 0));
                if model.len() == 8 {
                    model.remove(0);
                }
                store.set(0, &[key], b"", expires.then_some(1000));
            }
            if writes || is_there {
                model.retain(|other| *other != key);
                model.push(key);
            }
            let mut left = model.iter().map(|key| vec![*key]).collect::<Vec<_>>();
            let mut found = keys(&store);
            left.sort();
            found.sort();
            prop_assert_eq!(found, left);
            prop_assert!(store.used_bytes() <= 8 * cost(1));
        }
    }
}
