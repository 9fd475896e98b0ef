//! 7 to 10: Redis answers, with errors.

use super::{Ride, assert_whole};
use crate::support::Mood;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const OUTAGE: Duration = Duration::from_secs(5);
const FOUND_WITHIN: Duration = Duration::from_millis(1_600);

/// Writes are tried by waits that grow to this.
const WRITES_FOUND_WITHIN: Duration = Duration::from_millis(4_600);

const LOADING: &str = "LOADING Redis is loading the dataset in memory";
const READONLY: &str = "READONLY You can't write against a read only replica.";
const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'.";
const NOAUTH: &str = "NOAUTH Authentication required.";
const NOPERM: &str = "NOPERM this user has no permissions to run the 'get' command";
const WRONGPASS: &str = "WRONGPASS invalid username-password pair or user is disabled.";
const MAX_CLIENTS: &str = "ERR max number of clients reached";

/// All that is about data is refused, whatever is tried anew.
async fn data_is_refused(error: &'static str, reason: &str) {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::Error(error));
    ride.suffered_for(OUTAGE).await;
    ride.is_named(reason).await;
    assert_eq!(ride.judged().await, ["open", "open"]);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(FOUND_WITHIN).await;
}

/// The connection is lost, and the greeting of each further one is refused.
async fn greetings_are_refused(error: &'static str, reason: &str) {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::Reset);
    ride.settle().await;
    assert_whole(&ride.profile(1).await, 1);
    ride.redis.becomes(Mood::RefusesGreeting(error));
    ride.suffered_for(OUTAGE).await;
    ride.is_named(reason).await;
    assert!(ride.metric("redis_connects_total{result=\"handshake\"}").await >= 4.0);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f07_loading() {
    data_is_refused(LOADING, "loading").await;
    greetings_are_refused(LOADING, "loading").await;
}

#[tokio::test(start_paused = true)]
async fn f08_readonly_after_a_failover() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::RefusesWrites(READONLY));
    ride.suffered_for(OUTAGE).await;
    ride.is_named("readonly").await;
    assert_eq!(ride.judged().await, ["up", "open"]);
    // Another server may have the name by now: the connection is made anew.
    assert!(ride.metric("redis_connections_lost_total").await > 0.0);
    // Reads that were good stay so.
    assert_eq!(ride.metric("cache_misses_total{reason=\"warming\"}").await, 0.0);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(WRITES_FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f09_oom_on_set() {
    let mut ride = Ride::start().await;
    ride.redis.becomes(Mood::RefusesWrites(OOM));
    let responses = ride.asked_for(OUTAGE).await;
    let from_redis = responses.iter().filter(|(_, response)| response.source() == "redis").count();
    assert_eq!(from_redis, responses.len() / 10 * 9, "an OOM on SET does not stop good reads");
    assert!(responses.iter().all(|(_, response)| response.took.is_zero()));
    ride.is_named("oom").await;
    assert_eq!(ride.judged().await, ["up", "open"]);
    assert_eq!(ride.metric("redis_connections_lost_total").await, 0.0);
    ride.redis.becomes(Mood::Good);
    ride.recovers_within(WRITES_FOUND_WITHIN).await;
}

#[tokio::test(start_paused = true)]
async fn f09_writes_are_tried_ever_more_rarely() {
    let ride = Ride::start().await;
    ride.redis.becomes(Mood::RefusesWrites(OOM));
    let (started, mut tries) = (Instant::now(), Vec::new());
    for user in 100..103 {
        ride.profile(user).await;
    }
    ride.settle().await;
    let mut before = ride.redis.count("SET");
    while started.elapsed() < Duration::from_secs(60) {
        let sets = ride.redis.count("SET");
        tries.extend((before..sets).map(|_| started.elapsed()));
        before = sets;
        sleep(Duration::from_millis(1)).await;
    }
    let waits: Vec<Duration> = tries.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(waits.iter().all(|wait| *wait >= Duration::from_millis(500)), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= WRITES_FOUND_WITHIN), "{waits:?}");
    // At one a second there would be sixty.
    assert!((12..=35).contains(&tries.len()), "{} tries: {waits:?}", tries.len());
}

#[tokio::test(start_paused = true)]
async fn f10_noauth() {
    data_is_refused(NOAUTH, "noauth").await;
}

#[tokio::test(start_paused = true)]
async fn f10_noperm() {
    data_is_refused(NOPERM, "noperm").await;
}

#[tokio::test(start_paused = true)]
async fn f10_a_poisoned_handshake() {
    for (error, reason) in [(NOAUTH, "noauth"), (WRONGPASS, "wrongpass"), (MAX_CLIENTS, "max_clients")] {
        greetings_are_refused(error, reason).await;
    }
}
