//! `chaos run FILE…`.

use super::{
    read,
    session::{Recording, Session},
};
use crate::{args::Run, exit::Exit, machine::Machine};
use chaos_model::Scenario;
use chaos_report::{Outcome, RunResult, summary};
use chaos_run::Options;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) fn run(machine: &Machine, args: &Run) -> Exit {
    let files = match read::files(&args.reading.files) {
        Ok(files) => files,
        Err(why) => return super::refuse("run", &why),
    };
    if args.keep && files.len() > 1 {
        return super::refuse("run", "--keep leaves one system up, and these are several scenarios: name one");
    }
    let sets = read::sets(&args.reading.sets);
    let mut scenarios = Vec::new();
    for file in files {
        let scenario = read::load(machine, &file, &sets);
        let scenario = match scenario.map(|scenario| choose(scenario, &args.expect)).transpose() {
            Ok(scenario) => scenario,
            Err(why) => return super::refuse("run", &format!("{}: {why}", file.display())),
        };
        scenarios.push((file, scenario));
    }
    let recording = match Recording::open(&args.running) {
        Ok(recording) => recording,
        Err(why) => return super::refuse("run", &why),
    };
    super::in_runtime("run", async || {
        let session = Session::new(machine, &args.running, recording)?;
        let results = run_all(&session, &scenarios, args).await;
        let outcome = Outcome::worst(results.iter().map(|result| result.outcome));
        let left_out = scenarios.len() - results.len();
        // What was not run has not passed.
        let outcome = if left_out > 0 { Outcome::Interrupted } else { outcome };
        let written = session.finish(|mut out, style| {
            if scenarios.len() < 2 {
                return Ok(());
            }
            writeln!(out, "\n")?;
            summary::runs(&mut out, style, &results)?;
            if left_out > 0 { writeln!(out, "interrupted: {left_out} not run") } else { Ok(()) }
        });
        written.map_err(|error| format!("can't write the report: {error}"))?;
        Ok(Exit::Runs(outcome))
    })
}

async fn run_all(session: &Session, scenarios: &[(PathBuf, Option<Scenario>)], args: &Run) -> Vec<RunResult> {
    let mut results = Vec::new();
    for (file, scenario) in scenarios {
        if session.interrupted() {
            break;
        }
        let Some(scenario) = scenario else {
            results.push(invalid(file));
            continue;
        };
        let options = Options {
            file: file.display().to_string(),
            sets: read::texts(&args.reading.sets),
            only: args.expect.clone(),
            hold: args.keep,
            ..Options::default()
        };
        results.push(RunResult::of(&session.run(scenario, options).await));
    }
    results
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
fn choose(mut scenario: Scenario, wanted: &[String]) -> Result<Scenario, String> {
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
