//! The book has each page once.

use super::page::{Page, pages, read};

#[test]
fn the_summary_has_each_page_once() {
    let mut written = Page::parse(&read("docs/SUMMARY.md")).links;
    written.sort();
    let all = pages().into_iter().filter(|page| page != "docs/SUMMARY.md");
    let mut all: Vec<String> =
        all.map(|page| page.strip_prefix("docs/").map_or(format!("../{page}"), str::to_owned)).collect();
    all.sort();
    assert_eq!(written, all);
}
