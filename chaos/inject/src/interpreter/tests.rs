use super::*;
use crate::{active::Chunk, ending::Ending};
use chaos_model::{
    Direction, Directions, Distribution, Effect, Endpoint, Fault, Link, OpenConnections, Share, Spread, Target,
    effect::{
        Bandwidth, Blackhole, DialDelay, HalfOpen, Hang, Latency, Limit, Refuse, Reset, Slice, SlowClose,
        action::Slices,
    },
};
use proptest::prelude::*;

use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const REFUSE: Effect = Effect::Refuse(Refuse { open: OpenConnections::Reset });

fn link() -> Link {
    Link { from: Endpoint::Service("gateway".to_owned()), to: "redis".to_owned(), label: None }
}

/// A fault that was applied after 100 ms, when ten connections had been accepted.
fn active(name: &str, effect: Effect, share: Share) -> Arc<Active> {
    let on = Target::Link(link());
    let fault = Fault { share, lasts: MS, ..Fault::new(name, on, effect) };
    Arc::new(Active::new(fault, 1, &link(), 100 * MS, 10))
}

fn interpreter(effects: &[Effect]) -> Interpreter {
    let named = effects.iter().enumerate();
    Interpreter::of(named.map(|(nth, effect)| active(&nth.to_string(), effect.clone(), Share::ALL)).collect())
}

fn latency(delay: Duration, direction: Directions) -> Effect {
    Effect::Latency(Latency::of(
        Spread { mean: delay, jitter: Duration::ZERO, distribution: Distribution::Uniform },
        direction,
    ))
}

fn chunk(direction: Direction, kth: u64) -> Chunk {
    Chunk { direction, kth, bytes: 100, arrived: 200 * MS }
}

const OPEN: Connection = Connection { nth: 3, accepted: Duration::from_millis(40) };
const NEW: Connection = Connection { nth: 12, accepted: Duration::from_millis(150) };

#[test]
fn nothing_is_done_where_there_is_no_fault() {
    let plan = Interpreter::default().on_connection(NEW);
    assert!(
        plan.is_clear(Direction::Upstream)
            && plan.is_clear(Direction::Downstream)
            && plan.reset().is_none()
            && plan.met().is_empty()
    );
    assert_eq!(Interpreter::default().listen_mode(), ListenMode::Accept);
}

#[test]
fn delays_add_up_by_direction() {
    let effects = [
        latency(MS, Directions::Upstream),
        latency(10 * MS, Directions::Downstream),
        latency(100 * MS, Directions::Both),
    ];
    let plan = interpreter(&effects).on_connection(NEW);
    assert_eq!(plan.on_chunk(chunk(Direction::Upstream, 0)), 101 * MS);
    assert_eq!(plan.on_chunk(chunk(Direction::Downstream, 0)), 110 * MS);
    assert_eq!(plan.acting(chunk(Direction::Upstream, 0)).count(), 2);
    let one_way = interpreter(&effects[..1]).on_connection(NEW);
    assert!(!one_way.is_clear(Direction::Upstream) && one_way.is_clear(Direction::Downstream));
}

#[test]
fn holding_stops_both_ways_and_the_delay_is_still_known() {
    for effect in [Effect::Hang(Hang {}), Effect::Blackhole(Blackhole {})] {
        let plan = interpreter(&[latency(MS, Directions::Upstream), effect]).on_connection(OPEN);
        assert!(
            plan.on(Direction::Upstream).holds
                && plan.on(Direction::Downstream).holds
                && !plan.is_clear(Direction::Upstream)
                && !plan.is_clear(Direction::Downstream)
        );
        assert_eq!(plan.on_chunk(chunk(Direction::Upstream, 0)), MS);
    }
}

#[test]
fn resets_count_from_the_fault_for_open_and_from_the_accept_for_new_connections() {
    let at = |effect, connection| interpreter(&[effect]).on_connection(connection).reset().map(|(at, _)| at);
    let later = Effect::Reset(Reset::after(30 * MS));
    assert_eq!(at(later.clone(), OPEN), Some(130 * MS));
    assert_eq!(at(later, NEW), Some(180 * MS));
    assert_eq!(at(REFUSE, OPEN), Some(100 * MS));
    assert_eq!(at(REFUSE, NEW), Some(150 * MS));
    let keep = Effect::Refuse(Refuse { open: OpenConnections::Keep });
    assert_eq!(at(keep.clone(), OPEN), None);
    assert_eq!(at(keep, NEW), Some(150 * MS));
}

