//! One JSON line a request: what is in it, and what isn't.

use crate::support::{Behaviour, Mood, World};
use host::memory::MemoryNetwork;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// A world that logs here.
    fn world(&self, settings: &[(&str, &str)]) -> World {
        let (writer, network) = (self.clone(), MemoryNetwork::new(1));
        let dispatch = host::logs::json(&network.host("logs"), "info", move || writer.clone()).unwrap();
        // With one dispatcher alone, tracing asks the thread that comes first whether a line is wanted, and that may be
        // another test's, whose logs go nowhere.
        let _second = host::logs::json(&network.host("more logs"), "info", std::io::sink).unwrap();
        tracing::dispatcher::with_default(&dispatch, || World::start_with(settings, Mood::Good))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn requests(&self) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.filter(|line: &Value| line["message"] == "request").collect()
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_is_one_json_line() {
    let lines = Lines::default();
    let world = lines.world(&[]);
    world.product.becomes(Behaviour::Status(500));
    let response = world.get_with("/api/profile/42", &[("x-request-id", "r-1")]).await;
    world.get("/metrics").await;
    let requests = lines.requests();
    let [line] = requests.as_slice() else { panic!("{}", lines.text()) };
    assert_eq!((&line["request_id"], &line["route"]), (&"r-1".into(), &"/api/profile/{user_id}".into()));
    assert_eq!(line["trace_id"], response.at("/meta/trace_id"));
    assert_eq!((&line["outcome"], &line["errors"]), (&"partial".into(), &"product:status_5xx".into()));
    assert_eq!((&line["user"], &line["products"], &line["status"]), (&"fresh".into(), &"failed".into(), &200.into()));
    assert!(line["timestamp"].as_str().unwrap().starts_with("2026-01-01T00:00:00"), "{line}");
    assert!(line["duration_ms"].is_number() && line["orders_ms"].is_number());
}

#[tokio::test(start_paused = true)]
async fn refused_and_abandoned_requests_have_their_lines() {
    let lines = Lines::default();
    let world = lines.world(&[("GATEWAY_MAX_REQUESTS", "1"), ("GATEWAY_CACHE", "off")]);
    world.get("/api/profile/x").await;
    world.get("/nothing").await;
    world.ask("BREW", "/api/profile/42").await;
    world.get("/api/profile/900").await;
    world.user.becomes(Behaviour::Hang);
    let gone = tokio::time::timeout(Duration::from_millis(100), world.get("/api/profile/42"));
    let shed = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.get("/api/profile/43").await
    };
    assert!(tokio::join!(gone, shed).0.is_err());
    world.settle().await;
    let told: Vec<String> = lines
        .requests()
        .iter()
        .map(|line| ["method", "status", "outcome"].map(|key| line[key].to_string().replace('"', "")).join(" "))
        .collect();
    let wanted = [
        "GET 400 refused",
        "GET 404 refused",
        "OTHER 405 refused",
        "GET 404 complete",
        "GET 503 refused",
        "GET 499 cancelled",
    ];
    assert_eq!(told, wanted);
}

#[tokio::test(start_paused = true)]
async fn nothing_personal_but_the_id_is_in_any_line() {
    let lines = Lines::default();
    let world = lines.world(&[]);
    let sent = [
        ("authorization", "Bearer secret"),
        ("cookie", "secret=1"),
        ("baggage", "who=secret"),
        ("user-agent", "secret"),
    ];
    world.get_with("/api/profile/42?secret=1", &sent).await;
    world.user.becomes(Behaviour::Status(500));
    world.order.becomes(Behaviour::Text("secret".to_owned()));
    world.get_with("/api/profile/43", &sent).await;
    let text = lines.text();
    assert!(!text.contains("secret") && !text.contains("user 42"), "{text}");
    let keys: BTreeSet<String> = lines
        .requests()
        .iter()
        .flat_map(|line| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>())
        .collect();
    let known = [
        "timestamp",
        "level",
        "target",
        "message",
        "request_id",
        "trace_id",
        "method",
        "route",
        "status",
        "duration_ms",
        "user_id",
        "outcome",
        "cache",
        "user",
        "user_ms",
        "orders",
        "orders_ms",
        "products",
        "products_ms",
        "errors",
    ];
    assert_eq!(keys, known.map(str::to_owned).into());
}
