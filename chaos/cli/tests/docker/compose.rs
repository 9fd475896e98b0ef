//! Compose files as systems: the stack in `stacks/shop`, unchanged, with proxies between its services.

use crate::{
    engine::Engine,
    runs::{events, increase},
    support::{Chaos, Running, Sandbox},
};
use rustix::process::Signal;
use std::{path::Path, sync::Arc, time::Duration};

/// What Compose doesn't know of the shop.
const SYSTEM: &str = r#"
compose = "../docker-compose.yml"

[service.web]
ready   = "GET /health/live"
metrics = "GET /metrics"

[service.users]
protocol = "http"
ready    = "GET /health"

[service.orders]
protocol = "http"

[service.products]
protocol = "http"

[responses]
partial.body."$.partial" = "== true"
"#;

/// The beginning of a scenario; how long it takes stands behind it.
const LOAD: &str = r#"
[load]
request   = "GET /api/profile/{user}"
rate      = "60/s"
vars.user = "uniform 1..1000"
"#;

/// A fault on a link of each network, and on a service by a name that is not its own.
const LINKS: &str = r#"
title = "Links of a Compose file break"
LOAD
duration = "6s"

[[fault]]
name   = "no_cache"
on     = "web -> cache"
effect = "refuse"
at     = "1s"
for    = "1s"

[[fault]]
name   = "no_products"
on     = "web -> products"
effect = "status"
status = "503"
at     = "3s"
for    = "1s"

[[expect]]
that   = "all are answered before"
during = "baseline"
status.200 = ">= 100%"
partial    = "== 0%"

[[expect]]
that   = "clients don't notice that it is away"
during = "no_cache"
status.200 = ">= 100%"

[[expect]]
that   = "without products responses are partial"
during = "no_products"
partial = ">= 50%"
metric.'service_errors_total{service="product"}' = "> 10"

[[expect]]
that   = "and complete again"
after  = "no_products"
within = "1s"
partial = "== 0%"
"#;

/// A fault of each kind on services.
const SERVICES: &str = r#"
title = "Services of a Compose file are broken"
LOAD
duration = "14s"

[[fault]]
name   = "kill"
on     = "orders"
effect = "kill"
at     = "1s"
for    = "1s"

[[fault]]
name   = "stop"
on     = "cache"
effect = "stop"
at     = "4s"
for    = "1s"

[[fault]]
name   = "pause"
on     = "products"
effect = "pause"
at     = "7s"
for    = "500ms"

[[fault]]
name   = "restart"
on     = "users"
effect = "restart"
at     = "9s"
for    = "1s"

[[fault]]
name   = "limit"
on     = "web"
effect = "memory"
bytes  = "64MiB"
at     = "2500ms"
for    = "500ms"

[[expect]]
that   = "orders are missing while their service is gone"
during = "kill"
partial = ">= 50%"

[[expect]]
that   = "all is well once all are back"
after  = "restart"
within = "2s"
status.200 = ">= 100%"
partial    = "== 0%"
"#;

fn stack() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docker/stacks/shop")
}

/// Files of the shop, and `chaos/` beside them.
fn shop(sandbox: &Sandbox, scenario: &str) {
    for file in ["docker-compose.yml", "web.env"] {
        std::fs::copy(stack().join(file), sandbox.path().join(file)).expect("it can be copied");
    }
    std::fs::create_dir_all(sandbox.path().join("chaos")).expect("a folder");
    sandbox.write("chaos/system.toml", SYSTEM);
    sandbox.write("chaos/it.toml", scenario.replace("LOAD", LOAD.trim()));
}

fn chaos(engine: &Engine, sandbox: &Sandbox, arguments: &str) -> Chaos {
    let images = ["CHAOS_IMAGE", "REDIS_IMAGE"].map(|name| (name, engine.images[name].as_str()));
    images.into_iter().fold(engine.chaos(sandbox, arguments), |chaos, (name, image)| chaos.env(name, image))
}

#[track_caller]
fn assert_unchanged(sandbox: &Sandbox) {
    for file in ["docker-compose.yml", "web.env"] {
        let read = |folder: &Path| std::fs::read(folder.join(file)).expect("it is there");
        assert_eq!(read(&stack()), read(sandbox.path()), "{file}");
    }
}

