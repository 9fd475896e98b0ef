//! Clients that have the response already: tags, 304, and what may be kept for how long.

use crate::support::{Behaviour, Mood, World};
use std::time::Duration;

const PATH: &str = "/api/profile/42";

async fn world() -> World {
    World::start(&[("GATEWAY_CACHE_TTL_JITTER", "0%")]).await
}

#[tokio::test(start_paused = true)]
async fn the_same_data_has_the_same_tag_wherever_it_is_from() {
    let world = world().await;
    let fresh = world.get(PATH).await;
    let etag = fresh.header("etag").to_owned();
    assert!(etag.starts_with("W/\"") && etag.ends_with('"') && etag.len() == 20, "{etag}");
    world.settle().await;
    let cached = world.get(PATH).await;
    assert!(cached.header("cache-status").starts_with("gateway; hit"), "{:?}", cached.headers);
    assert_ne!(fresh.text, cached.text, "meta differs");
    assert_eq!(cached.header("etag"), etag);
    assert_ne!(world.get("/api/profile/43").await.header("etag"), etag);
    // Gathered anew, and by another gateway.
    let other = World::start_with(&[("GATEWAY_CACHE", "off")], Mood::Good);
    assert_eq!(other.get(PATH).await.header("etag"), etag);
    *other.order.ids.lock().unwrap() = vec!["p3".to_owned()];
    assert_ne!(other.get(PATH).await.header("etag"), etag);
}

#[tokio::test(start_paused = true)]
async fn who_has_it_gets_304_with_the_same_headers_and_no_body() {
    let world = world().await;
    let first = world.get(PATH).await;
    world.settle().await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    let second = world.get_with(PATH, &[("if-none-match", first.header("etag"))]).await;
    assert_eq!((second.status.as_u16(), second.text.as_str()), (304, ""));
    assert_eq!(second.header("etag"), first.header("etag"));
    assert_eq!(second.header("cache-control"), "private, max-age=30");
    assert_eq!((second.header("age"), second.header("content-type")), ("7", ""));
    assert!(second.header("cache-status").starts_with("gateway; hit; ttl=2"), "{:?}", second.headers);
    assert_eq!(second.header("x-request-id").len(), 32);
    assert_eq!(world.metric("http_requests_total{status=\"304\"}").await, 1.0);
    let other = world.get_with(PATH, &[("if-none-match", "W/\"0000000000000000\"")]).await;
    assert_eq!((other.status.as_u16(), other.header("age")), (200, "7"));
    assert_eq!(world.get_with("/api/profile/900", &[("if-none-match", "*")]).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn who_wants_a_certain_state_gets_that_or_412() {
    let world = world().await;
    let first = world.get(PATH).await;
    let etag = first.header("etag");
    world.settle().await;
    assert_eq!(world.get_with(PATH, &[("if-match", "*")]).await.status, 200);
    // Tags are weak, and none matches strongly; it counts before whether the client has it already.
    for tags in [etag, etag.trim_start_matches("W/"), "\"a\", \"b\"", "garbage"] {
        let failed = world.get_with(PATH, &[("if-match", tags), ("if-none-match", etag)]).await;
        assert_eq!(
            (failed.status.as_u16(), failed.header("content-type")),
            (412, "application/problem+json"),
            "{tags}"
        );
        assert_eq!(failed.at("/type"), "urn:problem-type:gateway:precondition-failed");
        assert_eq!((failed.header("etag"), failed.header("cache-control")), ("", "no-store"));
        assert!(failed.header("cache-status").starts_with("gateway; hit"), "{:?}", failed.headers);
    }
    assert_eq!(world.metric("http_requests_total{status=\"412\"}").await, 4.0);
    // What has no tag matches none either, and what fails anyway fails as it would have.
    let none = [("if-match", "\"a\"")];
    for (path, status) in [("/health", 412), ("/openapi.json", 412), ("/api/profile/900", 404), ("/nothing", 404)] {
        assert_eq!(world.get_with(path, &none).await.status, status, "{path}");
    }
    assert_eq!(world.request(http::Method::HEAD, PATH, &none).await.status, 412);
    assert_eq!(world.get_with("/health", &[("if-match", "*")]).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_partial_or_old_is_never_to_be_kept_nor_304() {
    let world = world().await;
    let whole = world.get(PATH).await;
    world.settle().await;
    world.product.becomes(Behaviour::Status(500));
    let any = [("if-none-match", "*")];
    let partial = world.get_with("/api/profile/43", &any).await;
    assert_eq!((partial.status.as_u16(), partial.at("/partial")), (200, true.into()));
    world.user.becomes(Behaviour::Status(500));
    world.order.becomes(Behaviour::Status(500));
    tokio::time::sleep(Duration::from_secs(31)).await;
    let stale = world.get_with(PATH, &[("if-none-match", whole.header("etag"))]).await;
    assert_eq!((stale.status.as_u16(), stale.at("/meta/parts/user/state")), (200, "stale".into()));
    for response in [&partial, &stale] {
        assert_eq!(response.header("cache-control"), "no-store");
        assert_eq!((response.header("etag"), response.header("age")), ("", ""));
        assert!(response.header("cache-status").starts_with("gateway; fwd="), "{:?}", response.headers);
    }
}
