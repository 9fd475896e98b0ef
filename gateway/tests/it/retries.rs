//! Calls that are made once more: when, how often, and at whose expense.

use crate::support::{Behaviour, Mood, World};
use host::Host;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::sleep,
};

/// Without a cache, so that every request asks the services, and with one retry earned.
async fn cold(more: &[(&str, &str)]) -> World {
    let world = World::start_with(&[&[("GATEWAY_CACHE", "off")], more].concat(), Mood::Good);
    world.get("/health/live").await;
    sleep(Duration::from_millis(1001)).await;
    world
}

async fn user_metric(world: &World, name: &str) -> f64 {
    world.metric(&format!("{name}{{service=\"user\"}}")).await
}

#[tokio::test(start_paused = true)]
async fn a_call_that_failed_once_is_made_again() {
    let world = cold(&[]).await;
    for service in [&world.user, &world.product] {
        service.becomes(Behaviour::Once(503));
    }
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.at("/partial"), response.at("/errors")), (false.into(), serde_json::json!([])));
    assert!(response.took <= Duration::from_millis(50), "{:?}", response.took);
    assert_eq!((world.user.calls(), world.order.calls(), world.product.calls()), (2, 1, 2));
    assert_eq!(world.metric("service_retries_total{service=\"user\",code=\"status_5xx\"}").await, 1.0);
    assert_eq!(user_metric(&world, "service_calls_total").await, 2.0);
    assert_eq!(user_metric(&world, "service_first_attempts_total").await, 1.0);
    // Nobody missed anything.
    assert_eq!(world.metric("service_errors_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn it_is_made_twice_at_most_and_says_so() {
    let world = cold(&[]).await;
    sleep(Duration::from_secs(20)).await;
    world.user.becomes(Behaviour::Status(500));
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.at("/errors/0/code"), response.at("/errors/0/attempts")), ("status_5xx".into(), 2.into()));
    assert_eq!(world.user.calls(), 2);
    assert_eq!(world.metric("service_errors_total{service=\"user\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_took_all_its_time_is_not_made_again() {
    let world = cold(&[]).await;
    world.user.becomes(Behaviour::Hang);
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.took, response.at("/errors/0/attempts")), (Duration::from_millis(400), 1.into()));
    assert_eq!(world.metric("service_retries_refused_total{service=\"user\",reason=\"deadline\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_not_tried_twice() {
    let world = cold(&[]).await;
    world.user.becomes(Behaviour::Status(500));
    for _ in 0..10 {
        world.get("/api/profile/42").await;
    }
    sleep(Duration::from_secs(10)).await;
    let before = user_metric(&world, "service_calls_total").await;
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.at("/errors/0/code"), response.at("/errors/0/attempts")), ("circuit_open".into(), 0.into()));
    // Only by the probe.
    sleep(Duration::from_millis(100)).await;
    assert_eq!(user_metric(&world, "service_calls_total").await, before + 1.0);
}

/// 400 requests in 4 s to a user service that always fails: how many calls each made to it.
async fn amplification(settings: &[(&str, &str)]) -> f64 {
    let world = cold(settings).await;
    world.user.becomes(Behaviour::Status(500));
    for _ in 0..400 {
        let (_, ()) = tokio::join!(world.get("/api/profile/42"), sleep(Duration::from_millis(10)));
    }
    let first = user_metric(&world, "service_first_attempts_total").await;
    user_metric(&world, "service_calls_total").await / first
}

#[tokio::test(start_paused = true)]
async fn retries_add_no_more_than_their_budget() {
    let without_breaker = amplification(&[("GATEWAY_BREAKER", "off")]).await;
    // A tenth, and one a second for the nine seconds that it takes at most.
    assert!((1.05..=1.1 + 9.0 / 400.0).contains(&without_breaker), "{without_breaker}");
    let unlimited = amplification(&[("GATEWAY_BREAKER", "off"), ("GATEWAY_RETRY_BUDGET", "100%")]).await;
    assert!(unlimited > 1.9, "{unlimited}");
    let none = amplification(&[("GATEWAY_BREAKER", "off"), ("GATEWAY_RETRIES", "off")]).await;
    assert!((none - 1.0).abs() < f64::EPSILON, "{none}");
}

/// Every way in which a service fails here, also together with what the gateway itself turns away.
#[tokio::test(start_paused = true)]
async fn no_fault_amplifies_calls_beyond_the_contract() {
    let tight: &[(&str, &str)] = &[("GATEWAY_BULKHEAD", "3"), ("GATEWAY_MAX_REQUESTS", "5")];
    let open: &[(&str, &str)] = &[("GATEWAY_BREAKER", "off")];
    let faults = [
        Behaviour::Status(500),
        Behaviour::Hang,
        Behaviour::Slow(Duration::from_millis(200)),
        Behaviour::Text("no JSON".to_owned()),
    ];
    for fault in faults {
        for settings in [&[], tight, open] {
            no_more_than_the_contract(settings, |world| world.product.becomes(fault.clone())).await;
        }
    }
    for listening in [host::ListenMode::Refuse, host::ListenMode::Blackhole, host::ListenMode::Hang] {
        for settings in [&[], tight, open] {
            no_more_than_the_contract(settings, |world| world.order.listens(listening)).await;
        }
    }
}

