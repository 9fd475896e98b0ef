//! A share of requests is one of requests: also where all of them come on one connection.

use crate::support::{NONCE, World, apply, fault};
use chaos_model::{Fault, Protocol, Share, effect::Status};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const REQUESTS: u64 = 10_000;
const SHARE: Share = Share { parts: 1, whole: 10 };

/// So many standard deviations to either side of the mean hold 99.99 % of a normal distribution.
const DEVIATIONS: f64 = 3.8906;

/// Requests that go at once, so that they take less time.
const AT_ONCE: u64 = 100;

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A service that answers on one connection: its port.
fn service(world: &World) -> u16 {
    let mut listener = world.service.listen(0).unwrap();
    let port = listener.port();
    drop(world.service.spawn(async move {
        let mut stream = listener.accept().await.unwrap();
        let (mut seen, mut ends) = (Vec::new(), 0);
        while stream.read_buf(&mut seen).await.is_ok_and(|count| count > 0) {
            // What is left of a request after its last whole line is less than that line's end.
            let all = seen.windows(4).filter(|four| four == b"\r\n\r\n").count();
            let last = seen.len().saturating_sub(3);
            seen.drain(..last);
            ends += all;
            stream.write_all(ANSWER.repeat(std::mem::take(&mut ends)).as_bytes()).await.unwrap();
        }
    }));
    port
}

/// The requests, by number, that are answered in the service's place.
async fn taken(world: &World, seed: u64) -> Vec<u64> {
    let proxy = world.seeded_proxy_of(Protocol::HTTP, seed);
    proxy.point_at(world.service_name(), service(world));
    let effect = Status { status: 503, body: String::new(), content_type: None };
    apply(&proxy, Fault { share: SHARE, ..fault("some", effect.into()) }).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    let mut taken = Vec::new();
    for first in (0..REQUESTS).step_by(100) {
        let ask = |n| format!("GET /users/{n} HTTP/1.1\r\nbaggage: chaos.request={NONCE}-{n}-0\r\n\r\n");
        let all: String = (first..first + AT_ONCE).map(ask).collect();
        stream.write_all(all.as_bytes()).await.unwrap();
        let statuses = statuses(&mut stream).await.unwrap();
        taken.extend((first..).zip(statuses).filter(|(_, status)| *status == 503).map(|(n, _)| n));
    }
    assert_eq!(proxy.connections(), 1);
    taken
}

/// The statuses of the responses to as many requests as go at once; none of them has a body.
async fn statuses(stream: &mut host::Stream) -> io::Result<Vec<u16>> {
    let (mut seen, mut statuses) = (Vec::new(), Vec::new());
    while statuses.len() < usize::try_from(AT_ONCE).unwrap() {
        stream.read_buf(&mut seen).await?;
        while let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = seen.drain(..end + 4).collect();
            statuses.push(std::str::from_utf8(&head[9..12]).unwrap().parse().unwrap());
        }
    }
    Ok(statuses)
}

fn assert_share(taken: &[u64], seed: u64) {
    let (count, share) = (REQUESTS as f64, SHARE.parts as f64 / SHARE.whole as f64);
    let off = (taken.len() as f64 - count * share).abs();
    let deviation = (count * share * (1.0 - share)).sqrt();
    assert!(off <= DEVIATIONS * deviation, "seed {seed}: {} of {REQUESTS}", taken.len());
}

#[tokio::test(start_paused = true)]
async fn a_tenth_of_ten_thousand_requests_on_one_connection() {
    let mut all = Vec::new();
    for seed in 0..20 {
        let first = taken(&World::memory(), seed).await;
        assert_share(&first, seed);
        assert_eq!(first, taken(&World::memory(), seed).await, "seed {seed}, once more");
        all.push(first);
    }
    all.dedup();
    assert_eq!(all.len(), 20, "each seed takes others");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_requests_over_tcp() {
    let over_tcp = taken(&World::tcp(), 3).await;
    assert_share(&over_tcp, 3);
    assert_eq!(over_tcp, taken(&World::tcp(), 3).await, "once more");
}

#[tokio::test(start_paused = true)]
async fn in_memory_and_over_tcp_alike() {
    let in_memory = taken(&World::memory(), 3).await;
    // Paused time and real sockets don't mix.
    let over_tcp = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async { taken(&World::tcp(), 3).await })
    });
    assert_eq!(in_memory, over_tcp.join().unwrap());
}
