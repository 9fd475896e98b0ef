//! The dashboards against Grafana's published model of them (its kinds `dashboard` and `panel`, schema version 39), as
//! far as these use it: a Grafana that meets something else shows an empty panel and says nothing.

use crate::dashboards::{self, array, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// The panels of Grafana itself that are used here.
const PANELS: [&str; 6] = ["gauge", "stat", "state-timeline", "table", "timeseries", "text"];
/// Units by Grafana's names for them (`@grafana/data`, valueFormats).
const UNITS: [&str; 9] = ["Bps", "bytes", "none", "ops", "percentunit", "reqps", "s", "short", "dateTimeAsIso"];
/// Variables that Grafana itself fills in.
const BUILT_IN: [&str; 3] = ["__rate_interval", "__interval", "__range"];

pub(crate) fn all_are_valid() {
    let mut uids = BTreeSet::new();
    for dashboard in dashboards::all() {
        let (file, json) = (&dashboard.file, &dashboard.json);
        let uid = text(&json["uid"]);
        assert!(uid.len() <= 40, "{file}: Grafana takes uids of 40 characters");
        assert!(uids.insert(uid.to_owned()), "{file}: another dashboard has its uid, {uid}");
        assert_eq!(json["schemaVersion"], 39, "{file}");
        assert!(json["id"].is_null(), "{file}: ids are Grafana's to give");
        text(&json["title"]);
        let variables = variables(json);
        assert!(variables.contains("datasource"), "{file}: no variable says which Prometheus");
        let mut ids = BTreeSet::new();
        for panel in dashboard.panels() {
            let place = format!("{file}: {}", text(&panel["title"]));
            let id = panel["id"].as_u64().filter(|id| *id > 0).unwrap_or_else(|| panic!("{place}: no id"));
            assert!(ids.insert(id), "{place}: another panel has its id");
            a_panel(&place, panel, &variables);
        }
        none_overlap(file, dashboard.panels());
    }
}

fn variables(dashboard: &Value) -> BTreeSet<String> {
    let list = array(&dashboard["templating"]["list"]);
    let source = list.iter().find(|variable| variable["name"] == "datasource").expect("a data source");
    assert_eq!((&source["type"], &source["query"]), (&"datasource".into(), &"prometheus".into()));
    list.iter().map(|variable| text(&variable["name"]).to_owned()).collect()
}

fn a_panel(place: &str, panel: &Value, variables: &BTreeSet<String>) {
    let kind = text(&panel["type"]);
    assert!(PANELS.contains(&kind), "{place}: {kind} is no panel that is known here");
    let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
    assert!(UNITS.contains(&unit), "{place}: {unit} is no unit that is known here");
    panel["fieldConfig"]["overrides"].as_array().unwrap_or_else(|| panic!("{place}: no overrides"));
    let mut refs = BTreeSet::new();
    for target in array(&panel["targets"]) {
        assert!(refs.insert(text(&target["refId"])), "{place}: two queries have one refId");
        for source in [&panel["datasource"], &target["datasource"]] {
            assert_eq!(source["type"], "prometheus", "{place}");
            assert_eq!(source["uid"], "${datasource}", "{place}: the data source is the variable's to choose");
        }
        let names = [text(&target["expr"]), target["legendFormat"].as_str().unwrap_or_default()];
        for name in names.into_iter().flat_map(used) {
            let known = variables.contains(&name) || BUILT_IN.contains(&name.as_str());
            assert!(known, "{place}: nobody sets ${name}");
        }
    }
}

/// The variables in a text: `$name` or `${name}`.
fn used(text: &str) -> Vec<String> {
    let name = |rest: &str| {
        let rest = rest.trim_start_matches('{');
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    text.split('$').skip(1).map(name).collect()
}

/// Grafana's grid is 24 columns wide, and it moves panels that overlap to places of its own.
fn none_overlap(file: &str, panels: &[Value]) {
    let mut taken = BTreeSet::new();
    for panel in panels {
        let edge = |name: &str| panel["gridPos"][name].as_u64().unwrap_or_else(|| panic!("{file}: no {name}: {panel}"));
        let (x, y, w, h) = (edge("x"), edge("y"), edge("w"), edge("h"));
        assert!(w > 0 && h > 0 && x + w <= 24, "{file}: {} is off the grid", panel["title"]);
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{file}: {} overlaps another panel", panel["title"]);
        }
    }
}
