//! The subject of an exploration: the system and the requests of a scenario, whose faults and expectations are left behind.

use crate::{error::Error, toml_text};
use toml::{Table, Value};

/// Keys of a load that say how much of it comes, and when: an exploration chooses these itself.
const AMOUNT: [&str; 5] = ["rate", "duration", "stages", "warmup", "arrivals"];

/// Keys of a scenario that make its system.
const SYSTEM: [&str; 4] = ["system", "entry", "service", "responses"];

/// Keys of an expectation that another timeline has no place for.
const PLACED: [&str; 6] = ["after", "across", "within", "gate", "abort", "worlds"];

/// A system with the requests that clients make, taken from a scenario.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `system`, or `entry`, `service` and `responses`.
    system: Table,
    /// Settings over the system's file.
    settings: Table,
    /// The load without its amount and without its list of requests.
    load: Table,
    /// The list of requests; empty where the load has one request, by `load.request`.
    requests: Vec<Value>,
    /// Expectations that hold for the whole time of any run.
    expectations: Vec<Table>,
}

impl Subject {
    /// Takes the subject out of a scenario's text, with these settings (`service.…` or `load.…`) laid over it.
    ///
    /// # Errors
    /// [`Error::Subject`] where the text is no TOML, has no load, or a setting has no place in it.
    pub fn read(text: &str, sets: &[(String, String)]) -> Result<Self, Error> {
        let mut scenario: Table = toml::from_str(text).map_err(|error| Error::Subject(error.to_string()))?;
        let mut system = Table::new();
        for key in SYSTEM {
            system.extend(scenario.remove(key).map(|value| (key.to_owned(), value)));
        }
        let table = |value: Option<Value>| match value {
            Some(Value::Table(table)) => table,
            _ => Table::new(),
        };
        let settings = table(scenario.remove("set"));
        let mut load = table(scenario.remove("load"));
        if load.is_empty() {
            return Err(Error::Subject("it has no `[load]`, so nobody knows what its clients ask for".to_owned()));
        }
        AMOUNT.iter().for_each(|key| drop(load.remove(*key)));
        let requests = match load.get("request") {
            Some(Value::Array(requests)) => requests.clone(),
            _ => Vec::new(),
        };
        if !requests.is_empty() {
            load.remove("request");
        }
        let expectations: Vec<Table> = match scenario.remove("expect") {
            Some(Value::Array(all)) => all.into_iter().filter_map(of_any_run).collect(),
            _ => Vec::new(),
        };
        let invariants = table(scenario.remove("explore")).remove("invariant");
        let invariants = match invariants {
            Some(Value::Array(all)) => {
                all.into_iter().filter_map(|one| if let Value::Table(one) = one { Some(one) } else { None }).collect()
            }
            _ => Vec::new(),
        };
        let expectations: Vec<Table> = [expectations, invariants].concat();
        let mut subject = Self { system, settings, load, requests, expectations };
        sets.iter().try_for_each(|(path, value)| subject.set(path.trim(), value))?;
        Ok(subject)
    }

    /// True for the text of a system's file, which has no load and no title.
    #[must_use]
    pub fn is_system(text: &str) -> bool {
        toml::from_str::<Table>(text).is_ok_and(|table| !table.contains_key("title") && !table.contains_key("load"))
    }

    /// The path of its system's file, as the scenario has it; none where the services stand in the scenario.
    #[must_use]
    pub fn system_file(&self) -> Option<&str> {
        if self.system.contains_key("service") {
            return None;
        }
        Some(self.system.get("system").and_then(Value::as_str).unwrap_or("system.toml"))
    }

    /// Lays one setting over it.
    fn set(&mut self, path: &str, value: &str) -> Result<(), Error> {
        let value = Value::String(value.to_owned());
        let (root, below) = path.split_once('.').unwrap_or((path, ""));
        match root {
            "service" if self.system.contains_key("service") => {
                lay(&mut self.system, path, value).ok_or_else(|| no_place(path))
            }
            "service" => {
                self.settings.insert(path.to_owned(), value);
                Ok(())
            }
            "load" if AMOUNT.iter().any(|key| below.split('.').next() == Some(key)) => Err(Error::Subject(format!(
                "`{path}` can't be set: an exploration chooses how much load there is (`--rate`)"
            ))),
            "load" => lay(&mut self.load, below, value).ok_or_else(|| no_place(path)),
            _ => Err(no_place(path)),
        }
    }

