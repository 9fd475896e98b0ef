//! The JSON Schemas of all files that people write, by which editors complete and explain keys as they are typed:
//! scenarios, systems, where a system runs already, and the proxies before it.
//!
//! Effects and their keys, and checks, are those of their tables; the other keys stand here with what is said of them, and a test
//! asks the language itself which ones it knows. Values are strings of small languages (`< 50ms`), which a schema can
//! only give examples of: what is right is for `chaos check` to say.

mod message;
mod responses;

pub use message::faults;

use super::Known;
use crate::{
    Effect, Protocol,
    check::{Row, Shape},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The draft that editors know best (taplo, Even Better TOML).
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of a scenario's file, in these words.
#[must_use]
pub fn scenario(known: &Known<'_>) -> Value {
    let mut properties = object([
        ("title", text("What the scenario shows.", "Redis goes down under load")),
        (
            "system",
            text(
                "The system's file, or a Compose file, beside this one; `system.toml` unless it is said.",
                "system.toml",
            ),
        ),
        ("set", settings("Settings of the system that are otherwise in this scenario.")),
        ("load", load()),
        ("fault", list("What is broken, where and when.", fault())),
        ("expect", list("What must hold, and when.", expectation(known))),
        (
            "explore",
            table([("invariant", list("What must hold whatever breaks (`chaos explore`).", invariant(known)))]),
        ),
        ("guard", list("A protection that is taken away, and what must break then (`chaos prove`).", guard())),
    ]);
    properties.extend(system_keys(known));
    with_definitions(file("A scenario of chaos", properties, &["title", "load", "expect"]))
}

/// The schema of a system's file, in these words.
#[must_use]
pub fn system(known: &Known<'_>) -> Value {
    let about = "The Compose file that the services are of, beside this one; the other keys say what it doesn't.";
    let mut properties = system_keys(known);
    properties.insert("compose".to_owned(), text(about, "docker-compose.yml"));
    let either = json!([{ "required": ["compose"] }, { "required": ["entry", "service"] }]);
    let mut schema = with(file("A system for chaos to break", properties, &[]), "anyOf", either);
    schema.as_object_mut().map(|schema| schema.remove("required"));
    schema
}

/// The schema of the file that says where a system runs already (`attach.toml`).
#[must_use]
pub fn attach() -> Value {
    let control = required(
        table([
            ("url", text("The control API of the proxies: plain HTTP.", "http://127.0.0.1:8400")),
            ("token-file", text("The file with its token, beside this one; `chaos proxy` writes it.", "token")),
            ("token-env", text("The environment variable with its token, in place of a file.", "CHAOS_TOKEN")),
        ]),
        &["url"],
    );
    let one_token = json!([{ "required": ["token-file"] }, { "required": ["token-env"] }]);
    let control = described(with(control, "oneOf", one_token), "Who steers the proxies on the links.");
    let about =
        "The container that it runs in, by name or id: for faults of services, by the engine of the runner's machine.";
    let service = required(
        table([
            ("address", text("Where it is reached past any proxy.", "127.0.0.1:8001")),
            ("container", text(about, "chaos-redis")),
        ]),
        &["address"],
    );
    let services = json!({ "type": "object", "description": "The services of the system, by name.", "additionalProperties": service });
    file(
        "Where a system runs that chaos attaches to",
        object([
            ("entry", text("Where clients reach the entry: the proxy of their link.", "127.0.0.1:8000")),
            (
                "gate",
                json!({
                    "type": "boolean",
                    "description": "Where the system is not well before the first fault, none begins (true).",
                }),
            ),
            ("control", control),
            ("service", services),
        ]),
        &["entry", "control", "service"],
    )
}

/// The schema of the file of `chaos proxy`.
#[must_use]
pub fn proxies(protocols: &[Protocol]) -> Value {
    let listen = "An IP address of this machine with a port; a port alone is on loopback.";
    let control = required(
        table([
            ("listen", text(&format!("Where the control API listens (`127.0.0.1:8400`). {listen}"), "127.0.0.1:8400")),
            ("token-file", text("Where its token is written at each start, beside this file.", "token")),
        ]),
        &["token-file"],
    );
    let protocol = protocol(protocols, "What is spoken there (`tcp`): effects on requests and commands need to know.");
    let max_connections = json!({
        "type": "integer",
        "minimum": 1,
        "description": "How many connections may be open at once (10000); further ones are reset, and counted.",
        "examples": [500],
    });
    let link = required(
        table([
            ("name", text("The link, as scenarios write it.", "gateway -> redis")),
            ("listen", text(&format!("Where its proxy listens. {listen}"), "127.0.0.1:16379")),
            ("target", text("Where it leads.", "redis:6379")),
            ("protocol", protocol),
            ("max-connections", max_connections),
        ]),
        &["name", "listen", "target"],
    );
    let allow = json!({
        "type": "array",
        "items": { "type": "string" },
        "description": "Targets that need not be local, with `--allow-remote-targets`.",
        "examples": [["cache.example.com:6379"]],
    });
    let links =
        json!({ "type": "array", "description": "The links, each with a proxy.", "items": link, "minItems": 1 });
    file(
        "Proxies of chaos before a system that runs already",
        object([
            ("control", described(control, "The control API of these proxies.")),
            ("link", links),
            ("targets", described(table([("allow", allow)]), "Where proxies may lead.")),
        ]),
        &["control", "link"],
    )
}

/// Each with what it is, which editors show beside it.
fn protocol(among: &[Protocol], about: &str) -> Value {
    let each = among.iter().map(|protocol| json!({ "const": protocol.name, "description": protocol.about }));
    json!({ "description": about, "oneOf": each.collect::<Vec<_>>() })
}

/// The schema of a file with these keys.
fn file(title: &str, properties: Map<String, Value>, needed: &[&str]) -> Value {
    json!({
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    })
}

fn with_definitions(mut schema: Value) -> Value {
    // TOML makes tables of the dots in `latency.p99.9` and `service.gateway.env.X`.
    let tree = |name: &str, leaf: Value| {
        let branch = json!({ "$ref": format!("#/definitions/{name}") });
        json!({ "type": "object", "additionalProperties": { "anyOf": [leaf, branch] } })
    };
    schema["definitions"] = json!({
        "comparisons": tree("comparisons", json!({ "type": "string" })),
        "settings": tree("settings", json!({ "type": ["string", "number", "boolean", "array"] })),
    });
    schema
}

fn system_keys(known: &Known<'_>) -> Map<String, Value> {
    object([
        ("entry", text("The service that clients use.", "gateway")),
        (
            "service",
            json!({ "type": "object", "description": "The services, by name.", "additionalProperties": service(known) }),
        ),
        ("responses", responses::responses(known.checks)),
    ])
}

fn service(known: &Known<'_>) -> Value {
    let protocol = protocol(
        known.protocols,
        "What it speaks, if it is not what the program says: effects on requests and commands need to know.",
    );
    let command = json!({
        "type": "array",
        "items": { "type": "string" },
        "description": "A program of your own, with arguments. `{self.port}` is its port, `{redis}` another service's address.",
        "examples": [["./server", "--port", "{self.port}"]],
    });
    let env = strings("Settings. `{redis}` is a service's address, and makes a link that faults can act on.");
    let words = json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
    let commands = |description: &str, example: &str| json!({ "type": "array", "items": words, "description": description, "examples": [[[example]]] });
    let ready = json!({
        "description": "How it shows that it is ready: a request that succeeds, a connection (`tcp`), a line of its output, or a command that ends well.",
        "anyOf": [{ "type": "string" }, words],
        "examples": ["GET /health", "GET :admin/health", "tcp", "log Listening on", ["pg_isready", "-p", "{self.port}"]],
    });
    let ports = json!({
        "type": "object",
        "additionalProperties": { "type": "integer", "minimum": 1, "maximum": 65535 },
        "description": "Other ports, by name: where it listens, unless `{self.port.NAME}` gives it the world's.",
        "examples": [{ "admin": 8081 }],
    });
    table([
        ("program", json!({ "enum": known.programs, "description": "A built-in program." })),
        ("command", command),
        (
            "image",
            text("A container's image, for the world `docker`; `command` beside it is what it runs.", "redis:7.2"),
        ),
        ("port", container_port()),
        ("protocol", protocol),
        (
            "password",
            text("The environment variable that holds its password, for faults that log in.", "{env:CACHE_PASSWORD}"),
        ),
        ("address", text("Where it runs already: it is used, and neither started nor ended.", "127.0.0.1:5432")),
        ("ports", ports),
        ("ready", ready),
        (
            "metrics",
            text(
                "Where its Prometheus metrics are: a path, also of a named port (`GET :admin/metrics`).",
                "GET /metrics",
            ),
        ),
        (
            "replicas",
            json!({ "type": "integer", "minimum": 1, "maximum": 32, "description": "How many of it run at once (`1`): `NAME.1`, `NAME.2` and so on.", "examples": [2] }),
        ),
        (
            "working-dir",
            text("Folder that its commands run in, as seen from this file; of an image, one in the container.", "shop"),
        ),
        ("setup", commands("Commands before its start, each to its end, in this order.", "./migrate")),
        ("teardown", commands("Commands after its end, however that came about.", "./drop-schema")),
        ("setup-timeout", text("Time that each command of `setup` and `teardown` has (`60s`).", "5m")),
        ("start-timeout", text("Time from its start in which it has to be ready (`20s`; in containers `30s`).", "90s")),
        ("stop-signal", text("The signal that asks it to end (`SIGTERM`, or what its image says).", "SIGINT")),
        ("stop-grace", text("Time that it has to end then, before SIGKILL (`3s`).", "30s")),
        ("tls", tls()),
        ("trust", trust()),
        ("env", env),
    ])
}

fn container_port() -> Value {
    json!({
        "type": "integer",
        "minimum": 1,
        "maximum": 65535,
        "description": "Where the program of an image listens in its container, if not where the image exposes its one port.",
        "examples": [5432],
    })
}

fn tls() -> Value {
    json!({
        "description": "It speaks TLS on its own port, as a setting that says `https://{...}` or the like also tells: ended on links and begun anew, unless it is to pass.",
        "oneOf": [
            { "const": true },
            { "const": "pass" },
            table([
                ("ca", text("A file of certificates (PEM) to believe: authorities, or its own.", "cert.pem")),
                ("insecure", json!({ "type": "boolean", "description": "Any certificate is believed." })),
            ]),
        ],
    })
}

fn trust() -> Value {
    json!({
        "enum": ["env"],
        "description": "Has it trust the run's certificate authority, by SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, where they are not set.",
    })
}

fn load() -> Value {
    let vars = "Variables of requests, drawn for each: `zipf 1..500`, `uniform 1..500`, `sequence 0001..0500`, `uuid`, `one of a, b`, `random 12`, `file users.csv column id`, `now`, `now unix`, `now ms`.";
    let weight = json!({ "type": "integer", "minimum": 1, "description": "How often, beside the others." });
    let one = required(table(request().into_iter().chain([("weight", weight.clone())])), &["request"]);
    let line = text("Method, path and query, with variables in braces.", "GET /api/profile/{user}");
    let arrivals = json!({ "enum": ["poisson", "constant"], "description": "How arrivals are spread (`poisson`)." });
    let stage = required(
        table([
            ("for", text("How long it lasts.", "20s")),
            ("rate", text("Arrivals in a time, or from one rate evenly to another.", "50/s..400/s")),
        ]),
        &["for", "rate"],
    );
    let load = table([
        (
            "journey",
            json!({ "type": "array", "items": journey(weight), "minItems": 1, "description": "Requests that one client makes one after the other." }),
        ),
        ("request", json!({ "anyOf": [line, { "type": "array", "items": one, "minItems": 1 }] })),
        (
            "stages",
            json!({ "type": "array", "items": stage, "minItems": 1, "description": "In place of `rate` and `duration`: rates one after the other." }),
        ),
        (
            "rate",
            text(
                "Journeys begun in a time, a request by itself being one of one step, whether or not earlier ones have a response.",
                "200/s",
            ),
        ),
        ("duration", text("How long the judged timeline is.", "12s")),
        ("arrivals", arrivals),
        ("warmup", text("Load before the timeline, which is not judged (`0s`).", "1s")),
        ("timeout", text("How long a client waits (`5s`).", "2s")),
        ("vars", strings(vars)),
        ("headers", strings("Header fields of all requests.")),
        ("cookies", strings("Cookies of all requests.")),
        ("body", text("The body of all requests.", "{\"user\": {user}}")),
        ("json", json!({ "description": "The body of all requests as JSON." })),
        ("form", json!({ "type": "object", "description": "The body of all requests as the fields of a form." })),
        ("body-file", text("The file that has the body of all requests.", "order.xml")),
        ("auth", auth()),
    ]);
    let rates = json!([{ "required": ["rate", "duration"] }, { "required": ["stages"] }]);
    let made = json!([{ "required": ["request"] }, { "required": ["journey"] }]);
    described(with(with(load, "anyOf", made), "oneOf", rates), "What clients do.")
}

/// The keys of a request, whether or not it is a step of a journey.
fn request() -> Vec<(&'static str, Value)> {
    let json = "Its body as JSON; a string that is nothing but a variable has the type of its value.";
    vec![
        ("request", text("Method, path and query, with variables in braces.", "GET /api/profile/{user}")),
        ("name", text("Its name, by which it is counted; else the line as it is.", "profile")),
        ("headers", strings("Header fields of it.")),
        ("cookies", strings("Cookies of it, beside those that responses of its journey set.")),
        ("body", text("Its body. Braces that hold no variable stand for themselves.", "{\"user\": {user}}")),
        ("json", json!({ "description": json })),
        ("form", json!({ "type": "object", "description": "Its body as the fields of a form." })),
        ("body-file", text("The file that has its body, in the scenario's folder.", "order.xml")),
        ("auth", auth()),
    ]
}

fn auth() -> Value {
    let auth = table([
        ("bearer", text("The token, by RFC 6750.", "{env:API_TOKEN}")),
        ("basic", text("User and password, by RFC 7617.", "shop:{env:SHOP_PASSWORD}")),
        ("header", strings("Header fields with secrets: `{env:API_KEY}`.")),
    ]);
    described(auth, "Who makes it: from the environment (`{env:NAME}`), a file (`{file:PATH}`), or variables.")
}

fn journey(weight: Value) -> Value {
    let capture = "Variables of later steps, taken from its response: `$.token`, `header location`, `cookie session`, `regex id=([0-9]+)`. Without one of them it has failed.";
    let step = request().into_iter().chain([
        ("think", text("The time from the end of the step before until it is due, or a range of times.", "1s..3s")),
        ("capture", strings(capture)),
    ]);
    let steps = json!({ "type": "array", "items": required(table(step), &["request"]), "minItems": 1, "description": "Its requests, in order. Each is due when the one before has ended; one that fails ends the journey." });
    let name = text("Its name.", "buy");
    required(table([("name", name), ("weight", weight), ("step", steps)]), &["step"])
}

fn fault() -> Value {
    let own = [
        ("name", text("Its name: the phase that it makes.", "outage")),
        ("on", on()),
        ("effect", effect()),
        ("at", text("From when, on the timeline.", "4s")),
        ("for", text("For how long.", "4s")),
        ("instances", text("On how many replicas of the service, drawn from the seed (all).", "50%")),
        ("share", text("For how many requests, commands or connections (`100%`).", "10%")),
        ("ramp", text("In which time it grows from nothing to its whole.", "2s")),
        ("pulse", text("It comes and goes: on for one second of each three.", "1s of 3s")),
        ("only", described(only(), "For which requests or commands.")),
        ("except", described(only(), "For which of these not.")),
    ];
    let names: Vec<&str> = own.iter().map(|(name, _)| *name).collect();
    let mut about: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (effect, key) in Effect::ALL.iter().flat_map(|facts| facts.keys.iter().map(|key| (facts.name, key))) {
        about.entry(key.name).or_default().push(format!("`{effect}`: {}", key.about));
    }
    let mut properties = object(own);
    for (key, about) in about {
        properties.insert(key.to_owned(), json!({ "type": "string", "description": about.join("\n\n") }));
    }
    let kinds = Effect::ALL.iter().map(|facts| {
        let keys: Vec<&str> = names.iter().copied().chain(facts.keys.iter().map(|key| key.name)).collect();
        json!({
            "if": { "properties": { "effect": { "const": facts.name } }, "required": ["effect"] },
            "then": { "propertyNames": { "enum": keys } },
        })
    });
    let kinds: Vec<Value> = kinds.collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": ["name", "on", "effect", "at", "for"],
        "additionalProperties": false,
        "allOf": kinds,
    })
}

