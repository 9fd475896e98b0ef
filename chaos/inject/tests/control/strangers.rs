//! Whoever has no token keeps nobody out who has one.

use crate::support::{MS, PLACES, System, kind};
use host::Stream;
use http::{Method, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

/// True where the server has ended it.
async fn is_over(stream: &mut Stream) -> bool {
    timeout(MS, stream.read(&mut [0])).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn strangers_that_idle_give_way() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    let mut strangers = Vec::new();
    for _ in 0..3 * PLACES {
        strangers.push(system.knock(&host).await);
    }
    let began = Instant::now();
    let other = system.steered_from(&host);
    other.get("/v2/links").await;
    assert_eq!(runner.renew(&lease).await, 204);
    assert!(began.elapsed() < 1000 * MS, "{:?}: not by the timeout of their heads", began.elapsed());
    let first = &mut strangers[0];
    assert!(is_over(first).await);
    assert!(!is_over(strangers.last_mut().unwrap()).await, "there is room for some");
}

#[tokio::test(start_paused = true)]
async fn those_that_ask_what_anybody_may_give_way_too() {
    let (system, host) = System::memory();
    let mut strangers = Vec::new();
    for _ in 0..PLACES {
        let mut stranger = system.knock(&host).await;
        stranger.write_all(b"GET /v2/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        // They never read what comes.
        strangers.push(stranger);
    }
    let began = Instant::now();
    let runner = system.steered_from(&host);
    runner.lease("a runner", 60_000 * MS).await.unwrap();
    assert!(began.elapsed() < 1000 * MS, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_waited_for_two_seconds() {
    let (system, host) = System::memory();
    let mut stranger = system.knock(&host).await;
    stranger.write_all(b"GET /v2/links HTTP/1.1\r\nauthorization: Bea").await.unwrap();
    let began = Instant::now();
    stranger.read_to_end(&mut Vec::new()).await.unwrap();
    let took = began.elapsed();
    assert!((1900 * MS..2200 * MS).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_two_seconds() {
    let (system, host) = System::memory();
    let mut caller = system.steered_from(&host);
    let began = Instant::now();
    let (status, body) = caller.slow(&host, &Method::POST, "/v2/lease").await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(kind(&(StatusCode::from_u16(status).unwrap(), body)), (408, "body-too-slow"));
    let took = began.elapsed();
    assert!((1900 * MS..2200 * MS).contains(&took), "{took:?}");
    caller.token = None;
    let began = Instant::now();
    assert_eq!(caller.slow(&host, &Method::POST, "/v2/lease").await.0, 401);
    assert!(began.elapsed() < 1000 * MS, "nobody waits for what a stranger has to say");
}
