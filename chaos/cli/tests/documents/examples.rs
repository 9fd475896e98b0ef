//! Examples in CONTRIBUTING.md are files that are compiled: the page and the file can't drift apart.

use super::page::{names, read};

/// Paths and texts of the blocks of Rust that are whole files: each is named, in backticks, last before its block.
fn files(page: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut before = String::new();
    for (n, part) in page.split("```").enumerate() {
        if n % 2 == 0 {
            before.push_str(part);
            continue;
        }
        if let Some(text) = part.strip_prefix("rust\n//! ") {
            let path =
                names(&before).into_iter().rfind(|name| name.ends_with(".rs")).expect("the block's file is named");
            files.push((path, format!("//! {text}")));
        }
    }
    files
}

#[test]
fn each_example_is_a_file() {
    let files = files(&read("CONTRIBUTING.md"));
    assert!(!files.is_empty());
    for (path, text) in files {
        assert!(read(&path) == text, "copy {path} into CONTRIBUTING.md");
    }
}

#[test]
fn files_are_found_by_the_name_before_them() {
    let page = "`a.rs` and `b.rs`:\n```rust\n//! B.\n```\n```sh\n//! C.\n```\n```rust,ignore\nd\n```\n";
    assert_eq!(files(page), [("b.rs".to_owned(), "//! B.\n".to_owned())]);
}
