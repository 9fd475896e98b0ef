//! Proxies: made, changed, populated and removed.

use crate::support::{Server, ask, port, rest};
use chaos_links::{Bounds, ToxiproxyConfig};
use serde_json::{Value as Json, json};
use std::io::ErrorKind;
use tokio::io::AsyncWriteExt as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_is_made_shown_and_removed() {
    let server = Server::start();
    let version = server.call("GET", "/version", Json::Null).await;
    assert_eq!((version.status, version.text.trim()), (200, "{\"version\": \"2.12.0\"}"));
    assert!(version.head.contains("content-type: application/json;charset=utf-8"), "{version:?}");
    assert_eq!(server.call("GET", "/proxies", Json::Null).await.json(), json!({}));
    let service = server.echo();
    let upstream = format!("127.0.0.1:{service}");
    let made = server.call("POST", "/proxies", json!({ "NAME": "a b", "upstream": upstream, "unknown": 1 })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let shown = made.json();
    assert_eq!((&shown["name"], &shown["enabled"], &shown["toxics"]), (&json!("a b"), &json!(true), &json!([])));
    assert_eq!(ask(&mut server.dial(port(&shown)).await, b"hello").await.unwrap(), b"hello");
    assert_eq!(server.call("GET", "/proxies/a%20b", Json::Null).await.json(), shown);
    assert_eq!(server.call("GET", "/proxies", Json::Null).await.json(), json!({ "a b": shown }));
    let gone = server.call("DELETE", "/proxies/a%20b", Json::Null).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert!(server.host.dial("127.0.0.1", port(&shown)).await.is_err(), "its port is free");
    server.call("DELETE", "/proxies/a%20b", Json::Null).await.is_error(404, "proxy not found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_as_clients_expect_it() {
    let server = Server::start();
    let taken = server.proxy("here", server.echo()).await;
    let create = async |body: Json| server.call("POST", "/proxies", body).await;
    server.send("POST", "/proxies", "", "{").await.is_error(400, "bad request body: ");
    create(json!({ "upstream": "localhost:1" })).await.is_error(400, "missing required field: name");
    create(json!({ "name": "a" })).await.is_error(400, "missing required field: upstream");
    create(json!({ "name": "here", "upstream": "localhost:1" })).await.is_error(409, "proxy already exists");
    let listen = format!("127.0.0.1:{taken}");
    let failed = create(json!({ "name": "a", "listen": listen, "upstream": "localhost:1" })).await;
    failed.is_error(500, &format!("listen tcp {listen}: bind: address already in use"));
    assert!(failed.head.contains("content-type: text/plain; charset=utf-8") && failed.head.contains("nosniff"));
    assert!(failed.text.ends_with("}\n"), "{failed:?}");
    server.call("GET", "/proxies/a", Json::Null).await.is_error(404, "proxy not found");
    server.call("POST", "/proxies/none", json!({})).await.is_error(404, "proxy not found");
    server.send("PATCH", "/proxies/here", "", "[").await.is_error(400, "bad request body: ");
    create(json!({ "name": "a", "upstream": "nowhere" }))
        .await
        .is_error(400, "bad request body: `nowhere` is no address");
    create(json!({ "name": "a", "upstream": "localhost:1", "protocol": "smtp" }))
        .await
        .is_error(400, "bad request body: ");
    let lost = server.call("GET", "/nowhere", Json::Null).await;
    assert_eq!((lost.status, lost.text.trim()), (404, "404 page not found"));
    assert_eq!(server.call("DELETE", "/version", Json::Null).await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_is_disabled_cuts_its_connections_and_frees_its_port() {
    let server = Server::start();
    let listens = server.proxy("a", server.echo()).await;
    for method in ["POST", "PATCH"] {
        let mut open = server.dial(listens).await;
        ask(&mut open, b"hello").await.unwrap();
        let off = server.call(method, "/proxies/a", json!({ "enabled": false })).await.json();
        assert_eq!((&off["enabled"], port(&off)), (&json!(false), listens));
        assert_eq!(rest(&mut open).await.0, b"");
        let refused = server.host.dial("127.0.0.1", listens).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        // Somebody else's now, so that it can't be enabled.
        let other = server.host.listen(listens).unwrap();
        server.call(method, "/proxies/a", json!({ "enabled": true })).await.is_error(500, "listen tcp ");
        drop(other);
        let on = server.call(method, "/proxies/a", json!({ "enabled": true })).await.json();
        assert_eq!((&on["enabled"], port(&on)), (&json!(true), listens));
        ask(&mut server.dial(listens).await, b"hello").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_leads_elsewhere_cuts_its_connections_and_keeps_its_toxics() {
    let server = Server::start();
    let listens = server.proxy("a", server.echo()).await;
    server.toxic("a", json!({ "type": "limit_data", "attributes": { "bytes": 3 } })).await;
    let mut open = server.dial(listens).await;
    ask(&mut open, b"ab").await.unwrap();
    let upstream = format!("127.0.0.1:{}", server.echo());
    let same = server.call("POST", "/proxies/a", json!({ "listen": format!("localhost:{listens}") })).await;
    assert_eq!(same.status, 200, "{same:?}");
    ask(&mut open, b"c").await.unwrap();
    let moved = server.call("POST", "/proxies/a", json!({ "upstream": upstream })).await.json();
    assert_eq!((moved["upstream"].as_str(), port(&moved)), (Some(upstream.as_str()), listens));
    assert_eq!(rest(&mut open).await.0, b"");
    let mut new = server.dial(listens).await;
    new.write_all(b"hello").await.unwrap();
    assert_eq!(rest(&mut new).await, (b"hel".to_vec(), Ok(())));
    let fired = server.call("GET", "/proxies/a/toxics/limit_data_downstream", Json::Null).await.json();
    assert_eq!((&fired["fired"], &fired["matched"]), (&json!(2), &json!(2)), "{fired}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn populate_leaves_what_is_the_same_and_is_checked_before() {
    let server = Server::start();
    let service = server.echo();
    let listens = server.proxy("a", service).await;
    let upstream = format!("127.0.0.1:{service}");
    let listen = format!("localhost:{listens}");
    server.toxic("a", json!({ "type": "latency", "attributes": { "latency": 1 } })).await;
    let a = json!({ "name": "a", "listen": listen, "upstream": upstream, "enabled": false });
    let slow = json!({ "type": "latency", "stream": "upstream", "attributes": { "latency": 1 } });
    let p = json!({ "name": "p", "listen": "127.0.0.1:0", "upstream": upstream, "toxics": [slow] });
    let populated = server.call("POST", "/populate", json!([a, p])).await;
    assert_eq!(populated.status, 201, "{populated:?}");
    let proxies = populated.json()["proxies"].clone();
    assert_eq!(
        (&proxies[0]["enabled"], proxies[0]["toxics"][0]["name"].as_str()),
        (&json!(true), Some("latency_downstream"))
    );
    assert_eq!(proxies[1]["toxics"][0]["name"], "latency_upstream", "toxics come with it");
    let other = format!("127.0.0.1:{}", server.echo());
    let replaced =
        server.call("POST", "/populate", json!([{ "name": "a", "listen": listen, "upstream": other }])).await;
    assert_eq!(replaced.json()["proxies"][0]["upstream"], other);
    assert_eq!(replaced.json()["proxies"][0]["toxics"], json!([]));
    let wrong = server
        .call("POST", "/populate", json!([{ "name": "q", "upstream": upstream }, { "upstream": upstream }]))
        .await;
    wrong.is_error(400, "missing required field: name at proxy 2");
    assert_eq!(wrong.json()["proxies"], json!([]));
    server.call("GET", "/proxies/q", Json::Null).await.is_error(404, "proxy not found");
    let half = json!([{ "name": "r", "upstream": upstream }, { "name": "s", "listen": listen, "upstream": upstream }]);
    let half = server.call("POST", "/populate", half).await;
    half.is_error(500, "listen tcp ");
    assert_eq!(half.json()["proxies"][0]["name"], "r", "those that were made");
    server.send("POST", "/populate", "", "{}").await.is_error(400, "bad request body: ");
    let reset = server.call("POST", "/reset", Json::Null).await;
    assert_eq!((reset.status, reset.text.as_str()), (204, ""));
    for (name, proxy) in server.call("GET", "/proxies", Json::Null).await.json().as_object().unwrap() {
        assert_eq!((&proxy["enabled"], &proxy["toxics"]), (&json!(true), &json!([])), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_of_a_file_are_there_from_the_beginning_or_it_ends() {
    let config =
        |text: &str| ToxiproxyConfig { populate: Some(text.as_bytes().to_vec()), ..ToxiproxyConfig::default() };
    let file = r#"[{ "name": "a", "listen": "127.0.0.1:0", "upstream": "localhost:6379" }]"#;
    let server = Server::with(Bounds::default(), config(file));
    assert_eq!(server.call("GET", "/proxies/a", Json::Null).await.status, 200);
    server.stop().await.unwrap();
    let wrong = Server::with(Bounds::default(), config(r#"[{ "name": "a" }]"#));
    assert_eq!(wrong.stop().await.unwrap_err(), "missing required field: upstream at proxy 1");
}
