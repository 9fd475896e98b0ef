//! Services that are images.

use crate::{
    engine::{Engine, GATEWAY},
    runs::{events, increase},
    support::{Sandbox, scenarios},
};
use std::{sync::Arc, time::Duration};

/// `redis-server` as whoever brings an image would start it: by a command, with a setting for the port.
const REDIS: &str = r#"
command = ["sh", "-c", "exec redis-server --port $REDIS_PORT --bind 0.0.0.0 --protected-mode no --save ''"]
port    = 6390
env.REDIS_PORT = "{self.port}"
"#;

/// The bundled system with a Redis by its image: it is used, and taken away by its link.
pub(crate) async fn redis(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let image = &engine.images["REDIS_IMAGE"];
    let system = std::fs::read_to_string(scenarios::shipped().join("system.toml")).expect("it ships");
    let service = format!("image = {image:?}\nprotocol = \"redis\"{REDIS}");
    let inline = system.replacen("program  = \"redis\"\nprotocol = \"redis\"\n", &service, 1);
    assert_ne!(inline, system, "the system has another Redis");
    sandbox.write("system.toml", inline);
    let text = std::fs::read_to_string(scenarios::shipped().join("redis_down.toml")).expect("it ships");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("latency.")).collect();
    let file = sandbox.write("redis_down.toml", lines.join("\n"));
    let run = engine.chaos(&sandbox, &format!("run {file} {} --json events.jsonl", scenarios::SHORTER)).run().await;
    run.exited(0).said("nothing left behind");
    let ready = events(&sandbox, "service_ready");
    assert!(ready.iter().any(|ready| ready["service"] == "redis" && ready["what"] == image.as_str()), "{run}");
    // Redis is asked through its proxy: while that refuses, nothing comes from there.
    assert!(increase(&sandbox, r#"cache_hits_total{tier="memory"}"#) > 10.0, "{run}");
    assert!(increase(&sandbox, r#"cache_hits_total{tier="redis"}"#) <= 2.0, "{run}");
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}

/// [`scenarios::passing`] with an image in place of the program.
fn by_image(image: &str, more: &str) -> String {
    let service = format!("image = {image:?}\nprotocol = \"http\"\n{more}");
    scenarios::passing().replace("program = \"user-service\"", &service)
}

pub(crate) async fn ports(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let service = "command = [\"serve\", \"user-service\"]\nenv.PORT = \"{self.port}\"\nport = 8123";
    let file = sandbox.write("port.toml", by_image(&engine.images["CHAOS_IMAGE"], service));
    let run = engine.chaos(&sandbox, &format!("run {file}")).run().await;
    run.exited(0).said("ok    all are answered again").said("nothing left behind");

    // The gateway by itself: its image exposes one port, and has its own command.
    let text = by_image(GATEWAY, "").replace("/users/{user}", "/health/live").replace("vars.user = ", "# ");
    let text = text.replace("\"GET /health\"", "\"GET /health/live\"").replace("body.\"$.id\" = ", "# ");
    let file = sandbox.write("exposed.toml", text);
    let run = engine.chaos(&sandbox, &format!("run {file}")).run().await;
    run.exited(0).said("ok    all are answered again").said(GATEWAY).said("nothing left behind");
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}

pub(crate) async fn refused(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let file = sandbox.write("one.toml", by_image(&engine.images["CHAOS_IMAGE"], ""));
    let run = engine.chaos(&sandbox, &format!("run {file}")).run().await;
    run.exited(3);
    // Where its lines end depends on how long it took.
    let said = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = "exposes no port: say where its program listens, as `port = 5432`";
    assert!(said.contains("service users: the image ") && said.contains(wanted), "{run}");

    let file = sandbox.write("one.toml", by_image("chaos-local/none:never", "port = 80"));
    let run = engine.chaos(&sandbox, &format!("run {file}")).run().await;
    run.exited(3).said("service users needs the image chaos-local/none:never").said("which is not here");
    run.said("`docker pull chaos-local/none:never` gets it");
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}
