//! Requests whose reused connection closes as they go out: made once more where it had idled, and failures else.

use crate::bench::{MS, plan, run_all, run_with, serve_raw};
use chaos_load::{Arrival, CheckResponse, Disruptions, Error, Marks, Outcome, Plan, Response};
use chaos_model::{Rate, Stages};
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

/// A request of this method each 750 ms, so that connections idle in between.
fn idling(method: &str) -> Plan {
    let mut plan = of(method);
    plan.load.stages = Stages::constant(Rate { times: 1, per: 750 * MS }, 7500 * MS);
    plan
}

fn of(method: &str) -> Plan {
    let mut plan = plan("/");
    plan.load.requests[0].method = method.to_owned();
    plan
}

/// Outcomes of a load. On each connection, the first request is answered.
async fn outcomes(plan: Plan, end: End, takes: Duration) -> Vec<Outcome> {
    let network = MemoryNetwork::new(1);
    let _target = serve_one_each(&network, end, takes);
    run_all(&network, plan).await.0
}

/// Every second request has failed so, and none was made again.
fn every_second_failed(outcomes: &[Outcome], error: Error) {
    assert!(outcomes.len() > 3);
    for outcome in outcomes {
        let expected = if outcome.n % 2 == 0 { Ok(204) } else { Err(error) };
        assert_eq!((outcome.result, outcome.retried), (expected, false), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn idempotent_requests_are_made_once_more_on_a_new_connection_and_counted() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
        for end in [End::Close, End::Reset] {
            let outcomes = outcomes(idling(method), end, Duration::ZERO).await;
            assert!(outcomes.iter().all(|outcome| outcome.result == Ok(204)), "{method}: {outcomes:?}");
            // The second request on a connection is made again, and its new connection serves the next one as badly.
            let retried = outcomes.iter().filter(|outcome| outcome.retried).count();
            assert_eq!((retried, outcomes[0].retried, outcomes[1].retried), (9, false, true), "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_made_twice_is_made_once() {
    for method in ["POST", "PATCH", "PURGE"] {
        every_second_failed(&outcomes(idling(method), End::Close, Duration::ZERO).await, Error::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_has_begun_is_not_asked_for_again() {
    every_second_failed(&outcomes(idling("GET"), End::PartOfAHead, Duration::ZERO).await, Error::Closed);
}

#[tokio::test(start_paused = true)]
async fn requests_that_a_server_takes_and_drops_are_failures() {
    // The connection was in use just before, so no server closed it since it idled,
    every_second_failed(&outcomes(of("GET"), End::Close, Duration::ZERO).await, Error::Closed);
    every_second_failed(&outcomes(of("GET"), End::Reset, Duration::ZERO).await, Error::Reset);
    // and where it had, what ends it after some time has looked at the request.
    every_second_failed(&outcomes(idling("GET"), End::Close, 30 * MS).await, Error::Closed);
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
    let outcomes = outcomes(idling("GET"), End::Close, 5 * MS).await;
    let retried: Vec<_> = outcomes.iter().filter(|outcome| outcome.retried).collect();
    assert!(!retried.is_empty());
    for outcome in retried {
        assert_eq!((outcome.latency(), outcome.started), (5 * MS, Some(outcome.intended)));
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
                tokio::time::sleep(5 * MS).await;
            } else {
                std::future::pending::<()>().await;
            }
        }
    });
    let (outcomes, _) = run_all(&network, idling("GET")).await;
    let second = &outcomes[1];
    assert_eq!((second.result, second.retried, second.latency()), (Err(Error::Timeout), true, Duration::from_secs(2)));
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
    let target = serve_one_each(&network, End::Reset, 5 * MS);
    let mut plan = idling("GET");
    let disruptions = Disruptions::default();
    plan.disruptions = disruptions.clone();
    // The request that is due at 1.5 s loses its connection when it is over, and found it on; that at 3.75 s while it is on.
    drop(target.spawn(async move {
        tokio::time::sleep(1450 * MS).await;
        let (one, other) = (disruptions.begin(), disruptions.begin());
        tokio::time::sleep(25 * MS).await;
        drop(one);
        tokio::time::sleep(28 * MS).await;
        drop(other);
        tokio::time::sleep(2200 * MS).await;
        let _third = disruptions.begin();
        tokio::time::sleep(200 * MS).await;
    }));
    let client = network.host("client");
    let (outcomes, _) = run_with(&client, plan, Arc::new(Nothing), CancellationToken::new()).await;
    let due = |which: &dyn Fn(&Outcome) -> bool| {
        outcomes.iter().filter(|outcome| which(outcome)).map(|outcome| outcome.intended.as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(due(&|outcome| outcome.result == Err(Error::Reset)), [1500, 3750]);
    assert_eq!(due(&|outcome| outcome.retried), [750, 3000, 5250, 6000, 6750]);
}
