//! Recordings stay small, whatever is broken in their runs.

use crate::support::{Sandbox, scenarios};
use std::{collections::BTreeMap, fmt::Write as _, fs};

/// The most bytes that a minute at 100 requests a second may take.
const MOST: u64 = 400_000;

/// Every message of every link meets two faults for a minute and one that flickers, and what one of them does is
/// watched by a metric, ten times a second.
fn everything_at_once() -> String {
    let system = scenarios::shipped().join("system.toml");
    let mut text = format!(
        r#"
title = "Everything at once"
system = {system:?}
[load]
rate = "100/s"
duration = "60s"
vars.user = "uniform 1..900"
[[load.request]]
request = "GET /api/profile/{{user}}"
[[load.request]]
request = "GET /api/profile/{{user}}?again={{user}}"
[[fault]]
name = "flicker"
on = "gateway -> redis"
effect = "latency"
delay = "1ms"
at = "1s"
for = "58s"
pulse = "100ms of 200ms"
[[expect]]
that = "it is noticed"
during = "redis-delay"
detect.'cache_mode{{mode="redis"}}' = "< 500ms"
metric.'cache_hits_total{{tier="redis"}}' = "> 0"
"#
    );
    let services = ["user-service", "order-service", "product-service", "redis"];
    let links = services.map(|service| (service, format!("gateway -> {service}")));
    for (name, link) in links.into_iter().chain([("clients", "client -> gateway".to_owned())]) {
        for effect in ["delay", "latency"] {
            // Writing to a string can't fail.
            let _ = write!(
                text,
                "[[fault]]\nname = \"{name}-{effect}\"\non = \"{link}\"\neffect = \"{effect}\"\ndelay = \"3ms\"\n\
                 jitter = \"2ms\"\nat = \"0s\"\nfor = \"60s\"\n"
            );
        }
    }
    text
}

#[tokio::test]
async fn a_minute_in_which_every_message_meets_faults_is_small() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("everything.toml", everything_at_once());
    sandbox.chaos(&format!("run {file} --world sim --json run.jsonl")).run().await.exited(1);
    let recording = fs::read_to_string(sandbox.path().join("run.jsonl")).unwrap();
    let mut sizes = BTreeMap::<String, u64>::new();
    for line in recording.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        *sizes.entry(event["event"].as_str().unwrap().to_owned()).or_default() += line.len() as u64 + 1;
    }
    for event in ["slice", "counted", "scraped", "injected"] {
        assert!(sizes.contains_key(event), "{sizes:?}");
    }
    assert!(sizes.values().sum::<u64>() < MOST, "{sizes:?}");
}
