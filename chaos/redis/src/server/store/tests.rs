use super::*;
use futures_util::FutureExt as _;
use proptest::prelude::*;
use rand::SeedableRng as _;
use std::collections::BTreeMap;

fn store() -> Store {
    limited(0, Policy::Noeviction)
}

pub(super) fn limited(max_bytes: u64, policy: Policy) -> Store {
    Store::new(max_bytes, policy, Random::seed_from_u64(7)).0
}

/// The keys of database 0 in the order of their slots.
pub(super) fn keys(store: &Store) -> Vec<Vec<u8>> {
    let mut keys = vec![];
    store.scan(0, 0, usize::MAX, 0, |key| keys.push(key.to_vec()));
    keys
}

#[test]
fn a_key_is_gone_one_millisecond_after_its_deadline() {
    let mut store = store();
    store.set(0, b"k", b"v", Some(100));
    assert_eq!(store.get(0, b"k", 100).as_deref(), Some(&b"v"[..]));
    assert_eq!(store.get(0, b"k", 101), None);
    assert_eq!((store.len(0), store.used_bytes(), store.expired), (0, 0, 1));
    assert_eq!((store.hits, store.misses), (1, 1));
}

#[test]
fn a_sweep_takes_the_soonest_and_no_more_than_it_may() {
    let mut store = store();
    for n in 0..10_u8 {
        store.set(n % 2, &[n], b"v", Some(i64::from(n)));
    }
    assert_eq!(store.sweep(6, 4), 4);
    assert_eq!(store.next_deadline_ms(), Some(4));
    assert_eq!(store.sweep(6, 100), 2);
    assert_eq!(store.len(0) + store.len(1), 4);
    assert_eq!(store.keyspace().collect::<Vec<_>>(), [(0, 2, 2), (1, 2, 2)]);
}

#[test]
fn a_new_value_forgets_the_old_deadline() {
    let mut store = store();
    store.set(0, b"k", b"v", Some(100));
    store.set(0, b"k", b"w", None);
    assert_eq!(store.next_deadline_ms(), None);
    assert_eq!(store.get(0, b"k", 1000).as_deref(), Some(&b"w"[..]));
}

#[test]
fn only_sooner_deadlines_are_told() {
    let (mut store, expiring) = Store::new(0, Policy::Noeviction, Random::seed_from_u64(0));
    let told = |at: Option<i64>, store: &mut Store| {
        store.set(0, b"a", b"", at);
        expiring.notified().now_or_never().is_some()
    };
    assert!(!told(None, &mut store));
    assert!(told(Some(5), &mut store));
    assert!(!told(Some(5), &mut store));
    assert!(!told(Some(9), &mut store));
    assert!(told(Some(4), &mut store));
    store.wakes_at(9);
    assert!(told(Some(8), &mut store));
}

#[test]
fn a_watched_key_changes_when_it_is_set_removed_expires_or_gets_a_deadline() {
    type Change = fn(&mut Store);
    let changes: [(&str, Change); 6] = [
        ("set", |store| store.set(0, b"k", b"v", Some(100))),
        ("removed", |store| assert!(store.remove(0, b"k", 0))),
        ("deadline", |store| store.set_deadline(0, b"k", None)),
        ("flushed", |store| store.flush(0)),
        ("all flushed", Store::flush_all),
        ("swept", |store| assert_eq!(store.sweep(101, 1), 1)),
    ];
    for (name, change) in changes {
        let mut store = store();
        store.set(0, b"k", b"v", Some(100));
        let (key, none) = (Bytes::from_static(b"k"), Bytes::from_static(b"none"));
        let (since, none_since) = (store.watch(0, &key, 0), store.watch(0, &none, 0));
        store.set(1, b"k", b"v", None);
        store.get(0, b"k", 0);
        assert!(!store.is_changed(0, b"k", since, 0), "{name}");
        change(&mut store);
        assert!(store.is_changed(0, b"k", since, 0), "{name}");
        assert!(!store.is_changed(0, b"none", none_since, 0), "{name}");
        let again = store.watch(0, &key, 0);
        assert!(!store.is_changed(0, b"k", again, 0), "{name}");
    }
    let mut store = store();
    store.set(0, b"k", b"v", Some(100));
    let since = store.watch(0, &Bytes::from_static(b"k"), 0);
    assert!(store.is_changed(0, b"k", since, 101));
}

