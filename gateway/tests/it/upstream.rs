//! Protection of services and clients from each other: breaker and bulkhead.

use crate::support::{Behaviour, Mood, World};
use host::ListenMode as Listening;
use std::time::Duration;
use tokio::time::sleep;

/// Without a cache, so that every request asks the services.
fn cold(more: &[(&str, &str)]) -> World {
    World::start_with(&[&[("GATEWAY_CACHE", "off")], more].concat(), Mood::Good)
}

/// So many requests, one after the other.
async fn requests(world: &World, count: usize) {
    for _ in 0..count {
        world.get("/api/profile/42").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_is_left_alone_and_costs_nothing() {
    let world = cold(&[]);
    world.user.becomes(Behaviour::Hang);
    requests(&world, 10).await;
    let (calls, durations) = (world.user.calls(), "service_call_duration_seconds_count{service=\"user\"}");
    assert_eq!((calls, world.metric(durations).await), (10, 10.0));
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.status.as_u16(), response.took), (200, Duration::ZERO));
    assert_eq!((response.at("/errors/0/code"), response.at("/errors/0/attempts")), ("circuit_open".into(), 0.into()));
    assert_eq!((response.at("/errors/0/retryable"), response.at("/orders/0/id")), (true.into(), "o1".into()));
    // It was not called, and nothing is said of how long it takes.
    assert_eq!((world.user.calls(), world.metric(durations).await), (calls, 10.0));
    assert_eq!(world.metric("service_errors_total{service=\"user\",code=\"circuit_open\"}").await, 1.0);
    assert_eq!(world.metric("breaker_state{service=\"user\",state=\"open\"}").await, 1.0);
    assert_eq!(world.metric("breaker_state{service=\"order\",state=\"closed\"}").await, 1.0);
    assert_eq!(world.metric("breaker_transitions_total{service=\"user\",to=\"open\"}").await, 1.0);
    assert_eq!(world.get("/health").await.at("/components/user-service/circuit"), "open");
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_finds_out_whether_it_is_well_again() {
    let world = cold(&[]);
    world.user.listens(Listening::Refuse);
    requests(&world, 10).await;
    world.user.listens(Listening::Accept);
    world.user.becomes(Behaviour::Slow(Duration::from_millis(100)));
    sleep(Duration::from_millis(300)).await;
    // Nobody waits for the probe, not even who brought it about.
    let (first, second) = tokio::join!(world.get("/api/profile/42"), world.get("/api/profile/43"));
    for response in [first, second] {
        assert_eq!((response.took, response.at("/errors/0/code")), (Duration::ZERO, "circuit_open".into()));
    }
    assert_eq!(world.user.calls(), 1);
    sleep(Duration::from_millis(101)).await;
    let (first, second) = tokio::join!(world.get("/api/profile/42"), world.get("/api/profile/43"));
    assert_eq!((first.at("/partial"), second.at("/partial")), (false.into(), false.into()));
    assert_eq!(world.metric("breaker_transitions_total{service=\"user\"}").await, 3.0);
}

/// Ten seconds at 100 requests a second: how long each took.
async fn steady_load(world: &World) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..1000 {
        let (response, ()) = tokio::join!(world.get("/api/profile/42"), sleep(Duration::from_millis(10)));
        assert_eq!(response.status, 200);
        took.push(response.took);
    }
    took
}

