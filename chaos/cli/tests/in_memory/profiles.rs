//! Profiles when all is well, against the shop's own data.

use crate::support::{Expected, ORDER, PRODUCT, Response, SERVICES, System, USER, shop, user_where};
use serde_json::{Value, json};
use services::{
    data::Lookup,
    id::{ProductId, UserId},
};
use std::time::Duration;

/// The whole body but for `meta`'s ids, and the headers that go with it.
fn assert_is_whole(response: &Response, user: u64) {
    let expected = Expected::of(user);
    response.assert_complete();
    let body = response.json();
    let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["errors", "meta", "orders", "partial", "products", "user", "user_id"]);
    assert_eq!((&body["user_id"], &body["user"]), (&json!(user.to_string()), &expected.user), "user {user}");
    assert_eq!(body["orders"], expected.orders, "user {user}");
    assert_eq!(body["products"], expected.products, "user {user}");
    assert_eq!(body["errors"], json!([]));
    let fresh = json!({ "state": "fresh", "source": "origin", "age_ms": 0 });
    let mut products = fresh.clone();
    if !expected.gone.is_empty() {
        products["gone"] = json!(expected.gone);
    }
    assert_eq!(body["meta"]["parts"], json!({ "user": fresh, "orders": fresh, "products": products }), "user {user}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(text(&body["meta"]["request_id"]), response.header("x-request-id"));
    assert_eq!(text(&body["meta"]["trace_id"]).len(), 32);
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!((response.header("age"), response.header("x-gateway-complete")), ("0", "true"));
    assert_eq!(response.header("cache-control"), "private, max-age=30");
}

#[tokio::test(start_paused = true)]
async fn the_first_hundred_users_have_the_shops_data() {
    let system = System::start().await;
    for user in 1..=100 {
        let response = system.profile(user).await;
        assert_is_whole(&response, user);
        assert_eq!(response.took, Duration::ZERO, "nothing here takes any time");
    }
    assert_eq!(system.metric("aggregation_duration_seconds_count{outcome=\"complete\"}").await, 100.0);
    assert_eq!(system.metric("service_errors_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_user_without_orders_has_empty_lists_and_no_product_is_asked_for() {
    let system = System::start().await;
    let user = user_where(<[_]>::is_empty);
    let response = system.profile(user).await;
    assert_is_whole(&response, user);
    assert_eq!((response.at("/orders"), response.at("/products")), (json!([]), json!([])));
    assert_eq!(system.metric_of(PRODUCT, "http_requests_total{route=\"/products/batch\"}").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_user_with_a_hundred_orders_has_all_their_products() {
    let system = System::start().await;
    let user = user_where(|orders| orders.len() == 100);
    let response = system.profile(user).await;
    assert_is_whole(&response, user);
    assert!(Expected::of(user).product_ids.len() > 100, "such a user has many products");
    // Of all orders in one batch.
    assert_eq!(system.metric_of(PRODUCT, "http_requests_total{route=\"/products/batch\"}").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn products_that_are_gone_are_named_and_the_response_is_complete() {
    let system = System::start().await;
    let gone = |id: &ProductId| shop().product(*id) == Lookup::Gone;
    let user = user_where(|orders| orders.iter().any(|order| order.product_ids.iter().any(gone)));
    let expected = Expected::of(user);
    let response = system.profile(user).await;
    assert_is_whole(&response, user);
    assert_eq!(response.at("/meta/parts/products/gone"), json!(expected.gone));
    assert!(!expected.gone.is_empty());
    let shown = response.at("/products").as_array().unwrap().len();
    assert_eq!(shown + expected.gone.len(), expected.product_ids.len());
    // The cache forgets none of it.
    let again = system.profile(user).await;
    assert_eq!((again.source().as_str(), again.at("/meta/parts/products/gone")), ("redis", json!(expected.gone)));
}

#[tokio::test(start_paused = true)]
async fn a_user_that_does_not_exist_is_not_found() {
    let system = System::start().await;
    assert_eq!(shop().user(UserId(1001)), None);
    for user in ["1001", "999999999", "1000000000", "18446744073709551615"] {
        let response = system.get(&format!("/api/profile/{user}")).await;
        assert_eq!(response.status, 404, "{user}: {}", response.text);
        assert_eq!(response.header("content-type"), "application/problem+json");
        assert_eq!((response.at("/status"), response.at("/errors")), (json!(404), json!([])));
        assert_eq!(response.at("/request_id"), response.header("x-request-id"));
    }
    assert_eq!(system.metric("service_errors_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_id_is_a_bad_request_and_reaches_no_service() {
    let system = System::start().await;
    for bad in ["0", "042", "+1", "-1", "abc", "1.0", "4%202", "%FF", "18446744073709551616"] {
        let response = system.get(&format!("/api/profile/{bad}")).await;
        assert_eq!(response.status, 400, "{bad}: {}", response.text);
        assert_eq!(response.header("content-type"), "application/problem+json");
    }
    assert_eq!(system.metric("service_calls_total").await, 0.0);
    assert_eq!(system.metric("cache_lookups_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn each_service_is_asked_once_for_a_profile() {
    let system = System::start().await;
    system.profile(1).await.assert_complete();
    for (service, route) in [(USER, "/users/{id}"), (ORDER, "/orders/user/{id}"), (PRODUCT, "/products/batch")] {
        let asked =
            system.metric_of(service, &format!("http_requests_total{{route=\"{route}\",status=\"200\"}}")).await;
        assert_eq!(asked, 1.0, "{service}");
    }
    let health = system.get("/health").await;
    assert_eq!((health.status.as_u16(), health.at("/status")), (200, json!("ok")));
    for service in SERVICES.iter().chain(&["redis", "memory"]) {
        assert_eq!(health.at(&format!("/components/{service}/status")), "up", "{service}");
    }
}
