//! The control API: whatever is sent, it answers, and never with a failure of its own.

use super::Target;
use chaos_inject::{
    Controlled, Links, Proxy, ProxyConfig,
    control::{ServeConfig, Token, serve},
};
use chaos_model::{Effect, Endpoint, Link, Protocol, effect::Level};
use host::{Host, Settings, memory::MemoryNetwork};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::Runtime,
};

pub(super) const TARGET: Target = Target {
    name: "control",
    about: "bodies of requests to the control API, from who has the token and the lease",
    seeds,
    words: WORDS,
    start: || {
        let mut server = Server::start();
        // Were good ones refused, others would show nothing; but a lease is refused, for it has one.
        let taken = seeds().iter().filter(|seed| server.steer(seed).starts_with("HTTP/1.1 2")).count();
        assert_eq!(taken + 1, seeds().len(), "good requests are taken");
        Box::new(move |input| drop(server.steer(input)))
    },
};

pub(super) const RAW: Target = Target {
    name: "control-raw",
    about: "any bytes to the control server, from anybody",
    seeds: || {
        let whole = |input: &Vec<u8>| {
            let (line, body) = split(input);
            let head = format!("{line} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
            [head.as_bytes(), body].concat()
        };
        seeds().iter().map(whole).collect()
    },
    words: super::script::HTTP_WORDS,
    start: || {
        let mut server = Server::start();
        Box::new(move |input| drop(server.ask(input)))
    },
};

const TOKEN: [u8; 32] = [7; 32];
const LINK: &str = "gateway -> redis";
/// Inputs after which all leases have lapsed, so that one that was given up is taken again.
const LEASE: u32 = 64;

const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "\"gateway -> redis\"",
    "\"client -> gateway\"",
    "\"apply\":",
    "\"remove\":{\"fault\":\"latency\"}",
    "\"clear\"",
    "\"fired\"",
    "\"effect\":",
    "\"name\":\"f\"",
    "\"on\":",
    "\"share\":\"10%\"",
    "\"only\":{\"command\":\"GET\"}",
    "\"for\":\"4s\"",
    "\"at\":\"1s\"",
    "\"ttl_ms\":",
    "\"seed\":",
    "\"holder\":",
    "\"nonce\":\"00000000000000ab\"",
    "\\u0000",
    "\\ud800",
    "\u{e9}",
    "\u{202e}",
    "GET ",
    "PUT ",
    "DELETE ",
    "POST ",
    "/v2/lease",
    "/v2/lease/{id}",
    "/v2/links",
    "/messages",
    "?",
    "%2f",
    "..",
    " ",
    "\n",
];

/// Method and path, and the body behind them.
fn split(input: &[u8]) -> (String, &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let line = String::from_utf8_lossy(&input[..end]).into_owned();
    (line, input.get(end + 1..).unwrap_or_default())
}

fn seeds() -> Vec<Vec<u8>> {
    let acts = |level: Level| matches!(level, Level::Connections | Level::Messages | Level::Commands);
    let messages = Effect::ALL.iter().filter(|facts| acts(facts.level)).map(|facts| {
        let mut fault = serde_json::json!({ "name": facts.name, "on": LINK, "for": "4s" });
        if facts.level != Level::Connections {
            fault["only"] = serde_json::json!({ "command": "GET" });
        }
        // An example is lines of TOML: `key = "value"`.
        for (key, value) in facts.example.lines().filter_map(|line| line.split_once('=')) {
            fault[key.trim()] = value.trim().trim_matches('"').into();
        }
        serde_json::json!({ "apply": fault })
    });
    let messages = messages.chain([
        serde_json::json!({ "remove": { "fault": "latency" } }),
        serde_json::json!("clear"),
        serde_json::json!("fired"),
    ]);
    let sent = messages.map(|message| {
        let body = serde_json::json!({ "link": LINK, "message": message });
        format!("POST /v2/lease/{{id}}/messages\n{body}")
    });
    let others = [
        "POST /v2/lease\n{\"holder\":\"a run\",\"ttl_ms\":1000,\"seed\":1,\"nonce\":\"00000000000000ab\"}",
        "PUT /v2/lease/{id}\n",
        "DELETE /v2/lease/{id}\n",
        "GET /v2/lease\n",
        "GET /v2/links\n",
        "GET /v2/health\n",
    ];
    sent.chain(others.map(str::to_owned)).map(String::into_bytes).collect()
}

