//! The monitoring that ships: rules, alerts and dashboards, held against real programs. What a machine lacks is shown as
//! ignored, by name and with the reason.

#[expect(dead_code, reason = "the tests of the whole command use more of it")]
#[path = "../command/support/mod.rs"]
mod support;

mod daemon;
mod dashboards;
mod model;
mod prometheus;
mod proof;
mod rules;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::path::{Path, PathBuf};

fn main() {
    let trials = vec![
        Trial::test("dashboards are as Grafana wants them", || {
            model::all_are_valid();
            Ok(())
        }),
        needs("promtool accepts the configuration and the rules", &["promtool"], rules::are_accepted),
        needs("alerts come and go in promtool's tests", &["promtool"], rules::tests_pass),
        needs(
            "every expression has data in a run, and alerts fire and resolve",
            &["prometheus", "promtool", "prometheus-redis-exporter", "prometheus-node-exporter", "redis-server"],
            proof::every_expression_has_data_and_alerts_fire_and_resolve,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A test that needs these programs.
fn needs(name: &str, programs: &'static [&str], test: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        let missing: Vec<&str> = programs.iter().copied().filter(|program| !on_path(program)).collect();
        if missing.is_empty() {
            test();
            return Ok::<_, Failed>(Completion::Completed);
        }
        Ok(Completion::ignored_with(format!("not on the path: {}", missing.join(", "))))
    })
}

fn on_path(program: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the test's own environment")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The folder of the monitoring that ships.
fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../monitoring").canonicalize().expect("it ships")
}

/// The files of a folder whose names end so, in the order of their names.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(end));
    files.sort();
    assert!(!files.is_empty(), "{} has no files that end in {end}", folder.display());
    files
}