#[test]
fn the_earliest_reset_wins_and_holding_does_not_stop_it() {
    let effects = [Effect::Hang(Hang {}), Effect::Reset(Reset::after(30 * MS)), Effect::Reset(Reset::after(20 * MS))];
    let plan = interpreter(&effects).on_connection(NEW);
    let (at, fault) = plan.reset().expect("a reset");
    assert_eq!((at, fault.fault.name.as_str()), (170 * MS, "2"));
}

#[test]
fn the_listener_answers_for_all_or_not_at_all() {
    assert_eq!(interpreter(&[Effect::Blackhole(Blackhole {}), REFUSE]).listen_mode(), ListenMode::Refuse);
    assert_eq!(
        interpreter(&[Effect::Hang(Hang {}), Effect::Blackhole(Blackhole {})]).listen_mode(),
        ListenMode::Blackhole
    );
    assert_eq!(
        interpreter(&[Effect::Hang(Hang {}), Effect::Reset(Reset::after(MS))]).listen_mode(),
        ListenMode::Accept
    );
    for effect in [REFUSE, Effect::Blackhole(Blackhole {})] {
        let partly = Interpreter::of(vec![active("some", effect, Share { parts: 99, whole: 100 })]);
        assert_eq!(partly.listen_mode(), ListenMode::Accept);
    }
}

#[test]
fn half_open_holds_one_way() {
    let plan = interpreter(&[HalfOpen { direction: Directions::Downstream }.into()]).on_connection(OPEN);
    assert!(plan.is_clear(Direction::Upstream) && plan.on(Direction::Downstream).holds);
}

#[test]
fn the_lowest_rate_holds_and_the_finest_pieces() {
    let rate = |bytes_per_second, direction| Effect::from(Bandwidth { bytes_per_second, direction });
    let slice = |size, gap| Effect::from(Slice { size, variation: 0, gap, direction: Directions::Both });
    let effects = [
        rate(3000, Directions::Both),
        rate(2000, Directions::Downstream),
        rate(5000, Directions::Both),
        slice(20, 3 * MS),
        slice(30, 7 * MS),
    ];
    let plan = interpreter(&effects).on_connection(OPEN);
    assert_eq!((plan.on(Direction::Upstream).rate, plan.on(Direction::Downstream).rate), (Some(3000), Some(2000)));
    assert_eq!(plan.on(Direction::Upstream).slices, Some(Slices { size: 20, variation: 0, gap: 7 * MS }));
    // A chunk that is smaller than the pieces isn't cut up.
    let small = |bytes| plan.acting(Chunk { bytes, ..chunk(Direction::Upstream, 0) }).count();
    assert_eq!((small(20), small(21), small(31)), (2, 3, 4));
}

#[test]
fn a_dial_delay_is_for_new_connections_and_for_what_comes_early() {
    let faults = interpreter(&[DialDelay { delay: 30 * MS }.into(), DialDelay { delay: 40 * MS }.into()]);
    assert!(faults.on_connection(OPEN).is_clear(Direction::Upstream));
    let plan = faults.on_connection(NEW);
    assert_eq!(plan.opens(), Some(220 * MS));
    assert!(!plan.is_clear(Direction::Upstream) && !plan.is_clear(Direction::Downstream));
    let acting = |arrived| plan.acting(Chunk { arrived, ..chunk(Direction::Upstream, 0) }).count();
    assert_eq!((acting(219 * MS), acting(220 * MS)), (2, 0));
}

#[test]
fn late_ends_add_up() {
    let plan = interpreter(&[SlowClose::by(MS).into(), SlowClose::by(2 * MS).into()]).on_connection(OPEN);
    assert_eq!((plan.close_delay(Direction::Upstream), plan.acting_on_end(Direction::Downstream).count()), (3 * MS, 2));
    assert!(!plan.is_clear(Direction::Upstream));
}

