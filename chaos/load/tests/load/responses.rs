//! Responses in all their shapes, and what becomes of connections after them.

use crate::bench::{MS, plan, run_all, serve, serve_bytes, serve_raw};
use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, header},
    routing::{get, post},
};
use chaos_load::{Error, Plan};
use chaos_model::{Rate, Stages};
use host::{Host, memory::MemoryNetwork};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::io::AsyncWriteExt as _;

/// Serves `router` and counts the connections that are made.
fn serve_counted(network: &MemoryNetwork, router: Router) -> (Host, Arc<AtomicU64>) {
    let behind = network.host("behind");
    crate::bench::serve_on(&behind, behind.listen(80).unwrap(), router);
    let target = network.host("target");
    let count = Arc::new(AtomicU64::new(0));
    let (server, counter, mut listener) = (target.clone(), Arc::clone(&count), target.listen(80).unwrap());
    drop(target.spawn(async move {
        while let Ok(mut front) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            let dialer = server.clone();
            drop(server.spawn(async move {
                let mut back = dialer.dial("behind", 80).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut front, &mut back).await;
            }));
        }
    }));
    (target, count)
}

async fn connections(router: Router, plan: Plan) -> u64 {
    let network = MemoryNetwork::new(1);
    let (_target, count) = serve_counted(&network, router);
    let (outcomes, _) = run_all(&network, plan).await;
    assert!(outcomes.iter().all(|outcome| outcome.result == Ok(200)), "{outcomes:?}");
    count.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_used_again() {
    assert_eq!(connections(Router::new().route("/", get(|| async { "hello" })), plan("/")).await, 1);
    // An empty body, and one in chunks that don't come at once.
    assert_eq!(connections(Router::new().route("/", get(|| async {})), plan("/")).await, 1);
    assert_eq!(
        connections(Router::new().route("/", post(|body: Bytes| async { body })), {
            let mut plan = plan("/");
            plan.load.requests[0].method = "POST".to_owned();
            plan.load.requests[0].body = Some(crate::bench::text("a body"));
            plan
        })
        .await,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn as_many_connections_as_are_needed_at_once() {
    let slow = Router::new().route("/", get(|| tokio::time::sleep(35 * MS)));
    assert_eq!(connections(slow, plan("/")).await, 4);
}

#[tokio::test(start_paused = true)]
async fn the_server_may_close_after_each_response() {
    let closing = Router::new().route("/", get(|| async { [(header::CONNECTION, "close")] }));
    assert_eq!(connections(closing, plan("/")).await, 100);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_not_used_after_a_second() {
    let mut plan = plan("/");
    plan.load.stages = Stages::constant(Rate { times: 30, per: Duration::from_secs(60) }, Duration::from_secs(10));
    assert_eq!(connections(Router::new().route("/", get(|| async {})), plan).await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_the_server_closed_costs_no_request() {
    let network = MemoryNetwork::new(1);
    // One response, which doesn't announce that the connection is closed after it.
    let _target = serve_bytes(&network, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let (outcomes, _) = run_all(&network, plan("/")).await;
    assert!(outcomes.iter().all(|outcome| (outcome.result, outcome.marks.bits) == (Ok(200), 2)), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn bodies_in_pieces_are_put_together() {
    let network = MemoryNetwork::new(1);
    let _target = serve_raw(&network, |mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        for chunk in ["3\r\none\r\n", "5\r\nthree\r\n", "0\r\nx-trailer: a\r\n\r\n"] {
            tokio::time::sleep(5 * MS).await;
            stream.write_all(chunk.as_bytes()).await.unwrap();
        }
    });
    let (outcomes, _) = run_all(&network, plan("/")).await;
    for outcome in outcomes {
        assert_eq!((outcome.result, outcome.marks.bits, outcome.latency()), (Ok(200), 8, 15 * MS));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_may_end_with_the_connection() {
    let network = MemoryNetwork::new(1);
    let _target = serve_bytes(&network, b"HTTP/1.0 200 OK\r\n\r\nto the end");
    let (outcomes, _) = run_all(&network, plan("/")).await;
    assert!(outcomes.iter().all(|outcome| (outcome.result, outcome.marks.bits) == (Ok(200), 10)));
}

/// The result of a request whose response has so many bytes, and how many were kept.
async fn of_size(bytes: usize, head: &'static str) -> (Result<u16, Error>, u64) {
    let network = MemoryNetwork::new(1);
    let _target = serve_raw(&network, move |mut stream| async move {
        stream.write_all(head.as_bytes()).await.unwrap();
        for written in (0..bytes).step_by(1 << 16) {
            stream.write_all(&vec![b'x'; (bytes - written).min(1 << 16)]).await.unwrap();
        }
    });
    let mut plan = plan("/");
    plan.load.stages = crate::bench::for_so_long(MS);
    let (outcomes, _) = run_all(&network, plan).await;
    (outcomes[0].result, outcomes[0].marks.bits)
}

#[tokio::test(start_paused = true)]
async fn bodies_of_any_size_count_by_their_status() {
    const MOST: usize = 8 << 20;
    let head = "HTTP/1.0 200 OK\r\n\r\n";
    assert_eq!(of_size(MOST, head).await, (Ok(200), 8 << 20));
    assert_eq!(of_size(MOST + 1, head).await, (Ok(200), u64::MAX));
    let head = "HTTP/1.1 503 Busy\r\ncontent-length: 30000000\r\n\r\n";
    assert_eq!(of_size(30_000_000, head).await, (Ok(503), u64::MAX));
    assert_eq!(of_size(29_000_000, head).await.0, Err(Error::Closed), "it is read to its end");
}

#[tokio::test(start_paused = true)]
async fn any_status_is_a_response() {
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, Router::new().route("/", get(|| async { (StatusCode::BAD_GATEWAY, "no") })));
    let (outcomes, _) = run_all(&network, plan("/")).await;
    assert!(outcomes.iter().all(|outcome| (outcome.result, outcome.marks.bits) == (Ok(502), 2)));
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_to_a_large_body_is_a_response() {
    let network = MemoryNetwork::new(1);
    let _target = serve_bytes(&network, b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    let mut plan = plan("/");
    plan.load.requests[0].method = "POST".to_owned();
    plan.load.requests[0].body = Some(crate::bench::text(&"x".repeat(1_000)));
    let (outcomes, _) = run_all(&network, plan).await;
    assert!(outcomes.iter().all(|outcome| outcome.started.is_some()), "{outcomes:?}");
}
