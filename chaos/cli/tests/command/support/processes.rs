//! Processes of this machine, by proc(5).

use rustix::process::{Pid, Signal, kill_process};
use std::{fs, io, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// A process. Process ids are used again; the moment of its start tells whose this one is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    parent: i32,
    started: u64,
    pub(crate) command: String,
}

impl Process {
    /// The process with this id, unless it is gone; a zombie is.
    fn read(pid: i32) -> io::Result<Option<Self>> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let command = fs::read(format!("/proc/{pid}/cmdline"))?;
        let command = String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " ");
        // The name before it is in parentheses, and may have anything in it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
        let (Some(parent), Some(started)) = (number(1), number(19)) else { return Ok(None) };
        let alive = !matches!(fields.first(), Some(&("Z" | "X")));
        Ok(alive.then(|| Self { pid, parent: i32::try_from(parent).unwrap_or(0), started, command }))
    }

    pub(crate) fn is_alive(&self) -> bool {
        Self::read(self.pid).ok().flatten().is_some_and(|now| now.started == self.started)
    }

    /// Tells if it stands still by SIGSTOP: each of its threads. The kernel wakes a stopped orphan only where all did when
    /// its parent ended.
    pub(crate) fn is_frozen(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        let states = threads.map(|thread| fs::read_to_string(thread.path().join("stat")).unwrap_or_default());
        let still = |stat: String| stat.rsplit(')').next().is_some_and(|fields| fields.trim_start().starts_with('T'));
        states.map(still).reduce(|all, one| all && one).unwrap_or(false)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid).expect("a process id"), signal).expect("it is there");
    }

    /// The value of a variable that it was started with.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let environment = fs::read_to_string(format!("/proc/{}/environ", self.pid)).ok()?;
        environment.split('\0').find_map(|variable| Some(variable.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    }
}

/// The process with this id, which runs.
pub(crate) fn of(pid: i32) -> Process {
    Process::read(pid).expect("it can be read").expect("it runs")
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc is there");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // Those that end meanwhile can't be read.
    pids.filter_map(|pid| Process::read(pid).ok().flatten()).collect()
}

/// All children of a process, their children, and so on.
pub(crate) fn descendants(pid: i32) -> Vec<Process> {
    let all = all();
    let mut found: Vec<Process> = all.iter().filter(|process| process.parent == pid).cloned().collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|process| process.pid) {
        found.extend(all.iter().filter(|process| process.parent == parent).cloned());
        next += 1;
    }
    found
}

/// All that stand in a folder or below it, whoever their parents are.
pub(crate) fn within(folder: &Path) -> Vec<Process> {
    let stands = |process: &Process| {
        let place = fs::read_link(format!("/proc/{}/cwd", process.pid));
        place.is_ok_and(|place| place.starts_with(folder))
    };
    all().into_iter().filter(stands).collect()
}

/// Looks until it is so; fails after this time.
pub(crate) async fn wait_until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not after {patience:?}");
        sleep(Duration::from_millis(5)).await;
    }
}
