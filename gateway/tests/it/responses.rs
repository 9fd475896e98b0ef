//! Responses to clients when services are well, slow, wrong or gone.

use crate::support::{Behaviour, Mood, World};
use host::ListenMode as Listening;
use serde_json::{Value, json};
use std::time::Duration;

/// Without a cache, so that every request asks the services.
const COLD: &[(&str, &str)] = &[("GATEWAY_CACHE", "off")];

fn cold(more: &[(&str, &str)]) -> World {
    World::start_with(&[COLD, more].concat().iter().map(|pair| (pair.0, pair.1)).collect::<Vec<_>>(), Mood::Good)
}

#[tokio::test(start_paused = true)]
async fn a_whole_profile_has_the_contracts_shape() {
    let world = cold(&[]);
    let response = world.get_with("/api/profile/42", &[("x-request-id", "r-1")]).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let body = response.json();
    assert_eq!(body["user_id"], "42");
    assert_eq!(body["user"], json!({ "id": "42", "name": "user 42" }));
    assert_eq!(body["orders"][0]["id"], "o1");
    assert_eq!(body["products"].as_array().unwrap().len(), 2);
    assert_eq!((&body["partial"], &body["errors"]), (&json!(false), &json!([])));
    assert_eq!(body["meta"]["request_id"], "r-1");
    assert_eq!(body["meta"]["trace_id"].as_str().unwrap().len(), 32);
    assert!(body["meta"]["generated_at"].as_str().unwrap().starts_with("2026-01-01T00:00:0"));
    let fresh = json!({ "state": "fresh", "source": "origin", "age_ms": 0 });
    assert_eq!(body["meta"]["parts"]["user"], fresh);
    // Gone is known: it makes no response partial.
    assert_eq!(body["meta"]["parts"]["products"]["gone"], json!(["gone1"]));
    assert_eq!(response.header("x-request-id"), "r-1");
    assert_eq!(response.header("x-gateway-complete"), "true");
    assert_eq!(response.header("cache-control"), "private, max-age=30");
    assert_eq!(response.header("age"), "0");
    assert_eq!(response.header("cache-status"), "gateway; fwd=bypass");
    assert_eq!(response.header("date"), "");
    assert!(response.header("server-timing").contains("orders;dur="));
    assert_eq!(world.product.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_orders_need_no_products() {
    let world = cold(&[]);
    world.order.becomes(Behaviour::Text("[]".to_owned()));
    let response = world.get("/api/profile/42").await;
    assert_eq!(
        (response.at("/orders"), response.at("/products"), response.at("/partial")),
        (json!([]), json!([]), json!(false))
    );
    assert_eq!(world.product.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_products_are_asked_for_in_several_batches() {
    let world = cold(&[]);
    *world.order.ids.lock().unwrap() = (0..1200).map(|n| format!("p{n}")).collect();
    let response = world.get("/api/profile/42").await;
    assert_eq!(response.at("/products").as_array().unwrap().len(), 1200);
    assert_eq!(response.at("/products/1199/id"), "p1199");
    assert_eq!(world.product.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn of_many_missing_products_only_some_are_named() {
    let world = cold(&[]);
    *world.order.ids.lock().unwrap() = (0..600).map(|n| format!("p{n}")).collect();
    world.product.becomes(Behaviour::Status(500));
    let response = world.get("/api/profile/42").await;
    assert_eq!(response.at("/errors").as_array().unwrap().len(), 2);
    assert_eq!(response.at("/errors/0/missing_ids").as_array().unwrap().len(), 50);
    assert_eq!(response.at("/errors/1/missing_ids/0"), "p500");
    assert_eq!(response.at("/meta/parts/products/state"), "failed");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_user_is_a_404_and_no_services_fault() {
    let world = cold(&[]);
    let response = world.get("/api/profile/900").await;
    assert_eq!(response.status, 404);
    assert_eq!(response.at("/type"), "urn:problem-type:gateway:no-such-user");
    assert_eq!(response.header("content-type"), "application/problem+json");
    assert_eq!(world.metric("service_errors_total").await, 0.0);
    // The order service doesn't know them either; only if the user service can't say, that is a failure.
    world.user.becomes(Behaviour::Status(500));
    assert_eq!(world.get("/api/profile/900").await.status, 502);
    assert_eq!(world.metric("service_errors_total{service=\"order\",code=\"status_4xx\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_part_is_null_and_named() {
    let world = cold(&[]);
    world.product.becomes(Behaviour::Hang);
    let response = world.get("/api/profile/42").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.took, Duration::from_millis(400));
    assert_eq!((response.at("/products"), response.at("/partial")), (Value::Null, json!(true)));
    let error = json!({
        "service": "product", "pointer": "/products", "code": "timeout", "retryable": true,
        "missing_ids": ["p1", "p2", "gone1"], "attempts": 1, "detail": "no response within 400 ms",
    });
    assert_eq!(response.at("/errors"), json!([error]));
    assert_eq!(response.at("/meta/parts/products"), json!({ "state": "failed", "source": null, "age_ms": null }));
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(response.header("x-gateway-complete"), "false");
    assert_eq!(response.header("age"), "");
    assert_eq!(world.metric("service_errors_total{service=\"product\",code=\"timeout\"}").await, 1.0);
    assert_eq!(world.metric("aggregation_duration_seconds_count{outcome=\"partial\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn without_orders_products_are_skipped() {
    let world = cold(&[]);
    world.order.becomes(Behaviour::Status(503));
    let response = world.get("/api/profile/42").await;
    assert_eq!(response.status, 200);
    assert_eq!((response.at("/orders"), response.at("/products")), (Value::Null, Value::Null));
    assert_eq!(response.at("/meta/parts/products/state"), "skipped");
    assert_eq!(response.at("/errors").as_array().unwrap().len(), 1);
    assert_eq!(response.at("/errors/0/code"), "status_5xx");
    assert_eq!(world.metric("service_errors_total{service=\"product\"}").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn without_the_user_the_rest_is_shown() {
    let world = cold(&[]);
    world.user.listens(Listening::Refuse);
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.status.as_u16(), response.at("/user")), (200, Value::Null));
    assert_eq!(response.at("/errors/0/code"), "connect_refused");
    assert_eq!(response.at("/products").as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn holes_in_a_batch_make_it_partial() {
    let world = cold(&[]);
    *world.order.ids.lock().unwrap() = ["p1", "hole1"].map(str::to_owned).to_vec();
    let response = world.get("/api/profile/42").await;
    assert_eq!(response.at("/products").as_array().unwrap().len(), 1);
    assert_eq!(response.at("/meta/parts/products/state"), "partial");
    assert_eq!(response.at("/errors/0/missing_ids"), json!(["hole1"]));
    assert_eq!(world.metric("service_errors_total{service=\"product\",code=\"bad_payload\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn nothing_usable_is_502_or_504() {
    let world = cold(&[]);
    world.user.becomes(Behaviour::Hang);
    world.order.becomes(Behaviour::Hang);
    let timed_out = world.get("/api/profile/42").await;
    assert_eq!((timed_out.status.as_u16(), timed_out.took), (504, Duration::from_millis(400)));
    assert_eq!(timed_out.at("/type"), "urn:problem-type:gateway:upstream-timeout");
    assert_eq!(timed_out.at("/errors").as_array().unwrap().len(), 2);
    world.order.becomes(Behaviour::Status(500));
    let failed = world.get("/api/profile/42").await;
    assert_eq!(failed.status, 502);
    assert!(!failed.text.contains("secret") && !failed.text.contains("users"), "{}", failed.text);
}

#[tokio::test(start_paused = true)]
async fn where_all_parts_are_required_one_failure_fails_the_response() {
    let world = cold(&[("GATEWAY_PARTIAL", "off")]);
    world.product.becomes(Behaviour::Hang);
    assert_eq!(world.get("/api/profile/42").await.status, 504);
    world.product.becomes(Behaviour::Status(500));
    assert_eq!(world.get("/api/profile/42").await.status, 502);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_to_the_millisecond() {
    let world = cold(&[("GATEWAY_DEADLINE", "500ms")]);
    world.order.becomes(Behaviour::Slow(Duration::from_millis(300)));
    world.product.becomes(Behaviour::Hang);
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.status.as_u16(), response.took), (200, Duration::from_millis(500)));
    assert_eq!(response.at("/errors/0/code"), "deadline_exceeded");
}

#[tokio::test(start_paused = true)]
async fn without_the_short_timeout_a_slow_service_is_felt() {
    let world = cold(&[("GATEWAY_ORDER_TIMEOUT", "10s"), ("GATEWAY_DEADLINE", "20s")]);
    world.order.becomes(Behaviour::Slow(Duration::from_secs(3)));
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.at("/partial"), response.took), (json!(false), Duration::from_secs(3)));
}

#[tokio::test(start_paused = true)]
async fn calls_are_parallel() {
    let world = cold(&[]);
    for service in [&world.user, &world.order, &world.product] {
        service.becomes(Behaviour::Slow(Duration::from_millis(200)));
    }
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.at("/partial"), response.took), (json!(false), Duration::from_millis(400)));
}

#[tokio::test(start_paused = true)]
async fn every_failure_has_its_word() {
    let large = format!("\"{}\"", "x".repeat(3 << 20));
    let theirs = json!({ "id": "43", "name": "somebody else" }).to_string();
    for (behaviour, code) in [
        (Behaviour::Status(400), "status_4xx"),
        (Behaviour::Status(500), "status_5xx"),
        (Behaviour::Status(302), "bad_payload"),
        (Behaviour::Text("{".to_owned()), "bad_payload"),
        (Behaviour::Text(theirs), "bad_payload"),
        (Behaviour::Text(large), "body_too_large"),
        (Behaviour::Hang, "timeout"),
    ] {
        let world = cold(&[]);
        world.user.becomes(behaviour);
        let response = world.get("/api/profile/42").await;
        assert_eq!(response.at("/errors/0/code"), code);
        assert!(!response.text.contains("somebody") && !response.text.contains("secret"));
        assert_eq!(world.metric(&format!("service_errors_total{{service=\"user\",code=\"{code}\"}}")).await, 1.0);
    }
    let world = cold(&[]);
    world.user.listens(Listening::Blackhole);
    assert_eq!(world.get("/api/profile/42").await.at("/errors/0/code"), "connect_timeout");
    let world = cold(&[("USER_SERVICE_URL", "http://breaker")]);
    let mut breaker = world.network.host("breaker").listen(80).unwrap();
    drop(world.gateway.spawn(async move {
        while let Ok(mut stream) = breaker.accept().await {
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 1]).await;
            stream.abort();
        }
    }));
    assert_eq!(world.get("/api/profile/42").await.at("/errors/0/code"), "reset");
}
