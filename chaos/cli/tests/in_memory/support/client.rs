//! A client of the gateway, and of whatever else speaks HTTP in the system.

use bytes::Bytes;
use host::{
    Host,
    http::{self as over_host, ClientConfig},
};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// A response, and the time that it took on the virtual clock.
#[derive(Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) took: Duration,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    /// The value at a JSON pointer (RFC 6901).
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or_else(|| panic!("no {pointer} in {}", self.text))
    }

    /// A header's value; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The source of the profile's parts: `origin`, `redis` or `memory`.
    pub(crate) fn source(&self) -> String {
        self.at("/meta/parts/user/source").as_str().unwrap_or_default().to_owned()
    }

    /// States of user, orders and products.
    pub(crate) fn states(&self) -> [String; 3] {
        ["user", "orders", "products"]
            .map(|part| self.at(&format!("/meta/parts/{part}/state")).as_str().unwrap().to_owned())
    }

    /// Service and code of each entry of `errors`.
    pub(crate) fn errors(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = self.at("/errors");
        errors.as_array().unwrap().iter().map(|error| (text(&error["service"]), text(&error["code"]))).collect()
    }

    /// Asserts that it is a complete profile.
    #[track_caller]
    pub(crate) fn assert_complete(&self) {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.at("/partial"), false, "{}", self.text);
    }
}

/// Sends requests from one service of the network.
#[derive(Clone)]
pub(crate) struct Client(over_host::Client<Full<Bytes>>);

impl Client {
    pub(crate) fn new(host: &Host) -> Self {
        Self(over_host::client(host, ClientConfig::default()))
    }

    /// Sends a GET, and reads the whole response.
    pub(crate) async fn get(&self, address: &str, path: &str) -> Response {
        let started = Instant::now();
        let request = Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap();
        let response = self.0.request(request).await.unwrap_or_else(|error| panic!("{address}{path}: {error:?}"));
        let (head, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Response { status: head.status, headers: head.headers, text, took: started.elapsed() }
    }
}

/// The sum over the series of a Prometheus text that have all of these labels: `name{a="b",c="d"}`.
pub(super) fn sum(text: &str, selector: &str) -> f64 {
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
