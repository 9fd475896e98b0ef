//! Stale parts, shown when the services give nothing: for a while, and said to be old.

use crate::support::{Behaviour, Mood, World};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

const PROFILE: &str = "/api/profile/42";
/// Fresh for exactly 30 s.
const EVEN: (&str, &str) = ("GATEWAY_CACHE_TTL_JITTER", "0%");

/// The profile was gathered, and is no longer fresh.
async fn with_old(settings: &[(&str, &str)]) -> World {
    let world = World::start(&[&[EVEN], settings].concat()).await;
    assert_eq!(world.get(PROFILE).await.status, 200);
    sleep(Duration::from_secs(40)).await;
    world
}

#[tokio::test(start_paused = true)]
async fn an_old_part_stands_in_for_a_failed_one() {
    let world = with_old(&[]).await;
    world.product.becomes(Behaviour::Status(500));
    let response = world.get(PROFILE).await;
    assert_eq!(
        (response.status.as_u16(), response.at("/partial"), response.at("/errors")),
        (200, json!(false), json!([]))
    );
    assert_eq!(response.at("/products").as_array().unwrap().len(), 2);
    assert_eq!(response.at("/meta/parts/orders/state"), "fresh");
    assert_eq!(response.at("/meta/parts/products/state"), "stale");
    assert_eq!(response.at("/meta/parts/products/source"), "memory");
    assert_eq!(response.at("/meta/parts/products/gone"), json!(["gone1"]));
    let age = response.at("/meta/parts/products/age_ms").as_u64().unwrap();
    assert!((40_000..40_100).contains(&age), "{age}");
    assert_eq!((response.header("cache-control"), response.header("age")), ("no-store", ""));
    assert_eq!(response.header("x-gateway-complete"), "true");
    let status = "gateway; fwd=stale; detail=\"redis:absent memory:expired stale:products\"";
    assert_eq!(response.header("cache-status"), status);
    assert_eq!(world.metric("aggregation_duration_seconds_count{outcome=\"stale\"}").await, 1.0);
    assert_eq!(world.metric("cache_hits_total{tier=\"memory\",freshness=\"stale\"}").await, 1.0);
    for tier in ["redis", "memory"] {
        let sum = |name: &str| format!("cache_{name}_total{{tier=\"{tier}\"}}");
        let hits_and_misses = world.metric(&sum("hits")).await + world.metric(&sum("misses")).await;
        assert_eq!(hits_and_misses, world.metric(&sum("lookups")).await, "{tier}");
    }
    // What is old is never stored as new.
    world.product.becomes(Behaviour::Good);
    assert_eq!(world.get(PROFILE).await.at("/meta/parts/products/source"), "origin");
}

#[tokio::test(start_paused = true)]
async fn with_everything_down_all_is_old_and_nothing_is_missing() {
    let world = with_old(&[]).await;
    for service in [&world.user, &world.order, &world.product] {
        service.freeze();
    }
    let response = world.get(PROFILE).await;
    assert_eq!((response.status.as_u16(), response.at("/partial")), (200, json!(false)));
    for part in ["user", "orders", "products"] {
        assert_eq!(response.at(&format!("/meta/parts/{part}/state")), "stale", "{part}");
    }
    assert_eq!(response.at("/user/id"), "42");
}

#[tokio::test(start_paused = true)]
async fn what_is_old_is_shown_for_300_s_after_it_was_fresh() {
    let world = with_old(&[]).await;
    world.user.becomes(Behaviour::Status(500));
    world.order.becomes(Behaviour::Status(500));
    sleep(Duration::from_millis(289_900)).await;
    assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/state"), "stale");
    sleep(Duration::from_millis(100)).await;
    assert_eq!(world.get(PROFILE).await.status, 502);
}

