//! `docs/cookbook.md` has each scenario that ships, and says what it breaks.

use super::page::{names, read, root};
use chaos_model::language::load;

/// The rows of all tables: name of the scenario, and pairs of effect and target.
fn rows(page: &str) -> Vec<(String, Vec<String>)> {
    let rows = page.lines().filter(|line| line.starts_with("| [`"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        (names(cells[0]).remove(0), names(cells[1]))
    })
    .collect()
}

/// Effects and targets of a scenario's faults, in pairs, each once.
fn faults(name: &str) -> Vec<String> {
    let path = root().join(format!("scenarios/{name}.toml"));
    let scenario = load(&path, &[], &|path| std::fs::read_to_string(path));
    let scenario = scenario.unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)));
    let mut pairs: Vec<[String; 2]> = Vec::new();
    for fault in &scenario.faults {
        let pair = [fault.effect.name().to_owned(), fault.on.to_string()];
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs.concat()
}

#[test]
fn each_scenario_is_there_once_with_what_it_breaks() {
    let rows = rows(&read("docs/cookbook.md"));
    for (name, said) in &rows {
        let (mut said, mut faults) = (said.clone(), faults(name));
        said.sort();
        faults.sort();
        assert_eq!(said, faults, "{name}");
    }
    let mut written: Vec<String> = rows.into_iter().map(|(name, _)| name).collect();
    written.sort();
    let files = std::fs::read_dir(root().join("scenarios")).unwrap();
    let files = files.filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".toml")?.to_owned()));
    let mut shipped: Vec<String> = files.filter(|name| !["system", "attach"].contains(&name.as_str())).collect();
    shipped.sort();
    assert_eq!(written, shipped);
}
