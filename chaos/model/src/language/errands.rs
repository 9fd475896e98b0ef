//! `setup`, `teardown`, `setup-timeout` and `working-dir` of a service: its commands beside its program, and where they run.

use super::{
    braces::Names,
    document::{Entry, Kind, Value},
    findings::{Findings, Wrong},
    lifecycle, probe,
    reader::{Reader, wrong_type},
};
use crate::{Diagnostic, Start, Template, system::Errands};
use std::path::PathBuf;

/// Reads the commands of a service that starts so.
pub(crate) fn read(reader: &mut Reader<'_>, names: &Names<'_>, findings: &Findings) -> Errands {
    let mut of = |key| reader.entry(key).map(|entry| commands(entry, names, findings)).unwrap_or_default();
    let (setup, teardown) = (of("setup"), of("teardown"));
    let timeout = reader.entry("setup-timeout");
    if let Some(entry) = timeout.filter(|_| setup.is_empty() && teardown.is_empty()) {
        let message = "`setup-timeout` bounds the commands of `setup` and `teardown`, and there are none";
        let advice = "how long a start may take is `start-timeout`, and an end `stop-grace`";
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice(advice));
    }
    let limit = timeout.and_then(|_| {
        reader.parse("setup-timeout", |text| lifecycle::time(text, "a command that may take no time always fails"))
    });
    Errands { setup, teardown, limit }
}

fn commands(entry: &Entry, names: &Names<'_>, findings: &Findings) -> Vec<Vec<Template>> {
    let example = format!("write it as `{} = [[\"./migrate\"], [\"./seed\", \"--all\"]]`", entry.key);
    let Kind::List(items) = &entry.value.kind else {
        findings.add(wrong_type(entry, "a list of commands", example));
        return Vec::new();
    };
    if items.iter().any(|item| !matches!(item.kind, Kind::List(_))) {
        let message = format!("`{}` must be a list of commands, each a list of its words", entry.key);
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(example));
        return Vec::new();
    }
    let one = |item: &Value| {
        let entry = Entry { key: entry.key.clone(), key_span: entry.key_span.clone(), value: item.clone() };
        probe::command(&entry, &entry.key, names, findings)
    };
    items.iter().map(one).collect()
}

/// `working-dir`, of a command or of an image.
pub(crate) fn working_dir(reader: &mut Reader<'_>, start: &Start, findings: &Findings) -> Option<PathBuf> {
    let entry = reader.entry("working-dir")?;
    if let Start::Program(_) = start {
        let message = "`working-dir` is where a `command` runs, and what is built in has nothing to find";
        findings.add(Diagnostic::new(entry.key_span.clone(), message).advice("take it away"));
        return None;
    }
    let is_image = matches!(start, Start::Image(_));
    reader.parse("working-dir", |text| match text.trim() {
        "" => {
            let wrong = Wrong::new("this names no folder");
            Err(wrong.advice("as in `working-dir = \"shop\"`: as seen from the folder of this file"))
        }
        path if is_image && !path.starts_with('/') => {
            let wrong = Wrong::new(format!("`{path}` is no folder of a container"));
            Err(wrong.advice("one begins with a slash, as in `working-dir = \"/srv/app\"`"))
        }
        path => Ok(PathBuf::from(path)),
    })
}
