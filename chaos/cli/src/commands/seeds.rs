//! `chaos run --seeds 1..1000 FILE…`: the same scenario with other draws, until one comes out badly.

use super::{
    read,
    session::{Session, Step},
};
use crate::args::{Run, WorldName};
use chaos_model::{Scenario, Verdict};
use chaos_report::Outcome;
use chaos_run::Options;
use std::{io, path::PathBuf};

/// Runs each scenario with each seed, and stops at the first that does not pass: that one is reported in full, with the
/// command that makes it again. Gives what came of each scenario, those after the stop left out.
pub(crate) async fn run_all(
    session: &Session,
    scenarios: &[(PathBuf, Option<Scenario>)],
    (first, last): (u64, u64),
    args: &Run,
) -> io::Result<Outcome> {
    let mut worst = Outcome::Verdict(Verdict::Pass);
    for (file, scenario) in scenarios {
        let Some(scenario) = scenario else {
            // What is wrong with it was said. The others are looked at all the same.
            worst = Outcome::Invalid;
            continue;
        };
        let options = |seed| Options {
            file: file.display().to_string(),
            seed,
            sets: read::texts(&args.reading.sets),
            only: args.expect.clone(),
            ..Options::default()
        };
        let mut passed = 0_u64;
        let mut bad = None;
        let runs = (first..=last).map(|seed| (scenario.clone(), options(seed)));
        session
            .run_quietly(runs, |records| {
                let outcome = Outcome::of(records);
                if outcome == Outcome::Verdict(Verdict::Pass) {
                    passed += 1;
                    return Step { shown: false, more: true };
                }
                // One that panicked leaves no events.
                if records.is_empty() {
                    session.not_run(WorldName::Sim, &options(first + passed));
                }
                bad = Some(if records.is_empty() { Outcome::WorldFailed } else { outcome });
                // One that was interrupted is no find.
                Step { shown: !session.interrupted(), more: false }
            })
            .await;
        let (file, seed, passed) = (file.display(), first + passed, count(passed));
        if session.interrupted() {
            // The run that the signal met says so itself, if it met one.
            if bad.is_none() {
                session.not_run(WorldName::Sim, &options(seed));
            }
            session.say(&format!("{file}: interrupted, {passed} passed until then\n"))?;
            return Ok(Outcome::Interrupted);
        }
        let Some(bad) = bad else {
            session.say(&format!("{file}: seeds {first}..{last}: {passed} passed\n"))?;
            continue;
        };
        session.say(&format!("\n{file}: seed {seed} is the first that does not pass, {passed} passed before it\n"))?;
        return Ok(Outcome::worst([worst, bad]));
    }
    Ok(worst)
}

fn count(runs: u64) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
}
