//! Plants classic mistakes in the gateway, one at a time, explores the bundled system, and sees whether each is found:
//! `gateway-mistakes mistakes [--whole] [--out FOLDER] [NAME…]` (all of them where none is named). It has to be shrunk to at most
//! two faults, and what is written of it has to fail with the mistake and to pass without. A gateway without a mistake has no finding
//! at all.
//!
//! It explores the links on which the mistake can be met; `--whole` explores all of them. With any other words it is `chaos`, whose
//! gateway can have these mistakes: `gateway-mistakes run FOLDER --world local`.

mod mistakes;
mod system;

use chaos_cli::{Bundle, Program};
use chaos_model::Verdict;
use mistakes::{MISTAKES, Planted};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use tokio::time::Instant;

/// The allocator of the command.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Cases of an exploration at the most.
const CASES: u64 = 4000;

const PROGRAMS: &[Program] = &[
    Program { name: "gateway", run: |host| Box::pin(async { Ok(gateway::run(host).await?) }) },
    Program { name: "user-service", run: |host| Box::pin(async { Ok(services::user::run(host).await?) }) },
    Program { name: "order-service", run: |host| Box::pin(async { Ok(services::order::run(host).await?) }) },
    Program { name: "product-service", run: |host| Box::pin(async { Ok(services::product::run(host).await?) }) },
    Program { name: "redis", run: |host| Box::pin(async { Ok(chaos_redis::run(host).await?) }) },
];

/// Wishes of the command line.
#[derive(Default)]
struct Wanted {
    names: Vec<String>,
    is_whole: bool,
    /// The folder that gets a scenario of each mistake.
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() != Some("mistakes") {
        return chaos_cli::main(Bundle { programs: PROGRAMS, ..Bundle::NONE });
    }
    let mut wanted = Wanted::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--whole" => wanted.is_whole = true,
            "--out" => wanted.out = words.next().map(PathBuf::from),
            _ => wanted.names.push(word),
        }
    }
    match all(&wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn all(wanted: &Wanted) -> Result<(), String> {
    let names = &wanted.names;
    let planted = gateway::mistakes();
    let without = planted.iter().find(|name| !MISTAKES.iter().any(|row| row.name == **name));
    if let Some(name) = without {
        return Err(format!("nothing says by which links `{name}` is to be found"));
    }
    if let Some(unknown) = names.iter().find(|name| !planted.contains(name)) {
        return Err(format!("`{unknown}` is no mistake: there are {}", planted.join(", ")));
    }
    let chosen: Vec<&Planted> =
        MISTAKES.iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name)).collect();
    let mut wrong: Vec<String> = Vec::new();
    for row in &chosen {
        wrong.extend(is_found(row, wanted).err().map(|why| format!("{}: {why}", row.name)));
    }
    let mut on: Vec<&str> = chosen.iter().flat_map(|row| row.on.iter().copied()).collect();
    on.sort_unstable();
    on.dedup();
    wrong.extend(good(if wanted.is_whole { &[] } else { &on }).err());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n\n")) }
}

/// The mistake is found as what it is, and what is written of it fails with it alone.
fn is_found(row: &Planted, wanted: &Wanted) -> Result<(), String> {
    let began = Instant::now();
    let on: &[&str] = if wanted.is_whole { &[] } else { row.on };
    let explored = system::explored(row.name, on, row.pairs, CASES)?;
    let finding = explored.findings.iter().find(|finding| row.kinds.contains(&finding.kind));
    let finding = finding.ok_or_else(|| format!("it was not found as any of {:?}\n{explored}", row.kinds))?;
    if finding.faults.len() > 2 {
        return Err(format!("it was not shrunk to two faults\n{}", finding.scenario));
    }
    for finding in &explored.findings {
        for seed in &finding.seeds {
            let with = system::verdict(&finding.scenario, row.name, *seed)?;
            let without = system::verdict(&finding.scenario, "none", *seed)?;
            if (with, without) != (Some(Verdict::Fail), Some(Verdict::Pass)) {
                return Err(format!(
                    "with the mistake, and without it, with the seed {seed}: {with:?}, {without:?}\n{}",
                    finding.scenario
                ));
            }
        }
    }
    if let Some(folder) = &wanted.out {
        kept(folder, row.name, &finding.scenario)?;
    }
    println!(
        "{}: {} of {} findings is {}: {} ({} cases, {:.1} s)",
        row.name,
        1 + explored.findings.iter().position(|other| other.name == finding.name).unwrap_or_default(),
        explored.findings.len(),
        finding.that,
        finding.faults.join(" and "),
        explored.cases,
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

fn kept(folder: &Path, name: &str, scenario: &str) -> Result<(), String> {
    let written =
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(folder.join(format!("{name}.toml")), scenario));
    written.map_err(|error| format!("can't write to {}: {error}", folder.display()))
}

/// Nothing is found where nothing was planted.
fn good(on: &[&str]) -> Result<(), String> {
    let began = Instant::now();
    let explored = system::explored("none", on, false, CASES)?;
    if explored.has_news() {
        return Err(format!("a gateway without a mistake has findings\n{explored}"));
    }
    println!("none: nothing found ({} cases, {:.1} s)", explored.cases, began.elapsed().as_secs_f64());
    Ok(())
}
