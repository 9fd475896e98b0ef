//! Entries of the two tiers, with the built-in Redis as one of them.

use crate::support::{Expected, MS, ORDER, PRODUCT, REDIS, SERVICES, System, USER, ask_redis, settle};
use std::time::Duration;
use tokio::time::sleep;

const TTL: Duration = Duration::from_secs(30);
const HALF: Duration = Duration::from_secs(15);

/// The time left for the key in Redis, in milliseconds; -2 where it has none.
async fn left_in_redis(system: &System, user: u64) -> i64 {
    let reply = ask_redis(&system.client_host, &format!("PTTL gateway:profile:{user}")).await;
    reply.strip_prefix(':').unwrap().parse().unwrap()
}

/// Every profile is fresh for the whole of [`TTL`], and not for a share of it that was drawn.
const EXACT: [(&str, &str); 1] = [("GATEWAY_CACHE_TTL_JITTER", "0%")];

#[tokio::test(start_paused = true)]
async fn a_second_request_is_answered_by_redis() {
    let system = System::start().await;
    let first = system.profile(7).await;
    assert_eq!(first.header("cache-status"), "gateway; fwd=uri-miss; stored; detail=\"redis:absent memory:absent\"");
    settle().await;
    sleep(Duration::from_millis(2499)).await;
    let second = system.profile(7).await;
    second.assert_complete();
    assert_eq!(second.header("cache-status"), "gateway; hit; ttl=27; detail=redis");
    assert_eq!((second.header("age"), second.source().as_str()), ("2", "redis"));
    assert_eq!(second.at("/meta/parts/orders/age_ms"), 2500);
    for same in ["/user", "/orders", "/products", "/meta/generated_at"] {
        assert_eq!(first.at(same), second.at(same), "{same}");
    }
    assert_ne!(first.at("/meta/request_id"), second.at("/meta/request_id"));
    assert_eq!(system.metric("cache_hits_total{tier=\"redis\",freshness=\"fresh\"}").await, 1.0);
    assert_eq!(system.metric("cache_hits_total{tier=\"memory\"}").await, 0.0);
    assert_eq!(system.metric("cache_misses_total{reason=\"absent\"}").await, 2.0);
    assert_eq!(system.metric("cache_redis_writes_total{result=\"ok\"}").await, 1.0);
    for (service, route) in [(USER, "/users/{id}"), (ORDER, "/orders/user/{id}"), (PRODUCT, "/products/batch")] {
        assert_eq!(system.metric_of(service, &format!("http_requests_total{{route=\"{route}\"}}")).await, 1.0);
    }
}

#[tokio::test(start_paused = true)]
async fn redis_expires_after_thirty_seconds_to_the_millisecond() {
    let system = System::start_with(1, false, &EXACT).await;
    system.profile(7).await.assert_complete();
    sleep(TTL - MS).await;
    assert_eq!(left_in_redis(&system, 7).await, 1);
    let last = system.profile(7).await;
    assert_eq!((last.source().as_str(), last.header("age")), ("redis", "29"));
    sleep(MS).await;
    // Redis keeps a key through its last millisecond; the entry's own time is what counts.
    assert_eq!(left_in_redis(&system, 7).await, 0);
    let next = system.profile(7).await;
    assert_eq!(next.header("cache-status"), "gateway; fwd=stale; stored; detail=\"redis:expired memory:expired\"");
    assert_eq!(next.source(), "origin");
}

#[tokio::test(start_paused = true)]
async fn memory_expires_at_the_same_moment() {
    let mut system = System::start_with(1, false, &EXACT).await;
    system.profile(7).await.assert_complete();
    // A hit in Redis makes neither tier younger.
    sleep(HALF).await;
    assert_eq!(system.profile(7).await.source(), "redis");
    system.crash(REDIS).await;
    sleep(HALF - MS).await;
    let last = system.profile(7).await;
    assert_eq!((last.source().as_str(), last.header("age")), ("memory", "29"));
    sleep(MS).await;
    let next = system.profile(7).await;
    assert_eq!(next.header("cache-status"), "gateway; fwd=stale; stored; detail=\"redis:down memory:expired\"");
    // And so it is for the next, which only memory has.
    system.launch(REDIS);
    sleep(TTL - MS).await;
    assert_eq!(system.profile(7).await.header("age"), "29");
    sleep(MS).await;
    assert_eq!(system.profile(7).await.source(), "origin");
}

#[tokio::test(start_paused = true)]
async fn an_empty_redis_gets_back_what_memory_has_with_the_time_that_is_left() {
    let mut system = System::start_with(1, false, &EXACT).await;
    system.profile(7).await.assert_complete();
    sleep(Duration::from_secs(10)).await;
    system.crash(REDIS).await;
    system.launch(REDIS);
    let found = system.redis_is_given_up().await + system.redis_is_used().await;
    assert_eq!(left_in_redis(&system, 7).await, -2);
    assert_eq!(system.profile(7).await.source(), "memory");
    settle().await;
    let left = Duration::from_secs(20) - found - MS;
    assert_eq!(u128::try_from(left_in_redis(&system, 7).await), Ok(left.as_millis()));
    let response = system.profile(7).await;
    assert_eq!((response.source().as_str(), response.at("/orders")), ("redis", Expected::of(7).orders));
}

#[tokio::test(start_paused = true)]
async fn a_cached_profile_needs_no_service() {
    let system = System::start().await;
    system.warm_up(1..=20).await;
    for service in SERVICES {
        system.crash(service).await;
    }
    for user in 1..=20 {
        let response = system.profile(user).await;
        response.assert_complete();
        assert_eq!((response.at("/user"), response.source().as_str()), (Expected::of(user).user, "redis"));
    }
}
