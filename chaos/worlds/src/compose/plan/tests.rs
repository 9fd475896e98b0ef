use super::*;
use crate::compose::subnets;
use chaos_model::{
    Scenario,
    language::{Known, load_with},
};
use std::path::Path;

/// As docker-compose 1.29.2 writes it.
const NORMALISED: &str = include_str!("../../../../model/tests/compose/v1.29.yml");

const SCENARIO: &str = r#"
title  = "A plan"
system = "docker-compose.yml"

[load]
request  = "GET /"
rate     = "10/s"
duration = "1s"

[[expect]]
that = "all is well"
availability = ">= 99%"
"#;

fn scenario(normalised: &str, sets: &[(&str, &str)]) -> Scenario {
    let compose = |_: &Path| Ok(serde_saphyr::from_str(normalised).expect("it is YAML"));
    let known = Known { compose: &compose, ..Known::BUILT_IN };
    let set = |(path, value): &(&str, &str)| chaos_model::Set {
        path: (*path).to_owned(),
        value: (*value).to_owned(),
        span: None,
    };
    let sets: Vec<_> = sets.iter().map(set).collect();
    let read = load_with(Path::new("/srv/shop/it.toml"), &sets, &known, &|_| Ok(SCENARIO.to_owned()));
    read.map_err(|wrong| wrong.render(false, 100)).expect("it is valid")
}

fn planned(normalised: &str, sets: &[(&str, &str)], ports: &[(&str, &[u16])]) -> Plan {
    let scenario = scenario(normalised, sets);
    let compose = scenario.system.compose.clone().expect("it is of a Compose file");
    let ports: Ports = ports.iter().map(|(name, ports)| ((*name).to_owned(), ports.to_vec())).collect();
    let ground = Ground {
        run: "chaos-1-2-3",
        labels: vec![("chaos.run", "/tmp/chaos-1-2-3".to_owned())],
        image: "chaos-local/chaos:latest",
        subnets: subnets::free(networks(&compose), &[]).expect("they are free"),
        most_log: 16 << 20,
        published: BTreeMap::from([("db".to_owned(), 20_001)]),
    };
    plan(&scenario.system, &compose, &ports, &ground)
}

const ALL: [(&str, &[u16]); 4] = [("web", &[80, 9000]), ("db", &[5432]), ("cache", &[6379]), ("migrate", &[])];

#[test]
fn a_file_becomes_the_one_that_a_run_starts() {
    let plan = planned(NORMALISED, &[("service.web.env.PRICE", "5$")], &ALL);
    let text = serde_json::to_string_pretty(&plan.document).expect("it is JSON");
    // Texts with lines of their own, as what the proxies read, are shown so.
    insta::assert_snapshot!(text.replace("\\n", "\n"));
}

#[test]
fn each_service_finds_the_proxies_of_what_it_uses_under_its_names() {
    let document = planned(NORMALISED, &[], &ALL).document;
    let services = document["services"].as_object().expect("it has services");
    let networks = |service: &str| services[service]["networks"].as_object().expect("it has networks");
    assert_eq!(networks("web").keys().collect::<Vec<_>>(), ["own-web"], "nobody else is there but proxies");
    let aliases = &networks("chaos-proxy-db")["own-web"]["aliases"];
    assert_eq!(aliases, &json!(["database", "db", "my_db"]));
    assert_eq!(networks("chaos-proxy-db")["own-migrate"]["aliases"], json!(["db", "my_db"]));
    assert!(networks("chaos-proxy-db")["own-db"].get("aliases").is_none(), "there it is nobody");
    assert!(networks("db")["own-db"]["aliases"].as_array().expect("a list").contains(&json!("db.chaos.invalid")));
    assert!(!services.contains_key("chaos-proxy-migrate"), "nobody uses a task");
    // Addresses are nobody's twice.
    let all = services.values().filter_map(|service| service["networks"].as_object());
    let places: Vec<&str> =
        all.flat_map(|networks| networks.values()).filter_map(|at| at["ipv4_address"].as_str()).collect();
    let distinct: std::collections::BTreeSet<&str> = places.iter().copied().collect();
    assert!(distinct.len() == places.len() && places.len() > 8, "{places:?}");
}

