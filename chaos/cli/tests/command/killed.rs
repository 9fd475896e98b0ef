//! Nothing outlives a run, however it ends.

use crate::support::{
    Running, Sandbox,
    processes::{self, Process, wait_until},
    scenarios,
};
use rustix::process::Signal;
use std::time::Duration;
use tokio::time::Instant;

/// The time for which a run that was killed may leave something behind.
const LIMIT: Duration = Duration::from_secs(1);

/// A service that ends by no SIGTERM, and starts a process in a session of its own.
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
        has("sleep 1000") && has("serve user-service") && has("supervisor")
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
async fn a_runner_that_is_killed_while_it_takes_down_leaves_nothing_either() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    let mut run = sandbox.chaos(&format!("run {file}")).start();
    run.line("away begins").await;
    let tree = tree(&run).await;
    // The last that is said before the services are asked to end, for which they would have three seconds.
    run.line("all are answered again").await;
    run.signal(Signal::KILL);
    assert_all_gone(&sandbox, &tree).await;
}

/// The supervisor among them.
fn supervisor(tree: &[Process]) -> &Process {
    tree.iter().find(|process| process.command.ends_with("chaos supervisor")).expect("it has a supervisor")
}

#[tokio::test]
async fn a_killed_supervisor_takes_the_services_with_it() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    let mut run = sandbox.chaos(&format!("run {file}")).start();
    run.line("away begins").await;
    let tree = tree(&run).await;
    supervisor(&tree).signal(Signal::KILL);
    let run = run.finish().await;
    // It did not pass, so its logs are kept.
    run.exited(3).said("WORLD FAILED after ").said("the supervisor of this run failed").said("users.log");
    run.said("nothing left behind");
    assert_eq!(processes::within(sandbox.path()), [], "{run}");
    let alive: Vec<_> = tree.iter().filter(|process| process.is_alive()).collect();
    assert!(alive.is_empty(), "{alive:?}\n{run}");
}

#[tokio::test]
async fn what_left_all_marks_of_its_run_behind_does_not_outlive_a_killed_supervisor() {
    let sandbox = Sandbox::new();
    // Neither environment nor output nor session nor parent.
    let shell = format!(
        "(env -i setsid sh -c 'exec >/dev/null 2>&1; exec sleep 1001' &); exec {} serve user-service",
        env!("CARGO_BIN_EXE_chaos"),
    );
    let file = sandbox.write("escapes.toml", scenarios::by_command(&format!("[\"bash\", \"-c\", {shell:?}]")));
    let mut run = sandbox.chaos(&format!("run {file}")).start();
    run.line("away begins").await;
    let mut tree = Vec::new();
    wait_until("it is there", Duration::from_secs(60), || {
        tree = processes::descendants(run.pid());
        tree.iter().any(|process| process.command == "sleep 1001")
    })
    .await;
    supervisor(&tree).signal(Signal::KILL);
    let run = run.finish().await;
    let alive: Vec<_> = tree.iter().filter(|process| process.is_alive()).collect();
    assert!(alive.is_empty(), "{alive:?}\n{run}");
    run.exited(3).said("the supervisor of this run failed").said("nothing left behind\n");
}

/// A service that puts a link to something precious in the place of its log, and talks on.
#[tokio::test]
async fn a_log_that_became_a_link_leads_nobody_elsewhere() {
    let sandbox = Sandbox::new();
    let precious = sandbox.path().join("precious");
    // More than is kept of a log, so that it would be shortened too.
    std::fs::write(&precious, vec![b'x'; 24 << 20]).expect("a file can be written");
    let shell = format!(
        "ln -sf {} \"$CHAOS_RUN/users.log\"; exec {} serve user-service",
        precious.display(),
        env!("CARGO_BIN_EXE_chaos"),
    );
    let text = scenarios::by_command(&format!("[\"bash\", \"-c\", {shell:?}]"));
    let text = text.replace("on     = \"client -> users\"", "on     = \"users\"").replace("\"refuse\"", "\"restart\"");
    let file = sandbox.write("links.toml", text);
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    let now = std::fs::read(&precious).expect("it is there");
    assert!(now.len() == 24 << 20 && now.iter().all(|byte| *byte == b'x'), "it was written to\n{run}");
    run.said("nothing left behind");
}

