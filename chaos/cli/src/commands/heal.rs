//! `chaos heal`: removes what killed runs have left behind.

use crate::{args::Heal, exit::Exit, machine::Machine};
use chaos_worlds::heal::{self, Found, Stray};
use std::{
    io::{self, Write},
    path::Path,
};

/// What was removed, for the last line.
#[derive(Default)]
struct Removed {
    processes: usize,
    containers: usize,
    broken: usize,
    folders: usize,
    left: usize,
}

pub(crate) fn heal(machine: &Machine, args: &Heal) -> Exit {
    super::in_runtime("heal", async || {
        let temp = machine.temp_folder()?;
        let found = heal::find(&temp).await.map_err(|error| format!("can't read {}: {error}", temp.display()))?;
        // A reader that has seen enough changes nothing about what is removed.
        let mut out = io::stdout();
        let mut removed = Removed::default();
        for stray in &found.strays {
            let _ = tell(&mut out, stray);
            if !args.dry_run {
                removed.count(&mut out, stray, stray.remove().await);
            }
        }
        for folder in found.kept.iter().filter(|_| args.logs) {
            let _ = writeln!(out, "logs of a run that is over, {}", folder.display());
            if !args.dry_run {
                let left = heal::remove_logs(folder).err().map(|error| format!("{}: {error}", folder.display()));
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
    fn count(&mut self, out: &mut dyn Write, stray: &Stray, left: Vec<String>) {
        if left.is_empty() {
            self.processes += stray.processes.len();
            self.containers += stray.containers.len();
            self.broken += stray.broken.len();
            self.folders += usize::from(stray.has_folder);
        }
        self.not_removed(out, left);
    }

    fn not_removed(&mut self, out: &mut dyn Write, left: Vec<String>) {
        self.left += left.len();
        for what in left {
            let _ = writeln!(out, "  NOT REMOVED: {what}");
        }
    }
}

/// A run and what is left of it.
fn tell(out: &mut dyn Write, stray: &Stray) -> io::Result<()> {
    writeln!(out, "a run whose runner, process {}, is gone", stray.runner)?;
    if let Some(keeper) = stray.keeper {
        writeln!(out, "  process {keeper}: its keeper, which has yet to take it down")?;
    }
    for (pid, command) in &stray.processes {
        let command: String = command.chars().map(|c| if c.is_control() { ' ' } else { c }).take(100).collect();
        writeln!(out, "  process {pid}: {command}")?;
    }
    for what in &stray.containers {
        writeln!(out, "  {what}")?;
    }
    for container in &stray.broken {
        writeln!(out, "  container {container}: another's, and broken by this run")?;
    }
    if stray.has_folder { writeln!(out, "  {}", stray.folder.display()) } else { Ok(()) }
}

/// What is not touched.
fn others(out: &mut dyn Write, found: &Found, logs: bool) -> io::Result<()> {
    for folder in &found.alive {
        writeln!(out, "alive, and not touched: {}", folder.display())?;
    }
    for folder in &found.elsewhere {
        writeln!(out, "of another machine or container, and not touched: {}", folder.display())?;
    }
    if !logs && !found.kept.is_empty() {
        let these =
            if found.kept.len() == 1 { "the logs of 1 run" } else { &format!("the logs of {} runs", found.kept.len()) };
        writeln!(out, "kept: {these} that did not pass (--logs removes them)")?;
    }
    Ok(())
}

fn last(out: &mut dyn Write, found: &Found, args: &Heal, temp: &Path, removed: &Removed) -> io::Result<()> {
    let count = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let nothing = found.strays.is_empty() && (!args.logs || found.kept.is_empty());
    if nothing {
        return writeln!(out, "no strays of runs in {}", temp.display());
    }
    if args.dry_run {
        return writeln!(out, "nothing was removed (--dry-run)");
    }
    let (processes, folders) =
        (count(removed.processes, "process", "processes"), count(removed.folders, "folder", "folders"));
    match removed.containers {
        0 => write!(out, "removed {processes} and {folders}")?,
        containers => {
            let containers = count(containers, "container or network", "containers and networks");
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
