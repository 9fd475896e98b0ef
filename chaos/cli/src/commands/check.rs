//! `chaos check FILE…`: looks for mistakes, starts nothing.

use super::read;
use crate::{args::Check, exit::Exit, machine::Machine};
use chaos_model::Scenario;
use std::io::Write as _;

pub(crate) fn check(machine: &Machine, args: &Check) -> Exit {
    let files = match read::files(&args.reading.files) {
        Ok(files) => files,
        Err(why) => return super::refuse("check", &why),
    };
    let sets = read::sets(&args.reading.sets);
    let mut exit = Exit::Pass;
    let mut out = std::io::stdout().lock();
    for file in files {
        let scenario = read::load(machine, &file, &sets);
        let fits = |scenario: &Scenario| read::fits(machine, scenario, &args.worlds, |_| Ok(()));
        match scenario.filter(fits) {
            Some(scenario) => {
                if let Some(warnings) = scenario.warnings() {
                    eprint!("{}", warnings.render(machine.colour_errors, machine.width));
                }
                let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
                // A reader that has seen enough changes nothing about what is valid.
                let _ = writeln!(
                    out,
                    "{}: valid, {}, {}, {}",
                    file.display(),
                    count(scenario.faults.len(), "fault"),
                    count(scenario.expectations.len(), "expectation"),
                    count(scenario.guards.len(), "guard"),
                );
            }
            None => exit = Exit::Invalid,
        }
    }
    exit
}
