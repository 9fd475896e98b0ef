//! The pages of reference name each key that a file can have.

use super::page::{names, read};
use serde_json::Value;
use std::collections::BTreeSet;

const PAGES: [&str; 5] =
    ["docs/checks.md", "docs/effects.md", "docs/running-system.md", "docs/scenario.md", "docs/worlds.md"];

/// Names of all properties, at any depth.
fn keys(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            map.values().for_each(|value| keys(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

#[test]
fn each_key_of_each_file_is_on_a_page() {
    let mut known = BTreeSet::new();
    for file in ["attach", "proxies", "scenario", "system"] {
        let path = format!("scenarios/{file}.schema.json");
        keys(&serde_json::from_str(&read(&path)).unwrap(), &mut known);
    }
    assert!(known.len() > 80, "{known:?}");
    let pages: Vec<String> = PAGES.iter().map(|page| read(page)).collect();
    let code = pages.iter().flat_map(|page| {
        let blocks = page.split("```").skip(1).step_by(2).map(str::to_owned);
        let prose: String = page.split("```").step_by(2).collect();
        blocks.chain(names(&prose)).collect::<Vec<_>>()
    });
    let is_apart = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
    let named: BTreeSet<String> =
        code.flat_map(|text| text.split(is_apart).map(str::to_owned).collect::<Vec<_>>()).collect();
    let missing: Vec<&String> = known.difference(&named).collect();
    assert_eq!(missing, Vec::<&String>::new(), "say them on one of {PAGES:?}");
}