#[tokio::test(start_paused = true)]
async fn no_request_pays_for_probes_of_a_service_that_hangs_nor_for_its_way_back() {
    let world = cold(&[]);
    world.order.becomes(Behaviour::Hang);
    requests(&world, 10).await;
    let calls = world.order.calls();
    let took = steady_load(&world).await;
    assert_eq!(took.iter().max(), Some(&Duration::ZERO));
    // It was probed all the while: each probe waits for 400 ms, and the next one comes up to 0.9 s later.
    let probes = world.order.calls() - calls;
    assert!((7..=14).contains(&probes), "{probes}");
    let failed = world.metric("service_errors_total{service=\"order\",code=\"timeout\"}").await;
    assert_eq!(failed, 10.0 + f64::from(u32::try_from(probes).unwrap()) - world.metric("service_calls_active").await);
    // Probes are first attempts, and no retries.
    for name in ["service_calls_total", "service_first_attempts_total"] {
        let made = world.metric(&format!("{name}{{service=\"order\"}}")).await;
        assert_eq!(made, f64::from(u32::try_from(world.order.calls()).unwrap()), "{name}");
    }
    world.order.becomes(Behaviour::Good);
    let took = steady_load(&world).await;
    assert_eq!(took.iter().max(), Some(&Duration::ZERO));
    assert_eq!(world.metric("breaker_state{service=\"order\",state=\"closed\"}").await, 1.0);
    assert_eq!(world.get("/api/profile/42").await.at("/partial"), false);
}

#[tokio::test(start_paused = true)]
async fn a_probe_asks_what_its_request_would_have_asked() {
    let world = cold(&[]);
    world.product.becomes(Behaviour::Status(500));
    requests(&world, 10).await;
    world.product.becomes(Behaviour::Good);
    sleep(Duration::from_millis(300)).await;
    let calls = world.product.calls();
    let response = world.get("/api/profile/42").await;
    world.settle().await;
    let probes = world.product.calls.lock().unwrap().split_off(calls);
    assert_eq!(probes.len(), 1);
    assert_eq!(probes[0]["x-request-id"], response.header("x-request-id"));
    // All of the call's own time, however little of the request's is left.
    assert_eq!(probes[0]["x-request-timeout-ms"], "400");
    assert_eq!(world.get("/api/profile/42").await.at("/partial"), false);
}

#[tokio::test(start_paused = true)]
async fn a_response_without_sense_does_not_close_the_circuit() {
    let world = cold(&[]);
    world.user.becomes(Behaviour::Status(500));
    requests(&world, 10).await;
    // That of another user.
    world.user.becomes(Behaviour::Text("{\"id\":\"7\"}".to_owned()));
    steady_load(&world).await;
    assert_eq!(world.metric("breaker_transitions_total{service=\"user\",to=\"closed\"}").await, 0.0);
    assert!(world.metric("service_errors_total{service=\"user\",code=\"bad_payload\"}").await > 5.0);
}

