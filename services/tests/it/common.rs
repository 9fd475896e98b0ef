//! The three services on a network in memory, and a client.

use bytes::Bytes;
use host::{
    Host, Settings, TaskGroup,
    http::{Client, ClientConfig, client},
    memory::MemoryNetwork,
};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use std::time::Duration;

/// The services' ports, which are the defaults.
pub(crate) const USER: u16 = services::user::DEFAULT_PORT;
pub(crate) const ORDER: u16 = services::order::DEFAULT_PORT;
pub(crate) const PRODUCT: u16 = services::product::DEFAULT_PORT;

/// The shop: a node called `shop` that runs all three services, each on a host of its own.
pub(crate) struct Shop {
    pub(crate) network: MemoryNetwork,
    pub(crate) product_host: Host,
    pub(crate) product_tasks: TaskGroup,
    client: Client<Full<Bytes>>,
}

/// A response, its body read.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Shop {
    /// Starts the services. Call it on a paused clock.
    pub(crate) async fn open() -> Self {
        let network = MemoryNetwork::new(1);
        drop(network.host("user").spawn(services::user::run(network.host("user"))));
        drop(network.host("order").spawn(services::order::run(network.host("order"))));
        let (product_host, product_tasks) = network.node("product", Settings::default());
        drop(product_host.spawn(services::product::run(product_host.clone())));
        // The clock moves on only when every service waits, for connections that is.
        network.host("client").sleep(Duration::from_millis(1)).await;
        let client = client(&network.host("client"), ClientConfig::default());
        Self { network, product_host, product_tasks, client }
    }

    pub(crate) async fn send(&self, port: u16, request: Request<Full<Bytes>>) -> Response {
        let name = match port {
            USER => "user",
            ORDER => "order",
            _ => "product",
        };
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("http://{name}:{port}{}", parts.uri).parse().unwrap();
        let response = self.client.request(Request::from_parts(parts, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        Response { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub(crate) async fn get(&self, port: u16, path: &str) -> Response {
        self.send(port, Request::get(path).body(Full::default()).unwrap()).await
    }

    pub(crate) async fn request(&self, port: u16, method: Method, path: &str) -> Response {
        self.send(port, Request::builder().method(method).uri(path).body(Full::default()).unwrap()).await
    }

    /// Posts a batch of products.
    pub(crate) async fn batch(&self, body: impl Into<Bytes>) -> Response {
        let request = Request::post("/products/batch").header("content-type", "application/json");
        self.send(PRODUCT, request.body(Full::new(body.into())).unwrap()).await
    }
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts that this is a problem, whole and sound, of that status and kind; returns its body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let body = self.json();
        assert_eq!(body["type"], format!("urn:problem-type:shop:{kind}"));
        assert_eq!(body["status"], status);
        assert!(!body["title"].as_str().unwrap().is_empty() && !body["detail"].as_str().unwrap().is_empty());
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"));
        body
    }

    /// Asserts that this is a 200 with JSON; returns its body.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        self.json()
    }
}
