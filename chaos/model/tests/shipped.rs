//! The scenarios that ship are valid.

use chaos_model::language::load;
use std::{fs, path::Path};

#[test]
fn every_shipped_scenario_checks_clean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut checked = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml")
            && !["system.toml", "attach.toml"].iter().any(|other| path.ends_with(other))
        {
            if let Err(wrong) = load(&path, &[], &|path| fs::read_to_string(path)) {
                panic!("{}", wrong.render(false, 100));
            }
            checked += 1;
        }
    }
    assert!(checked > 0, "no scenarios found");
}
