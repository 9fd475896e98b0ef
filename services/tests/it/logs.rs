use bytes::Bytes;
use host::{
    Settings,
    http::{ClientConfig, client},
    memory::MemoryNetwork,
};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn lines(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap();
        bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }
}

/// Log lines of the user service for these requests, without the lines of its start.
async fn logged(requests: Vec<Request<Full<Bytes>>>) -> Vec<Value> {
    let network = MemoryNetwork::new(1);
    let (host, _) = network.node("user", Settings::default());
    let kept = Kept::default();
    let writer = kept.clone();
    let logs = host::logs::json(&host, "info", move || writer.clone()).unwrap();
    // tracing remembers for each place in the code whether anyone listens. With one dispatcher alive it asks only the
    // thread that comes by first, which may be another test's; with two it asks them all.
    let _second = host::logs::json(&host, "off", io::sink).unwrap();
    // A task keeps the dispatcher of whoever spawned it, and so do the tasks that it spawns.
    tracing::dispatcher::with_default(&logs, || drop(host.spawn(services::user::run(host.clone()))));
    let node = network.host("client");
    node.sleep(Duration::from_millis(1)).await;
    let client = client(&node, ClientConfig::default());
    for mut request in requests {
        *request.uri_mut() = format!("http://user:8001{}", request.uri()).parse().unwrap();
        client.request(request).await.unwrap();
    }
    node.sleep(Duration::from_millis(1)).await;
    let mut lines = kept.lines();
    assert_eq!(lines.remove(0)["message"], "listening");
    lines
}

#[tokio::test(start_paused = true)]
async fn a_request_is_one_line_that_tells_where_it_comes_from() {
    let request = Request::get("/users/42")
        .header("x-request-id", "r-1")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("baggage", "tenant=a,chaos.request=17")
        .body(Full::default());
    let lines = logged(vec![request.unwrap()]).await;
    let expected = json!([{
        "timestamp": "2026-01-01T00:00:00.001Z", "level": "INFO", "target": "services::observe", "message": "request",
        "request_id": "r-1", "trace_id": "0af7651916cd43dd8448eb211c80319c", "chaos.request": "17",
        "method": "GET", "route": "/users/{id}", "status": 200, "duration_ms": 0.0,
    }]);
    assert_eq!(json!(lines), expected);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_writes_does_not_reach_the_log() {
    let hostile = Request::get("/users/secret?token=secret")
        .method("SECRET")
        .header("x-request-id", "secret\"}")
        .header("traceparent", "secret")
        .header("baggage", "chaos.request=secret secret")
        .body(Full::default());
    let lines = logged(vec![hostile.unwrap(), Request::get("/secret").body(Full::default()).unwrap()]).await;
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["method"], &lines[0]["status"]), (&json!("other"), &json!(405)));
    assert_eq!((&lines[1]["route"], &lines[1]["status"]), (&json!("unmatched"), &json!(404)));
    assert_eq!(lines[1].get("trace_id"), None);
    assert!(!json!(lines).to_string().to_lowercase().contains("secret"), "{lines:?}");
}
