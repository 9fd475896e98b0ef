//! Many profiles, and many clients that say nothing or too little.

use crate::{load, system::System};
use chaos_model::Variable;
use std::time::Duration;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

const PROFILES: u64 = 10_000;
const MEBIBYTE: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants a release build and a quiet machine"]
async fn ten_thousand_profiles_take_no_more_than_64_mib() {
    let system = System::start(&[("DATA_USERS", "10000"), ("GATEWAY_CACHE_TTL", "10m")]).await;
    let idle = system.resident("gateway");
    let each = Variable::Sequence { low: 1, high: PROFILES };
    let outcomes = load::put(&system, 800, Duration::from_secs(14), each.clone()).await;
    assert_eq!((outcomes.failed(), outcomes.partial()), (0, 0));
    assert!(outcomes.count() as u64 > PROFILES, "{} requests", outcomes.count());
    let full = system.resident("gateway");
    // All of them are there: without Redis, memory has each.
    system.kill("redis");
    system.until("cache_mode{mode=\"memory\"}", |value| value > 0.0, Duration::from_secs(5)).await;
    let before = system.metric("cache_hits_total{tier=\"memory\",freshness=\"fresh\"}").await;
    let outcomes = load::put(&system, 1000, Duration::from_secs(10), each).await;
    let hits = system.metric("cache_hits_total{tier=\"memory\",freshness=\"fresh\"}").await - before;
    let share = hits / outcomes.count() as f64;
    let after = system.resident("gateway");
    println!(
        "resident: {} MiB idle, {} MiB with {PROFILES} profiles, {} MiB after all were read again; memory has {:.1} %",
        idle / MEBIBYTE,
        full / MEBIBYTE,
        after / MEBIBYTE,
        share * 100.0
    );
    assert!(share >= 0.99, "{hits} of {}", outcomes.count());
    assert!(full.max(after) <= 64 * MEBIBYTE);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants a release build, a quiet machine, and 25,000 sockets"]
async fn ten_thousand_idle_and_slow_clients_leave_the_others_served() {
    let system = System::start(&[]).await;
    let mut held = Vec::new();
    for number in 0..10_000 {
        let mut stream = connect(system.port("gateway")).await;
        if number % 2 == 0 {
            stream.write_all(b"GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\nx-slow: ").await.unwrap();
        }
        held.push(stream);
    }
    let time = Duration::from_secs(5);
    let outcomes = load::put(&system, 200, time, Variable::Zipf { low: 1, high: 500, exponent: 1.0 }).await;
    let open = system.metric("http_connections_turned_away_total").await;
    println!(
        "{} held connections: {} requests, {} failed, p99 {:?}; {} MiB resident",
        held.len(),
        outcomes.count(),
        outcomes.failed(),
        outcomes.latency(99_000),
        system.resident("gateway") / MEBIBYTE
    );
    assert_eq!((outcomes.failed(), open), (0, 0.0));
    assert!(outcomes.latency(99_000) < Duration::from_millis(100));
}

#[expect(clippy::disallowed_methods, reason = "a client that is no part of the system")]
async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}
