//! The shape of the whole tree: ARCHITECTURE.md is compared with it, since a map that has gone stale is worse than none, and
//! rules that no lint knows are kept.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod circles;
mod mistakes;
mod packages;
mod words;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

type Edges = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).no_deps().other_options(["--offline".to_owned()]).exec().unwrap()
}

fn page() -> String {
    std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

/// The rows of the table under a heading, as cells.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = page.split(&format!("\n## {heading}\n")).nth(1).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The words in backticks.
fn names(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn edges(metadata: &Metadata, wanted: impl Fn(DependencyKind) -> bool) -> Edges {
    let members: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let of = |package: &Package| {
        let own = package.dependencies.iter().filter(|dependency| wanted(dependency.kind));
        own.map(|dependency| dependency.name.clone()).filter(|name| members.contains(name)).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), of(package))).collect()
}

#[test]
fn the_table_of_dependencies_is_what_cargo_says() {
    let page = page();
    let mut written = Edges::new();
    for row in table(&page, "Allowed dependencies") {
        let krate = names(&row[0]).pop_first().unwrap();
        assert!(written.insert(krate.clone(), names(&row[1])).is_none(), "{krate} stands there twice");
    }
    assert_eq!(written, edges(&metadata(), |kind| kind != DependencyKind::Development));
}

#[test]
fn tests_use_no_other_crates_than_the_page_says() {
    let page = page();
    let sentence = page.split("For their tests alone, crates may also use:").nth(1).expect("the sentence is there");
    let sentence = sentence.split("\n\n").next().unwrap();
    let mut written = Edges::new();
    for edge in sentence.split(',') {
        let (from, to) = edge.split_once('→').unwrap();
        written.entry(names(from).pop_first().unwrap()).or_default().extend(names(to));
    }
    let mut actual = edges(&metadata(), |kind| kind == DependencyKind::Development);
    actual.retain(|_, to| !to.is_empty());
    assert_eq!(written, actual);
}

#[test]
fn the_code_map_is_what_the_tree_is() {
    let written: BTreeSet<String> = table(&page(), "Code map").iter().flat_map(|row| names(&row[0])).collect();
    for path in &written {
        assert!(root().join(path).is_dir(), "the map shows {path}, which is not there");
    }
    let metadata = metadata();
    let folder = |package: &Package| {
        let folder = package.manifest_path.parent().unwrap().as_std_path().to_owned();
        folder.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
    };
    let mut actual: BTreeSet<String> = metadata.packages.iter().map(folder).collect();
    for entry in std::fs::read_dir(root()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_map = entry.path().is_dir() && !name.starts_with('.') && !["target", "chaos"].contains(&name.as_str());
        actual.extend(is_map.then_some(name));
    }
    assert_eq!(written, actual);
}

/// Every Rust file under a folder.
pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Places where a `select!` draws which of its ready branches goes first, by the number of their line.
fn unbiased(text: &str) -> Vec<usize> {
    let opening = concat!("select", "! {");
    let places = text.match_indices(opening).filter(|(at, _)| {
        let body = text[at + opening.len()..].trim_start();
        !body.starts_with("biased;")
    });
    places.map(|(at, _)| text[..at].matches('\n').count() + 1).collect()
}

/// Biased `select!`: tokio's own generator draws which branch goes first otherwise, and no two simulations would be
/// alike. No lint can see into the
/// macro.
#[test]
fn every_select_says_which_branch_goes_first() {
    let random = concat!("tokio::select", "! {\n    a = b => {}\n}");
    assert_eq!(unbiased(&format!("\n{random}")), [2], "it would be found");
    let mut files = Vec::new();
    for folder in ["host", "gateway", "services", "chaos", "fuzz"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 100, "{}", files.len());
    for file in files {
        let lines = unbiased(&std::fs::read_to_string(&file).unwrap());
        assert!(lines.is_empty(), "{}: a select without `biased;` in lines {lines:?}", file.display());
    }
}
