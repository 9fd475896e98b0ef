//! Simulates the same again and again, each time in a process of its own, and compares every byte of events and logs.
//!
//! `determinism COMMAND SEEDS PROCESSES`, where the command is `chaos`, built for release (`.ci/determinism` builds
//! both). First every shipped scenario, then one with all effects at once, with each of the seeds. What differs is
//! reported at its first differing event. An effect that acted with none of the seeds is a failure too: nothing was
//! shown of it.

mod everything;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments.get(index).and_then(|argument| argument.parse::<u64>().ok());
    let chaos = arguments.first().map(std::fs::canonicalize);
    let (Some(Ok(chaos)), Some(seeds), Some(processes)) = (chaos, number(1), number(2)) else {
        eprintln!("determinism COMMAND SEEDS PROCESSES");
        return ExitCode::from(2);
    };
    match all(&chaos, seeds, processes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn all(chaos: &Path, seeds: u64, processes: u64) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no folder to work in: {error}"))?;
    let shipped = Path::new("scenarios");
    let hash = hash_of(&equal(chaos, shipped, 1, processes, scratch.path())?);
    println!("all shipped scenarios, seed 1: {processes} processes, hash {hash:016x}");
    let file = scratch.path().join("everything_at_once.toml");
    let text = everything::scenario(&std::path::absolute(shipped.join("system.toml")).map_err(|e| e.to_string())?);
    std::fs::write(&file, text).map_err(|error| format!("can't write {}: {error}", file.display()))?;
    let (mut hashes, mut fired) = (BTreeMap::new(), everything::FiredIn::default());
    for seed in 1..=seeds {
        let written = equal(chaos, &file, seed, processes, scratch.path())?;
        fired.fold(written.get(EVENTS).map_or(&[], Vec::as_slice))?;
        let hash = hash_of(&written);
        println!("all effects at once, seed {seed}: {processes} processes, hash {hash:016x}");
        if let Some(other) = hashes.insert(hash, seed) {
            return Err(format!("seeds {other} and {seed} make the same run: the seed is not heard"));
        }
    }
    let missing = fired.missing();
    if seeds > 0 && !missing.is_empty() {
        return Err(format!("with none of {seeds} seeds these effects did anything: {}", missing.join(", ")));
    }
    Ok(())
}

/// Runs it in so many processes and gives what they all wrote.
fn equal(chaos: &Path, scenario: &Path, seed: u64, processes: u64, scratch: &Path) -> Result<Written, String> {
    // Always in the same folder: the command line is among what is written.
    let first = run(chaos, scenario, seed, &scratch.join("run"))?;
    for n in 1..processes {
        let other = run(chaos, scenario, seed, &scratch.join("run"))?;
        if let Some(difference) = difference(&first, &other) {
            return Err(format!("{}, seed {seed}: process {n} differs: {difference}", scenario.display()));
        }
    }
    Ok(first)
}

/// Everything that a run writes, by file: its events, and what its services log.
type Written = BTreeMap<String, Vec<u8>>;

/// The file of the events.
const EVENTS: &str = "events.jsonl";

fn hash_of(written: &Written) -> u64 {
    let parts: Vec<&[u8]> = written.iter().flat_map(|(file, bytes)| [file.as_bytes(), bytes.as_slice()]).collect();
    host::hash(0, &parts)
}

fn run(chaos: &Path, scenario: &Path, seed: u64, folder: &Path) -> Result<Written, String> {
    let _ = std::fs::remove_dir_all(folder);
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    let status = Command::new(chaos)
        .arg("run")
        .arg(scenario)
        .args(["--world", "sim", "--seed", &seed.to_string()])
        .arg("--json")
        .arg(folder.join(EVENTS))
        .arg("--logs")
        .arg(folder.join("logs"))
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("{}: {error}", chaos.display()))?;
    // What is judged is another matter: it has to be judged alike.
    if !matches!(status.code(), Some(0 | 1 | 4)) {
        return Err(format!("{}, seed {seed}: the run ended with {status}", scenario.display()));
    }
    let mut written = Written::new();
    read(folder, folder, &mut written).map_err(failed)?;
    Ok(written)
}

fn read(root: &Path, folder: &Path, written: &mut Written) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            read(root, &path, written)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            written.insert(name, std::fs::read(&path)?);
        }
    }
    Ok(())
}

/// The first difference, in words: events before logs, since they say what it came to.
fn difference(one: &Written, other: &Written) -> Option<String> {
    for (file, bytes) in one {
        let Some(others) = other.get(file) else { return Some(format!("{file} was written by one alone")) };
        if bytes == others {
            continue;
        }
        let (mut lines, mut theirs) = (bytes.split(|b| *b == b'\n'), others.split(|b| *b == b'\n'));
        for n in 1.. {
            let (line, their) = (lines.next().unwrap_or_default(), theirs.next().unwrap_or_default());
            if line != their {
                let [line, their] = [line, their].map(String::from_utf8_lossy);
                return Some(format!("{file}, line {n}\n  one:   {line}\n  other: {their}"));
            }
        }
    }
    let only = other.keys().find(|file| !one.contains_key(*file))?;
    Some(format!("{only} was written by one alone"))
}
