//! Bugs that only a certain order of events brings about are found by `--seeds`, and the printed command finds them
//! again.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, helpers included")]

use std::{path::Path, process::Command};

/// Seeds that are tried at most.
const SEEDS: &str = "1..1000";
const SCENARIO: &str = "examples/planted/scenarios/shop.toml";

/// The output of a command, and its exit code.
fn planted(arguments: &[&str]) -> (String, Option<i32>) {
    // An example is built beside the tests' folder.
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    let output = Command::new(target.join("examples/planted"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

/// The expectation that a bug breaks is found broken, and by the printed command once more, with the same report.
fn is_found(bug: &str, breaks: &str) {
    let set = format!("service.shop.env.BUG={bug}");
    let (found, code) = planted(&["run", SCENARIO, "--world", "sim", "--seeds", SEEDS, "--set", &set]);
    assert_eq!(code, Some(1), "{found}");
    assert!(found.contains(&format!("FAIL  {breaks}")), "{found}");
    let (report, passed) = found.rsplit_once("\n\n").unwrap();
    let searched = passed.contains(" passed before it") && !passed.contains(", 0 runs passed before it");
    assert!(searched, "the very first seed finds it, which is no search\n{found}");
    let command = report.lines().find_map(|line| line.split_once("chaos run ")).unwrap().1;
    let arguments: Vec<&str> = std::iter::once("run").chain(command.split(' ')).collect();
    let (again, code) = planted(&arguments);
    assert_eq!((again.trim_end(), code), (report.trim_end(), Some(1)));
}

#[test]
fn a_lock_that_is_held_across_a_call() {
    is_found("lock", "nobody waits for others");
}

#[test]
fn a_ttl_that_starts_again() {
    is_found("ttl", "no price is too old");
}

#[test]
fn a_fallback_that_is_never_left() {
    is_found("fallback", "prices are back within a second");
}

/// The link that explorations break.
const ON: &str = "shop -> prices";

/// An exploration finds what no scenario is about, and what it writes fails by itself until the bug is gone.
#[test]
fn an_exploration_writes_what_fails_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let found = folder.path().join("found").display().to_string();
    let explore = [
        "explore",
        SCENARIO,
        "--on",
        ON,
        "--rate",
        "100",
        "--budget",
        "1",
        "--set",
        "service.shop.env.BUG=fallback",
        "--out",
        &found,
    ];
    let (report, code) = planted(&explore);
    assert_eq!(code, Some(1), "{report}");
    assert!(report.contains("responses are as before soon after the end"), "{report}");
    let (again, code) = planted(&["run", &found, "--world", "sim"]);
    assert_eq!(code, Some(1), "{again}");
    assert!(again.contains("FAIL  responses are as before soon after the end"), "{again}");
    let (mended, code) = planted(&["run", &found, "--world", "sim", "--set", "service.shop.env.BUG=none"]);
    assert_eq!(code, Some(0), "{mended}");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/explore.md")).unwrap();
    let written = std::fs::read_dir(&found).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let written: Vec<String> = written.collect();
    assert!(
        written.iter().any(|text| page.contains(text.as_str())),
        "put one of these into docs/explore.md\n{}",
        written.join("\n")
    );
}

#[test]
fn an_exploration_of_a_shop_without_a_bug_finds_nothing() {
    let (report, code) = planted(&["explore", SCENARIO, "--on", ON, "--rate", "5"]);
    assert_eq!(code, Some(0), "{report}");
}

#[test]
fn a_shop_without_a_bug_passes_with_each_seed() {
    let (report, code) = planted(&["run", SCENARIO, "--world", "sim", "--seeds", "1..50"]);
    assert_eq!(report.trim_end(), format!("{SCENARIO}: seeds 1..50: 50 runs passed"));
    assert_eq!(code, Some(0));
}
