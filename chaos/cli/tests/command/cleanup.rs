//! `chaos cleanup`: what is left where nobody lived on to tidy.

use crate::support::{
    Running, Sandbox,
    processes::{self, Process, wait_until},
    scenarios,
};
use rustix::process::Signal;
use std::{fs, os::unix::fs::symlink, time::Duration};

/// The time that the kernel may take to end the services of a supervisor that was killed, and that starting takes at
/// most.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service whose children leave it: one in a session of its own, one without the environment that it was given.
fn scattering(sandbox: &Sandbox) -> String {
    let shell = format!(
        "(setsid sleep 1000 &); (env -i sleep 2000 &); exec {} serve user-service",
        env!("CARGO_BIN_EXE_chaos"),
    );
    sandbox.write("scattering.toml", scenarios::by_command(&format!("[\"sh\", \"-c\", {shell:?}]")))
}

/// A run of [`scattering`] with a fault in place.
struct Case {
    sandbox: Sandbox,
    run: Running,
    supervisor: Process,
    service: Process,
    escaped: [Process; 2],
}

impl Case {
    async fn start() -> Self {
        let sandbox = Sandbox::new();
        let file = scattering(&sandbox);
        let mut run = sandbox.chaos(&format!("run {file} --set load.duration=60s --set fault.away.for=50s")).start();
        run.line("away begins").await;
        let mut found = Vec::new();
        wait_until("all processes are there", PATIENCE, || {
            let tree = processes::descendants(run.pid());
            let find = |what: &str| tree.iter().find(|process| process.command.ends_with(what)).cloned();
            found = ["chaos supervisor", "serve user-service", "sleep 1000", "sleep 2000"]
                .into_iter()
                .filter_map(find)
                .collect();
            found.len() == 4
        })
        .await;
        let [supervisor, service, first, second] = found.try_into().expect("four");
        Self { sandbox, run, supervisor, service, escaped: [first, second] }
    }

    /// Kills runner and supervisor at once, and waits until the kernel has killed the service.
    async fn kill_both(&mut self) {
        let runner = processes::of(self.run.pid());
        // Neither can do anything about the other's end.
        self.run.signal(Signal::STOP);
        self.supervisor.signal(Signal::KILL);
        self.run.signal(Signal::KILL);
        // The runner too: what is killed is there for a moment, and a run whose runner is there is alive.
        let ends = [&runner, &self.supervisor, &self.service];
        wait_until("the kernel ends them", PATIENCE, || !ends.iter().any(|process| process.is_alive())).await;
        assert!(self.escaped.iter().all(Process::is_alive), "they are nobody's children any more");
        assert_eq!(self.sandbox.left().len(), 1, "the run's folder");
    }

    async fn assert_all_gone(&self) {
        // They were killed; the kernel may take a moment.
        let gone = || !self.escaped.iter().chain([&self.service, &self.supervisor]).any(Process::is_alive);
        wait_until("all processes are gone", Duration::from_secs(1), gone).await;
        self.sandbox.assert_clean();
    }
}

#[tokio::test]
async fn orphans_of_a_run_that_nobody_survived_are_named_and_removed() {
    let mut case = Case::start().await;
    case.kill_both().await;
    let [first, second] = &case.escaped;
    // A process that stands still hears no signal but one.
    first.signal(Signal::STOP);
    let folder = case.sandbox.left().remove(0).display().to_string();

    let dry = case.sandbox.chaos("cleanup --dry-run").run().await;
    dry.exited(0).said(&format!("a run whose runner, process {}, is gone", case.run.pid())).said(&folder);
    dry.said(&format!("process {}: sleep 1000", first.pid)).said(&format!("process {}: sleep 2000", second.pid));
    dry.said("nothing was removed (--dry-run)");
    let doctor = case.sandbox.chaos("doctor").run().await;
    doctor.exited(0).said("earlier runs    -- one was killed and left something: `chaos cleanup`");
    assert!(case.escaped.iter().all(Process::is_alive) && case.sandbox.left().len() == 1, "{dry}");

    let healed = case.sandbox.chaos("cleanup").run().await;
    healed.exited(0).said("sleep 1000").said("sleep 2000").said(&folder).said("removed 2 processes and 1 folder");
    case.assert_all_gone().await;
    let again = case.sandbox.chaos("cleanup").run().await;
    again.exited(0).said("no orphans of runs in ");
    assert_eq!(again.out.lines().count(), 1, "{again}");
}

#[tokio::test]
async fn orphans_are_found_without_their_folder_too() {
    let mut case = Case::start().await;
    case.kill_both().await;
    fs::remove_dir_all(case.sandbox.left().remove(0)).expect("it can be removed");
    let healed = case.sandbox.chaos("cleanup").run().await;
    healed.exited(0).said("sleep 1000").said("sleep 2000").said("removed 2 processes and 0 folders");
    case.assert_all_gone().await;
}