#[tokio::test(start_paused = true)]
async fn a_probe_takes_a_place_of_the_bulkhead_or_waits_for_one() {
    let world = cold(&[("GATEWAY_BULKHEAD", "1"), ("GATEWAY_BREAKER_MINIMUM", "1"), ("GATEWAY_RETRIES", "off")]);
    world.user.becomes(Behaviour::Hang);
    let (held, refused) = tokio::join!(world.get("/api/profile/1"), world.get("/api/profile/2"));
    assert_eq!((held.at("/errors/0/code"), refused.at("/errors/0/code")), ("timeout".into(), "bulkhead_full".into()));
    sleep(Duration::from_millis(300)).await;
    // The probe has the only place.
    world.get("/api/profile/3").await;
    assert_eq!(world.metric("service_calls_active{service=\"user\"}").await, 1.0);
    requests(&world, 20).await;
    assert_eq!(world.user.calls(), 2);
    world.user.becomes(Behaviour::Good);
    steady_load(&world).await;
    assert_eq!(world.get("/api/profile/42").await.at("/partial"), false);
    assert_eq!(world.metric("service_calls_active").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_probe() {
    let mut world = cold(&[]);
    world.user.becomes(Behaviour::Hang);
    requests(&world, 10).await;
    sleep(Duration::from_millis(300)).await;
    world.get("/api/profile/42").await;
    assert_eq!(world.metric("service_calls_active{service=\"user\"}").await, 1.0);
    let stopped = tokio::time::Instant::now();
    world.gateway.shutdown().cancel();
    (&mut world.running).await.unwrap().unwrap();
    assert!(stopped.elapsed() < Duration::from_millis(100), "{:?}", stopped.elapsed());
}

#[tokio::test(start_paused = true)]
async fn under_steady_load_it_is_back_half_a_second_after_it_healed() {
    let world = cold(&[]);
    world.order.becomes(Behaviour::Hang);
    requests(&world, 30).await;
    world.order.becomes(Behaviour::Good);
    sleep(Duration::from_millis(400 + 300)).await;
    requests(&world, 1).await;
    for _ in 0..100 {
        sleep(Duration::from_millis(10)).await;
        assert_eq!(world.get("/api/profile/42").await.at("/partial"), false);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_always_late_opens_its_circuit() {
    let late = Duration::from_millis(330);
    let world = cold(&[]);
    world.product.becomes(Behaviour::Slow(late));
    requests(&world, 10).await;
    assert_eq!(world.metric("service_errors_total{service=\"product\"}").await, 0.0);
    assert_eq!(world.get("/api/profile/42").await.at("/errors/0/code"), "circuit_open");
    let patient = cold(&[("GATEWAY_BREAKER_SLOW_AFTER", "100%")]);
    patient.product.becomes(Behaviour::Slow(late));
    requests(&patient, 10).await;
    assert_eq!(patient.get("/api/profile/42").await.at("/partial"), false);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_fault_of_the_service_opens_nothing() {
    let world = cold(&[]);
    world.user.becomes(Behaviour::Status(400));
    requests(&world, 30).await;
    assert_eq!(world.metric("breaker_transitions_total").await, 0.0);
    assert_eq!(world.get("/api/profile/42").await.at("/errors/0/code"), "status_4xx");
}

#[tokio::test(start_paused = true)]
async fn with_all_circuits_open_the_response_is_503_with_retry_after() {
    let world = cold(&[]);
    world.user.becomes(Behaviour::Status(500));
    world.order.becomes(Behaviour::Status(500));
    requests(&world, 10).await;
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.status.as_u16(), response.header("retry-after")), (503, "1"));
    assert_eq!(response.at("/type"), "urn:problem-type:gateway:upstream-unavailable");
    assert_eq!(response.at("/errors/1/code"), "circuit_open");
}

#[tokio::test(start_paused = true)]
async fn without_the_breaker_every_request_waits() {
    let world = cold(&[("GATEWAY_BREAKER", "off")]);
    world.user.becomes(Behaviour::Hang);
    requests(&world, 30).await;
    assert_eq!(world.get("/api/profile/42").await.took, Duration::from_millis(400));
    assert_eq!(world.metric("breaker_transitions_total").await, 0.0);
    assert_eq!(world.get("/health").await.at("/components/user-service/circuit"), "off");
}

#[tokio::test(start_paused = true)]
async fn nobody_queues_for_a_service_whose_places_are_taken() {
    let world = cold(&[("GATEWAY_BULKHEAD", "2")]);
    world.user.becomes(Behaviour::Slow(Duration::from_millis(200)));
    let third = async {
        sleep(Duration::from_millis(100)).await;
        assert_eq!(world.metric("service_calls_active{service=\"user\"}").await, 2.0);
        world.get("/api/profile/44").await
    };
    let (first, second, third) = tokio::join!(world.get("/api/profile/42"), world.get("/api/profile/43"), third);
    assert_eq!((first.at("/partial"), second.at("/partial")), (false.into(), false.into()));
    assert_eq!((third.took, third.at("/errors/0/code")), (Duration::ZERO, "bulkhead_full".into()));
    assert_eq!(world.user.calls(), 2);
    assert_eq!(world.get("/api/profile/44").await.at("/partial"), false);
    assert_eq!(world.metric("service_calls_active").await, 0.0);
}