fn on() -> Value {
    let one =
        text("A link, or a service for effects on services; `* -> redis` is each link to it.", "gateway -> redis");
    let several = json!({
        "type": "array",
        "items": { "type": "string" },
        "minItems": 1,
        "examples": [["gateway -> redis", "gateway -> user-service"]],
    });
    json!({ "description": "Where it acts: a link, several links, or a service.", "anyOf": [one, several] })
}

/// Each with what it does, which editors show beside it.
fn effect() -> Value {
    let each = Effect::ALL.iter().map(|facts| json!({ "const": facts.name, "description": facts.about }));
    json!({ "description": "What it does: docs/effects.md.", "oneOf": each.collect::<Vec<_>>() })
}

fn only() -> Value {
    table([
        ("method", text("Of requests: these methods.", "GET|POST")),
        ("path", text("Of requests: the path is like this, without the query.", "/orders/*")),
        ("query", text("Of requests: the query is like this, all of it.", "*full=1*")),
        ("header", strings("Of requests: these header fields are like this.")),
        ("baggage", strings("Of requests: these entries of their W3C baggage are like this.")),
        ("command", text("Of commands: these.", "GET|MGET")),
        ("key", text("Of commands: a key is like this.", "gateway:profile:*")),
        ("nth", text("Of those that match: the nth alone.", "3")),
        ("first", text("Of those that match: the first n.", "3")),
        ("every", text("Of those that match: every nth.", "10")),
    ])
}

