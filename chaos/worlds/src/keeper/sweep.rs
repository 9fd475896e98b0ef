//! The last resort, where the keeper is gone before its run: what its nodes started may live on, since the kernel kills
//! the nodes alone. All of it carries the run's mark in its environment, whoever its parent is by now.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::{io, os::unix::ffi::OsStrExt as _, path::Path, time::Duration};
use tokio::time::Instant;

/// The environment variable that each node gets, and all that it starts: the run's folder.
pub(crate) const MARK: &str = "CHAOS_RUN";

/// How long killed processes have to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Kills everything that carries the mark of the run with this folder, and gives what does not go, in words.
pub(crate) async fn sweep(folder: &Path) -> Vec<String> {
    let mark = [MARK.as_bytes(), b"=", folder.as_os_str().as_bytes()].concat();
    let deadline = Instant::now() + PATIENCE;
    let mut looks_without = 0;
    // One look can miss a process that starts meanwhile, or is just about to become another program: in the middle of
    // that it shows no environment at all.
    while looks_without < 3 {
        let marked: Vec<Pid> = processes().filter(|pid| is_killed(*pid, &mark)).collect();
        looks_without = if marked.is_empty() { looks_without + 1 } else { 0 };
        if Instant::now() > deadline && !marked.is_empty() {
            return marked.iter().map(|pid| format!("process {}", pid.as_raw_nonzero())).collect();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Vec::new()
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

/// Kills a process that carries the mark, and says whether it did. The handle makes sure that it is still the same one.
fn is_killed(pid: Pid, mark: &[u8]) -> bool {
    let kill = || {
        let handle = pidfd_open(pid, PidfdFlags::empty())?;
        // That of a process that has ended, or is another user's, can't be read.
        let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()))?;
        let is_marked = environment.split(|byte| *byte == 0).any(|variable| variable == mark);
        if is_marked {
            pidfd_send_signal(handle, Signal::KILL)?;
        }
        Ok::<_, io::Error>(is_marked)
    };
    kill().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::process::Command;

    #[tokio::test]
    async fn what_carries_the_mark_is_killed_and_nothing_else() {
        let sleep =
            |folder: &str| Command::new("sleep").arg("60").env(MARK, folder).kill_on_drop(true).spawn().unwrap();
        let folder = format!("/nowhere/chaos-{}-1", std::process::id());
        let mut marked = sleep(&folder);
        let mut other = sleep(&format!("{folder}0"));
        assert_eq!(sweep(Path::new(&folder)).await, Vec::<String>::new());
        let ended = tokio::time::timeout(PATIENCE, marked.wait()).await.expect("it is killed").unwrap();
        assert_eq!(ended.to_string(), "signal: 9 (SIGKILL)");
        assert!(other.try_wait().unwrap().is_none(), "it has another mark");
    }
}