/// Links break by the names of the file, while its host ports and container names stay free.
pub(crate) async fn links(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    shop(&sandbox, LINKS);
    // Somebody has the port that the file publishes, as the team's own stack would.
    let _team = std::net::TcpListener::bind("127.0.0.1:18080");
    let run = chaos(&engine, &sandbox, "run chaos/it.toml --json events.jsonl").run().await;
    run.exited(0).said("nothing left behind");
    let ready = events(&sandbox, "service_ready");
    let what = |name: &str| ready.iter().find(|ready| ready["service"] == name).map(|ready| ready["what"].clone());
    assert_eq!(what("cache"), Some(engine.images["REDIS_IMAGE"].clone().into()), "{run}");
    assert!(what("migrate").is_some(), "a task is ready when it has ended well: {run}");
    assert!(increase(&sandbox, r#"service_errors_total{service="product"}"#) > 10.0, "{run}");
    let ready = events(&sandbox, "link_ready");
    let links: Vec<&str> = ready.iter().filter_map(|ready| ready["link"].as_str()).collect();
    for link in ["client -> web", "web -> cache", "web -> users", "web -> products", "migrate -> cache"] {
        assert!(links.contains(&link), "{link}: {links:?}");
    }
    assert!(!links.contains(&"users -> cache"), "they share no network: {links:?}");
    assert_unchanged(&sandbox);
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}

/// Services are killed, stopped, frozen, restarted and limited, whatever their file says of restarts.
pub(crate) async fn services(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    shop(&sandbox, SERVICES);
    let run = chaos(&engine, &sandbox, "run chaos/it.toml --json events.jsonl").run().await;
    run.exited(0).said("nothing left behind");
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}

fn lasting(engine: &Engine, sandbox: &Sandbox) -> Running {
    shop(sandbox, SERVICES);
    let longer = "--set load.duration=70s --set fault.stop.for=50s --set fault.pause.at=55s --set fault.restart.at=57s";
    chaos(engine, sandbox, &format!("run chaos/it.toml {longer}")).start()
}

/// A runner that is killed leaves no container, network or volume.
pub(crate) async fn killed(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let mut run = lasting(&engine, &sandbox);
    run.line("stop begins: stop on cache").await;
    let there = engine.resources(&sandbox).await;
    assert!(there.iter().any(|name| name.ends_with("_cache")), "its volume is there: {there:?}");
    run.signal(Signal::KILL);
    engine.wait_until_clean(&sandbox, Duration::from_secs(20)).await;
}

/// So does one that is killed while Compose starts the services.
pub(crate) async fn killed_starting(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let run = lasting(&engine, &sandbox);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(240);
    while !engine.resources(&sandbox).await.iter().any(|name| name.ends_with("_cache_1") || name.ends_with("-cache-1"))
    {
        assert!(tokio::time::Instant::now() < deadline, "it makes nothing");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run.signal(Signal::KILL);
    engine.wait_until_clean(&sandbox, Duration::from_secs(20)).await;
}

/// `chaos init` finds the links that a stack uses, and what is spoken on them, and writes files that are valid.
pub(crate) async fn initialised(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    for file in ["docker-compose.yml", "web.env"] {
        std::fs::copy(stack().join(file), sandbox.path().join(file)).expect("it can be copied");
    }
    let images = ["CHAOS_IMAGE", "REDIS_IMAGE"].map(|name| (name, engine.images[name].as_str()));
    let named = |chaos: Chaos| images.into_iter().fold(chaos, |chaos, (name, image)| chaos.env(name, image));
    let mut run = named(sandbox.chaos("init")).start();
    run.line("wrote ").await;
    run.line("running ").await;
    run.signal(Signal::INT);
    let run = run.finish().await;
    run.exited(130);
    let read = |name: &str| std::fs::read_to_string(sandbox.path().join(name)).expect("it was written");
    let system = read("chaos/system.toml");
    for part in [
        "compose = \"../docker-compose.yml\"",
        "[service.cache]\nprotocol = \"redis\"\n",
        "[service.orders]\nprotocol = \"http\"\n",
    ] {
        assert!(system.contains(part), "no {part} in {system}");
    }
    assert!(read("chaos/web_orders.toml").contains("request      = \"GET /api/profile/{user_id}\""), "{run}");
    assert!(read("chaos/web_cache.toml").contains("reply  = \"LOADING\""), "{run}");
    named(sandbox.chaos("check --world docker")).run().await.exited(0);
    assert_unchanged(&sandbox);
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}

/// What can't be interposed, and what is missing, is said before anything is made.
pub(crate) async fn refused(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    shop(&sandbox, LINKS);
    let text = std::fs::read_to_string(stack().join("docker-compose.yml")).expect("it is there");
    let host =
        text.replace("    expose: [\"8001\"]\n    networks: [front]\n\n  orders", "    network_mode: host\n\n  orders");
    assert_ne!(host, text);
    sandbox.write("docker-compose.yml", host);
    for command in ["check", "explain"] {
        let images = ["CHAOS_IMAGE", "REDIS_IMAGE"].map(|name| (name, engine.images[name].as_str()));
        let command = sandbox.chaos(&format!("{command} chaos/it.toml"));
        let run = images.into_iter().fold(command, |chaos, (name, image)| chaos.env(name, image)).run().await;
        run.exited(2);
        let said = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("service `users` is on its machine's own network"), "{run}");
    }
    sandbox.write("docker-compose.yml", "services: {a: {image: x, unheard: of}}");
    let run = chaos(&engine, &sandbox, "run chaos/it.toml").run().await;
    run.exited(2);
    assert!(run.err.contains("Compose does not take") && run.err.contains("unheard"), "{run}");
    sandbox.write("docker-compose.yml", text);
    let run = chaos(&engine, &sandbox, "run chaos/it.toml").env("REDIS_IMAGE", "chaos-local/none:never").run().await;
    run.exited(3).said("needs the image chaos-local/none:never");
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}