fn expectation(known: &Known<'_>) -> Value {
    let mut properties = object([
        ("that", text("What it means.", "clients never notice")),
        ("during", text("In which phase: a fault's name, `baseline`, `recovery`, `run`, or a window.", "outage")),
        ("across", text("The requests that were under way when this fault began.", "outage")),
        ("after", text("After which fault.", "outage")),
        ("within", text("How soon after it.", "2s")),
        (
            "gate",
            json!({ "type": "boolean", "description": "In the baseline: where it does not hold, no fault begins." }),
        ),
        ("abort", text("Broken for so long, and all faults are taken back: the run ends.", "5s")),
        ("of", text("Which requests of the load, by name or line; all unless it is said.", "checkout")),
        ("service", text("Whose metrics are meant; the entry's unless it is said.", "order-service")),
        ("type", json!({ "enum": ["counter", "gauge"], "description": "The type of a metric that says none itself." })),
        (
            "absent",
            json!({ "enum": ["zero"], "description": "A series that no scrape has yet counts so; else as unknown." }),
        ),
        ("worlds", worlds(known.worlds)),
    ]);
    properties.extend(known.checks.iter().map(|row| (row.key.to_owned(), comparison(row))));
    json!({ "type": "object", "properties": properties, "required": ["that"], "additionalProperties": false })
}

