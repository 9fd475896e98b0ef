//! Expectations on how a system takes a fault: time to detect and to recover, age, amplification, herd.

use crate::world::{ONE_SERVICE, fault, run};
use axum::{Json, Router, extract::State, http::HeaderMap, routing::get};
use chaos_model::{Verdict, event::JudgedCheck};
use host::Host;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::time::Instant;

#[derive(Clone)]
struct Shop {
    began: Instant,
    served: Arc<AtomicU64>,
}

/// Requests 100 to 129 are answered in part: with a fault that keeps all away for the second second, these are the first
/// 300 ms after it. What is served gets older until request 150. From request 100 on, each request makes two calls. The
/// mode is 1 from 250 ms into the fault until its end.
fn web(_: Host, _: BTreeMap<String, String>) -> Router {
    let serve = |State(shop): State<Shop>| async move {
        let n = shop.served.fetch_add(1, Ordering::SeqCst);
        let mut headers = HeaderMap::new();
        headers.insert("age", (n.min(150) / 10).to_string().parse().unwrap());
        let part = json!({ "state": "fresh", "age_ms": n.min(150) * 110 });
        (headers, Json(json!({ "partial": (100..130).contains(&n), "meta": { "parts": { "user": part } } })))
    };
    let metrics = |State(shop): State<Shop>| async move {
        let served = shop.served.load(Ordering::SeqCst);
        let calls = served + served.saturating_sub(100);
        let into = shop.began.elapsed().as_millis();
        let mode = u64::from((1250..2000).contains(&into));
        format!(
            "# TYPE calls_total counter\ncalls_total {calls}\n# TYPE first_total counter\nfirst_total {served}\n\
             # TYPE idle_total counter\nidle_total 0\n# TYPE mode gauge\nmode {mode}\n"
        )
    };
    let shop = Shop { began: Instant::now(), served: Arc::default() };
    Router::new().route("/users/{id}", get(serve)).route("/metrics", get(metrics)).with_state(shop)
}

/// Like it, but each tenth response is stale before and after the fault, and all are in its last second.
fn never_well(_: Host, _: BTreeMap<String, String>) -> Router {
    let serve = |State(shop): State<Shop>| async move {
        let n = shop.served.fetch_add(1, Ordering::SeqCst);
        let state = if n % 10 == 0 || (100..150).contains(&n) { "stale" } else { "fresh" };
        Json(json!({ "meta": { "parts": { "user": { "state": state } } } }))
    };
    let shop = Shop { began: Instant::now(), served: Arc::default() };
    Router::new().route("/users/{id}", get(serve)).with_state(shop)
}

fn well(_: Host, _: BTreeMap<String, String>) -> Router {
    Router::new().route("/users/{id}", get(|| async { "{}" }))
}

async fn check(effect: &str, expect: &str) -> JudgedCheck {
    let text = format!("{ONE_SERVICE}{}[[expect]]\nthat = \"it\"\n{expect}\n", fault(effect));
    run(&text, &[("web", web)]).await.judged("it").checks[0].clone()
}

async fn refused(expect: &str) -> (Verdict, String) {
    let check = check("effect = \"refuse\"", expect).await;
    (check.verdict, check.seen)
}

fn seen(verdict: Verdict, seen: &str) -> (Verdict, String) {
    (verdict, seen.to_owned())
}

const HARMLESS: &str = "effect = \"latency\"\ndelay = \"1ms\"";

