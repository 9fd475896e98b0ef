//! With the real proxies on the gateway's links: what a fault asks for is what clients see, to the millisecond.

use crate::support::{
    BLACKHOLE, Expected, HANG, MS, ORDER, PRODUCT, REDIS, REFUSE, Response, System, USER, latency, user_where,
};
use chaos_model::Effect;
use std::time::Duration;
use tokio::time::sleep;

fn shopper() -> u64 {
    user_where(|orders| orders.len() > 2)
}

#[tokio::test(start_paused = true)]
async fn idle_proxies_change_nothing_and_cost_no_time() {
    let (with, without) = (System::start_with_proxies().await, System::start().await);
    for user in 1..=50 {
        let (with, without) = (with.profile(user).await, without.profile(user).await);
        assert_eq!(with, without);
        assert_eq!(with.took, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn latency_on_one_link_is_seen_exactly() {
    let system = System::start_with_proxies().await;
    system.links().apply(ORDER, latency(200 * MS)).await;
    for user in 1..=20 {
        let response = system.profile(user).await;
        response.assert_complete();
        assert_eq!(response.took, 200 * MS);
        let timing = response.header("server-timing");
        assert!(timing.contains("user;dur=0.0, orders;dur=200.0"), "{timing}");
        // What is cached needs no orders.
        assert_eq!(system.profile(user).await.took, Duration::ZERO);
    }
    let fired = system.links().heal(ORDER, &latency(200 * MS)).await;
    assert!(fired.chunks >= 20, "{fired:?}");
    let response = system.profile(21).await;
    response.assert_complete();
    assert_eq!(response.took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn latencies_of_calls_side_by_side_overlap_and_those_in_a_row_add_up() {
    let system = System::start_with_proxies().await;
    let user = shopper();
    system.links().apply(USER, latency(150 * MS)).await;
    system.links().apply(ORDER, latency(100 * MS)).await;
    system.links().apply(PRODUCT, latency(30 * MS)).await;
    assert_eq!(system.profile(user).await.took, 150 * MS);
    system.links().heal(USER, &latency(150 * MS)).await;
    let other = (user + 1..).find(|user| !Expected::of(*user).product_ids.is_empty()).unwrap();
    assert_eq!(system.profile(other).await.took, 130 * MS);
}

#[tokio::test(start_paused = true)]
async fn latency_beyond_the_timeout_is_a_timeout_and_healing_ends_it_at_once() {
    let system = System::start_with_proxies().await;
    let (user, slow) = (shopper(), latency(Duration::from_secs(2)));
    system.links().apply(ORDER, slow.clone()).await;
    let response = system.profile(user).await;
    assert_eq!((response.took, response.at("/partial")), (400 * MS, true.into()));
    assert_eq!(response.errors(), [("order".to_owned(), "timeout".to_owned())]);
    let heal = async {
        sleep(50 * MS).await;
        system.links().heal(ORDER, &slow).await;
    };
    // What was held goes on its way.
    let (response, ()) = tokio::join!(system.profile(user), heal);
    response.assert_complete();
    assert_eq!(response.took, 50 * MS);
}

/// Puts the effect on the link to Redis for three seconds, with a request every 10 ms, and heals it. Returns the
/// responses in its time, and how long Redis took to be used again.
async fn break_redis(system: &System, effect: Effect) -> (Vec<Response>, Duration) {
    system.warm_up(1..=20).await;
    system.links().apply(REDIS, effect.clone()).await;
    let mut responses = Vec::new();
    for turn in 0..300 {
        let response = system.profile(turn % 20 + 1).await;
        response.assert_complete();
        assert_eq!(response.source(), "memory");
        sleep((10 * MS).saturating_sub(response.took)).await;
        responses.push(response);
    }
    let fired = system.links().heal(REDIS, &effect).await;
    assert!(fired.any(), "{fired:?}");
    let found = system.redis_is_used().await;
    // The service was well all the time, so it has what was written before.
    assert_eq!(system.profile(7).await.source(), "redis");
    (responses, found)
}

fn waits(responses: &[Response]) -> Vec<Duration> {
    responses.iter().map(|response| response.took).filter(|took| !took.is_zero()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_refusing_link_to_redis_costs_nothing() {
    let system = System::start_with_proxies().await;
    let (responses, found) = break_redis(&system, REFUSE).await;
    assert!(waits(&responses).is_empty(), "{:?}", waits(&responses));
    assert!(found <= Duration::from_millis(1_001), "{found:?}");
    assert!(system.metric("redis_connects_total{result=\"refused\"}").await >= 3.0);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_link_to_redis_costs_three_timeouts() {
    let system = System::start_with_proxies().await;
    let (responses, found) = break_redis(&system, HANG).await;
    assert_eq!(waits(&responses), [25 * MS; 3]);
    assert!(found <= Duration::from_millis(1_001), "{found:?}");
    assert!(system.metric("redis_connects_total{result=\"timeout\"}").await >= 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_blackholed_link_to_redis_costs_three_timeouts() {
    let system = System::start_with_proxies().await;
    let (responses, found) = break_redis(&system, BLACKHOLE).await;
    assert_eq!(waits(&responses), [25 * MS; 3]);
    // An attempt that is under way sends its next packet only after its timeout of 500 ms; then comes the wait.
    assert!(found <= Duration::from_millis(1_501), "{found:?}");
    assert!(system.metric("redis_connects_total{result=\"timeout\"}").await >= 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_refusing_link_to_a_service_is_a_partial_response_and_heals() {
    let system = System::start_with_proxies().await;
    let user = shopper();
    system.profile(user + 1).await.assert_complete();
    system.links().apply(ORDER, REFUSE).await;
    let response = system.profile(user).await;
    assert_eq!(response.states(), ["fresh", "failed", "skipped"]);
    assert_eq!(response.errors(), [("order".to_owned(), "connect_refused".to_owned())]);
    let fired = system.links().heal(ORDER, &REFUSE).await;
    assert!(fired.refused >= 1 && fired.resets >= 1, "{fired:?}");
    system.profile(user).await.assert_complete();
}

#[tokio::test(start_paused = true)]
async fn behind_a_proxy_a_dead_service_is_still_a_partial_response() {
    let mut system = System::start_with_proxies().await;
    let user = shopper();
    system.profile(user + 1).await.assert_complete();
    system.crash(ORDER).await;
    let response = system.profile(user).await;
    assert_eq!(response.states(), ["fresh", "failed", "skipped"]);
    // The proxy has taken the connection before it learns that nobody is behind it.
    assert_eq!(response.errors(), [("order".to_owned(), "reset".to_owned())]);
    system.launch(ORDER);
    sleep(MS).await;
    system.profile(user).await.assert_complete();
}
