//! Compose files as systems: what becomes of them, and what is said where that can't be.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chaos_model::{
    ComposePorts, Protocol, Scenario, Set, Start,
    compose::Restart,
    language::{Known, load_with},
    lifecycle::StopSignal,
};
use std::{io, path::Path, time::Duration};

/// As docker-compose 1.29.2 writes it (`docker-compose config`).
const NORMALISED: &str = include_str!("compose/v1.29.yml");

const SCENARIO: &str = r#"
title = "The database hangs"
SYSTEM
[load]
request  = "GET /"
rate     = "10/s"
duration = "3s"

[[fault]]
name   = "hangs"
on     = "ON"
effect = "hang"
at     = "1s"
for    = "1s"

[[expect]]
that = "all is well"
availability = ">= 99%"
"#;

/// Loads a scenario whose system is said so, with a fault there; `overlay` is its `system.toml`, `normalised` what Compose makes of
/// `app/docker-compose.yml`.
fn loaded(
    (system, on): (&str, &str),
    overlay: &str,
    sets: &[(&str, &str)],
    normalised: &(dyn Fn() -> Result<String, String> + Sync),
) -> Result<Scenario, String> {
    let read = |path: &Path| match path.to_str().unwrap() {
        "chaos/it.toml" => Ok(SCENARIO.replace("SYSTEM", system).replace("ON", on)),
        "chaos/system.toml" => Ok(overlay.to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    let compose = |path: &Path| {
        assert_eq!(path, Path::new("chaos/../docker-compose.yml"), "a path from the file that names it");
        normalised().map(|text| serde_saphyr::from_str(&text).unwrap())
    };
    let variable = |name: &str| (name == "COMPOSE_PROFILES").then(|| "debug".to_owned());
    let known = Known { compose: &compose, variable: &variable, ..Known::BUILT_IN };
    let set = |(path, value): &(&str, &str)| Set { path: (*path).to_owned(), value: (*value).to_owned(), span: None };
    let sets: Vec<Set> = sets.iter().map(set).collect();
    load_with(Path::new("chaos/it.toml"), &sets, &known, &read).map_err(|wrong| wrong.render(false, 100))
}

const FILE: &str = "system = \"../docker-compose.yml\"";

fn by_file(on: &str) -> Result<Scenario, String> {
    loaded((FILE, on), "", &[], &|| Ok(NORMALISED.to_owned()))
}

fn by_overlay(overlay: &str, on: &str) -> Result<Scenario, String> {
    let overlay = format!("compose = \"../docker-compose.yml\"\n{overlay}");
    loaded(("", on), &overlay, &[], &|| Ok(NORMALISED.to_owned()))
}

fn links(scenario: &Scenario) -> Vec<String> {
    scenario.system.links.iter().map(ToString::to_string).collect()
}

#[test]
fn a_compose_file_alone_is_a_system() {
    let scenario = by_file("web -> db").unwrap();
    let system = &scenario.system;
    assert_eq!(system.entry, "web", "the only one that publishes a port");
    let compose = system.compose.as_ref().unwrap();
    assert!(compose.services.contains_key("dbg"), "its profile is active");
    let protocol = |name: &str| system.services[name].protocol;
    assert_eq!([protocol("web"), protocol("cache"), protocol("db")], [Protocol::HTTP, Protocol::REDIS, Protocol::TCP]);
    let db = &system.services["db"];
    assert_eq!(db.start, Start::Compose(ComposePorts { main: None, more: Vec::new() }));
    assert_eq!(
        (db.lifecycle.stop_signal, db.lifecycle.stop_grace),
        (Some(StopSignal::Int), Some(Duration::from_secs(90)))
    );
    let web = ComposePorts { main: Some(80), more: vec![9000, 9001, 3000, 9002] };
    assert_eq!(system.services["web"].start, Start::Compose(web));
    assert_eq!(compose.services["web"].restart, Restart::Always);
    let links = links(&scenario);
    for link in ["client -> web", "web -> db", "web -> cache", "cache -> web#9000", "migrate -> db", "db -> cache"] {
        assert!(links.iter().any(|there| there == link), "{link}: {links:?}");
    }
    assert!(!links.iter().any(|link| link.ends_with("-> migrate")), "it is a task: {links:?}");
    let to_itself = links.iter().any(|link| link.starts_with("web -> web"));
    assert!(!to_itself && !links.iter().any(|link| link.contains("dbg")), "it is alone in its network: {links:?}");
    assert!(by_file("web -> db#5432").unwrap_err().contains("no setting of `web` makes the link"));
}

#[test]
fn what_compose_does_not_know_stands_beside_it() {
    let overlay = "entry = \"web\"\n[service.db]\nport = 5432\nstop-grace = \"1s\"\n[service.web]\nport = 9000\n\
                   ready = \"GET /health\"\nenv.MODE = \"test $HOME\"\n[service.cache]\nprotocol = \"tcp\"\n";
    let system = by_overlay(overlay, "web -> db").unwrap().system;
    assert_eq!(system.services["db"].start, Start::Compose(ComposePorts { main: Some(5432), more: Vec::new() }));
    assert_eq!(system.services["db"].lifecycle.stop_grace, Some(Duration::from_secs(1)));
    let web = ComposePorts { main: Some(9000), more: vec![80, 9001, 3000, 9002] };
    assert_eq!(system.services["web"].start, Start::Compose(web));
    assert_eq!(system.services["web"].ready.as_ref().unwrap().to_string(), "GET /health");
    assert_eq!(system.services["web"].env["MODE"].to_string(), "test $HOME");
    assert_eq!(system.services["cache"].protocol, Protocol::TCP);
}

#[test]
fn settings_are_laid_over_services_that_no_overlay_names() {
    let set = [("service.db.env.POSTGRES_PASSWORD", "x")];
    let scenario = loaded((FILE, "web -> db"), "", &set, &|| Ok(NORMALISED.to_owned())).unwrap();
    assert!(scenario.system.services["db"].env.contains_key("POSTGRES_PASSWORD"));
    let set = [("service.dv.env.A", "x")];
    let wrong = loaded((FILE, "web -> db"), "", &set, &|| Ok(NORMALISED.to_owned())).unwrap_err();
    assert!(wrong.contains("there is no service called `dv`") && wrong.contains("did you mean `db`?"), "{wrong}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases = [
        ("[service.dv]\nport = 1\n", "has no service called `dv`", "did you mean `db`?"),
        ("[service.db]\nimage = \"x\"\n", "how service `db` runs stands in the Compose file", "take it away here"),
        ("[service.db]\nenv.A = \"{cache}\"\n", "`A` of a Compose file's service is plain text", "redis://cache:6379"),
        ("[service.web]\nprotocol = \"tcp\"\n", "clients speak HTTP, and `web` speaks tcp", "protocol = \"http\""),
        ("[service.db]\nport = 0\n", "a port is a whole number from 1 to 65535", "port = 5432"),
    ];
    for (overlay, message, advice) in cases {
        let wrong = by_overlay(overlay, "web -> db").unwrap_err();
        assert!(wrong.contains(message) && wrong.contains(advice) && wrong.contains("chaos/system.toml:"), "{wrong}");
    }
}

#[test]
fn what_can_not_be_interposed_is_refused_before_anything_starts() {
    let host = NORMALISED.replace("    restart: on-failure:3\n    networks:\n      back: null\n", "");
    let host = host.replace(
        "    image: postgres:16\n    networks:\n      back: null\n",
        "    image: postgres:16\n    network_mode: host\n",
    );
    assert_ne!(host, NORMALISED);
    let wrong = loaded((FILE, "client -> web"), "", &[], &|| Ok(host.clone())).unwrap_err();
    assert!(
        wrong.contains("chaos/it.toml:3") && wrong.contains("service `db` is on its machine's own network"),
        "{wrong}"
    );
    let wrong = loaded((FILE, "client -> web"), "", &[], &|| Err("it has a hole".to_owned())).unwrap_err();
    assert!(wrong.contains("Compose does not take `chaos/../docker-compose.yml`: it has a hole"), "{wrong}");
    let no_entry = "services: {a: {image: x}, b_c: {image: v}}".to_owned();
    let wrong = loaded((FILE, "a -> b_c"), "", &[], &|| Ok(no_entry.clone())).unwrap_err();
    assert!(
        wrong.contains("no service of this Compose file publishes a port") && wrong.contains("entry = \"web\""),
        "{wrong}"
    );
    let two = "services: {a: {image: x, ports: [1]}, b_c: {image: y, ports: [2]}}".to_owned();
    let wrong = loaded((FILE, "a -> b_c"), "", &[], &|| Ok(two.clone())).unwrap_err();
    assert!(wrong.contains("several services publish ports (`a` and `b_c`)"), "{wrong}");
    let reserved = "services: {client: {image: x, ports: [1]}, Web: {image: v}}".to_owned();
    let wrong = loaded((FILE, "a -> b_c"), "", &[], &|| Ok(reserved.clone())).unwrap_err();
    assert!(wrong.contains("`client` is reserved") && wrong.contains("`Web` can't be a service's name"), "{wrong}");
}

#[test]
fn names_of_compose_may_have_underscores() {
    let text = "services: {web: {image: x, ports: ['80']}, user_service: {image: v}}".to_owned();
    let scenario = loaded((FILE, "web -> user_service"), "", &[], &|| Ok(text.clone())).unwrap();
    assert_eq!(links(&scenario), ["client -> web", "user_service -> web", "web -> user_service"]);
}
