//! Inputs that were found once, good ones, and a few new ones: none brings its target down.

use chaos_fuzz::{Budget, TARGETS, Target, replay, run};
use std::{path::Path, time::Duration};

/// Inputs of each target that are tried here; `.ci/fuzz` tries more.
const FEW: u64 = 1000;
/// Time for each, on a machine that is busy.
const SHORT: Duration = Duration::from_millis(400);

fn folder(target: &Target) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crashes").join(target.name)
}

/// All in one: panics of tasks are known by the process's hook alone.
#[test]
fn nothing_brings_a_target_down() {
    for target in TARGETS {
        for (nth, seed) in (target.seeds)().iter().enumerate() {
            replay(&target, seed).unwrap_or_else(|why| panic!("{}, seed {nth}: {why}", target.name));
        }
        for entry in std::fs::read_dir(folder(&target)).into_iter().flatten() {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            replay(&target, &input).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        }
        let outcome = run(&target, 1, Budget { inputs: FEW, time: SHORT }, |_| {});
        if let Some(found) = outcome.finding {
            panic!("{}: {}, by \"{}\"", target.name, found.why, found.input.escape_ascii());
        }
        assert!(outcome.inputs > 0);
    }
}

#[test]
fn inputs_that_were_found_belong_to_a_target() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crashes")).unwrap() {
        let entry = entry.unwrap();
        let (name, is_folder) = (entry.file_name().into_string().unwrap(), entry.path().is_dir());
        assert!(!is_folder || TARGETS.iter().any(|target| target.name == name), "{name} is no target");
    }
}
