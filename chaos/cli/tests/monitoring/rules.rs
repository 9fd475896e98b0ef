//! The rules as Prometheus's own tool sees them, and as a test runs them: a minute in a second.

use crate::{files, shipped};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The speed of a rule in a real Prometheus under test: a minute is a second. promtool has judged the rules as they
/// ship.
pub(crate) const FASTER: u32 = 60;

fn folder() -> PathBuf {
    shipped().join("prometheus")
}

pub(crate) fn are_accepted() {
    promtool(&["check", "config"], &[folder().join("prometheus.yml")]);
    promtool(&["check", "rules"], &files(&folder().join("rules"), ".yml"));
}

pub(crate) fn tests_pass() {
    promtool(&["test", "rules"], &files(&folder().join("tests"), ".test.yml"));
    // Each alert is in them: one that no test names could say anything.
    let tests: String = texts(&folder().join("tests")).collect();
    for alert in named("alert") {
        assert!(tests.contains(&format!("alertname: {alert}\n")), "no test sees {alert} fire");
        let quiet = format!("alertname: {alert}, exp_alerts: []");
        assert!(tests.contains(&quiet), "no test sees {alert} quiet");
    }
}

pub(crate) fn promtool(arguments: &[&str], files: &[PathBuf]) {
    let output = Command::new("promtool").args(arguments).args(files).output().expect("promtool starts");
    let said = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned()).concat();
    assert!(output.status.success(), "promtool {}: {said}", arguments.join(" "));
}

/// Checks a run's own metrics against Prometheus's conventions.
pub(crate) fn metrics_are_accepted(file: &Path) {
    let file = std::fs::File::open(file).expect("the run's metrics");
    let output = Command::new("promtool").args(["check", "metrics"]).stdin(file).output().expect("promtool starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The names of the rules of a kind: `alert` or `record`.
pub(crate) fn named(kind: &str) -> Vec<String> {
    let mark = format!("- {kind}: ");
    let texts: Vec<String> = texts(&folder().join("rules")).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let names: Vec<String> =
        lines.filter_map(|line| line.trim_start().strip_prefix(&mark)).map(str::to_owned).collect();
    assert!(!names.is_empty(), "there are rules");
    names
}

fn texts(folder: &Path) -> impl Iterator<Item = String> {
    files(folder, ".yml").into_iter().map(|file| std::fs::read_to_string(file).expect("it can be read"))
}

/// Writes the configuration and the rules to a folder: other targets in place of those that ship, every time in the
/// rules [`FASTER`], and scrapes twice a second.
pub(crate) fn write_faster(to: &Path, targets: &[(&str, String)]) {
    let text = std::fs::read_to_string(folder().join("prometheus.yml")).expect("it can be read");
    let mut text = text.replace("_interval: 5s", "_interval: 500ms").replace("_timeout: 4s", "_timeout: 500ms");
    assert_eq!(text.matches("500ms").count(), 3, "{text}");
    for (shipped, here) in targets {
        assert!(text.contains(&format!("\"{shipped}\"")), "no job scrapes {shipped}");
        text = text.replace(&format!("\"{shipped}\""), &format!("\"{here}\""));
    }
    std::fs::write(to.join("prometheus.yml"), text).expect("it can be written");
    std::fs::create_dir(to.join("rules")).expect("a folder");
    for file in files(&folder().join("rules"), ".yml") {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let name = file.file_name().expect("a file");
        std::fs::write(to.join("rules").join(name), faster(&text)).expect("it can be written");
    }
}

/// The rules with each range (`[5m]`) and each `for: 2m` so much shorter.
fn faster(rules: &str) -> String {
    let mut out = String::new();
    for line in rules.lines() {
        match line.split_once("for: ") {
            Some((indent, time)) if indent.trim().is_empty() => out += &format!("{indent}for: {}", shorter(time)),
            _ => {
                let mut parts = line.split('[');
                out += parts.next().unwrap_or_default();
                for part in parts {
                    let (time, rest) = part.split_once(']').expect("a range ends on its line");
                    out += &format!("[{}]{rest}", shorter(time));
                }
            }
        }
        out.push('\n');
    }
    out
}

fn shorter(time: &str) -> String {
    let (number, unit) = time.split_at(time.len() - 1);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => panic!("{time}: a unit that this test doesn't know"),
    };
    let number: u32 = number.parse().unwrap_or_else(|_| panic!("{time}: no number"));
    format!("{}ms", number * seconds * 1000 / FASTER)
}
