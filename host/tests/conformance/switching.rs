//! Changes of mode, at any time and from anywhere.

use crate::world::{World, assert_open, soon};
use host::ListenMode;
use std::io;
use tokio::io::AsyncReadExt as _;

const ALL: [ListenMode; 4] = [ListenMode::Accept, ListenMode::Refuse, ListenMode::Hang, ListenMode::Blackhole];

/// Result of a dial: `None` where it doesn't complete.
async fn met(world: &World, port: u16) -> Option<io::ErrorKind> {
    let dialed = soon(world.dial(port)).await?;
    Some(dialed.map_or_else(|error| error.kind(), |_| io::ErrorKind::Other))
}

pub(crate) async fn every_change_of_mode_takes_effect(world: World) {
    for from in ALL {
        for to in ALL {
            let listener = world.listen();
            let control = listener.control();
            control.set(from).unwrap();
            control.set(to).unwrap();
            let expected = match to {
                // Connected.
                ListenMode::Accept | ListenMode::Hang => Some(io::ErrorKind::Other),
                ListenMode::Refuse => Some(io::ErrorKind::ConnectionRefused),
                ListenMode::Blackhole => None,
            };
            assert_eq!(met(&world, listener.port()).await, expected, "from {from:?} to {to:?}");
        }
    }
}

pub(crate) async fn many_switches_leave_a_listener_that_works(world: World) {
    let mut listener = world.listen();
    let control = listener.control();
    for round in 0..100 {
        for mode in
            [ListenMode::Refuse, ListenMode::Blackhole, ListenMode::Refuse, ListenMode::Hang, ListenMode::Accept]
        {
            control.set(mode).unwrap();
        }
        if round % 10 == 0 {
            let (mut client, mut server) = world.pair_on(&mut listener).await;
            assert_open(&mut client, &mut server).await;
        }
    }
}

pub(crate) async fn switching_wakes_an_idle_accept(world: World) {
    let mut listener = world.listen();
    let (port, control) = (listener.port(), listener.control());
    let accepting = world.server.spawn(async move {
        let stream = listener.accept().await.unwrap();
        (listener, stream)
    });
    // Let the task reach its wait, then change the mode under its hands.
    assert!(soon(std::future::pending::<()>()).await.is_none());
    for mode in [ListenMode::Refuse, ListenMode::Accept, ListenMode::Hang, ListenMode::Refuse, ListenMode::Hang] {
        control.set(mode).unwrap();
        tokio::task::yield_now().await;
    }
    let mut client = world.dial(port).await.unwrap();
    assert!(!accepting.is_finished());
    control.set(ListenMode::Accept).unwrap();
    let (_listener, mut server) = accepting.await.unwrap();
    assert_open(&mut client, &mut server).await;
}

pub(crate) async fn switching_back_and_forth_while_nobody_accepts(world: World) {
    let mut listener = world.listen();
    // It has waited before, so that it is registered wherever it has to be.
    assert!(soon(listener.accept()).await.is_none());
    for mode in [ListenMode::Refuse, ListenMode::Accept] {
        listener.control().set(mode).unwrap();
    }
    assert!(soon(listener.accept()).await.is_none());
    let (mut client, mut server) = world.pair_on(&mut listener).await;
    assert_open(&mut client, &mut server).await;
}

pub(crate) async fn switching_under_load_loses_no_accept_loop(world: World) {
    let mut listener = world.listen();
    let (port, control) = (listener.port(), listener.control());
    let serving = world.server.spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    let (dialing, address) = (world.client.clone(), world.address);
    let load = world.client.spawn(async move {
        for _ in 0..500 {
            match dialing.dial(address, port).await {
                // Closed in good order or reset before it was taken: both are an end.
                Ok(mut stream) => drop(stream.read(&mut [0]).await),
                Err(error) => {
                    // The mode may also change in the middle of a handshake.
                    let expected = [io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionReset];
                    assert!(expected.contains(&error.kind()), "{error:?}");
                }
            }
            tokio::task::yield_now().await;
        }
    });
    while !load.is_finished() {
        for mode in [ListenMode::Refuse, ListenMode::Accept, ListenMode::Hang, ListenMode::Refuse, ListenMode::Accept] {
            control.set(mode).unwrap();
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    load.await.unwrap();
    let mut client = world.dial(port).await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "taken and closed");
    serving.abort();
}
