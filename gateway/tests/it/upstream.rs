//! What protects services and clients from each other: breaker and bulkhead.

use crate::support::{Behaviour, Mood, World};
use host::Answer as Listening;
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
    let answer = world.get("/api/profile/42").await;
    assert_eq!((answer.status.as_u16(), answer.took), (200, Duration::ZERO));
    assert_eq!((answer.at("/errors/0/code"), answer.at("/errors/0/attempts")), ("circuit_open".into(), 0.into()));
    assert_eq!((answer.at("/errors/0/retryable"), answer.at("/orders/0/id")), (true.into(), "o1".into()));
    // It was not called, and nothing is said of how long it takes.
    assert_eq!((world.user.calls(), world.metric(durations).await), (calls, 10.0));
    assert_eq!(world.metric("service_errors_total{service=\"user\",code=\"circuit_open\"}").await, 1.0);
    assert_eq!(world.metric("breaker_state{service=\"user\",state=\"open\"}").await, 1.0);
    assert_eq!(world.metric("breaker_state{service=\"order\",state=\"closed\"}").await, 1.0);
    assert_eq!(world.metric("breaker_transitions_total{service=\"user\",to=\"open\"}").await, 1.0);
    assert_eq!(world.get("/health").await.at("/components/user-service/circuit"), "open");
}

#[tokio::test(start_paused = true)]
async fn one_request_at_a_time_finds_out_whether_it_is_well_again() {
    let world = cold(&[]);
    world.user.answers(Listening::Refuse);
    requests(&world, 10).await;
    world.user.answers(Listening::Accept);
    world.user.becomes(Behaviour::Slow(Duration::from_millis(100)));
    sleep(Duration::from_millis(300)).await;
    let (probe, other) = tokio::join!(world.get("/api/profile/42"), world.get("/api/profile/43"));
    let complete = [probe.at("/partial") == false, other.at("/partial") == false];
    assert_eq!(complete.iter().filter(|complete| **complete).count(), 1, "{} {}", probe.text, other.text);
    assert_eq!(world.user.calls(), 1);
    let (first, second) = tokio::join!(world.get("/api/profile/42"), world.get("/api/profile/43"));
    assert_eq!((first.at("/partial"), second.at("/partial")), (false.into(), false.into()));
    assert_eq!(world.metric("breaker_transitions_total{service=\"user\"}").await, 3.0);
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
async fn with_all_circuits_open_the_answer_is_503_with_retry_after() {
    let world = cold(&[]);
    world.user.becomes(Behaviour::Status(500));
    world.order.becomes(Behaviour::Status(500));
    requests(&world, 10).await;
    let answer = world.get("/api/profile/42").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    assert_eq!(answer.at("/type"), "urn:problem-type:gateway:upstream-unavailable");
    assert_eq!(answer.at("/errors/1/code"), "circuit_open");
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
