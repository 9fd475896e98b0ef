//! The files of `chaos proxy` and of the world `attach`: what is read, and golden files of what is refused.

use chaos_model::{Protocol, Scenario, Set, attach::TokenFrom, language};
use std::{io, path::Path};

const SYSTEM: &str = include_str!("../../../scenarios/system.toml");
const SCENARIO: &str = include_str!("../../../scenarios/redis_down.toml");
const ATTACH: &str = include_str!("../../../scenarios/attach.toml");

const PROXIES: &str = r#"
[control]
listen = "0.0.0.0:8400"
token-file = "run/token"
[[link]]
name = "client -> gateway"
listen = "0.0.0.0:8000"
target = "gateway:8000"
protocol = "http"
[[link]]
name = "gateway -> redis#sessions"
listen = "16379"
target = "[::1]:6379"
[targets]
allow = ["cache.example.com:6379"]
"#;

/// Reads what stands in `texts`, by path.
fn reader<'t>(texts: &'t [(&'t str, &'t str)]) -> impl Fn(&Path) -> io::Result<String> + 't {
    move |path| {
        let text = texts.iter().find(|(name, _)| Path::new(name) == path);
        text.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn scenario(text: &str, sets: &[Set]) -> Scenario {
    let texts = [("s/a.toml", text), ("s/system.toml", SYSTEM)];
    language::load(Path::new("s/a.toml"), sets, &reader(&texts))
        .unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 80)))
}

fn attach(scenario: &Scenario, text: &str) -> Result<chaos_model::attach::Attach, String> {
    let texts = [("s/attach.toml", text)];
    language::attach::load(scenario, None, false, &reader(&texts)).map_err(|wrong| wrong.render(false, 80))
}

fn proxies(text: &str) -> Result<chaos_model::proxies::Proxies, String> {
    let texts = [("p/proxies.toml", text)];
    let read = language::proxies::load(Path::new("p/proxies.toml"), Protocol::ALL, &reader(&texts));
    read.map(|(proxies, _)| proxies).map_err(|wrong| wrong.render(false, 80))
}

#[test]
fn what_ships_tells_where_every_service_of_the_system_is() {
    let scenario = scenario(SCENARIO, &[]);
    let attach = attach(&scenario, ATTACH).unwrap();
    assert_eq!(attach.entry.to_string(), "127.0.0.1:8000");
    assert_eq!(attach.control.to_string(), "127.0.0.1:8400");
    assert_eq!(attach.token, TokenFrom::File("s/../.chaos/token".into()));
    assert!(attach.services.keys().eq(scenario.system.services.keys()));
}

#[test]
fn another_file_may_be_named_and_the_token_be_in_a_variable() {
    let scenario = scenario(SCENARIO, &[]);
    let text = ATTACH.replace("token-file = \"../.chaos/token\"", "token-env = \"TOKEN\"");
    assert_ne!(text, ATTACH);
    let texts = [("there/staging.toml", text.as_str())];
    let file = Path::new("there/staging.toml");
    let attach = language::attach::load(&scenario, Some(file), false, &reader(&texts)).unwrap();
    assert_eq!(attach.token, TokenFrom::Environment("TOKEN".to_owned()));
}

#[test]
fn proxies_are_read_with_their_defaults() {
    let proxies = proxies(PROXIES).unwrap();
    assert_eq!(proxies.control.to_string(), "0.0.0.0:8400");
    assert_eq!(proxies.token_file, Path::new("p/run/token"));
    let links: Vec<String> = proxies
        .links
        .iter()
        .map(|link| format!("{} at {} to {}, {}", link.link, link.listen, link.target, link.protocol))
        .collect();
    let wanted = [
        "client -> gateway at 0.0.0.0:8000 to gateway:8000, http",
        "gateway -> redis#sessions at 127.0.0.1:16379 to [::1]:6379, tcp",
    ];
    assert_eq!(links, wanted);
    assert_eq!(proxies.allowed[0].to_string(), "cache.example.com:6379");
    let alone = PROXIES.replace("listen = \"0.0.0.0:8400\"\n", "");
    assert_eq!(self::proxies(&alone).unwrap().control.to_string(), "127.0.0.1:8400");
}

/// A text with one thing changed.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn a_link_may_have_so_many_connections() {
    let with_bound =
        |bound: &str| proxies(&with(PROXIES, "protocol = \"http\"", &format!("protocol = \"http\"\n{bound}")));
    let bounds = |bound| with_bound(bound).unwrap().links.iter().map(|link| link.max_connections).collect::<Vec<_>>();
    assert_eq!(bounds(""), [10_000, 10_000]);
    assert_eq!(bounds("max-connections = 7"), [7, 10_000]);
    for wrong in ["0", "-1", "1.5", "\"7\""] {
        let refusal = with_bound(&format!("max-connections = {wrong}")).unwrap_err();
        assert!(refusal.contains("`max-connections` is a whole number, at least 1"), "{wrong}: {refusal}");
    }
}

