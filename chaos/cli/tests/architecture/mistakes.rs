//! Mistakes that are planted in the gateway (feature `planted`) are in nothing that is handed out, deployed or measured.

use crate::{metadata, root};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

const FEATURE: &str = "planted";

/// Lines that may name it: of the script that looks for the mistakes, and of the pipeline that calls it.
const SCRIPT: &str = ".ci/planted";

/// The files and folders by which programs are built, packed, deployed and measured.
const BUILDS: [&str; 7] =
    [".ci", ".github", "scripts", "Dockerfile", "action.yml", "docker-compose.yml", "start_with_monitoring.sh"];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| files(&entry.unwrap().path(), found));
    } else {
        found.push(path.to_owned());
    }
}

#[test]
fn no_crate_plants_mistakes_by_itself() {
    let metadata = metadata();
    let mut that_can = Vec::new();
    for package in &metadata.packages {
        let mut on: BTreeSet<&str> = BTreeSet::from(["default"]);
        loop {
            let more = on.iter().filter_map(|feature| package.features.get(*feature)).flatten();
            let all: BTreeSet<&str> = on.iter().copied().chain(more.map(String::as_str)).collect();
            if all.len() == on.len() {
                break;
            }
            on = all;
        }
        let planted = on.iter().find(|feature| feature.contains(FEATURE));
        assert_eq!(planted, None, "{} has it without being asked", package.name);
        for dependency in &package.dependencies {
            let asks = dependency.features.iter().any(|feature| feature.contains(FEATURE));
            assert!(!asks, "{} has {} with it", package.name, dependency.name);
        }
        that_can.extend(package.features.contains_key(FEATURE).then(|| package.name.to_string()));
    }
    that_can.sort();
    assert_eq!(that_can, ["chaos-cli", "gateway"], "the gateway and who tries it, and no others");
}

#[test]
fn nothing_that_is_handed_out_is_built_with_planted_mistakes() {
    let root = root();
    let mut all = Vec::new();
    BUILDS.iter().for_each(|path| files(&root.join(path), &mut all));
    assert!(all.len() > 20, "{all:?}");
    let mut script = String::new();
    for path in all {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        if name == SCRIPT {
            script = text;
            continue;
        }
        for line in text.lines() {
            // What is asked of licences and advisories is asked of all features, and builds nothing.
            let builds_all = line.contains("--all-features") && !line.contains("cargo deny");
            assert!(!builds_all, "{name}: {line}");
            let asks = ["features", "cfg", "GATEWAY_PLANTED"].iter().any(|word| line.contains(word));
            assert!(!(line.contains(FEATURE) && asks), "{name}: {line}");
        }
    }
    // One program, whose name is its own, so that it takes no other's place.
    let builds: Vec<&str> = script.lines().filter(|line| line.contains("cargo ")).collect();
    let [build] = builds[..] else { panic!("{builds:?}") };
    let of_one = ["--features chaos-cli/planted ", " --bin gateway-mistakes "].iter().all(|word| build.contains(word));
    assert!(of_one && build.matches("--bin").count() == 1, "{build}");
}
