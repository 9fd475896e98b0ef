//! The system: five services, each a program on a host of its own, and a client.

use super::{
    MS,
    client::{self, Client, Response},
    links::Links,
    settle,
};
use futures_util::future::BoxFuture;
use host::{Host, Settings, Task, TaskGroup, memory::MemoryNetwork};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

pub(crate) const GATEWAY: &str = "gateway";
pub(crate) const USER: &str = "user-service";
pub(crate) const ORDER: &str = "order-service";
pub(crate) const PRODUCT: &str = "product-service";
pub(crate) const REDIS: &str = "redis";
pub(crate) const SERVICES: [&str; 3] = [USER, ORDER, PRODUCT];

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;
type Run = fn(Host) -> BoxFuture<'static, Outcome>;

/// Name, port and program of each service, in the order in which they are started: what is used comes first.
const PROGRAMS: [(&str, u16, Run); 5] = [
    (REDIS, 6379, |host| Box::pin(async { Ok(chaos_redis::run(host).await?) })),
    (USER, 8001, |host| Box::pin(async { Ok(services::user::run(host).await?) })),
    (ORDER, 8002, |host| Box::pin(async { Ok(services::order::run(host).await?) })),
    (PRODUCT, 8003, |host| Box::pin(async { Ok(services::product::run(host).await?) })),
    (GATEWAY, 8000, |host| Box::pin(async { Ok(gateway::run(host).await?) })),
];

/// The settings of the gateway that name other services, and what comes before the address.
const USES: [(&str, &str, &str); 4] = [
    ("USER_SERVICE_URL", "http://", USER),
    ("ORDER_SERVICE_URL", "http://", ORDER),
    ("PRODUCT_SERVICE_URL", "http://", PRODUCT),
    ("REDIS_URL", "redis://", REDIS),
];

struct Service {
    host: Host,
    tasks: TaskGroup,
    program: Task<Outcome>,
}

pub(crate) struct System {
    network: MemoryNetwork,
    services: BTreeMap<&'static str, Service>,
    links: Option<Links>,
    settings: Vec<(&'static str, &'static str)>,
    pub(crate) client_host: Host,
    pub(crate) client: Client,
}

fn service_of(name: &str) -> (&'static str, u16, Run) {
    *PROGRAMS.iter().find(|(there, ..)| *there == name).unwrap()
}

impl System {
    /// Everything is up, and the gateway uses Redis.
    pub(crate) async fn start() -> Self {
        Self::start_with(1, false, &[]).await
    }

    /// The same, with a proxy on each link of the gateway.
    pub(crate) async fn start_with_proxies() -> Self {
        Self::start_with(1, true, &[]).await
    }

    /// The same, with these settings of the gateway's.
    pub(crate) async fn start_with(seed: u64, proxies: bool, settings: &[(&'static str, &'static str)]) -> Self {
        let mut system = Self::idle(seed, proxies, settings);
        for (name, ..) in PROGRAMS {
            system.launch(name);
        }
        system.redis_is_used().await;
        system
    }

    /// Nothing runs yet.
    pub(crate) fn idle(seed: u64, proxies: bool, settings: &[(&'static str, &'static str)]) -> Self {
        let network = MemoryNetwork::new(seed);
        let used: Vec<_> = USES.iter().map(|(.., name)| (*name, service_of(name).1)).collect();
        let links = proxies.then(|| Links::start(&network, seed, &used));
        let client_host = network.host("client");
        let client = Client::new(&client_host);
        Self { network, services: BTreeMap::new(), links, settings: settings.to_vec(), client_host, client }
    }

