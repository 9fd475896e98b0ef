//! Leftovers of failures once they are over: none. Tasks and connections are counted before and after.

use crate::support::{
    BLACKHOLE, GATEWAY, HANG, MS, ORDER, PRODUCT, REDIS, REFUSE, SERVICES, System, USER, latency, settle,
};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Longer than any pool keeps an idle connection, and any server one that says nothing.
const IDLE: Duration = Duration::from_secs(40);

/// The number of tasks of each service once nothing is under way but what always is.
async fn at_rest(system: &System) -> Vec<(&'static str, usize)> {
    sleep(IDLE).await;
    [GATEWAY, USER, ORDER, PRODUCT, REDIS].map(|name| (name, system.running(name))).to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_frozen_redis_leaves_no_task_in_either_program() {
    let system = System::start().await;
    let before = at_rest(&system).await;
    for _ in 0..5 {
        system.freeze(REDIS);
        for user in 1..=50 {
            system.profile(user).await.assert_complete();
            sleep(100 * MS).await;
        }
        // It finds all the connections that were tried meanwhile in its queue.
        system.thaw(REDIS);
        system.redis_is_used().await;
    }
    assert_eq!(at_rest(&system).await, before);
}

#[tokio::test(start_paused = true)]
async fn while_redis_is_frozen_attempts_to_connect_do_not_pile_up() {
    let system = System::start().await;
    let tasks = |before: Vec<(&'static str, usize)>| before[0].1;
    let before = tasks(at_rest(&system).await);
    system.freeze(REDIS);
    let frozen = tasks(at_rest(&system).await);
    assert!(frozen <= before, "{frozen} tasks of the gateway, {before} before");
    assert!(system.metric("redis_connects_total{result=\"timeout\"}").await > 20.0);
}

#[tokio::test(start_paused = true)]
async fn frozen_services_leave_no_task() {
    // Without a breaker each request waits for them, with one only the first do.
    for (breaker, statuses) in [("off", &[504][..]), ("on", &[504, 503])] {
        let system = System::start_with(1, false, &[("GATEWAY_BREAKER", breaker)]).await;
        let before = at_rest(&system).await;
        SERVICES.iter().for_each(|name| system.freeze(name));
        let mut seen = Vec::new();
        for user in 1..=50 {
            seen.push(system.profile(user).await.status);
        }
        seen.dedup();
        assert_eq!(seen, statuses, "breaker {breaker}");
        SERVICES.iter().for_each(|name| system.thaw(name));
        sleep(Duration::from_secs(2)).await;
        // Open circuits are probed beside this one's response.
        system.profile(51).await;
        settle().await;
        for user in 1..=50 {
            system.profile(user).await.assert_complete();
        }
        assert_eq!(at_rest(&system).await, before, "breaker {breaker}");
    }
}

#[tokio::test(start_paused = true)]
async fn faults_on_links_leave_no_task_and_no_connection() {
    let system = System::start_with_proxies().await;
    let before = at_rest(&system).await;
    let open = |name| system.links().connections(name);
    assert_eq!((open(REDIS), open(ORDER)), (1, 1));
    for effect in [REFUSE, HANG, BLACKHOLE, latency(30 * MS), latency(Duration::from_secs(3))] {
        for service in [REDIS, ORDER] {
            system.links().apply(service, effect.clone()).await;
        }
        for user in 1..=20 {
            assert_eq!(system.profile(user).await.status, 200);
            sleep(50 * MS).await;
        }
        for service in [REDIS, ORDER] {
            system.links().heal(service, &effect).await;
        }
        system.redis_is_used().await;
        // The circuit that opened is probed within a second, however often it was before.
        sleep(Duration::from_secs(1)).await;
        system.profile(78).await;
        settle().await;
        system.profile(77).await.assert_complete();
        assert_eq!(at_rest(&system).await, before, "{effect:?}");
        assert_eq!((open(REDIS), open(ORDER)), (1, 1), "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crashed_gateway_leaves_no_connection_in_the_others() {
    let mut system = System::start_with_proxies().await;
    let before = at_rest(&system).await;
    system.warm_up(1..=20).await;
    system.crash(GATEWAY).await;
    sleep(MS).await;
    for name in [USER, ORDER, PRODUCT, REDIS] {
        assert_eq!(system.links().connections(name), 0, "{name}");
    }
    system.launch(GATEWAY);
    system.redis_is_used().await;
    assert_eq!(at_rest(&system).await, before);
}

#[tokio::test(start_paused = true)]
async fn clients_that_go_away_leave_nothing() {
    let system = System::start_with_proxies().await;
    let before = at_rest(&system).await;
    system.links().apply(ORDER, latency(300 * MS)).await;
    for user in 1..=50 {
        let patience = Duration::from_millis(user * 7);
        let gone = timeout(patience, system.profile(user)).await.is_err();
        assert_eq!(gone, patience < 300 * MS, "{patience:?}");
    }
    system.links().heal(ORDER, &latency(300 * MS)).await;
    assert_eq!(system.metric("http_active_requests").await, 0.0);
    let hits = system.metric("cache_hits_total").await;
    assert_eq!(hits + system.metric("cache_misses_total").await, system.metric("cache_lookups_total").await);
    assert_eq!(at_rest(&system).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_slept_shows_nothing_that_is_out_of_date() {
    let system = System::start().await;
    let first = system.profile(7).await;
    system.freeze(GATEWAY);
    let wake = async {
        sleep(Duration::from_secs(31)).await;
        system.thaw(GATEWAY);
    };
    // Connected to the kernel, as it were; the program reads it when it is awake.
    let (response, ()) = tokio::join!(system.profile(7), wake);
    response.assert_complete();
    assert_eq!((response.source().as_str(), response.took), ("origin", Duration::from_secs(31)));
    assert_ne!(response.at("/meta/generated_at"), first.at("/meta/generated_at"));
    system.redis_is_used().await;
    assert_eq!(system.profile(7).await.source(), "redis");
}