/// A control server on a network in memory, with one link.
struct Server {
    runtime: Runtime,
    /// The machine of the server, which is there as long as this is.
    _proxies: Host,
    caller: Host,
    lease: String,
    asked: u32,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let (proxies, caller) = runtime.block_on(async {
            let network = MemoryNetwork::new(1);
            let (proxies, _) = network.node("proxies", Settings::default());
            let link = Link { from: Endpoint::Service("gateway".to_owned()), to: "redis".to_owned(), label: None };
            let protocol = Protocol::REDIS;
            let config = ProxyConfig { link: link.clone(), protocol, seed: 0, nonce: None, most_connections: None };
            let proxy = Proxy::start(&proxies, proxies.listen(0).expect("one is free"), config);
            let (listen, target) = ("proxies:1".to_owned(), "redis:6379".to_owned());
            let links = vec![Controlled { link, protocol, listen, target, proxy }];
            let (host, listener) = (proxies.clone(), proxies.listen(80).expect("it is free"));
            let config = ServeConfig { token: Token::new(TOKEN), most_connections: 16, patience: Duration::ZERO };
            drop(proxies.spawn(async move { serve(&host, listener, Links::of(links).into(), config).await }));
            (proxies, network.host("caller"))
        });
        Self { runtime, _proxies: proxies, caller, lease: "none".to_owned(), asked: 0 }
    }

    /// The id of a lease, which may be over.
    fn lease(&mut self) -> String {
        if self.asked.is_multiple_of(LEASE) {
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_secs(61)).await });
            let body = "{\"holder\":\"fuzz\",\"ttl_ms\":60000,\"seed\":1}";
            let token = Token::new(TOKEN);
            let length = body.len();
            let head = format!("POST /v2/lease HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n", token.reveal());
            let granted =
                self.exchange(format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}").as_bytes());
            let id = granted.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
            self.lease = id.unwrap_or_else(|| panic!("no lease: {granted}")).to_owned();
        }
        self.lease.clone()
    }

    /// Sends a request of somebody who may, and looks at the response.
    fn steer(&mut self, input: &[u8]) -> String {
        let (line, body) = split(input);
        let (line, token) = (line.replace("{id}", &self.lease()), Token::new(TOKEN));
        let head = format!("{line} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\n", token.reveal());
        let length = format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        self.ask(&[head.as_bytes(), length.as_bytes(), body].concat())
    }

    /// Sends any bytes, and looks at the responses.
    fn ask(&mut self, request: &[u8]) -> String {
        self.asked = self.asked.wrapping_add(1);
        let answer = self.exchange(request);
        // There may be none, where that was no HTTP, and several.
        for status in answer.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)) {
            assert!(status.starts_with(['1', '2', '4']), "{answer}");
        }
        answer
    }

    fn exchange(&mut self, request: &[u8]) -> String {
        self.runtime.block_on(async {
            let mut stream = self.caller.dial("proxies", 80).await.expect("it listens");
            let (mut read, mut write) = stream.split();
            let mut bytes = Vec::new();
            let sending = async {
                let _ = write.write_all(request).await;
                // Who ends its half at once is taken for one that has gone. What is no whole request has had its time by then.
                tokio::time::sleep(Duration::from_secs(60)).await;
                let _ = write.shutdown().await;
                std::future::pending::<()>().await;
            };
            let talking = async {
                tokio::select! {
                    biased;
                    _ = read.read_to_end(&mut bytes) => {}
                    () = sending => {}
                }
            };
            let talked = tokio::time::timeout(Duration::from_secs(600), talking).await;
            assert!(talked.is_ok(), "it neither answers nor closes");
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }
}
