//! One body of tests for every runtime: a world is trusted for what holds in all of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod body;

use body::{Conformance, a_service_that_ends_while_it_starts_is_named};
use chaos_sim::{Programs, SimRuntime};
use chaos_supervise::{Leftovers, Supervision, supervisor::SupervisorProgram};
use chaos_worlds::{
    Others,
    local::{LocalConfig, LocalRuntime},
};
use host::{Host, tcp};
use rustix::process::{Pid, Signal, kill_process};
use std::{path::Path, time::Duration};

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
        others: Others::local(),
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

/// The supervisor of the run with this folder. A process that was just started shows no environment for a moment: it is
/// there before its program is (proc(5), execve(2)).
async fn supervisor_of(folder: &Path) -> Pid {
    let variable = format!("CHAOS_SUPERVISOR={}\0", folder.display());
    let is_it = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&variable)
    };
    let appears = async {
        loop {
            let entries = std::fs::read_dir("/proc").unwrap();
            let mut pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
            if let Some(pid) = pids.find(is_it) {
                return Pid::from_raw(pid).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), appears).await.expect("the supervisor is there")
}

/// This process adopts no orphans: so it can't know of all that a supervisor leaves which is killed.
#[tokio::test]
async fn what_can_not_be_known_to_be_gone_is_not_said_to_be() {
    let temp = tempfile::tempdir().unwrap();
    let program = SupervisorProgram::new(env!("CARGO_BIN_EXE_chaos"));
    let mut supervision = Supervision::default();
    supervision.prepare(&program, temp.path(), Duration::from_secs(1)).await.unwrap();
    assert_eq!(supervision.stop(false).await, Leftovers::default());
    supervision.prepare(&program, temp.path(), Duration::from_secs(2)).await.unwrap();
    kill_process(supervisor_of(supervision.folder()).await, Signal::KILL).unwrap();
    supervision.exited().await.unwrap_err();
    let Leftovers { known, unseen } = supervision.stop(false).await;
    assert_eq!(known, Vec::<String>::new());
    assert!(unseen.unwrap().starts_with("the supervisor was lost"));
}
