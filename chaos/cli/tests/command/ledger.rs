//! Outcomes of injections, in simulations of the bundled system.

use crate::support::Sandbox;
use serde_json::Value;
use std::{fs, path::Path};

/// Faults on connections and on messages, of HTTP and of Redis, that fire several times.
const SCENARIOS: [&str; 4] = ["orders_flaky", "products_hang", "redis_lags", "redis_refuses_commands"];

#[tokio::test]
async fn in_simulations_of_the_bundled_system_each_injection_is_known_for_what_it_came_to() {
    let sandbox = Sandbox::new();
    for name in SCENARIOS {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/{name}.toml"));
        let run = sandbox.chaos(&format!("run {} --world sim --json events.jsonl", file.display())).run().await;
        run.exited(0);
        let events = fs::read_to_string(sandbox.path().join("events.jsonl")).expect("it was recorded");
        let events = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("it is JSON"));
        let injections: Vec<Value> = events
            .filter(|event| event["event"] == "injected")
            .flat_map(|event| event["injections"].as_array().cloned().unwrap_or_default())
            .collect();
        // The fewest are of a Redis that serves, while it loads, what a client says as it connects.
        assert!(injections.len() > 5, "{name}: {injections:?}");
        let unknown: Vec<_> = injections.iter().filter(|one| one["impact"] == "unknown").collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
}
