//! Entries of the two tiers: how long they are kept, and what is said about them.

use crate::support::{Behaviour, Mood, World};
use std::time::Duration;
use tokio::time::sleep;

const PROFILE: &str = "/api/profile/42";
/// Fresh for exactly 30 s.
const EVEN: (&str, &str) = ("GATEWAY_CACHE_TTL_JITTER", "0%");

#[tokio::test(start_paused = true)]
async fn a_second_request_is_answered_by_redis_with_its_age() {
    let world = World::start(&[EVEN]).await;
    let first = world.get(PROFILE).await;
    assert_eq!(first.header("cache-status"), "gateway; fwd=uri-miss; stored; detail=\"redis:absent memory:absent\"");
    sleep(Duration::from_millis(2500)).await;
    let second = world.get(PROFILE).await;
    assert_eq!(world.user.calls(), 1);
    assert_eq!(second.header("cache-status"), "gateway; hit; ttl=27; detail=redis");
    assert_eq!((second.header("age"), second.header("cache-control")), ("2", "private, max-age=30"));
    assert_eq!(second.at("/meta/parts/user/source"), "redis");
    assert!(second.at("/meta/parts/user/age_ms").as_u64().unwrap() >= 2500);
    for same in ["/user", "/orders", "/products", "/meta/generated_at", "/meta/parts/products/gone"] {
        assert_eq!(first.at(same), second.at(same), "{same}");
    }
    assert_eq!(world.metric("cache_hits_total{tier=\"redis\",freshness=\"fresh\"}").await, 1.0);
    assert_eq!(world.metric("cache_misses_total{reason=\"absent\"}").await, 2.0);
}

#[tokio::test(start_paused = true)]
async fn both_tiers_end_at_the_same_moment() {
    let world = World::start(&[EVEN]).await;
    assert_eq!(world.get(PROFILE).await.status, 200);
    world.settle().await;
    let (_, ends) = world.redis.values.lock().unwrap()["gateway:profile:42"].clone();
    // Redis dies at half-time: what memory has is no younger for it.
    sleep(Duration::from_secs(15)).await;
    world.redis.becomes(Mood::Refused);
    world.until("cache_mode{mode=\"memory\"}", 1.0).await;
    let left = ends - world.gateway.unix_now();
    sleep(left - Duration::from_millis(1)).await;
    let last = world.get(PROFILE).await;
    assert_eq!(last.at("/meta/parts/orders/source"), "memory");
    assert_eq!(last.header("age"), "29");
    sleep(Duration::from_millis(1)).await;
    let next = world.get(PROFILE).await;
    assert_eq!(next.header("cache-status"), "gateway; fwd=stale; stored; detail=\"redis:down memory:expired\"");
    assert_eq!(world.user.calls(), 2);
}

/// The number of a hundred profiles, stored at one moment, that are gathered anew after 28.5 s.
async fn gathered_anew(settings: &[(&str, &str)]) -> usize {
    let world = World::start(settings).await;
    for wait in [Duration::ZERO, Duration::from_millis(28_500)] {
        sleep(wait).await;
        for user in 1..=100 {
            world.get(&format!("/api/profile/{user}")).await;
        }
    }
    world.user.calls() - 100
}

#[tokio::test(start_paused = true)]
async fn profiles_that_were_stored_at_once_end_at_different_times() {
    // Each is fresh for 27 to 30 s.
    let anew = gathered_anew(&[]).await;
    assert!((30..=70).contains(&anew), "{anew}");
    assert_eq!(gathered_anew(&[EVEN]).await, 0);
}

