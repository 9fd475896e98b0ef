//! Toxiproxy's own toxics: that they do what they do there.

use crate::support::{MS, Server, ask, assert_silent, rest};
use serde_json::{Value as Json, json};
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latency_acts_and_an_update_acts_on_open_connections() {
    let server = Server::start();
    let listens = server.proxy("a", server.echo()).await;
    let toxic = server.toxic("a", json!({ "type": "latency", "attributes": { "latency": 100 } })).await;
    assert_eq!((&toxic["name"], &toxic["stream"]), (&json!("latency_downstream"), &json!("downstream")));
    assert_eq!(toxic["attributes"], json!({ "latency": 100, "jitter": 0 }));
    server.call("POST", "/proxies/a/toxics", json!({ "type": "latency" })).await.is_error(409, "toxic already exists");
    server
        .toxic("a", json!({ "name": "up", "type": "latency", "stream": "Upstream", "attributes": { "latency": 100 } }))
        .await;
    let listed = server.call("GET", "/proxies/a/toxics", Json::Null).await.json();
    let names: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|toxic| toxic["name"].as_str()).collect();
    assert_eq!(names, ["up", "latency_downstream"]);
    let mut stream = server.dial(listens).await;
    let began = Instant::now();
    ask(&mut stream, b"hello").await.unwrap();
    assert!(began.elapsed() >= 200 * MS, "both ways: {:?}", began.elapsed());
    for (method, toxic) in [("POST", "up"), ("PATCH", "latency_downstream")] {
        let path = format!("/proxies/a/toxics/{toxic}");
        let kept = server.call(method, &path, json!({ "attributes": { "jitter": 1 }, "name": "x" })).await.json();
        assert_eq!(
            (&kept["attributes"], kept["name"].as_str()),
            (&json!({ "latency": 100, "jitter": 1 }), Some(toxic))
        );
        server.call(method, &path, json!({ "attributes": { "latency": 3_600_000 }, "toxicity": 0 })).await;
    }
    ask(&mut stream, b"hello").await.unwrap();
    let shown = server.call("GET", "/proxies/a/toxics/latency_downstream", Json::Null).await.json();
    assert_eq!(
        (&shown["fired"], &shown["matched"], &shown["toxicity"]),
        (&json!(1), &json!(1), &json!(0.0)),
        "{shown}"
    );
    server.call("GET", "/proxies/a/toxics/none", Json::Null).await.is_error(404, "toxic not found");
    server.call("DELETE", "/proxies/none/toxics/up", Json::Null).await.is_error(404, "proxy not found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bandwidth_of_nothing_holds_and_what_was_held_passes_then() {
    let server = Server::start();
    let listens = server.proxy("a", server.echo()).await;
    server.toxic("a", json!({ "type": "bandwidth", "attributes": { "rate": 0 } })).await;
    let mut stream = server.dial(listens).await;
    stream.write_all(b"held").await.unwrap();
    assert_silent(&mut stream).await;
    server.removed("a", "bandwidth_downstream").await;
    let mut got = [0; 4];
    stream.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"held");
    server.toxic("a", json!({ "type": "bandwidth", "attributes": { "rate": 50 } })).await;
    let began = Instant::now();
    ask(&mut stream, &[b'x'; 10_000]).await.unwrap();
    assert!(began.elapsed() >= 190 * MS, "10 kB at 50 kB/s: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_drops_closes_and_closes_what_it_held() {
    let server = Server::start();
    let listens = server.proxy("a", server.echo()).await;
    server.toxic("a", json!({ "type": "timeout", "attributes": { "timeout": 200 } })).await;
    let mut stream = server.dial(listens).await;
    let began = Instant::now();
    stream.write_all(b"gone").await.unwrap();
    assert_eq!(rest(&mut stream).await, (Vec::new(), Ok(())));
    assert!(began.elapsed() >= 200 * MS, "{:?}", began.elapsed());
    server.call("POST", "/proxies/a/toxics/timeout_downstream", json!({ "attributes": { "timeout": 0 } })).await;
    let mut held = server.dial(listens).await;
    held.write_all(b"gone").await.unwrap();
    assert_silent(&mut held).await;
    server.removed("a", "timeout_downstream").await;
    assert_eq!(rest(&mut held).await, (Vec::new(), Ok(())));
    ask(&mut server.dial(listens).await, b"hello").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_peer_is_a_reset_and_a_limit_an_end_that_counts_over_updates() {
    let server = Server::start();
    let listens = server.proxy("a", server.echo()).await;
    let mut open = server.dial(listens).await;
    ask(&mut open, b"hello").await.unwrap();
    server.toxic("a", json!({ "type": "reset_peer", "attributes": { "timeout": 0 } })).await;
    open.write_all(b"x").await.unwrap();
    assert_eq!(rest(&mut open).await, (Vec::new(), Err(ErrorKind::ConnectionReset)), "one that was open already");
    server.removed("a", "reset_peer_downstream").await;
    server.toxic("a", json!({ "type": "limit_data", "attributes": { "bytes": 10 } })).await;
    let mut stream = server.dial(listens).await;
    ask(&mut stream, b"12345").await.unwrap();
    server.call("PATCH", "/proxies/a/toxics/limit_data_downstream", json!({ "attributes": { "bytes": 8 } })).await;
    stream.write_all(&[b'y'; 100]).await.unwrap();
    assert_eq!(rest(&mut stream).await, (b"yyy".to_vec(), Ok(())), "five had gone before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slicer_cuts_up_and_a_slow_close_waits_on_its_stream_alone() {
    let server = Server::start();
    let listens = server.proxy("a", server.echo()).await;
    let slicer = json!({ "average_size": 10, "size_variation": 2, "delay": 5000 });
    server.toxic("a", json!({ "type": "slicer", "attributes": slicer })).await;
    let mut stream = server.dial(listens).await;
    let began = Instant::now();
    ask(&mut stream, &[b'x'; 200]).await.unwrap();
    // Of pieces with twelve bytes there are seventeen at least.
    assert!(began.elapsed() >= 16 * 5 * MS, "{:?}", began.elapsed());
    server.removed("a", "slicer_downstream").await;
    let closes = server.service(|mut stream| async move {
        let _ = stream.write_all(b"bye").await;
    });
    let listens = server.proxy("b", closes).await;
    server
        .toxic("b", json!({ "type": "slow_close", "stream": "upstream", "attributes": { "delay": 3_600_000 } }))
        .await;
    assert_eq!(rest(&mut server.dial(listens).await).await, (b"bye".to_vec(), Ok(())), "the other way");
    server.toxic("b", json!({ "type": "slow_close", "attributes": { "delay": 150 } })).await;
    let began = Instant::now();
    assert_eq!(rest(&mut server.dial(listens).await).await, (b"bye".to_vec(), Ok(())));
    assert!(began.elapsed() >= 150 * MS, "{:?}", began.elapsed());
}

/// The original draws anew for each connection whenever any toxic of its proxy changes, and forgets its seed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_meet_a_toxic_or_not_whatever_neighbours_do_and_alike_for_a_seed() {
    let mut patterns = Vec::new();
    for _ in 0..2 {
        let server = Server::start();
        let listens = server.proxy("a", server.echo()).await;
        let half = json!({ "type": "timeout", "toxicity": 0.5, "attributes": { "timeout": 0 } });
        server.toxic("a", half).await;
        let mut streams = Vec::new();
        for _ in 0..16 {
            let mut stream = server.dial(listens).await;
            stream.write_all(b"x").await.unwrap();
            streams.push(stream);
        }
        let mut pattern = Vec::new();
        for stream in &mut streams {
            pattern.push(tokio::time::timeout(300 * MS, stream.read(&mut [0])).await.is_ok());
        }
        assert!(pattern.contains(&true) && pattern.contains(&false), "{pattern:?}");
        server.toxic("a", json!({ "name": "n", "type": "latency", "attributes": { "latency": 1 } })).await;
        server.removed("a", "n").await;
        for (stream, passes) in streams.iter_mut().zip(&pattern) {
            stream.write_all(b"y").await.unwrap();
            let wait = if *passes { Duration::from_secs(20) } else { 50 * MS };
            let read = tokio::time::timeout(wait, stream.read(&mut [0])).await;
            assert_eq!(read.is_ok(), *passes);
        }
        patterns.push(pattern);
    }
    assert_eq!(patterns[0], patterns[1], "the seed holds");
}
