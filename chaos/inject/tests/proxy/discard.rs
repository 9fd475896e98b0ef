//! Bytes that are thrown away, and faults whose settings change while they are there.

use super::support::{MS, Pair, World, apply, assert_reset, fault, latency, pass, remove, rest};
use chaos_inject::Proxy;
use chaos_model::effect::{Bandwidth, Discard, HalfOpen, Limit, discard::Then};
use chaos_model::{Directions, Effect, Fault, Share, event::Fired};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

conformance!(
    what_is_thrown_away_is_gone_and_its_connections_end_with_the_fault,
    silence_closes_and_signs_of_life_put_it_off,
    the_first_bytes_are_followed_by_a_reset,
    a_connection_that_lost_nothing_goes_on,
    a_limit_counts_over_changes_of_its_settings,
    a_change_holds_on_open_connections_and_leaves_no_moment_without,
    a_share_that_changes_takes_the_same_and_more,
);

const DOWN: Directions = Directions::Downstream;

fn discard(direction: Directions, then: Then) -> Fault {
    fault("lost", Discard { direction, then }.into())
}

async fn change(proxy: &Proxy, effect: impl Into<Effect>, share: Share) {
    proxy.change(Fault { share, ..fault("it", effect.into()) }).await.unwrap();
}

async fn what_is_thrown_away_is_gone_and_its_connections_end_with_the_fault(world: &World) {
    let (proxy, Pair { mut client, mut served, mut listener }) = world.pair().await;
    apply(&proxy, discard(DOWN, Then::Nothing)).await;
    pass(&mut client, &mut served, b"a question").await;
    served.write_all(b"a response that nobody hears").await.unwrap();
    world.assert_silent(&mut client).await;
    served.shutdown().await.unwrap();
    world.assert_silent(&mut client).await;
    let (mut idle, _idle_served) = world.connect(&proxy, &mut listener).await;
    let fired = remove(&proxy, "lost").await;
    assert!(fired.connections == 2 && fired.chunks >= 1, "{fired:?}");
    assert_eq!(rest(&mut client).await, (Vec::new(), Ok(())), "nothing of it comes later");
    assert_eq!(rest(&mut idle).await, (Vec::new(), Ok(())));
    let (mut new, mut new_served) = world.connect(&proxy, &mut listener).await;
    pass(&mut new_served, &mut new, b"all is well").await;
}

async fn silence_closes_and_signs_of_life_put_it_off(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, discard(DOWN, Then::Close(400 * MS))).await;
    let began = Instant::now();
    for _ in 0..3 {
        world.client.sleep(150 * MS).await;
        served.write_all(b"x").await.unwrap();
    }
    assert_eq!(rest(&mut client).await, (Vec::new(), Ok(())));
    assert!(began.elapsed() >= 850 * MS, "{:?}", began.elapsed());
    let fired = remove(&proxy, "lost").await;
    assert_eq!((fired.closes, fired.resets), (1, 0));
    // What waits unread makes the service's end a reset (RFC 1122, 4.2.2.13), where its kernel has some.
    let (got, _) = rest(&mut served).await;
    assert!(got.is_empty(), "{got:?}");
}

async fn the_first_bytes_are_followed_by_a_reset(world: &World) {
    let (proxy, Pair { mut client, mut served, mut listener }) = world.pair().await;
    apply(&proxy, discard(DOWN, Then::Reset(Duration::ZERO))).await;
    pass(&mut client, &mut served, b"the other way passes").await;
    world.assert_silent_for(&mut client, 30 * MS).await;
    served.write_all(b"x").await.unwrap();
    assert_reset(&mut client).await;
    assert_reset(&mut served).await;
    remove(&proxy, "lost").await;
    apply(&proxy, discard(Directions::Upstream, Then::Reset(100 * MS))).await;
    let (mut new, mut new_served) = world.connect(&proxy, &mut listener).await;
    let began = Instant::now();
    new.write_all(b"x").await.unwrap();
    assert_reset(&mut new).await;
    assert!(began.elapsed() >= 100 * MS, "{:?}", began.elapsed());
    assert_reset(&mut new_served).await;
    let fired = remove(&proxy, "lost").await;
    assert_eq!((fired.connections, fired.resets), (1, 1));
}

async fn a_connection_that_lost_nothing_goes_on(world: &World) {
    let (proxy, Pair { mut client, mut served, mut listener }) = world.pair().await;
    let (mut other, mut other_served) = world.connect(&proxy, &mut listener).await;
    pass(&mut other, &mut other_served, b"hello").await;
    apply(&proxy, discard(DOWN, Then::Reset(Duration::from_secs(3600)))).await;
    served.write_all(b"x").await.unwrap();
    world.assert_silent_for(&mut client, 30 * MS).await;
    remove(&proxy, "lost").await;
    assert_reset(&mut client).await;
    pass(&mut other_served, &mut other, b"nothing was lost here").await;
}

async fn a_limit_counts_over_changes_of_its_settings(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    let limit = |bytes| Limit { bytes, direction: DOWN };
    apply(&proxy, fault("it", limit(10).into())).await;
    pass(&mut served, &mut client, b"123456").await;
    change(&proxy, limit(8), Share::ALL).await;
    served.write_all(b"789").await.unwrap();
    assert_eq!(rest(&mut client).await, (b"78".to_vec(), Ok(())), "six had gone before");
    assert_eq!(remove(&proxy, "it").await, Fired { connections: 1, closes: 1, ..Fired::default() });
}

async fn a_change_holds_on_open_connections_and_leaves_no_moment_without(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("it", HalfOpen { direction: DOWN }.into())).await;
    served.write_all(b"held").await.unwrap();
    // Slow enough that a moment without a fault would show.
    change(&proxy, latency(Duration::from_secs(3600), DOWN), Share::ALL).await;
    world.assert_silent_for(&mut client, 50 * MS).await;
    change(&proxy, Bandwidth { bytes_per_second: 1 << 20, direction: DOWN }, Share::ALL).await;
    let mut got = [0; 4];
    client.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"held");
    let fired = remove(&proxy, "it").await;
    assert_eq!((fired.connections, fired.chunks), (1, 1), "it is one fault, and met this once");
    assert!(proxy.change(fault("it", latency(MS, DOWN))).await.is_err(), "it is gone");
}

async fn a_share_that_changes_takes_the_same_and_more(world: &World) {
    let proxy = world.proxy();
    let share = |parts| Share { parts, whole: 100 };
    let effect = || Effect::from(HalfOpen { direction: DOWN });
    apply(&proxy, Fault { share: share(40), ..fault("it", effect()) }).await;
    let mut streams = Vec::new();
    for _ in 0..30 {
        streams.push(world.dial(&proxy).await.unwrap());
    }
    world.await_connections(&proxy, 30).await;
    let met = |proxy: &Proxy| proxy.fired()["it"].connections;
    let some = met(&proxy);
    assert!((1..30).contains(&some), "{some}");
    apply(&proxy, fault("neighbour", latency(MS, DOWN))).await;
    remove(&proxy, "neighbour").await;
    assert_eq!(met(&proxy), some, "a neighbour's coming and going draws nothing anew");
    change(&proxy, effect(), share(100)).await;
    assert_eq!(met(&proxy), 30, "those that it had met are not counted again");
    assert_eq!(proxy.matched()["it"], 30);
}