    /// The number of kinds of requests that can be left out one by one.
    pub(crate) fn requests(&self) -> usize {
        self.requests.len().max(1)
    }

    /// The expectations of its own that any run can be held to.
    pub(crate) fn expectations(&self) -> &[Table] {
        &self.expectations
    }

    /// The tables of a scenario that have nothing to do with faults: system, settings and load. Paths of files are `system`,
    /// where that is given.
    pub(crate) fn text(&self, kept: &[usize], rate: u32, duration: &str, system: Option<&str>) -> String {
        let mut document = self.system.clone();
        if let Some(system) = system.filter(|_| !document.contains_key("service")) {
            document.insert("system".to_owned(), Value::String(system.to_owned()));
        }
        if !self.settings.is_empty() {
            document.insert("set".to_owned(), Value::Table(self.settings.clone()));
        }
        let mut load = self.load.clone();
        let mut said = |key: &str, value: String| drop(load.insert(key.to_owned(), Value::String(value)));
        said("rate", format!("{rate}/s"));
        said("duration", duration.to_owned());
        if !self.requests.is_empty() {
            let kept = kept.iter().filter_map(|nth| self.requests.get(*nth)).cloned().collect();
            load.insert("request".to_owned(), Value::Array(kept));
        }
        document.insert("load".to_owned(), Value::Table(load));
        toml_text::document(&document)
    }
}

/// An expectation that any run can be held to: of the whole time, and of no other.
fn of_any_run(expectation: Value) -> Option<Table> {
    let Value::Table(mut expectation) = expectation else { return None };
    let whole = expectation.get("during").and_then(Value::as_str) == Some("run");
    if !whole || PLACED.iter().any(|key| expectation.contains_key(*key)) {
        return None;
    }
    expectation.remove("during");
    Some(expectation)
}

/// Puts a value at a path of names with dots between them.
fn lay(table: &mut Table, path: &str, value: Value) -> Option<()> {
    match path.split_once('.') {
        None if path.is_empty() => None,
        None => {
            table.insert(path.to_owned(), value);
            Some(())
        }
        Some((name, below)) => {
            let entry = table.entry(name.to_owned()).or_insert_with(|| Value::Table(Table::new()));
            lay(entry.as_table_mut()?, below, value)
        }
    }
}

fn no_place(path: &str) -> Error {
    Error::Subject(format!(
        "`{path}` is no setting of a system (`service.NAME.env.KEY`) or of a load (`load.vars.NAME`)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
title = "it"
[set]
"service.web.env.A" = "1"
[load]
rate = "9/s"
duration = "9s"
vars.user = "uniform 1..9"
[[load.request]]
request = "GET /{user}"
[[load.request]]
request = "GET /"
[[fault]]
name = "it"
[[expect]]
that = "always"
during = "run"
status.200 = ">= 99%"
[[expect]]
that = "then"
during = "it"
status.200 = ">= 99%"
"#;

    #[test]
    fn faults_and_what_is_expected_of_them_are_left_behind() {
        let sets = [("service.web.env.B", "2"), ("load.vars.user", "one of a, b")];
        let sets = sets.map(|(path, value)| (path.to_owned(), value.to_owned()));
        let subject = Subject::read(TEXT, &sets).unwrap();
        assert_eq!((subject.requests(), subject.expectations().len()), (2, 1));
        let text = subject.text(&[1], 5, "3s", Some("../system.toml"));
        let expected = r#"system = "../system.toml"

[load]
duration = "3s"
rate = "5/s"
vars.user = "one of a, b"

[[load.request]]
request = "GET /"

[set]
"service.web.env.A" = "1"
"service.web.env.B" = "2"
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn settings_without_a_place_are_refused() {
        let refused = |path: &str| Subject::read(TEXT, &[(path.to_owned(), "1".to_owned())]).unwrap_err().to_string();
        assert!(refused("load.rate").contains("--rate"), "{}", refused("load.rate"));
        assert!(refused("fault.it").contains("no setting"), "{}", refused("fault.it"));
        let nothing = Subject::read("entry = \"web\"", &[]).unwrap_err().to_string();
        assert!(nothing.contains("no `[load]`"), "{nothing}");
    }
}
