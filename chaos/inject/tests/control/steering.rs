//! The messages of proxies go over HTTP as they do in process.

use crate::support::{LINK, MS, System, ask, fault, kind, words};
use chaos_model::{
    Directions, Fault, Share, Spread,
    effect::{Hang, Latency, Reset},
};
use http::StatusCode;
use serde_json::json;
use std::time::Duration;

fn latency(delay: Duration) -> Latency {
    Latency::of(Spread::constant(delay), Directions::Downstream)
}

#[tokio::test(start_paused = true)]
async fn a_fault_acts_is_seen_and_tells_what_it_did() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let clean = runner.get("/v2/links").await;
    let state = &clean["links"][0];
    assert_eq!(
        (&state["link"], &state["protocol"], &state["target"], &state["connections"], &state["faults"]),
        (&json!(LINK), &json!("tcp"), &json!("service:7"), &json!(0), &json!([]))
    );
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    runner.apply(&lease, "slow", latency(30 * MS)).await;
    assert_eq!(system.round_trip(&host).await.unwrap(), 30 * MS);
    let links = runner.get("/v2/links").await;
    let standing = &links["links"][0]["faults"][0];
    assert_eq!((&standing["fault"]["name"], &standing["fired"]["chunks"]), (&json!("slow"), &json!(1)), "{links}");
    let (_, fired) = runner.send(&lease, json!("fired")).await;
    assert_eq!(fired["fired"]["slow"]["chunks"], 1, "{fired}");
    let (status, removed) = runner.remove(&lease, "slow").await;
    assert_eq!((status, &removed["removed"]["fired"]["chunks"]), (StatusCode::OK, &json!(1)), "{removed}");
    assert_eq!(system.round_trip(&host).await.unwrap(), Duration::ZERO);
    // Whoever lost the response asks again.
    assert_eq!(runner.remove(&lease, "slow").await, (status, removed));
    // One of the same name is another fault.
    runner.apply(&lease, "slow", latency(MS)).await;
    let (_, again) = runner.remove(&lease, "slow").await;
    assert_eq!(again["removed"]["fired"]["chunks"], 0, "{again}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_says_for_how_long_it_is_ends_by_itself() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    for (name, lasts) in [("short", 400 * MS), ("long", 700 * MS)] {
        let fault = Fault { lasts, ..fault(name, latency(30 * MS)) };
        assert_eq!(runner.send(&lease, json!({ "apply": words(&fault) })).await, (StatusCode::OK, json!("done")));
    }
    runner.apply(&lease, "endless", latency(MS)).await;
    assert_eq!(system.round_trip(&host).await.unwrap(), 61 * MS);
    tokio::time::sleep(338 * MS).await;
    assert_eq!(runner.get("/v2/links").await["links"][0]["faults"].as_array().map(Vec::len), Some(3));
    tokio::time::sleep(MS).await;
    assert_eq!(system.round_trip(&host).await.unwrap(), 31 * MS);
    tokio::time::sleep(300 * MS).await;
    assert_eq!(system.round_trip(&host).await.unwrap(), MS);
    // What it did is told to whoever takes it back then.
    let (status, removed) = runner.remove(&lease, "short").await;
    assert_eq!((status, &removed["removed"]["fired"]["chunks"]), (StatusCode::OK, &json!(1)), "{removed}");
    // The same may come again, and ends again.
    let again = Fault { lasts: 400 * MS, ..fault("short", latency(30 * MS)) };
    assert_eq!(runner.send(&lease, json!({ "apply": words(&again) })).await.0, StatusCode::OK);
    assert_eq!(system.round_trip(&host).await.unwrap(), 31 * MS);
    tokio::time::sleep(400 * MS).await;
    assert_eq!(system.round_trip(&host).await.unwrap(), MS);
}

#[tokio::test(start_paused = true)]
async fn all_faults_of_a_link_can_be_taken_back_together() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    runner.apply(&lease, "slow", latency(30 * MS)).await;
    runner.apply(&lease, "silence", Hang {}).await;
    assert_eq!(runner.send(&lease, json!("clear")).await, (StatusCode::OK, json!("done")));
    assert_eq!(system.round_trip(&host).await.unwrap(), Duration::ZERO);
    assert_eq!(runner.get("/v2/links").await["links"][0]["faults"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_there_or_is_not_or_is_another_links_is_refused() {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let lease = runner.lease("a runner", 60_000 * MS).await.unwrap();
    runner.apply(&lease, "slow", latency(30 * MS)).await;
    let twice = runner.send(&lease, json!({ "apply": words(&fault("slow", Hang {})) })).await;
    assert_eq!(kind(&twice), (422, "refused"));
    assert_eq!(twice.1["detail"], "slow is on gateway -> redis already");
    assert_eq!(kind(&runner.remove(&lease, "fast").await), (422, "refused"));
    let body = json!({ "link": "gateway -> moon", "message": "clear" });
    let nowhere = runner.call(http::Method::POST, &format!("{lease}/messages"), body).await;
    assert_eq!(kind(&nowhere), (404, "no-such-link"));
    assert_eq!(nowhere.1["detail"], "no proxy stands on `gateway -> moon`; they do on gateway -> redis");
    assert_eq!(system.round_trip(&host).await.unwrap(), 30 * MS, "the first is as it was");
}

/// The connections, of twenty, that are reset under a lease of this seed.
async fn resets(seed: u64) -> Vec<bool> {
    let (system, host) = System::memory();
    let runner = system.steered_from(&host);
    let wanted = json!({ "holder": "me", "ttl_ms": 60_000, "seed": seed });
    let (_, granted) = runner.call(http::Method::POST, "/v2/lease", wanted).await;
    let lease = format!("/v2/lease/{}", granted["id"].as_str().unwrap());
    let half = Fault { share: Share { parts: 1, whole: 2 }, ..fault("some", Reset::after(Duration::ZERO)) };
    assert_eq!(runner.send(&lease, json!({ "apply": words(&half) })).await.0, 200);
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(match system.dial(&host).await {
            Ok(mut stream) => ask(&mut stream).await.is_err(),
            Err(_) => true,
        });
    }
    all
}

#[tokio::test(start_paused = true)]
async fn draws_go_by_the_seed_of_the_lease() {
    let one = resets(1).await;
    assert!(one.contains(&true) && one.contains(&false), "{one:?}");
    assert_eq!(one, resets(1).await);
    assert_ne!(one, resets(2).await);
}
