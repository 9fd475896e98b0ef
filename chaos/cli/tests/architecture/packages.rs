//! The packages of a build: who wants the harness alone compiles no gateway, no tokens and no Swagger page.

use crate::root;
use std::{collections::BTreeSet, process::Command};

/// The most packages of a build with nothing that is optional, its own crates included. What comes later is a feature.
const MOST_BARE: usize = 170;

/// Packages that only the bundled system needs.
const OF_THE_BUNDLED_SYSTEM: [&str; 5] = ["gateway", "services", "jsonwebtoken", "utoipa-swagger-ui", "figment"];

/// Packages, by name and version, that the command is built from with these options of cargo.
fn packages(options: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--locked", "-p", "chaos-cli", "-e", "normal,build", "--prefix", "none"]);
    let output = cargo.args(options).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "));
    words.filter(|package| !package.is_empty()).collect()
}

fn names(packages: &BTreeSet<String>) -> BTreeSet<&str> {
    packages.iter().filter_map(|package| package.split(' ').next()).collect()
}

#[test]
fn a_build_without_what_is_optional_is_small_and_has_nothing_of_the_bundled_system() {
    let (bare, usual) = (packages(&["--no-default-features"]), packages(&[]));
    assert!((50..=MOST_BARE).contains(&bare.len()), "{} packages: {bare:#?}", bare.len());
    for package in OF_THE_BUNDLED_SYSTEM {
        assert!(names(&usual).contains(package), "the usual build has {package}");
        assert!(!names(&bare).contains(package), "{package} is no package of a bare build");
    }
}
