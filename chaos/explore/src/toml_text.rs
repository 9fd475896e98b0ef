//! TOML as people write it: values before tables, settings below one another by dots.

use std::fmt::Write as _;
use toml::{Table, Value};

/// A document: its own values, then its tables, each under its head.
pub(crate) fn document(document: &Table) -> String {
    let mut text = String::new();
    let (tables, values): (Vec<_>, Vec<_>) = document.iter().partition(|(_, value)| is_table(value));
    for (key, value) in values {
        let _ = writeln!(text, "{} = {}", self::key(key), value);
    }
    for (key, value) in tables {
        section(&mut text, &self::key(key), value);
    }
    text
}

fn section(text: &mut String, head: &str, value: &Value) {
    match value {
        // Tables of tables with values of their own, as services are: each has a head of its own.
        Value::Table(table) if !table.is_empty() && table.values().all(has_values) => {
            table.iter().for_each(|(key, value)| section(text, &format!("{head}.{}", self::key(key)), value));
        }
        Value::Table(table) => {
            let (lists, plain): (Table, Table) = table.clone().into_iter().partition(|(_, value)| is_list(value));
            let _ = write!(text, "\n[{head}]\n{}", lines(&plain));
            lists.iter().for_each(|(key, value)| section(text, &format!("{head}.{}", self::key(key)), value));
        }
        Value::Array(tables) => {
            for table in tables.iter().filter_map(Value::as_table) {
                let _ = write!(text, "\n[[{head}]]\n{}", lines(table));
            }
        }
        _ => {}
    }
}

/// Each value of a table on a line of its own, by its whole path: `status.200 = ">= 99%"`.
pub(crate) fn lines(table: &Table) -> String {
    let mut text = String::new();
    flat(&mut text, "", table);
    text
}

fn flat(text: &mut String, before: &str, table: &Table) {
    for (key, value) in table {
        let path = format!("{before}{}", self::key(key));
        match value {
            Value::Table(below) if !below.is_empty() => flat(text, &format!("{path}."), below),
            value => {
                let _ = writeln!(text, "{path} = {value}");
            }
        }
    }
}

/// A line with a text as its value.
pub(crate) fn line(key: &str, value: &str) -> String {
    format!("{key} = {}\n", Value::String(value.to_owned()))
}

/// A key, in quotes where it needs them.
pub(crate) fn key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { Value::String(key.to_owned()).to_string() }
}

fn has_values(value: &Value) -> bool {
    value.as_table().is_some_and(|table| table.values().any(|value| !value.is_table()))
}

fn is_table(value: &Value) -> bool {
    value.is_table() || is_list(value)
}

fn is_list(value: &Value) -> bool {
    value.as_array().is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        let text = r#"
entry = "web"
[service.web]
program = "web"
env.A = "a \"b\" \\ c"
env."x.y" = ""
[service.other]
command = ["a", "b"]
[responses]
partial.body."$.partial" = "== true"
[load]
json = { a = { b = 1 }, c = [1, { d = 2 }] }
[[load.request]]
request = "GET /"
headers.a = "b"
"#;
        let read: Table = toml::from_str(text).unwrap();
        let written = document(&read);
        assert_eq!(toml::from_str::<Table>(&written).unwrap(), read, "{written}");
        assert!(written.contains("[service.other]\ncommand = "), "{written}");
        assert!(written.contains("partial.body.\"$.partial\" = \"== true\"\n"), "{written}");
    }
}
