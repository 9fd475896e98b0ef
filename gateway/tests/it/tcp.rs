//! The gateway over real sockets. Nothing here depends on how fast the machine is.

use host::tcp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, header_exists, method, path},
};

/// A port that nobody listens on.
async fn free_port() -> u16 {
    let host = tcp::host(tcp::Config::loopback("probe")).unwrap();
    host.listen(0).unwrap().port()
}

#[tokio::test]
async fn a_profile_over_tcp_and_a_stop() {
    let services = MockServer::start().await;
    let response = |body: Value| ResponseTemplate::new(200).set_body_json(body);
    Mock::given(method("GET"))
        .and(path("/users/42"))
        .and(header("x-request-id", "r-1"))
        .and(header_exists("traceparent"))
        .respond_with(response(json!({ "id": "42", "name": "Ada" })))
        .expect(1)
        .mount(&services)
        .await;
    Mock::given(path("/orders/user/42"))
        .respond_with(response(json!([{ "id": "o1", "product_ids": ["p1"] }])))
        .expect(1)
        .mount(&services)
        .await;
    Mock::given(method("POST"))
        .and(path("/products/batch"))
        .respond_with(response(json!({ "products": [{ "id": "p1" }], "gone": [], "unknown": [] })))
        .expect(1)
        .mount(&services)
        .await;

    let (port, nobody) = (free_port().await, free_port().await);
    let shutdown = CancellationToken::new();
    let settings = [
        ("PORT", port.to_string()),
        ("USER_SERVICE_URL", services.uri()),
        ("ORDER_SERVICE_URL", services.uri()),
        ("PRODUCT_SERVICE_URL", services.uri()),
        ("REDIS_URL", format!("redis://127.0.0.1:{nobody}")),
        // A debug build on a busy machine.
        ("GATEWAY_DEADLINE", "30s".to_owned()),
        ("GATEWAY_USER_TIMEOUT", "20s".to_owned()),
        ("GATEWAY_ORDER_TIMEOUT", "20s".to_owned()),
        ("GATEWAY_PRODUCT_TIMEOUT", "20s".to_owned()),
        ("GATEWAY_CACHE_TTL", "10m".to_owned()),
    ];
    let config = tcp::Config {
        settings: settings.into_iter().collect(),
        shutdown: shutdown.clone(),
        ..tcp::Config::loopback("gateway")
    };
    let host = tcp::host(config).unwrap();
    let running = host.spawn(gateway::run(host.clone()));

    let url = format!("http://127.0.0.1:{port}");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let first = loop {
        let request = client.get(format!("{url}/api/profile/42")).header("x-request-id", "r-1");
        match request.send().await {
            Ok(response) => break response,
            Err(error) if error.is_connect() => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(first.status(), 200);
    let first: Value = first.json().await.unwrap();
    assert_eq!((&first["partial"], &first["products"][0]["id"]), (&json!(false), &json!("p1")));
    let second: Value = client.get(format!("{url}/api/profile/42")).send().await.unwrap().json().await.unwrap();
    assert_eq!(second["meta"]["parts"]["user"]["source"], "memory");
    shutdown.cancel();
    running.await.unwrap().unwrap();
}
