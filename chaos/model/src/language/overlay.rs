//! Settings laid over a document: `[set]` of a scenario over its system, `--set service.redis.program=redis`, and what a
//! guard takes away.

use super::{
    document::{Entry, Kind, Table, Value},
    findings::{Findings, Wrong},
    nearest::{advise, list, nearest},
    reader::home,
};
use crate::{Diagnostic, Span};

/// Ways to say what a service runs; a new one replaces what was there.
const STARTS: [&str; 4] = ["program", "command", "image", "address"];

/// First words of a setting's path.
const FIRST: [&str; 6] = ["entry", "fault", "load", "service", "system", "title"];

/// No setting lies deeper.
const DEEPEST: usize = 8;

/// One setting.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    /// `service.gateway.env.X`
    pub(crate) path: String,
    pub(crate) path_span: Span,
    pub(crate) value: String,
    pub(crate) value_span: Span,
}

impl Override {
    /// True for a setting of the system.
    pub(crate) fn of_system(&self) -> bool {
        matches!(self.path.split('.').next(), Some("service" | "entry"))
    }

    fn new_value(&self) -> Value {
        Value { span: self.value_span.clone(), kind: Kind::Text(self.value.clone()), loose: true }
    }
}

/// Reads the settings of a table called `set`, whether their path is one quoted key or several with dots.
pub(crate) fn read(entry: &Entry, above: &str, overrides: &mut Vec<Override>, findings: &Findings) {
    let path_of = |key: &str| if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
    let Kind::Table(table) = &entry.value.kind else {
        let message = "`set` needs to say which setting";
        let advice = "as in `set.\"service.gateway.env.NAME\" = \"off\"`";
        findings.add(Diagnostic::new(entry.value.span.clone(), message).advice(advice));
        return;
    };
    for inner in &table.entries {
        let path = path_of(&inner.key);
        let value = match &inner.value.kind {
            Kind::Table(_) => {
                read(inner, &path, overrides, findings);
                continue;
            }
            Kind::Text(text) => text.clone(),
            Kind::Other { raw, .. } => raw.clone(),
            Kind::List(items) => {
                let items = items.iter().filter_map(|item| item.text()).map(|item| format!("{item:?}"));
                format!("[{}]", items.collect::<Vec<_>>().join(", "))
            }
        };
        let (path_span, value_span) = (inner.key_span.clone(), inner.value.span.clone());
        overrides.push(Override { path, path_span, value, value_span });
    }
}

/// Lays a setting over a document.
pub(crate) fn lay(document: &mut Table, set: &Override) -> Result<(), Wrong> {
    let path: Vec<&str> = set.path.split('.').collect();
    if path.iter().any(|key| key.is_empty()) || path.len() > DEEPEST {
        let advice = "write it as `service.gateway.env.NAME` or `load.rate`";
        return Err(Wrong::new(format!("`{}` is no path of a setting", set.path)).advice(advice));
    }
    if let ["expect" | "guard", ..] = path.as_slice() {
        return Err(Wrong::new("what is expected can't be set from outside").advice("edit the file"));
    }
    if !FIRST.contains(&path[0]) {
        let keys = format!("settings begin with {}", list(FIRST));
        let wrong = Wrong::new(format!("no setting begins with `{}`", path[0]));
        let home = match home(path[0]) {
            Some("[load]") => Some(format!("load.{}", set.path)),
            Some("[[fault]]") => Some(format!("fault.NAME.{}", set.path)),
            Some("[service.NAME]") => Some(format!("service.NAME.{}", set.path)),
            _ => nearest(path[0], FIRST).map(str::to_owned),
        };
        return Err(wrong.advice(home.map_or(keys.clone(), |home| format!("did you mean `{home}`? {keys}"))));
    }
    let (last, way) = path.split_last().unwrap_or((&"", &[]));
    let mut table = document;
    for (depth, key) in way.iter().enumerate() {
        let existing = matches!((depth, path[0]), (1, "service"));
        if existing && table.get(key).is_none() {
            let wrong = Wrong::new(format!("there is no service called `{key}`"));
            return Err(wrong.advice(advise(key, table.keys(), "the services are")));
        }
        if table.get(key).is_none() {
            let empty = Table { span: set.path_span.clone(), entries: Vec::new() };
            let value = Value { span: set.path_span.clone(), kind: Kind::Table(empty), loose: false };
            table.entries.push(Entry { key: (*key).to_owned(), key_span: set.path_span.clone(), value });
        }
        // A fault is found by its name, so one step of the path goes through the list.
        let in_list = (depth == 0 && *key == "fault").then(|| path.get(1).copied()).flatten();
        table = step(table, key, in_list)?;
        if in_list.is_some() {
            return lay_in(table, &path[2..], set);
        }
    }
    put(table, last, set)
}

fn lay_in(table: &mut Table, path: &[&str], set: &Override) -> Result<(), Wrong> {
    match path {
        [key] => put(table, key, set),
        _ => Err(Wrong::new(format!("`{}` is no path of a setting", set.path)).advice("a fault's is `fault.NAME.at`")),
    }
}

fn step<'t>(table: &'t mut Table, key: &str, in_list: Option<&str>) -> Result<&'t mut Table, Wrong> {
    let entry = table.entries.iter_mut().find(|entry| entry.key == key);
    let what = entry.as_ref().map_or("nothing", |entry| entry.value.what());
    match (entry.map(|entry| &mut entry.value.kind), in_list) {
        (Some(Kind::Table(inner)), None) => Ok(inner),
        (Some(Kind::List(items)), Some(name)) => {
            let name_of = |item: &Value| item.table()?.get("name")?.value.text().map(str::to_owned);
            let names: Vec<String> = items.iter().filter_map(name_of).collect();
            let found = items.iter_mut().find(|item| name_of(item).as_deref() == Some(name));
            match found.map(|item| &mut item.kind) {
                Some(Kind::Table(inner)) => Ok(inner),
                _ => {
                    let wrong = Wrong::new(format!("there is no fault called `{name}`"));
                    Err(wrong.advice(advise(name, names.iter().map(String::as_str), "the faults are")))
                }
            }
        }
        _ => Err(Wrong::new(format!("`{key}` is {what}, and has no settings in it"))),
    }
}

fn put(table: &mut Table, key: &str, set: &Override) -> Result<(), Wrong> {
    if let Some(Entry { value: Value { kind: Kind::Table(inner), .. }, .. }) = table.get(key) {
        let advice = inner.keys().next().map(|first| format!("set one of them, as `{}.{first}`", set.path));
        return Err(Wrong::new(format!("`{}` is a group of settings", set.path)).maybe_advice(advice));
    }
    if STARTS.contains(&key) && set.path.starts_with("service.") {
        table.entries.retain(|entry| !STARTS.contains(&entry.key.as_str()));
    }
    match table.entries.iter_mut().find(|entry| entry.key == key) {
        Some(entry) => entry.value = set.new_value(),
        None => {
            let (key, key_span) = (key.to_owned(), set.path_span.clone());
            table.entries.push(Entry { key, key_span, value: set.new_value() });
        }
    }
    Ok(())
}

/// The string at a path of a document, if there is one.
pub(crate) fn lookup<'t>(document: &'t Table, path: &str) -> Option<&'t str> {
    let (way, last) = path.rsplit_once('.').unwrap_or(("", path));
    let step = |table: &'t Table, key: &str| table.get(key)?.value.table();
    let table = way.split('.').filter(|key| !key.is_empty()).try_fold(document, step)?;
    table.get(last)?.value.text()
}
