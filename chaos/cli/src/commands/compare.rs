//! `chaos run --world sim,local FILE…`: the same scenarios with the same seed in several worlds, and where these do not
//! come to the same.

use super::{read, session::Session};
use crate::args::{Run, WorldName};
use chaos_model::{Record, Scenario};
use chaos_report::ComparisonResult;
use std::path::PathBuf;

/// Runs all scenarios in the first world, then in the next, and compares each world with the first. Where a signal ends
/// the session, those that were not run in all worlds are left out.
pub(super) async fn run_all(
    session: &Session,
    scenarios: &[(PathBuf, Option<Scenario>)],
    args: &Run,
) -> Vec<ComparisonResult> {
    let worlds = &args.running.worlds;
    let mut made: Vec<Vec<Vec<Record>>> = Vec::new();
    for world in worlds {
        let valid =
            scenarios.iter().filter_map(|(file, scenario)| Some((scenario.clone()?, read::options(file, args))));
        let mut in_this = Vec::new();
        session.run_each_in(*world, valid.collect(), |records| in_this.push(records.to_vec())).await;
        made.push(in_this);
    }
    let whole = made.iter().map(Vec::len).min().unwrap_or(0);
    let mut nth = 0..whole;
    let mut results = Vec::new();
    for (file, scenario) in scenarios {
        let number = if scenario.is_some() { nth.next() } else { None };
        if scenario.is_some() && number.is_none() {
            break;
        }
        for (other, records) in worlds.iter().zip(&made).skip(1) {
            results.push(match number {
                Some(n) => ComparisonResult::of([&made[0][n], &records[n]]),
                None => invalid(file, [worlds[0], *other]),
            });
        }
    }
    results
}

fn invalid(file: &std::path::Path, worlds: [WorldName; 2]) -> ComparisonResult {
    ComparisonResult::invalid(&file.display().to_string(), worlds.map(WorldName::name))
}
