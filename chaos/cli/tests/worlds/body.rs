//! What every runtime has to do, made into a world with proxies in this process.

use chaos_links::InProcessLinks;
use chaos_model::{Endpoint, Link, Nonce, Protocol, RunKey, Scenario, language, language::Known};
use chaos_run::{Address, ComposedWorld, Events, InstanceId, Links as _, Offer, Runtime, World as _, WorldError};
use host::Host;
use std::{io, path::Path, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Longer than a request takes in any world.
const SOON: Duration = Duration::from_millis(500);
/// The time after which something that should be gone is waited for no longer.
const GONE_WITHIN: Duration = Duration::from_secs(10);

const STORE: &str = "store";

const SYSTEM: &str = r#"
title = "what every world does"
entry = "users"
[service.users]
program   = "user-service"
ready     = "GET /health"
env.STORE = "redis://{store}"
[service.store]
program = "redis-built-in"
[load]
request  = "GET /users/1"
rate     = "1/s"
duration = "60s"
[[expect]]
that = "it is run past the timeline"
during = "run"
unanswered.any = "<= 50%"
"#;

/// A fault of each kind, one after the other.
const FAULTS: [(&str, &str, &str); 8] = [
    ("pause", "store", "effect = \"pause\""),
    ("stop", "store", "effect = \"stop\""),
    ("kill", "store", "effect = \"kill\""),
    ("restart", "store", "effect = \"restart\""),
    ("flush", "store", "effect = \"flush\""),
    ("limit", "store", "effect = \"cpu\"\ncpus = \"0.1\""),
    ("refuse", "users -> store", "effect = \"refuse\""),
    ("hang", "users -> store", "effect = \"hang\""),
];

fn scenario(text: &str) -> Scenario {
    let known = Known { programs: &["user-service", "redis-built-in", "quits"], ..Known::BUILT_IN };
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let read = language::load_with(Path::new("it.toml"), &[], &known, &read);
    read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)))
}

fn with_faults() -> Scenario {
    let fault = |(n, (name, on, effect)): (usize, &(&str, &str, &str))| {
        format!("[[fault]]\nname = \"{name}\"\non = \"{on}\"\n{effect}\nat = \"{}s\"\nfor = \"1s\"\n", 2 * n + 2)
    };
    scenario(&FAULTS.iter().enumerate().map(fault).fold(SYSTEM.to_owned(), |text, fault| text + &fault))
}