#[test]
fn nothing_of_the_machine_is_taken_and_nothing_undoes_a_fault() {
    let document = planned(NORMALISED, &[], &ALL).document;
    for (name, service) in document["services"].as_object().expect("it has services") {
        assert_eq!(service["restart"], "no", "{name}");
        assert!(service.get("container_name").is_none(), "{name}");
        assert_eq!(service["labels"]["chaos.run"], "/tmp/chaos-1-2-3", "{name}");
        for port in service.get("ports").and_then(Value::as_array).into_iter().flatten() {
            assert!(port.as_str().is_some_and(|port| port.starts_with("127.0.0.1:")), "{name}: {port}");
        }
    }
    assert!(document["services"]["db"].get("ports").is_none(), "its networks lead nowhere");
    assert_eq!(document["services"]["web"]["ports"], json!(["127.0.0.1::80"]), "the engine chooses for two");
    assert_eq!(document["volumes"]["data"]["labels"]["chaos.run"], "/tmp/chaos-1-2-3");
    assert!(document.get("version").is_none());
    assert_eq!(
        (&document["networks"]["own-db"]["internal"], &document["networks"]["own-web"]["internal"]),
        (&json!(true), &json!(false))
    );
}

#[test]
fn settings_meanings_and_order_stay() {
    let document = planned(NORMALISED, &[("service.web.env.PRICE", "5$")], &ALL).document;
    let web = &document["services"]["web"];
    assert_eq!((&web["environment"]["PRICE"], &web["environment"]["FOO"]), (&json!("5$$"), &json!("bar baz")));
    assert_eq!((&web["scale"], &web["secrets"][0]["source"]), (&json!(2), &json!("s")));
    assert_eq!(web["depends_on"]["db"]["condition"], "service_healthy", "a link says no more than the dependency");
    assert_eq!(web["image"], "chaos-built/shop/web:latest");
    assert_eq!(document["services"]["db"]["healthcheck"]["interval"], "1s");
    let linked = planned(
        "services: {a: {image: x, ports: [80], links: ['b:c'], depends_on: [d]}, b: {image: v}, d: {image: z}}",
        &[],
        &[("a", &[80]), ("b", &[81])],
    );
    let a = &linked.document["services"]["a"];
    assert_eq!(
        a["depends_on"],
        json!({ "b": { "condition": "service_started" }, "d": { "condition": "service_started" } })
    );
    assert!(a.get("links").is_none());
}

#[test]
fn what_the_proxies_read_is_a_file_of_chaos_proxy() {
    let document = planned(NORMALISED, &[], &ALL).document;
    for (service, links) in [("web", 7), ("db", 3), ("cache", 3)] {
        let text = document["services"][format!("chaos-proxy-{service}")]["environment"]["CHAOS_PROXIES"].as_str();
        let text = text.expect("they are told").to_owned();
        let read =
            chaos_model::language::proxies::load(Path::new("it"), chaos_model::Protocol::ALL, &|_| Ok(text.clone()));
        let (proxies, _) = read.map_err(|wrong| wrong.render(false, 100)).expect("it is valid");
        assert_eq!(proxies.links.len(), links, "{service}: {text}");
    }
}

#[test]
fn an_image_that_is_built_is_called_by_its_folder() {
    let named = |file: &str| built_image(Path::new(file), "web");
    assert_eq!(named("/srv/My-Shop/chaos/../docker-compose.yml"), "chaos-built/myshop/web:latest");
    assert_eq!(named("/docker-compose.yml"), "chaos-built/system/web:latest");
}
