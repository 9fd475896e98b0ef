//! The words of the house, as far as a machine can tell them: doc comments open with the noun that a reader would search for,
//! and words that were given up for better ones don't come back.

use crate::{root, sources};
use proc_macro2::{TokenStream, TokenTree};
use std::{collections::BTreeSet, path::Path};

/// First words of doc comments that say nothing of what follows.
const OPENERS: [&str; 21] = [
    "As", "How", "It", "Its", "Of", "Such", "That", "Their", "Them", "These", "They", "This", "Those", "What", "When",
    "Where", "Whether", "Which", "Who", "Whose", "Why",
];

/// Those of them that are never right: a noun stands behind each question.
const QUESTIONS: [&str; 4] = ["How", "What", "Whose", "Why"];

/// The share of doc comments that may open by one of the others, in percent: now and then nothing else is right.
const MOST_PERCENT: usize = 2;

/// Names that types, functions and fields had, and the better ones.
const NAMES: [(&str, &str); 14] = [
    ("Doubt", "InconclusiveReason"),
    ("Examiner", "ResponseChecker"),
    ("Farewell", "LingeringClose"),
    ("Flown", "a name for the result"),
    ("Keeper", "Supervisor"),
    ("Lane", "Pump"),
    ("Pace", "Shaper"),
    ("Story", "a name for what it holds"),
    ("Stray", "Orphan"),
    ("Stretch", "Window"),
    ("Told", "a name for what it holds"),
    ("Whose", "Attribution"),
    ("flown", "result"),
    ("take_turn", "take_run_lock"),
];

/// Words of texts, and the better ones.
const WORDS: [(&str, &str); 8] = [
    ("keeper", "supervisor"),
    ("keepers", "supervisors"),
    ("stray", "orphan"),
    ("strays", "orphans"),
    ("chaos heal", "chaos cleanup"),
    ("[node.", "[service."),
    ("\"node.", "\"service."),
    ("--set node.", "--set service."),
];

/// Words before `answer` that make it a noun. Services have responses, and Redis has replies; to answer is plain English.
const BEFORE_A_NOUN: [&str; 41] = [
    "an",
    "any",
    "bad",
    "cached",
    "complete",
    "compress",
    "compressed",
    "each",
    "every",
    "first",
    "fresh",
    "from",
    "good",
    "half",
    "its",
    "large",
    "last",
    "late",
    "later",
    "many",
    "no",
    "of",
    "old",
    "oldest",
    "one",
    "other",
    "our",
    "partial",
    "request's",
    "right",
    "service's",
    "services'",
    "slow",
    "stale",
    "such",
    "the",
    "their",
    "those",
    "whole",
    "wrong",
    "your",
];

/// Files whose texts tell of the past, or of these very words.
const LEFT_OUT: [&str; 3] = ["CHANGELOG.md", "words.rs", "glossary.md"];

const CRATES: [&str; 5] = ["host", "gateway", "services", "chaos", "fuzz"];

/// The first line of each doc comment, with its number.
fn doc_comments(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut before = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        let kind = ["///", "//!"].into_iter().find(|kind| line.starts_with(kind));
        if let Some(kind) = kind.filter(|_| kind != before) {
            found.push((number, line[kind.len()..].trim_start()));
        }
        before = kind;
    }
    found
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

/// Places of doc comments that open with a word of [`OPENERS`], and the number of all doc comments.
fn poor_openers(file: &str, text: &str) -> (Vec<String>, usize) {
    let all = doc_comments(text);
    let poor = all.iter().filter(|(_, line)| OPENERS.contains(&first_word(line)));
    (poor.map(|(number, line)| format!("{file}:{number}: {line}")).collect(), all.len())
}

/// The first word of what stands at a place that [`poor_openers`] found.
fn opener(place: &str) -> &str {
    first_word(place.split_once(": ").map_or(place, |(_, line)| line))
}

fn identifiers(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => drop(found.insert(ident.to_string())),
            TokenTree::Group(group) => identifiers(group.stream(), found),
            _ => {}
        }
    }
}

/// What a Rust file calls by an old name; comments and texts don't count.
fn old_names(text: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    identifiers(text.parse().expect("it is Rust"), &mut found);
    let old = NAMES.iter().filter(|(old, _)| found.contains(*old));
    old.map(|(old, new)| format!("`{old}` is called {new}")).collect()
}

