//! Headers that clients send, and the ones that go on to the services.

use crate::support::{Behaviour, Mood, World};
use std::collections::BTreeSet;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn world() -> World {
    World::start_with(&[("GATEWAY_CACHE", "off")], Mood::Good)
}

#[tokio::test(start_paused = true)]
async fn bad_ids_are_400_and_reach_no_service() {
    let world = world();
    let long = "1".repeat(10_000);
    for id in ["0", "042", "-1", "abc", "..%2f..%2fadmin", "%0d%0aX-A:%201", "%ff", "18446744073709551616", &long] {
        let response = world.get(&format!("/api/profile/{id}")).await;
        assert_eq!(response.status, 400, "{id}");
        assert_eq!(response.at("/type"), "urn:problem-type:gateway:bad-user-id");
    }
    assert_eq!(world.user.calls() + world.order.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn other_routes_methods_and_large_bodies_are_problems() {
    let world = world();
    let missing = world.get("/api/profile/42/orders").await;
    assert_eq!((missing.status.as_u16(), missing.at("/status")), (404, 404.into()));
    let method = world.post("/api/profile/42", Vec::new()).await;
    assert_eq!((method.status.as_u16(), method.header("allow")), (405, "GET,HEAD"));
    assert_eq!(method.at("/request_id").as_str().unwrap(), method.header("x-request-id"));
    assert_eq!(world.post("/api/profile/42", vec![0; 20_000]).await.status, 413);
    assert_eq!(world.metric("http_requests_total{route=\"unmatched\",status=\"404\"}").await, 1.0);
    assert_eq!(world.metric("http_requests_total{method=\"POST\",status=\"405\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn trace_baggage_and_request_id_go_to_every_service_and_nothing_else_does() {
    let world = world();
    let sent = [
        ("traceparent", PARENT),
        ("tracestate", "v=1"),
        ("baggage", "chaos.request=7, b=2"),
        ("x-request-id", "r-9"),
        ("authorization", "secret"),
        ("cookie", "a=b"),
    ];
    let response = world.get_with("/api/profile/42", &sent).await;
    assert_eq!(response.at("/meta/trace_id"), "0af7651916cd43dd8448eb211c80319c");
    let mut spans = BTreeSet::from(["b7ad6b7169203331".to_owned()]);
    for service in [&world.user, &world.order, &world.product] {
        let headers = service.calls.lock().unwrap()[0].clone();
        let parent = headers["traceparent"].to_str().unwrap();
        assert!(parent.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && parent.ends_with("-01"), "{parent}");
        assert!(spans.insert(parent[36..52].to_owned()), "each call is a span of its own");
        assert_eq!(
            (&headers["tracestate"], &headers["baggage"]),
            (&"v=1".parse().unwrap(), &"chaos.request=7, b=2".parse().unwrap())
        );
        assert_eq!(headers["x-request-id"], "r-9");
        let allowed = [
            "accept",
            "baggage",
            "content-length",
            "content-type",
            "host",
            "traceparent",
            "tracestate",
            "x-request-id",
            "x-request-timeout-ms",
        ];
        assert!(headers.keys().all(|name| allowed.contains(&name.as_str())), "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_trace_one_is_started_and_bad_request_ids_are_replaced() {
    let world = world();
    let response = world.get_with("/api/profile/42", &[("x-request-id", "a b"), ("traceparent", "00-zz")]).await;
    assert_eq!(response.header("x-request-id").len(), 32);
    let parent = world.user.calls.lock().unwrap()[0]["traceparent"].to_str().unwrap().to_owned();
    assert_eq!(parent[3..35], response.at("/meta/trace_id").as_str().unwrap()[..]);
    let other = world.get("/api/profile/42").await;
    assert_ne!(response.at("/meta/trace_id"), other.at("/meta/trace_id"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_leaves_no_gauge_behind() {
    let world = World::start(&[]).await;
    world.user.becomes(Behaviour::Hang);
    world.order.becomes(Behaviour::Hang);
    let gone = tokio::time::timeout(std::time::Duration::from_millis(100), world.get("/api/profile/42")).await;
    assert!(gone.is_err());
    world.settle().await;
    assert_eq!(world.metric("http_active_requests").await, 0.0);
    assert_eq!(world.metric("http_requests_total{route=\"/api/profile/{user_id}\",status=\"499\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_is_counted() {
    let world = world();
    world.user.becomes(Behaviour::Slow(std::time::Duration::from_millis(200)));
    let count = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        world.metric("http_active_requests").await
    };
    let (response, count) = tokio::join!(world.get("/api/profile/42"), count);
    assert_eq!((response.status.as_u16(), count), (200, 1.0));
}
