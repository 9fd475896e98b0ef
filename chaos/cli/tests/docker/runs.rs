//! Scenarios that ship, in containers; and what is said where that can't be.

use crate::{
    engine::Engine,
    support::{Sandbox, scenarios},
};
use std::sync::Arc;
use testcontainers::bollard::query_parameters::KillContainerOptionsBuilder;

/// The events of a run, each with the name that it goes by.
pub(crate) fn events(sandbox: &Sandbox, kind: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(sandbox.path().join("events.jsonl")).expect("it was recorded");
    let events = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    events.filter(|event: &serde_json::Value| event["event"] == kind).collect()
}

/// The increase of a metric, as an expectation saw it.
#[track_caller]
pub(crate) fn increase(sandbox: &Sandbox, metric: &str) -> f64 {
    let judged = events(sandbox, "judged");
    let mut checks = judged.iter().flat_map(|judged| judged["checks"].as_array().expect("it has checks"));
    let check = checks.find(|check| check["expected"].as_str().is_some_and(|asked| asked.contains(metric)));
    let seen = check.unwrap_or_else(|| panic!("nobody asked for {metric}: {judged:?}"))["seen"].as_str();
    seen.and_then(|seen| seen.trim_start_matches('+').parse().ok()).unwrap_or_else(|| panic!("{metric}: {seen:?}"))
}

pub(crate) async fn redis_down(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let file = scenarios::redis_down(&sandbox);
    let run = engine.chaos(&sandbox, &format!("run {file} {} --json events.jsonl", scenarios::SHORTER)).run().await;
    run.exited(0).said("nothing left behind");
    run.said(&format!("redis ({})", engine.images["REDIS_IMAGE"]));
    run.said(&format!("gateway ({})", engine.images["CHAOS_IMAGE"]));
    assert!(increase(&sandbox, r#"cache_hits_total{tier="memory"}"#) > 10.0, "{run}");
    assert!(increase(&sandbox, r#"cache_hits_total{tier="redis"}"#) <= 2.0, "{run}");
    engine.wait_until_clean(&sandbox, std::time::Duration::ZERO).await;
}

pub(crate) async fn redis_with_a_password(engine: Arc<Engine>) {
    for program in ["redis-server", "redis-built-in"] {
        let sandbox = Sandbox::new();
        let file = sandbox.write("password.toml", scenarios::redis_with_a_password(program));
        let run = engine.chaos(&sandbox, &format!("run {file}")).run().await;
        scenarios::assert_it_forgot(&run);
        engine.wait_until_clean(&sandbox, std::time::Duration::ZERO).await;
    }
}

pub(crate) async fn products_down(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let text = std::fs::read_to_string(scenarios::shipped().join("products_down.toml")).expect("it ships");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("latency.")).collect();
    let system = scenarios::shipped().join("system.toml");
    let file = sandbox.write("products_down.toml", format!("system = {system:?}\n{}\n", lines.join("\n")));
    let shorter = "--set load.duration=4s --set fault.no_products.at=1s --set fault.no_products.for=1s";
    let run = engine.chaos(&sandbox, &format!("run {file} {shorter} --json events.jsonl")).run().await;
    run.exited(0).said("nothing left behind");
    let phases = events(&sandbox, "phase");
    let partial = |name: &str| {
        let phase = phases.iter().find(|phase| phase["phase"] == name).expect("there is such a phase");
        phase["partial"].as_u64().expect("a count")
    };
    assert!(partial("no_products") > 0 && partial("baseline") == 0, "{run}");
    assert!(increase(&sandbox, r#"service_errors_total{service="product"}"#) > 0.0, "{run}");
}

pub(crate) async fn a_service_dies(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    let mut run = engine.chaos(&sandbox, &format!("run {file} --set load.duration=8s --set fault.away.for=5s")).start();
    run.line("away begins").await;
    let container = engine.container(&sandbox, "users").await;
    let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
    engine.docker.kill_container(&container, Some(options)).await.expect("it is there");
    let run = run.finish().await;
    run.said("users DIED: exit code 137").said("users.log").said("nothing left behind");
    assert_eq!(engine.resources(&sandbox).await, Vec::<String>::new(), "{run}");
    let kept = sandbox.left().pop().expect("its logs are kept").join("users.log");
    let log = std::fs::read_to_string(&kept).expect("it is there");
    assert!(log.contains("\"level\""), "what it said is in {}: {log}", kept.display());
}

pub(crate) async fn no_image(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", scenarios::passing());
    let run = engine.chaos(&sandbox, &format!("run {file}")).env("CHAOS_IMAGE", "chaos-local/none:never").run().await;
    run.exited(3).said("service users needs the image").said("chaos-local/none:never").said("`scripts/images` makes");
    engine.wait_until_clean(&sandbox, std::time::Duration::ZERO).await;
}
