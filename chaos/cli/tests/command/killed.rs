//! Nothing outlives a run, however it ends.

use crate::support::{
    Running, Sandbox,
    processes::{self, Process, wait_until},
    scenarios,
};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

/// How long a run that was killed may leave something behind.
const LIMIT: Duration = Duration::from_secs(1);

/// A node that ends by no SIGTERM, and starts a process in a session of its own.
fn stubborn(sandbox: &Sandbox) -> String {
    let shell = format!(
        "trap '' TERM; setsid sleep 1000 & {} serve user-service & echo started; wait",
        env!("CARGO_BIN_EXE_chaos"),
    );
    sandbox.write("stubborn.toml", scenarios::by_command(&format!("[\"sh\", \"-c\", {shell:?}]")))
}

/// All processes of a run, once what `stubborn` starts is there.
async fn tree(run: &Running) -> Vec<Process> {
    let mut tree = Vec::new();
    wait_until("all processes are there", Duration::from_secs(60), || {
        tree = processes::descendants(run.pid());
        let has = |what: &str| tree.iter().any(|process| process.command.contains(what));
        has("sleep 1000") && has("serve user-service") && has("keeper")
    })
    .await;
    tree
}

async fn assert_all_gone(sandbox: &Sandbox, tree: &[Process]) {
    wait_until("nothing is left", LIMIT, || {
        !tree.iter().any(Process::is_alive) && processes::within(sandbox.path()).is_empty() && sandbox.left().is_empty()
    })
    .await;
}

#[tokio::test]
async fn nothing_outlives_a_runner_that_is_killed() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    for moment in ["ready in", "away begins", "away ends"] {
        let mut run = sandbox.chaos(&format!("run {file} --set load.duration=60s")).start();
        run.line(moment).await;
        let tree = tree(&run).await;
        assert!(!sandbox.left().is_empty(), "the run has a folder");
        run.signal(Signal::KILL);
        assert_all_gone(&sandbox, &tree).await;
        assert_eq!(run.finish().await.code, None);
    }
}

#[tokio::test]
async fn a_killed_keeper_takes_the_nodes_with_it() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    let mut run = sandbox.chaos(&format!("run {file}")).start();
    run.line("away begins").await;
    let tree = tree(&run).await;
    let keeper = tree.iter().find(|process| process.command.ends_with("chaos keeper")).expect("it has a keeper");
    kill_process(Pid::from_raw(keeper.pid).expect("a process id"), Signal::KILL).expect("it is there");
    let run = run.finish().await;
    // It did not pass, so its logs are kept.
    run.exited(3).said("WORLD FAILED after ").said("the keeper of this run failed").said("users.log");
    assert_eq!(processes::within(sandbox.path()), [], "{run}");
    let alive: Vec<_> = tree.iter().filter(|process| process.is_alive()).collect();
    assert!(alive.is_empty(), "{alive:?}\n{run}");
}

#[tokio::test]
async fn a_node_that_hears_no_signal_is_ended_all_the_same() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(0).said("nothing left behind");
    sandbox.assert_clean();
}
