//! 11 to 13: Redis answers, with the wrong data or none.

use super::{Ride, WARM, assert_whole};
use crate::support::Mood;
use std::time::Duration;

/// Without a failed connection there is nothing to find again.
const AT_ONCE: Duration = Duration::ZERO;

#[tokio::test(start_paused = true)]
async fn f11_empty_after_a_restart() {
    let mut ride = Ride::start().await;
    let calls = ride.user.calls();
    ride.redis.becomes(Mood::Refused);
    ride.until("cache_mode{mode=\"memory\"}", 1.0).await;
    ride.redis.forget_all();
    ride.redis.becomes(Mood::Good);
    ride.redis_is_used().await;
    ride.is_named("empty").await;
    for user in 1..=WARM {
        assert_whole(&ride.profile(user).await, user);
    }
    assert_eq!(ride.user.calls(), calls, "memory answers, and gives back what it has");
    ride.recovers_within(Duration::from_secs(1)).await;
    assert_eq!(ride.metric("redis_failures_total{reason=\"empty\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn f11_flushed_while_connected() {
    let mut ride = Ride::start().await;
    ride.redis.forget_all();
    ride.suffered_for(Duration::from_secs(2)).await;
    ride.is_named("empty").await;
    assert_eq!(ride.metric("redis_failures_total{reason=\"empty\"}").await, 1.0);
    assert_eq!(ride.metric("redis_connections_lost_total").await, 0.0);
    ride.recovers_within(AT_ONCE).await;
    // It is not empty twice.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(ride.metric("redis_failures_total{reason=\"empty\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn f11_a_restart_that_kept_its_data_is_not_called_empty() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::Refused);
    ride.suffered_for(Duration::from_secs(2)).await;
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(Duration::from_secs(2)).await;
    assert_eq!(ride.metric("redis_failures_total{reason=\"empty\"}").await, 0.0);
}

/// Every profile of Redis becomes what `change` makes of it and of its neighbour's.
fn change_all(ride: &Ride, change: impl Fn(&[u8], &[u8]) -> Vec<u8>) {
    let mut values = ride.redis.values.lock().unwrap();
    let before: Vec<Vec<u8>> = values.values().map(|(value, _)| value.clone()).collect();
    for (index, (value, _)) in values.values_mut().enumerate() {
        *value = change(&before[index], &before[(index + 1) % before.len()]);
    }
}

/// `mended`: what memory has takes the place of the values at once, and not only when their time is over.
async fn values_are_wrong(change: impl Fn(&[u8], &[u8]) -> Vec<u8>, reason: &str, mended: bool) {
    let mut ride = Ride::start().await;
    let calls = ride.user.calls();
    change_all(&ride, change);
    for user in 1..=WARM {
        assert_whole(&ride.profile(user).await, user);
    }
    assert_eq!(ride.user.calls(), calls, "memory has them all");
    ride.suffered_for(Duration::from_secs(1)).await;
    ride.is_named(reason).await;
    let misses = ride.metric(&format!("cache_misses_total{{tier=\"redis\",reason=\"{reason}\"}}")).await;
    assert_eq!(misses, if mended { 20.0 } else { 200.0 });
    // The values are bad, the connection isn't.
    assert_eq!(ride.metric("redis_connections_lost_total").await, 0.0);
    if !mended {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    ride.recovers_within(AT_ONCE).await;
}

#[tokio::test(start_paused = true)]
async fn f12_truncated_values() {
    values_are_wrong(|value, _| value[..value.len() - 1].to_vec(), "corrupt", true).await;
    values_are_wrong(|_, _| Vec::new(), "corrupt", true).await;
}

#[tokio::test(start_paused = true)]
async fn f12_values_of_another_version() {
    let newer = |value: &[u8], _: &[u8]| String::from_utf8(value.to_vec()).unwrap().replacen("/2", "/3", 1).into();
    // Gateways of two versions would otherwise take each other's values away again and again.
    values_are_wrong(newer, "version", false).await;
}

#[tokio::test(start_paused = true)]
async fn f12_values_of_another_key() {
    // The right one may be there all the same, and newer: it may have been the reply that was wrong.
    values_are_wrong(|_, theirs| theirs.to_vec(), "wrong_key", false).await;
}

#[tokio::test(start_paused = true)]
async fn f12_values_of_another_type() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::Error("WRONGTYPE Operation against a key holding the wrong kind of value"));
    ride.suffered_for(Duration::from_secs(2)).await;
    ride.is_named("wrong_type").await;
    assert_eq!(ride.metric("redis_connections_lost_total").await, 0.0);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(Duration::from_secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn f13_a_lost_reply() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::LosesOne);
    ride.suffered_for(Duration::from_secs(5)).await;
    assert!(ride.metric("redis_failures_total{reason=\"wrong_key\"}").await > 0.0);
    ride.is_named("out_of_step").await;
    assert_eq!(ride.metric("redis_connections_lost_total").await, 1.0, "it is replaced once");
    ride.recovers_within(AT_ONCE).await;
}
