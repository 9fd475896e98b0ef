//! Adoption: orphans among a process's descendants become its own children, where it has asked the kernel for that. So what a
//! supervisor had below it is known even where that is killed, whatever marks it has left behind.

use crate::{
    process::{self, Process, Stat},
    run_label,
};
use rustix::process::{Signal, WaitOptions, child_subreaper, getpid, kill_process, set_child_subreaper, waitpid};
use std::{collections::BTreeSet, io, time::Duration};
use tokio::time::Instant;

/// Time that killed processes have to be gone.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(2);
/// Number of looks in a row that have to find nobody.
const LOOKS: usize = 3;

/// Lets this process adopt orphans among its descendants (`PR_SET_CHILD_SUBREAPER`, prctl(2)), for as long as it lives. Called by
/// a program's `main`, since it changes the process: what it adopts and did not start is killed where a supervisor is lost.
///
/// # Errors
/// What the kernel says.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// True where this process adopts orphans.
pub(crate) fn adopts() -> bool {
    child_subreaper().is_ok_and(|adopts| adopts.is_some())
}

/// The children of this process.
pub(crate) fn children() -> BTreeSet<Process> {
    stats().map(|stat| stat.process).collect()
}

fn stats() -> impl Iterator<Item = Stat> {
    process::all().into_iter().filter(|stat| stat.parent == std::process::id())
}

/// Kills what this process has adopted, which are its children but for `own`, and what becomes one by that; gives what does
/// not go, in words.
pub(crate) async fn end_adopted(own: &BTreeSet<Process>) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut looks_without = 0;
    loop {
        // Supervisors of other runs are nobody's orphans.
        let is_supervisor =
            |pid: u32| run_label::of_process(pid).is_some_and(|belongs: run_label::Belongs| belongs.is_supervisor);
        let adopted: Vec<Stat> =
            stats().filter(|stat| !own.contains(&stat.process) && !is_supervisor(stat.process.pid)).collect();
        looks_without = if adopted.is_empty() { looks_without + 1 } else { 0 };
        if looks_without == LOOKS {
            return Vec::new();
        }
        if Instant::now() > deadline && !adopted.is_empty() {
            let words = |stat: &Stat| format!("process {}: {}", stat.process.pid, process::command(stat.process.pid));
            return adopted.iter().map(words).collect();
        }
        for pid in adopted.iter().filter_map(|stat| process::raw(stat.process.pid)) {
            // Nobody else gets the id of a child before it is asked what became of it, and nobody but this asks.
            let _ = kill_process(pid, Signal::KILL);
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until a process runs no more, or for two seconds. What it has below it has been adopted by then.
pub(crate) async fn until_gone(process: Process) {
    let deadline = Instant::now() + PATIENCE;
    while process.is_alive() && Instant::now() < deadline {
        tokio::time::sleep(PAUSE).await;
    }
}
