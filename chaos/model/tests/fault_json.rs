//! Faults as JSON: what is written is read again as the same fault, and what is wrong is told with its place.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chaos_model::{
    Directions, Effect, Endpoint, Fault, Link, Nth, Only, Pattern, Protocol, Share, Spread, Target,
    effect::{Distribution, Latency, Reset, Status},
    language::{
        json::{Mistake, read_fault, write_fault},
        load,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path, time::Duration};

/// Each effect with all of its keys, none as it is by itself; and those keys of faults that effects leave alone.
const FAULTS: [&str; 44] = [
    "on = \"web -> cache\"\neffect = \"latency\"\ndelay = \"200ms\"\njitter = \"1.5ms\"\ndistribution = \"pareto\"\ndirection = \"both\"\nin-flight = \"3MiB\"",
    "on = \"web -> cache\"\neffect = \"latency\"\ndelay = \"200ms\"\nramp = \"0.5us\"\nshare = \"0.000000001%\"",
    "on = \"web -> cache\"\neffect = \"bandwidth\"\nrate = \"1.5KiB/s\"\ndirection = \"upstream\"",
    "on = \"web -> cache\"\neffect = \"dial-delay\"\ndelay = \"2min\"\nshare = \"33.3%\"",
    "on = \"web -> cache\"\neffect = \"refuse\"\nopen = \"keep\"\npulse = \"1s of 3s\"",
    "on = \"web -> cache\"\neffect = \"hang\"",
    "on = \"web -> cache\"\neffect = \"blackhole\"",
    "on = \"web -> cache\"\neffect = \"half-open\"\ndirection = \"upstream\"",
    "on = \"web -> cache\"\neffect = \"reset\"\nafter = \"3ms\"",
    "on = \"web -> cache\"\neffect = \"reset\"\nafter = \"3B\"\ndirection = \"upstream\"",
    "on = \"web -> cache\"\neffect = \"slice\"\nsize = \"3B\"\nvariation = \"2B\"\ngap = \"1ms\"\ndirection = \"upstream\"",
    "on = \"web -> cache\"\neffect = \"slow-close\"\ndelay = \"1.000000001s\"",
    "on = \"web -> cache\"\neffect = \"slow-close\"\ndelay = \"1s\"\ndirection = \"upstream\"",
    "on = \"web -> cache\"\neffect = \"discard\"\ndirection = \"both\"\nclose-after = \"1s\"",
    "on = \"web -> cache\"\neffect = \"discard\"\nreset-after = \"3ms\"",
    "on = \"web -> cache\"\neffect = \"limit\"\nbytes = \"4KiB\"\ndirection = \"both\"",
    "on = \"web -> cache\"\neffect = \"delay\"\ndelay = \"1s\"\njitter = \"1s\"\ndistribution = \"normal\"\nonly.command = \"GET|MGET\"\nonly.key = \"a*\"\nonly.every = \"3\"",
    "on = \"client -> web\"\neffect = \"close\"\nonly.header.x-tenant = \"a \\\"b\\\"*\"\nonly.baggage.user = \"7\"\nonly.first = \"3\"",
    "on = \"client -> web\"\neffect = \"truncate\"\nkeep = \"12.5%\"\nframing = \"short\"\ncoding = \"raw\"\nonly.method = \"GET|POST\"\nonly.path = \"/a*\"\nonly.nth = \"3\"\nexcept.query = \"*x=1*\"",
    "on = \"client -> web\"\neffect = \"status\"\nstatus = \"418\"\nbody = \"a \\\"tea\\\"\\n\"\ncontent-type = \"text/html\"",
    "on = \"client -> web\"\neffect = \"header\"\nheader = \"x-a\"\nvalue = \"\"",
    "on = \"client -> web\"\neffect = \"replace\"\nbody = \"{}\"\ncoding = \"raw\"",
    "on = \"client -> web\"\neffect = \"garble\"\npart = \"0.0001%\"\ncoding = \"raw\"",
    "on = \"client -> web\"\neffect = \"oversize\"\nsize = \"50MiB\"\ncoding = \"raw\"",
    "on = \"client -> web\"\neffect = \"trickle\"\nrate = \"7B/s\"",
    "on = \"client -> web\"\neffect = \"reset-body\"\nkeep = \"0B\"",
    "on = \"web -> cache\"\neffect = \"error\"\nreply = \"LOADING\"",
    "on = \"web -> cache\"\neffect = \"miss\"",
    "on = \"web -> cache\"\neffect = \"stale\"",
    "on = \"web -> cache\"\neffect = \"wrong\"\nvalue = \"another\"",
    "on = \"web -> cache\"\neffect = \"lose\"",
    "on = \"client -> web\"\neffect = \"certificate\"\ncertificate = \"not-yet-valid\"",
    "on = \"client -> web\"\neffect = \"handshake-delay\"\ndelay = \"1.5ms\"",
    "on = \"client -> web\"\neffect = \"handshake-hang\"",
    "on = \"client -> web\"\neffect = \"handshake-reset\"\nshare = \"10%\"",
    "on = \"client -> web\"\neffect = \"handshake-alert\"\nalert = \"unrecognized_name\"",
    "on = \"client -> web\"\neffect = \"tls-version\"\nversion = \"1.3\"",
    "on = \"client -> web\"\neffect = \"no-close-notify\"\nbytes = \"4KiB\"",
    "on = \"cache\"\neffect = \"stop\"",
    "on = \"cache\"\neffect = \"kill\"",
    "on = \"cache\"\neffect = \"pause\"",
    "on = \"cache\"\neffect = \"restart\"",
    "on = \"cache\"\neffect = \"flush\"",
    "on = \"cache\"\neffect = \"cpu\"\ncpus = \"0.125\"",
];

