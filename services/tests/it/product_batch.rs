use crate::{
    common::{PRODUCT, Shop},
    products::gone,
};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test(start_paused = true)]
async fn found_gone_and_unknown_are_told_apart_each_once_in_order() {
    let gone = gone().to_string();
    let ids = ["p9", "p501", &gone, "p1", "p9", "p777", "p501", &gone];
    let found = Shop::open().await.batch(json!({ "ids": ids, "later": [1] }).to_string()).await.ok();
    let products = found["products"].as_array().unwrap();
    assert_eq!(products.iter().map(|product| &product["id"]).collect::<Vec<_>>(), ["p9", "p1"]);
    assert!(products.iter().all(|product| product["name"].is_string()));
    assert_eq!(found["gone"], json!([gone]));
    assert_eq!(found["unknown"], json!(["p501", "p777"]));
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_is_answered_with_empty_lists() {
    let found = Shop::open().await.batch(r#"{"ids":[]}"#).await.ok();
    assert_eq!(found, json!({"products": [], "gone": [], "unknown": []}));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_batch_is_400_and_is_not_quoted() {
    let shop = Shop::open().await;
    let deep = "[".repeat(10_000);
    let bodies = [
        "",
        "secret",
        "{}",
        "[]",
        "null",
        r#"{"ids":"p1"}"#,
        r#"{"ids":[7]}"#,
        r#"{"ids":["p1"]"#,
        r#"{"ids":null}"#,
        r#"{"ids":[],"ids":[]}"#,
        r#"{"ids":["\ud800"]}"#,
        &deep,
    ];
    for body in bodies {
        let response = shop.batch(body.to_owned()).await;
        response.problem(400, "malformed-body");
        assert!(!response.text().contains("secret"));
    }
    shop.batch(&b"{\"ids\":[\"\xff\"]}"[..]).await.problem(400, "malformed-body");
}

#[tokio::test(start_paused = true)]
async fn a_malformed_id_is_400_and_is_pointed_at() {
    let problem = Shop::open().await.batch(r#"{"ids":["p1","42","x"]}"#).await.problem(400, "malformed-id");
    assert_eq!(problem["pointer"], "/ids/1");
}

#[tokio::test(start_paused = true)]
async fn more_than_500_ids_are_413() {
    let shop = Shop::open().await;
    let batch = |count: usize| json!({ "ids": vec!["p1"; count] }).to_string();
    assert_eq!(shop.batch(batch(500)).await.ok()["products"].as_array().unwrap().len(), 1);
    let problem = shop.batch(batch(501)).await.problem(413, "too-large");
    assert_eq!(problem["pointer"], "/ids");
}

#[tokio::test(start_paused = true)]
async fn more_than_64_kib_are_413() {
    let shop = Shop::open().await;
    let padded = |length: usize| {
        let batch = r#"{"ids":["p1"]}"#;
        batch.to_owned() + &" ".repeat(length - batch.len())
    };
    shop.batch(padded(64 * 1024)).await.ok();
    for length in [64 * 1024 + 1, 200_000, 1024 * 1024] {
        shop.batch(padded(length)).await.problem(413, "too-large");
    }
    // The connection is fit for the next request.
    shop.batch(padded(20)).await.ok();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_only_after_writing_gets_its_413_too() {
    let shop = Shop::open().await;
    let length = 500_000;
    let head = format!(
        "POST /products/batch HTTP/1.1\r\nhost: product\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    let mut stream = shop.network.host("client").dial("product", PRODUCT).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; length]).await.unwrap();
    let mut response = [0; 12];
    stream.read_exact(&mut response).await.unwrap();
    assert_eq!(&response, b"HTTP/1.1 413");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_announces_too_much_is_413_before_it_is_sent() {
    let shop = Shop::open().await;
    let head = "POST /products/batch HTTP/1.1\r\nhost: product\r\ncontent-type: application/json\r\ncontent-length: 9999999\r\n\r\n";
    let mut stream = shop.network.host("client").dial("product", PRODUCT).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    let _ = stream.read_to_string(&mut response).await;
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
}

#[tokio::test(start_paused = true)]
async fn other_content_types_are_415() {
    let shop = Shop::open().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/problem+json", ""] {
        let request = Request::post("/products/batch").header("content-type", kind);
        let request = request.body(Full::new(Bytes::from_static(br#"{"ids":[]}"#))).unwrap();
        shop.send(PRODUCT, request).await.problem(415, "unsupported-media-type");
    }
    let bare = Request::post("/products/batch").body(Full::new(Bytes::from_static(br#"{"ids":[]}"#))).unwrap();
    shop.send(PRODUCT, bare).await.problem(415, "unsupported-media-type");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_arrives_is_408_after_ten_seconds() {
    let shop = Shop::open().await;
    let head = "POST /products/batch HTTP/1.1\r\nhost: product\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{";
    let started = tokio::time::Instant::now();
    let mut stream = shop.network.host("client").dial("product", PRODUCT).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    let _ = stream.read_to_string(&mut response).await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert!((Duration::from_secs(10)..Duration::from_millis(10_010)).contains(&started.elapsed()));
}

/// Bodies from noise to almost right.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..300);
    let near =
        r#"\{"ids":\[("p[0-9]{1,11}",?|"\\u[0-9a-f]{4}",?|null|-1e999|\{|\[){0,8}\]?\}?"#.prop_map(String::into_bytes);
    let typed = prop::collection::vec("\\PC{0,8}|p[0-9]{1,3}", 0..20)
        .prop_map(|ids| json!({ "ids": ids }).to_string().into_bytes());
    prop_oneof![noise, near, typed]
}

#[test]
fn no_body_gets_anything_but_200_or_400() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let shop = runtime.block_on(Shop::open());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(512) });
    let result = runner.run(&bodies(), |body| {
        let response = runtime.block_on(shop.batch(body));
        match response.status.as_u16() {
            200 => prop_assert!(response.ok()["products"].is_array()),
            400 => prop_assert!(matches!(response.problem(400, kind(&response.json())), Value::Object(_))),
            other => prop_assert!(false, "{other}"),
        }
        Ok(())
    });
    result.unwrap();
}

fn kind(problem: &Value) -> &'static str {
    if problem["type"] == "urn:problem-type:shop:malformed-id" { "malformed-id" } else { "malformed-body" }
}
