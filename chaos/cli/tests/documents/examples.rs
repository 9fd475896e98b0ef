//! Examples in CONTRIBUTING.md are files that are compiled: the page and the file can't drift apart.

use super::page::{names, read};

/// Paths and texts of the blocks of Rust: each is of the file that is named, in backticks, last before it.
fn files(page: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut before = String::new();
    for (n, part) in page.split("```").enumerate() {
        if n % 2 == 0 {
            before.push_str(part);
        } else if let Some(text) = part.strip_prefix("rust\n") {
            let path =
                names(&before).into_iter().rfind(|name| name.ends_with(".rs")).expect("the block's file is named");
            files.push((path, text.to_owned()));
        }
    }
    files
}

/// The lines without their indentation.
fn lines(text: &str) -> String {
    text.lines().fold(String::new(), |lines, line| lines + line.trim_start() + "\n")
}

#[test]
fn each_example_is_a_file() {
    let files = files(&read("CONTRIBUTING.md"));
    assert!(!files.is_empty());
    for (path, text) in files {
        // One that begins with the file's own documentation is all of it.
        let is_whole = text.starts_with("//! ");
        let file = read(&path);
        let is_there = if is_whole { file == text } else { lines(&file).contains(&lines(&text)) };
        assert!(is_there, "copy {path} into CONTRIBUTING.md, in place of\n{text}");
    }
}

#[test]
fn files_are_found_by_the_name_before_them() {
    let page = "`a.rs` and `b.rs`:\n```rust\n//! B.\n```\n```sh\n//! C.\n```\n```rust,ignore\nd\n```\n";
    assert_eq!(files(page), [("b.rs".to_owned(), "//! B.\n".to_owned())]);
    assert_eq!(lines("  a {\n    b\n  }\n"), "a {\nb\n}\n");
}