/// Asks a Redis by one command.
async fn ask(host: &Host, at: &Address, command: &str) -> io::Result<String> {
    let mut stream = host.dial(&at.host, at.port).await?;
    let words: Vec<&str> = command.split(' ').collect();
    let encoded =
        words.iter().fold(format!("*{}\r\n", words.len()), |all, word| all + &format!("${}\r\n{word}\r\n", word.len()));
    stream.write_all(encoded.as_bytes()).await?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

/// A world with what it runs.
pub(crate) struct Conformance<R> {
    world: ComposedWorld<R, InProcessLinks>,
    scenario: Scenario,
    host: Host,
}

impl<R: Runtime> Conformance<R> {
    /// Everything that a runtime has to do, with one that has done nothing yet.
    pub(crate) async fn of(runtime: R) {
        let (events, _records) = Events::channel();
        let host = runtime.host().clone();
        let mut world = ComposedWorld::new(runtime, InProcessLinks::new());
        let scenario = with_faults();
        world.take_run_lock(&events).await.unwrap();
        world.start(&scenario.system, RunKey { seed: 1, nonce: Nonce(1) }, &events).await.unwrap();
        let mut of = Self { world, scenario, host };
        of.instances_are_where_they_are_said_to_be().await;
        of.a_frozen_instance_keeps_its_connections_and_does_nothing().await;
        for how in ["stop", "kill"] {
            of.what_is_ended_comes_back_where_it_was(how).await;
        }
        of.a_restart_is_over_when_it_has_happened().await;
        of.a_flush_forgets().await;
        of.what_is_not_offered_is_refused().await;
        of.faults_of_links_hold_and_go().await;
        of.a_link_is_closed_and_opened_while_all_runs().await;
        of.all_is_gone_at_the_end().await;
    }

    fn at(&self) -> Address {
        self.world.service(STORE, None).unwrap()
    }

    fn link(&self) -> Link {
        Link { from: Endpoint::Service("users".to_owned()), to: STORE.to_owned(), label: None }
    }

    async fn direct(&self, command: &str) -> io::Result<String> {
        ask(&self.host, &self.at(), command).await
    }

    async fn through(&mut self, command: &str) -> io::Result<String> {
        let link = self.link();
        let address = self.world.halves().1.address(&link).unwrap();
        ask(&self.host, &address, command).await
    }

    async fn apply(&mut self, fault: &str) -> Result<(), WorldError> {
        let fault = self.scenario.faults.iter().find(|one| one.name == fault).unwrap();
        self.world.apply(fault).await
    }

    async fn remove(&mut self, fault: &str) -> chaos_model::event::Fired {
        let fault = self.scenario.faults.iter().find(|one| one.name == fault).unwrap();
        let fired = self.world.remove(fault).await.unwrap().fired;
        self.until_all_run().await;
        fired
    }

    /// Does what the world notices until nothing is to be started again.
    async fn until_all_run(&mut self) {
        while ["users", STORE].iter().any(|service| self.world.is_restarting(service)) {
            let notice = tokio::time::timeout(GONE_WITHIN, self.world.notice()).await.expect("it is started again");
            self.world.attend(notice.unwrap()).await.unwrap();
        }
    }

    /// Nothing is told that was asked for.
    async fn is_quiet(&mut self) {
        while let Ok(notice) = tokio::time::timeout(SOON, self.world.notice()).await {
            let news = self.world.attend(notice.unwrap()).await.unwrap();
            assert_eq!(news, None, "nobody asked for it");
        }
    }

    async fn instances_are_where_they_are_said_to_be(&mut self) {
        for service in ["users", STORE] {
            let instances = self.world.runtime().instances(service);
            assert_eq!(instances[0].id, InstanceId::first(service));
            assert_eq!(Some(&instances[0].address), self.world.service(service, None).as_ref());
            assert!(!instances[0].what.is_empty());
        }
        assert_eq!(self.world.runtime().instances("nobody"), []);
        assert_eq!(self.direct("PING").await.unwrap(), "+PONG\r\n");
        assert_eq!(self.through("PING").await.unwrap(), "+PONG\r\n");
        self.is_quiet().await;
    }

    async fn a_frozen_instance_keeps_its_connections_and_does_nothing(&mut self) {
        self.apply("pause").await.unwrap();
        let (host, at) = (self.host.clone(), self.at());
        let mut asked = Box::pin(ask(&host, &at, "PING"));
        assert!(tokio::time::timeout(SOON, &mut asked).await.is_err(), "it is frozen");
        assert!(self.world.probe(STORE).expect("it has an address").await.is_err(), "nor is it ready");
        assert_eq!(self.remove("pause").await.services, 1);
        self.world.probe(STORE).expect("it has an address").await.unwrap();
        assert_eq!(asked.await.unwrap(), "+PONG\r\n", "it goes on");
    }

    async fn what_is_ended_comes_back_where_it_was(&mut self, how: &str) {
        let at = self.at();
        self.apply(how).await.unwrap();
        let refused = tokio::time::timeout(SOON, self.direct("PING")).await.expect("nobody listens there");
        assert!(refused.is_err() || refused.is_ok_and(|said| said.is_empty()), "{how}: it is gone");
        self.is_quiet().await;
        assert_eq!(self.remove(how).await.services, 1);
        assert_eq!(self.at(), at);
        assert_eq!(self.direct("PING").await.unwrap(), "+PONG\r\n", "{how}: it is ready when it is healed");
        assert_eq!(self.through("PING").await.unwrap(), "+PONG\r\n");
    }

    async fn a_restart_is_over_when_it_has_happened(&mut self) {
        self.direct("SET key value").await.unwrap();
        self.apply("restart").await.unwrap();
        self.until_all_run().await;
        assert_eq!(self.direct("GET key").await.unwrap(), "$-1\r\n", "it began anew");
        assert_eq!(self.remove("restart").await.services, 1);
        self.is_quiet().await;
    }

    async fn a_flush_forgets(&mut self) {
        assert_eq!(self.direct("SET key value").await.unwrap(), "+OK\r\n");
        self.apply("flush").await.unwrap();
        assert_eq!(self.direct("GET key").await.unwrap(), "$-1\r\n");
        assert_eq!(self.remove("flush").await.services, 1);
    }

    async fn what_is_not_offered_is_refused(&mut self) {
        let Offer { does, .. } = R::OFFER;
        let limit = self.scenario.faults.iter().find(|one| one.name == "limit").unwrap();
        let offered = does(limit.effect.action().service.unwrap());
        match (offered, self.apply("limit").await) {
            (Ok(()), given) => {
                given.unwrap();
                assert_eq!(self.remove("limit").await.services, 1);
            }
            (Err(not), given) => assert!(given.unwrap_err().to_string().contains(not.why)),
        }
        // The language refuses such a fault; a world does, too.
        let mut astray = self.scenario.faults.iter().find(|one| one.name == "hang").unwrap().clone();
        astray.on = chaos_model::Target::Service(STORE.to_owned());
        let refused = self.world.apply(&astray).await.unwrap_err().to_string();
        assert_eq!(refused, "`hang` acts on links, and store is a service");
    }

    async fn faults_of_links_hold_and_go(&mut self) {
        self.apply("refuse").await.unwrap();
        assert!(self.through("PING").await.is_err());
        assert_eq!(self.direct("PING").await.unwrap(), "+PONG\r\n", "the service is well");
        assert!(self.remove("refuse").await.any());
        assert_eq!(self.through("PING").await.unwrap(), "+PONG\r\n");
    }

    async fn a_link_is_closed_and_opened_while_all_runs(&mut self) {
        let (link, at) = (self.link(), self.at());
        let (_, links) = self.world.halves();
        let address = links.address(&link).unwrap();
        links.close(&link).await.unwrap();
        assert_eq!(links.address(&link), None);
        // Its task ends when it is looked at next.
        let gone = async {
            while ask(&self.host, &address, "PING").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(GONE_WITHIN, gone).await.expect("nobody listens there any more");
        let (runtime, links) = self.world.halves();
        let opened = links.open(&link, Protocol::REDIS, &mut |link, protocol| runtime.site(link, protocol)).await;
        assert!(opened.unwrap());
        links.lead(&link, &[at]);
        assert_eq!(self.through("PING").await.unwrap(), "+PONG\r\n");
    }

    async fn all_is_gone_at_the_end(mut self) {
        let at = self.at();
        for _ in 0..2 {
            assert_eq!(self.world.stop(false).await.left, Vec::<String>::new());
        }
        assert!(ask(&self.host, &at, "PING").await.is_err());
        assert_eq!(self.world.service(STORE, None), None);
    }
}

/// A service that ends while it starts fails the start, and is named. `start` is how such a one is started.
pub(crate) async fn a_service_that_ends_while_it_starts_is_named<R: Runtime>(runtime: R, start: &str) {
    let (events, _records) = Events::channel();
    let mut world = ComposedWorld::new(runtime, InProcessLinks::new());
    let text = SYSTEM.replace("program = \"redis-built-in\"", &format!("{start}\nprotocol = \"tcp\""));
    // Its port is nobody else's then.
    world.take_run_lock(&events).await.unwrap();
    match world.start(&scenario(&text).system, RunKey { seed: 1, nonce: Nonce(1) }, &events).await {
        Err(WorldError::DiedStarting(death)) => assert_eq!(death.instance, InstanceId::first(STORE)),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.stop(false).await.left, Vec::<String>::new());
}
