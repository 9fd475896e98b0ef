//! `chaos run FILE…`.

use super::{
    compare, control, read,
    reports::Recorders,
    seeds,
    session::{self, Session},
};
use crate::{
    args::{Run, WorldName},
    exit::Exit,
    machine::Machine,
};
use chaos_model::Scenario;
use chaos_report::{ComparisonResult, ControlResult, Outcome, RunResult, summary};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) fn run(machine: &Machine, args: &Run) -> Exit {
    let files = match read::files(&args.reading.files) {
        Ok(files) => files,
        Err(why) => return super::refuse("run", &why),
    };
    let args = &match read::in_their_world(&args.running, &files) {
        Ok(running) => Run { running, ..args.clone() },
        Err(why) => return super::refuse("run", &why),
    };
    if let Err(why) = consistent(args, files.len()) {
        return super::refuse("run", why);
    }
    if let Err(why) = session::check(machine, &args.running) {
        return super::refuse("run", &why);
    }
    let sets = read::sets(&args.reading.sets);
    let (mut scenarios, mut invalid) = (Vec::new(), Vec::new());
    for file in files {
        let scenario = match read::load_to_run(machine, &file, &sets, &args.running) {
            Ok(scenario) => match choose(scenario, &args.expect) {
                Ok(scenario) => Some(scenario),
                Err(why) => return super::refuse("run", &format!("{}: {why}", file.display())),
            },
            Err(why) => {
                invalid.push(why);
                None
            }
        };
        scenarios.push((file, scenario));
    }
    let mut recorders = match Recorders::open(machine, &args.running) {
        Ok(recorders) => recorders,
        Err(why) => return super::refuse("run", &why),
    };
    invalid.iter().for_each(|why| recorders.invalid(why));
    super::in_runtime("run", async || {
        let session = Session::new(machine, &args.running, recorders)?.tracing(args.trace);
        let exit = if let Some(seeds) = args.seeds {
            with_seeds(session, &scenarios, seeds, args).await
        } else if args.running.worlds.len() > 1 {
            in_several_worlds(session, &scenarios, args).await
        } else if args.control {
            with_control(session, &scenarios, args).await
        } else {
            without_control(session, &scenarios, args).await
        };
        exit.map_err(|error| format!("can't write the report: {error}"))
    })
}

/// Checks that these options go together, as far as clap can't.
fn consistent(args: &Run, files: usize) -> Result<(), &'static str> {
    let worlds = &args.running.worlds;
    let simulated = worlds.contains(&WorldName::Sim);
    if worlds.iter().enumerate().any(|(n, world)| worlds[..n].contains(world)) {
        return Err("--world names a world twice: it is compared with others");
    }
    if worlds.len() > 1 && (args.control || args.keep || args.seeds.is_some()) {
        return Err("--control, --keep and --seeds are for one world");
    }
    if !simulated && args.seeds.is_some() {
        return Err("--seeds is for `--world sim`, where a run takes no time");
    }
    if args.trace.is_some() && (*worlds != [WorldName::Sim] || files > 1) {
        return Err("--trace is for `--world sim` and one scenario");
    }
    if args.keep && simulated {
        return Err("--keep is for worlds of real processes: a simulation ends with its command");
    }
    if args.keep && files > 1 {
        return Err("--keep leaves one system up, and these are several scenarios: name one");
    }
    Ok(())
}

async fn without_control(session: Session, scenarios: &[(PathBuf, Option<Scenario>)], args: &Run) -> io::Result<Exit> {
    let results = run_all(&session, scenarios, args).await;
    let left_out = scenarios.len() - results.len();
    let outcome = Outcome::worst(results.iter().map(|result| result.outcome));
    session.finish(|mut out, style| {
        if scenarios.len() < 2 {
            return Ok(());
        }
        writeln!(out, "\n")?;
        summary::runs(&mut out, style, &results)?;
        tell_left_out(out, left_out)
    })?;
    Ok(ended(outcome, left_out))
}

