//! Failures of Redis, and their cost for requests.

use crate::support::{Mood, World};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const PROFILE: &str = "/api/profile/42";

#[tokio::test(start_paused = true)]
async fn redis_that_is_down_at_the_start_is_found_when_it_comes() {
    let world = World::start_with(&[], Mood::Refused);
    assert_eq!(world.get(PROFILE).await.status, 200);
    assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "memory");
    sleep(Duration::from_secs(20)).await;
    let tries = world.metric("redis_connects_total{result=\"refused\"}").await;
    // One second between attempts at most, half of it at least.
    assert!((20.0..=45.0).contains(&tries), "{tries}");
    world.redis.becomes(Mood::Good);
    let came = Instant::now();
    world.redis_is_used().await;
    assert!(came.elapsed() <= Duration::from_millis(1010), "{:?}", came.elapsed());
    assert_eq!(world.metric("redis_connects_total{result=\"ok\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_redis_costs_three_requests_25_ms_and_then_nothing() {
    let world = World::start(&[]).await;
    world.get(PROFILE).await;
    world.settle().await;
    world.redis.becomes(Mood::Silent);
    for _ in 0..3 {
        let response = world.get(PROFILE).await;
        assert_eq!(
            (response.took, response.at("/meta/parts/user/source")),
            (Duration::from_millis(25), "memory".into())
        );
    }
    for _ in 0..100 {
        assert_eq!(world.get(PROFILE).await.took, Duration::ZERO);
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.metric("cache_misses_total{tier=\"redis\",reason=\"timeout\"}").await, 3.0);
    world.redis.becomes(Mood::Good);
    world.redis_is_used().await;
    assert_eq!(world.get("/api/profile/43").await.at("/partial"), false);
}

#[tokio::test(start_paused = true)]
async fn without_the_short_patience_a_silent_redis_is_felt() {
    let world = World::start(&[("GATEWAY_CACHE_GET_TIMEOUT", "2s")]).await;
    world.get(PROFILE).await;
    world.settle().await;
    world.redis.becomes(Mood::Silent);
    // Even so no longer than the deadline of the whole request.
    let response = world.get(PROFILE).await;
    assert_eq!((response.took, response.at("/meta/parts/user/source")), (Duration::from_millis(1500), "memory".into()));
    assert_eq!(world.get("/api/profile/43").await.status, 504);
}

#[tokio::test(start_paused = true)]
async fn a_silent_redis_is_noticed_without_requests() {
    let world = World::start(&[]).await;
    world.redis.becomes(Mood::Silent);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(world.metric("cache_mode{mode=\"memory\"}").await, 1.0);
    assert_eq!(world.get(PROFILE).await.took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_slow_redis_is_not_used() {
    let world = World::start_with(&[], Mood::Slow(Duration::from_millis(100)));
    for _ in 0..50 {
        assert_eq!(world.get(PROFILE).await.took, Duration::ZERO);
        sleep(Duration::from_millis(100)).await;
    }
    assert!(world.metric("redis_connects_total{result=\"timeout\"}").await > 2.0);
    assert_eq!(world.metric("redis_connects_total{result=\"ok\"}").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_redis_that_greets_and_then_says_nothing_is_asked_rarely() {
    let world = World::start(&[]).await;
    world.get(PROFILE).await;
    world.settle().await;
    world.redis.becomes(Mood::MuteForData);
    let mut slow = 0;
    for _ in 0..1000 {
        let took = world.get(PROFILE).await.took;
        assert!(took <= Duration::from_millis(25));
        slow += u32::from(took > Duration::ZERO);
        sleep(Duration::from_millis(10)).await;
    }
    // In ten seconds: three at a time, then a wait that grows to a second.
    assert!((3..=60).contains(&slow), "{slow}");
}

#[tokio::test(start_paused = true)]
async fn garbage_resets_and_errors_are_misses() {
    for (mood, reason) in [
        (Mood::Garbage, "protocol"),
        (Mood::Reset, "reset"),
        (Mood::Error("LOADING Redis is loading the dataset in memory"), "loading"),
    ] {
        let world = World::start(&[]).await;
        world.get(PROFILE).await;
        world.settle().await;
        world.redis.becomes(mood);
        let response = world.get(PROFILE).await;
        assert_eq!(
            (response.status.as_u16(), response.at("/meta/parts/user/source")),
            (200, "memory".into()),
            "{mood:?}"
        );
        let misses = world.metric(&format!("cache_misses_total{{tier=\"redis\",reason=\"{reason}\"}}")).await;
        assert_eq!(misses, 1.0, "{mood:?}");
        world.redis.becomes(Mood::Good);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "redis", "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_garbled_greeting_is_survived() {
    let world = World::start_with(&[], Mood::Garbage);
    sleep(Duration::from_secs(3)).await;
    assert!(world.metric("redis_connects_total{result=\"handshake\"}").await >= 2.0);
    world.redis.becomes(Mood::Good);
    world.redis_is_used().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_never_shows_a_user_anothers_data() {
    let world = World::start(&[]).await;
    for user in 1..=20 {
        world.get(&format!("/api/profile/{user}")).await;
    }
    world.settle().await;
    world.redis.becomes(Mood::LosesOne);
    let requests = (1..=20).map(|user| {
        let world = &world;
        async move {
            sleep(Duration::from_millis(user / 4)).await;
            (user, world.get(&format!("/api/profile/{user}")).await)
        }
    });
    for (user, response) in futures_util::future::join_all(requests).await {
        assert_eq!(response.at("/user/id"), user.to_string());
        assert_eq!(response.at("/partial"), false);
    }
    assert!(world.metric("cache_misses_total{reason=\"wrong_key\"}").await > 0.0);
    // The connection is given up at once, and the new one is in step.
    world.settle().await;
    assert_eq!(world.metric("redis_connections_lost_total").await, 1.0);
    world.redis_is_used().await;
    assert_eq!(world.get("/api/profile/7").await.at("/meta/parts/user/source"), "redis");
}

#[tokio::test(start_paused = true)]
async fn refused_writes_do_not_stop_good_reads() {
    let world = World::start(&[]).await;
    world.get(PROFILE).await;
    world.settle().await;
    world.redis.becomes(Mood::Error("OOM command not allowed when used memory > 'maxmemory'."));
    for user in 100..102 {
        world.get(&format!("/api/profile/{user}")).await;
    }
    world.settle().await;
    world.redis.becomes(Mood::Good);
    assert_eq!(world.metric("cache_redis_writes_total{result=\"server_error\"}").await, 2.0);
    assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "redis");
    assert_eq!(*world.redis.connections.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_another_type_is_a_miss_and_the_connection_stays() {
    let world = World::start(&[]).await;
    world.redis.becomes(Mood::Error("WRONGTYPE Operation against a key holding the wrong kind of value"));
    for _ in 0..10 {
        assert_eq!(world.get(PROFILE).await.status, 200);
    }
    assert_eq!(world.metric("cache_misses_total{tier=\"redis\",reason=\"wrong_type\"}").await, 10.0);
    assert_eq!(world.metric("redis_connections_lost_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn writes_beyond_the_queue_are_dropped_and_counted() {
    let world = World::start(&[("GATEWAY_BULKHEAD", "0")]).await;
    world.redis.becomes(Mood::MuteForData);
    let requests = (2000..3500).map(|user| {
        let world = &world;
        async move { world.get(&format!("/api/profile/{user}")).await.status }
    });
    let responses = futures_util::future::join_all(requests).await;
    assert!(responses.iter().all(|status| *status == 200));
    sleep(Duration::from_secs(1)).await;
    assert!(world.metric("cache_redis_writes_total{result=\"dropped\"}").await > 0.0);
    // Each write ended in some way.
    assert_eq!(world.metric("cache_redis_writes_total").await, 1500.0);
}
