//! Connections: bytes, back-pressure, and the ways to end.

use crate::world::{World, assert_open, assert_reset, drain, soon};
use host::Stream;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const BIG: usize = 8 << 20;

/// Bytes that differ from place to place and between the two directions.
fn pattern(salt: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((i * 31 + i / 251 + salt) % 256).unwrap()).collect()
}

/// Sends and receives at once over one borrowed stream; the stream is whole again afterwards.
async fn exchange(stream: &mut Stream, send: &[u8], receive: usize) -> Vec<u8> {
    let (mut read, mut write) = stream.split();
    let mut received = vec![0; receive];
    let (sent, got) = tokio::join!(write.write_all(send), read.read_exact(&mut received));
    sent.unwrap();
    got.unwrap();
    received
}

pub(crate) async fn bytes_arrive_in_order_both_ways_at_once(world: World) {
    let (mut client, mut server) = world.pair().await;
    let (up, down) = (pattern(1, BIG), pattern(2, BIG));
    let (expected_up, answer) = (up.clone(), down.clone());
    let task = world.server.spawn(async move {
        let got = exchange(&mut server, &answer, BIG).await;
        assert!(got == expected_up, "the bytes upward differ");
        server
    });
    let got = exchange(&mut client, &up, BIG).await;
    assert!(got == down, "the bytes downward differ");
    assert_open(&mut client, &mut task.await.unwrap()).await;
}

/// Writes until the connection takes no more; how much it took.
async fn fill(write: &mut (impl AsyncWrite + Unpin)) -> usize {
    let mut taken = 0;
    while let Some(count) = soon(write.write(&[7; 4096])).await {
        taken += count.unwrap();
        assert!(taken < 64 << 20, "nothing holds the writer back");
    }
    taken
}

pub(crate) async fn a_writer_waits_for_a_slow_reader(world: World) {
    let (mut client, mut server) = world.pair().await;
    let taken = fill(&mut client).await;
    // Room at the other end wakes a writer that waits already.
    let writer = world.client.spawn(async move {
        client.write_all(&[8; 1 << 20]).await.unwrap();
        client.shutdown().await.unwrap();
    });
    let (bytes, end) = drain(&mut server).await;
    end.unwrap();
    writer.await.unwrap();
    assert_eq!(bytes.len(), taken + (1 << 20));
    assert!(bytes[..taken].iter().all(|byte| *byte == 7) && bytes[taken..].iter().all(|byte| *byte == 8));
}

pub(crate) async fn shutdown_ends_one_direction_only(world: World) {
    let (mut client, mut server) = world.pair().await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let (bytes, end) = drain(&mut server).await;
    end.unwrap();
    assert_eq!(bytes, b"question");
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0, "an end stays the end");
    server.write_all(b"answer").await.unwrap();
    server.shutdown().await.unwrap();
    let (bytes, end) = drain(&mut client).await;
    end.unwrap();
    assert_eq!(bytes, b"answer");
}

pub(crate) async fn what_was_written_before_a_drop_arrives(world: World) {
    let (mut client, mut server) = world.pair().await;
    server.write_all(&pattern(3, 50_000)).await.unwrap();
    drop(server);
    let (bytes, end) = drain(&mut client).await;
    end.unwrap();
    assert!(bytes == pattern(3, 50_000));
}

pub(crate) async fn dropping_unread_bytes_resets(world: World) {
    let (mut client, mut server) = world.pair().await;
    client.write_all(b"never read").await.unwrap();
    // The first byte alone is read, so that the others have arrived.
    server.read_exact(&mut [0]).await.unwrap();
    drop(server);
    assert_reset(&mut client).await;
}

pub(crate) async fn an_abort_resets_a_connection_that_was_in_use(world: World) {
    let (mut client, mut server) = world.pair().await;
    assert_open(&mut client, &mut server).await;
    let peer = world.client.spawn(async move {
        assert_reset(&mut client).await;
    });
    server.abort();
    peer.await.unwrap();

    // The client's end can do so, too.
    let (mut client, mut server) = world.pair().await;
    assert_open(&mut client, &mut server).await;
    client.abort();
    assert_reset(&mut server).await;
}

pub(crate) async fn an_abort_after_a_split_resets(world: World) {
    let (mut client, mut server) = world.pair().await;
    {
        let (mut read, mut write) = server.split();
        write.write_all(b"x").await.unwrap();
        client.read_exact(&mut [0]).await.unwrap();
        // A read that is under way when the pump gives up.
        assert!(soon(read.read(&mut [0])).await.is_none());
    }
    server.abort();
    assert_reset(&mut client).await;
}

pub(crate) async fn an_abort_wakes_a_peer_that_is_blocked_in_a_write(world: World) {
    let (mut client, server) = world.pair().await;
    fill(&mut client).await;
    let peer = world.client.spawn(async move { client.write_all(&[9; 1 << 20]).await.unwrap_err().kind() });
    server.abort();
    assert_eq!(peer.await.unwrap(), io::ErrorKind::ConnectionReset);
}

pub(crate) async fn bytes_that_arrived_before_an_abort_are_read_first(world: World) {
    let (mut client, mut server) = world.pair().await;
    server.write_all(b"half a body").await.unwrap();
    // Seen to have arrived: a read that asks for less leaves the rest in place.
    client.read_exact(&mut [0]).await.unwrap();
    server.abort();
    let (bytes, end) = drain(&mut client).await;
    assert_eq!(bytes, b"alf a body");
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

pub(crate) async fn writing_to_a_peer_that_is_gone_fails_in_the_end(world: World) {
    let (mut client, mut server) = world.pair().await;
    assert_open(&mut client, &mut server).await;
    drop(server);
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    // The first write still goes out: only the reset that comes back tells that nobody is there.
    client.write_all(b"anyone?").await.unwrap();
    let error = loop {
        match client.write_all(b"anyone?").await {
            Ok(()) => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

pub(crate) async fn writing_after_shutdown_is_a_broken_pipe(world: World) {
    let (mut client, _server) = world.pair().await;
    client.shutdown().await.unwrap();
    assert_eq!(client.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}
