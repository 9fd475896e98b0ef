//! The JSON Schemas that ship: made from the code, true of what ships, and with the keys that the language knows.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chaos_model::{
    Effect, Protocol,
    effect::Level,
    language::{Known, attach, load, proxies, schema},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn all() -> [(&'static str, Value); 4] {
    let (scenario, system) = (schema::scenario(&Known::BUILT_IN), schema::system(&Known::BUILT_IN));
    [
        ("scenario", scenario),
        ("system", system),
        ("attach", schema::attach()),
        ("proxies", schema::proxies(Protocol::ALL)),
    ]
}

/// A TOML file as JSON.
fn toml(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn complaints(schema: &Value, file: &Value) -> Vec<String> {
    let validator = jsonschema::draft7::new(schema).expect("it is a schema");
    validator.iter_errors(file).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_file_that_ships_is_valid() {
    let [(_, scenario), (_, system), (_, attach), (_, proxies)] = all();
    let mut checked = 0;
    for folder in [folder(), folder().join("../monitoring")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let schema = match path.file_name().and_then(|name| name.to_str()).unwrap_or_default() {
                "system.toml" => &system,
                "attach.toml" => &attach,
                "proxies.toml" => &proxies,
                name if name.ends_with(".toml") => &scenario,
                _ => continue,
            };
            assert_eq!(complaints(schema, &toml(&fs::read_to_string(&path).unwrap())), [""; 0], "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 3);
}

const SYSTEM: &str = include_str!("../../../scenarios/system.toml");

/// A scenario with more in one of its tables.
fn scenario(place: &str, more: &str) -> String {
    let tables = [
        ("top", "title = \"it\""),
        ("load", "[load]\nrate = \"200/s\"\nduration = \"12s\""),
        ("request", "[[load.request]]\nrequest = \"GET /api/profile/1\""),
        ("fault", "[[fault]]\nname = \"it\"\nat = \"2s\"\nfor = \"8s\""),
        ("expect", "[[expect]]\nthat = \"all is well\"\nstatus.200 = \">= 99%\""),
        ("guard", "[[guard]]\nwithout = \"a\"\nset.\"service.gateway.env.A\" = \"b\"\nbreaks = [\"all is well\"]"),
    ];
    let with = |(name, table): (&str, &str)| {
        let default = if name == "fault" { "on = \"gateway -> redis\"\neffect = \"hang\"\n" } else { "" };
        if name == place { format!("{table}\n{more}\n") } else { format!("{table}\n{default}") }
    };
    tables.map(with).concat()
}

/// The language's message on a scenario with its system; empty where it is right.
fn said(scenario: &str, system: &str) -> String {
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(scenario.to_owned()),
        Some("system.toml") => Ok(system.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    load(Path::new("it.toml"), &[], &read).map_or_else(|wrong| wrong.render(false, 2000), |_| String::new())
}

/// A key that is like no other.
const UNKNOWN: &str = "qqqqqqqqqq";

/// The keys that the language knows, by what it says of one that it doesn't know.
fn known(said: &str) -> BTreeSet<String> {
    let keys = said.split_once("its keys are ").unwrap_or_else(|| panic!("{said}")).1;
    let line = keys.lines().next().unwrap();
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn properties(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_schemas_have_the_keys_that_the_language_knows() {
    let schema = schema::scenario(&Known::BUILT_IN);
    let of = |pointer: &str| properties(schema.pointer(&format!("/properties{pointer}")).unwrap());
    let unknown = format!("{UNKNOWN} = \"x\"");
    let asked = |place: &str, more: &str| known(&said(&scenario(place, more), SYSTEM));
    assert_eq!(asked("load", &unknown), of("/load"));
    assert_eq!(asked("request", &unknown), of("/load/properties/request/anyOf/1/items"));
    assert_eq!(asked("expect", &unknown), of("/expect/items"));
    assert_eq!(asked("guard", &unknown), of("/guard/items"));
    let only = format!("on = \"gateway -> redis\"\neffect = \"miss\"\nonly.{UNKNOWN} = \"x\"");
    assert_eq!(asked("fault", &only), of("/fault/items/properties/only"));
    // The services of a system stand in the scenario, or in a file of their own.
    let system = format!("{SYSTEM}\n[service.redis.{UNKNOWN}]\n");
    assert_eq!(known(&said(&scenario("", ""), &system)), of("/service/additionalProperties"));
    let system = format!("{unknown}\n{SYSTEM}");
    assert_eq!(known(&said(&scenario("", ""), &system)), properties(&schema::system(&Known::BUILT_IN)));
    let mut top = asked("top", &unknown);
    top.extend(properties(&schema::system(&Known::BUILT_IN)));
    // A scenario names a Compose file as its `system`.
    top.remove("compose");
    assert_eq!(top, properties(&schema));
}

const ATTACH: &str = include_str!("../../../scenarios/attach.toml");
const PROXIES: &str = include_str!("../../../monitoring/proxies.toml");

/// The language's message on a file that says where a system runs already.
fn said_of_attach(text: &str) -> String {
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(scenario("fault", "on = \"gateway -> redis\"\neffect = \"hang\"")),
        Some("system.toml") => Ok(SYSTEM.to_owned()),
        Some("attach.toml") => Ok(text.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let scenario = load(Path::new("it.toml"), &[], &read).unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 80)));
    let read = attach::load(&scenario, None, false, &read);
    read.map_or_else(|wrong| wrong.render(false, 2000), |_| String::new())
}

/// The language's message on a file of proxies.
fn said_of_proxies(text: &str) -> String {
    let read = proxies::load(Path::new("it.toml"), Protocol::ALL, &|_| Ok(text.to_owned()));
    read.map_or_else(|wrong| wrong.render(false, 2000), |_| String::new())
}

#[test]
fn the_schemas_of_running_systems_have_the_keys_that_the_language_knows() {
    let unknown = format!("{UNKNOWN} = \"x\"\n");
    let after = |text: &str, header: &str| {
        assert!(text.contains(header), "{header}");
        text.replacen(header, &format!("{header}\n{unknown}"), 1)
    };
    let of = |schema: &Value, pointer: &str| properties(schema.pointer(pointer).unwrap());
    let (attach, proxies) = (schema::attach(), schema::proxies(Protocol::ALL));
    assert_eq!(said_of_attach(ATTACH), "");
    assert_eq!(known(&said_of_attach(&format!("{unknown}{ATTACH}"))), of(&attach, ""));
    assert_eq!(known(&said_of_attach(&after(ATTACH, "[control]"))), of(&attach, "/properties/control"));
    let service = of(&attach, "/properties/service/additionalProperties");
    assert_eq!(known(&said_of_attach(&after(ATTACH, "[service.redis]"))), service);
    assert_eq!(said_of_proxies(PROXIES), "");
    assert_eq!(known(&said_of_proxies(&format!("{unknown}{PROXIES}"))), of(&proxies, ""));
    assert_eq!(known(&said_of_proxies(&after(PROXIES, "[control]"))), of(&proxies, "/properties/control"));
    assert_eq!(known(&said_of_proxies(&after(PROXIES, "[[link]]"))), of(&proxies, "/properties/link/items"));
    let targets = format!("{PROXIES}\n[targets]\n{unknown}");
    assert_eq!(known(&said_of_proxies(&targets)), of(&proxies, "/properties/targets"));
}

#[test]
fn what_is_wrong_with_files_of_running_systems_is_shown_too() {
    let refuses = |schema: Value, text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        assert_eq!(complaints(&schema, &toml(text)), [""; 0]);
        assert!(!complaints(&schema, &toml(&text.replacen(from, to, 1))).is_empty(), "{to}");
    };
    refuses(schema::attach(), ATTACH, "token-file", "token-env = \"TOKEN\"\ntoken-file");
    refuses(schema::attach(), ATTACH, "token-file", "#token-file");
    refuses(schema::attach(), ATTACH, "\"127.0.0.1:6379\"", "6379");
    refuses(schema::proxies(Protocol::ALL), PROXIES, "\"redis\"", "\"rediss\"");
    refuses(schema::proxies(Protocol::ALL), PROXIES, "target", "targets");
}

#[test]
fn each_effect_has_its_keys_and_no_others() {
    let schema = schema::scenario(&Known::BUILT_IN);
    let kinds = schema.pointer("/properties/fault/items/allOf").unwrap().as_array().unwrap();
    assert_eq!(kinds.len(), Effect::ALL.len());
    let system = SYSTEM.replace("[service.gateway]", "[service.gateway]\ntls = true");
    for (facts, kind) in Effect::ALL.iter().zip(kinds) {
        let on = match facts.level {
            Level::Connections | Level::Messages | Level::Commands => "gateway -> redis",
            Level::Requests => "gateway -> user-service",
            Level::Tls => "client -> gateway",
            Level::Services => "redis",
        };
        let fault = format!("on = \"{on}\"\n{}\n", facts.example);
        let text = scenario("fault", &fault);
        assert_eq!(said(&text, &system), "", "{}", facts.name);
        assert_eq!(complaints(&schema, &toml(&text)), [""; 0], "{}", facts.name);
        let asked = known(&said(&scenario("fault", &format!("{fault}{UNKNOWN} = \"x\"")), &system));
        let keys = kind["then"]["propertyNames"]["enum"].as_array().unwrap();
        let keys: BTreeSet<String> = keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect();
        assert_eq!(keys, asked, "{}", facts.name);
    }
}

#[test]
fn what_is_wrong_is_shown_as_it_is_typed() {
    let schema = schema::scenario(&Known::BUILT_IN);
    let refuses = |text: &str| !complaints(&schema, &toml(text)).is_empty();
    let hang = "on = \"gateway -> redis\"\neffect = \"hang\"\n";
    assert!(!refuses(&scenario("fault", hang)));
    assert!(refuses(&scenario("fault", &format!("{hang}delay = \"1s\""))), "a key of another effect");
    assert!(refuses(&scenario("fault", &hang.replace("hang", "hung"))), "an effect that there is not");
    assert!(refuses(&scenario("fault", "on = \"gateway -> redis\"")), "no effect");
    assert!(refuses(&scenario("load", "rates = \"1/s\"")), "a key that there is not");
    assert!(refuses(&scenario("expect", "latency.p99 = 50")), "a number without a unit");
    assert!(!refuses(&scenario("expect", "latency.p99.9 = \"< 50ms\"")), "a quantile that TOML makes a table of");
    assert!(refuses("title = \"nothing else\""));
    let mut system = toml(SYSTEM);
    assert_eq!(complaints(&schema::system(&Known::BUILT_IN), &system), [""; 0]);
    system["service"]["redis"]["protocol"] = json!("amqp");
    assert!(!complaints(&schema::system(&Known::BUILT_IN), &system).is_empty());
}
