//! A system that runs in memory, and runs against it.

use axum::{Router, http::StatusCode, routing::get};
use chaos_inject::{
    Controlled, Links, Proxy, ProxyConfig,
    control::{ServeConfig, Token, serve},
};
use chaos_links::reach::Resolve;
use chaos_model::{Endpoint, Event, Link, Protocol, Record, Scenario, event::ProxyCounts, language};
use chaos_run::{Ending, Events, Options};
use chaos_supervise::supervisor::SupervisorProgram;
use chaos_worlds::attach::{self, AttachConfig, AttachedWorld, Keeping};
use host::{Host, Settings, TaskGroup, http, memory::MemoryNetwork};
use std::{io, path::Path, sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
const TOKEN: &str = "the-token";

const SCENARIO: &str = r#"
title = "a running system"
entry = "web"
[service.web]
program = "gateway"
ready   = "GET /health"
[load]
request  = "GET /"
rate     = "50/s"
arrivals = "constant"
duration = "4s"
timeout  = "500ms"
[[fault]]
name   = "outage"
on     = "client -> web"
effect = "hang"
at     = "1s"
for    = "2s"
[[expect]]
that   = "nobody is answered"
during = "outage"
unanswered.any = ">= 70%"
[[expect]]
that   = "all are answered again"
after  = "outage"
within = "500ms"
status.200 = ">= 100%"
"#;

/// Settings that may be otherwise than they should be.
pub(crate) struct Setting {
    pub(crate) token: Result<&'static str, &'static str>,
    /// The port of the control server, if it is not the right one.
    pub(crate) control: u16,
    /// The link that has a proxy.
    pub(crate) link: &'static str,
    pub(crate) is_ready: bool,
    /// True where what is not local may be used; all names stand for a public address.
    pub(crate) remote: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self { token: Ok(TOKEN), control: 0, link: "client -> web", is_ready: true, remote: true }
    }
}

pub(crate) struct Running {
    client: Host,
    runner_host: Host,
    pub(crate) runner: TaskGroup,
    pub(crate) proxies: Host,
    pub(crate) proxies_tasks: TaskGroup,
    pub(crate) web: Host,
    entry: u16,
    control: u16,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::start_so(&Setting::default())
    }

    pub(crate) fn start_so(setting: &Setting) -> Self {
        let network = MemoryNetwork::new(1);
        let (proxies, proxies_tasks) = network.node("proxies", Settings::default());
        let (runner_host, runner) = network.node("runner", Settings::default());
        let web = network.host("web");
        let status = if setting.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let router = Router::new().route("/", get(async || "hello")).route("/health", get(async move || status));
        let (serving, listener) = (web.clone(), web.listen(8000).unwrap());
        drop(web.spawn(async move { http::serve(&serving, listener, router, http::ServerConfig::default()).await }));
        let to = setting.link.rsplit(' ').next().unwrap();
        let link = Link { from: Endpoint::Client, to: to.to_owned(), label: None };
        let config =
            ProxyConfig { link: link.clone(), protocol: Protocol::HTTP, seed: 0, nonce: None, most_connections: None };
        let proxy = Proxy::start(&proxies, proxies.listen(0).unwrap(), config);
        proxy.point_at("web", 8000);
        let (entry, listener) = (proxy.port(), proxies.listen(0).unwrap());
        let (control, serving) = (listener.port(), proxies.clone());
        let (listen, target) = (format!("proxies:{entry}"), "web:8000".to_owned());
        let controlled = Controlled { link, protocol: Protocol::HTTP, listen, target, proxy };
        let token = Token::read(TOKEN).unwrap();
        let config = ServeConfig { token, most_connections: 16, patience: SECOND };
        drop(proxies.spawn(async move { serve(&serving, listener, Links::of(vec![controlled]).into(), config).await }));
        let client = network.host("somebody");
        Self { client, runner_host, runner, proxies, proxies_tasks, web, entry, control }
    }

    /// A control server at this port of the proxies' machine as an earlier release has it: it has no such routes.
    pub(crate) fn other_release(&self, port: u16) {
        let (host, listener) = (self.proxies.clone(), self.proxies.listen(port).unwrap());
        let router = Router::new().fallback(async || {
            let problem = [("type", "urn:problem-type:chaos-proxy:no-such-route"), ("title", "There is nothing here")];
            let problem = problem.map(|(key, value)| format!("\"{key}\":\"{value}\"")).join(",");
            (StatusCode::NOT_FOUND, format!("{{{problem},\"status\":404}}"))
        });
        drop(
            self.proxies
                .spawn(async move { http::serve(&host, listener, router, http::ServerConfig::default()).await }),
        );
    }

    /// True where whoever asks through the proxy gets a response at once.
    pub(crate) async fn answers(&self) -> bool {
        self.answers_to("").await
    }

    /// The same, with these header fields.
    pub(crate) async fn answers_to(&self, headers: &str) -> bool {
        let request = format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
        let ask = async {
            let mut stream = self.client.dial("proxies", self.entry).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.map(|_| answer)
        };
        let answer = tokio::time::timeout(Duration::from_millis(1), ask).await;
        answer.is_ok_and(|answer: io::Result<String>| answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")))
    }

    /// A runner's host, and a run that it is about to make.
    pub(crate) fn world(&self, setting: Setting) -> (Host, (Scenario, AttachedWorld)) {
        let scenario = scenario();
        let control = if setting.control == 0 { self.control } else { setting.control };
        let file = format!(
            "entry = \"proxies:{}\"\n[control]\nurl = \"http://proxies:{control}\"\ntoken-file = \"t\"\n\
             [service.web]\naddress = \"web:8000\"\n",
            self.entry
        );
        let read = language::attach::load(&scenario, None, false, &|_| Ok(file.clone()));
        let attach = read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)));
        let token = setting.token.map(|token| Token::read(token).unwrap()).map_err(str::to_owned);
        // Nothing is kept where no service is broken.
        let keeping = Keeping { supervisor: SupervisorProgram::new("/nowhere"), temp: "/nowhere".into() };
        let config = AttachConfig { attach, token, holder: "a test".to_owned(), remote: setting.remote, keeping };
        let public: Resolve = Arc::new(|name, _| {
            let address = if name == "proxies" { [10, 0, 0, 1] } else { [8, 8, 8, 8] };
            Box::pin(async move { Ok(vec![address.into()]) })
        });
        let world = attach::world(&self.runner_host, config, public);
        (self.runner_host.clone(), (scenario, world))
    }

    /// Makes a run from its first event to its last.
    pub(crate) async fn run(&self, setting: Setting) -> Ran {
        run(self.world(setting).1).await
    }
}

