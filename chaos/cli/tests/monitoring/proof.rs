//! A real Prometheus watches a run that breaks everything once: every expression of every dashboard and rule has data,
//! and what the run moves has moved; alerts fire while something is broken, and not before or long after.

use crate::{
    daemon::Daemon,
    dashboards::{self, Query},
    prometheus::{Prometheus, Samples},
    rules,
    support::{Running, Sandbox, scenarios},
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

/// One after another: Redis away and orders late; products away; users and orders away, so that nothing is left to show.
const SCENARIO: &str = r#"
title = "Everything breaks once"

[set]
# So short that the caches neither answer everything nor stand in for what is away.
"service.gateway.env.GATEWAY_CACHE_TTL"   = "2s"
"service.gateway.env.GATEWAY_CACHE_STALE" = "0s"

[load]
request   = "GET /api/profile/{user}"
rate      = "100/s"
warmup    = "4s"
duration  = "36s"
vars.user = "zipf 1..1000"

[[fault]]
name   = "redis-away"
on     = "gateway -> redis"
effect = "refuse"
at     = "4s"
for    = "7s"

[[fault]]
name    = "orders-late"
on      = "gateway -> order-service"
effect  = "delay"
delay   = "300ms"
at      = "4s"
for     = "7s"

[[fault]]
name   = "products-away"
on     = "gateway -> product-service"
effect = "refuse"
at     = "12s"
for    = "5s"

[[fault]]
name   = "users-away"
on     = "gateway -> user-service"
effect = "refuse"
at     = "18s"
for    = "6s"

[[fault]]
name   = "orders-away"
on     = "gateway -> order-service"
effect = "refuse"
at     = "18s"
for    = "6s"

[[expect]]
that   = "profiles are looked up"
during = "run"
metric.cache_lookups_total = "> 0"
"#;

/// The alerts that the run is to bring about.
const FIRE: [&str; 6] = [
    "BreakerOpen",
    "ErrorBudgetBurnsFast",
    "FaultInjected",
    "PartialAnswers",
    "ProfilesAreSlow",
    "RedisFallbackActive",
];
/// Alerts that the end of the run brings about, since then nothing is up; or that take longer than the run.
const MAY_FIRE: [&str; 2] = ["TargetDown", "ErrorBudgetBurns"];

/// Expressions that are 0 in this run, each with the reason.
const STAY_ZERO: [(&str, &str); 15] = [
    ("sum by (device) (rate(node_network_receive_bytes_total[$__rate_interval]))", "the exporter leaves loopback out"),
    ("sum by (device) (rate(node_network_transmit_bytes_total[$__rate_interval]))", "the exporter leaves loopback out"),
    ("sum by (device) (rate(node_disk_read_bytes_total[$__rate_interval]))", "what is read may be in memory already"),
    ("sum by (device) (rate(node_disk_written_bytes_total[$__rate_interval]))", "what is written may wait in memory"),
    ("sum by (reason) (rate(gateway_shed_total[$__rate_interval]))", "the load is far from any limit"),
    ("sum(rate(http_connections_turned_away_total[$__rate_interval]))", "few connections are open"),
    ("sum(rate(http_write_timeouts_total[$__rate_interval]))", "each client reads its response"),
    (
        "sum by (service) (rate(http_requests_total{job=\"services\",status=~\"5..\"}[$__rate_interval])) \
         or 0 * sum by (service) (up{job=\"services\"})",
        "the services are out of reach and not broken themselves",
    ),
    ("redis_memory_max_bytes", "this Redis has no limit"),
    ("redis_blocked_clients", "no client waits in a command"),
    ("rate(redis_evicted_keys_total[$__rate_interval])", "this Redis has no limit"),
    ("rate(redis_rejected_connections_total[$__rate_interval])", "few connections are open"),
    ("sum by (service, reason) (rate(service_retries_refused_total[$__rate_interval]))", "the budget may do"),
    ("sum(rate(cache_coalesced_total[$__rate_interval]))", "few ask for one profile at once"),
    ("rate(redis_expired_keys_total[$__rate_interval])", "Redis removes what has expired when it finds time to"),
];

pub(crate) fn every_expression_has_data_and_alerts_fire_and_resolve() {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(prove());
}

/// The time between two values that Prometheus is asked for, in seconds.
const STEP: f64 = 0.25;

/// Times of what happened, in Unix seconds.
#[derive(Default)]
struct Times {
    begin: f64,
    fault_first: f64,
    fault_last: f64,
    end: f64,
}

async fn prove() {
    let sandbox = Sandbox::new();
    let system = scenarios::shipped().join("system.toml");
    let file = sandbox.write("everything.toml", format!("system = {system:?}\n{SCENARIO}"));
    let mut run = sandbox.chaos(&format!("run {file} --json - --metrics chaos.prom")).start();
    let (mut times, addresses) = until_ready(&mut run).await;
    let (prometheus, _daemons) = watch(&sandbox, &addresses).await;
    follow(&mut run, &mut times).await;
    let run = run.finish().await;
    // What it watches is what counts: a machine too busy for the load makes the run inconclusive, and no more than that.
    assert!(matches!(run.code, Some(0 | 4)), "{run}");
    // What the run came to is scraped after its end.
    until_it_says(prometheus, "chaos_run_verdict == 1").await;
    let whole = (times.begin, times.end + 3.0);

    rules::metrics_are_accepted(&sandbox.path().join("chaos.prom"));
    rules_are_healthy(prometheus).await;
    let mut wrong = Vec::new();
    let records = rules::named("record").into_iter().map(|expr| Query { place: "rules".to_owned(), expr });
    for query in dashboards::all().iter().flat_map(dashboards::Dashboard::queries).chain(records) {
        if let Err(why) = has_data(prometheus, &query, whole).await {
            wrong.push(format!("{}: {why}: {}", query.place, query.expr));
        }
    }
    assert!(wrong.is_empty(), "{} expressions:\n{}", wrong.len(), wrong.join("\n"));
    alerts_fired_and_resolved(prometheus, &times, whole).await;
}

/// The run's beginning, and where its services listen.
async fn until_ready(run: &mut Running) -> (Times, BTreeMap<String, String>) {
    let (mut times, mut addresses) = (Times::default(), BTreeMap::new());
    loop {
        let event = next(run).await;
        match event["event"].as_str() {
            Some("begin") => times.begin = event["unix_ms"].as_f64().expect("when it began") / 1000.0,
            Some("service_ready") => {
                let text = |key: &str| event[key].as_str().expect("a text").to_owned();
                addresses.insert(text("service"), text("address"));
            }
            Some("ready") => return (times, addresses),
            _ => {}
        }
    }
}

/// Notes when what happens, until the run has ended.
async fn follow(run: &mut Running, times: &mut Times) {
    loop {
        let event = next(run).await;
        let now = times.begin + event["at_us"].as_f64().expect("when") / 1e6;
        match event["event"].as_str() {
            Some("fault_applied") if times.fault_first == 0.0 => times.fault_first = now,
            Some("fault_removed") => times.fault_last = now,
            // Before it, no service is taken down.
            Some("phase") if times.end == 0.0 => times.end = now,
            Some("end") => return,
            _ => {}
        }
    }
}

async fn next(run: &mut Running) -> Value {
    let line = run.line("\"event\":").await;
    serde_json::from_str(&line).expect("events are JSON lines")
}

/// Starts the exporters and a Prometheus that scrapes them and the run's services.
async fn watch(sandbox: &Sandbox, services: &BTreeMap<String, String>) -> (Prometheus, [Daemon; 3]) {
    let folder = sandbox.path().join("watch");
    std::fs::create_dir(&folder).expect("a folder");
    let redis = format!("redis://{}", services["redis"]);
    let redis_exporter = Daemon::start(&folder, "/metrics", |address| {
        let mut command = Command::new("prometheus-redis-exporter");
        command.arg("-redis.addr").arg(&redis).arg("-web.listen-address").arg(address.to_string());
        command
    });
    let node_exporter = Daemon::start(&folder, "/metrics", |address| {
        let mut command = Command::new("prometheus-node-exporter");
        command.arg("--no-collector.systemd");
        command.arg(format!("--web.listen-address={address}"));
        command.arg(format!("--collector.textfile.directory={}", sandbox.path().display()));
        command
    });
    let (redis_exporter, node_exporter) = tokio::join!(redis_exporter, node_exporter);
    let targets = [
        ("gateway:8000", services["gateway"].clone()),
        ("user-service:8001", services["user-service"].clone()),
        ("order-service:8002", services["order-service"].clone()),
        ("product-service:8003", services["product-service"].clone()),
        ("redis-exporter:9121", redis_exporter.address.to_string()),
        ("node-exporter:9100", node_exporter.address.to_string()),
    ];
    rules::write_faster(&folder, &targets);
    rules::promtool(&["check", "config"], &[folder.join("prometheus.yml")]);
    let server = Daemon::start(&folder, "/-/ready", |address| {
        // It scrapes itself as well, where it listens in Compose.
        let config = std::fs::read_to_string(folder.join("prometheus.yml")).expect("it was written");
        std::fs::write(folder.join("prometheus.yml"), config.replace("localhost:9090", &address.to_string()))
            .expect("it can be written");
        let mut command = Command::new("prometheus");
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"]);
        command.arg(format!("--web.listen-address={address}"));
        command
    })
    .await;
    (Prometheus(server.address), [redis_exporter, node_exporter, server])
}

async fn until_it_says(prometheus: Prometheus, expr: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let path = format!("/api/v1/query?query={}", expr.replace(' ', "%20").replace('=', "%3D"));
    while prometheus.get(&path).await.expect("it answers")["result"] == Value::Array(Vec::new()) {
        assert!(Instant::now() < deadline, "Prometheus never has {expr}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn rules_are_healthy(prometheus: Prometheus) {
    let data = prometheus.get("/api/v1/rules").await.expect("it answers");
    let groups = data["groups"].as_array().expect("groups");
    let rules: Vec<&Value> = groups.iter().flat_map(|group| dashboards::array(&group["rules"])).collect();
    assert_eq!(rules.len(), rules::named("alert").len() + rules::named("record").len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{}: {}", rule["name"], rule["lastError"]);
    }
}

/// The expression works, has numbers, and some that are not 0.
async fn has_data(prometheus: Prometheus, query: &Query, whole: (f64, f64)) -> Result<(), String> {
    let expr = query.expr.replace("$__rate_interval", "2s");
    let series = prometheus.range(&expr, whole).await?;
    let samples: Samples = series.into_iter().flat_map(|(_, samples)| samples).collect();
    let may_be_zero = STAY_ZERO.iter().any(|(expr, _)| *expr == query.expr);
    if samples.is_empty() {
        return Err("no data".to_owned());
    }
    let moved = samples.iter().any(|(_, value)| *value != 0.0);
    if moved || may_be_zero { Ok(()) } else { Err("always 0".to_owned()) }
}

async fn alerts_fired_and_resolved(prometheus: Prometheus, times: &Times, whole: (f64, f64)) {
    let firing = prometheus.range("ALERTS{alertstate=\"firing\"}", whole).await.expect("alerts");
    let mut fired: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (labels, samples) in firing {
        let name = dashboards::text(&labels["alertname"]).to_owned();
        fired.entry(name).or_default().extend(samples.iter().map(|(at, _)| at));
    }
    // One alert may fire for several reasons at once.
    for moments in fired.values_mut() {
        moments.sort_by(f64::total_cmp);
        moments.dedup();
    }
    for name in FIRE {
        let moments = fired.get(name).unwrap_or_else(|| panic!("{name} never fired: {:?}", fired.keys()));
        // A busy machine can make any of them fire once more; what must not be is that one is always there.
        assert!(quiet(moments, times.fault_first - 2.0, times.fault_first), "{name} fired before anything was broken");
        // Windows of five minutes are five seconds here: the twelve that are left are enough.
        assert!(quiet(moments, times.fault_last, times.end), "{name} fired on after all was well");
    }
    let unknown: Vec<&String> =
        fired.keys().filter(|name| !FIRE.contains(&name.as_str()) && !MAY_FIRE.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "these fired too: {unknown:?}");
}

/// Tells if there was a moment between these two at which it did not fire, of those four times a second that are known.
fn quiet(firing: &[f64], from: f64, to: f64) -> bool {
    let within = firing.iter().filter(|at| (from..=to).contains(*at)).count();
    f64::from(u32::try_from(within).unwrap_or(u32::MAX)) < (to - from) / STEP
}
