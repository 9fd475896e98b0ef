//! The settings file: TOML with one line a setting, `cache-ttl = "30s"`, each called as its flag. Read with positions,
//! so that whoever is told of a mistake is told where it is.

use super::source::nearest;
use figment::{
    Metadata, Profile, Provider,
    value::{Dict, Map},
};
use std::collections::BTreeMap;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A settings file that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// The file isn't TOML. The message shows the line.
    #[error("{path}: {message}")]
    Syntax {
        /// The file.
        path: String,
        /// The mistake and its place, in words.
        message: String,
    },
    /// No setting of that name.
    #[error("{place}: `{name}` is no setting of the gateway: did you mean `{nearest}`? (`gateway --help` lists them)")]
    Unknown {
        /// File and line.
        place: String,
        /// The name.
        name: String,
        /// The setting whose name is most like it.
        nearest: String,
    },
    /// The value is of a kind that no setting has.
    #[error(
        "{place}: {name} is {what}: settings are lines as `cache-ttl = \"30s\"`, with a string, a number, a boolean or a \
         list of strings"
    )]
    Shape {
        /// File and line.
        place: String,
        /// The setting.
        name: String,
        /// The kind of value that stands there.
        what: &'static str,
    },
}

/// The values of a settings file.
#[derive(Clone, Debug)]
pub(super) struct SettingsFile {
    path: String,
    /// By name: the line, and the value as it would stand in a variable.
    values: BTreeMap<String, (usize, String)>,
}

impl SettingsFile {
    /// Reads `text`; `known` are the names of all settings.
    pub(super) fn parse(path: &str, text: &str, known: &[String]) -> Result<Self, BadFile> {
        let table = DeTable::parse(text).map_err(|error| BadFile::Syntax {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let mut entries: Vec<(&Spanned<_>, &Spanned<DeValue<'_>>)> = table.get_ref().iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut values = BTreeMap::new();
        for (key, value) in entries {
            let line = 1 + text.get(..key.span().start).map_or(0, |before| before.matches('\n').count());
            let (name, place) = (key.get_ref().to_string(), format!("{path}:{line}"));
            if !known.contains(&name) {
                let nearest = nearest(&name, known);
                return Err(BadFile::Unknown { place, name, nearest });
            }
            match as_text(value.get_ref()) {
                Ok(value) => drop(values.insert(name, (line, value))),
                Err(what) => return Err(BadFile::Shape { place, name, what }),
            }
        }
        Ok(Self { path: path.to_owned(), values })
    }
}

/// The value's text as it would stand in a variable; else the kind of value that it is.
fn as_text(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.to_string()),
        DeValue::Integer(_) => Err("a number that isn't decimal"),
        DeValue::Float(number) => Ok(number.to_string()),
        DeValue::Boolean(switch) => Ok(switch.to_string()),
        DeValue::Datetime(_) => Err("a date"),
        DeValue::Table(_) => Err("a table"),
        DeValue::Array(list) => {
            let item = |item: &Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
            let items: Option<Vec<String>> = list.iter().map(item).collect();
            items.map(|items| items.join(",")).ok_or("a list of something else than strings")
        }
    }
}

impl Provider for SettingsFile {
    /// Says where a value is: file, line and name.
    fn metadata(&self) -> Metadata {
        let (path, values) = (self.path.clone(), self.values.clone());
        Metadata::named("settings file").source(self.path.as_str()).interpolater(move |_, names| {
            let name = names.concat();
            let line = values.get(&name).map_or(0, |(line, _)| *line);
            format!("{path}:{line}: {name}")
        })
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        let value = |(name, (_, value)): (&String, &(usize, String))| (name.clone(), value.clone().into());
        Ok(Profile::Default.collect(self.values.iter().map(value).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SettingsFile, String> {
        let known = ["port", "cache-ttl", "cors-origins"].map(str::to_owned);
        SettingsFile::parse("g.toml", text, &known).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_read_with_their_lines() {
        let file =
            read("# ours\nport = 9000\n\ncache-ttl = '2s'\ncors-origins = [\n  \"https://a\",\n  \"https://b\",\n]\n");
        let file = file.unwrap();
        assert_eq!(file.values["port"], (2, "9000".to_owned()));
        assert_eq!(file.values["cache-ttl"], (4, "2s".to_owned()));
        assert_eq!(file.values["cors-origins"], (5, "https://a,https://b".to_owned()));
        assert_eq!(file.metadata().interpolate(&Profile::Default, &["cache-ttl"]), "g.toml:4: cache-ttl");
        assert_eq!(read("port = true").unwrap().values["port"].1, "true");
        assert!(read("").unwrap().values.is_empty());
    }

    #[test]
    fn mistakes_come_with_their_line() {
        let unknown = read("port = 1\n\n'cahce-ttl' = '3s'").unwrap_err();
        assert!(unknown.starts_with("g.toml:3: `cahce-ttl` is no setting of the gateway: did you mean `cache-ttl`?"));
        let syntax = read("port = 1\nport = 2").unwrap_err();
        assert!(
            syntax.starts_with("g.toml: ") && syntax.contains("line 2") && syntax.contains("duplicate"),
            "{syntax}"
        );
        for (text, what) in [
            ("[port]\na = 1", "port is a table"),
            ("port = 2026-01-01", "port is a date"),
            ("port = 0x10", "port is a number that isn't decimal"),
            ("port = [1]", "port is a list of something else"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(&format!("g.toml:1: {what}")), "{error}");
        }
    }
}
