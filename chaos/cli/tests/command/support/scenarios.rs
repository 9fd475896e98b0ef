//! Scenarios that are short, and judge no latency: these tests run in debug builds, many at once.

use super::Sandbox;
use std::path::{Path, PathBuf};

/// The folder of the scenarios that ship.
pub(crate) fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").canonicalize().expect("the scenarios ship")
}

/// Redis goes down, as it ships but for its latencies. Shorten it by [`SHORTER`].
pub(crate) fn redis_down(sandbox: &Sandbox) -> String {
    let text = std::fs::read_to_string(shipped().join("redis_down.toml")).expect("it ships");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("latency.")).collect();
    let system = shipped().join("system.toml");
    sandbox.write("redis_down.toml", format!("system = {system:?}\n{}\n", lines.join("\n")))
}

/// Options that make [`redis_down`] short.
pub(crate) const SHORTER: &str = "--set load.duration=3.4s --set load.rate=100/s \
                                  --set fault.outage.at=600ms --set fault.outage.for=700ms";

/// One service that is away for a moment.
pub(crate) const ONE_SERVICE: &str = r#"
title = "One service"
entry = "users"

[service.users]
program = "user-service"
ready   = "GET /health"
metrics = "GET /metrics"

[load]
request   = "GET /users/{user}"
rate      = "100/s"
duration  = "1500ms"
vars.user = "uniform 1..1000"

[[fault]]
name   = "away"
on     = "client -> users"
effect = "refuse"
at     = "500ms"
for    = "400ms"
"#;

/// [`ONE_SERVICE`] with expectations that hold.
pub(crate) fn passing() -> String {
    with(
        r#"
[[expect]]
that   = "nobody is answered without it"
during = "away"
unanswered.any = ">= 100%"

[[expect]]
that   = "all are answered before"
during = "baseline"
status.200 = ">= 100%"
body."$.id" = "== {user}"

[[expect]]
that   = "all are answered again"
after  = "away"
within = "300ms"
status.200 = ">= 100%"
"#,
    )
}

/// [`passing`] with a command in place of the program; its port is in `PORT`.
pub(crate) fn by_command(words: &str) -> String {
    let command = format!("command  = {words}\nprotocol = \"http\"\nenv.PORT = \"{{self.port}}\"");
    passing().replace("program = \"user-service\"", &command)
}

/// [`ONE_SERVICE`] with more.
pub(crate) fn with(more: &str) -> String {
    format!("{ONE_SERVICE}{more}")
}

/// [`passing`] with a guard that breaks what it names: another service has no users.
pub(crate) fn proven() -> String {
    guarded("service.users.program", "order-service", r#"["all are answered before", "all are answered again"]"#)
}

/// [`passing`] with a guard whose setting breaks nothing.
pub(crate) fn unproven() -> String {
    guarded("service.users.env.DATA_SEED", "7", r#"["all are answered before"]"#)
}

fn guarded(setting: &str, value: &str, breaks: &str) -> String {
    let guard = format!("[[guard]]\nwithout = \"its users\"\nset.\"{setting}\" = \"{value}\"\nbreaks = {breaks}\n");
    format!("{}\n{guard}", passing())
}

/// Asserts that a Redis was used and made to forget. A machine on which many tests run at once may spoil the verdict.
#[track_caller]
pub(crate) fn assert_it_forgot(run: &super::Finished) {
    assert!(matches!(run.code, Some(0 | 4)), "{run}");
    run.said("empty ends: flushed").said("ok    Redis lets the gateway in").said("ok    it has forgotten");
}

/// A gateway that keeps its cache in a Redis with a password alone, and a Redis that is made to forget: this program.
pub(crate) fn redis_with_a_password(program: &str) -> String {
    REDIS_WITH_A_PASSWORD.replace("PROGRAM", program)
}

const REDIS_WITH_A_PASSWORD: &str = r#"
title = "A Redis with a password forgets"
entry = "gateway"

[service.redis]
program            = "PROGRAM"
env.REDIS_PASSWORD = "s3cret"

[service.user-service]
program = "user-service"

[service.order-service]
program = "order-service"

[service.product-service]
program = "product-service"

[service.gateway]
program                  = "gateway"
ready                    = "GET /health/live"
metrics                  = "GET /metrics"
env.REDIS_URL            = "redis://:s3cret@{redis}"
env.USER_SERVICE_URL     = "http://{user-service}"
env.ORDER_SERVICE_URL    = "http://{order-service}"
env.PRODUCT_SERVICE_URL  = "http://{product-service}"
env.GATEWAY_CACHE_MEMORY = "off"

[load]
request  = "GET /api/profile/1"
rate     = "20/s"
duration = "3s"

[[fault]]
name   = "empty"
on     = "redis"
effect = "flush"
at     = "1500ms"
for    = "500ms"

[[expect]]
that   = "all are served"
during = "run"
status.200 = ">= 99%"

[[expect]]
that   = "Redis lets the gateway in"
during = "baseline"
metric.'cache_hits_total{tier="redis"}' = ">= 1"

[[expect]]
that   = "it has forgotten"
during = "1s..3s"
metric.'redis_failures_total{reason="empty"}' = "== 1"
"#;
