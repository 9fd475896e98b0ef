//! Paths that pages for contributors name are there.

use super::page::{names, read, root};

const ROOMS: [&str; 10] =
    [".ci/", "chaos/", "docs/", "fuzz/", "gateway/", "host/", "monitoring/", "scenarios/", "scripts/", "services/"];

/// Paths in backticks outside of blocks of code. Examples that contributors are to copy aren't there: they have no path
/// but in their heading, and are files of tests.
fn paths(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let is_path = |name: &String| {
        ROOMS.iter().any(|room| name.starts_with(room)) && !name.contains([' ', '*', '<']) && !name.contains("NAME")
    };
    names(&prose).into_iter().filter(is_path).collect()
}

#[test]
fn each_path_is_there() {
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        let paths = paths(&read(page));
        let missing: Vec<&String> = paths.iter().filter(|path| !root().join(path).exists()).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{page}");
    }
}

#[test]
fn the_ways_in_name_files() {
    let page = read("ARCHITECTURE.md");
    let ways = page.split("\n## ").nth(1).unwrap();
    assert!(ways.starts_with("Ways in\n"), "they come first");
    assert!(paths(ways).len() > 10, "{ways}");
    assert_eq!(paths("see `chaos/nowhere.rs`\n```\n`chaos/no`\n```"), ["chaos/nowhere.rs"]);
}
