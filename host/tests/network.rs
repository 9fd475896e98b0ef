//! Conditions between the hosts of a network in memory: latency, bandwidth, cuts and pulled cables.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, helpers included")]

use host::{
    Host, Stream,
    memory::{Conditions, MemoryNetwork},
};
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

const MS: Duration = Duration::from_millis(1);
const CUT: Conditions = Conditions { latency: Duration::ZERO, bandwidth: None, cut: true };
const FINE: Conditions = Conditions { latency: Duration::ZERO, bandwidth: None, cut: false };

fn late(latency: Duration) -> Conditions {
    Conditions { latency, ..FINE }
}

/// Two hosts, and a connection from `a` to `b`.
async fn pair() -> (MemoryNetwork, Stream, Stream) {
    let network = MemoryNetwork::new(1);
    let (a, b) = connect(&network.host("a"), &network.host("b")).await;
    (network, a, b)
}

async fn connect(a: &Host, b: &Host) -> (Stream, Stream) {
    let mut listener = b.listen(80).unwrap();
    let (client, server) = tokio::join!(a.dial("b", 80), listener.accept());
    (client.unwrap(), server.unwrap())
}

async fn read(stream: &mut Stream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

#[tokio::test(start_paused = true)]
async fn bytes_and_connecting_take_the_latency_of_each_way() {
    let network = MemoryNetwork::new(1);
    network.set("a", "b", late(30 * MS));
    network.set("b", "a", late(5 * MS));
    let began = Instant::now();
    let (mut a, mut b) = connect(&network.host("a"), &network.host("b")).await;
    assert_eq!(began.elapsed(), 35 * MS, "there and back");
    let began = Instant::now();
    a.write_all(b"ping").await.unwrap();
    assert_eq!(read(&mut b, 4).await, b"ping");
    assert_eq!(began.elapsed(), 30 * MS);
    b.write_all(b"pong").await.unwrap();
    assert_eq!(read(&mut a, 4).await, b"pong");
    assert_eq!(began.elapsed(), 35 * MS);
    drop(b);
    assert_eq!(a.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(began.elapsed(), 40 * MS, "the end travels too");
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_not_overtaken() {
    let (network, mut a, mut b) = pair().await;
    network.set("a", "b", late(50 * MS));
    a.write_all(b"1").await.unwrap();
    network.set("a", "b", FINE);
    a.write_all(b"2").await.unwrap();
    let began = Instant::now();
    assert_eq!(read(&mut b, 2).await, b"12");
    assert_eq!(began.elapsed(), 50 * MS);
    a.write_all(b"3").await.unwrap();
    assert_eq!(read(&mut b, 1).await, b"3");
    assert_eq!(began.elapsed(), 50 * MS, "then it is as fast as ever");
}

#[tokio::test(start_paused = true)]
async fn a_bandwidth_is_shared_by_all_connections_of_a_way() {
    let network = MemoryNetwork::new(1);
    let (here, there) = (network.host("a"), network.host("b"));
    let mut ends = Vec::new();
    for _ in 0..2 {
        ends.push(connect(&here, &there).await);
    }
    network.set("a", "b", Conditions { bandwidth: Some(10_000), ..FINE });
    let began = Instant::now();
    for (a, _) in &mut ends {
        a.write_all(&[7; 5_000]).await.unwrap();
    }
    for (_, b) in &mut ends {
        read(b, 5_000).await;
    }
    assert_eq!(began.elapsed(), 1000 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_writer_waits_for_what_is_under_way() {
    let (network, mut a, mut b) = pair().await;
    network.set("a", "b", late(10 * MS));
    let began = Instant::now();
    let writes = async {
        a.write_all(&[7; 256 * 1024]).await.unwrap();
        began.elapsed()
    };
    let (wrote, _) = tokio::join!(writes, read(&mut b, 256 * 1024));
    assert!(wrote >= 30 * MS, "{wrote:?}: only as much as a socket holds can be under way at once");
}

#[tokio::test(start_paused = true)]
async fn what_a_cut_loses_is_sent_again_when_tcp_would() {
    let (network, mut a, mut b) = pair().await;
    network.set_both("a", "b", CUT);
    let began = Instant::now();
    a.write_all(b"lost").await.unwrap();
    drop(a);
    assert!(timeout(1000 * MS, read(&mut b, 1)).await.is_err(), "nothing comes through a cut");
    network.set_both("a", "b", FINE);
    assert_eq!(read(&mut b, 4).await, b"lost");
    // Sent again after 200, 600, 1400 ms.
    assert_eq!(began.elapsed(), 1400 * MS);
    assert_eq!(b.read(&mut [0; 1]).await.unwrap(), 0, "and so is the end");
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_is_lost_leaves_a_half_open_connection() {
    let (network, a, mut b) = pair().await;
    network.set_both("a", "b", CUT);
    a.abort();
    tokio::time::sleep(1000 * MS).await;
    network.set_both("a", "b", FINE);
    assert!(timeout(3_600_000 * MS, b.read(&mut [0; 1])).await.is_err(), "nobody tells b");
    b.write_all(b"still there?").await.unwrap();
    let error = b.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn what_meets_nobody_after_a_cut_is_answered_with_a_reset() {
    let (network, a, mut b) = pair().await;
    network.set_both("a", "b", CUT);
    b.write_all(b"lost").await.unwrap();
    a.abort();
    network.set_both("a", "b", late(10 * MS));
    let began = Instant::now();
    let error = b.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(began.elapsed(), 220 * MS, "sent again, and answered");
}

#[tokio::test(start_paused = true)]
async fn connecting_through_a_cut_waits_for_the_next_syn() {
    let network = MemoryNetwork::new(1);
    let (a, b) = (network.host("a"), network.host("b"));
    let mut listener = b.listen(80).unwrap();
    network.set("b", "a", CUT);
    let began = Instant::now();
    let mend = async {
        tokio::time::sleep(2500 * MS).await;
        network.set("b", "a", FINE);
    };
    let (dialed, _, accepted) = tokio::join!(a.dial("b", 80), mend, listener.accept());
    assert!(dialed.is_ok() && accepted.is_ok());
    assert_eq!(began.elapsed(), 3000 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_pulled_cable_cuts_a_node_from_all_others_and_not_from_itself() {
    let network = MemoryNetwork::new(1);
    let [a, b, c] = ["a", "b", "c"].map(|name| network.host(name));
    let mut listener = b.listen(80).unwrap();
    network.unplug("b");
    assert!(timeout(500 * MS, a.dial("b", 80)).await.is_err());
    let (itself, accepted) = tokio::join!(b.dial("localhost", 80), listener.accept());
    assert!(itself.is_ok() && accepted.is_ok());
    let other = c.listen(80).unwrap();
    assert!(timeout(500 * MS, a.dial("c", 80)).await.is_ok());
    network.plug_in("b");
    let (dialed, accepted) = tokio::join!(a.dial("b", 80), listener.accept());
    assert!(dialed.is_ok() && accepted.is_ok());
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn a_reset_of_bytes_under_way_throws_away_those_that_have_not_left() {
    let (network, mut a, mut b) = pair().await;
    network.set("a", "b", CUT);
    a.write_all(b"lost").await.unwrap();
    assert_eq!(a.unsent(), 4);
    network.set("a", "b", late(10 * MS));
    a.write_all(b"late").await.unwrap();
    assert_eq!(a.unsent(), 8);
    tokio::time::sleep(300 * MS).await;
    assert_eq!((a.unsent(), read(&mut b, 8).await), (0, b"lostlate".to_vec()));
    a.write_all(b"seen").await.unwrap();
    a.abort();
    assert_eq!(read(&mut b, 4).await, b"seen", "what has left arrives before the reset");
    assert_eq!(b.read(&mut [0; 1]).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}
