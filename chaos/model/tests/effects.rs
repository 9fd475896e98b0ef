//! Rules that every effect has to keep, whoever adds one.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chaos_model::{
    Effect, Fault, Nth, Pattern, Protocol, Pulse,
    effect::{Facts, Grows, Level, markdown},
    language::load,
    protocol,
};
use std::{fs, io, path::Path, time::Duration};

const SYSTEM: &str = include_str!("../../../scenarios/system.toml");

fn scenario(fault: &str) -> Result<Fault, String> {
    let text = format!(
        "title = \"one fault\"\n[load]\nrequest = \"GET /api/profile/1\"\nrate = \"200/s\"\nduration = \"12s\"\n\
         [[fault]]\nname = \"it\"\nat = \"2s\"\nfor = \"8s\"\n{fault}\n\
         [[expect]]\nthat = \"all is well\"\nduring = \"run\"\nstatus.200 = \">= 99%\"\n"
    );
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.clone()),
        Some("system.toml") => Ok(SYSTEM.replace("[service.gateway]", "[service.gateway]\ntls = true")),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let scenario = load(Path::new("it.toml"), &[], &read).map_err(|wrong| wrong.render(false, 200))?;
    Ok(scenario.faults[0].clone())
}

fn place(level: Level) -> &'static str {
    match level {
        Level::Connections | Level::Messages | Level::Commands => "gateway -> redis",
        Level::Requests => "gateway -> user-service",
        Level::Tls => "client -> gateway",
        Level::Services => "redis",
    }
}

fn example(facts: &Facts) -> Effect {
    scenario(&format!("on = \"{}\"\n{}", place(facts.level), facts.example)).unwrap().effect
}

#[test]
fn every_effect_reads_its_example_and_goes_over_the_wire_by_its_name() {
    for facts in Effect::ALL {
        let effect = example(facts);
        assert_eq!(effect.name(), facts.name);
        let json = serde_json::to_value(&effect).unwrap();
        assert_eq!(json["effect"], facts.name, "{json}");
        assert_eq!(serde_json::from_value::<Effect>(json).unwrap(), effect);
        assert!(effect.words().starts_with(facts.name), "{}", effect.words());
    }
}

#[test]
fn every_effect_does_something_where_its_level_says_and_nothing_elsewhere() {
    for facts in Effect::ALL {
        let action = example(facts).action();
        let (http, redis) = (action.http.is_some(), action.redis.is_some());
        let does = (action.stream.is_some(), action.message.is_some(), http, redis, action.service.is_some());
        let should = match facts.level {
            Level::Connections | Level::Tls => (true, false, false, false, false),
            Level::Messages => (false, true, false, false, false),
            Level::Requests => (false, false, true, false, false),
            Level::Commands => (false, false, false, true, false),
            Level::Services => (false, false, false, false, true),
        };
        // An effect on messages may come to nothing more than HTTP by its keys, but not by its example.
        assert_eq!(does, should, "{}", facts.name);
    }
}

#[test]
fn the_page_of_effects_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/effects.md");
    let page = fs::read_to_string(path).unwrap_or_default();
    assert!(page == markdown(), "run: cargo run -p chaos-model --example effects > docs/effects.md");
}

#[test]
fn the_page_of_protocols_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocols.md");
    let page = fs::read_to_string(path).unwrap_or_default();
    let made = protocol::markdown(Protocol::ALL);
    assert!(page == made, "run: cargo run -p chaos-model --example protocols > docs/protocols.md");
}

