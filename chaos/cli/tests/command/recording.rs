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

/// What comes and goes as fast as it may, services that are killed again and again, and many names of requests.
fn all_comes_and_goes() -> String {
    let system = scenarios::shipped().join("system.toml");
    let mut text = format!(
        "title = \"All comes and goes\"\nsystem = {system:?}\n\
         [load]\nrate = \"100/s\"\nduration = \"60s\"\nvars.user = \"uniform 1..900\"\n"
    );
    // Writing to a string can't fail.
    for n in 0..40 {
        let _ = write!(
            text,
            "[[load.request]]\nname = \"the-request-of-kind-{n}\"\nrequest = \"GET /api/profile/{{user}}?n={n}\"\n"
        );
    }
    let links = ["user-service", "order-service", "product-service", "redis"];
    let mut fault = |name: String, on: &str, effect: &str, at: usize, lasts: &str, pulse: &str| {
        let _ = write!(
            text,
            "[[fault]]\nname = \"{name}\"\non = \"{on}\"\neffect = {effect}\nat = \"{at}ms\"\nfor = \"{lasts}\"\n\
             pulse = \"{pulse}\"\n"
        );
    };
    let latency = "\"latency\"\ndelay = \"1ms\"";
    for n in 0..12 {
        let to = links[n % links.len()];
        fault(format!("slow-{n}"), &format!("gateway -> {to}"), latency, 40 + n * 83, "57s", "400ms of 1s");
    }
    for to in links {
        fault(format!("flickers-{to}"), &format!("gateway -> {to}"), latency, 100, "2s", "10ms of 20ms");
    }
    for service in ["order-service", "product-service"] {
        fault(format!("dies-{service}"), service, "\"kill\"", 2000, "55s", "100ms of 400ms");
    }
    text + "[[expect]]\nthat = \"some respond\"\nunanswered.any = \"< 100%\"\n"
}

async fn is_small_and_reported(text: String, kinds: &[&str]) {
    let sandbox = Sandbox::new();
    let file = sandbox.write("everything.toml", text);
    let run = sandbox.chaos(&format!("run {file} --world sim --json run.jsonl")).run().await;
    let recording = fs::read_to_string(sandbox.path().join("run.jsonl")).expect("the run was recorded");
    let mut sizes = BTreeMap::<String, u64>::new();
    for line in recording.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("each line is an event");
        *sizes.entry(event["event"].as_str().expect("events have names").to_owned()).or_default() +=
            line.len() as u64 + 1;
    }
    for event in kinds {
        assert!(sizes.contains_key(*event), "{event}: {sizes:?}\n{}", run.out);
    }
    assert!(sizes.values().sum::<u64>() < MOST, "{sizes:?}");
    let report = sandbox.chaos("report run.jsonl").run().await;
    let from = run.out.find("  phase ").expect("there is a table");
    assert_eq!(report.out, run.out[from..], "with all that it leaves out");
}

#[tokio::test]
async fn a_minute_in_which_every_message_meets_faults_is_small() {
    is_small_and_reported(everything_at_once(), &["slice", "counted", "scraped", "injected", "judged"]).await;
}

#[tokio::test]
async fn a_minute_in_which_all_comes_and_goes_is_small() {
    let kinds = ["slice", "counted", "fault_removed", "service_back", "injected", "judged"];
    is_small_and_reported(all_comes_and_goes(), &kinds).await;
}