/// An expectation without the keys that say when and where.
fn invariant(known: &Known<'_>) -> Value {
    let mut properties = object([
        ("that", text("What it means.", "nobody gets what is another's")),
        ("of", text("Which requests of the load, by name or line; all unless it is said.", "checkout")),
        ("service", text("Whose metrics are meant; the entry's unless it is said.", "order-service")),
        ("type", json!({ "enum": ["counter", "gauge"], "description": "The type of a metric that says none itself." })),
        (
            "absent",
            json!({ "enum": ["zero"], "description": "A series that no scrape has yet counts so; else as unknown." }),
        ),
    ]);
    properties.extend(known.checks.iter().map(|row| (row.key.to_owned(), comparison(row))));
    json!({ "type": "object", "properties": properties, "required": ["that"], "additionalProperties": false })
}

fn worlds(among: Option<&[&str]>) -> Value {
    json!({
        "type": "array",
        "items": among.map_or_else(|| json!({ "type": "string" }), |names| json!({ "enum": names })),
        "minItems": 1,
        "description": "In which worlds it is judged, if not in all.",
    })
}

/// The schema of a key of comparisons.
fn comparison(row: &Row) -> Value {
    let usual = match row.shape {
        Shape::Whole(example) => return text(row.about, example),
        Shape::Named(usual) => usual,
    };
    let usual = usual.iter().map(|(name, example)| ((*name).to_owned(), json!({ "examples": [example] })));
    json!({
        "description": row.about,
        "allOf": [{ "$ref": "#/definitions/comparisons" }],
        "properties": usual.collect::<Map<_, _>>(),
    })
}