#[derive(Clone, Debug)]
enum Step {
    Set(u8, u8, usize, Option<i64>),
    Deadline(u8, u8, i64),
    Remove(u8, u8),
    Get(u8, u8),
    Flush(u8),
    Sweep,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let (database, key) = (|| 0..2_u8, || 0..5_u8);
    prop_oneof![
        (database(), key(), 0..30_usize, proptest::option::of(0..60_i64))
            .prop_map(|(d, k, n, at)| Step::Set(d, k, n, at)),
        (database(), key(), 0..60_i64).prop_map(|(d, k, at)| Step::Deadline(d, k, at)),
        (database(), key()).prop_map(|(d, k)| Step::Remove(d, k)),
        (database(), key()).prop_map(|(d, k)| Step::Get(d, k)),
        database().prop_map(Step::Flush),
        Just(Step::Sweep),
        (1..20_i64).prop_map(Step::Wait),
    ]
}

/// Model of the store, kept the slow way.
type Model = BTreeMap<(u8, u8), (usize, Option<i64>)>;

fn deadline_ms(store: &mut Store, database: u8, key: u8, now: i64) -> Option<Option<i64>> {
    store.look(database, &[key], now, Look::Peek).map(|entry| entry.deadline_ms)
}

fn apply(step: &Step, store: &mut Store, model: &mut Model, now: &mut i64) -> Result<(), TestCaseError> {
    let live = |model: &Model, database: u8, key: u8, now: i64| {
        model.get(&(database, key)).copied().filter(|(_, at)| at.is_none_or(|at| at >= now))
    };
    match *step {
        Step::Set(database, key, length, after) => {
            let deadline = after.map(|after| *now + after);
            store.set(database, &[key], &vec![0; length], deadline);
            model.insert((database, key), (length, deadline));
        }
        Step::Deadline(database, key, after) => {
            let is_live = live(model, database, key, *now).is_some();
            prop_assert_eq!(deadline_ms(store, database, key, *now).is_some(), is_live);
            store.set_deadline(database, &[key], Some(*now + after));
            if is_live && let Some((_, deadline)) = model.get_mut(&(database, key)) {
                *deadline = Some(*now + after);
            }
        }
        Step::Remove(database, key) => {
            prop_assert_eq!(store.remove(database, &[key], *now), live(model, database, key, *now).is_some());
            model.remove(&(database, key));
        }
        Step::Get(database, key) => {
            let expected = live(model, database, key, *now);
            let length = store.get(database, &[key], *now).map(|value| value.len());
            prop_assert_eq!(length, expected.map(|(length, _)| length));
            prop_assert_eq!(deadline_ms(store, database, key, *now), expected.map(|(_, deadline)| deadline));
        }
        Step::Flush(database) => {
            store.flush(database);
            model.retain(|(number, _), _| *number != database);
        }
        Step::Sweep => {
            store.sweep(*now, usize::MAX);
            model.retain(|_, (_, deadline)| deadline.is_none_or(|deadline| deadline >= *now));
            let bytes: usize = model.values().map(|(length, _)| 1 + length + OVERHEAD_BYTES).sum();
            prop_assert_eq!(store.used_bytes(), bytes as u64);
            prop_assert_eq!(store.len(0) + store.len(1), model.len());
            prop_assert_eq!(store.next_deadline_ms(), model.values().filter_map(|(_, deadline)| *deadline).min());
        }
        Step::Wait(ms) => *now += ms,
    }
    Ok(())
}

proptest! {
    #[test]
    fn bytes_keys_and_deadlines_are_always_accounted_for(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut store, mut model, mut now) = (store(), Model::new(), 0);
        for step in steps.iter().chain([&Step::Sweep]) {
            apply(step, &mut store, &mut model, &mut now)?;
        }
    }
    #[test]
    fn a_scan_meets_once_what_is_there_all_the_while(
        stays in proptest::collection::btree_set(0..200_u8, 0..40),
        others in proptest::collection::vec((200..=255_u8, any::<bool>()), 0..200),
        count in 1..15_usize,
    ) {
        let mut store = store();
        let mut others = others.into_iter();
        let mut disturb = |store: &mut Store| for (key, comes) in others.by_ref().take(5) {
            if comes {
                store.set(0, &[key], b"", None);
            } else {
                store.remove(0, &[key], 0);
            }
        };
        for key in &stays {
            disturb(&mut store);
            store.set(0, &[*key], b"", None);
        }
        let (mut met, mut cursor) = (vec![], 0);
        loop {
            cursor = store.scan(0, cursor, count, 0, |key| met.extend_from_slice(key));
            if cursor == 0 {
                break;
            }
            disturb(&mut store);
        }
        met.retain(|key| *key < 200);
        met.sort_unstable();
        prop_assert_eq!(met, stays.into_iter().collect::<Vec<_>>());
    }
}