#[tokio::test(start_paused = true)]
async fn the_time_to_recover_ends_when_answers_stay_good() {
    let after = "after = \"outage\"\nrecovery.time";
    assert_eq!(refused(&format!("{after} = \"<= 300ms\"")).await, seen(Verdict::Pass, "300ms"));
    assert_eq!(refused(&format!("{after} = \"< 300ms\"")).await, seen(Verdict::Fail, "300ms"));
    let slow = check("effect = \"refuse\"", &format!("{after} = \"< 10ms\"")).await;
    assert_eq!(slow.note.as_deref(), Some("the last, request 229 at 2.29s, had a partial response"));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_recover_fails() {
    fn broken(_: Host, _: BTreeMap<String, String>) -> Router {
        let serve = |State(served): State<Arc<AtomicU64>>| async move {
            let n = served.fetch_add(1, Ordering::SeqCst);
            Json(json!({ "partial": n >= 100 }))
        };
        Router::new().route("/users/{id}", get(serve)).with_state(Arc::default())
    }
    let expect = "[[expect]]\nthat = \"it\"\nafter = \"outage\"\nrecovery.time = \"< 30s\"\n";
    let text = format!("{ONE_SERVICE}{}{expect}", fault("effect = \"refuse\""));
    let ran = run(&text, &[("web", broken)]).await;
    let check = &ran.judged("it").checks[0];
    assert_eq!((check.verdict, check.seen.as_str()), (Verdict::Fail, "not in the 1.99s that were left"));
}

#[tokio::test(start_paused = true)]
async fn where_no_response_was_bad_there_is_nothing_to_recover_from() {
    let expect = "[[expect]]\nthat = \"it\"\nafter = \"outage\"\nrecovery.time = \"< 1s\"\n";
    let ran = run(&format!("{ONE_SERVICE}{}{expect}", fault(HARMLESS)), &[("web", well)]).await;
    let check = &ran.judged("it").checks[0];
    let note = "no response failed, was partial or stale because of `outage`";
    assert_eq!((check.verdict, check.note.as_deref()), (Verdict::Inconclusive, Some(note)));
}

#[tokio::test(start_paused = true)]
async fn as_good_as_in_the_baseline_is_good_enough() {
    let expect = "[[expect]]\nthat = \"it\"\nafter = \"outage\"\nrecovery.time = \"< 1s\"\n";
    let text = format!("{ONE_SERVICE}{}{expect}", fault("effect = \"refuse\""));
    let ran = run(&text, &[("web", never_well)]).await;
    let check = &ran.judged("it").checks[0];
    assert_eq!((check.verdict, check.seen.as_str()), (Verdict::Pass, "500ms"), "{check:?}");
}

#[tokio::test(start_paused = true)]
async fn the_time_to_detect_ends_with_the_first_bad_response() {
    let during = "during = \"outage\"\ndetect.time = \"< 100ms\"";
    assert_eq!(refused(during).await, seen(Verdict::Pass, "0s"));
    let slowly = check("effect = \"hang\"", during).await;
    // The client gives up after a second.
    assert_eq!((slowly.verdict, slowly.seen.as_str()), (Verdict::Fail, "1s"));
    let brief = fault(HARMLESS).replace("for = \"1s\"", "for = \"40ms\"");
    let text = format!("{ONE_SERVICE}{brief}[[expect]]\nthat = \"it\"\n{during}\n");
    let never = run(&text, &[("web", well)]).await;
    let never = &never.judged("it").checks[0];
    assert_eq!((never.verdict, never.seen.as_str()), (Verdict::Fail, "no bad response in 40ms"));
}

#[tokio::test(start_paused = true)]
async fn a_metric_shows_when_the_system_knows() {
    let during = "during = \"outage\"\ndetect.mode";
    assert_eq!(refused(&format!("{during} = \"<= 300ms\"")).await, seen(Verdict::Pass, "300ms, by a scrape"));
    assert_eq!(refused(&format!("{during} = \"< 300ms\"")).await, seen(Verdict::Fail, "300ms, by a scrape"));
    let idle = refused("during = \"outage\"\ndetect.idle_total = \"< 1s\"").await;
    assert_eq!(idle, seen(Verdict::Fail, "it stayed at 0 for 1s"));
    let unknown = check("effect = \"refuse\"", "during = \"outage\"\ndetect.modes = \"< 1s\"").await;
    assert_eq!(unknown.verdict, Verdict::Inconclusive);
    let note = unknown.note.unwrap_or_default();
    assert!(note.starts_with("no scrape has it; the nearest is `mode`"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn the_oldest_response_is_the_oldest_of_all_that_say_their_age() {
    // 9 s by `Age`, 10.89 s by its parts; later ones are older.
    assert_eq!(refused("during = \"baseline\"\nage.max = \"< 10.9s\"").await, seen(Verdict::Pass, "10.9s"));
    assert_eq!(refused("during = \"baseline\"\nage.max = \"<= 10.8s\"").await, seen(Verdict::Fail, "10.9s"));
    assert_eq!(refused("during = \"recovery\"\nage.max = \"< 16s\"").await, seen(Verdict::Fail, "16.5s"));
    let nobody = check("effect = \"refuse\"", "during = \"outage\"\nage.max = \"< 1s\"").await;
    assert_eq!(
        (nobody.verdict, nobody.note.as_deref()),
        (Verdict::Inconclusive, Some("no response says how old it is"))
    );
}

#[tokio::test(start_paused = true)]
async fn amplification_is_all_calls_over_first_attempts() {
    let ratio = |scope: &str, bound: &str| {
        format!("during = \"{scope}\"\namplification.'calls_total / first_total' = \"{bound}\"")
    };
    let (verdict, baseline) = refused(&ratio("baseline", "<= 1")).await;
    assert_eq!((verdict, baseline.split(' ').next()), (Verdict::Pass, Some("1.00")));
    let (verdict, recovery) = refused(&ratio("recovery", "<= 1.9")).await;
    // The arrival at an edge and the scrape there may come in either order, for both counters alike.
    assert_eq!((verdict, recovery.split(' ').next()), (Verdict::Fail, Some("2.00")));
    let none = check("effect = \"refuse\"", &ratio("outage", "<= 1.2")).await;
    assert_eq!(none.verdict, Verdict::Inconclusive, "{none:?}");
    let gauge = "during = \"recovery\"\namplification.'calls_total / mode' = \"<= 1.2\"";
    assert_eq!(refused(gauge).await, seen(Verdict::Inconclusive, "no counter"));
}

#[tokio::test(start_paused = true)]
async fn a_herd_is_a_peak_over_that_of_the_baseline() {
    let herd = |bound: &str| format!("after = \"outage\"\nherd.calls_total = \"{bound}\"");
    let (verdict, text) = refused(&herd("<= 1.25")).await;
    assert!(verdict == Verdict::Fail && text.starts_with("2.0") && text.contains("(200/s, and "), "{text}");
    assert_eq!(refused(&herd("<= 2.05")).await.0, Verdict::Pass);
    let idle = refused("after = \"outage\"\nherd.idle_total = \"<= 2\"").await;
    assert_eq!(idle, seen(Verdict::Inconclusive, "0/s"));
}

#[tokio::test(start_paused = true)]
async fn checks_find_their_own_readings_whatever_comes_before_them() {
    let expect = "[[expect]]\nthat = \"first\"\nduring = \"recovery\"\n\
                  amplification.'calls_total / first_total' = \"<= 3\"\nmetric.mode = \"== 0\"\n\
                  [[expect]]\nthat = \"it\"\nduring = \"recovery\"\nmetric.idle_total = \"== 0\"\n";
    let ran = run(&format!("{ONE_SERVICE}{}{expect}", fault("effect = \"refuse\"")), &[("web", web)]).await;
    let seen = |that: &str| ran.judged(that).checks.iter().map(|check| check.seen.clone()).collect::<Vec<_>>();
    let [ratio, mode] = &seen("first")[..] else { panic!("two checks") };
    assert!(ratio.starts_with("2.00 (") && mode == "0 in 3 scrapes", "{ratio}, {mode}");
    assert_eq!(seen("it"), ["+0"]);
}