async fn with_seeds(
    session: Session,
    scenarios: &[(PathBuf, Option<Scenario>)],
    seeds: (u64, u64),
    args: &Run,
) -> io::Result<Exit> {
    let outcome = seeds::run_all(&session, scenarios, seeds, args).await?;
    session.finish(|_, _| Ok(()))?;
    Ok(Exit::Runs(outcome))
}

async fn with_control(session: Session, scenarios: &[(PathBuf, Option<Scenario>)], args: &Run) -> io::Result<Exit> {
    let results = control::run_all(&session, scenarios, args).await;
    let left_out = scenarios.len() - results.len();
    let outcome = Outcome::worst(results.iter().map(ControlResult::outcome));
    session.finish(|mut out, style| {
        writeln!(out, "\n")?;
        summary::controls(&mut out, style, &results)?;
        tell_left_out(out, left_out)
    })?;
    Ok(ended(outcome, left_out))
}

async fn in_several_worlds(
    session: Session,
    scenarios: &[(PathBuf, Option<Scenario>)],
    args: &Run,
) -> io::Result<Exit> {
    let results = compare::run_all(&session, scenarios, args).await;
    let left_out = scenarios.len().saturating_sub(results.len() / (args.running.worlds.len() - 1));
    let outcome = Outcome::worst(results.iter().map(ComparisonResult::outcome));
    session.finish(|mut out, style| {
        writeln!(out, "\n")?;
        summary::comparisons(&mut out, style, &results)?;
        tell_left_out(out, left_out)
    })?;
    Ok(ended(outcome, left_out))
}

fn tell_left_out(out: &mut dyn Write, left_out: usize) -> io::Result<()> {
    if left_out > 0 { writeln!(out, "interrupted: {left_out} not run") } else { Ok(()) }
}

/// The exit code of the whole: a scenario that was not run has not passed.
fn ended(outcome: Outcome, left_out: usize) -> Exit {
    Exit::Runs(if left_out > 0 { Outcome::Interrupted } else { outcome })
}

async fn run_all(session: &Session, scenarios: &[(PathBuf, Option<Scenario>)], args: &Run) -> Vec<RunResult> {
    let valid = scenarios.iter().filter_map(|(file, scenario)| Some((scenario.clone()?, read::options(file, args))));
    let mut made = Vec::new();
    session.run_each(valid.collect(), |records| made.push(RunResult::of(records))).await;
    let mut made = made.into_iter();
    // Those that were not run any more are left out, and so is all that comes after them.
    let result = |(file, scenario): &(PathBuf, Option<Scenario>)| match scenario {
        Some(_) => made.next(),
        None => Some(invalid(file)),
    };
    scenarios.iter().map_while(result).collect()
}

fn invalid(file: &Path) -> RunResult {
    RunResult {
        file: file.display().to_string(),
        title: String::new(),
        outcome: Outcome::Invalid,
        took: Duration::ZERO,
        failed: Vec::new(),
    }
}

/// The scenario with the wanted expectations alone; all of them where none is asked for.
pub(super) fn choose(mut scenario: Scenario, wanted: &[String]) -> Result<Scenario, String> {
    if wanted.is_empty() {
        return Ok(scenario);
    }
    let names: Vec<String> = scenario.expectations.iter().map(|expectation| expectation.that.clone()).collect();
    let mut chosen = Vec::new();
    for want in wanted {
        let exact = names.iter().filter(|that| *that == want);
        let parts = names.iter().filter(|that| that.contains(want.as_str()));
        let found: Vec<_> = if exact.clone().next().is_some() { exact.collect() } else { parts.collect() };
        match found[..] {
            [that] => chosen.push(that.clone()),
            [] => return Err(format!("no expectation is called `{want}`; there are:\n  {}", names.join("\n  "))),
            _ => return Err(format!("`{want}` is part of several expectations:\n  {}", names.join("\n  "))),
        }
    }
    scenario.expectations.retain(|expectation| chosen.contains(&expectation.that));
    Ok(scenario)
}
