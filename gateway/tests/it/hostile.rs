//! Clients that break the rules of HTTP, or use up what others need, and services that do.

use crate::support::{Behaviour, Mood, World};
use host::{Settings, Stream};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

fn world(settings: &[(&str, &str)]) -> World {
    World::start_with(&[&[("GATEWAY_CACHE", "off")], settings].concat(), Mood::Good)
}

async fn connect(world: &World) -> Stream {
    tokio::task::yield_now().await;
    world.network.host("attacker").dial("gateway", 8000).await.unwrap()
}

/// Everything until the gateway closes, which it does once a connection has idled for long enough.
async fn read(stream: &mut Stream) -> String {
    let mut bytes = Vec::new();
    // A reset ends it too: what came before it counts.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

async fn raw(world: &World, text: &str) -> String {
    let mut stream = connect(world).await;
    stream.write_all(text.as_bytes()).await.unwrap();
    read(&mut stream).await
}

/// Statuses of all responses.
fn statuses(text: &str) -> Vec<&str> {
    text.split("HTTP/1.").skip(1).map(|response| &response[2..5]).collect()
}

fn calls(world: &World) -> usize {
    world.user.calls() + world.order.calls() + world.product.calls()
}

#[tokio::test(start_paused = true)]
async fn what_is_no_http_gets_a_bare_400_and_a_close() {
    let world = world(&[]);
    let cases = [
        "hello\r\n\r\n",
        "GET /api/profile/42\r\nX-Evil: 1 HTTP/1.1\r\nhost: gateway\r\n\r\n",
        "GET /api/profile/4\0 HTTP/1.1\r\nhost: gateway\r\n\r\n",
        "GET /api/profile/4\r2 HTTP/1.1\r\nhost: gateway\r\n\r\n",
        "GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\nx: a\rx-evil: 1\r\n\r\n",
        "GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\nx-request-id: a\0b\r\n\r\n",
        "GET  /api/profile/42 HTTP/1.1\r\nhost: gateway\r\n\r\n",
        "GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\nno colon\r\n\r\n",
        "GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\ncontent-length: -1\r\n\r\n",
    ];
    for case in cases {
        let started = Instant::now();
        let response = raw(&world, case).await;
        assert_eq!(statuses(&response), ["400"], "{case:?}: {response}");
        assert!(response.ends_with("\r\n\r\n"), "it has no body: {response}");
        assert_eq!(started.elapsed(), Duration::ZERO, "{case:?}");
    }
    assert_eq!(calls(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_one_host_gets_a_bare_400_and_a_close() {
    let world = world(&[]);
    let bad = [
        "",
        "host: gateway\r\nhost: gateway\r\n",
        "host: a b\r\n",
        "host: me@gateway\r\n",
        "host: gateway:http\r\n",
        "host: gateway:65536\r\n",
    ];
    for hosts in bad {
        for target in ["/api/profile/42", "/health", "http://gateway/api/profile/42"] {
            let request = format!("GET {target} HTTP/1.1\r\n{hosts}\r\n");
            let response = raw(&world, &request.repeat(2)).await;
            assert_eq!(statuses(&response), ["400"], "{request:?}: {response}");
            assert!(response.ends_with("\r\n\r\n") && !response.contains("x-request-id"), "it is bare: {response}");
        }
    }
    assert_eq!((calls(&world), world.metric("http_requests_total{status=\"400\"}").await), (0, 0.0));
    // HTTP/1.0 knows no such field, and HTTP/1.1 lets it be empty.
    for good in ["GET /health/live HTTP/1.0\r\n\r\n", "GET /health/live HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n"]
    {
        assert_eq!(statuses(&raw(&world, good).await), ["200"], "{good}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_with_a_fragment_or_a_port_that_is_none_gets_a_bare_400_and_a_close() {
    let world = world(&[]);
    for target in [
        "/api/profile/42#",
        "/api/profile/42#name",
        "/health?a#b",
        "http://gateway/health#b",
        "http://gateway:x/health",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: gateway\r\nx: a # b\r\n\r\n");
        // Also behind one that is well, and in pieces.
        let good = "GET /health/live HTTP/1.1\r\nhost: gateway\r\nx: a # b\r\n\r\n";
        let response = raw(&world, &format!("{good}{}", request.repeat(2))).await;
        assert_eq!(statuses(&response), ["200", "400"], "{target}: {response}");
        assert!(response.ends_with("\r\n\r\n"), "it has no body: {response}");
        let mut stream = connect(&world).await;
        for byte in request.as_bytes() {
            // It may have closed by then.
            let _ = stream.write_all(&[*byte]).await;
            world.settle().await;
        }
        assert_eq!(statuses(&read(&mut stream).await), ["400"], "{target}");
    }
    assert_eq!(calls(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_long_gets_a_bare_431() {
    let world = world(&[("GATEWAY_HEAD_LIMIT", "2KiB")]);
    let long = format!("GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\nx: {}\r\n\r\n", "y".repeat(2048));
    let endless = format!("GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\nx: {}", "y".repeat(4096));
    let many = format!("GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\n{}\r\n", "a: b\r\n".repeat(101));
    for head in [&long, &endless, &many] {
        let response = raw(&world, head).await;
        assert_eq!(statuses(&response), ["431"], "{response}");
        assert!(response.ends_with("\r\n\r\n"), "it has no body: {response}");
    }
    let fits = format!("GET /api/profile/42 HTTP/1.0\r\nx: {}\r\n\r\n", "y".repeat(1900));
    assert_eq!(statuses(&raw(&world, &fits).await), ["200"]);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_too_long_gets_a_bare_414() {
    let world = world(&[("GATEWAY_HEAD_LIMIT", "128KiB")]);
    let response =
        raw(&world, &format!("GET /api/profile/{} HTTP/1.1\r\nhost: gateway\r\n\r\n", "1".repeat(70_000))).await;
    assert_eq!(statuses(&response), ["414"], "{response}");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_too_slowly_is_cut_off() {
    let world = world(&[("GATEWAY_HEADER_TIMEOUT", "2s")]);
    let mut stream = connect(&world).await;
    let started = Instant::now();
    // A byte from time to time doesn't help.
    let drip = async {
        let (mut read, mut write) = stream.split();
        let drip = async {
            for byte in b"GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\n".iter().cycle() {
                if write.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
        };
        let mut bytes = Vec::new();
        tokio::select! {
            biased;
            _ = read.read_to_end(&mut bytes) => {}
            () = drip => {}
        }
    };
    tokio::time::timeout(Duration::from_secs(60), drip).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 2);
}

/// A client that asks for more than fits on the way, and reads none of it.
async fn deaf(world: &World) -> Stream {
    let mut stream = connect(world).await;
    stream.write_all("GET /openapi.json HTTP/1.1\r\nhost: gateway\r\n\r\n".repeat(10).as_bytes()).await.unwrap();
    stream
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_of_its_response_is_let_go() {
    let world = world(&[("GATEWAY_WRITE_TIMEOUT", "2s"), ("GATEWAY_MAX_CONNECTIONS", "2")]);
    let timeouts = "http_write_timeouts_total";
    // The client's own connection is the first.
    assert_eq!(world.metric(timeouts).await, 0.0);
    let mut deaf = deaf(&world).await;
    tokio::time::sleep(Duration::from_millis(1900)).await;
    assert_eq!(world.metric(timeouts).await, 0.0);
    assert_eq!(raw(&world, "GET /health/live HTTP/1.0\r\n\r\n").await, "", "it takes a place");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.metric(timeouts).await, 1.0);
    assert_eq!(statuses(&raw(&world, "GET /health/live HTTP/1.0\r\n\r\n").await), ["200"], "no longer");
    let mut come = Vec::new();
    let end = deaf.read_to_end(&mut come).await.unwrap_err();
    assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(!come.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_holds_up_no_stop() {
    let world = world(&[("GATEWAY_WRITE_TIMEOUT", "2s"), ("GATEWAY_DRAIN", "1h")]);
    let _deaf = deaf(&world).await;
    world.settle().await;
    let started = Instant::now();
    world.gateway.shutdown().cancel();
    world.running.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn connections_beyond_the_limit_are_reset_until_there_is_room() {
    let world = world(&[("GATEWAY_MAX_CONNECTIONS", "3")]);
    // The client's own, which is kept open, is the first.
    assert_eq!(world.metric("http_connections_turned_away_total").await, 0.0);
    let (first, _second) = (connect(&world).await, connect(&world).await);
    world.settle().await;
    let mut beyond = connect(&world).await;
    let error = beyond.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(world.metric("http_connections_turned_away_total").await, 1.0);
    drop(first);
    world.settle().await;
    assert_eq!(statuses(&raw(&world, "GET /health/live HTTP/1.0\r\n\r\n").await), ["200"]);
}

#[tokio::test(start_paused = true)]
async fn http_1_0_is_answered_and_closed() {
    let world = world(&[]);
    let started = Instant::now();
    let response = raw(&world, "GET /api/profile/42 HTTP/1.0\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.0 200 OK\r\n") && response.contains("\r\ncontent-length: "), "{response}");
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn http_1_0_is_kept_open_where_it_asks_for_it() {
    let world = world(&[]);
    let request = "GET /api/profile/42 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    let started = Instant::now();
    let response = raw(&world, &request.repeat(2)).await;
    assert_eq!(statuses(&response), ["200", "200"], "{response}");
    assert!(!response.contains("transfer-encoding"), "it knows no chunks: {response}");
    assert_eq!(started.elapsed().as_secs(), 30, "then it idles");
}

#[tokio::test(start_paused = true)]
async fn a_compressed_response_over_http_1_0_ends_with_the_connection() {
    let world = world(&[]);
    *world.order.ids.lock().unwrap() = (1..=200).map(|n| format!("p{n}")).collect();
    let mut stream = connect(&world).await;
    stream.write_all(b"GET /api/profile/42 HTTP/1.0\r\naccept-encoding: gzip\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&bytes[..end]);
    assert!(head.contains("content-encoding: gzip") && !head.contains("transfer-encoding"), "{head}");
    assert_eq!(bytes[end + 4..end + 6], [0x1f, 0x8b], "it begins as gzip does");
}

#[tokio::test(start_paused = true)]
async fn methods_that_nobody_meant_are_refused_plainly() {
    let world = world(&[]);
    for (line, status) in [
        ("CONNECT users:80 HTTP/1.1", "404"),
        ("CONNECT /api/profile/42 HTTP/1.1", "405"),
        ("TRACE /api/profile/42 HTTP/1.1", "405"),
        ("OPTIONS * HTTP/1.1", "404"),
        ("BREW /api/profile/42 HTTP/1.1", "405"),
        ("get /api/profile/42 HTTP/1.1", "405"),
    ] {
        let response = raw(&world, &format!("{line}\r\nhost: gateway\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(statuses(&response), [status], "{line}: {response}");
        assert!(response.contains("application/problem+json"), "{line}: {response}");
    }
    assert_eq!(calls(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn http_2_is_closed_without_a_response() {
    let world = world(&[]);
    let started = Instant::now();
    assert_eq!(raw(&world, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await, "");
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_and_an_expectation_change_nothing() {
    let world = world(&[]);
    for header in [
        "connection: upgrade, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__",
        "expect: 100-continue\r\nconnection: close",
    ] {
        let response = raw(&world, &format!("GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\n{header}\r\n\r\n")).await;
        assert_eq!(statuses(&response), ["200"], "{response}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_without_end_is_not_read() {
    let world = world(&[]);
    let mut stream = connect(&world).await;
    stream
        .write_all(b"GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let (mut read, mut write) = stream.split();
    let sent = async {
        let (chunk, mut sent) = (format!("ffff\r\n{}\r\n", "x".repeat(0xffff)), 0_usize);
        while sent < 100 << 20 && write.write_all(chunk.as_bytes()).await.is_ok() {
            sent += chunk.len();
        }
        sent
    };
    let answered = async {
        let mut bytes = Vec::new();
        let _ = read.read_to_end(&mut bytes).await;
        String::from_utf8(bytes).unwrap()
    };
    let started = Instant::now();
    let (sent, response) = tokio::join!(sent, answered);
    assert_eq!(statuses(&response), ["200"], "{response}");
    assert!(sent < 1 << 20, "{sent} bytes were taken in");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn pipelined_requests_are_answered_in_order() {
    let world = world(&[]);
    let all = raw(
        &world,
        "GET /api/profile/1 HTTP/1.1\r\nhost: gateway\r\n\r\nGET /nothing HTTP/1.1\r\nhost: gateway\r\n\r\nGET /api/profile/0 HTTP/1.1\r\nhost: gateway\r\n\r\n\
         GET /api/profile/2 HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\nGET /api/profile/3 HTTP/1.1\r\nhost: gateway\r\n\r\n",
    );
    let all = all.await;
    assert_eq!(statuses(&all), ["200", "404", "400", "200"], "{all}");
    assert!(all.find("\"user_id\":\"1\"") < all.find("\"user_id\":\"2\""));
    assert_eq!(world.user.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_with_a_get_is_no_second_request() {
    let world = world(&[]);
    let inner = "GET /api/profile/7 HTTP/1.1\r\nhost: gateway\r\n\r\n";
    let length = inner.len();
    let plain = format!("GET /nothing HTTP/1.1\r\nhost: gateway\r\ncontent-length: {length}\r\n\r\n{inner}");
    // Where both are given, the length is ignored or the request refused (RFC 9112, 6.3).
    let both = format!(
        "GET /nothing HTTP/1.1\r\nhost: gateway\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{inner}\r\n0\r\n\r\n"
    );
    for request in [&plain, &both] {
        let response = raw(&world, request).await;
        assert!(matches!(statuses(&response).as_slice(), ["404" | "400"]), "{response}");
    }
    let large = format!("GET /api/profile/7 HTTP/1.1\r\nhost: gateway\r\ncontent-length: 20000\r\n\r\n{inner}");
    assert_eq!(statuses(&raw(&world, &large).await), ["413"]);
    assert_eq!(calls(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn no_path_reaches_a_service_but_those_of_the_table() {
    let world = world(&[]);
    for path in [
        "/api/profile/..%2f..%2fadmin",
        "/api/profile/../../admin",
        "/api/profile/%2e%2e/admin",
        "/api/profile/42%2f..%2fadmin",
        "/api/profile/42%0d%0ahost:%20x",
        "/api/profile/42%00",
        "/api/profile/%34%32%2e",
        "/api/profile/42%3fadmin=1",
        "/api/profile/42%23",
        "/api/profile/42\\..\\admin",
        "/api/profile/42;x=1",
        "//api/profile/42",
        "http://elsewhere/admin",
        "*",
    ] {
        let response = raw(&world, &format!("GET {path} HTTP/1.0\r\n\r\n")).await;
        assert!(matches!(statuses(&response).as_slice(), ["400" | "404"]), "{path}: {response}");
        assert!(response.contains("urn:problem-type:gateway:"), "{path}: {response}");
    }
    assert_eq!(calls(&world), 0);
}

/// A world whose user service says these bytes and closes.
async fn with_user_service_that_says(bytes: &'static [u8]) -> World {
    let world = world(&[("USER_SERVICE_URL", "http://rogue")]);
    let (rogue, _) = world.network.node("rogue", Settings::default());
    let mut listener = rogue.listen(80).unwrap();
    let host = rogue.clone();
    drop(rogue.spawn(async move {
        loop {
            let mut stream = listener.accept().await.unwrap();
            drop(host.spawn(async move {
                let mut head = [0; 1024];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(bytes).await;
            }));
        }
    }));
    world
}

#[tokio::test(start_paused = true)]
async fn a_service_that_breaks_off_or_speaks_no_http_costs_its_part_alone() {
    for (bytes, code) in [
        (&b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":"[..], "reset"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id", "reset"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "bad_payload"),
        (b"HTTP/1.1 200 OK\r\ncontent-", "reset"),
        (b"what?\r\n\r\n", "bad_payload"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://orders/admin\r\ncontent-length: 0\r\n\r\n", "bad_payload"),
    ] {
        let world = with_user_service_that_says(bytes).await;
        let response = world.get("/api/profile/42").await;
        let said = String::from_utf8_lossy(bytes);
        assert_eq!((response.status.as_u16(), response.at("/partial")), (200, true.into()), "{said}");
        assert_eq!(response.at("/errors/0/code"), code, "{said}");
        assert_eq!((response.at("/user"), response.at("/orders/0/id")), (serde_json::Value::Null, "o1".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_of_50_mb_is_given_up() {
    let world = world(&[]);
    world.user.becomes(Behaviour::Text("x".repeat(50 << 20)));
    let response = world.get("/api/profile/42").await;
    assert_eq!((response.status.as_u16(), response.at("/errors/0/code")), (200, "body_too_large".into()));
    assert!(response.text.len() < 4096);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_idle_and_slow_clients_leave_the_others_served() {
    let world = world(&[]);
    let mut held = Vec::new();
    for number in 0..10_000 {
        let mut stream = connect(&world).await;
        if number % 2 == 0 {
            stream.write_all(b"GET /api/profile/42 HTTP/1.1\r\nhost: gateway\r\nx-slow: ").await.unwrap();
        }
        held.push(stream);
    }
    for _ in 0..10 {
        let response = world.get("/api/profile/42").await;
        assert_eq!((response.status.as_u16(), response.took), (200, Duration::ZERO));
    }
    assert_eq!(world.metric("http_connections_turned_away_total").await, 0.0);
    // They are closed once their time is over, and not before: half of them say nothing, half never end their heads.
    let started = Instant::now();
    for stream in &mut held {
        read(stream).await;
    }
    assert_eq!(started.elapsed(), Duration::from_secs(30));
}
