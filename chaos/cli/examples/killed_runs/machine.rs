//! Processes and sockets of this machine, by proc(5).

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// A process: its id, and when it was started, since ids are used again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    started: u64,
    parent: i32,
    pub(crate) command: String,
}

impl Process {
    /// The process of this id; a zombie is none.
    fn read(pid: i32) -> io::Result<Option<Self>> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let command = fs::read(format!("/proc/{pid}/cmdline"))?;
        let command = String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " ");
        // The name before the fields is in parentheses, and may have anything in it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
        let (Some(parent), Some(started)) = (number(1), number(19)) else { return Ok(None) };
        let alive = !matches!(fields.first(), Some(&("Z" | "X")));
        Ok(alive.then(|| Self { pid, started, parent: i32::try_from(parent).unwrap_or(0), command }))
    }

    pub(crate) fn is_alive(&self) -> bool {
        Self::read(self.pid).ok().flatten().is_some_and(|now| now.started == self.started)
    }

    /// Tells if it stands in this folder, or its output goes there.
    fn is_within(&self, folder: &Path) -> bool {
        ["cwd", "fd/1", "fd/2"].iter().any(|link| {
            fs::read_link(format!("/proc/{}/{link}", self.pid)).is_ok_and(|place| place.starts_with(folder))
        })
    }

    /// The inodes of its sockets.
    fn sockets(&self) -> impl Iterator<Item = u64> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid)).into_iter().flatten().flatten();
        let links = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
        links.filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
    }
}

/// All processes that stand in a folder, or whose output goes there.
pub(crate) fn within(folder: &Path) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Those that end meanwhile can't be read.
    let all = pids.filter_map(|pid| Process::read(pid).ok().flatten());
    all.filter(|process| process.is_within(folder)).collect()
}

/// The supervisor among the children of a runner.
pub(crate) fn supervisor(processes: &[Process], runner: i32) -> Option<&Process> {
    processes.iter().find(|process| process.parent == runner && process.command == "chaos supervisor")
}

/// Listening sockets of these processes, by inode.
pub(crate) fn listening(processes: &[Process]) -> BTreeSet<u64> {
    let all = all_listening();
    processes.iter().flat_map(Process::sockets).filter(|inode| all.contains(inode)).collect()
}

/// All sockets of this machine that listen.
pub(crate) fn all_listening() -> BTreeSet<u64> {
    /// `TCP_LISTEN` in the column `st`.
    const LISTEN: &str = "0A";
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines());
    let columns = rows.map(|row| row.split_whitespace().collect::<Vec<_>>());
    let listen = columns.filter(|columns| columns.get(3) == Some(&LISTEN));
    listen.filter_map(|columns| columns.get(9)?.parse().ok()).collect()
}

/// Folders and files of runs: all of `temp`, but for logs that a run kept on purpose where these are `allowed`.
pub(crate) fn files(temp: &Path, allowed: bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(temp).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| !(allowed && path.join("kept.json").is_file())).collect()
}
