//! `chaos prove FILE…`: each guard takes a protection away, and exactly the expectations that it names must break.

use super::{
    read,
    reports::Recording,
    session::{self, Session},
};
use crate::{args::Prove, exit::Exit, machine::Machine};
use chaos_model::{Guard, Record, Scenario};
use chaos_report::{GuardResult, Outcome, summary};
use chaos_run::Options;
use std::path::PathBuf;

pub(crate) fn prove(machine: &Machine, args: &Prove) -> Exit {
    let files = match read::files(&args.reading.files) {
        Ok(files) => files,
        Err(why) => return super::refuse("prove", &why),
    };
    if args.running.worlds.len() > 1 {
        return super::refuse("prove", "guards are proven in one world at a time: name one");
    }
    if let Err(why) = session::check(machine, &args.running) {
        return super::refuse("prove", &why);
    }
    let mut guarded = Vec::new();
    for file in files {
        let sets = read::sets(&args.reading.sets);
        let Some(scenario) = read::load(machine, &file, &sets) else { return Exit::Invalid };
        let (scenario, _) = scenario.in_world(args.running.world().name());
        for guard in scenario.guards {
            let sets: Vec<_> = sets.iter().chain(&guard.set).cloned().collect();
            let Some(scenario) = read::load_to_run(machine, &file, &sets, &args.running) else { return Exit::Invalid };
            guarded.push((file.clone(), guard, scenario));
        }
    }
    if guarded.is_empty() {
        return super::refuse("prove", "there is no guard in these scenarios, so there is nothing to prove");
    }
    let recording = match Recording::open(machine, &args.running) {
        Ok(recording) => recording,
        Err(why) => return super::refuse("prove", &why),
    };
    super::in_runtime("prove", async || {
        let session = Session::new(machine, &args.running, recording)?;
        let results = prove_all(&session, &guarded, &read::texts(&args.reading.sets)).await;
        let outcome = if session.interrupted() {
            Outcome::Interrupted
        } else {
            Outcome::worst(results.iter().map(GuardResult::outcome))
        };
        let written = session.finish(|mut out, style| {
            writeln!(out, "\n")?;
            summary::guards(&mut out, style, &results)
        });
        written.map_err(|error| format!("can't write the report: {error}"))?;
        Ok(Exit::Runs(outcome))
    })
}

async fn prove_all(session: &Session, guarded: &[(PathBuf, Guard, Scenario)], sets: &[String]) -> Vec<GuardResult> {
    let run = |(file, guard, scenario): &(PathBuf, Guard, Scenario)| {
        let options = Options {
            file: file.display().to_string(),
            without: Some(guard.without.clone()),
            sets: sets.to_vec(),
            ..Options::default()
        };
        (scenario.clone(), options)
    };
    let mut results: Vec<GuardResult> = Vec::new();
    let made = |records: &[Record]| results.push(GuardResult::of(records, &guarded[results.len()].1.breaks));
    session.run_each(guarded.iter().map(run).collect(), made).await;
    results
}