#[test]
fn what_counts_bytes_is_no_clear_way() {
    let limit = Limit { bytes: 9, direction: Directions::Upstream }.into();
    let plan = interpreter(&[limit]).on_connection(OPEN);
    assert!(plan.on(Direction::Upstream).counts && plan.is_clear(Direction::Downstream));
    assert_eq!(plan.met()[0].cut(), Some((9, Directions::Upstream, Ending::Close)));
}

#[test]
fn a_ramp_grows_the_delay_by_when_a_chunk_arrives() {
    let on = Target::Link(link());
    let fault = Fault { ramp: 100 * MS, ..Fault::new("slow", on, latency(60 * MS, Directions::Upstream)) };
    let faults = Interpreter::of(vec![Arc::new(Active::new(fault, 1, &link(), 100 * MS, 10))]);
    let plan = faults.on_connection(OPEN);
    let delay = |arrived| plan.on_chunk(Chunk { arrived: arrived * MS, ..chunk(Direction::Upstream, 0) });
    assert_eq!([100, 125, 150, 200, 300].map(delay), [0, 15, 30, 60, 60].map(|delay| delay * MS));
}

#[test]
fn a_ramp_grows_the_delay_of_connecting_by_when_a_connection_is_accepted() {
    let on = Target::Link(link());
    let fault = Fault { ramp: 100 * MS, ..Fault::new("slow", on, DialDelay { delay: 60 * MS }) };
    let faults = Interpreter::of(vec![Arc::new(Active::new(fault, 1, &link(), 100 * MS, 10))]);
    let opens = |accepted: u32| {
        let connection = Connection { nth: 11, accepted: accepted * MS };
        faults.on_connection(connection).opens().map_or(0, |opens| opens.as_millis())
    };
    assert_eq!([100, 125, 150, 200, 300].map(opens), [0, 140, 180, 260, 360]);
}

/// A fault with jitter and a share, so that every draw shows.
fn any_fault(name: String) -> impl Strategy<Value = Arc<Active>> {
    let jittered = |distribution| {
        Effect::Latency(Latency::of(Spread { mean: 50 * MS, jitter: 20 * MS, distribution }, Directions::Both))
    };
    let effects = vec![
        jittered(Distribution::Uniform),
        jittered(Distribution::Normal),
        Effect::Hang(Hang {}),
        Effect::Reset(Reset::after(MS)),
    ];
    (prop::sample::select(effects), 0..=100_u64)
        .prop_map(move |(effect, parts)| active(&name, effect, Share { parts, whole: 100 }))
}

fn any_faults() -> impl Strategy<Value = Vec<Arc<Active>>> {
    (0..6_usize).prop_flat_map(|count| (0..count).map(|nth| any_fault(nth.to_string())).collect::<Vec<_>>())
}

proptest! {
    /// Draws (the connections that a fault acts on, and each delay) are the same whatever other faults there are.
    #[test]
    fn other_faults_change_no_draw(faults in any_faults(), keep: u64, nth in 0..1000_u64, kth in 0..1000_u64) {
        let connection = Connection { nth, accepted: Duration::ZERO };
        let names = |plan: &Plan| plan.met().iter().map(|fault| fault.fault.name.clone()).collect::<Vec<_>>();
        let alone = |fault: &Arc<Active>| Interpreter::of(vec![Arc::clone(fault)]).on_connection(connection);
        let some = faults.iter().enumerate().filter(|(index, _)| keep >> index & 1 == 1);
        let some = some.map(|(_, fault)| Arc::clone(fault)).rev().collect::<Vec<_>>();
        let met = some.iter().flat_map(|fault| names(&alone(fault))).collect::<Vec<_>>();
        let delay = some.iter().map(|fault| alone(fault).on_chunk(chunk(Direction::Upstream, kth))).sum::<Duration>();
        let plan = Interpreter::of(some).on_connection(connection);
        prop_assert_eq!(names(&plan), met);
        prop_assert_eq!(plan.on_chunk(chunk(Direction::Upstream, kth)), delay);
        prop_assert_eq!(plan.on_chunk(chunk(Direction::Upstream, kth)), plan.on_chunk(chunk(Direction::Upstream, kth)));
    }
}
