//! `chaos prove FILE…`: each scenario passes with all its protections, and each guard takes one away: then the expectations
//! that it names must break, and no others but those that may.

use super::{
    read,
    reports::Recorders,
    session::{self, Session},
};
use crate::{args::Prove, exit::Exit, machine::Machine};
use chaos_model::{Guard, Record, Scenario, Verdict};
use chaos_report::{GuardResult, Outcome, RunResult, results::Invalid, summary};
use chaos_run::Options;
use std::path::{Path, PathBuf};

pub(crate) fn prove(machine: &Machine, args: &Prove) -> Exit {
    let files = match read::files(&args.reading.files) {
        Ok(files) => files,
        Err(why) => return super::refuse("prove", &why),
    };
    let args = &match read::in_their_world(&args.running, &files) {
        Ok(running) => Prove { running, ..args.clone() },
        Err(why) => return super::refuse("prove", &why),
    };
    if args.running.worlds.len() > 1 {
        return super::refuse("prove", "guards are proven in one world at a time: name one");
    }
    if let Err(why) = session::check(machine, &args.running) {
        return super::refuse("prove", &why);
    }
    let mut proofs = Vec::new();
    for file in files {
        match Proof::read(machine, &file, args) {
            Ok(proof) => proofs.push(proof),
            Err(invalid) => return not_valid(machine, args, &invalid),
        }
    }
    proofs.retain(|proof| !proof.guards.is_empty());
    if proofs.is_empty() {
        return super::refuse("prove", "there is no guard in these scenarios, so there is nothing to prove");
    }
    let recorders = match Recorders::open(machine, &args.running) {
        Ok(recorders) => recorders,
        Err(why) => return super::refuse("prove", &why),
    };
    super::in_runtime("prove", async || {
        let session = Session::new(machine, &args.running, recorders)?;
        let results = prove_all(&session, &proofs, &read::texts(&args.reading.sets)).await;
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

/// Ends the command, since a scenario is not valid; its reports say so.
fn not_valid(machine: &Machine, args: &Prove, invalid: &Invalid) -> Exit {
    let told = Recorders::open(machine, &args.running).and_then(|mut recorders| {
        recorders.invalid(invalid);
        recorders.finish().map_err(|error| format!("can't write the report: {error}"))
    });
    match told {
        Ok(()) => Exit::Invalid,
        Err(why) => super::refuse("prove", &why),
    }
}

/// A scenario's guards, and what they are compared with.
struct Proof {
    file: PathBuf,
    /// The scenario with all its protections.
    unharmed: Scenario,
    /// Each guard with the scenario without its protection.
    guards: Vec<(Guard, Scenario)>,
}

impl Proof {
    /// Reads a scenario, and once more for each guard that this world can try. People have been told where it is not valid.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(machine: &Machine, file: &Path, args: &Prove) -> Result<Self, Invalid> {
        let sets = read::sets(&args.reading.sets);
        let unharmed = read::load_to_run(machine, file, &sets, &args.running)?;
        let (judged, _) = unharmed.clone().in_world(args.running.world().name());
        let without = |guard: Guard| {
            let sets: Vec<_> = sets.iter().chain(&guard.set).cloned().collect();
            Ok((guard, read::load_to_run(machine, file, &sets, &args.running)?))
        };
        let guards = judged.guards.into_iter().map(without).collect::<Result<_, _>>()?;
        Ok(Self { file: file.to_owned(), unharmed, guards })
    }
}

/// Runs each scenario with all its protections first: what does not hold there, no guard has broken. Where it passes, each
/// guard is tried. Where a signal ends the session, what was not tried is left out.
async fn prove_all(session: &Session, proofs: &[Proof], sets: &[String]) -> Vec<GuardResult> {
    let options = |proof: &Proof, without| Options {
        file: proof.file.display().to_string(),
        without,
        sets: sets.to_vec(),
        ..Options::default()
    };
    let unharmed = proofs.iter().map(|proof| (proof.unharmed.clone(), options(proof, None)));
    let mut held: Vec<RunResult> = Vec::new();
    session.run_each(unharmed.collect(), |records| held.push(RunResult::of(records))).await;
    let mut tries = Vec::new();
    for (proof, unharmed) in proofs.iter().zip(&held) {
        tries.extend(proof.guards.iter().map(|(guard, scenario)| (proof, unharmed, guard, scenario)));
    }
    let passes = |unharmed: &RunResult| unharmed.outcome == Outcome::Verdict(Verdict::Pass);
    let runs = tries.iter().filter(|(_, unharmed, ..)| passes(unharmed)).map(|(proof, _, guard, scenario)| {
        let options = options(proof, Some(guard.without.clone()));
        ((*scenario).clone(), options)
    });
    let mut made: Vec<Vec<Record>> = Vec::new();
    session.run_each(runs.collect(), |records| made.push(records.to_vec())).await;
    let mut made = made.into_iter();
    let result = |(_, unharmed, guard, _): (&Proof, &RunResult, &Guard, &Scenario)| {
        if !passes(unharmed) {
            return Some(GuardResult::not_tried(guard, unharmed));
        }
        made.next().map(|records| GuardResult::of(guard, unharmed, &records))
    };
    tries.into_iter().map_while(result).collect()
}