/// Four seconds at 50 requests a second: well, broken, well again.
async fn no_more_than_the_contract(settings: &[(&str, &str)], broken: impl Fn(&World)) {
    let world = cold(settings).await;
    let requests = (0..200).map(|n| {
        let world = &world;
        async move {
            sleep(Duration::from_millis(20) * n).await;
            world.get("/api/profile/42").await
        }
    });
    let breaks = async {
        sleep(Duration::from_secs(1)).await;
        broken(&world);
        sleep(Duration::from_secs(2)).await;
        for service in [&world.user, &world.order, &world.product] {
            service.becomes(Behaviour::Good);
            service.listens(host::ListenMode::Accept);
        }
    };
    tokio::join!(futures_util::future::join_all(requests), breaks);
    let seconds = 7.0;
    for service in ["user", "order", "product"] {
        let of = |name: &str| format!("service_{name}_total{{service=\"{service}\"}}");
        let (calls, first) = (world.metric(&of("calls")).await, world.metric(&of("first_attempts")).await);
        assert!(
            calls <= 1.1 * first + seconds,
            "{service} with {settings:?}: {calls} calls, {first} of them first ones"
        );
        let retries = world.metric(&format!("service_retries_total{{service=\"{service}\"}}")).await;
        assert_eq!(calls, first + retries, "{service}: every call is a first one or a retry");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_is_counted_and_the_failure_keeps_its_name() {
    let world = World::start_with(&[("GATEWAY_CACHE", "off")], Mood::Good);
    world.user.becomes(Behaviour::Once(500));
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.at("/errors/0/code"), response.at("/errors/0/attempts")), ("status_5xx".into(), 1.into()));
    assert_eq!(world.metric("service_retries_refused_total{service=\"user\",reason=\"budget\"}").await, 1.0);
}

/// Answers one request a connection, and resets it when the next one comes: as a service does that closes an idle
/// connection just as a request is on its way.
fn closes_idle_connections(host: &Host) {
    let mut listener = host.listen(80).unwrap();
    let owner = host.clone();
    drop(host.spawn(async move {
        while let Ok(mut stream) = listener.accept().await {
            drop(owner.spawn(async move {
                let mut request = [0; 2048];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"id\":\"42\"}").await;
                let _ = stream.read(&mut request).await;
                stream.abort();
            }));
        }
    }));
}

#[tokio::test(start_paused = true)]
async fn a_reset_on_a_reused_connection_is_mended_at_once() {
    let world = cold(&[("USER_SERVICE_URL", "http://racer")]).await;
    closes_idle_connections(&world.network.host("racer"));
    for round in 0..4 {
        let response = world.get("/api/profile/42").await;
        assert_eq!((response.at("/partial"), response.took), (false.into(), Duration::ZERO), "{}", response.text);
        assert!(world.metric("service_retries_total{service=\"user\",code=\"reset\"}").await <= f64::from(round));
        sleep(Duration::from_secs(1)).await;
    }
    assert!(world.metric("service_retries_total{service=\"user\",code=\"reset\"}").await > 0.0);
    assert_eq!(world.metric("breaker_transitions_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_not_meet_the_next_dead_connection() {
    let world = cold(&[("USER_SERVICE_URL", "http://racer")]).await;
    closes_idle_connections(&world.network.host("racer"));
    // Many at once leave many connections, and all of them are dead.
    futures_util::future::join_all((0..8).map(|_| world.get("/api/profile/42"))).await;
    sleep(Duration::from_secs(2)).await;
    let retries = "service_retries_total{service=\"user\",code=\"reset\"}";
    let before = world.metric(retries).await;
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.at("/partial"), response.at("/errors")), (false.into(), serde_json::json!([])));
    assert_eq!(world.metric(retries).await, before + 1.0);
}

#[tokio::test(start_paused = true)]
async fn services_are_told_how_long_they_are_waited_for() {
    let world = cold(&[("GATEWAY_DEADLINE", "500ms")]).await;
    world.order.becomes(Behaviour::Slow(Duration::from_millis(300)));
    world.get("/api/profile/42").await;
    let told = |calls: &std::sync::Mutex<Vec<http::HeaderMap>>| {
        let calls = calls.lock().unwrap();
        calls[0]["x-request-timeout-ms"].to_str().unwrap().to_owned()
    };
    assert_eq!((told(&world.user.calls), told(&world.order.calls)), ("400".to_owned(), "400".to_owned()));
    assert_eq!(told(&world.product.calls), "200");
}
