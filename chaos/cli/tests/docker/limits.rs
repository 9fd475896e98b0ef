//! Limits of services, as their containers' cgroups have them: the engine's own word is what the command goes by.

use crate::{
    engine::Engine,
    runs::events,
    support::{Sandbox, scenarios},
};
use std::sync::Arc;
use testcontainers::bollard::query_parameters::RemoveContainerOptionsBuilder;

/// Limits of a container in the files of its cgroup, of version 2 or 1: processor time in microseconds of each
/// 100,000, and bytes of memory, and of memory with swap.
const LIMITS: &str = "cd /sys/fs/cgroup; \
    if [ -e cpu.max ]; then cat cpu.max memory.max memory.swap.max; \
    else cat cpu/cpu.cfs_quota_us memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes; fi";

/// Two limits of CPU, the tighter one within the other, and one of memory.
const LIMITED: &str = r#"
title = "Less of the machine"
entry = "users"

[service.users]
program = "user-service"
ready   = "GET /health"

[load]
request   = "GET /users/{user}"
rate      = "20/s"
duration  = "12s"
vars.user = "uniform 1..1000"

[[fault]]
name   = "less"
on     = "users"
effect = "cpu"
cpus   = "0.5"
at     = "2s"
for    = "8s"

[[fault]]
name   = "little"
on     = "users"
effect = "cpu"
cpus   = "0.25"
at     = "4s"
for    = "3s"

[[fault]]
name   = "narrow"
on     = "users"
effect = "memory"
bytes  = "256MiB"
at     = "4s"
for    = "3s"

[[expect]]
that   = "clients are answered all the while"
during = "run"
status.200 = ">= 100%"
"#;

/// The limits of the service `users`, as numbers; none is `None`.
async fn limits(engine: &Engine, container: &str) -> Vec<Option<u64>> {
    let said = engine.exec(container, &["sh", "-c", LIMITS]).await;
    let first = |line: &str| line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
    // The kernel shows the most that it can count where memory has no limit.
    let limits: Vec<_> = said.lines().map(|line| first(line).filter(|limit| *limit < 1 << 60)).collect();
    assert!(limits.len() >= 2, "{said}");
    limits
}

pub(crate) async fn seen(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let file = sandbox.write("limited.toml", LIMITED);
    let mut run = engine.chaos(&sandbox, &format!("run {file} --json events.jsonl")).start();
    run.line("baseline:").await;
    let container = engine.container(&sandbox, "users").await;
    let before = limits(&engine, &container).await;
    assert_eq!(before[..2], [None, None]);
    run.line("less begins: cpu limited to 0.5 on users").await;
    assert_eq!(limits(&engine, &container).await[..2], [Some(50_000), None]);
    run.line("narrow begins: memory limited to 256MiB on users").await;
    let narrow = limits(&engine, &container).await;
    assert_eq!(narrow[..2], [Some(25_000), Some(256 << 20)]);
    // Version 2 counts swap by itself, and none is left; version 1 counts it with memory, where the kernel counts it.
    assert!(narrow.get(2).is_none_or(|swap| matches!(swap, Some(0 | 0x1000_0000))), "{narrow:?}");
    run.line("narrow ends: memory limited, and given back").await;
    // That of CPU which is left holds on.
    assert_eq!(limits(&engine, &container).await[..2], [Some(50_000), None]);
    run.line("less ends: CPU limited, and given back").await;
    assert_eq!(limits(&engine, &container).await, before);
    let run = run.finish().await;
    run.said("ok    clients are answered all the while").said("nothing left behind");
    let reasons = events(&sandbox, "inconclusive");
    let is_of_time = |reason: &serde_json::Value| reason["why"].as_str().is_some_and(|why| why.contains(" late"));
    assert!(reasons.iter().all(is_of_time), "{run}");
}

pub(crate) async fn none_at_all(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let text = scenarios::passing().replace("on     = \"client -> users\"", "on     = \"users\"");
    for (limit, why) in [
        ("\"cpu\"\ncpus = \"1000\"", "the limit takes nothing from users: its machine has "),
        ("\"memory\"\nbytes = \"1000GiB\"", "MiB of memory"),
    ] {
        let file = sandbox.write("one.toml", text.replace("\"refuse\"", limit));
        let run = engine.chaos(&sandbox, &format!("run {file}")).run().await;
        run.exited(3).said(why).said("nothing left behind");
    }
}

/// A Redis is given more than it may have: the kernel ends it, and the run says so.
pub(crate) async fn out_of_memory(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let limit = "on     = \"cache\"\neffect = \"memory\"\nbytes  = \"64MiB\"";
    let text = scenarios::with("\n[[expect]]\nthat = \"users are answered\"\nstatus.200 = \">= 100%\"\n");
    let text = text.replace("on     = \"client -> users\"\neffect = \"refuse\"", limit);
    let text = text.replace("[load]", "[service.cache]\nprogram = \"redis-server\"\n\n[load]");
    let file = sandbox.write("one.toml", text);
    let longer = "--set load.duration=6s --set load.rate=20/s --set fault.away.for=5s";
    let mut run = engine.chaos(&sandbox, &format!("run {file} {longer}")).start();
    run.line("away begins: memory limited to 64MiB on cache").await;
    let container = engine.container(&sandbox, "cache").await;
    let said = engine.exec(&container, &["redis-cli", "setrange", "large", "200000000", "x"]).await;
    let run = run.finish().await;
    assert!(!said.contains("200000001"), "it had the memory: {said}");
    run.exited(4).said("cache DIED: exit code 137, out of memory").said("ok    users are answered");
    run.said("cache ended during the run (exit code 137, out of memory)").said("nothing left behind");
    assert_eq!(engine.resources(&sandbox).await, Vec::<String>::new(), "{run}");
}

/// A limit that can't be lifted, since its container is gone by then.
pub(crate) async fn not_lifted(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let limit = "on     = \"users\"\neffect = \"cpu\"\ncpus   = \"0.5\"";
    let text = scenarios::passing().replace("on     = \"client -> users\"\neffect = \"refuse\"", limit);
    let file = sandbox.write("one.toml", text);
    let longer = "--set load.duration=5s --set load.rate=20/s --set fault.away.for=3s";
    let mut run = engine.chaos(&sandbox, &format!("run {file} {longer}")).start();
    run.line("away begins: cpu limited to 0.5 on users").await;
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    let container = engine.container(&sandbox, "users").await;
    engine.docker.remove_container(&container, Some(options)).await.expect("it is there");
    let run = run.finish().await;
    run.exited(3).said("users can't be given back what it had").said("nothing left behind");
    assert!(!run.out.contains("away ends"), "{run}");
    assert_eq!(engine.resources(&sandbox).await, Vec::<String>::new(), "{run}");
}
