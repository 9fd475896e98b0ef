//! 14: Redis is back again.

use super::{Ride, WARM, assert_whole};
use crate::support::Mood;
use std::time::Duration;
use tokio::time::sleep;

const EVEN: (&str, &str) = ("GATEWAY_CACHE_TTL_JITTER", "0%");

#[tokio::test(start_paused = true)]
async fn f14_no_herd_meets_the_services() {
    let mut ride = Ride::start_with(&[("GATEWAY_CACHE_WARMING", "2s")]).await;
    ride.redis.becomes(Mood::Refused);
    ride.suffered_for(Duration::from_secs(4)).await;
    ride.redis.forget_all();
    ride.redis.becomes(Mood::Good);
    let calls = [&ride.user, &ride.order, &ride.product].map(|service| service.calls());
    let responses = ride.asked_for(Duration::from_secs(5)).await;
    let new = responses.len() / 10;
    for (service, before) in [&ride.user, &ride.order, &ride.product].into_iter().zip(calls) {
        assert_eq!(service.calls() - before, new, "only those whom nobody had asked for");
    }
    // Nor Redis, which is asked by more and more.
    assert!(ride.metric("cache_misses_total{tier=\"redis\",reason=\"warming\"}").await > 50.0);
    assert_eq!(ride.judged().await, ["up", "up"]);
}

/// The entries of both tiers, as far as a response tells.
async fn generated(ride: &Ride, user: u64) -> (String, String) {
    let response = ride.profile(user).await;
    assert_whole(&response, user);
    (response.source(), response.at("/meta/generated_at").as_str().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn f14_what_redis_kept_from_before_is_not_believed_over_what_is_newer() {
    let ride = Ride::start_with(&[EVEN]).await;
    let saved = ride.redis.values.lock().unwrap().clone();
    let (_, old) = generated(&ride, 1).await;
    // Redis loses it, another gateway gathers it anew, and this one gets to see that.
    let other = ride.neighbour("gateway-2");
    other.redis_is_used().await;
    ride.redis.values.lock().unwrap().clear();
    sleep(Duration::from_secs(5)).await;
    let gathered = other.get("/api/profile/1").await;
    assert_eq!(gathered.source(), "origin");
    other.settle().await;
    let (source, newer) = generated(&ride, 1).await;
    assert!(source == "redis" && newer > old, "{source} {newer} {old}");
    // Redis comes back with what it had saved before all that, still fresh by its own times.
    ride.redis.becomes(Mood::Refused);
    ride.until("cache_mode{mode=\"memory\"}", 1.0).await;
    *ride.redis.values.lock().unwrap() = saved;
    ride.redis.becomes(Mood::Good);
    ride.redis_is_used().await;
    assert_eq!(generated(&ride, 1).await, ("memory".to_owned(), newer.clone()));
    assert_eq!(ride.metric("cache_misses_total{tier=\"redis\",reason=\"older\"}").await, 1.0);
    // It got the newer one: both tiers agree.
    ride.settle().await;
    assert_eq!(generated(&ride, 1).await, ("redis".to_owned(), newer));
}

#[tokio::test(start_paused = true)]
async fn f14_a_write_that_was_stuck_does_not_undo_a_newer_one() {
    let ride = Ride::start_with(&[EVEN]).await;
    let other = ride.neighbour("gateway-2");
    other.redis_is_used().await;
    // Both gather a profile whose write is stuck in a frozen Redis, the other one later.
    ride.redis.freeze();
    let (_, old) = generated(&ride, 500).await;
    sleep(Duration::from_millis(20)).await;
    let newer = other.get("/api/profile/500").await.at("/meta/generated_at");
    assert!(newer.as_str().unwrap() > old.as_str());
    sleep(Duration::from_secs(3)).await;
    // When it goes on, what was stuck is carried out after all: the older one last, as bad luck has it.
    ride.redis.thaw();
    ride.redis_is_used().await;
    other.redis_is_used().await;
    let values = ride.redis.values.lock().unwrap().clone();
    assert!(values.contains_key("gateway:profile:500"));
    // Whatever Redis has of it now: who knows the newer one says so, and in the end all agree.
    for gateway in [&other, &ride.world, &other, &ride.world] {
        gateway.get("/api/profile/500").await;
        gateway.settle().await;
    }
    for gateway in [&ride.world, &other] {
        let response = gateway.get("/api/profile/500").await;
        assert_eq!((response.source().as_str(), response.at("/meta/generated_at")), ("redis", newer.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn f14_a_profile_that_grew_old_in_the_queue_is_not_written() {
    let ride = Ride::start_with(&[EVEN, ("GATEWAY_CACHE_TTL", "2s")]).await;
    ride.redis.becomes(Mood::Refused);
    ride.until("cache_mode{mode=\"memory\"}", 1.0).await;
    for user in 100..120 {
        assert_whole(&ride.profile(user).await, user);
    }
    sleep(Duration::from_secs(3)).await;
    ride.redis.values.lock().unwrap().clear();
    ride.redis.becomes(Mood::Good);
    ride.redis_is_used().await;
    sleep(Duration::from_secs(1)).await;
    // What was gathered without Redis is not kept for it: it would come back older than what others know by then.
    assert!(ride.redis.values.lock().unwrap().is_empty());
    assert_eq!(ride.metric("cache_redis_writes_total{result=\"down\"}").await, 20.0);
    // As long as memory has it fresh, whoever asks gives it back.
    for user in 1..=WARM {
        assert_whole(&ride.profile(user).await, user);
    }
    ride.settle().await;
    assert_eq!(ride.redis.values.lock().unwrap().len(), 20);
}
