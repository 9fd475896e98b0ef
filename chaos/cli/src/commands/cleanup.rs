//! `chaos cleanup`: removes what killed runs have left behind.

use crate::{args::Cleanup, exit::Exit, machine::Machine};
use chaos_model::plain::plain;
use chaos_supervise::cleanup::{self, Found, Orphan};
use std::{
    io::{self, Write},
    path::Path,
};

/// Counts of what was removed, for the last line.
#[derive(Default)]
struct Removed {
    processes: usize,
    containers: usize,
    broken: usize,
    folders: usize,
    left: usize,
}

pub(crate) fn cleanup(machine: &Machine, args: &Cleanup) -> Exit {
    super::in_runtime("cleanup", async || {
        let temp = machine.temp_folder()?;
        let found = cleanup::find(&temp).await.map_err(|error| format!("can't read {}: {error}", temp.display()))?;
        // A reader that has seen enough changes nothing about what is removed.
        let mut out = io::stdout();
        let mut removed = Removed::default();
        for orphan in &found.orphans {
            let _ = tell(&mut out, orphan);
            if !args.dry_run {
                removed.count(&mut out, orphan, orphan.remove().await);
            }
        }
        for folder in found.kept.iter().filter(|_| args.logs) {
            let _ = writeln!(out, "logs of a run that is over, {}", shown(folder));
            if !args.dry_run {
                let left = cleanup::remove_logs(folder).err().map(|error| format!("{}: {error}", folder.display()));
                removed.folders += usize::from(left.is_none());
                removed.not_removed(&mut out, left.into_iter().collect());
            }
        }
        let _ = others(&mut out, &found, args.logs);
        let _ = last(&mut out, &found, args, &temp, &removed);
        Ok(if removed.left > 0 { Exit::Machine } else { Exit::Pass })
    })
}

impl Removed {
    fn count(&mut self, out: &mut dyn Write, orphan: &Orphan, left: Vec<String>) {
        if left.is_empty() {
            self.processes += orphan.processes.len();
            self.containers += orphan.containers.len();
            self.broken += orphan.broken.len();
            self.folders += usize::from(orphan.has_folder);
        }
        self.not_removed(out, left);
    }

    fn not_removed(&mut self, out: &mut dyn Write, left: Vec<String>) {
        self.left += left.len();
        for what in left {
            let _ = writeln!(out, "  NOT REMOVED: {}", plain(&what));
        }
    }
}

/// A run and what is left of it.
fn tell(out: &mut dyn Write, orphan: &Orphan) -> io::Result<()> {
    writeln!(out, "a run whose runner, process {}, is gone", orphan.runner)?;
    if let Some(supervisor) = orphan.supervisor {
        writeln!(out, "  process {supervisor}: its supervisor, which has yet to take it down")?;
    }
    for (pid, command) in &orphan.processes {
        let command: String = plain(command).chars().take(100).collect();
        writeln!(out, "  process {pid}: {command}")?;
    }
    for what in &orphan.containers {
        writeln!(out, "  {}", plain(what))?;
    }
    for container in &orphan.broken {
        writeln!(out, "  container {}: another's, and broken by this run", plain(container))?;
    }
    if orphan.may_have_others {
        writeln!(out, "  what has left its environment and its output behind can't be seen: it had no control group")?;
    }
    if orphan.has_folder { writeln!(out, "  {}", shown(&orphan.folder)) } else { Ok(()) }
}

/// A path as it may be shown.
fn shown(path: &Path) -> String {
    plain(&path.display().to_string())
}

/// Lists what is not touched.
fn others(out: &mut dyn Write, found: &Found, logs: bool) -> io::Result<()> {
    for folder in &found.alive {
        writeln!(out, "alive, and not touched: {}", shown(folder))?;
    }
    for folder in &found.elsewhere {
        writeln!(out, "of another machine or container, and not touched: {}", shown(folder))?;
    }
    if !logs && !found.kept.is_empty() {
        let these =
            if found.kept.len() == 1 { "the logs of 1 run" } else { &format!("the logs of {} runs", found.kept.len()) };
        writeln!(out, "kept: {these} that did not pass (--logs removes them)")?;
    }
    Ok(())
}

fn last(out: &mut dyn Write, found: &Found, args: &Cleanup, temp: &Path, removed: &Removed) -> io::Result<()> {
    let count = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let nothing = found.orphans.is_empty() && (!args.logs || found.kept.is_empty());
    if nothing {
        return writeln!(out, "no orphans of runs in {}", shown(temp));
    }
    if args.dry_run {
        return writeln!(out, "nothing was removed (--dry-run)");
    }
    let (processes, folders) =
        (count(removed.processes, "process", "processes"), count(removed.folders, "folder", "folders"));
    match removed.containers {
        0 => write!(out, "removed {processes} and {folders}")?,
        containers => {
            let containers = count(containers, "container, network or volume", "containers, networks and volumes");
            write!(out, "removed {processes}, {containers} and {folders}")?;
        }
    }
    if removed.broken > 0 {
        write!(out, ", brought back {}", count(removed.broken, "container", "containers"))?;
    }
    if removed.left > 0 {
        write!(out, "; {} could not be removed", removed.left)?;
    }
    writeln!(out)
}
