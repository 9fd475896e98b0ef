//! Responses made smaller for clients that ask for it.

use crate::support::{Response, World};
use http::Method;
use std::io::Read as _;

const PATH: &str = "/api/profile/42";

/// Profiles of many products are worth it.
async fn world(settings: &[(&str, &str)]) -> World {
    let world = World::start(settings).await;
    *world.order.ids.lock().unwrap() = (1..=150).map(|n| format!("p{n}")).collect();
    world
}

fn accepting(coding: &str) -> [(&str, &str); 2] {
    [("accept-encoding", coding), ("x-request-id", "same")]
}

fn inflated(response: &Response) -> String {
    let (mut text, bytes) = (String::new(), &response.bytes[..]);
    match response.header("content-encoding") {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text),
        other => panic!("{other} is no coding"),
    }
    .unwrap();
    text
}

fn varies(response: &Response) -> usize {
    response.headers.get_all("vary").iter().filter(|value| *value == "accept-encoding").count()
}

#[tokio::test(start_paused = true)]
async fn who_asks_gets_it_smaller_and_the_same() {
    let world = world(&[]).await;
    world.get(PATH).await;
    world.settle().await;
    let same = [("x-request-id", "same"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    let with = |coding| [("accept-encoding", coding), same[0], same[1]];
    let plain = world.get_with(PATH, &same).await;
    assert_eq!((plain.header("content-encoding"), varies(&plain)), ("", 1));
    assert_eq!(plain.header("content-length"), plain.text.len().to_string());
    for coding in ["gzip", "br"] {
        let small = world.get_with(PATH, &with(coding)).await;
        assert_eq!((small.status.as_u16(), small.header("content-encoding")), (200, coding));
        assert_eq!((inflated(&small), varies(&small), small.header("content-length")), (plain.text.clone(), 1, ""));
        assert!(small.bytes.len() * 2 < plain.bytes.len(), "{} of {}", small.bytes.len(), plain.bytes.len());
        assert_eq!(small.header("etag"), plain.header("etag"));
        assert_eq!(small.header("content-type"), "application/json");
        // Twice the same bytes.
        assert_eq!(world.get_with(PATH, &with(coding)).await.bytes, small.bytes);
    }
    assert_eq!(world.get_with(PATH, &with("gzip, br;q=0.9")).await.header("content-encoding"), "gzip");
    assert_eq!(world.get_with(PATH, &with("deflate, x")).await.text, plain.text);
}

#[tokio::test(start_paused = true)]
async fn a_304_is_right_for_every_coding() {
    let world = world(&[]).await;
    let small = world.get_with(PATH, &accepting("br")).await;
    for coding in ["br", "gzip", "identity"] {
        let known = world.get_with(PATH, &[("accept-encoding", coding), ("if-none-match", small.header("etag"))]).await;
        assert_eq!((known.status.as_u16(), known.bytes.len(), varies(&known)), (304, 0, 1), "{coding}");
        assert_eq!((known.header("etag"), known.header("content-encoding")), (small.header("etag"), ""));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_short_or_has_no_body_stays_as_it_is() {
    let world = world(&[]).await;
    let short = world.get_with("/api/profile/0", &accepting("br, gzip")).await;
    assert_eq!((short.status.as_u16(), short.header("content-encoding")), (400, ""));
    assert_eq!(short.header("content-length"), short.text.len().to_string());
    let long = world.get_with("/metrics", &accepting("gzip")).await;
    assert!(inflated(&long).contains("http_requests_total"));
    let head = world.request(Method::HEAD, PATH, &accepting("gzip")).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
    let get = world.get_with(PATH, &accepting("identity")).await;
    let length = head.header("content-length");
    assert!(length.is_empty() || length == get.header("content-length"), "{:?}", head.headers);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_that_there_is_gets_406() {
    let world = world(&[]).await;
    let response = world.get_with(PATH, &accepting("identity;q=0, deflate")).await;
    assert_eq!((response.status.as_u16(), response.header("content-type")), (406, "application/problem+json"));
    assert_eq!(response.at("/type"), "urn:problem-type:gateway:not-acceptable");
    assert_eq!((response.at("/request_id"), varies(&response)), ("same".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn it_can_be_off_and_has_a_limit() {
    let off = world(&[("GATEWAY_COMPRESS", "off")]).await;
    let plain = off.get_with(PATH, &accepting("gzip")).await;
    assert_eq!((plain.header("content-encoding"), varies(&plain)), ("", 0));
    let limit = (plain.text.len() + 1).to_string();
    let above = world(&[("GATEWAY_COMPRESS_ABOVE", &limit)]).await;
    let plain = above.get_with(PATH, &accepting("gzip")).await;
    assert_eq!((plain.header("content-encoding"), plain.text.len().to_string() < limit), ("", true));
}
