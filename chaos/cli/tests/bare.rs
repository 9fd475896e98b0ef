//! A command that brings no programs: services are commands, and whatever names a built-in program is told which there are.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, helpers included")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

const SCENARIO: &str = r#"
title = "Users are away for a moment"
entry = "users"
[service.users]
START
ready   = "GET /health"

[load]
request   = "GET /users/{user}"
rate      = "50/s"
duration  = "1500ms"
vars.user = "uniform 1..1000"

[[fault]]
name   = "away"
on     = "client -> users"
effect = "refuse"
at     = "500ms"
for    = "400ms"

[[expect]]
that   = "nobody is answered without them"
during = "away"
unanswered.any = ">= 100%"
"#;

/// A folder with a scenario in which the users are started so.
fn folder(start: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tmp")).unwrap();
    std::fs::write(folder.path().join("users.toml"), SCENARIO.replace("START", start)).unwrap();
    folder
}

fn bare(folder: &Path, arguments: &[&str]) -> Output {
    // An example is built beside the tests' folder.
    let test = std::env::current_exe().unwrap();
    let program: PathBuf = test.ancestors().nth(2).unwrap().join("examples/bare");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("TMPDIR", folder.join("tmp")).env_remove("NO_COLOR");
    command.output().unwrap()
}

fn refused(start: &str, arguments: &[&str], wanted: &[&str]) {
    let folder = folder(start);
    let output = bare(folder.path(), arguments);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    for wanted in wanted {
        assert!(told.contains(wanted), "`{wanted}` is not in\n{told}");
    }
}

/// The user service, as the command of whoever has one.
fn own() -> String {
    let command = format!("command  = [{:?}, \"serve\", \"user-service\"]", env!("CARGO_BIN_EXE_chaos"));
    format!("{command}\nprotocol = \"http\"\nenv.PORT = \"{{self.port}}\"")
}

#[test]
fn a_program_that_only_other_builds_bring_is_named_with_what_to_do() {
    let wanted = [
        "this build of `chaos` comes without the program `user-service`",
        "users.toml:5:11",
        "no program is built in",
        "feature `bundled`",
        "`command = [\"./user-service\"]`",
    ];
    for arguments in [&["check", "users.toml"][..], &["run", "users.toml"], &["run", "--world", "sim", "users.toml"]] {
        refused("program = \"user-service\"", arguments, &wanted);
    }
}

#[test]
fn a_program_that_no_build_brings_is_told_apart() {
    let wanted = ["there is no built-in program called `stock`", "no program is built in; for your own"];
    refused("program = \"stock\"", &["check", "users.toml"], &wanted);
}

#[test]
fn the_simulation_says_that_it_needs_built_in_programs() {
    refused(
        &own(),
        &["run", "--world", "sim", "users.toml"],
        &["users.toml:4:", "service `users` runs a command, and a simulation runs functions of its"],
    );
}

#[test]
fn serving_says_that_there_is_nothing_to_serve() {
    let folder = folder("");
    let output = bare(folder.path(), &["serve", "gateway"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("this build brings no program called `gateway`; it brings: none"), "{told}");
}

#[test]
fn commands_are_run_and_broken() {
    let folder = folder(&own());
    let output = bare(folder.path(), &["run", "--world", "local", "users.toml"]);
    let (told, wrong) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    // A busy machine may leave the verdict open; a failure or a mistake it can't bring about.
    assert!(matches!(output.status.code(), Some(0 | 4)), "{told}{wrong}");
    assert!(told.contains("away begins") && told.contains("away ends"), "{told}{wrong}");
}
