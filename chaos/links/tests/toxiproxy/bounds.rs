//! Bounds: who may come in, where proxies listen and lead, and for how long toxics live.

use crate::support::{MS, PATIENCE, Server, ask};
use chaos_links::{Bounds, Token, ToxiproxyConfig};
use serde_json::{Value as Json, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_refused_by_what_browsers_say() {
    let server = Server::start();
    for header in ["User-Agent: Mozilla/5.0 (X11)\r\n", "Origin: https://evil.example\r\n", "Origin: null\r\n"] {
        for (method, path) in [("GET", "/version"), ("POST", "/reset"), ("POST", "/proxies")] {
            let refused = server.send(method, path, header, "{}").await;
            assert_eq!(refused.status, 403, "{refused:?}");
            assert!(refused.head.contains("x-toxiproxy-request-id"), "{refused:?}");
        }
    }
    assert_eq!(server.send("GET", "/version", "User-Agent: toxiproxy-cli\r\n", "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_listen_on_loopback_and_lead_to_what_is_local() {
    let server = Server::start();
    let create = async |listen: &str, upstream: &str| {
        server.call("POST", "/proxies", json!({ "name": "a", "listen": listen, "upstream": upstream })).await
    };
    for listen in ["0.0.0.0:0", ":0", "[::]:0", "8.8.8.8:1"] {
        let refused = create(listen, "localhost:1").await;
        refused.is_error(403, &format!("{listen} is not on loopback: `--allow-remote-clients`"));
    }
    for upstream in ["8.8.8.8:53", "169.254.169.254:80"] {
        let refused = create("127.0.0.1:0", upstream).await;
        refused.is_error(403, &format!("{upstream} is not local, and was not allowed: a file with `[targets]`"));
    }
    create("127.0.0.1", "localhost:1").await.is_error(400, "bad request body: `127.0.0.1` is no address to listen at");
    // One that leads to another proxy of this process would go round, for all that anybody can tell.
    let listens = server.proxy("first", server.echo()).await;
    let second = server.proxy("second", listens).await;
    // It may be reset before the client knows that it is there.
    let met = async { ask(&mut server.host.dial("127.0.0.1", second).await?, b"hello").await };
    assert!(met.await.is_err());
    let allowed = vec!["8.8.8.8:53".parse().unwrap()];
    let bounds = Bounds { allowed, beyond_loopback: true };
    let server = Server::with(bounds, ToxiproxyConfig::default());
    let made =
        server.call("POST", "/proxies", json!({ "name": "a", "listen": "0.0.0.0:0", "upstream": "8.8.8.8:53" })).await;
    assert_eq!(made.status, 201, "{made:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_asked_for_where_one_is_wanted() {
    let token = Token::read("secret");
    let server = Server::with(Bounds::default(), ToxiproxyConfig { token, ..ToxiproxyConfig::default() });
    server.call("GET", "/proxies", Json::Null).await.is_error(401, "the token is missing or wrong");
    server.send("POST", "/reset", "Authorization: Bearer wrong\r\n", "").await.is_error(401, "the token");
    assert_eq!(server.send("POST", "/reset", "Authorization: Bearer secret\r\n", "").await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn toxics_of_who_is_gone_are_taken_back() {
    let config = ToxiproxyConfig { ttl: Some(400 * MS), ..ToxiproxyConfig::default() };
    let server = Server::with(Bounds::default(), config);
    let listens = server.proxy("a", server.echo()).await;
    server.toxic("a", json!({ "type": "bandwidth", "attributes": { "rate": 0 } })).await;
    let mut stream = server.dial(listens).await;
    let began = tokio::time::Instant::now();
    ask(&mut stream, b"held until nobody asks any more").await.unwrap();
    assert!(began.elapsed() >= 300 * MS && began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    assert_eq!(server.call("GET", "/proxies/a/toxics", Json::Null).await.json(), json!([]));
}