fn scenario() -> Scenario {
    let read = |path: &Path| match path.to_str() {
        Some("test.toml") => Ok(SCENARIO.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let scenario = language::load(Path::new("test.toml"), &[], &read);
    scenario.unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)))
}

pub(crate) async fn run((scenario, mut world): (Scenario, AttachedWorld)) -> Ran {
    let (events, mut reader) = Events::channel();
    let never = Box::pin(std::future::pending());
    let ending = chaos_run::run(&scenario, &mut world, &Options::default(), &events, never).await;
    drop(events);
    let mut records = Vec::new();
    while let Some(record) = reader.recv().await {
        records.push(record);
    }
    Ran { ending, records }
}

/// The result of a run.
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) records: Vec<Record>,
}

impl Ran {
    /// The events that it told, but for figures.
    pub(crate) fn told(&self) -> Vec<String> {
        let line = |record: &Record| match &record.event {
            Event::LinkReady { link, address } => Some(format!("link_ready {link} at {address}")),
            Event::ServiceReady { service, what, address, .. } => {
                Some(format!("service_ready {service}: {what} at {address}"))
            }
            Event::FaultRemoved { fault, fired, .. } if fired.any() => Some(format!("{fault} fired")),
            Event::WorldFailed { why } => Some(format!("world failed: {why}")),
            Event::Inconclusive { why, .. } => Some(format!("doubt: {why}")),
            Event::Judged(judged) => Some(format!("{}: {:?} {:?}", judged.that, judged.verdict, judged.checks)),
            Event::TornDown { left, .. } => Some(format!("left: {left:?}")),
            _ => None,
        };
        self.records.iter().filter_map(line).collect()
    }

    /// Counts of the proxies by the end.
    pub(crate) fn counts(&self) -> ProxyCounts {
        let mut counts = ProxyCounts::default();
        for record in &self.records {
            if let Event::Counted(counted) = &record.event {
                counts.update(&counted.counts);
            }
        }
        counts
    }

    pub(crate) fn doubts(&self) -> Vec<&String> {
        let doubt = |record: &'_ Record| matches!(record.event, Event::Inconclusive { .. });
        let doubts = self.records.iter().filter(|record| doubt(record));
        doubts
            .filter_map(|record| if let Event::Inconclusive { why, .. } = &record.event { Some(why) } else { None })
            .collect()
    }

    /// The things that were left at the end.
    pub(crate) fn left(&self) -> Option<Vec<String>> {
        self.records.iter().find_map(|record| match &record.event {
            Event::TornDown { left, .. } => Some(left.clone()),
            _ => None,
        })
    }
}