/// Old words in a text, with the lines that they stand in.
fn old_words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let lower = line.to_lowercase();
        let apart = |at: usize, word: &str| {
            let around = [lower[..at].chars().next_back(), lower[at + word.len()..].chars().next()];
            let ends = [word.chars().next(), word.chars().next_back()];
            around.iter().zip(ends).all(|(next, end)| {
                let letter = |c: &Option<char>| c.is_some_and(char::is_alphanumeric);
                !letter(next) || !letter(&end)
            })
        };
        let old = WORDS.iter().filter(|(old, _)| lower.match_indices(old).any(|(at, old)| apart(at, old)));
        found.extend(old.map(|(old, new)| format!("{number}: `{old}` is called `{new}`")));
    }
    found
}

/// Places of a text where a response is called an answer.
fn answers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let lower = line.to_lowercase();
        let words: Vec<&str> =
            lower.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
        for (at, _) in words.iter().enumerate().filter(|(_, word)| ["answer", "answers"].contains(*word)) {
            let before = at.checked_sub(1).map(|before| words[before]);
            let subject =
                words[at] == "answers" && words.get(at + 1).is_some_and(|next| ["are", "were"].contains(next));
            if subject || before.is_some_and(|before| BEFORE_A_NOUN.contains(&before)) {
                let near = words[at.saturating_sub(2)..words.len().min(at + 2)].join(" ");
                found.push(format!("{number}: \"{near}\": an answer is called a response, or Redis's reply"));
            }
        }
    }
    found
}

/// Files of the tree that people read or write.
fn texts(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kinds = ["rs", "md", "toml", "json", "snap", "yml", "html"];
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            texts(&path, found);
        } else if path.extension().is_some_and(|kind| kinds.iter().any(|wanted| kind == *wanted))
            && !LEFT_OUT.contains(&name)
        {
            found.push(path);
        }
    }
}

#[test]
fn doc_comments_open_with_what_a_reader_would_search_for() {
    let (mut poor, mut all) = (Vec::new(), 0);
    let mut files = Vec::new();
    CRATES.iter().for_each(|folder| sources(&root().join(folder), &mut files));
    for file in files.iter().filter(|file| file.components().any(|part| part.as_os_str() == "src")) {
        let shown = file.strip_prefix(root()).unwrap().display().to_string();
        let (found, number) = poor_openers(&shown, &std::fs::read_to_string(file).unwrap());
        poor.extend(found);
        all += number;
    }
    assert!(all > 2000, "{all} doc comments");
    let percent = poor.len() * 100;
    assert!(percent < MOST_PERCENT * all, "{} of {all} doc comments open poorly:\n{}", poor.len(), poor.join("\n"));
    let questions: Vec<&String> = poor.iter().filter(|place| QUESTIONS.contains(&opener(place))).collect();
    assert!(questions.is_empty(), "doc comments that open by a question: {questions:#?}");
}

#[test]
fn old_words_do_not_come_back() {
    let (mut files, mut found) = (Vec::new(), Vec::new());
    texts(&root(), &mut files);
    assert!(files.len() > 300, "{}", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut old = old_words(&text);
        old.extend(answers(&text));
        if file.extension().is_some_and(|kind| kind == "rs") {
            old.extend(old_names(&text));
        }
        let shown = file.strip_prefix(root()).unwrap().display().to_string();
        found.extend(old.iter().map(|old| format!("{shown}: {old}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Made-up texts, so that the tests above are known to see what they look for, and nothing else.
#[test]
fn poor_openers_and_old_words_are_seen() {
    let text = "//! What it is.\n//! Which goes on.\n\n/// The window.\nstruct A {\n    /// `Its` end.\n    a: u8,\n}\n// Why.\n";
    let (poor, all) = poor_openers("a.rs", text);
    assert_eq!(poor.iter().map(|place| opener(place)).collect::<Vec<_>>(), ["What", "Its"]);
    assert_eq!((poor, all), (vec!["a.rs:1: What it is.".to_owned(), "a.rs:6: `Its` end.".to_owned()], 3));
    assert_eq!(old_names("struct Lane; // Whose\nfn told() -> &'static str { \"Story\" }"), ["`Lane` is called Pump"]);
    let old = "The Keeper ends them.\nbookkeeper, astray\n[node.redis]\n`chaos heal`, and to heal";
    assert_eq!(
        old_words(old),
        [
            "1: `keeper` is called `supervisor`",
            "3: `[node.` is called `[service.`",
            "4: `chaos heal` is called `chaos cleanup`"
        ]
    );
    let text =
        "It answers.\nUsers have an\n`Cached answers` of it, which answer\nTheir answers were late; all can answer";
    let near = ["cached answers of", "their answers were"];
    let called = "an answer is called a response, or Redis's reply";
    let wanted = [format!("3: \"{}\": {called}", near[0]), format!("4: \"{}\": {called}", near[1])];
    assert_eq!(answers(text), wanted);
}
