//! The last resort, where the supervisor is gone before its run: what its services started may live on, since the
//! kernel kills the services alone. All of it carries the run's label, whoever its parent is by now.

use crate::{
    cgroup::RunGroup,
    process,
    run_label::{self, RunLabel},
};
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::{io, time::Duration};
use tokio::time::Instant;

/// Time that killed processes have to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Kills everything that belongs to this run but for its supervisor, and gives what does not go, in words.
pub(crate) async fn sweep(label: &RunLabel) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let group = RunGroup::of_run(&label.folder);
    let mut looks_without = 0;
    // One look can miss a process that starts meanwhile, or is just about to become another program: in the middle of
    // that it shows no environment at all.
    while looks_without < 3 {
        let mut marked: Vec<u32> = process::others_of_this_user().filter(|pid| is_killed(*pid, label)).collect();
        let grouped = group.iter().flat_map(RunGroup::processes);
        marked
            .extend(grouped.filter(|pid| *pid != std::process::id()).filter(|pid| is_killed_in(group.as_ref(), *pid)));
        looks_without = if marked.is_empty() { looks_without + 1 } else { 0 };
        if Instant::now() > deadline && !marked.is_empty() {
            return marked.iter().map(|pid| format!("process {pid}: {}", process::command(*pid))).collect();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    group.and_then(|group| group.remove()).into_iter().collect()
}

/// Kills a process of the run's control group, and says whether it did.
fn is_killed_in(group: Option<&RunGroup>, pid: u32) -> bool {
    group.is_some_and(|group| group.kill(pid).unwrap_or(false))
}

/// Kills a process that carries the run label, and says whether it did. The handle makes sure that it is still the same
/// one.
fn is_killed(pid: u32, label: &RunLabel) -> bool {
    let kill = || {
        let pid = process::raw(pid).ok_or(io::ErrorKind::NotFound)?;
        let handle = pidfd_open(pid, PidfdFlags::empty())?;
        let belongs = run_label::of_process(pid.as_raw_nonzero().get().unsigned_abs());
        let is_marked = belongs.is_some_and(|belongs| belongs.is_part_of(label));
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
    use crate::run_label::tests::gone;
    use std::{path::PathBuf, process::Stdio};
    use tokio::process::{Child, Command};

    fn sleep(label: &RunLabel) -> Child {
        Command::new("sleep").arg("60").envs(label.of_services()).kill_on_drop(true).spawn().unwrap()
    }

    /// Waits until what was started shows its environment, which it does not before its program is there.
    async fn marked(child: &Child) {
        let pid = child.id().expect("it runs");
        let shows = async {
            while run_label::of_process(pid).is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(10 * PATIENCE, shows).await.expect("it shows its environment");
    }

    async fn killed(child: &mut Child) -> bool {
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("it is killed").unwrap();
        ended.to_string() == "signal: 9 (SIGKILL)"
    }

    #[tokio::test]
    async fn what_carries_the_mark_is_killed_and_nothing_else() {
        let folder = format!("/nowhere/chaos-{}-1-1", std::process::id());
        let label = RunLabel { folder: PathBuf::from(&folder), runner: gone() };
        let other = RunLabel { folder: PathBuf::from(format!("{folder}0")), ..label.clone() };
        let (mut carries, mut other) = (sleep(&label), sleep(&other));
        let supervisor = Command::new("sleep").arg("60").envs(label.of_supervisor()).kill_on_drop(true).spawn();
        let mut supervisor = supervisor.unwrap();
        for child in [&carries, &other, &supervisor] {
            marked(child).await;
        }
        assert_eq!(sweep(&label).await, Vec::<String>::new());
        assert!(killed(&mut carries).await);
        assert!(other.try_wait().unwrap().is_none(), "it has another label");
        assert!(supervisor.try_wait().unwrap().is_none(), "it is the supervisor");
    }

    #[tokio::test]
    async fn what_has_lost_its_environment_is_known_by_its_log() {
        let temp = tempfile::tempdir().unwrap();
        let label = RunLabel { folder: temp.path().join("chaos-1-2-3"), runner: gone() };
        std::fs::create_dir(&label.folder).unwrap();
        let log = label.folder.join("a.log");
        let writes = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let sleep = || {
            let mut sleep = Command::new("sleep");
            sleep.arg("60").env_clear().kill_on_drop(true);
            sleep
        };
        let mut writer = sleep().stdout(writes).spawn().unwrap();
        let mut reader = sleep().stdin(std::fs::File::open(&log).unwrap()).stdout(Stdio::null()).spawn().unwrap();
        // What watches the log, even by the same number.
        let mut watcher = sleep().stdout(std::fs::File::open(&log).unwrap()).spawn().unwrap();
        assert_eq!(sweep(&label).await, Vec::<String>::new());
        assert!(killed(&mut writer).await);
        assert!(reader.try_wait().unwrap().is_none() && watcher.try_wait().unwrap().is_none(), "they only read it");
    }
}
