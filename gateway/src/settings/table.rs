//! All settings as a table for people, made from their declarations.

use super::source;
use std::fmt::Write as _;

/// The document of all settings, in Markdown: a table for each group.
#[must_use]
pub fn table() -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for argument in source::arguments() {
        let heading = argument.get_help_heading().unwrap_or("Other").to_owned();
        let row = row(&argument);
        match groups.iter_mut().find(|(there, _)| *there == heading) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((heading, vec![row])),
        }
    }
    let mut text = INTRODUCTION.to_owned();
    for (heading, rows) in groups {
        // Writing to a string can't fail.
        let _ = writeln!(text, "\n## {heading}\n\n| file | variable | flag | default | meaning |");
        let _ = writeln!(text, "|---|---|---|---|---|\n{}", rows.join("\n"));
    }
    text
}

const INTRODUCTION: &str = "\
# Settings of the gateway

Made from the code; a test compares it, and `cargo test -p gateway --lib write_the_table -- --ignored` writes it anew.

Each setting may stand in a settings file, in the environment and among the arguments; a flag wins over its variable, and
that over the file. `--config FILE` or `GATEWAY_CONFIG` name the file, which is TOML with one line a setting:

```toml
port = 8000
cache-ttl = \"30s\"
cache-memory = \"on\"
```

Durations have a unit (`200ms`, `2s`), sizes may have one (`64KiB`, `32MiB`), lists are separated by commas. What no
setting is called, or can't be, stops the gateway at once, and it says where that was written.
";

fn row(argument: &clap::Arg) -> String {
    let id = argument.get_id().as_str();
    let (variable, flag) = (source::variable(id), source::flag(id));
    let values: Vec<_> = argument.get_value_names().unwrap_or_default().iter().map(|name| escaped(name)).collect();
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = if defaults.is_empty() { "none".to_owned() } else { format!("`{}`", defaults.join(",")) };
    let meaning = argument.get_help().map(|help| escaped(&help.to_string())).unwrap_or_default();
    format!("| `{flag}` | `{variable}` | `--{flag} {}` | {default} | {meaning} |", values.join(" "))
}

/// A bar would end the cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/SETTINGS.md");

    #[test]
    fn the_document_says_what_the_code_does() {
        let there = std::fs::read_to_string(FILE).unwrap_or_default();
        assert!(
            there == table(),
            "gateway/SETTINGS.md is out of date: `cargo test -p gateway --lib write_the_table -- --ignored` writes it anew"
        );
    }

    #[test]
    #[ignore = "no test: it writes gateway/SETTINGS.md"]
    fn write_the_table() {
        std::fs::write(FILE, table()).unwrap();
    }

    #[test]
    fn every_setting_is_in_it_once() {
        let text = table();
        for id in source::ids() {
            assert_eq!(text.matches(&format!("| `{}` |", source::variable(&id))).count(), 1, "{id}");
        }
        assert!(text.contains("| `cache-ttl` | `GATEWAY_CACHE_TTL` | `--cache-ttl TIME` | `30s` | A cached profile"));
        assert!(text.contains("`--cache on\\|off`"), "{text}");
    }
}
