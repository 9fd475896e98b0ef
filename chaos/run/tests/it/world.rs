//! A world in memory: services are axum routers, links go through the real proxies.

use async_trait::async_trait;
use axum::Router;
use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::{
    Diagnostics, Event, Fault, Injection, Link, Protocol, Record, RunKey, Scenario, System, Target,
    event::{Judged, ProxyCounts},
    language,
    ledger::Removed,
    system::ListenPorts,
};
use chaos_run::{Address, Ending, Events, News, Notice, Options, TornDown, World, WorldError};
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use host::{Host, http, memory::MemoryNetwork};
use std::{collections::BTreeMap, io, path::Path};

const PORT: u16 = 8000;
const PROXIES: &str = "proxies";

/// Makes a service's router, from the address of what it uses (its proxy), by the setting's name.
pub(crate) type MakeRouter = fn(Host, BTreeMap<String, String>) -> Router;

pub(crate) struct MemoryWorld {
    network: MemoryNetwork,
    client: Host,
    programs: BTreeMap<&'static str, MakeRouter>,
    proxies: BTreeMap<Link, Proxy>,
    fails: bool,
    /// The system is others'.
    pub(crate) careful: bool,
    /// Connections that each proxy may have open; none: any number.
    pub(crate) most_connections: Option<usize>,
    /// Injections that proxies tell of the first fault that is taken back: as many again were left out.
    pub(crate) ledger: Vec<Injection>,
}

impl MemoryWorld {
    pub(crate) fn new(programs: &[(&'static str, MakeRouter)]) -> Self {
        let network = MemoryNetwork::new(7);
        let client = network.host("client");
        let programs = programs.iter().copied().collect();
        Self {
            network,
            client,
            programs,
            proxies: BTreeMap::new(),
            fails: false,
            careful: false,
            most_connections: None,
            ledger: Vec::new(),
        }
    }

    /// A world that can't be started.
    pub(crate) fn broken() -> Self {
        Self { fails: true, ..Self::new(&[]) }
    }

    fn proxy(&self, fault: &Fault) -> &Proxy {
        match &fault.on {
            Target::Link(link) => &self.proxies[link],
            on @ (Target::Service(_) | Target::Services(_) | Target::Links(_)) => panic!("no fault on {on} here"),
        }
    }
}

#[async_trait]
impl World for MemoryWorld {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn host(&self) -> &Host {
        &self.client
    }

    fn is_careful(&self) -> bool {
        self.careful
    }

    async fn take_run_lock(&mut self, _: &Events) -> Result<(), WorldError> {
        Ok(())
    }

    async fn start(&mut self, system: &System, run: RunKey, events: &Events) -> Result<(), WorldError> {
        if self.fails {
            return Err(WorldError::CannotGive("this world is broken".to_owned()));
        }
        let proxies = self.network.host(PROXIES);
        for link in &system.links {
            let proxy = Proxy::start(
                &proxies,
                proxies.listen(0).unwrap(),
                ProxyConfig {
                    link: link.clone(),
                    protocol: Protocol::HTTP,
                    seed: run.seed,
                    nonce: Some(run.nonce),
                    most_connections: self.most_connections,
                },
            );
            proxy.point_at(&link.to, PORT);
            self.proxies.insert(link.clone(), proxy);
        }
        for service in system.services.values() {
            let host = self.network.host(&service.name);
            let address = |to: &str, label: Option<&str>| {
                let wanted = |link: &&Link| {
                    link.from.to_string() == service.name && link.to == to && link.label.as_deref() == label
                };
                let link = self.proxies.keys().find(wanted).unwrap();
                format!("{PROXIES}:{}", self.proxies[link].port())
            };
            let ports = ListenPorts { own: PORT, named: service.ports.clone(), files: BTreeMap::new() };
            let env = service.env.iter().map(|(name, value)| (name.clone(), value.render(&ports, address))).collect();
            let router = self.programs[service.name.as_str()](host.clone(), env);
            let listener = host.listen(PORT).unwrap();
            let serving = host.clone();
            drop(host.spawn(async move {
                http::serve(&serving, listener, router, http::ServerConfig::default()).await;
            }));
            events.emit(Event::ServiceReady {
                service: service.name.clone(),
                what: "a router".to_owned(),
                address: format!("{}:{PORT}", service.name),
                took: std::time::Duration::ZERO,
            });
        }
        Ok(())
    }

    fn entry(&self) -> Address {
        let entry = self.proxies.iter().find(|(link, _)| link.from == chaos_model::Endpoint::Client);
        Address { host: PROXIES.to_owned(), port: entry.unwrap().1.port() }
    }

    fn service(&self, name: &str, _: Option<&str>) -> Option<Address> {
        Some(Address { host: name.to_owned(), port: PORT })
    }

    fn probe(&self, _: &str) -> Option<BoxFuture<'static, Result<(), String>>> {
        None
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        match self.proxy(fault).send(Message::Apply(Box::new(fault.clone()))).await {
            Reply::Done => Ok(()),
            other => panic!("{other:?}"),
        }
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        match self.proxy(fault).send(Message::Remove { fault: fault.name.clone() }).await {
            Reply::Removed(removed) if self.ledger.is_empty() => Ok(removed),
            Reply::Removed(Removed { fired, .. }) => {
                let injections = std::mem::take(&mut self.ledger);
                let left_out = injections.len() as u64;
                Ok(Removed { fired, injections, left_out })
            }
            other => panic!("{other:?}"),
        }
    }

    fn count(&self) -> BoxFuture<'static, Option<ProxyCounts>> {
        let links = self.proxies.iter().map(|(link, proxy)| (link.to_string(), proxy.counts()));
        let faults = self.proxies.values().flat_map(Proxy::fired);
        ready(Some(ProxyCounts { links: links.collect(), faults: faults.collect() })).boxed()
    }

