//! The services fail as services do. What is known is shown, what isn't is marked, and nothing outlasts the failure.

use crate::support::{Expected, MS, ORDER, PRODUCT, Response, SERVICES, System, USER, settle, user_where};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// Asserts that the response is partial, with these states, and that every part is right or null.
#[track_caller]
fn assert_partial(response: &Response, user: u64, states: [&str; 3], error: (&str, &str)) {
    let expected = Expected::of(user);
    assert_eq!((response.status.as_u16(), response.at("/partial")), (200, json!(true)), "{}", response.text);
    assert_eq!(response.states(), states);
    let parts = [("/user", expected.user), ("/orders", expected.orders), ("/products", expected.products)];
    for ((pointer, expected), state) in parts.into_iter().zip(states) {
        assert_eq!(response.at(pointer), if state == "fresh" { expected } else { Value::Null }, "{pointer}");
    }
    assert_eq!(response.errors(), [(error.0.to_owned(), error.1.to_owned())]);
    assert_eq!((response.header("x-gateway-complete"), response.header("cache-control")), ("false", "no-store"));
}

/// A user that has products, none of which is gone.
fn shopper() -> u64 {
    user_where(|orders| orders.len() > 2)
}

#[tokio::test(start_paused = true)]
async fn a_dead_service_makes_answers_partial_until_it_is_back() {
    let user = shopper();
    for (service, name, states) in [
        (USER, "user", ["failed", "fresh", "fresh"]),
        (ORDER, "order", ["fresh", "failed", "skipped"]),
        (PRODUCT, "product", ["fresh", "fresh", "failed"]),
    ] {
        let mut system = System::start().await;
        // Connections are open: their end must not be taken for the response to the next request.
        system.profile(user + 1).await.assert_complete();
        system.crash(service).await;
        for _ in 0..3 {
            let response = system.profile(user).await;
            assert_partial(&response, user, states, (name, "connect_refused"));
            assert_eq!(response.took, Duration::ZERO);
            sleep(100 * MS).await;
        }
        assert_eq!(system.metric(&format!("service_errors_total{{service=\"{name}\"}}")).await, 3.0);
        assert_eq!(system.metric("service_errors_total").await, 3.0, "nobody else has failed");
        sleep(Duration::from_secs(5)).await;
        let health = system.get("/health").await;
        assert_eq!((health.status.as_u16(), health.at("/status")), (200, json!("degraded")));

        system.launch(service);
        settle().await;
        let response = system.profile(user).await;
        response.assert_complete();
        assert_eq!((response.source().as_str(), response.at("/products")), ("origin", Expected::of(user).products));
        sleep(Duration::from_secs(5)).await;
        assert_eq!(system.get("/health").await.at("/status"), "ok");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_products_are_named() {
    let user = shopper();
    let system = System::start().await;
    system.crash(PRODUCT).await;
    let response = system.profile(user).await;
    assert_eq!(response.at("/errors/0/missing_ids"), json!(Expected::of(user).product_ids));
    assert_eq!(
        (response.at("/errors/0/pointer"), response.at("/errors/0/retryable")),
        (json!("/products"), json!(true))
    );
    // Who ordered nothing misses nothing.
    system.profile(user_where(<[_]>::is_empty)).await.assert_complete();
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_the_middle_of_a_request_is_a_reset() {
    let user = shopper();
    let system = System::start().await;
    system.profile(user + 1).await.assert_complete();
    system.freeze(ORDER);
    let crash = async {
        sleep(100 * MS).await;
        system.crash(ORDER).await;
    };
    let (response, ()) = tokio::join!(system.profile(user), crash);
    assert_partial(&response, user, ["fresh", "failed", "skipped"], ("order", "reset"));
    assert_eq!(response.took, 100 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_service_costs_its_timeout_and_no_more() {
    let user = shopper();
    let system = System::start().await;
    system.profile(user + 1).await.assert_complete();
    system.freeze(ORDER);
    let response = system.profile(user).await;
    assert_partial(&response, user, ["fresh", "failed", "skipped"], ("order", "timeout"));
    assert_eq!(response.took, 400 * MS);
    system.thaw(ORDER);
    let response = system.profile(user).await;
    response.assert_complete();
    assert_eq!(response.took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn products_that_time_out_after_slow_orders_still_keep_the_deadline() {
    let user = shopper();
    let system = System::start_with(1, false, &[("GATEWAY_DEADLINE", "500ms")]).await;
    system.freeze(ORDER);
    system.freeze(PRODUCT);
    let thaw = async {
        sleep(300 * MS).await;
        system.thaw(ORDER);
    };
    let (response, ()) = tokio::join!(system.profile(user), thaw);
    // Of the deadline 200 ms were left for the products, less than their own timeout.
    assert_partial(&response, user, ["fresh", "fresh", "failed"], ("product", "deadline_exceeded"));
    // The aggregation ends two milliseconds early, so that its response is there in time.
    assert_eq!(response.took, 498 * MS);
}

#[tokio::test(start_paused = true)]
async fn with_user_and_order_service_dead_there_is_nothing_to_show() {
    let user = shopper();
    let mut system = System::start().await;
    system.crash(USER).await;
    system.crash(ORDER).await;
    let response = system.profile(user).await;
    assert_eq!(response.status, 502, "{}", response.text);
    assert_eq!(response.header("content-type"), "application/problem+json");
    let refused = |service: &str| (service.to_owned(), "connect_refused".to_owned());
    assert_eq!(response.errors(), [refused("user"), refused("order")]);
    for secret in ["user-service", "order-service", "8001", "8002"] {
        assert!(!response.text.contains(secret), "{secret} in {}", response.text);
    }
    system.launch(USER);
    system.launch(ORDER);
    settle().await;
    system.profile(user).await.assert_complete();
}

#[tokio::test(start_paused = true)]
async fn with_all_services_frozen_the_response_is_a_timeout_in_time() {
    let user = shopper();
    let system = System::start().await;
    SERVICES.iter().for_each(|service| system.freeze(service));
    let response = system.profile(user).await;
    assert_eq!((response.status.as_u16(), response.took), (504, 400 * MS), "{}", response.text);
    SERVICES.iter().for_each(|service| system.thaw(service));
    system.profile(user).await.assert_complete();
}

#[tokio::test(start_paused = true)]
async fn a_partial_response_is_kept_in_no_tier() {
    let user = shopper();
    let mut system = System::start().await;
    system.crash(PRODUCT).await;
    assert_eq!(system.profile(user).await.at("/partial"), true);
    settle().await;
    assert_eq!(system.metric("cache_redis_writes_total").await, 0.0);
    system.launch(PRODUCT);
    settle().await;
    let response = system.profile(user).await;
    response.assert_complete();
    assert_eq!(response.source(), "origin");
}
