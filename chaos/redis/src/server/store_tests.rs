use super::*;
use proptest::prelude::*;

fn store() -> Store {
    Store::new(0).0
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
fn room_is_what_the_limit_leaves() {
    let mut store = Store::new(1000).0;
    assert!(store.has_room(1000 - OVERHEAD_BYTES));
    assert!(!store.has_room(1001 - OVERHEAD_BYTES));
    store.set(0, b"k", &[0; 499], None);
    assert!(store.has_room(1000 - 500 - 2 * OVERHEAD_BYTES));
    assert!(!store.has_room(1001 - 500 - 2 * OVERHEAD_BYTES));
    store.flush_all();
    assert!(store.has_room(1000 - OVERHEAD_BYTES));
}

#[tokio::test]
async fn the_first_deadline_is_told() {
    let (mut store, expiring) = Store::new(0);
    store.set(0, b"a", b"", None);
    let told = expiring.notified();
    tokio::pin!(told);
    assert!(!told.as_mut().enable());
    store.set(0, b"b", b"", Some(5));
    told.await;
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

/// What the store should say, kept the slow way.
type Model = BTreeMap<(u8, u8), (usize, Option<i64>)>;

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
            prop_assert_eq!(store.deadline_ms(database, &[key], *now).is_some(), is_live);
            store.set_deadline(database, &[key], *now + after);
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
            prop_assert_eq!(store.deadline_ms(database, &[key], *now), expected.map(|(_, deadline)| deadline));
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
}
