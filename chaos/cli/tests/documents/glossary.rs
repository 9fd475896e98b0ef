//! `docs/glossary.md` defines the words that the language and the reports use.

use super::page::{Page, read};

const WORDS: &str = "across adapter after amplification arrival attribution availability baseline calibration check \
    cleanup control draw during effect entry event expectation fault fire guard heal herd inconclusive injection instance \
    lease ledger link message open-loop orphan partial phase program protocol prove proxy pulse ramp reading recording \
    recovery replica run run-label run-lock runtime scenario scrape seed service share simulation slice spared stale supervisor \
    system timeline trace verdict window within world";

#[test]
fn each_word_is_defined_once_in_order() {
    let mut anchors = Page::parse(&read("docs/glossary.md")).anchors;
    assert_eq!(anchors.remove(0), "glossary");
    assert!(anchors.is_sorted(), "{anchors:?}");
    let missing: Vec<&str> = WORDS.split_whitespace().filter(|word| !anchors.iter().any(|one| one == word)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn each_definition_is_short() {
    for section in read("docs/glossary.md").split("\n### ").skip(1) {
        let sentences = section.matches(". ").count() + section.matches(".\n").count();
        assert!((1..=4).contains(&sentences), "{section}");
    }
}
