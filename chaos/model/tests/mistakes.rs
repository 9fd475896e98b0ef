//! Golden files: every mistake in `mistakes/` is refused, with file, line, caret and what would be right.
//!
//! A file's first lines may say `# --set path=value`. `system.toml` is the system of all that have no services of their
//! own. To accept what changed: `INSTA_UPDATE=always cargo test -p chaos-model`, then read the diff.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chaos_model::{Set, language::load};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The width of a terminal, which nothing that people are shown exceeds.
const WIDTH: usize = 80;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes")
}

fn stems(extension: &str) -> BTreeSet<String> {
    let paths = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|end| end == extension));
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn sets(text: &str) -> Vec<Set> {
    let lines = text.lines().map_while(|line| line.strip_prefix("# --set "));
    lines
        .map(|line| {
            let (path, value) = line.split_once('=').unwrap();
            Set { path: path.to_owned(), value: value.to_owned(), span: None }
        })
        .collect()
}

/// Paths are relative to the folder, so that the same is shown on any machine.
fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(folder().join(path))
}

fn refusal(file: &str) -> String {
    let path = Path::new(file);
    let sets = sets(&read(path).unwrap());
    match load(path, &sets, &read) {
        Ok(_) => panic!("{file} was taken for right"),
        Err(wrong) => wrong.render(false, WIDTH),
    }
}

#[test]
fn every_mistake_is_refused_as_recorded() {
    let mistakes: Vec<String> = stems("toml").into_iter().filter(|stem| stem != "system").collect();
    assert!(mistakes.len() >= 30, "only {} mistakes", mistakes.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for mistake in &mistakes {
            insta::assert_snapshot!(mistake.as_str(), refusal(&format!("{mistake}.toml")));
        }
    });
}

#[test]
fn quotes_as_word_processors_write_them_are_told() {
    for line in ["title = \u{201c}it\u{201d}", "title = \u{2018}it\u{2019}", "title = \u{201e}it\u{201c}"] {
        let Err(wrong) = load(Path::new("it.toml"), &[], &|_: &Path| Ok(format!("{line}\n"))) else { panic!("{line}") };
        let text = wrong.render(false, WIDTH);
        assert!(text.contains("it.toml:1:") && text.contains("these quotes are not TOML's: write `\"`"), "{text}");
    }
}

#[test]
fn every_refusal_is_readable() {
    for mistake in stems("toml").into_iter().filter(|stem| stem != "system") {
        let text = refusal(&format!("{mistake}.toml"));
        assert!(text.is_ascii(), "{mistake}: {text}");
        assert!(text.contains("= help: "), "{mistake} has no advice: {text}");
        assert!(text.contains(" --> "), "{mistake} has no place: {text}");
        assert!(text.contains('^'), "{mistake} has no caret: {text}");
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{mistake} is too wide: {line}");
        }
    }
}

#[test]
fn no_recording_is_left_over() {
    let (mistakes, recorded) = (stems("toml"), stems("snap"));
    let left_over: Vec<_> = recorded.difference(&mistakes).collect();
    assert!(left_over.is_empty(), "{left_over:?}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let show = |file: &str, read: &dyn Fn(&Path) -> io::Result<String>| {
        load(Path::new(file), &[], read).unwrap_err().render(false, WIDTH)
    };
    let missing = "error: there is no file `nowhere.toml`\n--> nowhere.toml\n = help: check the path; a scenario is a TOML file\n";
    assert_eq!(show("nowhere.toml", &read), missing);
    let picture = show("picture.png", &|_| Err(io::Error::from(io::ErrorKind::InvalidData)));
    assert!(picture.starts_with("error: `picture.png` is not UTF-8 text\n"), "{picture}");
    let alone = |path: &Path| match path.to_str() {
        Some("a/b.toml") => Ok("title = \"x\"".to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let no_system = show("a/b.toml", &alone);
    assert!(no_system.starts_with("error: there is no file `a/system.toml`\n"), "{no_system}");
    assert!(no_system.contains("`system = \"FILE\"`"), "{no_system}");
}

#[test]
fn colour_is_an_option() {
    let wrong = load(Path::new("key_typo.toml"), &[], &read).unwrap_err();
    assert!(wrong.render(true, WIDTH).contains('\u{1b}'));
    assert!(!wrong.render(false, WIDTH).contains('\u{1b}'));
}