#[test]
fn faults_are_for_those_that_they_name() {
    let only = "only.method = \"get|HEAD\"\nonly.path = \"/users/*\"\nonly.header.X-Tenant = \"blue*\"\n\
                only.baggage.experiment = \"a\"\nonly.first = \"3\"\n";
    let text =
        format!("on = \"gateway -> user-service\"\neffect = \"status\"\nstatus = \"503\"\nshare = \"10%\"\n{only}");
    let read = scenario(&text).unwrap().only;
    assert_eq!(read.methods, ["GET", "HEAD"]);
    assert_eq!(read.path, Some(Pattern("/users/*".to_owned())));
    assert_eq!(read.headers, [("x-tenant".to_owned(), Pattern("blue*".to_owned()))]);
    assert_eq!(read.baggage, [("experiment".to_owned(), Pattern("a".to_owned()))]);
    assert_eq!(read.nth, Some(Nth::First(3)));
    let text = "on = \"gateway -> redis\"\neffect = \"miss\"\nonly.command = \"get\"\nonly.key = \"gateway:*\"\n";
    let read = scenario(text).unwrap().only;
    assert_eq!((read.commands, read.key), (vec!["GET".to_owned()], Some(Pattern("gateway:*".to_owned()))));
}

#[test]
fn faults_are_on_one_link_or_on_several() {
    let on = |on: &str| scenario(&format!("on = {on}\neffect = \"hang\"")).unwrap().on.to_string();
    assert_eq!(on("\"gateway -> redis\""), "gateway -> redis");
    assert_eq!(on("[\"gateway -> redis\"]"), "gateway -> redis");
    assert_eq!(on("\"* -> redis\""), "gateway -> redis");
    assert_eq!(on("[\"gateway -> redis\", \"client -> gateway\"]"), "gateway -> redis and client -> gateway");
    let services = "gateway -> order-service and gateway -> product-service and gateway -> user-service";
    assert_eq!(on("\"gateway -> *-service\""), services);
    assert_eq!(on("[\"gateway -> order-service\", \"gateway -> *-service\"]"), services);
}

#[test]
fn every_effect_grows_or_says_that_it_does_not() {
    let mut grow = Vec::new();
    for facts in Effect::ALL {
        let fault = format!("on = \"{}\"\n{}\nramp = \"2s\"", place(facts.level), facts.example);
        let grows = example(facts).grows();
        match scenario(&fault) {
            Ok(read) => {
                assert_eq!(read.ramp, Duration::from_secs(2), "{}", facts.name);
                assert!(grows.is_some(), "{} has nothing that grows", facts.name);
            }
            Err(said) => {
                assert_eq!(grows, None, "{}: {said}", facts.name);
                let why = if facts.level == Level::Services { "acts on the whole service" } else { "does not grow" };
                assert!(said.contains(&format!("error: `{}` {why}", facts.name)), "{said}");
                let line = 11 + facts.example.lines().count();
                assert!(said.contains(&format!("--> it.toml:{line}:8")) && said.contains("take `ramp` away"), "{said}");
            }
        }
        grow.extend(grows.map(|grows| (facts.level, grows, facts.name)));
    }
    let of = |level| grow.iter().filter(move |one| one.0 == level);
    let connections: Vec<_> = of(Level::Connections).map(|one| (one.1, one.2)).collect();
    assert_eq!(connections, [(Grows::Delay, "latency"), (Grows::Delay, "dial-delay")]);
    assert_eq!(of(Level::Services).count(), 0);
    let messages = grow.iter().filter(|one| one.0 != Level::Connections);
    let (delays, shares): (Vec<&(Level, Grows, &str)>, Vec<_>) = messages.partition(|one| one.1 == Grows::Delay);
    assert_eq!(delays.iter().map(|one| one.2).collect::<Vec<_>>(), ["delay"]);
    let all = Effect::ALL
        .iter()
        .filter(|facts| !matches!(facts.level, Level::Connections | Level::Tls | Level::Services))
        .count();
    assert_eq!(shares.len(), all - 1, "all others on messages");
}

#[test]
fn faults_grow_and_come_and_go() {
    let text =
        "on = \"gateway -> redis\"\neffect = \"latency\"\ndelay = \"80ms\"\nramp = \"2s\"\npulse = \"1s of 4s\"\n";
    let read = scenario(text).unwrap();
    assert_eq!(read.ramp, Duration::from_secs(2));
    assert_eq!(read.pulse, Some(Pulse { on: Duration::from_secs(1), every: Duration::from_secs(4) }));
    assert_eq!(read.windows().count(), 2);
}
