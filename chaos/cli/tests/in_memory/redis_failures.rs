//! Redis fails as a service does: killed, stopped, started anew. No request may fail for it.

use crate::support::{MS, REDIS, Response, System};
use std::time::Duration;
use tokio::time::sleep;

/// The time that the gateway waits for a GET.
const GET_TIMEOUT: Duration = Duration::from_millis(25);

/// The gateway tries to connect every second at least.
const FOUND_WITHIN: Duration = Duration::from_millis(1_001);

/// A client that asks for the warm users in turn, every 10 ms, for so long.
async fn ask_for(system: &System, time: Duration) -> Vec<Response> {
    let mut responses = Vec::new();
    for turn in 0..time.as_millis() / 10 {
        let response = system.profile(u64::try_from(turn % 20).unwrap() + 1).await;
        sleep((10 * MS).saturating_sub(response.took)).await;
        response.assert_complete();
        responses.push(response);
    }
    responses
}

fn count(responses: &[Response], source: &str) -> usize {
    responses.iter().filter(|response| response.source() == source).count()
}

#[tokio::test(start_paused = true)]
async fn memory_answers_while_redis_is_dead_and_a_restarted_one_is_used() {
    let mut system = System::start().await;
    system.warm_up(1..=20).await;
    let before = ask_for(&system, Duration::from_secs(1)).await;
    assert_eq!(count(&before, "redis"), 100);

    system.crash(REDIS).await;
    let during = ask_for(&system, Duration::from_secs(5)).await;
    assert_eq!(count(&during, "memory"), 500);
    assert!(during.iter().all(|response| response.took.is_zero()), "a dead Redis costs nobody any time");
    assert_eq!(system.metric("cache_mode{mode=\"memory\"}").await, 1.0);
    assert_eq!(system.get("/health").await.at("/components/redis/status"), "down");
    assert_eq!(system.get("/health/ready").await.status, 200);
    assert!(system.metric("redis_connects_total{result=\"refused\"}").await > 0.0);

    system.launch(REDIS);
    let found = system.redis_is_used().await;
    assert!(found <= FOUND_WITHIN, "{found:?}");
    // It is empty: memory answers once for each user, and gives back what it has.
    let after = ask_for(&system, Duration::from_secs(1)).await;
    assert_eq!((count(&after, "memory"), count(&after, "redis")), (20, 80));
    assert_eq!(system.get("/health").await.at("/status"), "ok");
    assert_eq!(system.metric("service_errors_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_moment_of_the_crash_do_not_fail() {
    let system = System::start().await;
    system.warm_up(1..=20).await;
    // They are under way, and wait for Redis.
    system.freeze(REDIS);
    let asked = futures_util::future::join_all((1..=20).map(|user| system.profile(user)));
    let crash = async {
        sleep(10 * MS).await;
        system.crash(REDIS).await;
    };
    let (responses, ()) = tokio::join!(asked, crash);
    for response in responses {
        response.assert_complete();
        assert_eq!((response.source().as_str(), response.took), ("memory", 10 * MS));
    }
    assert_eq!(system.metric("cache_misses_total{tier=\"redis\",reason=\"reset\"}").await, 20.0);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_redis_costs_three_requests_the_timeout_and_then_nothing() {
    let system = System::start().await;
    system.warm_up(1..=20).await;
    system.freeze(REDIS);
    let during = ask_for(&system, Duration::from_secs(5)).await;
    assert_eq!(count(&during, "memory"), during.len());
    let waited: Vec<Duration> = during.iter().map(|response| response.took).filter(|took| !took.is_zero()).collect();
    assert_eq!(waited, [GET_TIMEOUT; 3]);
    assert_eq!(system.metric("cache_misses_total{tier=\"redis\",reason=\"timeout\"}").await, 3.0);
    assert_eq!(system.metric("redis_connections_lost_total").await, 1.0);

    system.thaw(REDIS);
    let found = system.redis_is_used().await;
    assert!(found <= FOUND_WITHIN, "{found:?}");
    // It has slept, and forgotten nothing.
    let after = ask_for(&system, Duration::from_secs(1)).await;
    assert_eq!(count(&after, "redis"), 100);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_at_a_frozen_redis_waits_no_longer_than_one() {
    let system = System::start().await;
    system.warm_up(1..=20).await;
    system.freeze(REDIS);
    let crowd = (0..200).map(|n| system.profile(n % 20 + 1));
    for response in futures_util::future::join_all(crowd).await {
        response.assert_complete();
        assert_eq!((response.source().as_str(), response.took), ("memory", GET_TIMEOUT));
    }
    // They have found out together: nobody waits again.
    let crowd = (0..200).map(|n| system.profile(n % 20 + 1));
    assert!(futures_util::future::join_all(crowd).await.iter().all(|response| response.took.is_zero()));
}

#[tokio::test(start_paused = true)]
async fn a_frozen_redis_does_not_fail_those_whom_no_tier_has() {
    let system = System::start().await;
    system.freeze(REDIS);
    for user in 1..=10 {
        let response = system.profile(user).await;
        response.assert_complete();
        assert_eq!(response.source(), "origin");
        assert!(response.took <= GET_TIMEOUT, "{:?}", response.took);
        // Neither does the write that follows keep anybody waiting: memory has it.
        assert_eq!(system.profile(user).await.source(), "memory");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redis_that_comes_later_than_the_gateway_is_found() {
    let mut system = System::idle(1, false, &[]);
    for name in ["user-service", "order-service", "product-service", "gateway"] {
        system.launch(name);
    }
    system.profile(1).await.assert_complete();
    assert_eq!(system.profile(1).await.source(), "memory");
    sleep(Duration::from_secs(10)).await;
    system.launch(REDIS);
    let found = system.redis_is_used().await;
    assert!(found <= FOUND_WITHIN, "{found:?}");
    system.warm_up(1..=2).await;
    assert_eq!(system.profile(1).await.source(), "redis");
}

#[tokio::test(start_paused = true)]
async fn a_redis_that_dies_again_and_again_never_fails_a_request() {
    let mut system = System::start().await;
    system.warm_up(1..=20).await;
    for round in 0..5 {
        system.crash(REDIS).await;
        ask_for(&system, Duration::from_millis(700)).await;
        system.launch(REDIS);
        let found = system.redis_is_used().await;
        assert!(found <= FOUND_WITHIN, "{found:?} in round {round}");
        let after = ask_for(&system, Duration::from_millis(500)).await;
        assert!(count(&after, "redis") >= 20, "round {round}");
    }
}
