//! `docs/protections.md` is compared with the scenarios, the tests and the gateway's settings: a protection whose proof
//! is gone, or that nobody proves, is named.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The words in backticks.
fn names(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn section(page: &str, heading: &str) -> String {
    let section = page.split(&format!("\n## {heading}\n")).nth(1).expect("the heading is there");
    section.split("\n## ").next().unwrap().to_owned()
}

/// Settings and proofs of each row.
fn rows(page: &str, heading: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let rows = section(page, heading);
    let rows = rows.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        (names(cells[1]), names(cells[2]))
    })
    .collect()
}

/// Settings of the gateway that some guard of the scenario changes.
fn guarded(scenario: &str) -> BTreeSet<String> {
    let scenario = read(&format!("scenarios/{scenario}.toml"));
    let set = scenario.lines().filter_map(|line| line.strip_prefix("set.\"service.gateway.env."));
    set.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// All the gateway's sources and tests, and those that measure it.
fn sources() -> String {
    fn add(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    ["gateway/src", "gateway/tests", "chaos/cli/tests/figures"]
        .iter()
        .for_each(|folder| add(&root().join(folder), &mut text));
    text
}

#[test]
fn each_protection_has_the_guard_that_the_page_names() {
    for (settings, scenarios) in rows(&read("docs/protections.md"), "Proven by a scenario") {
        assert!(!settings.is_empty() && !scenarios.is_empty(), "{settings:?} {scenarios:?}");
        let guarded: BTreeSet<String> = scenarios.iter().flat_map(|scenario| guarded(scenario)).collect();
        for setting in settings {
            assert!(guarded.contains(&setting), "no guard of {scenarios:?} sets {setting}, but {guarded:?}");
        }
    }
}

#[test]
fn each_test_that_the_page_names_is_there() {
    let sources = sources();
    for (settings, tests) in rows(&read("docs/protections.md"), "Proven by a test") {
        assert!(!tests.is_empty(), "{settings:?}");
        for test in tests {
            assert!(sources.contains(&format!("fn {test}(")), "there is no test {test}");
        }
    }
}

#[test]
fn each_of_the_fourteen_failures_of_redis_has_scenarios_and_tests() {
    let (page, sources) = (read("docs/protections.md"), sources());
    let failures = rows(&page, "Ways in which Redis fails");
    assert_eq!(failures.len(), 14);
    for (scenarios, tests) in failures {
        assert!(!scenarios.is_empty() && !tests.is_empty(), "{scenarios:?} {tests:?}");
        scenarios.iter().for_each(|scenario| drop(read(&format!("scenarios/{scenario}.toml"))));
        for test in tests {
            assert!(sources.contains(&format!("fn {test}(")), "there is no test {test}");
        }
    }
}

#[test]
fn each_setting_of_how_the_gateway_behaves_is_on_the_page() {
    let settings = read("gateway/SETTINGS.md");
    let groups = ["Time", "Cache", "Responses", "Clients", "Tokens", "Browsers", "Services"];
    let known: Vec<String> = groups
        .iter()
        .flat_map(|group| names(&section(&settings, group)))
        .filter(|name| name.starts_with("GATEWAY_"))
        .collect();
    let mut named = names(&read("docs/protections.md"));
    named.retain(|name| name.starts_with("GATEWAY_"));
    named.sort();
    let mut wanted = known;
    wanted.sort();
    assert_eq!(named, wanted, "each once, and no other");
}

#[test]
fn each_setting_that_a_guard_changes_is_a_protection_proven_by_a_scenario() {
    let proven = rows(&read("docs/protections.md"), "Proven by a scenario");
    let proven: BTreeSet<String> = proven.into_iter().flat_map(|(settings, _)| settings).collect();
    for entry in std::fs::read_dir(root().join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let scenario = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let missing: Vec<String> = guarded(&scenario).difference(&proven).cloned().collect();
        assert!(missing.is_empty(), "{scenario} guards {missing:?}");
    }
}
