//! `chaos run --control FILE…`: each scenario with its faults, and once more without. Where nothing comes out
//! otherwise, the scenario shows nothing about its faults.

use super::{read, session::Session};
use crate::args::Run;
use chaos_model::{Record, Scenario};
use chaos_report::{ControlResult, Outcome};
use chaos_run::Options;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Runs these scenarios with and without their faults. Where a signal ends the session, those that were not run both
/// ways are left out.
pub(crate) async fn run_all(
    session: &Session,
    scenarios: &[(PathBuf, Option<Scenario>)],
    args: &Run,
) -> Vec<ControlResult> {
    let mut results = Vec::new();
    for (file, scenario) in scenarios {
        let Some(scenario) = scenario else {
            results.push(invalid(file));
            continue;
        };
        let options = |control| Options {
            file: file.display().to_string(),
            sets: read::texts(&args.reading.sets),
            only: args.expect.clone(),
            control,
            ..Options::default()
        };
        if session.interrupted() {
            session.not_run(args.running.world(), &options(false));
            continue;
        }
        let with = session.run(scenario, options(false)).await;
        // Without a judgement there is nothing to compare.
        let judged = matches!(Outcome::of(&with), Outcome::Verdict(_));
        if judged && session.interrupted() {
            session.not_run(args.running.world(), &options(true));
            continue;
        }
        // A second run of the whole, and not a look at the baseline: caches are as warm, and the load is as long.
        let without: Option<Vec<Record>> = if judged { Some(session.run(scenario, options(true)).await) } else { None };
        results.push(ControlResult::of(&with, without.as_deref()));
    }
    results
}

fn invalid(file: &Path) -> ControlResult {
    ControlResult {
        file: file.display().to_string(),
        run: Outcome::Invalid,
        control: None,
        expectations: Vec::new(),
        met: 0,
        untold: Vec::new(),
        took: Duration::ZERO,
    }
}
