//! The dashboards, as far as tests need to understand them.

use crate::{files, shipped};
use serde_json::Value;

/// A dashboard that ships.
pub(crate) struct Dashboard {
    pub(crate) file: String,
    pub(crate) json: Value,
}

/// An expression of a panel.
pub(crate) struct Query {
    /// `dashboard / panel`, for people.
    pub(crate) place: String,
    pub(crate) expr: String,
}

pub(crate) fn all() -> Vec<Dashboard> {
    let read = |file: std::path::PathBuf| {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let file = file.file_name().expect("a file").to_string_lossy().into_owned();
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        Dashboard { file, json }
    };
    files(&shipped().join("grafana/dashboards"), ".json").into_iter().map(read).collect()
}

impl Dashboard {
    pub(crate) fn panels(&self) -> &[Value] {
        array(&self.json["panels"])
    }

    pub(crate) fn queries(&self) -> Vec<Query> {
        let of = |panel: &Value| {
            let place = format!("{} / {}", self.file, text(&panel["title"]));
            let targets = array(&panel["targets"]).to_vec();
            targets
                .into_iter()
                .map(move |target| Query { place: place.clone(), expr: text(&target["expr"]).to_owned() })
        };
        self.panels().iter().flat_map(of).collect()
    }
}

/// The text that must be there.
#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("{value} is no text"))
}

/// The list that must be there, and has something in it.
#[track_caller]
pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().filter(|list| !list.is_empty()).unwrap_or_else(|| panic!("{value} is no list"))
}