const MEMORY: &str = "on = \"cache\"\neffect = \"memory\"\nbytes = \"7MiB\"";

fn links() -> [(Link, Protocol); 2] {
    let (client, web) = (Endpoint::Client, Endpoint::Service("web".to_owned()));
    [
        (Link { from: client, to: "web".to_owned(), label: None }, Protocol::HTTP),
        (Link { from: web, to: "cache".to_owned(), label: None }, Protocol::REDIS),
    ]
}

/// A fault as a scenario's reader reads it.
fn of_scenario(fault: &str) -> Fault {
    let text = format!(
        "title = \"it\"\nentry = \"web\"\nservice.web.program = \"gateway\"\nservice.web.tls = true\nservice.web.env.CACHE = \"{{cache}}\"\n\
         service.cache.program = \"redis\"\n[load]\nrequest = \"GET /\"\nrate = \"1/s\"\nduration = \"12s\"\n\
         [[fault]]\n{fault}\n[[expect]]\nthat = \"it\"\nduring = \"run\"\nstatus.200 = \">= 5%\"\n"
    );
    let read = load(Path::new("it.toml"), &[], &|_| Ok(text.clone()));
    let scenario = read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 200)));
    Fault { span: <_>::default(), ..scenario.faults[0].clone() }
}

/// The lines of a scenario with these keys.
fn lines(before: &str, keys: &Value) -> String {
    let line = |(key, value): (&String, &Value)| match value {
        Value::Object(_) => lines(&format!("{before}{key}."), value),
        // A string of JSON is one of TOML.
        _ => format!("{before}{key} = {value}\n"),
    };
    keys.as_object().unwrap().iter().map(line).collect()
}

