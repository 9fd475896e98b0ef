//! `chaos run --seeds 1..1000 FILE…`: the same scenario with other draws, until one comes out badly.

use super::{read, session::Session};
use crate::args::Run;
use chaos_model::{Scenario, Verdict};
use chaos_report::{Outcome, RunResult};
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
    for (file, scenario) in scenarios {
        let Some(scenario) = scenario else { return Ok(Outcome::Invalid) };
        let options = |seed| Options {
            file: file.display().to_string(),
            seed,
            sets: read::texts(&args.reading.sets),
            only: args.expect.clone(),
            ..Options::default()
        };
        let mut made = 0_u64;
        let mut bad = None;
        let runs = (first..=last).map(|seed| (scenario.clone(), options(seed)));
        session
            .run_quietly(runs, |records| {
                made += 1;
                let outcome = Outcome::of(records);
                if outcome == Outcome::Verdict(Verdict::Pass) {
                    return true;
                }
                bad = Some(RunResult::of(records));
                false
            })
            .await;
        let file = file.display();
        let Some(bad) = bad else {
            if session.interrupted() {
                return Ok(Outcome::Interrupted);
            }
            session.say(&format!("{file}: seeds {first}..{last}: all {} pass\n", count(made)))?;
            continue;
        };
        if made > 1 {
            let before = count(made - 1);
            session.say(&format!("\n{file}: {before} passed before this one\n"))?;
        }
        return Ok(bad.outcome);
    }
    Ok(Outcome::Verdict(Verdict::Pass))
}

fn count(runs: u64) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
}
