//! The same seed gives the same run: every byte that a client gets and when, every line that is logged, every metric.

use crate::support::{GATEWAY, HANG, MS, ORDER, PRODUCT, REDIS, Response, SERVICES, System, USER, jittery};
use std::{
    io::Write,
    sync::{Arc, Mutex},
};
use tokio::time::{Instant, sleep_until};
use tracing::instrument::WithSubscriber as _;

const REQUESTS: u32 = 200;

/// All that can be seen of a run.
#[derive(Debug, PartialEq)]
struct Observed {
    responses: Vec<Response>,
    logs: String,
    metrics: Vec<String>,
}

/// One run on a runtime of its own, so that nothing of an earlier one is in it.
fn run(seed: u64) -> Observed {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let system = System::idle(seed, true, &[("GATEWAY_CACHE_TTL", "400ms")]);
        let lines = Lines::default();
        let writer = lines.clone();
        let logs = host::logs::json(&system.client_host, "info", move || writer.clone()).unwrap();
        let (responses, metrics) = observe(system).with_subscriber(logs).await;
        let logs = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        Observed { responses, logs, metrics }
    })
}

async fn observe(mut system: System) -> (Vec<Response>, Vec<String>) {
    for service in [REDIS, USER, ORDER, PRODUCT, GATEWAY] {
        system.launch(service);
    }
    system.redis_is_used().await;
    let started = Instant::now();
    let mut under_way = Vec::new();
    for n in 0..REQUESTS {
        sleep_until(started + n * 7 * MS).await;
        step(&mut system, n).await;
        let (client, path) = (system.client.clone(), path(n));
        // Nobody waits for the one before: slow ones overlap.
        under_way.push(system.client_host.spawn(async move { client.get("gateway:8000", &path).await }));
    }
    let mut responses = Vec::new();
    for response in under_way {
        responses.push(response.await.unwrap());
    }
    let mut metrics = Vec::new();
    for service in SERVICES.iter().chain(&[GATEWAY]) {
        metrics.push(system.get_from(service, "/metrics").await.text);
    }
    (responses, metrics)
}

/// Few users often, some once, and what goes wrong by itself.
fn path(n: u32) -> String {
    match n % 10 {
        3 | 7 => format!("/api/profile/{}", 100 + n),
        6 if n % 20 == 6 => "/health".to_owned(),
        6 => "/api/profile/4711".to_owned(),
        9 if n % 20 == 9 => "/api/profile/x".to_owned(),
        9 => "/nowhere".to_owned(),
        _ => format!("/api/profile/{}", n * 37 % 17 + 1),
    }
}

/// The faults, in the middle of it.
async fn step(system: &mut System, n: u32) {
    match n {
        50 => system.links().apply(ORDER, jittery(120 * MS, 60 * MS)).await,
        60 => system.links().apply(REDIS, HANG).await,
        90 => drop(system.links().heal(REDIS, &HANG).await),
        100 => drop(system.links().heal(ORDER, &jittery(120 * MS, 60 * MS)).await),
        110 => system.crash(REDIS).await,
        120 => system.crash(USER).await,
        130 => system.freeze(PRODUCT),
        140 => system.thaw(PRODUCT),
        150 => [REDIS, USER].iter().for_each(|name| system.launch(name)),
        _ => {}
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_at_the_same_times() {
    let (one, other) = (run(7), run(7));
    for (n, (one, other)) in one.responses.iter().zip(&other.responses).enumerate() {
        assert_eq!(one, other, "request {n}");
    }
    for (one, other) in one.logs.lines().zip(other.logs.lines()) {
        assert_eq!(one, other);
    }
    for (one, other) in
        one.metrics.iter().flat_map(|text| text.lines()).zip(other.metrics.iter().flat_map(|text| text.lines()))
    {
        assert_eq!(one, other);
    }
    assert_eq!(one, other);
}

#[test]
fn another_seed_gives_other_ids_and_other_delays() {
    let (one, other) = (run(7), run(8));
    let ids = |seen: &Observed| {
        seen.responses.iter().map(|response| response.header("x-request-id").to_owned()).collect::<Vec<_>>()
    };
    assert!(ids(&one).iter().zip(ids(&other)).all(|(one, other)| *one != other));
    let times = |seen: &Observed| seen.responses.iter().map(|response| response.took).collect::<Vec<_>>();
    assert_ne!(times(&one), times(&other));
}

/// So that equal runs say something: they hold every kind of response.
#[test]
fn the_run_is_as_mixed_as_it_should_be() {
    let seen = run(7);
    let count = |wanted: &dyn Fn(&Response) -> bool| seen.responses.iter().filter(|response| wanted(response)).count();
    for status in [200, 400, 404] {
        assert!(count(&|response| response.status == status) > 5, "{status}");
    }
    for mark in [
        "\"partial\":true",
        "\"source\":\"origin\"",
        "\"source\":\"redis\"",
        "\"source\":\"memory\"",
        "\"state\":\"stale\"",
    ] {
        assert!(count(&|response| response.text.contains(mark)) > 5, "{mark}");
    }
    assert!(count(&|response| response.took > 25 * MS) > 5);
    for miss in ["redis:timeout", "redis:down", "redis:absent", "memory:expired"] {
        assert!(count(&|response| response.header("cache-status").contains(miss)) >= 3, "{miss}");
    }
    assert!(seen.logs.lines().count() > REQUESTS as usize);
    assert!(seen.metrics.iter().all(|text| text.contains("http_requests_total")));
}

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
