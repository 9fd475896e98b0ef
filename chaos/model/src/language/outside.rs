//! Things outside of a scenario's texts that it takes: files that its load names, and variables of the environment.
//!
//! Files are data, and stay out of recordings: they may be large, and nobody knows which of their values are secrets.

use super::document::{Kind, Table, Value};
use std::{
    collections::BTreeMap,
    fmt,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
};

/// Texts of the files that a load names, by their names as written; or why there is none, in words.
#[derive(Clone, Default)]
pub(crate) struct DataFiles(BTreeMap<String, Result<Arc<str>, String>>);

/// Names alone: the texts may be secrets.
impl fmt::Debug for DataFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl DataFiles {
    /// Reads the files that the load of the scenario in `file` names. Paths are taken from the scenario's folder.
    pub(crate) fn read(scenario: &Table, file: &Path, read: &dyn Fn(&Path) -> io::Result<String>) -> Self {
        let mut names = Vec::new();
        if let Some(load) = scenario.get("load") {
            names_in(&load.key, &load.value, &mut names);
        }
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        let text = |name: &String| {
            let text = read(&folder.join(name)).map(Arc::<str>::from).map_err(|error| match error.kind() {
                ErrorKind::NotFound => format!("there is no file `{name}`"),
                ErrorKind::InvalidData => format!("`{name}` is not UTF-8 text"),
                _ => format!("`{name}` can't be read: {error}"),
            });
            (name.clone(), text)
        };
        Self(names.iter().map(text).collect())
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(crate) fn get(&self, name: &str) -> Result<Arc<str>, String> {
        self.0.get(name).cloned().unwrap_or_else(|| Err(format!("`{name}` was not read")))
    }
}

/// Things outside of a scenario's texts.
pub(crate) struct Outside<'a> {
    pub(crate) files: &'a DataFiles,
    /// Gives the value of a variable of the environment, where it is set.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
}

/// The file and the column that `file users.csv column id` names.
pub(crate) fn column(text: &str) -> Option<(&str, &str)> {
    let (file, column) = text.trim().strip_prefix("file ")?.rsplit_once(" column ")?;
    Some((file.trim(), column.trim()))
}

/// The key of a body that is a file.
pub(crate) const BODY_FILE: &str = "body-file";

fn names_in(key: &str, value: &Value, names: &mut Vec<String>) {
    match &value.kind {
        Kind::Text(text) if key == BODY_FILE => names.push(text.clone()),
        Kind::Text(text) => {
            names.extend(column(text).map(|(file, _)| file.to_owned()));
            let references = text.split("{file:").skip(1).filter_map(|rest| rest.split_once('}'));
            names.extend(references.map(|(name, _)| name.to_owned()));
        }
        Kind::List(items) => items.iter().for_each(|item| names_in(key, item, names)),
        Kind::Table(table) => table.entries.iter().for_each(|entry| names_in(&entry.key, &entry.value, names)),
        Kind::Other { .. } => {}
    }
}
