//! Tests of the name of each way to get no response, and of the moment at which it is reported.

use crate::bench::{MS, plan, run_all, serve, serve_bytes, serve_raw};
use axum::{Router, routing::get};
use chaos_load::{Error, Outcome, Plan};
use host::{ListenMode, memory::MemoryNetwork};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// A plan of one request.
fn one() -> Plan {
    let mut plan = plan("/");
    plan.load.stages = crate::bench::for_so_long(MS);
    plan
}

async fn only(network: &MemoryNetwork) -> Outcome {
    let (mut outcomes, summary) = run_all(network, one()).await;
    assert_eq!((outcomes.len(), summary.due), (1, 1));
    outcomes.remove(0)
}

async fn result_of(response: &'static [u8]) -> Result<u16, Error> {
    let network = MemoryNetwork::new(1);
    let _target = serve_bytes(&network, response);
    let outcome = only(&network).await;
    assert!(outcome.started.is_some(), "it was made, whatever came of it");
    outcome.result
}

#[tokio::test(start_paused = true)]
async fn nobody_listens() {
    let network = MemoryNetwork::new(1);
    let outcome = only(&network).await;
    assert_eq!(
        (outcome.result, outcome.started, outcome.ended),
        (Err(Error::ConnectRefused), Some(Duration::ZERO), Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn a_blackhole_is_a_connect_timeout() {
    let network = MemoryNetwork::new(1);
    let target = network.host("target");
    let listener = target.listen(80).unwrap();
    listener.control().set(ListenMode::Blackhole).unwrap();
    let outcome = only(&network).await;
    assert_eq!((outcome.result, outcome.ended), (Err(Error::ConnectTimeout), Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_never_answers_is_a_timeout() {
    let network = MemoryNetwork::new(1);
    let target = network.host("target");
    let listener = target.listen(80).unwrap();
    listener.control().set(ListenMode::Hang).unwrap();
    let outcome = only(&network).await;
    assert_eq!((outcome.result, outcome.ended), (Err(Error::Timeout), Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_a_timeout() {
    let network = MemoryNetwork::new(1);
    let _target = serve_raw(&network, |mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n").await.unwrap();
        // Until the client closes.
        while stream.write_all(b".").await.is_ok() {
            tokio::time::sleep(100 * MS).await;
        }
    });
    let outcome = only(&network).await;
    assert_eq!((outcome.result, outcome.ended), (Err(Error::Timeout), Duration::from_secs(2)));
    assert_eq!(outcome.marks.bits, 0, "a part of a body is not looked at");
}

#[tokio::test(start_paused = true)]
async fn resets() {
    for head in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart"] {
        let network = MemoryNetwork::new(1);
        let _target = serve_raw(&network, move |mut stream| async move {
            stream.write_all(head.as_bytes()).await.unwrap();
            tokio::time::sleep(30 * MS).await;
            stream.abort();
        });
        let outcome = only(&network).await;
        assert_eq!((outcome.result, outcome.ended), (Err(Error::Reset), 30 * MS), "after {head:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn closed_before_the_response_is_complete() {
    assert_eq!(result_of(b"").await, Err(Error::Closed));
    assert_eq!(result_of(b"HTTP/1.1 200").await, Err(Error::Closed));
    assert_eq!(result_of(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\npart").await, Err(Error::Closed));
    assert_eq!(
        result_of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n").await,
        Err(Error::Closed)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_http() {
    assert_eq!(result_of(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await, Err(Error::BadResponse));
    assert_eq!(result_of(b"HTTP/1.1 99999 OK\r\n\r\n").await, Err(Error::BadResponse));
    assert_eq!(result_of(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n").await, Err(Error::BadResponse));
    assert_eq!(
        result_of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n").await,
        Err(Error::BadResponse)
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_without_end_is_a_timeout() {
    for pause in [MS, Duration::ZERO] {
        let network = MemoryNetwork::new(1);
        let _target = serve_raw(&network, move |mut stream| async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let chunk = vec![b'.'; 1 << 20];
            while stream.write_all(&chunk).await.is_ok() {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        });
        let outcome = only(&network).await;
        assert_eq!((outcome.result, outcome.ended), (Err(Error::Timeout), Duration::from_secs(2)), "{pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_not_made() {
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, Router::new().route("/", get(|| async {})));
    let mut plan = one();
    plan.load.requests[0].method = "NO SUCH".to_owned();
    let (outcomes, summary) = run_all(&network, plan).await;
    assert_eq!((outcomes[0].result, outcomes[0].started), (Err(Error::InvalidRequest), None));
    assert_eq!((summary.made, summary.not_made, summary.late), (0, 1, None));
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_examiner_is_not_waited_for() {
    struct Panics;
    impl chaos_load::CheckResponse for Panics {
        fn check(&self, _: &chaos_load::Arrival, _: &chaos_load::Response<'_>) -> chaos_load::Marks {
            panic!("as a test wants it");
        }
    }
    let network = MemoryNetwork::new(1);
    let _target = serve(&network, Router::new().route("/", get(|| async {})));
    let client = network.host("client");
    let (outcomes, _) =
        crate::bench::run_with(&client, one(), std::sync::Arc::new(Panics), tokio_util::sync::CancellationToken::new())
            .await;
    assert_eq!(outcomes[0].result, Err(Error::Stopped));
}
