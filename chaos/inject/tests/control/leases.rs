//! Faults live as long as the lease of whoever put them in place.

use crate::support::{LINK, MS, System, ask, kind};
use chaos_model::{
    OpenConnections,
    effect::{Hang, Refuse},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn when_nobody_renews_it_everything_is_as_before_in_that_moment() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 1000 * MS).await.unwrap();
    runner.apply(&lease, "silence", Hang {}).await;
    tokio::time::sleep(600 * MS).await;
    assert_eq!(runner.renew(&lease).await, 204);
    let renewed = Instant::now();
    let mut stream = system.dial(&host).await.unwrap();
    ask(&mut stream).await.unwrap();
    assert_eq!(renewed.elapsed(), 1000 * MS, "what was held is let go of, not a moment earlier or later");
    assert_eq!(runner.get("/v2/lease").await, json!({ "lease": null }));
    assert_eq!(runner.get("/v2/links").await["links"][0]["faults"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn one_that_lapsed_is_over_for_its_holder() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 1000 * MS).await.unwrap();
    runner.apply(&lease, "silence", Hang {}).await;
    let mut stream = system.dial(&host).await.unwrap();
    ask(&mut stream).await.unwrap();
    let lapsed = (410, "lease-lapsed");
    let renewed = runner.call(Method::PUT, &lease, Value::Null).await;
    assert_eq!(kind(&renewed), lapsed);
    assert_eq!(kind(&runner.send(&lease, json!("fired")).await), lapsed);
    let fault = crate::support::fault("another", Hang {});
    assert_eq!(kind(&runner.send(&lease, json!({ "apply": crate::support::words(&fault) })).await), lapsed);
    assert_eq!(system.round_trip(&host).await.unwrap(), Duration::ZERO, "it was not put in place");
    // What it had in place is taken back, and that can be asked for as often as one likes.
    for _ in 0..2 {
        let (status, removed) = runner.remove(&lease, "silence").await;
        assert_eq!((status, &removed["removed"]["fired"]["connections"]), (StatusCode::OK, &json!(1)), "{removed}");
    }
    assert_eq!(kind(&runner.remove(&lease, "another").await), lapsed);
    assert_eq!(runner.give_up(&lease).await, 204);
}

#[tokio::test(start_paused = true)]
async fn a_second_runner_waits_until_the_first_is_done() {
    let (system, host) = System::memory();
    let (first, second) = (system.steered_from(&host), system.steered_from(&host));
    tokio::time::sleep(1500 * MS).await;
    let lease = first.lease("the first", 1000 * MS).await.unwrap();
    tokio::time::sleep(500 * MS).await;
    let refused = second.lease("the second", 1000 * MS).await.unwrap_err();
    assert_eq!(kind(&refused), (409, "lease-held"));
    assert_eq!((&refused.1["holder"], &refused.1["since"]), (&json!("the first"), &json!("2026-01-01T00:00:01.500Z")));
    let held = json!({ "holder": "the first", "since": "2026-01-01T00:00:01.500Z", "ttl_ms": 1000, "faults": 0 });
    assert_eq!(second.get("/v2/lease").await, json!({ "lease": held }));
    first.apply(&lease, "silence", Hang {}).await;
    assert_eq!(first.give_up(&lease).await, 204);
    assert_eq!(system.round_trip(&host).await.unwrap(), Duration::ZERO, "what was given up is clean");
    let theirs = second.lease("the second", 1000 * MS).await.unwrap();
    assert_ne!(lease, theirs);
    // The first can do nothing with its own, and nothing to the other's.
    assert_eq!(kind(&first.send(&lease, json!("fired")).await), (410, "lease-given-up"));
    assert_eq!(first.give_up(&lease).await, 204);
    assert_eq!(second.renew(&theirs).await, 204);
    // Nobody noticed that it lapsed, until somebody asks in that very moment.
    tokio::time::sleep(1000 * MS).await;
    first.lease("the first", 1000 * MS).await.unwrap();
    assert_eq!(second.renew(&theirs).await, 410);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_refuses_accepts_again_when_the_lease_lapses() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 300 * MS).await.unwrap();
    // Of a link that nothing ever used, nothing is said to be refused.
    system.round_trip(&host).await.unwrap();
    runner.apply(&lease, "outage", Refuse { open: OpenConnections::Reset }).await;
    let refused = system.dial(&host).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    tokio::time::sleep(301 * MS).await;
    assert_eq!(system.round_trip(&host).await.unwrap(), Duration::ZERO);
    let (_, removed) = runner.remove(&lease, "outage").await;
    assert_eq!(removed["removed"]["fired"]["refused"], 1, "{removed}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_takes_faults_back_and_lets_connections_end() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    let mut open = system.dial(&host).await.unwrap();
    ask(&mut open).await.unwrap();
    runner.apply(&lease, "silence", Hang {}).await;
    assert_eq!(runner.get("/v2/links").await["links"][0]["connections"], 1);
    let asked = Instant::now();
    system.proxies.shutdown().cancel();
    ask(&mut open).await.unwrap();
    assert_eq!(asked.elapsed(), Duration::ZERO, "the fault is gone at once");
    // The keep-alive connection of the caller ends with the control server; this one has its time.
    let end = async { tokio::io::AsyncReadExt::read(&mut open, &mut [0]).await };
    assert!(tokio::time::timeout(4900 * MS, end).await.is_err(), "it was cut off early");
    assert_eq!(system.dial(&host).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused, "{LINK}");
    system.serving.await.unwrap();
    assert!(asked.elapsed() <= 6000 * MS, "{:?}", asked.elapsed());
    assert!(ask(&mut open).await.is_err(), "it is cut off at last");
}
