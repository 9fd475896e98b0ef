//! 1 to 6: Redis can't be reached, or does not answer.

use super::{Ride, WARM};
use crate::support::Mood;
use std::time::Duration;
use tokio::time::sleep;

const OUTAGE: Duration = Duration::from_secs(5);

/// The longest wait between attempts, an attempt's own limit, and what a request finds out at last.
const FOUND_WITHIN: Duration = Duration::from_millis(1_600);

#[tokio::test(start_paused = true)]
async fn f01_refused() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::Refused);
    ride.stopped_asking_for(OUTAGE).await;
    ride.is_named("refused").await;
    assert_eq!(ride.judged().await, ["open", "open"]);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f02_blackholed() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::Blackhole);
    ride.stopped_asking_for(OUTAGE).await;
    ride.is_named("connect_timeout").await;
    assert_eq!(ride.judged().await, ["open", "open"]);
    assert!(ride.metric("redis_connects_total{result=\"timeout\"}").await >= 3.0);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f03_frozen() {
    let mut ride = Ride::start().await;
    ride.redis.freeze();
    ride.stopped_asking_for(OUTAGE).await;
    ride.is_named("connect_timeout").await;
    let waited = ride.metric("cache_misses_total{tier=\"redis\",reason=\"timeout\"}").await;
    assert!((3.0..=8.0).contains(&waited), "a handful finds out, and not {waited}");
    assert_eq!(ride.judged().await, ["open", "open"]);
    ride.redis.thaw();
    ride.recovers_within(FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f04_slow_but_alive() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::Slow(Duration::from_millis(60)));
    ride.stopped_asking_for(OUTAGE).await;
    ride.is_named("timeout").await;
    assert_eq!(ride.judged().await, ["open", "open"]);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f05_reset_in_the_middle_of_a_reply() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::CutsReplies);
    ride.stopped_asking_for(OUTAGE).await;
    ride.is_named("reset").await;
    assert_eq!(ride.judged().await, ["open", "open"]);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f06_half_open_after_idling() {
    let mut ride = Ride::start().await;
    // Nobody asks for anything, and somewhere on the way the connection is forgotten.
    sleep(Duration::from_secs(10)).await;
    ride.redis.becomes(Mood::HalfOpen);
    // The first who come after it find out for all: nothing told them.
    ride.suffered_for(OUTAGE).await;
    ride.is_named("timeout").await;
    // A fresh connection is good, so it did not take the whole of the outage.
    assert_eq!(ride.metric("redis_connections_lost_total").await, 1.0);
    ride.recovers_within(FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f06_a_connection_that_idles_is_replaced_before_anybody_asks() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::HalfOpen);
    sleep(Duration::from_secs(3)).await;
    for user in 1..=WARM {
        let response = ride.profile(user).await;
        assert_eq!((response.took, response.source().as_str()), (Duration::ZERO, "redis"));
    }
    ride.is_named("timeout").await;
    ride.recovers_within(Duration::ZERO).await;
}