    fn is_restarting(&self, _: &str) -> bool {
        false
    }

    async fn notice(&mut self) -> Result<Notice, WorldError> {
        std::future::pending().await
    }

    async fn attend(&mut self, _: Notice) -> Result<Option<News>, WorldError> {
        Ok(None)
    }

    async fn stop(&mut self, _: bool) -> TornDown {
        self.proxies.clear();
        TornDown::default()
    }
}

/// A run that has ended, with its events.
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) records: Vec<Record>,
}

impl Ran {
    /// The judgement of the expectation of this name.
    pub(crate) fn judged(&self, that: &str) -> &Judged {
        let Ending::Judged(_, judged) = &self.ending else { panic!("{:?}", self.ending) };
        judged.iter().find(|judged| judged.that == that).unwrap_or_else(|| panic!("{that} was not judged"))
    }

    /// Reasons that make the run inconclusive as a whole.
    pub(crate) fn doubts(&self) -> Vec<&str> {
        let doubt = |record: &'_ Record| matches!(record.event, Event::Inconclusive { .. });
        let text = |record| match record {
            &Record { event: Event::Inconclusive { ref why, .. }, .. } => why.as_str(),
            _ => "",
        };
        self.records.iter().filter(|record| doubt(record)).map(text).collect()
    }
}

/// Checks a scenario. Its services stand in itself.
pub(crate) fn scenario(text: &str) -> Result<Scenario, Diagnostics> {
    let read = |path: &Path| match path.to_str() {
        Some("test.toml") => Ok(text.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    language::load(Path::new("test.toml"), &[], &read)
}

/// Runs a scenario whose entry, and only service unless it says otherwise, is this router.
pub(crate) async fn run(text: &str, programs: &[(&'static str, MakeRouter)]) -> Ran {
    run_in(text, &mut MemoryWorld::new(programs)).await
}

pub(crate) async fn run_in(text: &str, world: &mut MemoryWorld) -> Ran {
    run_so(text, world, Options::default()).await
}

/// Runs a scenario as the options say.
pub(crate) async fn run_so(text: &str, world: &mut MemoryWorld, options: Options) -> Ran {
    let scenario = scenario(text).unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)));
    run_scenario(&scenario, world, options).await
}

/// The same of a scenario that is read already.
pub(crate) async fn run_scenario(scenario: &Scenario, world: &mut MemoryWorld, options: Options) -> Ran {
    let options = Options { file: "test.toml".to_owned(), seed: 1, ..options };
    let (events, mut reader) = Events::channel();
    let never = Box::pin(std::future::pending());
    let ending = chaos_run::run(scenario, world, &options, &events, never).await;
    drop(events);
    let mut records = Vec::new();
    while let Some(record) = reader.recv().await {
        records.push(record);
    }
    Ran { ending, records }
}

/// The head of a scenario with one service: 100 requests a second, evenly, for four seconds.
pub(crate) const ONE_SERVICE: &str = r#"
title = "a test"
entry = "web"
[responses]
partial.body."$.partial" = "== true"
stale.body."$.meta.parts[?@.state == 'stale']" = "exists"
age.header = "age"
age.body = "$.meta.parts.*.age_ms"
age.unit = "ms"
[service.web]
program = "gateway"
metrics = "GET /metrics"
[load]
request = "GET /users/{user}"
rate = "100/s"
arrivals = "constant"
duration = "4s"
timeout = "1s"
vars.user = "sequence 1..10"
"#;

/// A fault on the clients' link from the first to the second second.
pub(crate) fn fault(effect: &str) -> String {
    format!("[[fault]]\nname = \"outage\"\non = \"client -> web\"\n{effect}\nat = \"1s\"\nfor = \"1s\"\n")
}
