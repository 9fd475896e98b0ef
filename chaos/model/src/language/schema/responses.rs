//! The schema of `[responses]`: conditions by the keys of checks.

use super::{described, table, text};
use crate::check::Row;
use serde_json::{Map, Value, json};

/// The schema of what responses say of themselves, by these checks' keys.
pub(super) fn responses(checks: &[&Row]) -> Value {
    let age = table([
        ("header", text("The header field that says it, in seconds.", "age")),
        ("body", text("The JSONPath of what says it: the largest counts.", "$.meta.parts.*.age_ms")),
        ("unit", json!({ "enum": ["s", "ms", "us"], "description": "The unit of the body's numbers (`s`)." })),
    ]);
    let instance = table([("header", text("The header field that names the instance.", "x-served-by"))]);
    let conditions = |about| conditions(about, checks);
    described(
        table([
            ("good", conditions("Good responses, by any of these (`status = \"< 500\"`).")),
            ("partial", conditions("Responses that lack a part, by any of these.")),
            ("stale", conditions("Responses that are old, or a part of them, by any of these.")),
            ("age", described(age, "Where a response says how old it is.")),
            ("instance", described(instance, "Where a response says which instance it came of.")),
        ]),
        "What responses of the entry say of themselves.",
    )
}

fn conditions(about: &str, checks: &[&Row]) -> Value {
    let named = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let tests = json!({
        "type": "object",
        // TOML makes tables of the dots in a name.
        "additionalProperties": { "anyOf": [{ "type": "string" }, named] },
        "examples": [{ "x-cache": "== STALE" }],
    });
    let one = text("A test of the status.", "== 206");
    let key = |row: &&&Row| (row.key.to_owned(), if row.key == "status" { one.clone() } else { tests.clone() });
    let properties: Map<_, _> = checks.iter().filter(|row| row.condition.is_some()).map(|row| key(&row)).collect();
    json!({ "type": "object", "description": about, "properties": properties, "additionalProperties": false })
}
