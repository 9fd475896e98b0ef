//! Everything ends in good order: every program returns, and leaves no task behind.

use crate::support::{GATEWAY, MS, ORDER, PRODUCT, REDIS, System, USER, ask_redis, latency};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const ALL: [&str; 5] = [GATEWAY, USER, ORDER, PRODUCT, REDIS];

/// Asserts that all programs return within a time, and that no task outlives them.
async fn assert_all_end(system: &mut System, within: Duration) {
    for name in ALL {
        let ended = timeout(within, system.ended(name)).await;
        ended.unwrap_or_else(|_| panic!("{name} still runs")).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    // Their last tasks see that there is nothing left to do.
    sleep(MS).await;
    for name in ALL {
        assert_eq!(system.running(name), 0, "tasks of {name} run on");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_system_stops_at_once() {
    let mut system = System::start().await;
    system.warm_up(1..=5).await;
    assert!(ALL.iter().all(|name| system.running(name) > 0));
    ALL.iter().for_each(|name| system.shut_down(name));
    assert_all_end(&mut system, MS).await;
    for (name, port) in [(GATEWAY, 8000), (USER, 8001), (ORDER, 8002), (PRODUCT, 8003), (REDIS, 6379)] {
        let refused = system.client_host.dial(name, port).await;
        assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_under_way_are_answered_and_their_profiles_kept() {
    let mut system = System::start_with_proxies().await;
    system.links().apply(ORDER, latency(200 * MS)).await;
    let stop = async {
        sleep(100 * MS).await;
        system.shut_down(GATEWAY);
    };
    let (responses, ()) = tokio::join!(futures_util::future::join_all((1..=5).map(|user| system.profile(user))), stop);
    for response in responses {
        response.assert_complete();
        assert_eq!(response.took, 200 * MS);
    }
    timeout(MS, system.ended(GATEWAY)).await.unwrap().unwrap();
    let kept: String = (1..=5).map(|user| format!(" gateway:profile:{user}")).collect();
    assert_eq!(ask_redis(&system.client_host, &format!("EXISTS{kept}")).await, ":5");
    ALL.iter().for_each(|name| system.shut_down(name));
    for name in [USER, ORDER, PRODUCT, REDIS] {
        system.ended(name).await.unwrap();
    }
    sleep(MS).await;
    for name in ALL {
        assert_eq!(system.running(name), 0, "tasks of {name} run on");
    }
}

#[tokio::test(start_paused = true)]
async fn each_service_is_restarted_in_turn_and_no_request_fails() {
    let mut system = System::start().await;
    for name in [USER, REDIS, ORDER, PRODUCT, GATEWAY, REDIS] {
        // Its clients stay, with connections that they would use again.
        system.warm_up(1..=5).await;
        system.shut_down(name);
        timeout(MS, system.ended(name)).await.unwrap().unwrap();
        sleep(MS).await;
        assert_eq!(system.running(name), 0, "tasks of {name} run on");
        system.launch(name);
        for user in 1..=10 {
            system.profile(user).await.assert_complete();
        }
        system.redis_is_used().await;
        sleep(Duration::from_secs(40)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_whose_services_and_redis_are_frozen_stops_within_its_drain() {
    let mut system = System::start_with(1, false, &[("GATEWAY_DRAIN", "1s")]).await;
    system.warm_up(1..=2).await;
    [USER, ORDER, PRODUCT, REDIS].iter().for_each(|name| system.freeze(name));
    let stop = async {
        sleep(50 * MS).await;
        system.shut_down(GATEWAY);
    };
    // The one that is under way has its timeouts: 25 ms for Redis, 400 ms for the services.
    let (response, ()) = tokio::join!(system.profile(77), stop);
    assert_eq!((response.status.as_u16(), response.took), (504, 425 * MS), "{}", response.text);
    timeout(Duration::from_secs(2), system.ended(GATEWAY)).await.unwrap().unwrap();
    sleep(MS).await;
    assert_eq!(system.running(GATEWAY), 0);
    [USER, ORDER, PRODUCT, REDIS].iter().for_each(|name| system.thaw(name));
    ALL.iter().for_each(|name| system.shut_down(name));
    for name in [USER, ORDER, PRODUCT, REDIS] {
        timeout(MS, system.ended(name)).await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_leaves_no_task() {
    let system = System::start().await;
    system.warm_up(1..=5).await;
    for name in ALL {
        system.crash(name).await;
        assert_eq!(system.running(name), 0, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restarted_gateway_finds_what_the_first_one_wrote() {
    let mut system = System::start().await;
    system.warm_up(1..=5).await;
    system.shut_down(GATEWAY);
    timeout(Duration::from_secs(1), system.ended(GATEWAY)).await.unwrap().unwrap();
    system.launch(GATEWAY);
    system.redis_is_used().await;
    for user in 1..=5 {
        assert_eq!(system.profile(user).await.source(), "redis");
    }
    assert_eq!(system.metric("service_calls_total").await, 0.0);
}
