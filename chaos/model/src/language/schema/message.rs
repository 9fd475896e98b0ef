//! The schemas of faults in messages to proxies (`language::json`): one for each effect on links, with its keys.

use super::{described, object, only, text};
use crate::{
    Effect, Link, Protocol,
    effect::{Facts, Level},
    language::{address, document, findings::Findings, json::read_fault},
};
use serde_json::{Map, Value, json};

/// Name of the schema that all others are alternatives of.
const FAULT: &str = "Fault";
/// Name of the schema of what chooses among messages.
const ONLY: &str = "Only";

/// Schemas by name. `Fault` is one of the others, to which it refers by this prefix and their names.
#[must_use]
pub fn faults(prefix: &str) -> Map<String, Value> {
    let of_links = || Effect::ALL.iter().filter(|facts| facts.level.is_of_plain_links());
    let name = |facts: &Facts| format!("{FAULT}.{}", facts.name);
    let reference = |facts: &Facts| json!(format!("{prefix}{}", name(facts)));
    let only_reference = format!("{prefix}{ONLY}");
    let each_fault = of_links().map(|facts| (name(facts), fault(facts, &only_reference)));
    let mut schemas: Map<String, Value> = each_fault.collect();
    schemas.insert(
        ONLY.to_owned(),
        described(only(), "For which requests or commands (`only`), or for which of these not (`except`)."),
    );
    let mapping: Map<String, Value> = of_links().map(|facts| (facts.name.to_owned(), reference(facts))).collect();
    let each: Vec<Value> = of_links().map(|facts| json!({ "$ref": reference(facts) })).collect();
    let about = "A fault, with the keys of a scenario's (docs/scenario.md), but for `at` and `pulse`: it begins when the message \
                 comes.";
    let all = json!({
        "description": about,
        "oneOf": each,
        "discriminator": { "propertyName": "effect", "mapping": mapping },
    });
    schemas.insert(FAULT.to_owned(), all);
    schemas
}

fn fault(facts: &Facts, only: &str) -> Value {
    let (example, needed) = example(facts);
    let mut properties = object([
        ("name", text("Its name, by which it is taken back.", "outage")),
        ("on", text("The link, as scenarios write it.", on(facts.level))),
        ("effect", json!({ "const": facts.name, "description": facts.about })),
        ("for", text("For how long, if not until it is taken back.", "4s")),
        ("share", text("For how many requests, commands or connections (`100%`).", "10%")),
    ]);
    for key in facts.keys {
        properties.insert(key.name.to_owned(), json!({ "type": "string", "description": key.about }));
    }
    if facts.level != Level::Connections {
        properties.insert("only".to_owned(), json!({ "$ref": only }));
        properties.insert("except".to_owned(), json!({ "$ref": only }));
    }
    if read(&example, facts.level).is_some_and(|effect| effect.grows().is_some()) {
        properties.insert("ramp".to_owned(), text("In which time it grows from nothing to its whole.", "2s"));
    }
    json!({
        "type": "object",
        "title": facts.name,
        "description": facts.about,
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
        "examples": [example],
    })
}

/// A link on which effects of this level act.
fn on(level: Level) -> &'static str {
    if Protocol::REDIS.has(level) { "gateway -> redis" } else { "client -> gateway" }
}

/// The effect's example as a fault, and the keys that it needs: those that it has.
fn example(facts: &Facts) -> (Value, Vec<String>) {
    let mut keys = object([("name", json!("outage")), ("on", json!(on(facts.level)))]);
    let table = document::parse(facts.example, 0, &Findings::default()).unwrap_or_default();
    keys.extend(table.entries.iter().filter_map(|entry| Some((entry.key.clone(), json!(entry.value.text()?)))));
    let needed = keys.keys().cloned().collect();
    (Value::Object(keys), needed)
}

fn read(example: &Value, level: Level) -> Option<Effect> {
    let protocol = Protocol::ALL.iter().rfind(|protocol| protocol.has(level)).copied()?;
    let link: Link = address::link(on(level)).ok()?;
    read_fault(example, &[(link, protocol)]).ok().map(|fault| fault.effect)
}
