use crate::common::{ORDER, PRODUCT, Shop, USER};
use http::Method;

/// The value of one series.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test(start_paused = true)]
async fn every_series_of_the_routes_is_there_at_zero_from_the_start() {
    let shop = Shop::open().await;
    let response = shop.get(PRODUCT, "/metrics").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4"));
    for series in [
        r#"http_requests_total{method="GET",route="/products/{id}",status="200"}"#,
        r#"http_requests_total{method="GET",route="/products/{id}",status="410"}"#,
        r#"http_requests_total{method="POST",route="/products/batch",status="413"}"#,
        r#"http_request_duration_seconds_count{method="POST",route="/products/batch"}"#,
        r#"http_request_duration_seconds_bucket{method="GET",route="/health",le="+Inf"}"#,
    ] {
        assert_eq!(value(response.text(), series), Some(0.0), "{series} in {}", response.text());
    }
    assert_eq!(value(response.text(), "http_active_requests"), Some(1.0), "the scrape itself");
    for port in [USER, ORDER] {
        assert!(shop.get(port, "/metrics").await.text().contains(r#"status="404"} 0"#));
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_template_and_never_by_path() {
    let shop = Shop::open().await;
    for path in ["/users/1", "/users/2", "/users/1001", "/users/secret", "/secret", "/secret/2"] {
        shop.get(USER, path).await;
    }
    shop.request(USER, Method::from_bytes(b"SECRET").unwrap(), "/users/1").await;
    let metrics = shop.get(USER, "/metrics").await;
    let text = metrics.text();
    let of = |labels: &str| value(text, &format!("http_requests_total{{{labels}}}"));
    assert_eq!(of(r#"method="GET",route="/users/{id}",status="200""#), Some(2.0));
    assert_eq!(of(r#"method="GET",route="/users/{id}",status="404""#), Some(1.0));
    assert_eq!(of(r#"method="GET",route="/users/{id}",status="400""#), Some(1.0));
    assert_eq!(of(r#"method="GET",route="unmatched",status="404""#), Some(2.0));
    assert_eq!(of(r#"method="other",route="/users/{id}",status="405""#), Some(1.0));
    let count = value(text, r#"http_request_duration_seconds_count{method="GET",route="/users/{id}"}"#);
    assert_eq!(count, Some(4.0));
    assert!(!text.to_lowercase().contains("secret"), "{text}");
}
