//! Runs that don't end in good order leave nothing.

use crate::{
    engine::Engine,
    support::{
        Running, Sandbox,
        processes::{self, Process},
        scenarios,
    },
};
use rustix::process::Signal;
use std::{sync::Arc, time::Duration};

/// After a kill nothing may be left that long.
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// A run that lasts.
fn start(engine: &Engine, sandbox: &Sandbox, effect: &str) -> Running {
    let text = scenarios::passing();
    let text = text.replace("on     = \"client -> users\"", "on     = \"users\"").replace("\"refuse\"", effect);
    let file = sandbox.write("one.toml", text);
    engine.chaos(sandbox, &format!("run {file} --set load.duration=60s --set fault.away.for=50s")).start()
}

fn supervisor(run: &Running) -> Process {
    let supervisor =
        processes::descendants(run.pid()).into_iter().find(|process| process.command == "chaos supervisor");
    supervisor.expect("it has a supervisor")
}

/// Waits until something of the run is there, which is before it is ready.
async fn begun(engine: &Engine, sandbox: &Sandbox) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(240);
    while engine.resources(sandbox).await.is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "it makes nothing");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A frozen container goes too.
pub(crate) async fn killed(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let mut run = start(&engine, &sandbox, "\"pause\"");
    run.line("away begins: pause on users").await;
    assert_eq!(engine.resources(&sandbox).await.len(), 2, "a container and a network");
    run.signal(Signal::KILL);
    engine.wait_until_clean(&sandbox, TEN_SECONDS).await;
}

pub(crate) async fn killed_starting(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let run = start(&engine, &sandbox, "\"kill\"");
    begun(&engine, &sandbox).await;
    run.signal(Signal::KILL);
    engine.wait_until_clean(&sandbox, TEN_SECONDS).await;
}

pub(crate) async fn interrupted(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let run = start(&engine, &sandbox, "\"kill\"");
    begun(&engine, &sandbox).await;
    run.signal(Signal::INT);
    run.finish().await.exited(130).said("nothing left behind");
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}

pub(crate) async fn supervisor_killed(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let mut run = start(&engine, &sandbox, "\"pause\"");
    run.line("away begins: pause on users").await;
    supervisor(&run).signal(Signal::KILL);
    let run = run.finish().await;
    run.exited(3).said("the supervisor of this run failed").said("nothing left behind");
    assert_eq!(engine.resources(&sandbox).await, Vec::<String>::new(), "{run}");
}

/// Runner and supervisor are killed: nobody is left to tidy but who is asked to.
pub(crate) async fn healed(engine: Arc<Engine>) {
    let sandbox = Sandbox::new();
    let mut run = start(&engine, &sandbox, "\"pause\"");
    run.line("away begins: pause on users").await;
    let supervisor = supervisor(&run);
    supervisor.signal(Signal::STOP);
    run.signal(Signal::KILL);
    supervisor.signal(Signal::KILL);
    processes::wait_until("both are gone", TEN_SECONDS, || !supervisor.is_alive()).await;
    assert_eq!(engine.resources(&sandbox).await.len(), 2, "a container and a network");
    let told = sandbox.chaos("cleanup --dry-run").run().await;
    told.exited(0).said("container chaos-").said("-users").said("network chaos-").said("nothing was removed");
    assert_eq!(engine.resources(&sandbox).await.len(), 2, "it only looked");
    let healed = sandbox.chaos("cleanup").run().await;
    healed.exited(0).said("removed 0 processes, 2 containers, networks and volumes and 1 folder");
    engine.wait_until_clean(&sandbox, Duration::ZERO).await;
}
