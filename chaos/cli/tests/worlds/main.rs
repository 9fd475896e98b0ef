//! One body of tests for every runtime: a world is trusted for what holds in all of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod body;

use body::{Conformance, a_service_that_ends_while_it_starts_is_named};
use chaos_sim::{Programs, SimRuntime};
use chaos_supervise::supervisor::SupervisorProgram;
use chaos_worlds::local::{LocalConfig, LocalRuntime};
use host::{Host, tcp};
use std::path::Path;

fn sim() -> SimRuntime {
    let programs = Programs::new()
        .with("user-service", async |host: Host| Ok(services::user::run(host).await?))
        .with("redis-built-in", async |host: Host| Ok(chaos_redis::run(host).await?))
        .with("quits", async |_| Err("it has nothing to do".into()));
    SimRuntime::new(1, programs)
}

fn local(temp: &Path) -> LocalRuntime {
    let host = tcp::host(tcp::Config::loopback("client")).unwrap();
    let chaos = env!("CARGO_BIN_EXE_chaos");
    let config = LocalConfig {
        supervisor: SupervisorProgram::new(chaos),
        built_in: chaos.into(),
        redis_server: None,
        temp: temp.to_owned(),
    };
    LocalRuntime::new(host, config)
}

#[test]
fn a_simulation_conforms() {
    chaos_sim::block_on(async { Conformance::of(sim()).await }).unwrap();
}

#[test]
fn a_simulated_service_that_ends_while_it_starts_is_named() {
    chaos_sim::block_on(a_service_that_ends_while_it_starts_is_named_in_a_simulation()).unwrap();
}

async fn a_service_that_ends_while_it_starts_is_named_in_a_simulation() {
    a_service_that_ends_while_it_starts_is_named(sim(), "program = \"quits\"").await;
}

#[tokio::test]
async fn processes_conform() {
    let temp = tempfile::tempdir().unwrap();
    Conformance::of(local(temp.path())).await;
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "nothing is left of the run");
}

#[tokio::test]
async fn a_process_that_ends_while_it_starts_is_named() {
    let temp = tempfile::tempdir().unwrap();
    a_service_that_ends_while_it_starts_is_named(local(temp.path()), "command = [\"false\"]").await;
}