    fn settings_of(&self, name: &str) -> Settings {
        if name != GATEWAY {
            return Settings::default();
        }
        let address = |to: &str| match &self.links {
            Some(links) => links.address(to),
            None => format!("{to}:{}", service_of(to).1),
        };
        let uses = USES.iter().map(|(setting, scheme, to)| ((*setting).to_owned(), format!("{scheme}{}", address(to))));
        // What is looked up is then asked of Redis for certain.
        let exact = [("GATEWAY_CACHE_WARMING".to_owned(), "0s".to_owned())];
        let more = self.settings.iter().map(|(setting, value)| ((*setting).to_owned(), (*value).to_owned()));
        uses.chain(exact).chain(more).collect()
    }

    /// Starts a service: a new host of this name, with a program that knows nothing of an earlier one.
    pub(crate) fn launch(&mut self, name: &str) {
        let (name, _, run) = service_of(name);
        let (host, tasks) = self.network.node(name, self.settings_of(name));
        let program = host.spawn(run(host.clone()));
        self.services.insert(name, Service { host, tasks, program });
    }

    pub(crate) fn links(&self) -> &Links {
        self.links.as_ref().expect("a system with proxies")
    }

    fn service(&self, name: &str) -> &Service {
        self.services.get(name).unwrap_or_else(|| panic!("{name} was never started"))
    }

    /// The number of the service's tasks that have not ended.
    pub(crate) fn running(&self, name: &str) -> usize {
        self.service(name).tasks.running()
    }

    /// Crashes a service like SIGKILL: its connections and its port are gone when this returns.
    pub(crate) async fn crash(&self, name: &str) {
        let tasks = &self.service(name).tasks;
        tasks.crash();
        while tasks.running() > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Freezes a service like SIGSTOP.
    pub(crate) fn freeze(&self, name: &str) {
        self.service(name).tasks.freeze();
    }

    /// Lets a service go on like SIGCONT.
    pub(crate) fn thaw(&self, name: &str) {
        self.service(name).tasks.thaw();
    }

    /// Stops a service like SIGTERM.
    pub(crate) fn shut_down(&self, name: &str) {
        self.service(name).host.shutdown().cancel();
    }

    /// The result of the service's program.
    pub(crate) async fn ended(&mut self, name: &'static str) -> Outcome {
        (&mut self.services.get_mut(name).unwrap().program).await?
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.get_from(GATEWAY, path).await
    }

    pub(crate) async fn profile(&self, user: u64) -> Response {
        self.get(&format!("/api/profile/{user}")).await
    }

    pub(crate) async fn get_from(&self, service: &str, path: &str) -> Response {
        let address = format!("{service}:{}", service_of(service).1);
        // A program that was only just started may be about to listen.
        tokio::task::yield_now().await;
        self.client.get(&address, path).await
    }

    /// A metric of the gateway.
    pub(crate) async fn metric(&self, selector: &str) -> f64 {
        self.metric_of(GATEWAY, selector).await
    }

    pub(crate) async fn metric_of(&self, service: &str, selector: &str) -> f64 {
        client::sum(&self.get_from(service, "/metrics").await.text, selector)
    }

    /// Waits until the gateway reads from Redis, and says how long that took.
    pub(crate) async fn redis_is_used(&self) -> Duration {
        self.until("cache_mode{mode=\"redis\"}", 1.0).await
    }

    /// Waits until the gateway does without Redis, and says how long that took.
    pub(crate) async fn redis_is_given_up(&self) -> Duration {
        self.until("cache_mode{mode=\"redis\"}", 0.0).await
    }

    async fn until(&self, selector: &str, value: f64) -> Duration {
        let started = Instant::now();
        while (self.metric(selector).await - value).abs() > f64::EPSILON {
            assert!(started.elapsed() < Duration::from_secs(10), "{selector} was never {value}");
            tokio::time::sleep(MS).await;
        }
        started.elapsed()
    }

    /// Fetches these users' profiles, so that both tiers have them.
    pub(crate) async fn warm_up(&self, users: std::ops::RangeInclusive<u64>) {
        for user in users {
            self.profile(user).await.assert_complete();
        }
        settle().await;
    }
}