#[tokio::test(start_paused = true)]
async fn it_can_be_switched_off() {
    let world = with_old(&[("GATEWAY_CACHE_STALE", "0s")]).await;
    world.product.becomes(Behaviour::Status(500));
    let response = world.get(PROFILE).await;
    assert_eq!((response.at("/partial"), response.at("/products")), (json!(true), Value::Null));
    assert_eq!(world.metric("cache_hits_total{freshness=\"stale\"}").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn newer_orders_than_the_old_products_know_are_partial() {
    let world = with_old(&[]).await;
    world.order.ids.lock().unwrap().push("p3".to_owned());
    world.product.becomes(Behaviour::Status(500));
    let response = world.get(PROFILE).await;
    assert_eq!((response.at("/partial"), response.at("/products")), (json!(true), Value::Null));
    assert_eq!(response.at("/errors/0/service"), "product");
    // Of a failed user and failed products, the user alone can be had.
    world.user.becomes(Behaviour::Status(500));
    let response = world.get(PROFILE).await;
    assert_eq!((response.at("/partial"), response.at("/user/id")), (json!(true), json!("42")));
    assert_eq!(response.at("/meta/parts/user/state"), "stale");
    assert_eq!(response.at("/errors").as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_required_part_may_be_old() {
    let world = with_old(&[("GATEWAY_PARTIAL", "off")]).await;
    world.product.becomes(Behaviour::Hang);
    assert_eq!(world.get(PROFILE).await.status, 200);
    assert_eq!(world.get("/api/profile/43").await.status, 504);
}

#[tokio::test(start_paused = true)]
async fn a_user_that_is_gone_does_not_come_back() {
    let world = with_old(&[]).await;
    world.user.becomes(Behaviour::Status(404));
    assert_eq!(world.get(PROFILE).await.status, 404);
    world.user.becomes(Behaviour::Status(500));
    world.order.becomes(Behaviour::Status(500));
    sleep(Duration::from_secs(6)).await;
    assert_eq!(world.get(PROFILE).await.status, 502);
}

#[tokio::test(start_paused = true)]
async fn that_there_is_no_such_user_is_believed_for_five_seconds() {
    let world = World::start(&[]).await;
    for _ in 0..10 {
        let response = world.get("/api/profile/900").await;
        assert_eq!((response.status.as_u16(), response.at("/status")), (404, json!(404)));
    }
    let cached = world.get("/api/profile/900").await;
    assert_eq!((world.user.calls(), cached.header("cache-status")), (1, "gateway; hit; ttl=5; detail=memory"));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.get("/api/profile/900").await.status, 404);
    assert_eq!(world.user.calls(), 2);
    let off = World::start(&[("GATEWAY_CACHE_NEGATIVE", "0s")]).await;
    off.get("/api/profile/900").await;
    off.get("/api/profile/900").await;
    assert_eq!(off.user.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn redis_can_keep_old_profiles_for_gateways_that_start_late() {
    let keep = [("GATEWAY_CACHE_REDIS_STALE", "on"), EVEN];
    let world = World::start(&keep).await;
    world.get(PROFILE).await;
    world.settle().await;
    let values = world.redis.values.lock().unwrap().clone();
    // A second gateway, which has never seen the user, starts while the services are down.
    let late = World::start_with(&keep, Mood::Good);
    late.user.becomes(Behaviour::Status(500));
    late.order.becomes(Behaviour::Status(500));
    *late.redis.values.lock().unwrap() = values;
    late.redis_is_used().await;
    sleep(Duration::from_secs(60)).await;
    let response = late.get(PROFILE).await;
    assert_eq!((response.status.as_u16(), response.at("/user/id")), (200, json!("42")));
    assert_eq!(response.at("/meta/parts/user/source"), "redis");
    assert_eq!(response.at("/meta/parts/user/state"), "stale");
    // A user that is gone is deleted there too.
    late.user.becomes(Behaviour::Status(404));
    assert_eq!(late.get(PROFILE).await.status, 404);
    late.settle().await;
    assert!(late.redis.values.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn profiles_do_not_all_end_at_once() {
    let world = World::start(&[]).await;
    for user in 1..=100 {
        world.get(&format!("/api/profile/{user}")).await;
    }
    world.settle().await;
    let now = world.gateway.unix_now();
    let ends: Vec<f64> =
        world.redis.values.lock().unwrap().values().map(|(_, ends)| (*ends - now).as_secs_f64()).collect();
    assert!(ends.iter().all(|end| (26.9..=30.0).contains(end)), "{ends:?}");
    let spread = ends.iter().copied().fold(0.0, f64::max) - ends.iter().copied().fold(99.0, f64::min);
    assert!(spread > 2.5, "{spread}");
}
