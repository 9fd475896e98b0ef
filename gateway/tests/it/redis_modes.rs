//! Modes of Redis: reads and writes are judged apart, with a reason, and asked no more after a few failures.

use crate::support::{Mood, World};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

const PROFILE: &str = "/api/profile/42";

impl World {
    /// The Redis component in `/health`: reads, writes, last reason.
    async fn judged(&self) -> serde_json::Value {
        let health = self.get("/health").await;
        let of = |field: &str| health.at(&format!("/components/redis/{field}"));
        json!([of("reads"), of("writes"), of("last_reason")])
    }

    async fn failures(&self, reason: &str) -> f64 {
        self.metric(&format!("redis_failures_total{{reason=\"{reason}\"}}")).await
    }
}

#[tokio::test(start_paused = true)]
async fn errors_to_data_are_named_and_stop_the_traffic() {
    for (error, reason) in [
        ("LOADING Redis is loading the dataset in memory", "loading"),
        ("NOAUTH Authentication required.", "noauth"),
        ("NOPERM this user has no permissions to run the 'get' command", "noperm"),
        ("MISCONF Redis is configured to save RDB snapshots", "server_error"),
    ] {
        let world = World::start(&[]).await;
        world.get(PROFILE).await;
        world.settle().await;
        assert_eq!(world.judged().await, json!(["up", "up", null]));
        world.redis.becomes(Mood::Error(error));
        for _ in 0..10 {
            let response = world.get(PROFILE).await;
            assert_eq!((response.status.as_u16(), response.took), (200, Duration::ZERO), "{reason}");
        }
        let misses = |reason: &str| format!("cache_misses_total{{tier=\"redis\",reason=\"{reason}\"}}");
        assert_eq!(world.metric(&misses(reason)).await, 3.0, "{reason}");
        assert_eq!(world.metric(&misses("down")).await, 7.0, "{reason}");
        sleep(Duration::from_secs(3)).await;
        assert_eq!(world.judged().await, json!(["open", "open", reason]));
        world.redis.becomes(Mood::Good);
        world.redis_is_used().await;
        assert_eq!(world.judged().await, json!(["up", "up", reason]));
        assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "redis", "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn refused_writes_stop_while_reads_go_on() {
    for (error, reason) in [
        ("OOM command not allowed when used memory > 'maxmemory'.", "oom"),
        ("READONLY You can't write against a read only replica.", "readonly"),
    ] {
        let world = World::start(&[]).await;
        world.get(PROFILE).await;
        world.settle().await;
        world.redis.becomes(Mood::RefusesWrites(error));
        for user in 100..110 {
            assert_eq!(world.get(&format!("/api/profile/{user}")).await.status, 200);
            world.settle().await;
        }
        assert_eq!(world.metric("cache_redis_writes_total{result=\"server_error\"}").await, 3.0, "{reason}");
        assert_eq!(world.metric("cache_redis_writes_total{result=\"down\"}").await, 7.0, "{reason}");
        assert_eq!(world.judged().await, json!(["up", "open", reason]));
        assert_eq!(world.metric("redis_mode{side=\"write\",mode=\"open\"}").await, 1.0);
        assert_eq!(world.get("/health").await.at("/status"), "degraded");
        assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "redis", "{reason}");
        // A replica is left for whoever has the name by now; a full server is still the right one.
        sleep(Duration::from_millis(2_900)).await;
        let connections = *world.redis.connections.lock().unwrap();
        assert_eq!(connections > 1, reason == "readonly", "{connections} with {reason}");
        world.redis.becomes(Mood::Good);
        world.until("redis_mode{side=\"write\",mode=\"up\"}", 1.0).await;
        assert!(world.failures(reason).await >= 4.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_greeting_that_is_refused_is_tried_again_with_a_fresh_client() {
    for (error, reason) in [
        ("WRONGPASS invalid username-password pair or user is disabled.", "wrongpass"),
        ("NOAUTH HELLO must be called with the client already authenticated", "noauth"),
        ("ERR max number of clients reached", "max_clients"),
        ("LOADING Redis is loading the dataset in memory", "loading"),
    ] {
        let world = World::start_with(&[], Mood::RefusesGreeting(error));
        sleep(Duration::from_secs(5)).await;
        assert_eq!(world.get(PROFILE).await.status, 200);
        assert_eq!(world.judged().await, json!(["open", "open", reason]));
        let tries = world.metric("redis_connects_total{result=\"handshake\"}").await;
        assert_eq!(f64::from(*world.redis.connections.lock().unwrap()), tries);
        assert_eq!(world.failures(reason).await, tries);
        assert!((5.0..=10.0).contains(&tries), "{tries} with {reason}");
        world.redis.becomes(Mood::Good);
        world.redis_is_used().await;
    }
}

#[tokio::test(start_paused = true)]
async fn why_it_is_turned_away_is_told() {
    for (error, reason) in [
        ("ERR max number of clients reached", "max_clients"),
        ("DENIED Redis is running in protected mode because no password is set", "server_error"),
    ] {
        let world = World::start_with(&[], Mood::TurnsAway(error));
        sleep(Duration::from_secs(5)).await;
        assert_eq!(world.get(PROFILE).await.status, 200);
        assert_eq!(world.judged().await, json!(["open", "open", reason]));
        let tries = world.metric("redis_connects_total{result=\"handshake\"}").await;
        assert_eq!(world.failures(reason).await, tries);
        assert!((5.0..=10.0).contains(&tries), "{tries} with {reason}");
        world.redis.becomes(Mood::Good);
        world.redis_is_used().await;
    }
}

#[tokio::test(start_paused = true)]
async fn under_load_a_frozen_redis_costs_a_handful_and_two_connects_a_second() {
    let world = World::start(&[]).await;
    world.get(PROFILE).await;
    sleep(Duration::from_secs(1)).await;
    world.redis.becomes(Mood::Silent);
    let before = *world.redis.connections.lock().unwrap();
    let requests = (0..1_000).map(|n| {
        let world = &world;
        async move {
            sleep(Duration::from_millis(5 * n)).await;
            (n, world.get(PROFILE).await)
        }
    });
    let responses = futures_util::future::join_all(requests).await;
    for (n, response) in &responses {
        assert_eq!(response.status, 200);
        // 25 ms hold five requests: the first handful finds out, and nobody waits after it.
        let limit = if *n < 8 { Duration::from_millis(25) } else { Duration::ZERO };
        assert!(response.took <= limit, "request {n} took {:?}", response.took);
    }
    let connects = *world.redis.connections.lock().unwrap() - before;
    assert!((2..=10).contains(&connects), "{connects} in five seconds");
    assert_eq!(world.judged().await, json!(["open", "open", "connect_timeout"]));
    world.redis.becomes(Mood::Good);
    world.redis_is_used().await;
}

#[tokio::test(start_paused = true)]
async fn a_redis_that_is_absent_is_named_so() {
    let world = World::start_with(&[], Mood::Refused);
    assert_eq!(world.get(PROFILE).await.status, 200);
    assert_eq!(world.judged().await, json!(["open", "open", "refused"]));
    world.redis.becomes(Mood::Good);
    world.redis_is_used().await;
    assert_eq!(world.judged().await, json!(["up", "up", "refused"]));
}

#[tokio::test(start_paused = true)]
async fn a_redis_that_is_back_is_met_by_few_at_first_and_then_by_all() {
    let world = World::start(&[("GATEWAY_CACHE_WARMING", "2s")]).await;
    world.get(PROFILE).await;
    world.settle().await;
    // The first connection is no return.
    assert_eq!(world.judged().await, json!(["up", "up", null]));
    world.redis.becomes(Mood::Error("LOADING Redis is loading the dataset in memory"));
    for _ in 0..5 {
        world.get(PROFILE).await;
    }
    world.redis.becomes(Mood::Good);
    world.redis_is_used().await;
    assert_eq!(world.judged().await[0], "warming");
    let mut from_redis = Vec::new();
    for _ in 0..5 {
        let mut hits = 0;
        for _ in 0..100 {
            let response = world.get(PROFILE).await;
            assert_eq!((response.status.as_u16(), response.took), (200, Duration::ZERO));
            hits += u32::from(response.at("/meta/parts/user/source") == "redis");
            sleep(Duration::from_millis(5)).await;
        }
        from_redis.push(hits);
    }
    // On average 21, 44, 66, 89, and then all; three standard deviations are at most 15.
    for (hits, expected) in from_redis.iter().zip([21, 44, 66, 89]) {
        assert!(hits.abs_diff(expected) <= 15, "{from_redis:?}");
    }
    assert_eq!(from_redis[4], 100);
    assert_eq!(world.judged().await[0], "up");
    let lookups = world.metric("cache_lookups_total{tier=\"redis\"}").await;
    let (hits, misses) = ("cache_hits_total{tier=\"redis\"}", "cache_misses_total{tier=\"redis\"}");
    assert_eq!(world.metric(hits).await + world.metric(misses).await, lookups);
    assert!(world.metric("cache_misses_total{tier=\"redis\",reason=\"warming\"}").await > 100.0);
}