#[tokio::test(start_paused = true)]
async fn memory_answers_while_redis_is_down_without_a_wait() {
    let world = World::start(&[]).await;
    world.get(PROFILE).await;
    world.redis.becomes(Mood::Refused);
    world.until("cache_mode{mode=\"memory\"}", 1.0).await;
    let asked = world.redis.count("GET");
    let response = world.get(PROFILE).await;
    assert_eq!((response.at("/meta/parts/user/source"), response.took), ("memory".into(), Duration::ZERO));
    assert!(response.header("cache-status").ends_with("detail=\"memory redis:down\""));
    assert_eq!(world.redis.count("GET"), asked);
    assert_eq!(world.metric("cache_hits_total{tier=\"memory\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn the_memory_tier_can_be_switched_off() {
    let world = World::start(&[("GATEWAY_CACHE_MEMORY", "off")]).await;
    world.get(PROFILE).await;
    world.redis.becomes(Mood::Refused);
    world.until("cache_mode{mode=\"none\"}", 1.0).await;
    assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "origin");
    assert_eq!(world.metric("cache_hits_total{tier=\"memory\"}").await, 0.0);
    assert_eq!(world.metric("cache_lookups_total{tier=\"memory\"}").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn partial_responses_are_not_kept() {
    let world = World::start(&[]).await;
    world.product.becomes(Behaviour::Status(500));
    assert_eq!(world.get(PROFILE).await.at("/partial"), true);
    world.product.becomes(Behaviour::Good);
    let whole = world.get(PROFILE).await;
    assert_eq!((whole.at("/partial"), whole.at("/meta/parts/user/source")), (false.into(), "origin".into()));
}

#[tokio::test(start_paused = true)]
async fn what_redis_lost_is_given_back_with_its_old_times() {
    let world = World::start(&[]).await;
    world.get(PROFILE).await;
    world.settle().await;
    let before = world.redis.values.lock().unwrap().remove("gateway:profile:42").unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "memory");
    world.settle().await;
    let after = world.redis.values.lock().unwrap()["gateway:profile:42"].clone();
    assert_eq!(before.0, after.0);
    assert!(after.1.abs_diff(before.1) <= Duration::from_millis(1), "{before:?} {after:?}");
    assert_eq!(world.get(PROFILE).await.at("/meta/parts/user/source"), "redis");
}

#[tokio::test(start_paused = true)]
async fn what_another_gateway_wrote_is_kept_in_memory_too() {
    let world = World::start(&[]).await;
    world.get(PROFILE).await;
    world.settle().await;
    let text = world.redis.values.lock().unwrap().clone();
    // A second world whose gateway has never seen the user.
    let other = World::start(&[]).await;
    *other.redis.values.lock().unwrap() = text;
    assert_eq!(other.get(PROFILE).await.at("/meta/parts/user/source"), "redis");
    other.redis.becomes(Mood::Refused);
    other.until("cache_mode{mode=\"memory\"}", 1.0).await;
    assert_eq!(other.get(PROFILE).await.at("/meta/parts/user/source"), "memory");
    assert_eq!(other.user.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn wrong_values_are_misses_with_a_reason() {
    let world = World::start(&[]).await;
    world.get("/api/profile/43").await;
    world.settle().await;
    let theirs = world.redis.values.lock().unwrap()["gateway:profile:43"].clone();
    let cut = (theirs.0[..theirs.0.len() - 1].to_vec(), theirs.1);
    let newer = (String::from_utf8(theirs.0.clone()).unwrap().replacen("/2", "/3", 1).into_bytes(), theirs.1);
    for (value, reason) in [(theirs, "wrong_key"), (cut, "corrupt"), (newer, "version")] {
        world.redis.values.lock().unwrap().insert("gateway:profile:42".to_owned(), value);
        let response = world.get(PROFILE).await;
        assert_eq!(response.at("/user/id"), "42");
        assert_eq!(world.metric(&format!("cache_misses_total{{tier=\"redis\",reason=\"{reason}\"}}")).await, 1.0);
        world.settle().await;
    }
    // The values were bad, the connection was not.
    assert_eq!(*world.redis.connections.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn hits_and_misses_make_up_the_lookups() {
    let world = World::start(&[("GATEWAY_CACHE_TTL", "1s")]).await;
    world.user.becomes(Behaviour::Slow(Duration::from_millis(3)));
    let moods = [Mood::Good, Mood::MuteForData, Mood::Good, Mood::Refused, Mood::Good, Mood::Reset, Mood::Silent];
    for (round, mood) in moods.into_iter().enumerate() {
        world.redis.becomes(mood);
        let requests = (0..60).map(|n| {
            let world = &world;
            async move {
                sleep(Duration::from_millis(n * 7)).await;
                let get = world.get_profile(n % 13 + 1);
                // Some clients give up, in the middle of a lookup too.
                let patience = if n % 5 == 0 { 2 } else { 2_000 };
                let _ = tokio::time::timeout(Duration::from_millis(patience), get).await;
            }
        });
        futures_util::future::join_all(requests).await;
        world.settle().await;
        for tier in ["redis", "memory"] {
            let hits = world.metric(&format!("cache_hits_total{{tier=\"{tier}\"}}")).await;
            let misses = world.metric(&format!("cache_misses_total{{tier=\"{tier}\"}}")).await;
            let lookups = world.metric(&format!("cache_lookups_total{{tier=\"{tier}\"}}")).await;
            assert_eq!(hits + misses, lookups, "{tier} in round {round}");
            assert!(lookups > 0.0);
        }
    }
    assert_eq!(world.metric("http_active_requests").await, 0.0);
    for reason in ["timeout", "down", "cancelled"] {
        let count = world.metric(&format!("cache_misses_total{{tier=\"redis\",reason=\"{reason}\"}}")).await;
        assert!(count > 0.0, "{reason}");
    }
}

impl World {
    async fn get_profile(&self, user: u64) -> crate::support::Response {
        self.get(&format!("/api/profile/{user}")).await
    }
}
