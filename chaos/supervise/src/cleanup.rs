//! Orphans: what runs have left behind whose runners are gone. They are found by what each run leaves on purpose: a
//! record in its folder, and its run label on all that it starts. So neither needs anybody to have lived on.
//!
//! A run is alive while its runner is, or its supervisor; of runs that are alive nothing is touched, nor of those on
//! other machines or in other containers, of whose lives nothing can be known from here, nor of other users'. What has
//! left its environment behind and its output too can't be known for an orphan.

use crate::{
    cgroup::RunGroup,
    process::{self, Process},
    run_folder::{self, Folder},
    run_label::{self, Life, RunLabel, Runner},
    supervisor::sweep,
};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// Time that a supervisor whose runner is gone has to take everything down. It takes some milliseconds, unless it was
/// frozen.
const PATIENCE: Duration = Duration::from_secs(6);

/// The runs that were found, by what became of them.
#[derive(Debug, Default)]
pub struct Found {
    /// Orphans: what can be removed.
    pub orphans: Vec<Orphan>,
    /// Folders of runs that are alive.
    pub alive: Vec<PathBuf>,
    /// Folders whose runs are, or were, on other machines or in other containers.
    pub elsewhere: Vec<PathBuf>,
    /// Folders with the logs of runs that ended in good order and did not pass.
    pub kept: Vec<PathBuf>,
}

/// An orphaned run: what it has left behind.
#[derive(Debug)]
pub struct Orphan {
    /// The run's folder.
    pub folder: PathBuf,
    /// True where the folder is still there.
    pub has_folder: bool,
    /// The process id that its runner had.
    pub runner: u32,
    /// The process id of its supervisor, where that still lives, and so has yet to take the run down.
    pub supervisor: Option<u32>,
    /// Processes of the run: the id, and the command.
    pub processes: Vec<(u32, String)>,
    /// Containers and networks of the run, in words.
    pub containers: Vec<String>,
    /// Containers of others that it has broken, by name.
    pub broken: Vec<String>,
    /// True where what has left environment and output of its run behind can't be seen: it had services, and no control group.
    pub may_have_others: bool,
    /// Nothing where the run never came to begin.
    label: Option<RunLabel>,
}

/// The parts of one run, as they are found.
#[derive(Default)]
struct Parts {
    has_folder: bool,
    supervisor: Option<u32>,
    processes: Vec<u32>,
    containers: Vec<String>,
}

/// Looks for orphans of runs that had their folders in `temp`.
///
/// # Errors
/// Where that can't be read.
pub async fn find(temp: &Path) -> io::Result<Found> {
    let here = Runner::this()?;
    let mut found = Found::default();
    let mut runs = BTreeMap::<RunLabel, Parts>::new();
    for entry in fs::read_dir(temp)? {
        let folder = entry?.path();
        match run_folder::look(&folder) {
            Folder::Run(runner) => runs.entry(RunLabel { folder, runner }).or_default().has_folder = true,
            Folder::Kept(runner) if runner.life(&here) != Life::Elsewhere => found.kept.push(folder),
            Folder::Empty(runner) if Process::find(runner).is_none() => {
                found.orphans.push(Orphan::unbegun(folder, runner))
            }
            Folder::Kept(_) | Folder::Empty(_) | Folder::Other => {}
        }
    }
    add_processes(temp, &mut runs);
    #[cfg(feature = "docker")]
    add_containers(temp, &mut runs).await;
    for (label, parts) in runs {
        match label.runner.life(&here) {
            Life::Alive => found.alive.push(label.folder),
            Life::Elsewhere => found.elsewhere.push(label.folder),
            Life::Gone => found.orphans.push(Orphan::of(label, parts)),
        }
    }
    found.kept.sort();
    Ok(found)
}

fn add_processes(temp: &Path, runs: &mut BTreeMap<RunLabel, Parts>) {
    for (label, parts) in runs.iter_mut() {
        parts.processes.extend(RunGroup::of_run(&label.folder).iter().flat_map(RunGroup::processes));
    }
    for (pid, belongs) in run_label::processes_of_runs_in(temp) {
        let of_folder = || runs.keys().find(|label| label.folder == belongs.folder).map(|label| label.runner.clone());
        let Some(runner) = belongs.runner.or_else(of_folder) else { continue };
        let parts = runs.entry(RunLabel { folder: belongs.folder, runner }).or_default();
        match belongs.is_supervisor {
            true => parts.supervisor = Some(pid),
            false if parts.processes.contains(&pid) => {}
            false => parts.processes.push(pid),
        }
    }
}