#[tokio::test]
async fn a_run_that_is_alive_is_not_touched() {
    let sandbox = Sandbox::new();
    let file = scattering(&sandbox);
    let mut run = sandbox.chaos(&format!("run {file}")).start();
    run.line("ready in").await;
    let healed = sandbox.chaos("cleanup").run().await;
    healed.exited(0).said("alive, and not touched: ").said("no orphans of runs in ");
    run.finish().await.exited(0).said("PASS in ").said("nothing left behind");
    sandbox.assert_clean();
}

#[tokio::test]
async fn what_cannot_be_removed_is_said_by_the_exit_code() {
    let mut case = Case::start().await;
    let mark = ["CHAOS_SUPERVISOR", "CHAOS_RUNNER"]
        .map(|name| (name, case.supervisor.variable(name).expect("it has its mark")));
    case.kill_both().await;
    // Whatever it is, it lives and carries the supervisor's mark.
    let mut deaf =
        tokio::process::Command::new("sleep").arg("60").envs(mark).kill_on_drop(true).spawn().expect("it starts");
    let pid = deaf.id().expect("it runs");
    let dry = case.sandbox.chaos("cleanup --dry-run").run().await;
    dry.exited(0).said(&format!("process {pid}: its supervisor, which has yet to take it down"));
    let left = case.sandbox.chaos("cleanup").run().await;
    left.exited(3).said(&format!("NOT REMOVED: process {pid}, the supervisor of this run, does not end"));
    left.said("removed 0 processes and 0 folders; 1 could not be removed");
    assert!(
        case.escaped.iter().all(Process::is_alive) && case.sandbox.left().len() == 1,
        "its run may be alive:\n{left}"
    );
    deaf.kill().await.expect("it ends");
    case.sandbox.chaos("cleanup").run().await.exited(0);
    case.assert_all_gone().await;
}

#[tokio::test]
async fn folders_that_only_look_alike_are_left() {
    let mut case = Case::start().await;
    case.kill_both().await;
    let tmp = case.sandbox.tmp();
    let orphan = case.sandbox.left().remove(0);
    fs::create_dir(tmp.join("chaos-1-2-3")).expect("a folder");
    fs::write(tmp.join("chaos-1-2-3/precious"), "").expect("a file");
    fs::create_dir(tmp.join("chaos-monkey")).expect("a folder");
    fs::copy(orphan.join("run.json"), tmp.join("chaos-monkey/run.json")).expect("a file");
    fs::create_dir(case.sandbox.path().join("elsewhere")).expect("a folder");
    fs::copy(orphan.join("run.json"), case.sandbox.path().join("elsewhere/run.json")).expect("a file");
    symlink(case.sandbox.path().join("elsewhere"), tmp.join(format!("chaos-{}-1-1", case.run.pid()))).expect("a link");
    symlink(case.sandbox.path().join("elsewhere"), orphan.join("link")).expect("a link within what is removed");
    // A run that was killed before it wrote anything.
    fs::create_dir(tmp.join(format!("chaos-{}-1-2", case.run.pid()))).expect("a folder");
    case.sandbox.chaos("cleanup").run().await.exited(0).said("removed 2 processes and 2 folders");
    let names = |mut paths: Vec<std::path::PathBuf>| {
        paths.sort();
        paths.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect::<Vec<_>>()
    };
    let link = format!("chaos-{}-1-1", case.run.pid());
    let mut expected = vec!["chaos-1-2-3".to_owned(), "chaos-monkey".to_owned(), link];
    expected.sort();
    assert_eq!(names(case.sandbox.left()), expected);
    assert!(tmp.join("chaos-1-2-3/precious").exists() && tmp.join("chaos-monkey/run.json").exists());
    assert!(case.sandbox.path().join("elsewhere/run.json").exists(), "it was behind links");
}

#[tokio::test]
async fn logs_are_kept_until_they_are_asked_for() {
    let sandbox = Sandbox::new();
    let expect = "[[expect]]\nthat = \"nobody notices\"\nduring = \"away\"\nstatus.200 = \">= 100%\"\n";
    let file = sandbox.write("bad.toml", scenarios::with(expect));
    sandbox.chaos(&format!("run {file}")).run().await.exited(1).said("users.log");
    let folder = sandbox.left().remove(0).display().to_string();
    let healed = sandbox.chaos("cleanup").run().await;
    healed.exited(0).said("kept: the logs of 1 run that did not pass").said("no orphans of runs in ");
    assert_eq!(sandbox.left().len(), 1, "{healed}");
    let dry = sandbox.chaos("cleanup --logs --dry-run").run().await;
    dry.exited(0).said(&folder).said("nothing was removed");
    assert_eq!(sandbox.left().len(), 1, "{dry}");
    sandbox.chaos("cleanup --logs").run().await.exited(0).said(&folder).said("removed 0 processes and 1 folder");
    sandbox.assert_clean();
}
