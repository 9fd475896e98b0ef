//! Requests whose reused connection closes as they go out: made once more, where a user agent would.

use crate::bench::{MS, plan, run_all, run_with, serve_raw};
use chaos_load::{Arrival, CheckResponse, Disruptions, Error, Marks, Outcome, Plan, Response};
use host::{Stream, memory::MemoryNetwork};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

const OK: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

async fn read_head(stream: &mut Stream) -> bool {
    let mut tail = [0; 4];
    while tail != *b"\r\n\r\n" {
        tail.rotate_left(1);
        let Ok(byte) = stream.read_u8().await else { return false };
        tail[3] = byte;
    }
    true
}

/// The end of a connection that has had one response.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Close,
    Reset,
    PartOfAHead,
}

/// Answers the first request on each connection, and ends it in this way once the second has come.
fn serve_one_each(network: &MemoryNetwork, end: End, takes: Duration) -> host::Host {
    serve_raw(network, move |mut stream| async move {
        stream.write_all(OK).await.unwrap();
        if read_head(&mut stream).await {
            tokio::time::sleep(takes).await;
            match end {
                End::Close => {}
                End::Reset => stream.abort(),
                End::PartOfAHead => stream.write_all(b"HTTP/1.1 2").await.unwrap(),
            }
        }
    })
}

fn of(method: &str) -> Plan {
    let mut plan = plan("/");
    plan.load.requests[0].method = method.to_owned();
    plan
}

/// Outcomes of a load of one method. On each connection, the first request is answered.
async fn outcomes(method: &str, end: End) -> Vec<Outcome> {
    let network = MemoryNetwork::new(1);
    let _target = serve_one_each(&network, end, Duration::ZERO);
    run_all(&network, of(method)).await.0
}

#[tokio::test(start_paused = true)]
async fn idempotent_requests_are_made_once_more_on_a_new_connection_and_counted() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
        for end in [End::Close, End::Reset] {
            let outcomes = outcomes(method, end).await;
            assert!(outcomes.iter().all(|outcome| outcome.result == Ok(204)), "{method}: {outcomes:?}");
            // The second request on a connection is made again, and its new connection serves the next one as badly.
            let retried = outcomes.iter().filter(|outcome| outcome.retried).count();
            assert_eq!((retried, outcomes[0].retried, outcomes[1].retried), (99, false, true), "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_made_twice_is_made_once() {
    for method in ["POST", "PATCH", "PURGE"] {
        for outcome in outcomes(method, End::Close).await {
            let expected = if outcome.n % 2 == 0 { Ok(204) } else { Err(Error::Closed) };
            assert_eq!((outcome.result, outcome.retried), (expected, false), "{method}: {outcome:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_has_begun_is_not_asked_for_again() {
    for outcome in outcomes("GET", End::PartOfAHead).await {
        let expected = if outcome.n % 2 == 0 { Ok(204) } else { Err(Error::Closed) };
        assert_eq!((outcome.result, outcome.retried), (expected, false), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_that_closes_is_a_failure_at_once() {
    let network = MemoryNetwork::new(1);
    let _target = serve_raw(&network, |_| async {});
    let (outcomes, _) = run_all(&network, plan("/")).await;
    assert!(outcomes.iter().all(|outcome| (outcome.result, outcome.retried) == (Err(Error::Closed), false)));
}

#[tokio::test(start_paused = true)]
async fn latency_counts_from_when_it_was_due_and_the_timeout_is_one() {
    let network = MemoryNetwork::new(1);
    let _target = serve_one_each(&network, End::Close, 30 * MS);
    let mut plan = plan("/");
    plan.load.rate.times = 10;
    let (outcomes, _) = run_all(&network, plan).await;
    let retried: Vec<_> = outcomes.iter().filter(|outcome| outcome.retried).collect();
    assert!(!retried.is_empty());
    for outcome in retried {
        assert_eq!((outcome.latency(), outcome.started), (30 * MS, Some(outcome.intended)));
    }
    // Where the second try comes to nothing, the client has waited no longer than it does.
    let network = MemoryNetwork::new(1);
    let first = AtomicBool::new(true);
    let _target = serve_raw(&network, move |mut stream| {
        let answers = first.swap(false, Ordering::Relaxed);
        async move {
            if answers {
                stream.write_all(OK).await.unwrap();
                read_head(&mut stream).await;
                tokio::time::sleep(500 * MS).await;
            } else {
                std::future::pending::<()>().await;
            }
        }
    });
    let mut plan = of("GET");
    plan.load.rate.times = 2;
    let (outcomes, _) = run_all(&network, plan).await;
    let last = outcomes.last().unwrap();
    assert_eq!((last.result, last.retried, last.latency()), (Err(Error::Timeout), true, Duration::from_secs(2)));
}

struct Nothing;

impl CheckResponse for Nothing {
    fn check(&self, _: &Arrival, _: &Response<'_>) -> Marks {
        Marks::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_ended_on_purpose_is_not_hidden() {
    let network = MemoryNetwork::new(1);
    let target = serve_one_each(&network, End::Reset, 20 * MS);
    let mut plan = plan("/");
    plan.load.rate.times = 20;
    let disruptions = Disruptions::default();
    plan.disruptions = disruptions.clone();
    // From 200 to 410 ms: the request that is due at 400 ms loses its connection at 420 ms, when it is over, and found it on.
    drop(target.spawn(async move {
        tokio::time::sleep(200 * MS).await;
        let (one, other) = (disruptions.begin(), disruptions.begin());
        tokio::time::sleep(100 * MS).await;
        drop(one);
        tokio::time::sleep(110 * MS).await;
        drop(other);
    }));
    let client = network.host("client");
    let (outcomes, _) = run_with(&client, plan, Arc::new(Nothing), CancellationToken::new()).await;
    let failed = |outcome: &&Outcome| outcome.result == Err(Error::Reset);
    let failed: Vec<_> = outcomes.iter().filter(failed).map(|outcome| outcome.intended.as_millis()).collect();
    assert!(!failed.is_empty() && failed.iter().all(|at| (180..=410).contains(at)), "{failed:?}");
    assert!(failed.contains(&400), "{failed:?}");
    let retried = |outcome: &&Outcome| outcome.retried;
    let retried: Vec<_> = outcomes.iter().filter(retried).map(|outcome| outcome.intended.as_millis()).collect();
    assert!(retried.iter().all(|at| *at < 200 || *at > 410) && retried.contains(&500), "{retried:?}");
}