#[tokio::test]
async fn a_supervisor_that_is_killed_while_a_service_starts_again_is_missed_at_once() {
    let sandbox = Sandbox::new();
    // It is ready the first time only, so that the end of the fault waits for it.
    let shell =
        format!("test -e once && exec sleep 3000; touch once; exec {} serve user-service", env!("CARGO_BIN_EXE_chaos"));
    let text = scenarios::by_command(&format!("[\"sh\", \"-c\", {shell:?}]"));
    let text = text.replace("on     = \"client -> users\"", "on     = \"users\"").replace("\"refuse\"", "\"kill\"");
    let file = sandbox.write("once.toml", text);
    let mut run = sandbox.chaos(&format!("run {file}")).start();
    run.line("away begins: kill on users").await;
    let mut tree = Vec::new();
    wait_until("it is started again", Duration::from_secs(60), || {
        tree = processes::descendants(run.pid());
        tree.iter().any(|process| process.command == "sleep 3000")
    })
    .await;
    supervisor(&tree).signal(Signal::KILL);
    let began = Instant::now();
    run.line("WORLD FAILED").await;
    assert!(began.elapsed() < Duration::from_secs(5), "it would be given up after ten");
    run.finish().await.exited(3).said("the supervisor of this run failed").said("nothing left behind");
}

#[tokio::test]
async fn a_supervisor_that_stands_still_does_its_work_all_the_same() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    let mut run = sandbox.chaos(&format!("run {file} --set load.duration=60s")).start();
    run.line("away begins").await;
    let tree = tree(&run).await;
    supervisor(&tree).signal(Signal::STOP);
    wait_until("it stands still", Duration::from_secs(60), || supervisor(&tree).is_frozen()).await;
    run.signal(Signal::KILL);
    assert_all_gone(&sandbox, &tree).await;
}

#[tokio::test]
async fn a_signal_to_all_of_a_run_ends_it_in_good_order() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut run = sandbox.chaos(&format!("run {file} --set load.duration=60s")).start();
        run.line("away begins").await;
        let tree = tree(&run).await;
        supervisor(&tree).signal(signal);
        run.signal(signal);
        run.finish().await.exited(130).said("nothing left behind");
        sandbox.assert_clean();
    }
}

#[tokio::test]
async fn a_service_that_stands_still_does_not_outlive_a_killed_run() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    let text = std::fs::read_to_string(sandbox.path().join(&file)).expect("it was written");
    let text = text.replace("on     = \"client -> users\"", "on     = \"users\"").replace("\"refuse\"", "\"pause\"");
    let file = sandbox.write("frozen.toml", text);
    let mut run = sandbox.chaos(&format!("run {file} --set load.duration=60s --set fault.away.for=50s")).start();
    run.line("away begins: pause on users").await;
    let tree = tree(&run).await;
    let service = tree.iter().find(|process| process.command.contains("trap")).expect("it has a service");
    assert!(service.is_frozen(), "{service:?}");
    run.signal(Signal::KILL);
    assert_all_gone(&sandbox, &tree).await;
}

#[tokio::test]
async fn a_service_that_hears_no_signal_is_ended_all_the_same() {
    let sandbox = Sandbox::new();
    let file = stubborn(&sandbox);
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    run.exited(0).said("nothing left behind");
    sandbox.assert_clean();
}

#[tokio::test]
async fn what_cannot_be_removed_is_named_at_the_end_of_the_report() {
    let sandbox = Sandbox::new();
    // A service that puts a file in the place of the run's folder: that no run can remove as a folder.
    let shell =
        format!("rm -r \"$CHAOS_RUN\"; touch \"$CHAOS_RUN\"; exec {} serve user-service", env!("CARGO_BIN_EXE_chaos"),);
    let file = sandbox.write("swaps.toml", scenarios::by_command(&format!("[\"sh\", \"-c\", {shell:?}]")));
    let run = sandbox.chaos(&format!("run {file}")).run().await;
    let left = sandbox.left();
    run.exited(0).said("LEFT BEHIND:").said(&format!("{}: Not a directory", left[0].display()));
    assert_eq!((left.len(), processes::within(sandbox.path())), (1, vec![]), "{run}");
}