#[test]
fn what_is_written_of_a_fault_is_what_a_scenario_says_of_it() {
    let (mut effects, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for text in FAULTS.into_iter().chain([MEMORY]) {
        let fault = of_scenario(&format!("name = \"it\"\nat = \"2s\"\nfor = \"8.25s\"\n{text}"));
        let written = write_fault(&fault);
        assert_eq!(of_scenario(&lines("", &written)), fault, "{written}");
        effects.insert(fault.effect.name());
        keys.extend(written.as_object().unwrap().keys().map(|key| (fault.effect.name(), key.clone())));
    }
    for facts in Effect::ALL {
        assert!(effects.contains(facts.name), "{}", facts.name);
        let missing: Vec<_> =
            facts.keys.iter().filter(|key| !keys.contains(&(facts.name, key.name.to_owned()))).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", facts.name);
    }
}

/// The fault as a message has it: it is there from then on, until it is taken back.
fn sent(fault: &Fault) -> Fault {
    Fault { at: Duration::ZERO, lasts: Duration::ZERO, pulse: None, ..fault.clone() }
}

fn read_again(fault: &Fault) -> Fault {
    let written = write_fault(fault);
    let read = read_fault(&written, &links()).unwrap_or_else(|wrong| panic!("{written}: {wrong:?}"));
    Fault { span: <_>::default(), ..read }
}

#[test]
fn faults_of_links_are_read_from_json_as_they_were_written() {
    for text in FAULTS {
        let fault = of_scenario(&format!("name = \"it\"\nat = \"2s\"\nfor = \"8s\"\n{text}"));
        if fault.effect.facts().level.is_of_plain_links() {
            assert_eq!(read_again(&sent(&fault)), sent(&fault));
            let for_a_time = Fault { lasts: Duration::from_millis(4321), ..sent(&fault) };
            assert_eq!(read_again(&for_a_time), for_a_time);
        }
    }
}

fn wrong(fault: &Value) -> Vec<(String, String)> {
    let told = |Mistake { pointer, message, advice }| (pointer, format!("{message}; {}", advice.unwrap_or_default()));
    read_fault(fault, &links()).unwrap_err().into_iter().map(told).collect()
}

#[test]
fn mistakes_are_told_with_their_places_all_at_once() {
    let delay = |key: &str, value: Value| {
        let mut fault = json!({ "name": "it", "on": "client -> web", "effect": "delay", "delay": "1s" });
        fault[key] = value;
        fault
    };
    for (fault, pointer, told) in [
        (delay("name", json!("a b")), "/name", "`a b`"),
        (
            delay("on", json!("web -> db")),
            "/on",
            "no proxy stands on `web -> db`; they do on `client -> web` and `web -> cache`",
        ),
        (delay("on", json!("cache")), "/on", "`cache` is no link"),
        (delay("delay", json!(7)), "/delay", "must be a string, and this is a number"),
        (delay("delay", json!("7")), "/delay", "has no unit; did you mean `7s` or `7ms`?"),
        (delay("delay", Value::Null), "/delay", "this is null"),
        (delay("dely", json!("7s")), "/dely", "unknown key `dely` in this fault; did you mean `delay`?"),
        (delay("direction", json!("both")), "/direction", "belongs to"),
        (delay("effect", json!("delays")), "/effect", "did you mean `delay`?"),
        (delay("effect", json!("stop")), "/on", "`stop` acts on a service, and proxies stand on links"),
        (delay("share", json!("0%")), "/share", "does nothing"),
        (
            delay("at", json!("1s")),
            "/at",
            "`at` is of a timeline, and there is none here; take it away: a fault begins when its message comes",
        ),
        (delay("pulse", json!("1s of 3s")), "/pulse", "take it away"),
        (delay("for", json!("0s")), "/for", "this must be longer than nothing"),
        (delay("only", json!("GET")), "/only", "must be a table"),
        (delay("only", json!({ "methods": ["POST"] })), "/only/methods", "did you mean `method`?"),
        (delay("only", json!({ "method": ["POST"] })), "/only/method", "must be a string, and this is a list"),
        (delay("only", json!({ "command": "GET" })), "/only", "requests have no command"),
        (delay("only", json!({ "header": { "a/~": 7 } })), "/only/header/a~1~0", "must be a string"),
        (json!([]), "", "a fault is an object"),
        (json!({ "on": "client -> web", "effect": "close" }), "", "this fault lacks `name`; add `name = \"outage\"`"),
    ] {
        let found = wrong(&fault);
        assert!(found.iter().any(|(at, text)| at == pointer && text.contains(told)), "{fault}: {found:?}");
    }
    let several =
        wrong(&json!({ "name": "it", "on": "client -> web", "effect": "close", "share": "x", "only": { "pat": "/" } }));
    let places: Vec<&str> = several.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(places, ["/only/pat", "/share"], "{several:?}");
}

fn only() -> impl Strategy<Value = Only> {
    let nth = prop_oneof![
        Just(None),
        (1..u64::MAX).prop_map(|nth| Some(Nth::Only(nth))),
        (1..u64::MAX).prop_map(|nth| Some(Nth::First(nth))),
        (1..u64::MAX).prop_map(|nth| Some(Nth::Every(nth))),
    ];
    let headers = proptest::collection::btree_map("[a-z/~.]{1,4}", ".{0,4}", 0..3);
    let path = proptest::option::of("/[^?]{0,6}");
    let query = proptest::option::of("[a-z*=&]{1,4}");
    let methods = proptest::collection::vec("[A-Z]{1,3}", 0..3);
    (methods, path, query, headers, nth).prop_map(|(methods, path, query, headers, nth)| Only {
        methods,
        path: path.map(Pattern),
        query: query.map(Pattern),
        headers: headers.into_iter().map(|(name, value)| (name, Pattern(value))).collect(),
        nth,
        ..Only::default()
    })
}

/// Up to the month that a duration may have.
fn time() -> impl Strategy<Value = Duration> {
    (1..2_678_400_000_000_000_u64).prop_map(Duration::from_nanos)
}

fn effect() -> impl Strategy<Value = (usize, Effect)> {
    let latency = (time(), time(), 1..=1_u64 << 30).prop_map(|(mean, jitter, in_flight)| {
        let delay = Spread { mean, jitter, distribution: Distribution::Lognormal };
        (1, Latency { in_flight, ..Latency::of(delay, Directions::Both) }.into())
    });
    let reset = time().prop_map(|after| (1, Reset::after(after).into()));
    let status =
        (200..600_u16, ".{1,9}").prop_map(|(status, body)| (0, Status { status, body, content_type: None }.into()));
    prop_oneof![latency, reset, status]
}

proptest! {
    #[test]
    fn whatever_a_fault_is_it_comes_back(
        (link, effect) in effect(),
        only in only(),
        except in proptest::option::of(only()),
        parts in 1..=100_000_000_000_u64,
        ramp in proptest::option::of(time()),
    ) {
        let target = Target::Link(links()[link].0.clone());
        let of_messages = link == 0;
        let grows = effect.grows().is_some();
        let fault = Fault {
            share: Share { parts, whole: 100_000_000_000 },
            except: except.filter(|except| of_messages && !except.is_part_of(&only)),
            only: if of_messages { only } else { Only::default() },
            ramp: ramp.filter(|_| grows).unwrap_or_default(),
            ..Fault::new("it", target, effect)
        };
        prop_assert_eq!(read_again(&fault), fault);
    }
}
