//! Listeners that refuse, hang or are a black hole, as clients meet them.

use crate::world::{World, assert_open, assert_reset, soon, until};
use host::ListenMode;
use std::{io, time::Duration};
use tokio::time::Instant;

pub(crate) async fn refusing_refuses_and_counts(world: World) {
    let mut listener = world.listen();
    let control = listener.control();
    assert_eq!(control.turned_away().refused, 0);
    control.set(ListenMode::Refuse).unwrap();
    for _ in 0..5 {
        assert_eq!(world.dial(listener.port()).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
    // On TCP the count is the machine's: others may add to it.
    assert!(control.turned_away().refused >= 5, "{:?}", control.turned_away());
    control.set(ListenMode::Accept).unwrap();
    let after = control.turned_away();
    assert!(after.refused >= 5 && after.dropped == 0, "{after:?}");
    world.pair_on(&mut listener).await;
    assert_eq!(control.turned_away(), after, "nothing is counted while connections are taken");
}

pub(crate) async fn refusing_resets_what_was_not_taken_and_spares_what_was(world: World) {
    let mut listener = world.listen();
    let (mut client, mut server) = world.pair_on(&mut listener).await;
    let mut waiting = world.dial(listener.port()).await.unwrap();
    listener.control().set(ListenMode::Refuse).unwrap();
    assert_reset(&mut waiting).await;
    assert_open(&mut client, &mut server).await;
    listener.control().set(ListenMode::Accept).unwrap();
    assert!(soon(listener.accept()).await.is_none(), "a connection that was reset is never taken");
    assert_open(&mut client, &mut server).await;
}

pub(crate) async fn a_refused_port_stays_taken(world: World) {
    let mut listener = world.listen();
    let port = listener.port();
    // A connection beside it must neither free the port nor keep it from listening again.
    let (mut client, mut server) = world.pair_on(&mut listener).await;
    listener.control().set(ListenMode::Refuse).unwrap();
    assert_eq!(world.server.listen(port).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    listener.control().set(ListenMode::Accept).unwrap();
    assert_eq!(listener.port(), port);
    world.pair_on(&mut listener).await;
    assert_open(&mut client, &mut server).await;
    drop(listener);
    world.server.listen(port).unwrap();
}

pub(crate) async fn hanging_connects_and_is_taken_on_resuming(world: World) {
    let mut listener = world.listen();
    listener.control().set(ListenMode::Hang).unwrap();
    let mut one = world.dial(listener.port()).await.unwrap();
    let mut two = world.dial(listener.port()).await.unwrap();
    assert!(soon(listener.accept()).await.is_none(), "nobody takes it");
    listener.control().set(ListenMode::Accept).unwrap();
    for client in [&mut one, &mut two] {
        let mut server = listener.accept().await.unwrap();
        assert_open(client, &mut server).await;
    }
    assert_eq!(listener.control().turned_away().dropped, 0);
}

pub(crate) async fn a_blackhole_lets_nobody_connect_and_counts(world: World) {
    let mut listener = world.listen();
    let control = listener.control();
    control.set(ListenMode::Blackhole).unwrap();
    for _ in 0..3 {
        assert!(soon(world.dial(listener.port())).await.is_none(), "connecting must not complete");
    }
    let dropped = control.turned_away().dropped;
    assert_eq!(dropped, 3, "one SYN each in so short a time");
    // Those that gave up aren't heard of again.
    control.set(ListenMode::Accept).unwrap();
    assert!(soon(listener.accept()).await.is_none());
    world.pair_on(&mut listener).await;
    assert_eq!(control.turned_away().dropped, dropped);
}

pub(crate) async fn a_pending_connect_completes_after_the_blackhole(world: World) {
    let mut listener = world.listen();
    let control = listener.control();
    control.set(ListenMode::Blackhole).unwrap();
    let started = Instant::now();
    let (dialing, address, port) = (world.client.clone(), world.address, listener.port());
    let pending = world.client.spawn(async move { dialing.dial(address, port).await.unwrap() });
    until(|| control.turned_away().dropped == 1).await;
    control.set(ListenMode::Accept).unwrap();
    let mut server = listener.accept().await.unwrap();
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(900), "the next SYN comes after a second, not after {waited:?}");
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    assert_open(&mut pending.await.unwrap(), &mut server).await;
}

pub(crate) async fn a_blackhole_spares_open_connections(world: World) {
    let mut listener = world.listen();
    let (mut client, mut server) = world.pair_on(&mut listener).await;
    listener.control().set(ListenMode::Blackhole).unwrap();
    assert_open(&mut client, &mut server).await;
    listener.control().set(ListenMode::Accept).unwrap();
    assert_open(&mut client, &mut server).await;
    // A connection that is made afterwards has nothing of the black hole left.
    let (mut client, mut server) = world.pair_on(&mut listener).await;
    assert_open(&mut client, &mut server).await;
}

pub(crate) async fn the_same_mode_twice_changes_nothing(world: World) {
    let mut listener = world.listen();
    let control = listener.control();
    for mode in [ListenMode::Refuse, ListenMode::Hang, ListenMode::Blackhole, ListenMode::Accept] {
        control.set(mode).unwrap();
        control.set(mode).unwrap();
    }
    world.pair_on(&mut listener).await;
    assert_eq!(control.turned_away().dropped, 0);
}

pub(crate) async fn a_control_outlives_its_listener(world: World) {
    for last in [ListenMode::Accept, ListenMode::Refuse, ListenMode::Hang, ListenMode::Blackhole] {
        let listener = world.listen();
        let (port, control) = (listener.port(), listener.control());
        control.set(last).unwrap();
        drop(listener);
        for mode in [ListenMode::Refuse, ListenMode::Blackhole, ListenMode::Hang, ListenMode::Accept] {
            control.set(mode).unwrap();
            let refused = soon(world.dial(port)).await.expect("nothing listens, so nothing can hang").unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        }
        let mut again = world.server.listen(port).unwrap();
        control.set(ListenMode::Refuse).unwrap();
        world.pair_on(&mut again).await;
    }
}
