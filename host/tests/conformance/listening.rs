//! Ports: who gets them, who is refused, and in which order connections are taken.

use crate::world::{World, assert_open, assert_reset, soon};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) async fn a_free_port_is_given_and_told(world: World) {
    let (mut one, mut two) = (world.listen(), world.listen());
    assert_ne!(one.port(), 0);
    assert_ne!(one.port(), two.port());
    for listener in [&mut one, &mut two] {
        let (mut client, mut server) = world.pair_on(listener).await;
        assert_open(&mut client, &mut server).await;
    }
}

pub(crate) async fn a_taken_port_is_in_use(world: World) {
    let listener = world.listen();
    let second = world.server.listen(listener.port());
    assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

pub(crate) async fn nobody_listening_is_refused(world: World) {
    // A port that was free a moment ago.
    let port = world.listen().port();
    assert_eq!(world.dial(port).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

pub(crate) async fn localhost_is_this_node(world: World) {
    let mut listener = world.listen();
    for name in ["localhost", "127.0.0.1"] {
        let mut client = world.server.dial(name, listener.port()).await.unwrap();
        let mut server = listener.accept().await.unwrap();
        assert_open(&mut client, &mut server).await;
    }
    let port = listener.port();
    drop(listener);
    assert_eq!(world.server.dial("localhost", port).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}

pub(crate) async fn dropping_a_listener_frees_its_port_and_refuses(world: World) {
    let listener = world.listen();
    let port = listener.port();
    drop(listener);
    assert_eq!(world.dial(port).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let mut again = world.server.listen(port).unwrap();
    assert_eq!(again.port(), port);
    world.pair_on(&mut again).await;
}

pub(crate) async fn dropping_a_listener_resets_what_it_had_not_taken(world: World) {
    let listener = world.listen();
    let mut client = world.dial(listener.port()).await.unwrap();
    drop(listener);
    assert_reset(&mut client).await;
}

pub(crate) async fn a_port_is_free_again_beside_its_open_connections(world: World) {
    let mut listener = world.listen();
    let port = listener.port();
    let (mut client, mut server) = world.pair_on(&mut listener).await;
    // One connection that the server closed first (on TCP it lingers in TIME_WAIT), and one that is still open.
    let (mut closed_client, closed_server) = world.pair_on(&mut listener).await;
    drop(closed_server);
    assert_eq!(closed_client.read(&mut [0]).await.unwrap(), 0);
    drop(closed_client);
    drop(listener);
    let mut again = world.server.listen(port).unwrap();
    world.pair_on(&mut again).await;
    assert_open(&mut client, &mut server).await;
}

pub(crate) async fn connections_are_taken_in_the_order_of_dialing(world: World) {
    let mut listener = world.listen();
    let mut clients = Vec::new();
    for number in 0..20 {
        let mut client = world.dial(listener.port()).await.unwrap();
        client.write_all(&[number]).await.unwrap();
        clients.push(client);
    }
    for number in 0..20 {
        let mut server = listener.accept().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), number);
    }
    assert!(soon(listener.accept()).await.is_none());
}

pub(crate) async fn an_abandoned_accept_loses_nothing(world: World) {
    let mut listener = world.listen();
    let port = listener.port();
    let dialing = world.client.clone();
    let address = world.address;
    let clients = world.client.spawn(async move {
        let mut clients = Vec::new();
        for _ in 0..100 {
            clients.push(dialing.dial(address, port).await.unwrap());
            tokio::task::yield_now().await;
        }
        clients
    });
    let mut taken = Vec::new();
    while taken.len() < 100 {
        tokio::select! {
            biased;
            stream = listener.accept() => taken.push(stream.unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    let mut clients = clients.await.unwrap();
    for (client, server) in clients.iter_mut().zip(&mut taken) {
        assert_open(client, server).await;
    }
}
