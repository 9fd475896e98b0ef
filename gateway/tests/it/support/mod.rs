//! A whole system in memory: the gateway, three fake services, a fake Redis, and a client.

mod logs;
mod redis;
mod service;

pub(crate) use logs::Logs;
pub(crate) use redis::{FakeRedis, Mood};
pub(crate) use service::{Behaviour, Fake, Kind};

use bytes::Bytes;
use host::{
    Host, Settings, Task,
    http::{Client, ClientConfig},
    memory::MemoryNetwork,
};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A response, its body read.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The body as it came: compressed, it is no text.
    pub(crate) bytes: Bytes,
    pub(crate) took: Duration,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or_else(|| panic!("{pointer} in {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The system.
pub(crate) struct World {
    pub(crate) network: MemoryNetwork,
    pub(crate) user: Arc<Fake>,
    pub(crate) order: Arc<Fake>,
    pub(crate) product: Arc<Fake>,
    pub(crate) redis: Arc<FakeRedis>,
    pub(crate) gateway: Host,
    pub(crate) running: Task<Result<(), gateway::Error>>,
    client: Client<Full<Bytes>>,
    base: String,
}

impl World {
    /// Everything is well, and Redis is connected.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let world = Self::start_with(settings, Mood::Good);
        world.redis_is_used().await;
        world
    }

    /// Redis is as it is.
    pub(crate) fn start_with(settings: &[(&str, &str)], mood: Mood) -> Self {
        Self::on(MemoryNetwork::new(1), "gateway", settings, mood)
    }

    fn on(network: MemoryNetwork, name: &str, settings: &[(&str, &str)], mood: Mood) -> Self {
        let user = Fake::start(network.node("users", Settings::default()), Kind::User);
        let order = Fake::start(network.node("orders", Settings::default()), Kind::Order);
        let product = Fake::start(network.node("products", Settings::default()), Kind::Product);
        let redis = FakeRedis::start(network.node("redis", Settings::default()), mood);
        let defaults = [
            ("USER_SERVICE_URL", "http://users"),
            ("ORDER_SERVICE_URL", "http://orders"),
            ("PRODUCT_SERVICE_URL", "http://products"),
            ("REDIS_URL", "redis://redis"),
            // What is looked up is then asked of Redis for certain.
            ("GATEWAY_CACHE_WARMING", "0s"),
        ];
        let settings: Settings = defaults.iter().chain(settings).copied().collect();
        let (gateway, _) = network.node(name, settings);
        let running = gateway.spawn(gateway::run(gateway.clone()));
        let client = host::http::client(&network.host("client"), ClientConfig::default());
        let base = format!("http://{name}:8000");
        Self { network, user, order, product, redis, gateway, running, client, base }
    }

    /// Another gateway with the same services and the same Redis.
    pub(crate) fn neighbour(&self, name: &str) -> Self {
        let (gateway, _) = self.network.node(name, self.gateway.settings().clone());
        let running = gateway.spawn(gateway::run(gateway.clone()));
        Self {
            network: self.network.clone(),
            user: Arc::clone(&self.user),
            order: Arc::clone(&self.order),
            product: Arc::clone(&self.product),
            redis: Arc::clone(&self.redis),
            gateway,
            running,
            client: self.client.clone(),
            base: format!("http://{name}:8000"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(Request::get(format!("{}{path}", self.base)).body(Full::default()).unwrap()).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.request(http::Method::GET, path, headers).await
    }

    pub(crate) async fn post(&self, path: &str, body: Vec<u8>) -> Response {
        self.send(Request::post(format!("{}{path}", self.base)).body(Full::new(body.into())).unwrap()).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str) -> Response {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        self.send(request.body(Full::default()).unwrap()).await
    }

    pub(crate) async fn get_with_body(&self, path: &str, body: Vec<u8>) -> Response {
        self.send(Request::get(format!("{}{path}", self.base)).body(Full::new(body.into())).unwrap()).await
    }

    /// Any request; `method` and headers.
    pub(crate) async fn request(&self, method: http::Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::default()).unwrap()).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Response {
        // The gateway may still be about to listen.
        tokio::task::yield_now().await;
        let started = Instant::now();
        let response = self.client.request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Response { status: head.status, headers: head.headers, text, bytes, took: started.elapsed() }
    }

    /// The sum of a metric over the series that have all of these labels: `name{a="b",c="d"}`.
    pub(crate) async fn metric(&self, selector: &str) -> f64 {
        let text = self.get("/metrics").await.text;
        let (name, labels) = selector.split_once('{').unwrap_or((selector, ""));
        let labels: Vec<&str> = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()).collect();
        let lines = text.lines().filter(|line| {
            let rest = line.strip_prefix(name).unwrap_or_default();
            (rest.starts_with('{') || rest.starts_with(' ')) && labels.iter().all(|label| rest.contains(label))
        });
        let values: Vec<f64> = lines.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert!(!values.is_empty(), "no series is {selector}");
        values.iter().sum()
    }

    /// Waits until requests are served from Redis.
    pub(crate) async fn redis_is_used(&self) {
        self.until("cache_mode{mode=\"redis\"}", 1.0).await;
    }

    /// Waits until a metric has this value.
    pub(crate) async fn until(&self, selector: &str, value: f64) {
        for _ in 0..5_000 {
            if (self.metric(selector).await - value).abs() < f64::EPSILON {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{selector} was never {value}");
    }

    /// Lets what is off the request path happen.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
