//! `chaos rerun FILE…`: recorded runs once more, from what their recordings hold.

mod again;

use super::{
    recorded::{RecordedScenario, Recording},
    reports::Recorders,
    session::{self, Session},
};
use crate::{
    args::{Rerun, Running, WorldName},
    exit::Exit,
    machine::Machine,
};
use again::Again;
use chaos_model::{Record, Verdict, event::Begin};
use chaos_report::{
    ControlResult, GuardResult, Outcome, RunResult, Style,
    json::ReadError,
    results::{Results, ScenarioResult, is_kept},
    summary,
};
use std::{
    io::{self, Write},
    path::Path,
};

pub(crate) fn rerun(machine: &Machine, args: &Rerun) -> Exit {
    let recordings = match args.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>() {
        Ok(recordings) => recordings,
        Err(why) => return super::refuse("rerun", &why),
    };
    let scenarios: Vec<RecordedScenario<'_>> =
        recordings.iter().flat_map(|records| RecordedScenario::all(records)).collect();
    let is_wanted = |one: &&RecordedScenario<'_>| !args.failed || one.outcome() != Outcome::Verdict(Verdict::Pass);
    let wanted: Vec<_> = scenarios.iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        return super::print("rerun", format!("nothing to run: all {} passed\n", scenarios.len()).as_bytes());
    }
    let begins: Vec<_> = wanted.iter().flat_map(|one| one.begins()).collect();
    let running = match running(&begins, args) {
        Ok(running) => running,
        Err(why) => return super::refuse("rerun", &why),
    };
    if let Err(why) = session::check(machine, &running) {
        return super::refuse("rerun", &why);
    }
    let mut runs = Vec::new();
    for begin in begins {
        match Again::of(machine, begin, &args.sets, &running) {
            Ok(again) => runs.push(again),
            Err(why) => return super::refuse("rerun", &why),
        }
    }
    let recorders = match Recorders::open(machine, &running) {
        Ok(recorders) => recorders,
        Err(why) => return super::refuse("rerun", &why),
    };
    super::in_runtime("rerun", async || {
        let session = Session::new(machine, &running, recorders)?;
        let outcome = make(&session, runs).await;
        outcome.finish(session).map_err(|error| format!("can't write the report: {error}"))
    })
}

/// The events of a recording.
///
/// # Errors
/// In words, for people: it is none, or one of another version.
fn read(file: &Path) -> Result<Vec<Record>, String> {
    let recording = Recording::open(file).map_err(|error| format!("can't read {}: {error}", file.display()))?;
    let mut records = Vec::new();
    for record in recording.records() {
        match record {
            Ok(record) => records.extend(Some(record).filter(|record| is_kept(&record.event))),
            // All that a run was made from is in its first event.
            Err(broken @ ReadError::CutOff { .. }) if !records.is_empty() => {
                super::complain("rerun", &format!("{}: {broken}", file.display()));
            }
            Err(broken) => return Err(format!("{}: {broken}", file.display())),
        }
    }
    Ok(records)
}

/// The options of a session in which these runs can be made.
///
/// # Errors
/// In words, for people: a world is not in this build, or their systems run in several places.
fn running(begins: &[&Begin], args: &Rerun) -> Result<Running, String> {
    let mut worlds: Vec<WorldName> = Vec::new();
    let mut place = args.place.clone();
    for begin in begins {
        let world = again::world(begin)?;
        if !worlds.contains(&world) {
            worlds.push(world);
        }
        let given = again::place(begin, world);
        same("--attach", &mut place.attach, given.attach, args.place.attach.is_some())?;
        #[cfg(feature = "docker")]
        same("--images", &mut place.images, given.images, args.place.images.is_some())?;
    }
    let seed = begins.first().map_or(1, |begin| begin.seed);
    Ok(Running { worlds, place, seed, outputs: args.outputs.clone() })
}

/// Takes over a path that a recorded run was given, unless the command line has it.
fn same<T: PartialEq>(option: &str, place: &mut Option<T>, given: Option<T>, is_anew: bool) -> Result<(), String> {
    match (&place, given) {
        (Some(one), Some(other)) if !is_anew && *one != other => {
            Err(format!("these runs differ in {option}: make them one at a time, or give {option} for all"))
        }
        (None, Some(given)) => {
            *place = Some(given);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Results of runs that were made once more.
struct Made {
    results: Results,
    each: Vec<RunResult>,
    left_out: usize,
}

/// Makes these runs, those of one world after another together.
async fn make(session: &Session, runs: Vec<Again>) -> Made {
    let (mut results, mut each, wanted) = (Results::default(), Vec::new(), runs.len());
    let mut rest = runs.into_iter().peekable();
    while let Some(world) = rest.peek().map(|next| next.world).filter(|_| !session.interrupted()) {
        let same = std::iter::from_fn(|| rest.next_if(|next| next.world == world));
        let same = same.map(|Again { scenario, options, .. }| (scenario, options)).collect();
        let on = |records: &[Record]| {
            records.iter().for_each(|record| results.on(record));
            each.push(RunResult::of(records));
        };
        session.run_each_seeded_in(world, same, on).await;
    }
    Made { left_out: wanted - each.len(), results, each }
}

impl Made {
    /// Writes what comes after the last run.
    ///
    /// # Errors
    /// Those of writing.
    fn finish(self, session: Session) -> io::Result<Exit> {
        let Self { results, each, left_out } = self;
        let scenarios = results.scenarios();
        let outcome = if scenarios.is_empty() {
            Outcome::worst(each.iter().map(|run| run.outcome))
        } else {
            Outcome::worst(scenarios.iter().map(ScenarioResult::outcome))
        };
        session.finish(|mut out, style| {
            if each.len() > 1 {
                writeln!(out, "\n")?;
                tables(&mut out, style, (&scenarios, &each))?;
            }
            if left_out > 0 { writeln!(out, "interrupted: {left_out} not run") } else { Ok(()) }
        })?;
        Ok(Exit::Runs(if left_out > 0 { Outcome::Interrupted } else { outcome }))
    }
}

/// Writes the tables that these runs were made for: of guards, of controls, or of all runs.
fn tables(
    mut out: &mut dyn Write,
    style: Style,
    (scenarios, each): (&[ScenarioResult], &[RunResult]),
) -> io::Result<()> {
    let runs = || scenarios.iter().filter_map(|one| if let ScenarioResult::Run(run) = one { Some(run) } else { None });
    let guards: Vec<GuardResult> = runs().flat_map(|run| run.guards.iter().cloned()).collect();
    let controls: Vec<ControlResult> = runs().filter_map(|run| run.control.clone()).collect();
    if !guards.is_empty() {
        summary::guards(&mut out, style, &guards)?;
    }
    if !controls.is_empty() {
        summary::controls(&mut out, style, &controls)?;
    }
    if guards.is_empty() && controls.is_empty() {
        summary::runs(&mut out, style, each)?;
    }
    Ok(())
}
