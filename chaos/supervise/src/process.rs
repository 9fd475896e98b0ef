//! Processes of this machine, by proc(5).

use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use std::{fs, io, os::unix::fs::MetadataExt as _};

/// A process. Process ids are used again; the moment of its start tells whose this one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Clock ticks after the machine was started.
    pub(crate) started: u64,
}

impl Process {
    pub(crate) fn this() -> io::Result<Self> {
        let pid = std::process::id();
        Self::find(pid).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat says nothing of this process")))
    }

    /// The process that has this id now. A zombie is none: it runs nothing and holds nothing.
    pub(crate) fn find(pid: u32) -> Option<Self> {
        Stat::read(pid).filter(|stat| !stat.is_over()).map(|stat| stat.process)
    }

    pub(crate) fn is_alive(self) -> bool {
        Self::find(self.pid) == Some(self)
    }
}

/// The state of a process and its place among others (proc(5), `/proc/<pid>/stat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) process: Process,
    /// The letter of its state: `R`, `S`, `D`, `T` for one that a signal has stopped, `Z` for a zombie, and others.
    pub(crate) state: char,
    pub(crate) parent: u32,
    /// The id of its process group.
    pub(crate) group: u32,
    /// The id of its session.
    pub(crate) session: u32,
}

impl Stat {
    /// The state of the process with this id; none where there is no such process.
    pub(crate) fn read(pid: u32) -> Option<Self> {
        // The name may be of any bytes.
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(pid, &String::from_utf8_lossy(&stat))
    }

    fn parse(pid: u32, stat: &str) -> Option<Self> {
        // The name before the fields is in parentheses, and may have anything in it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // proc(5) counts from 1 and has two fields before these. Groups of the kernel's own threads are 0 or -1.
        let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok().map(|id| u32::try_from(id).unwrap_or(0));
        let started = fields.get(22 - 3)?.parse().ok()?;
        let state = fields.first()?.chars().next()?;
        let process = Process { pid, started };
        Some(Self { process, state, parent: number(4)?, group: number(5)?, session: number(6)? })
    }

    /// True for one that has ended, and is only listed until its parent asks what became of it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// True for one that a signal has stopped, or whoever traces it.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't')
    }
}

/// All processes of this machine that can be seen, whoever's they are.
pub(crate) fn all() -> Vec<Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Stat::read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// The ids of all processes of this user, but for this one.
pub(crate) fn others_of_this_user() -> impl Iterator<Item = u32> {
    let user = rustix::process::geteuid().as_raw();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_user = entries.filter(move |entry| entry.metadata().is_ok_and(|of| of.uid() == user));
    let pids = of_user.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != std::process::id())
}

/// The command of a process as people write it; its name in brackets where it shows no command.
pub(crate) fn command(pid: u32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).trim_end_matches('\0').replace('\0', " ");
    if words.is_empty() {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", name.trim());
    }
    words
}

pub(crate) fn raw(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_fields() {
        let fields = "R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        let stat = Stat::parse(7, &format!("7 (a) Z 1) {fields}")).unwrap();
        assert_eq!((stat.process.started, stat.parent, stat.group, stat.session), (4711, 1, 2, 3));
        assert!(!stat.is_over() && !stat.is_stopped());
        assert!(Stat::parse(7, &format!("7 (a) Z 1) {}", fields.replace('R', "Z"))).unwrap().is_over());
        assert!(Stat::parse(7, &format!("7 (a) Z 1) {}", fields.replace('R', "T"))).unwrap().is_stopped());
        assert_eq!(Stat::parse(7, "7 (a"), None);
    }

    #[test]
    fn the_same_id_with_another_start_is_another_process() {
        let this = Process::this().unwrap();
        assert!(this.is_alive());
        assert!(!Process { started: this.started + 1, ..this }.is_alive());
    }
}
