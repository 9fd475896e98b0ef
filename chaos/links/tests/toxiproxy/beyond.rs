//! Beyond Toxiproxy: every effect as a type, and counts of what each toxic did.

use crate::support::{Server, ask};
use host::Stream;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A service that answers each request of HTTP alike.
fn web(server: &Server) -> u16 {
    server.service(|mut stream| async move {
        let mut got = [0; 4096];
        while let Ok(1..) = stream.read(&mut got).await {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    })
}

/// A service that answers each command with `+OK`.
fn redis(server: &Server) -> u16 {
    server.service(|mut stream| async move {
        let mut got = [0; 4096];
        while let Ok(1..) = stream.read(&mut got).await {
            let _ = stream.write_all(b"+OK\r\n").await;
        }
    })
}

async fn get(stream: &mut Stream, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await.unwrap();
    read(stream).await.lines().next().unwrap().to_owned()
}

async fn command(stream: &mut Stream, words: &[&str]) -> String {
    let arguments: Vec<String> = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    stream.write_all(format!("*{}\r\n{}", words.len(), arguments.concat()).as_bytes()).await.unwrap();
    read(stream).await
}

async fn read(stream: &mut Stream) -> String {
    let mut got = [0; 4096];
    let count = stream.read(&mut got).await.unwrap();
    String::from_utf8_lossy(&got[..count]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_met_by_effects_and_told_apart_by_only() {
    let server = Server::start();
    let listens = server.proxy("web", web(&server)).await;
    // Open before the toxic: it is read along from its beginning.
    let mut stream = server.dial(listens).await;
    assert_eq!(get(&mut stream, "/").await, "HTTP/1.1 200 OK");
    let attributes = json!({ "status": 429, "only": { "path": "/orders/*", "first": 2 } });
    let toxic = server.toxic("web", json!({ "name": "busy", "type": "http-status", "attributes": attributes })).await;
    assert_eq!((&toxic["type"], &toxic["attributes"]), (&json!("http-status"), &attributes));
    let mut seen = Vec::new();
    for path in ["/", "/orders/1", "/orders/2", "/orders/3"] {
        seen.push(get(&mut stream, path).await.split(' ').nth(1).unwrap().to_owned());
    }
    assert_eq!(seen, ["200", "429", "429", "200"]);
    let shown = server.call("GET", "/proxies/web/toxics/busy", Json::Null).await.json();
    assert_eq!((&shown["fired"], &shown["matched"], &shown["spared"]), (&json!(2), &json!(3), &json!(0)), "{shown}");
    assert_eq!(shown["counts"]["messages"], 2);
    // Mistakes are those of the language.
    let wrong = json!({ "type": "http-status", "name": "x", "attributes": { "status": "9" } });
    server.call("POST", "/proxies/web/toxics", wrong).await.is_error(400, "bad request body: /attributes/status: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_have_errors_and_values_that_are_not_there() {
    let server = Server::start();
    let listens = server.proxy("cache", redis(&server)).await;
    let mut stream = server.dial(listens).await;
    assert_eq!(command(&mut stream, &["GET", "a"]).await, "+OK\r\n");
    // Of a client whose attributes are numbers alone.
    server.toxic("cache", json!({ "type": "redis-error", "attributes": {} })).await;
    assert!(command(&mut stream, &["GET", "a"]).await.starts_with("-LOADING "));
    server.removed("cache", "redis-error_downstream").await;
    server
        .toxic("cache", json!({ "type": "miss", "toxicity": 1, "attributes": { "only": { "key": "user:*" } } }))
        .await;
    assert_eq!(command(&mut stream, &["GET", "user:1"]).await, "$-1\r\n");
    assert_eq!(command(&mut stream, &["GET", "a"]).await, "+OK\r\n");
    let wrong = server.call("POST", "/proxies/cache", json!({ "protocol": "http" })).await;
    wrong.is_error(400, "bad request body: ");
    let shown = server.call("GET", "/proxies/cache", Json::Null).await.json();
    assert_eq!((&shown["enabled"], shown.get("protocol")), (&json!(true), None), "nothing was changed: {shown}");
    assert_eq!(command(&mut stream, &["GET", "user:1"]).await, "$-1\r\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_neither_is_left_alone_and_counted_as_spared() {
    let server = Server::start();
    let listens = server.proxy("mail", server.echo()).await;
    server.toxic("mail", json!({ "name": "e", "type": "close" })).await;
    let mut stream = server.dial(listens).await;
    assert_eq!(ask(&mut stream, b"EHLO mail.example\r\n").await.unwrap(), b"EHLO mail.example\r\n");
    assert_eq!(ask(&mut stream, b"GET of another protocol\r\n").await.unwrap(), b"GET of another protocol\r\n");
    let shown = server.call("GET", "/proxies/mail/toxics/e", Json::Null).await.json();
    assert_eq!(shown["fired"], 0);
    assert!(shown["spared"].as_u64().unwrap() >= 1, "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_are_refused_with_the_reason_and_metrics_tell_what_came_of_toxics() {
    let server = Server::start();
    let service = server.echo();
    let listens = server.proxy("a", service).await;
    let refused = server.call("POST", "/proxies/a/toxics", json!({ "type": "packet_loss" })).await;
    refused.is_error(400, "invalid toxic type packet_loss: a proxy sees no packets");
    server.toxic("a", json!({ "name": "all", "type": "latency", "attributes": { "latency": 1 } })).await;
    server
        .toxic("a", json!({ "name": "none", "type": "latency", "toxicity": 0, "attributes": { "latency": 9000 } }))
        .await;
    ask(&mut server.dial(listens).await, b"12345").await.unwrap();
    server.call("POST", "/proxies/a", json!({ "enabled": false })).await;
    let metrics = server.call("GET", "/metrics", Json::Null).await.text;
    let labels = format!("listener=\"127.0.0.1:{listens}\",proxy=\"a\",upstream=\"127.0.0.1:{service}\"");
    for line in [
        format!("toxiproxy_proxy_received_bytes_total{{direction=\"upstream\",{labels}}} 5"),
        format!("toxiproxy_proxy_sent_bytes_total{{direction=\"downstream\",{labels}}} 5"),
        "chaos_toxic_fired_total{proxy=\"a\",toxic=\"all\",type=\"latency\"} 1".to_owned(),
        "chaos_toxic_matched_total{proxy=\"a\",toxic=\"all\",type=\"latency\"} 1".to_owned(),
        "chaos_toxic_fired_total{proxy=\"a\",toxic=\"none\",type=\"latency\"} 0".to_owned(),
    ] {
        assert!(metrics.lines().any(|other| other == line), "{line}\n{metrics}");
    }
}