#[test]
fn mistakes_of_proxies_are_shown_with_their_places() {
    let link = "[[link]]\nname = \"a -> b\"\n";
    let mistakes = [
        String::new(),
        with(PROXIES, "token-file", "tokenfile"),
        with(PROXIES, "0.0.0.0:8400", "localhost:8400"),
        with(PROXIES, "gateway -> redis#sessions", "client -> gateway"),
        with(PROXIES, "\"16379\"", "\"0.0.0.0:8000\""),
        with(PROXIES, "\"16379\"", "\"0.0.0.0:8400\""),
        with(PROXIES, "gateway:8000", "gateway"),
        with(PROXIES, "gateway:8000", "localhost:8000"),
        with(PROXIES, "gateway:8000", "127.0.0.1:16379"),
        with(PROXIES, "gateway:8000", "[::1]:8400"),
        with(PROXIES, "client -> gateway", "gateway"),
        with(PROXIES, "\"http\"", "\"htp\""),
        with(PROXIES, "[\"cache.example.com:6379\"]", "\"cache.example.com:6379\""),
        with(PROXIES, "[targets]", &format!("{link}[targets]")),
    ];
    let refusals: Vec<String> = mistakes.iter().map(|text| proxies(text).unwrap_err()).collect();
    insta::with_settings!({ snapshot_path => "attach", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("proxies", refusals.join("\n"));
    });
}

#[test]
fn mistakes_of_attached_systems_are_shown_with_their_places() {
    let sound = scenario(SCENARIO, &[]);
    let mistakes = [
        String::new(),
        with(ATTACH, "[service.redis]", "[service.rediss]"),
        with(ATTACH, "token-file", "token-env = \"TOKEN\"\ntoken-file"),
        with(ATTACH, "token-file = \"../.chaos/token\"\n", ""),
        with(ATTACH, "http://127.0.0.1:8400", "https://127.0.0.1:8400"),
        with(ATTACH, "entry = \"127.0.0.1:8000\"", "entry = \"gateway\""),
    ];
    let mut refusals: Vec<String> = mistakes.iter().map(|text| attach(&sound, text).unwrap_err()).collect();
    let texts = [("s/system.toml", SYSTEM)];
    refusals.push(language::attach::load(&sound, None, false, &reader(&texts)).unwrap_err().render(false, 80));
    insta::with_settings!({ snapshot_path => "attach", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("attached", refusals.join("\n"));
    });
}

/// The scenario with an effect on Redis itself.
fn of_service(effect: &str) -> String {
    let on_redis = with(SCENARIO, "on     = \"gateway -> redis\"", "on     = \"redis\"");
    with(&on_redis, "\"refuse\"", &format!("\"{effect}\""))
}

#[test]
fn services_are_broken_where_their_containers_are_named() {
    for (effect, unhealed, container) in [
        ("stop", false, Some("chaos-redis")),
        ("pause", false, Some("chaos-redis")),
        ("restart", false, Some("chaos-redis")),
        ("kill", true, Some("chaos-redis")),
        // By its own command.
        ("flush", true, None),
    ] {
        let scenario = scenario(&of_service(effect), &[]);
        let texts = [("s/attach.toml", ATTACH)];
        let attach = language::attach::load(&scenario, None, unhealed, &reader(&texts));
        let attach = attach.unwrap_or_else(|wrong| panic!("{effect}: {}", wrong.render(false, 80)));
        assert_eq!(attach.containers.get("redis").map(String::as_str), container, "{effect}");
        assert_eq!(
            attach.containers.len(),
            usize::from(container.is_some()),
            "those alone that faults act on: {effect}"
        );
    }
}

#[test]
fn what_can_not_be_done_to_a_running_system_is_refused() {
    let set = "[set]\n\"service.gateway.env.GATEWAY_CACHE_TTL\" = \"2s\"\n[load]";
    let on_redis = |effect: &str| scenario(&of_service(effect), &[]);
    let program = "service.redis.program".to_owned();
    let by_hand = Set { path: program, value: "redis-built-in".to_owned(), span: None };
    let without = with(ATTACH, "container = \"chaos-redis\"\n", "");
    let nowhere = with(ATTACH, "container = \"chaos-redis\"", "container = \"chaos redis\"");
    let refused = [
        (scenario(&with(SCENARIO, "[load]", set), &[]), ATTACH),
        (scenario(SCENARIO, &[by_hand]), ATTACH),
        (on_redis("restart"), &without),
        (on_redis("pause"), &nowhere),
        (on_redis("kill"), &without),
        (on_redis("kill"), ATTACH),
        (on_redis("flush"), &without),
    ];
    let refusals: Vec<String> = refused.iter().map(|(scenario, file)| attach(scenario, file).unwrap_err()).collect();
    insta::with_settings!({ snapshot_path => "attach", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("refused", refusals.join("\n"));
    });
}
