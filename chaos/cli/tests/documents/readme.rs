//! The README is short, and what it shows is what the command prints.

use super::page::{blocks, read, root};
use std::process::Command;

const LONGEST: usize = 10_000;

#[test]
fn the_readme_is_short() {
    let length = read("README.md").len();
    assert!(length <= LONGEST, "{length} bytes");
}

#[test]
fn the_readme_shows_what_a_simulation_prints() {
    let shown = blocks(&read("README.md"), "console").into_iter().find(|block| block.starts_with("$ chaos run "));
    let shown = shown.expect("a run is shown");
    let (command, shown) = shown.split_once('\n').unwrap();
    let arguments = command.strip_prefix("$ chaos ").unwrap().split(' ');
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_chaos"));
    for name in ["NO_COLOR", "TERM", "COLUMNS", "RUST_LOG", "GITHUB_ACTIONS"] {
        chaos.env_remove(name);
    }
    let state = tempfile::tempdir().unwrap();
    let output = chaos.args(arguments).current_dir(root()).env("XDG_STATE_HOME", state.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "copy it into the README");
}

#[test]
fn the_readme_shows_a_scenario_that_ships() {
    let shown = blocks(&read("README.md"), "toml").remove(0);
    let shipped = read("scenarios/redis_down.toml");
    for part in shown.trim_end().split("\n\n") {
        assert!(shipped.contains(part), "scenarios/redis_down.toml has no\n{part}");
    }
}
