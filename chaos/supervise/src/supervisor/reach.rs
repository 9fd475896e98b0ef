//! Signals that reach every process of a service, and are seen to have.

use super::members::{Marks, Member, Members, Memory};
use crate::process::{self, Process, Stat};
use rustix::{
    io::Errno,
    process::{PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, pidfd_open, pidfd_send_signal, waitid, waitpid},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// Time in which a signal that can't be refused has to have worked. It takes no millisecond, unless a process waits for a
/// device or the machine is busy.
const PATIENCE: Duration = Duration::from_secs(2);
/// Number of looks in a row that have to find all as it should be: between two, a process may have started another.
const LOOKS: usize = 2;
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// A state into which processes are brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// All stand still.
    Stopped,
    /// None stands still.
    Running,
    /// None is left.
    Gone,
}

impl Goal {
    fn signal(self) -> Signal {
        match self {
            Self::Stopped => Signal::STOP,
            Self::Running => Signal::CONT,
            Self::Gone => Signal::KILL,
        }
    }

    fn is_reached_by(self, stat: &Stat) -> bool {
        match self {
            Self::Stopped => stat.is_stopped(),
            Self::Running => !stat.is_stopped(),
            Self::Gone => stat.is_over(),
        }
    }
}

/// The processes of services, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Reach {
    pub(super) marks: BTreeMap<String, Marks>,
    memory: Memory,
}

impl Reach {
    /// The processes that live now. Those of ours that have ended are asked what became of them, but for the main ones,
    /// which somebody waits for.
    pub(super) fn look(&mut self) -> Members {
        let members = self.memory.look(&self.marks);
        for pid in children() {
            let is_main = self.marks.values().any(|marks| marks.main == pid);
            if !is_main && Stat::read(pid).is_some_and(|stat| stat.is_over()) {
                // It is listed no longer then.
                let _ = waitpid(process::raw(pid), WaitOptions::NOHANG);
            }
        }
        members
    }

    /// True where a service has no process any more.
    pub(super) async fn is_gone(&mut self, service: &str) -> bool {
        // One look can miss a process whose parent ends meanwhile: it is read as the child of one that is listed no longer.
        for _ in 0..LOOKS {
            if !self.look().has_none(service) {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
        true
    }

    /// Brings all processes of a service into a state, and gives those that are not seen in it after all, in words; among
    /// them those that may be the service's or another's.
    pub(super) async fn bring(&mut self, service: &str, goal: Goal) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut good_looks = 0;
        loop {
            let members = self.look();
            let mut missing: Vec<Member> =
                members.of(service).filter(|of| !goal.is_reached_by(&of.stat)).copied().collect();
            if missing.is_empty() {
                good_looks += 1;
                if good_looks == LOOKS {
                    let unknown = members.unknown().map(|of| format!("{}, which may be its own", words(of)));
                    return unknown.collect();
                }
            } else {
                good_looks = 0;
                if Instant::now() > deadline {
                    return missing.iter().map(words).collect();
                }
            }
            // A shell that hears of a stopped child goes on with its next line. So it is stopped before, and woken after it.
            if goal == Goal::Running {
                missing.reverse();
            }
            for member in missing {
                send(member.stat.process, goal.signal());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends a signal once to each process of a service; what they make of it is theirs.
    pub(super) async fn tell(&mut self, service: &str, signal: Signal) {
        let mut told = BTreeSet::new();
        for _ in 0..LOOKS {
            for member in self.look().of(service) {
                if told.insert(member.stat.process) {
                    send(member.stat.process, signal);
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Sends a signal to this very process. One that has ended meanwhile needs none.
fn send(to: Process, signal: Signal) {
    let Some(pid) = process::raw(to.pid) else { return };
    // The handle is of whoever has the id now; by its start it is known whether that is the one.
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if Process::find(to.pid) == Some(to) {
        let _ = pidfd_send_signal(handle, signal);
    }
}

fn words(member: &Member) -> String {
    let pid = member.stat.process.pid;
    format!("process {pid} (`{}`)", process::command(pid))
}

/// True where this process has a child, whether or not it can be seen: the kernel knows (waitid(2), `ECHILD`).
pub(super) fn has_children() -> bool {
    let only_look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, only_look), Err(Errno::CHILD))
}

/// Ids of all children of this process that can be seen. [`children`] leaves some out while others end.
pub(super) fn all_children() -> BTreeSet<u32> {
    let ours = process::all().into_iter().filter(|stat| stat.parent == std::process::id());
    ours.map(|stat| stat.process.pid).chain(children()).collect()
}

/// Ids of this process's children (proc(5), `/proc/<pid>/task/<tid>/children`).
pub(super) fn children() -> Vec<u32> {
    let pid = std::process::id();
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