/// Adds what an engine has of these runs. Where none answers, there is none to have anything.
#[cfg(feature = "docker")]
async fn add_containers(temp: &Path, runs: &mut BTreeMap<RunLabel, Parts>) {
    let Ok(engine) = crate::engine::Engine::connect().await else { return };
    for resource in engine.resources(None).await.unwrap_or_default() {
        let words = resource.to_string();
        let is_here = |label: &RunLabel| label.folder.parent() == Some(temp) && run_label::is_run_folder(&label.folder);
        if let Some(label) = resource.label.filter(is_here) {
            runs.entry(label).or_default().containers.push(words);
        }
    }
}

/// Removes what an engine has of a run; gives what is left, in words.
#[cfg(feature = "docker")]
async fn remove_containers(label: &RunLabel) -> Vec<String> {
    match crate::engine::Engine::connect().await {
        Ok(engine) => engine.remove_all(label, Duration::ZERO).await,
        Err(error) => vec![format!("its containers: no engine answers any more, {error}")],
    }
}

/// Containers of others that a run has broken, as its folder says.
#[cfg(feature = "docker")]
fn broken_by(label: &RunLabel) -> Vec<String> {
    crate::broken::read(&label.folder).into_iter().map(|broken| broken.name).collect()
}

/// Without an engine no run breaks any.
#[cfg(not(feature = "docker"))]
fn broken_by(_: &RunLabel) -> Vec<String> {
    Vec::new()
}

impl Orphan {
    fn of(label: RunLabel, parts: Parts) -> Self {
        let had_services = !parts.processes.is_empty() || run_folder::has_logs(&label.folder);
        Self {
            may_have_others: had_services && RunGroup::of_run(&label.folder).is_none(),
            folder: label.folder.clone(),
            has_folder: parts.has_folder,
            runner: label.runner.process.pid,
            supervisor: parts.supervisor,
            processes: parts.processes.into_iter().map(|pid| (pid, process::command(pid))).collect(),
            containers: parts.containers,
            broken: if parts.has_folder { broken_by(&label) } else { Vec::new() },
            label: Some(label),
        }
    }

    fn unbegun(folder: PathBuf, runner: u32) -> Self {
        Self {
            folder,
            has_folder: true,
            runner,
            supervisor: None,
            processes: Vec::new(),
            containers: Vec::new(),
            broken: Vec::new(),
            may_have_others: false,
            label: None,
        }
    }

    /// Removes it, brings back what it has broken, and gives what could not be, in words.
    pub async fn remove(&self) -> Vec<String> {
        let Some(label) = &self.label else {
            return run_folder::remove_empty(&self.folder)
                .err()
                .map(|error| self.folder_and(&error))
                .into_iter()
                .collect();
        };
        if let Some(supervisor) = self.supervisor
            && !has_ended(supervisor).await
        {
            return vec![format!("process {supervisor}, the supervisor of this run, does not end")];
        }
        let mut left = sweep(label).await;
        #[cfg(feature = "docker")]
        if !self.containers.is_empty() {
            left.extend(remove_containers(label).await);
        }
        // It may have been kept, or be another's by now.
        if run_folder::look(&self.folder) != Folder::Run(label.runner.clone()) {
            return left;
        }
        #[cfg(feature = "docker")]
        left.extend(crate::broken::restore(&self.folder).await);
        if !left.is_empty() {
            // What stands in it is all that tells of what is left.
            return left;
        }
        left.extend(run_folder::remove(&self.folder).err().map(|error| self.folder_and(&error)));
        left
    }

    fn folder_and(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.folder.display())
    }
}

/// Removes a folder of logs that [`find`] gave.
///
/// # Errors
/// What the machine says where it can't be removed.
pub fn remove_logs(folder: &Path) -> io::Result<()> {
    match run_folder::look(folder) {
        Folder::Kept(_) => run_folder::remove(folder),
        _ => Ok(()),
    }
}

/// Wakes a supervisor, which may have been frozen with its runner, and waits until it has done its work.
async fn has_ended(pid: u32) -> bool {
    let Some(supervisor) = Process::find(pid) else { return true };
    let Some(raw) = process::raw(pid) else { return true };
    // It is no supervisor any more if it has ended since it was found.
    let _ = rustix::process::kill_process(raw, Signal::CONT);
    let deadline = Instant::now() + PATIENCE;
    while supervisor.is_alive() {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}