fn guard() -> Value {
    let expectations = |about: &str| {
        json!({
            "type": "array",
            "items": { "type": "string" },
            "minItems": 1,
            "description": about,
        })
    };
    let breaks = expectations("The expectations (`that`) which must break, and no others.");
    let may_break = expectations("The expectations (`that`) which may break too: whether they do proves nothing.");
    let table = table([
        ("without", text("The protection that is taken away.", "the memory tier")),
        ("set", settings("How: settings, as `\"service.gateway.env.GATEWAY_CACHE_MEMORY\" = \"off\"`.")),
        ("breaks", breaks),
        ("may-break", may_break),
    ]);
    required(table, &["without", "set", "breaks"])
}

fn object(properties: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn table(properties: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    json!({ "type": "object", "properties": object(properties), "additionalProperties": false })
}

fn list(about: &str, items: Value) -> Value {
    json!({ "type": "array", "description": about, "items": items })
}

fn required(schema: Value, keys: &[&str]) -> Value {
    with(schema, "required", json!(keys))
}

fn described(schema: Value, about: &str) -> Value {
    with(schema, "description", json!(about))
}

fn with(mut schema: Value, key: &str, value: Value) -> Value {
    schema[key] = value;
    schema
}

fn text(about: &str, example: &str) -> Value {
    json!({ "type": "string", "description": about, "examples": [example] })
}

fn strings(about: &str) -> Value {
    json!({ "type": "object", "description": about, "additionalProperties": { "type": "string" } })
}

fn settings(about: &str) -> Value {
    json!({ "description": about, "allOf": [{ "$ref": "#/definitions/settings" }] })
}
