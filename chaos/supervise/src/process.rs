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
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        parse(&stat).map(|started| Self { pid, started })
    }

    pub(crate) fn is_alive(self) -> bool {
        Self::find(self.pid) == Some(self)
    }
}

/// The start of a process, in clock ticks, unless it is a zombie.
fn parse(stat: &str) -> Option<u64> {
    // The name before the fields is in parentheses, and may have anything in it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Fields 3 and 22 of proc(5), which counts from 1 and has two before these.
    if matches!(*fields.first()?, "Z" | "X") { None } else { fields.get(19)?.parse().ok() }
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
        assert_eq!(parse(&format!("7 (a) Z 1) {fields}")), Some(4711));
        assert_eq!(parse(&format!("7 (a) Z 1) {}", fields.replace('R', "Z"))), None);
        assert_eq!(parse("7 (a"), None);
    }

    #[test]
    fn the_same_id_with_another_start_is_another_process() {
        let this = Process::this().unwrap();
        assert!(this.is_alive());
        assert!(!Process { started: this.started + 1, ..this }.is_alive());
    }
}
